from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """What was there before the checks is read through, while people go on writing."""

    dependencies = [("patients", "0002_known_values")]
    operations = [
        ValidateConstraint(model_name="patient", name="patient_identifier_kind_known"),
    ]
