import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from apps.catalogue.services import load_scenarios
from apps.registration.services import load_code_rules
from portal.demo import acceptance


class Command(BaseCommand):
    help = (
        "Make two unrelated pairs of municipality and hospital (A and B) for acceptance tests, and print all that is "
        "needed to use them: users with password, authenticator secret and API key, units, services, diaries and "
        "patients. Every run makes a new pair with a suffix of its own, because keys and passwords are shown only "
        "once; earlier runs stay as they are. The diaries are open on every day of the week. Refused in production."
    )

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print everything as one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Acceptance data are for test installations only: DEMO is off.")
        load_scenarios()
        load_code_rules(today=timezone.localdate())
        with transaction.atomic():
            seeded = acceptance.seed(run=acceptance.new_run(), now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(seeded, ensure_ascii=False, indent=2))
            return
        self.stdout.write(f"Run {seeded['run']}")
        for letter in "AB":
            for person in seeded[letter]["users"].values():
                self.stdout.write(f"{letter}  {person['role']:<20}{person['email']:<50}{person['password']}")
