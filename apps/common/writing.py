"""Writing new rows fast: a row, and those that belong to it, in one statement that is written out and planned once.

Django writes each INSERT out anew, PostgreSQL plans it anew, and every statement is a journey: of a booking that was
most of the work. What a row holds still comes from its model: defaults, choices and encryption are as with `create`.
Signals are not sent.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count, groupby
from typing import Any, Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model

from .rows import rows_of_raw

Shape = tuple[tuple[type[Model], int], ...]

NAMED: Final = re.compile(r"%\((\w+)\)s")
LENGTH: Final = re.compile(r"\(\d+\)")


class Condition(NamedTuple):
    """Work to be done first, of which it depends whether the rows are written.

    `work` may use the row's number as `(SELECT id FROM number)`; `holds` asks about what it returned, as `work`.
    """

    work: str
    holds: str


def change(row: Model, fields: Mapping[str, Any]) -> bool:
    """Give a row these values and write those that are others than it had; say whether any was."""
    different = [name for name, value in fields.items() if getattr(row, name) != value]
    for name in different:
        setattr(row, name, fields[name])
    if different:
        row.save(update_fields=different)
    return bool(different)


def insert(row: Model) -> None:
    """Insert one row; it gets its number."""
    ((number,),) = rows_of_raw(_single(type(row)), list(_values(row, None)))
    _written(row, number)


def insert_unless_there(row: Model) -> bool:
    """Insert one row, unless one like it is there already (by any unique constraint); say whether it was written."""
    written = rows_of_raw(_single(type(row), unless_there=True), list(_values(row, None)))
    for (number,) in written:
        _written(row, number)
    return bool(written)


def insert_if(condition: Condition, values: Mapping[str, Any], row: Model, *belonging: Model) -> tuple[int, bool]:
    """Insert a row and those that belong to it, if the condition holds; all get their numbers then.

    What points to the row gets its number; what does not, as a line in a log, is written beside it. Return the number
    that the row has or would have had, and whether it was written. Rows of one model stand together.
    """
    groups = [[row], *(list(group) for _model, group in groupby(belonging, key=type))]
    shape = tuple((type(group[0]), len(group)) for group in groups)
    statement, names = _statement(shape, condition)
    every = [values[name] for name in names]
    for one in (row, *belonging):
        every += _values(one, None if one is row else type(row))
    ((number, *numbers),) = rows_of_raw(statement, every)
    if numbers[0]:
        for group, of_group in zip(groups, numbers, strict=True):
            for one, its_number in zip(group, of_group, strict=True):
                _written(one, its_number)
                if one is not row and (pointer := _pointer(type(one), type(row))) is not None:
                    setattr(one, pointer.attname, number)
    return int(number), bool(numbers[0])


def _written(row: Model, number: int) -> None:
    row.pk, row._state.adding, row._state.db = number, False, DEFAULT_DB_ALIAS


def _values(row: Model, owner: type[Model] | None) -> Iterator[Any]:
    connection = connections[DEFAULT_DB_ALIAS]  # the proxy asks for it at every name
    for field in _fields(type(row), owner):
        yield field.get_db_prep_save(field.pre_save(row, add=True), connection)


@cache
def _fields(model: type[Model], owner: type[Model] | None) -> tuple[Any, ...]:
    """Return the columns that are given values: all but the number, what the database fills, and what points to the owner."""
    pointer = None if owner is None else _pointer(model, owner)
    return tuple(
        field
        for field in model._meta.local_concrete_fields
        if not field.primary_key and not field.has_db_default() and field is not pointer
    )


@cache
def _pointer(model: type[Model], owner: type[Model]) -> Any:
    pointers = [field for field in model._meta.local_concrete_fields if field.related_model is owner]
    assert len(pointers) <= 1, "nothing tells which of them is meant"
    return pointers[0] if pointers else None


@cache
def _single(model: type[Model], *, unless_there: bool = False) -> str:
    quote = connection.ops.quote_name
    columns = [quote(field.column) for field in _fields(model, None)]
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    conflict = " ON CONFLICT DO NOTHING" if unless_there else ""
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}){conflict} RETURNING id"  # noqa: S608


@cache
def _statement(shape: Shape, condition: Condition) -> tuple[str, list[str]]:
    """Return the statement, and the names of the condition's values, which come first."""
    names = list(dict.fromkeys(NAMED.findall(condition.work + condition.holds)))
    work, holds = (NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", part) for part in condition)
    marks = (f"${n}" for n in count(len(names) + 1))
    owner, _one = shape[0]
    table = connection.ops.quote_name(owner._meta.db_table)
    parts = [f"number AS (SELECT nextval(pg_get_serial_sequence('{table}', 'id')) AS id)"]
    parts.append(f"work AS ({work})")
    parts.append(f"agreed AS (SELECT id FROM number WHERE {holds})")  # noqa: S608 a constant
    parts += [
        f"row{n} AS ({_insert(model, owner if n else None, times, marks)})" for n, (model, times) in enumerate(shape)
    ]
    numbers = ", ".join(f"ARRAY(SELECT id FROM row{n})" for n in range(len(shape)))  # noqa: S608 numbers
    return f"WITH {', '.join(parts)} SELECT (SELECT id FROM number), {numbers}", names  # noqa: S608 our own tables


def _insert(model: type[Model], owner: type[Model] | None, times: int, marks: Iterator[str]) -> str:
    quote = connection.ops.quote_name
    fields = _fields(model, owner)
    types = [LENGTH.sub("", field.db_type(connection)) for field in fields]  # a cast to a length would cut quietly
    pointer = model._meta.pk if owner is None else _pointer(model, owner)
    first = [pointer] if pointer is not None else []
    columns = ", ".join(quote(field.column) for field in [*first, *fields])
    rows = ", ".join(
        f"({', '.join(f'{mark}::{kind}' for kind, mark in zip(types, marks, strict=False))})" for _ in range(times)
    )
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({columns})"  # noqa: S608 names of our own tables
        f" SELECT {'agreed.id, ' if first else ''}given.* FROM agreed, (VALUES {rows}) AS given RETURNING id"
    )
