"""One more try after a deadlock: the database ended one of two transactions that waited for each other."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 3


def retry_on_deadlock(work: Callable[P, R]) -> Callable[P, R]:
    """Run a whole transaction again when it lost a deadlock; inside a larger transaction the loss is passed on."""

    @wraps(work)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        for left in reversed(range(TRIES)):
            try:
                return work(*args, **kwargs)
            except OperationalError as fault:
                deadlock = isinstance(fault.__cause__, psycopg.errors.DeadlockDetected)
                if not deadlock or not left or connection.in_atomic_block:
                    raise
        raise AssertionError("unreachable")

    return wrapped
