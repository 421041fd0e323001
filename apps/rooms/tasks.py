from django.utils import timezone

from apps.common.nudge import sweeper

from . import services


@sweeper("rooms.make_due")
def make_due() -> None:
    """Each half minute from beat, and at once when a room is owed."""
    services.make_due_rooms(now=timezone.now())
