"""Changing many rows a batch at a time: each is a transaction of its own, so that nobody waits for all of them."""

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import Model, QuerySet

BATCH: Final = 500


def in_batches(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], int], *, size: int = BATCH) -> int:
    """Change what is to be changed, from the oldest on; return how many rows that were.

    `change` gets those of a batch that are still to be changed; a row is met once, also if it could not be.
    """
    done = 0
    ahead = rows.order_by("pk").values_list("pk", flat=True)
    while batch := list(ahead[:size]):
        ahead = ahead.filter(pk__gt=batch[-1])
        with transaction.atomic():
            done += change(rows.order_by().filter(pk__in=batch))
    return done


def delete_in_batches(rows: QuerySet[Any], *, size: int = BATCH) -> int:
    return in_batches(rows, _delete, size=size)


def _delete(rows: QuerySet[Any]) -> int:
    """Delete rows with what belongs to them; count only the rows themselves."""
    model: type[Model] = rows.model
    _all, by_model = rows.delete()
    return by_model.get(model._meta.label, 0)
