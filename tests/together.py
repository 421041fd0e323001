"""Several at the same moment: threads, each with a connection of its own, for tests that commit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from apps.common.errors import DomainError


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do these at once and return what each gave, or how it was refused; any other error is the test's."""
    gate = Barrier(len(works))

    def do(work: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return work()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(do, works))
