"""Empties the database between tests that commit: Django calls `flush` after each of them.

Django truncates every table, full or not, and makes its content types and permissions anew, a third of a second's work.
Here only the tables that hold rows are emptied, and those two keep what the migrations gave them. The locks are those
of TRUNCATE: what another process has under way is waited for and goes too.
"""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

STAY = {"django_content_type", "auth_permission"}


class Command(BaseCommand):
    help = "Empty every table that holds rows."
    stealth_options = ("interactive", "database", "reset_sequences", "allow_cascade", "inhibit_post_migrate")
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        names = sorted(set(connection.introspection.django_table_names(only_existing=True)) - STAY)
        tables = {name: connection.ops.quote_name(name) for name in names}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {', '.join(tables.values())} IN ACCESS EXCLUSIVE MODE")
            cursor.execute(
                " UNION ALL ".join(
                    f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quoted})" for name, quoted in tables.items()
                )
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {tables[name]}")  # a key to a row that goes later is checked at the end
