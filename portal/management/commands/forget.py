from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from portal import retention


class Command(BaseCommand):
    help = "Forget what has had its time, as the worker does each hour, and report how much of each kind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only report what would be forgotten")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["dry_run"]:
            counts = {kind.what: due.count() for kind in retention.KINDS if (due := kind.due(now)) is not None}
        else:
            counts = retention.forget(now=now)
        for kind in retention.KINDS:
            kept = kind.kept()
            if kept is None:
                self.stdout.write(f"{kind.what}: stay.")
            else:
                number = counts.get(kind.what, "not")
                self.stdout.write(f"{kind.what}: {number} ({_time(kept)} {kind.since}).")


def _time(kept: timedelta) -> str:
    if not kept:
        return "as soon as"
    return f"{kept.days} days after" if kept.days else f"{kept.seconds // 3600} h after"
