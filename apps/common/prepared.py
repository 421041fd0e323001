"""Querysets that are written out once: for the look-ups that every request makes.

Django writes a queryset out as SQL each time it is used, which takes longer than PostgreSQL takes to answer it by
key. A prepared queryset is written out the first time; later only its values change, and the server plans it once.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Final, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, BooleanField, F, Func, Model, QuerySet, Value, prefetch_related_objects
from psycopg import RawCursor
from psycopg.sql import Literal

from .rows import bigints, connected

M = TypeVar("M", bound=Model)
Known = dict[tuple[int, Any], Model]

CASTS: Final[dict[type, str]] = {
    int: "bigint",
    list: "bigint[]",
    str: "text",
    bytes: "bytea",
    date: "date",
    datetime: "timestamptz",
    uuid.UUID: "uuid",
}


class Prepared(Generic[M]):
    """A queryset with open values: `Prepared(lambda uid: Thing.objects.filter(uid=uid), uid=UUID)`.

    Call it with the same names for rows as the queryset would give them, with what it fetches along; what several rows
    share is one object, as with `prefetch_related`. Values are bound, never written into the text; a `list` is of
    numbers. What the queryset does with a value must not depend on which value it is.
    Words that are always the same, such as a state, are written into it: a plan for any state would use no index that
    holds the rows of one.
    """

    def __init__(self, build: Callable[..., QuerySet[M]], **kinds: type) -> None:
        self._build, self._kinds = build, kinds
        self._lists = [name for name, kind in kinds.items() if kind is list]
        self._sql = ""

    def __call__(self, **values: Any) -> list[M]:
        if not self._sql:
            self._write_out()
        for name in self._lists:
            values[name] = bigints(values[name])
        asked = [values[name] if name else constant for name, constant in self._bound]
        connection = connected()
        raw: Any = RawCursor  # takes $1 as PostgreSQL does: psycopg takes a long statement with %s apart at every call
        wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
        with wrap(raw(connection.connection)) as cursor:
            cursor.execute(self._sql, asked)
            rows = cursor.fetchall()
        known: Known = {}
        found = [self._object(row, connection, known) for row in rows]
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
        converters = compiler.get_converters(expressions)
        self._part: _Part[M] = _Part.of(compiler.klass_info, compiler.select, converters)
        self._annotations = [
            (name, place, converters.get(place, ((), None))) for name, place in compiler.annotation_col_map.items()
        ]
        self._along: tuple[Any, ...] = queryset._prefetch_related_lookups  # type: ignore[attr-defined]
        self._sql = written  # last: other threads take it as the sign that all is there

    def _object(self, row: Sequence[Any], connection: BaseDatabaseWrapper, known: Known) -> M:
        found = self._part.made(row, connection, known)
        for name, place, (functions, expression) in self._annotations:
            value = row[place]
            for function in functions:
                value = function(value, expression, connection)
            setattr(found, name, value)
        return found


@dataclass(frozen=True, slots=True)
class _Part(Generic[M]):
    """The columns of one model in a row, and the parts that hang on it (`select_related`)."""

    model: type[M]
    first: int
    names: list[str]
    key: int
    converters: list[tuple[int, Sequence[Callable[..., Any]], Any]]
    parts: list[tuple["_Part[Any]", Callable[..., None], Callable[..., None]]]

    @classmethod
    def of(cls, information: Mapping[str, Any], select: Sequence[Any], converters: Mapping[int, Any]) -> "_Part[Any]":
        """Read what Django's compiler has found out (`klass_info`)."""
        first, last = information["select_fields"][0], information["select_fields"][-1] + 1
        model: type[Model] = information["model"]
        names = [column[0].target.attname for column in select[first:last]]
        return cls(
            model=model,  # type: ignore[arg-type]
            first=first,
            names=names,
            key=first + names.index(model._meta.pk.attname),
            converters=[(place - first, *converters[place]) for place in range(first, last) if place in converters],
            parts=[
                (cls.of(one, select, converters), one["local_setter"], one["remote_setter"])
                for one in information.get("related_klass_infos", ())
            ],
        )

    def made(self, row: Sequence[Any], connection: BaseDatabaseWrapper, known: Known) -> M:
        """Return the object that these columns tell of."""
        values = list(row[self.first : self.first + len(self.names)])
        for place, functions, expression in self.converters:
            for function in functions:
                values[place] = function(values[place], expression, connection)
        made = self.model.from_db(connection.alias, self.names, values)
        for part, set_on, set_back in self.parts:
            related = part.once(row, connection, known)
            set_on(made, related)
            if related is not None:
                set_back(related, made)
        return made

    def once(self, row: Sequence[Any], connection: BaseDatabaseWrapper, known: Known) -> M | None:
        """Return the same object for each row that has the same one, and None where there is none."""
        if row[self.key] is None:
            return None
        name = id(self), row[self.key]
        if name not in known:
            known[name] = self.made(row, connection, known)
        return known[name]  # type: ignore[return-value]


class AnyOf(Func):
    """A condition: the column holds one of these numbers. Django's `IN` is another statement for each count of them."""

    template, arg_joiner = "%(expressions)s)", " = ANY("
    output_field = BooleanField()

    def __init__(self, column: str, numbers: list[int]) -> None:
        super().__init__(F(column), Value(numbers, output_field=ArrayField(BigIntegerField())))


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
    if kind is list:
        return [number]
    return kind(number)
