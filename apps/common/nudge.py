"""Wake a sweeper after the commit, and the tasks that are woken."""

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

from celery import current_app, shared_task
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from .caching import is_away

WAITS_AT_MOST: Final = 5
"""Seconds after which a nudge that no worker took up no longer stands in for the next."""

KEPT_FOR: Final = 60
"""Seconds after which a call that no worker took up is dropped; while all are busy or away, no more may pile up."""

SHIFT: Final = 60.0
"""Seconds at a stretch: well under the time limit of a task, so that nothing is cut off half-way."""


def wake(task: str) -> None:
    """Run a sweeper once this transaction has committed.

    It is only a nudge: beat runs every sweeper each minute, so nothing is lost while the broker is
    away (`robust`: its failure never fails the request). One nudge waits at a time: a sweeper that
    has not begun will see this commit too.
    """
    transaction.on_commit(lambda: _nudge(task), robust=True)


def _nudge(task: str) -> None:
    if cache.add(_key(task), 1, timeout=WAITS_AT_MOST) and not is_away():  # the broker stands where the cache does
        current_app.send_task(task, ignore_result=True, retry=False, expires=KEPT_FOR)


def work_off(task: str, do_next: Callable[[], bool]) -> None:
    """Do one thing after the other until there is none; at the end of a shift, leave the rest to the next sweep."""
    began = time.monotonic()
    while do_next():
        if time.monotonic() - began > SHIFT:
            wake(task)
            return


def sweeper(name: str) -> Callable[[Callable[[], None]], Any]:
    """Make a task of a sweeper; as it begins, the next commit needs a nudge of its own again.

    When it is through, the age of `SWEPT_FILE` tells that clock, broker, worker and database work together.
    """

    def make(work: Callable[[], None]) -> Any:
        @wraps(work)
        def begin() -> None:
            cache.delete(_key(name))
            work()
            if settings.SWEPT_FILE:
                Path(settings.SWEPT_FILE).touch()

        return shared_task(name=name)(begin)

    return make


def _key(task: str) -> str:
    return f"nudge:{task}"
