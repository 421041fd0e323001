from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

KNOWN = ["builtin", "fixed_link"]


class Migration(migrations.Migration):
    """A name that no provider answers to was passed over when a room was made: it goes, and the order of the rest stays."""

    dependencies = [("catalogue", "0003_checks_validated")]

    operations = [
        migrations.RunSQL(
            f"""
            UPDATE catalogue_servicetype
            SET providers = ARRAY(
                SELECT name FROM unnest(providers) WITH ORDINALITY AS listed (name, place)
                WHERE name = ANY (ARRAY{KNOWN}) ORDER BY place
            )
            WHERE NOT providers <@ ARRAY{KNOWN}::varchar[]
            """,
            migrations.RunSQL.noop,
        ),
        AddConstraintNotValid(
            "servicetype",
            models.CheckConstraint(
                condition=models.Q(providers__contained_by=KNOWN), name="service_type_providers_known"
            ),
        ),
    ]
