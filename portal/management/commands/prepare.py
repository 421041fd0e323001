from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from apps.common import keys
from apps.patients.queries import found_by_index
from portal.rights import OWNER, admit


class Command(BaseCommand):
    help = "Bring the database, its catalogue and its code rules up to this version. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--files", action="store_true", help="also compile translations and collect static files")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["files"]:
            call_command("compile_translations")
            call_command("collectstatic", interactive=False, verbosity=0)
        owned = OWNER in connections.settings
        owner, everyday = OWNER if owned else DEFAULT_DB_ALIAS, connections.settings[DEFAULT_DB_ALIAS]
        _connect(owner, "OWNER_DATABASE_URL" if owned else "DATABASE_URL")
        with connections[owner].cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")  # an index on a full table may take its time
        call_command("migrate", database=owner, interactive=False, verbosity=options["verbosity"])
        if owned:
            admit(everyday["USER"], everyday["PASSWORD"])
            _connect(DEFAULT_DB_ALIAS, "DATABASE_URL")
        if not keys.opens_something():
            raise CommandError(
                "FIELD_KEYS open nothing that is stored: set the keys that this database was written with."
            )
        if not all(keys.sampled().values()):
            self.stderr.write(
                "FIELD_KEYS lack a key that stored values need: manage.py reencrypt --count says how many."
            )
        if not found_by_index():
            raise CommandError("INDEX_KEY finds no patient: set the one that this database was written with.")
        call_command("load_catalogue")
        call_command("load_code_rules")


def _connect(alias: str, name: str) -> None:
    try:
        connections[alias].ensure_connection()
    except OperationalError as fault:
        raise CommandError(f"{name} leads to no database: {str(fault).strip().splitlines()[-1]}") from fault
