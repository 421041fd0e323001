"""Check that the access log is whole: every sealed record is there and unchanged."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit.queries import access_log_check


class Command(BaseCommand):
    help = "Check the hash chain over the access log; ends with an error if a sealed record was changed or removed."

    def handle(self, *args: Any, **options: Any) -> None:
        found = access_log_check()
        if found.broken:
            first, last = found.broken
            raise CommandError(f"The access log was changed: records {first} to {last} do not match their seal.")
        self.stdout.write(f"The access log is whole: {found.sealed} sealed records, {found.unsealed} not sealed yet.")
