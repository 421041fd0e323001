from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.registration.services import load_code_rules


class Command(BaseCommand):
    help = "Bring the house's code rules up to data/code_rules.yaml. A changed rule becomes a new version from today."

    def handle(self, *args: Any, **options: Any) -> None:
        made = load_code_rules(today=timezone.localdate())
        if options["verbosity"]:
            self.stdout.write(f"Code rules: {made} new versions." if made else "Code rules: up to date.")
