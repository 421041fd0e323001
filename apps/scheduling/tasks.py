"""Sweepers: read the clock, call a service."""

from django.utils import timezone

from apps.common.nudge import sweeper

from . import services


@sweeper("scheduling.react")
def react() -> None:
    now = timezone.now()
    services.note_contact_changes(now=now)
    services.react_to_events(now=now)


@sweeper("scheduling.close_past")
def close_past() -> None:
    services.close_past(now=timezone.now())


@sweeper("scheduling.remove_expired")
def remove_expired() -> None:
    services.remove_expired(now=timezone.now())
