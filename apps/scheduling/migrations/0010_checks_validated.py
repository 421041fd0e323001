from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """What was there before the checks is read through, while people go on writing."""

    dependencies = [("scheduling", "0009_links_renewed_and_revoked")]
    operations = [
        ValidateConstraint(model_name="appointment", name="appointment_place_known"),
        ValidateConstraint(model_name="participant", name="participant_answer_known"),
        ValidateConstraint(model_name="appointment", name="appointment_takes_at_most_eight_hours"),
        ValidateConstraint(model_name="appointmentevent", name="appointment_event_kind_known"),
    ]
