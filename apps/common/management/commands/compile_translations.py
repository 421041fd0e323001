from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.common import translations


class Command(BaseCommand):
    help = "Compile locale/*/LC_MESSAGES/django.po where they changed; needs no gettext."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            for path in translations.catalogues(folder):
                if translations.compile_catalogue(path):
                    self.stdout.write(f"Compiled {translations.language_of(path)}")
