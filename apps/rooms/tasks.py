"""The sweeper of rooms at providers."""

import time
from typing import Final

from django.utils import timezone

from apps.common.nudge import sweeper, wake

from . import services

SHIFT: Final = 60.0
"""Seconds at a stretch: well under the time limit of a task, so that no provider is cut off half-way."""


@sweeper("rooms.make_due")
def make_due() -> None:
    """Each half minute from beat, and at once when a room is owed. Each lease begins when its room is taken up."""
    began = time.monotonic()
    while services.make_next_room(now=timezone.now()):
        if time.monotonic() - began > SHIFT:
            wake("rooms.make_due")
            return
