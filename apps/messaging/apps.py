from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "apps.messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401
