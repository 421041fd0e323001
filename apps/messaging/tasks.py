"""The sweeper of the outbox."""

import time
from typing import Final

from django.utils import timezone

from apps.common.nudge import sweeper, wake

from . import services
from .carriers import one_line

SHIFT: Final = 60.0
"""Seconds at a stretch: well under the time limit of a task, so that no message is cut off half-way."""


@sweeper("messaging.deliver_due")
def deliver_due() -> None:
    """Every few seconds from beat, and at once when a message is queued."""
    began = time.monotonic()
    with one_line():
        while services.deliver_next_message(now=timezone.now()):
            if time.monotonic() - began > SHIFT:
                wake("messaging.deliver_due")
                return
