from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0004_known_providers")]

    operations = [ValidateConstraint("servicetype", "service_type_providers_known")]
