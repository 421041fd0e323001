"""What is left of what was typed: in the log as it is written, and in the database as a thief of the disk would read it."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from apps.common.logs import HidePrivate, JsonLine


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    """Read what stands in the log as it is written: every logger, down to DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(HidePrivate())
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


def rows_with(canary: bytes) -> set[str]:
    """Name every table that holds these bytes readably: in a text, in JSON, in an array or as bytes."""
    hexed, text = canary.hex(), canary.decode(errors="replace")
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT EXISTS (SELECT FROM "{table}" t WHERE strpos(t::text, %s) > 0 OR strpos(t::text, %s) > 0)',
                [hexed, text],
            )
            if cursor.fetchone() == (True,):
                found.add(table)
    return found
