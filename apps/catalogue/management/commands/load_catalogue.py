from typing import Any

from django.core.management.base import BaseCommand

from apps.catalogue.services import load_scenarios


class Command(BaseCommand):
    help = "Load the kinds of video session that units can switch on. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{load_scenarios()} scenarios")
