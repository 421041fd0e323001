from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.crypto import key_ids
from apps.common.keys import encrypted_columns, name_of, used, write_anew

SAID_EVERY = 1000


class Command(BaseCommand):
    help = (
        "Write everything that is encrypted under the first key of FIELD_KEYS, and say which of the others nothing needs"
        " any more. People may work meanwhile; it may be stopped and run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", action="store_true", help="only say how much is encrypted under which key")

    def handle(self, *args: Any, **options: Any) -> None:
        columns, needed = encrypted_columns(), Counter[bytes]()
        if not options["count"]:
            for field in columns:
                self._write_anew(name_of(field), field)
        unknown = {}
        for field in columns:
            found = used(field)
            needed += found
            if lost := sum(number for key, number in found.items() if key not in key_ids()):
                unknown[name_of(field)] = lost
        self._say_what_is_needed(needed)
        if unknown:
            told = ", ".join(f"{number} in {name}" for name, number in unknown.items())
            raise CommandError(f"No key of FIELD_KEYS opens these values: {told}.")

    def _write_anew(self, name: str, field: Any) -> None:
        done = said = 0
        for number in write_anew(field):
            done += number
            if done - said >= SAID_EVERY:
                said = done
                self.stdout.write(f"{name}: {done} …")
        if done:
            self.stdout.write(f"{name}: {done} written anew.")

    def _say_what_is_needed(self, needed: Counter[bytes]) -> None:
        for place, key in enumerate(key_ids(), start=1):
            which = f"Key {place} of FIELD_KEYS"
            if needed[key]:
                self.stdout.write(f"{which} opens {needed[key]} values{', and writes new ones' * (place == 1)}.")
            elif place == 1:
                self.stdout.write(f"{which} writes new values; nothing is stored.")
            else:
                self.stdout.write(f"{which} is not needed for anything stored: it can be taken out.")
