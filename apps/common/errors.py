"""Refusals that people are told about, and the bridge from database constraints to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal that the user is told about, in the user's own language.

    `code` is stable and goes to other programs; `field` names the input it belongs to, where there is one.
    """

    code = "refused"
    message: Any = _("This could not be done.")
    field: str | None = None

    def __init__(self, message: Any = None, *, field: str | None = None) -> None:
        super().__init__()
        if message is not None:
            self.message = message
        if field is not None:
            self.field = field

    def __str__(self) -> str:
        return str(self.message)


class ChangedMeanwhile(DomainError):
    """Somebody else changed the same thing first (compare-and-set lost)."""

    code = "changed-meanwhile"
    message = _("Somebody changed this in the meantime. Look at it again before you go on.")


@contextmanager
def breach_raises(**errors: type[DomainError]) -> Iterator[None]:
    """Turn the breach of a named database constraint into a domain error."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as breach:
        cause = breach.__cause__
        name = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
        if name not in errors:
            raise
        raise errors[name] from breach


def is_outage(fault: BaseException | None) -> bool:
    """Say whether the database is in the way, by being away or by having too much to do: it will pass by itself."""
    return isinstance(fault, OperationalError | InterfaceError)
