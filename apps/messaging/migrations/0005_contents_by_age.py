from django.db import migrations, models

from apps.common.postgres.operations import BuildIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0004_contents_forgotten")]
    operations = [
        BuildIndex(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("forgotten_at__isnull", True)), fields=["created_at"], name="outbox_contents"
            ),
        ),
    ]
