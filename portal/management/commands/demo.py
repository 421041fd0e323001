import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from apps.accounts.queries import authenticator, demo_users
from apps.accounts.services import authenticator_secret
from apps.catalogue.services import load_scenarios
from apps.organisations.models import Membership
from apps.registration.services import load_code_rules
from apps.scheduling.services import react_to_events
from portal.demo import region, sessions


class Command(BaseCommand):
    help = (
        "Fill an empty installation with a made-up region. A run on a later day adds that day. Exists in the demo only."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--accounts", action="store_true", help="list who can sign in as well")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo's data are for the demo only: DEMO is off.")
        now, quietly = timezone.now(), options["accounts"] or not options["verbosity"]
        if not region.exists():
            self._fill(quietly=quietly)
        elif not sessions.today_is_written(now):
            self._begin_day(now, quietly=quietly)
        if options["accounts"]:
            self._list_accounts()

    def _fill(self, *, quietly: bool) -> None:
        began = time.monotonic()
        load_scenarios()
        load_code_rules(today=timezone.localdate())
        with transaction.atomic():
            made = region.make_region(timezone.now())
            sessions.write_history(made)
            sessions.write_today(made)
            sessions.book_coming(made)
            sessions.note_absence(made)
        react_to_events(now=timezone.now())
        if not quietly:
            self.stdout.write(f"A made-up region of {len(made.patients)} patients: {time.monotonic() - began:.1f} s")

    def _begin_day(self, now: datetime, *, quietly: bool) -> None:
        """The day after, the region stands but nobody meets: write a new day around this minute."""
        with transaction.atomic():
            sessions.write_today(region.find_region(now))
        react_to_events(now=now)
        if not quietly:
            self.stdout.write("A new day in the made-up region")

    def _list_accounts(self) -> None:
        rows = [("Role", "Name", "E-mail", "Password", "Authenticator")]
        for user in demo_users():
            roles = Membership.objects.filter(user=user).values_list("role", flat=True).distinct()
            device = authenticator(user)
            rows.append(
                (
                    ", ".join(sorted(set(roles))),
                    user.name,
                    user.email,
                    region.PASSWORD,
                    authenticator_secret(device) if device else "",
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
