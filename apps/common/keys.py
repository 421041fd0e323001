"""Which keys of FIELD_KEYS what is stored needs, and writing it anew under the first, so that an old one can go."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps
from django.db import connection, transaction

from .crypto import Encrypted, WrongKey, key_ids

BATCH: Final = 50  # photos are half a megabyte each
KEY_ID: Final = "substring({column} FROM 2 FOR 4)"


def encrypted_columns() -> list[Encrypted]:
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, Encrypted)
    ]


def name_of(field: Encrypted) -> str:
    return f"{field.model._meta.db_table}.{field.column}"


def _sql(statement: str, field: Encrypted) -> str:
    quote = connection.ops.quote_name
    return statement.replace("KEY_ID", KEY_ID).format(
        table=quote(field.model._meta.db_table), column=quote(str(field.column)), id=quote("id")
    )


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def used(field: Encrypted) -> Counter[bytes]:
    """Count a column's values by the id of their key."""
    found = _rows(_sql("SELECT KEY_ID, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1", field))
    return Counter({bytes(key): number for key, number in found})


def sampled() -> dict[bytes, bool]:
    """Return the keys that the oldest and the newest value of every table need, and whether we have them.

    Only columns that are never empty are asked, so that nothing is searched through.
    """
    ends = [
        _sql(f"(SELECT KEY_ID FROM {{table}} ORDER BY {{id}} {way} LIMIT 1)", field)  # noqa: S608 our own tables
        for field in encrypted_columns()
        if not field.null
        for way in ("ASC", "DESC")
    ]
    ours = set(key_ids())
    return {bytes(key): bytes(key) in ours for (key,) in _rows(" UNION ".join(ends))}


def opens_something() -> bool:
    """Say whether what is stored can be opened at all: with the keys of another installation nothing can."""
    found = sampled()
    return not found or any(found.values())


def write_anew(field: Encrypted) -> Iterator[int]:
    """Write what old keys have encrypted in a column under the first; tell how many after each batch.

    Nobody waits for it: a row that somebody holds is passed by, and met again in the next round. Cut off, it goes on
    where it was: what is written is under the new key.
    """
    _first, *old = key_ids()
    moved = 1
    while old and moved:
        moved = 0
        for number in _round(field, old):
            moved += number
            yield number


@transaction.atomic
def _batch(field: Encrypted, old: list[bytes], reached: int) -> tuple[int, int]:
    """Return how far it came, and how many it wrote; a value that was damaged stays as it is."""
    statement = (
        "SELECT {id}, {column} FROM {table} WHERE {id} > %s AND KEY_ID = ANY(%s)"
        " ORDER BY {id} LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"
    )
    rows = _rows(_sql(statement, field), reached, old, BATCH)
    written = []
    for number, stored in rows:
        try:
            written.append((field.rewritten(bytes(stored)), number))
        except WrongKey:
            continue
    if written:
        with connection.cursor() as cursor:
            cursor.executemany(_sql("UPDATE {table} SET {column} = %s WHERE {id} = %s", field), written)
    return rows[-1][0] if rows else 0, len(written)


def _round(field: Encrypted, old: list[bytes]) -> Iterator[int]:
    reached = 0
    while True:
        reached, written = _batch(field, old, reached)
        if not reached:
            return
        yield written
