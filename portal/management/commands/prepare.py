from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    help = "Bring the database, its catalogue and its code rules up to this version. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--files", action="store_true", help="also compile translations and collect static files")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["files"]:
            call_command("compile_translations")
            call_command("collectstatic", interactive=False, verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")  # an index on a full table may take its time
        call_command("migrate", interactive=False, verbosity=options["verbosity"])
        call_command("load_catalogue")
        call_command("load_code_rules")
