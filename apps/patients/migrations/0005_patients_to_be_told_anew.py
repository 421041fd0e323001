from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("patients", "0004_patient_by_person"),
    ]

    operations = [
        migrations.AlterField(
            model_name="patient",
            name="contact_changed_at",
            field=models.DateTimeField(
                blank=True, help_text="what was written before it is stale; empty when all is told", null=True
            ),
        ),
        AddIndexConcurrently(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("contact_changed_at__isnull", False)),
                fields=["contact_changed_at"],
                name="patient_to_be_told_anew",
            ),
        ),
    ]
