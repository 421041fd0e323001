from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.installation.apply import set_up
from portal.installation.file import Faulty, read


class Command(BaseCommand):
    help = (
        "Make organisations, units, people, diaries, teams and services as a YAML file describes them, and invite "
        "those whom it says. Safe to run again: what is as described stays. docs/example-region.yaml explains the file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.yaml")
        parser.add_argument("--check", action="store_true", help="say what is wrong or would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as fault:
            raise CommandError(f"{path} cannot be read: {fault.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not UTF-8 text.") from None
        try:
            done = set_up(read(text), now=timezone.now(), only_check=options["check"])
        except Faulty as faulty:
            for found in faulty.faults:
                self.stderr.write(f"{path.name}, {found}")
            count = len(faulty.faults)
            raise CommandError(f"{count} fault{'s' if count > 1 else ''}. Nothing was done.") from None
        told = [f"{count} {kind} made" for kind, count in done.made.items()]
        told += [f"{count} {kind} changed" for kind, count in done.changed.items()]
        told += [f"invited: {', '.join(done.invited)}"] if done.invited else []
        self.stdout.write(
            f"{'Would be done' if options['check'] else 'Done'}: {'; '.join(told) or 'nothing, all is so'}."
        )
