"""Each hour from beat: forget what has had its time."""

from django.utils import timezone

from apps.common.nudge import sweeper

from . import retention


@sweeper("portal.forget")
def forget() -> None:
    retention.forget(now=timezone.now())
