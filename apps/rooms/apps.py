from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "apps.rooms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers what a start looks at)
