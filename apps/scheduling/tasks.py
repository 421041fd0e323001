"""Sweepers: read the clock, call a service."""

from django.utils import timezone

from apps.common.nudge import sweeper, work_off

from . import services


@sweeper("scheduling.react")
def react() -> None:
    """Every few seconds from beat, and at once when something happens; each event gets a lease from when it is taken."""
    services.note_contact_changes(now=timezone.now())
    work_off("scheduling.react", lambda: services.react_to_next_event(now=timezone.now()))


@sweeper("scheduling.close_past")
def close_past() -> None:
    services.close_past(now=timezone.now())


@sweeper("scheduling.remove_expired")
def remove_expired() -> None:
    services.remove_expired(now=timezone.now())
