from django.apps import AppConfig


class RegistrationConfig(AppConfig):
    name = "apps.registration"
    default_auto_field = "django.db.models.BigAutoField"
