"""Empties the database between tests that commit: Django calls `flush` after each of them.

Django truncates every table, full or not, and makes its content types and permissions anew, a third of a second's work.
Here only the tables that hold rows are emptied, and those two keep what the migrations gave them. The locks are those
of TRUNCATE: what another process has under way is waited for and goes too. All are taken or none: who waits for one
table while holding another stands in a circle with a page that asks for the two the other way round.
"""

import time
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

STAY = {"django_content_type", "auth_permission"}
PATIENCE = 60.0


class Command(BaseCommand):
    help = "Empty every table that holds rows."
    stealth_options = ("interactive", "database", "reset_sequences", "allow_cascade", "inhibit_post_migrate")
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        names = sorted(set(connection.introspection.django_table_names(only_existing=True)) - STAY)
        tables = {name: connection.ops.quote_name(name) for name in names}
        full = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {own})" for name, own in tables.items())
        with transaction.atomic(), connection.cursor() as cursor:
            _lock(tables.values())
            cursor.execute(full)
            for (name,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {tables[name]}")  # a key to a row that goes later is checked at the end


def _lock(tables: Iterable[str]) -> None:
    """Take all of them at one moment when nobody uses any; raise OperationalError where none comes in time."""
    statement = f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE NOWAIT"
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                return
        except OperationalError as busy:
            if not isinstance(busy.__cause__, LockNotAvailable) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)
