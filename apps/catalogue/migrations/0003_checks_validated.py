from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """What was there before the checks is read through, while people go on writing."""

    dependencies = [("catalogue", "0002_known_values")]
    operations = [
        ValidateConstraint(model_name="servicetype", name="service_type_horizon_is_a_day_or_more"),
    ]
