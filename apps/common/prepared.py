"""Querysets that are written out once: for the look-ups that every request makes.

Django writes a queryset out as SQL each time it is used, which takes longer than PostgreSQL takes to answer it by
key. A prepared queryset is written out the first time; later only its values change, and the server plans it once.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Final, Generic, TypeVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.db.models.query import get_related_populators
from psycopg import RawCursor
from psycopg.sql import Literal

from .rows import connected

M = TypeVar("M", bound=Model)

CASTS: Final[dict[type, str]] = {
    int: "bigint",
    str: "text",
    bytes: "bytea",
    date: "date",
    datetime: "timestamptz",
    uuid.UUID: "uuid",
}


class Prepared(Generic[M]):
    """A queryset with open values: `Prepared(lambda uid: Thing.objects.filter(uid=uid), uid=UUID)`.

    Call it with the same names for rows as the queryset would give them, with what it fetches along. Values are
    bound, never written into the text. What the queryset does with a value must not depend on which value it is.
    Words that are always the same, such as a state, are written into it: a plan for any state would use no index that
    holds the rows of one.
    """

    def __init__(self, build: Callable[..., QuerySet[M]], **kinds: type) -> None:
        self._build, self._kinds = build, kinds
        self._sql = ""

    def __call__(self, **values: Any) -> list[M]:
        if not self._sql:
            self._write_out()
        asked = [values[name] if name else constant for name, constant in self._bound]
        connection = connected()
        raw: Any = RawCursor  # takes $1 as PostgreSQL does: psycopg takes a long statement with %s apart at every call
        wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
        with wrap(raw(connection.connection)) as cursor:
            cursor.execute(self._sql, asked)
            rows = cursor.fetchall()
        found = [self._object(row, connection) for row in rows]
        prefetch_related_objects(found, *self._along)
        return found

    def first(self, **values: Any) -> M | None:
        return next(iter(self(**values)), None)

    def _write_out(self) -> None:
        """Fill in values that occur nowhere else, and remember where they land."""
        marks = {name: _mark(kind, 987_654_321 + number) for number, (name, kind) in zip(count(), self._kinds.items())}
        queryset = self._build(**marks)
        compiler = queryset.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        self._bound: list[tuple[str, Any]] = []
        casts = []
        for parameter in parameters:
            plain = _plain(parameter)
            name = next((name for name, mark in marks.items() if type(mark) is type(plain) and mark == plain), "")
            if not name and isinstance(plain, str):
                casts.append(f"{Literal(plain).as_string()}::text")
                continue
            self._bound.append((name, plain))
            casts.append(f"${len(self._bound)}::{CASTS[type(plain)]}")
        assert {name for name, _constant in self._bound} >= set(marks), "a value is lost on the way"
        parts = [part.replace("%%", "%") for part in sql.split("%s")]
        written = parts[0] + "".join(cast + part for cast, part in zip(casts, parts[1:], strict=True))
        expressions = [column[0] for column in compiler.select]
        self._converters = [
            (place, functions, expression)
            for place, (functions, expression) in compiler.get_converters(expressions).items()
        ]
        information = compiler.klass_info
        fields = information["select_fields"]
        self._first, self._last = fields[0], fields[-1] + 1
        self._model: type[M] = information["model"]
        self._names = [column[0].target.attname for column in compiler.select[self._first : self._last]]
        populators: Any = get_related_populators  # the stubs are of a later Django
        self._related = populators(information, compiler.select, connection.alias)
        self._annotations = list(compiler.annotation_col_map.items())
        self._along: tuple[Any, ...] = queryset._prefetch_related_lookups  # type: ignore[attr-defined]
        self._sql = written  # last: other threads take it as the sign that all is there

    def _object(self, fetched: Any, connection: BaseDatabaseWrapper) -> M:
        row = list(fetched)
        for place, functions, expression in self._converters:
            for function in functions:
                row[place] = function(row[place], expression, connection)
        found = self._model.from_db(connection.alias, self._names, row[self._first : self._last])
        for related in self._related:
            related.populate(row, found)
        for name, place in self._annotations:
            setattr(found, name, row[place])
        return found


def _plain(parameter: Any) -> Any:
    if isinstance(parameter, str):
        return str(parameter)  # a choice is its text
    if isinstance(parameter, int):
        return int(parameter)  # psycopg's sized integers
    return bytes(parameter) if isinstance(parameter, memoryview) else getattr(parameter, "obj", parameter)


def _mark(kind: type, number: int) -> Any:
    if kind is date:
        return date.fromordinal(number % 3_000_000 + 1)
    if kind is datetime:
        return datetime.fromtimestamp(number, UTC)
    if kind is uuid.UUID:
        return uuid.UUID(int=number)
    if kind is bytes:
        return number.to_bytes(8, "big")
    return kind(number)
