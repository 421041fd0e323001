"""The sweeper of the outbox."""

from django.utils import timezone

from apps.common.nudge import sweeper, work_off

from . import services
from .carriers import one_line


@sweeper("messaging.deliver_due")
def deliver_due() -> None:
    """Every few seconds from beat, and at once when a message is queued.

    It has a queue of its own: a gateway that hangs holds up messages and nothing else.
    """
    outages = services.Outages()
    with one_line():
        work_off("messaging.deliver_due", lambda: services.deliver_next_message(now=timezone.now(), outages=outages))
