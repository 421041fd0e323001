"""Wake a sweeper after the commit."""

from celery import current_app
from django.db import transaction


def wake(task: str) -> None:
    """Run a sweeper once this transaction has committed.

    It is only a nudge: beat runs every sweeper each minute, so nothing is lost
    while the broker is away (`robust`: its failure never fails the request).
    """
    transaction.on_commit(lambda: current_app.send_task(task, ignore_result=True, retry=False), robust=True)
