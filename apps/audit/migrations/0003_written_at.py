from django.db import migrations, models

FORWARD = """
ALTER TABLE audit_accessrecord ADD COLUMN written_at timestamptz;
ALTER TABLE audit_accessrecord ALTER COLUMN written_at SET DEFAULT clock_timestamp();
"""


class Migration(migrations.Migration):
    """New records say when the database wrote them; the old ones stay empty, so that the table is not written anew."""

    dependencies = [("audit", "0002_append_only")]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(FORWARD, "ALTER TABLE audit_accessrecord DROP COLUMN written_at")],
            [
                migrations.AddField(
                    model_name="accessrecord",
                    name="written_at",
                    field=models.DateTimeField(
                        db_default=models.Func(function="CLOCK_TIMESTAMP"), editable=False, null=True
                    ),
                )
            ],
        )
    ]
