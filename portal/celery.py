"""The Celery app and beat's table: sweepers only, each safe to run twice or never."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

KEPT_FOR = 60.0
"""Seconds. Less would lose calls where the clocks of two servers differ."""


def every(seconds: float, task: str) -> dict[str, Any]:
    """Call a sweeper so often. A call that nobody took up before the next ones came has nothing to add to them."""
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, KEPT_FOR)}}


app.conf.beat_schedule = {
    "react to appointment events": every(20.0, "scheduling.react"),
    "deliver messages that are due": every(15.0, "messaging.deliver_due"),
    "make the rooms that are owed": every(30.0, "rooms.make_due"),
    "close what is over": every(60.0, "scheduling.close_past"),
    "remove holds that ran out": every(300.0, "scheduling.remove_expired"),
    "forget what has had its time": every(3600.0, "portal.forget"),
    "seal the access log": every(60.0, "audit.seal"),
}
