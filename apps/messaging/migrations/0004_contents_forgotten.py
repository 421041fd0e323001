from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0003_checks_validated")]
    operations = [
        migrations.AddField(model_name="outboxmessage", name="forgotten_at", field=models.DateTimeField(null=True)),
    ]
