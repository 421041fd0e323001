"""Reading small rows fast, for the few queries that are asked all the time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg import RawCursor
from psycopg.pq import Format


def rows_of(sql: str, parameters: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a query that the server prepares once for each connection, and fetch its rows in binary form.

    Django's own cursors write the values into the text, so PostgreSQL plans every query anew. Where a query takes a
    tenth of a millisecond, planning is most of it. Parameters need a cast, since nothing else tells their type.
    """
    return _fetched(ServerBindingCursor, sql, parameters)


def rows_of_raw(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Do the same with PostgreSQL's own placeholders ($1, $2): psycopg takes a long statement apart at every call."""
    return _fetched(RawCursor, sql, parameters)


def _fetched(kind: Any, sql: str, parameters: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    connection = connected()
    cursor = kind(connection.connection)
    cursor.format = Format.BINARY
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(cursor) as counted:
        counted.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = counted.fetchall()
    return rows


def connected() -> BaseDatabaseWrapper:
    """Return the connection as Django's own cursors take it: a lost one is opened anew at the start of a request."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection


def bigints(numbers: Iterable[int]) -> str:
    """Write numbers for a `::bigint[]`: a list would be sent as the narrowest type, each a statement of its own."""
    return "{" + ",".join(map(str, numbers)) + "}"
