"""What happened, written in the same transaction; and who listens, registered by `portal/reactions.py`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypedDict, Unpack
from uuid import UUID

from apps.accounts.models import User
from apps.common.nudge import wake

from .models import Appointment, AppointmentEvent, EventKind


class ReactionFunction(Protocol):
    """Writes rows that follow from an event; no network; takes effect once for each event."""

    __module__: str
    __name__: str

    def __call__(self, event: AppointmentEvent, *, now: datetime) -> None: ...


_at_once: dict[str, list[ReactionFunction]] = {}
_then: dict[str, list[ReactionFunction]] = {}


def on(kind: EventKind, *, at_once: Iterable[ReactionFunction] = (), then: Iterable[ReactionFunction] = ()) -> None:
    """Say what follows from a kind of event.

    `at_once` runs inside the change's own transaction (withdrawals: nothing stale may leave in the
    meantime); `then` is done by the sweeper, each in a transaction of its own.
    """
    _at_once[kind], _then[kind] = list(at_once), list(then)


def following(kind: str) -> list[ReactionFunction]:
    return _then.get(kind, [])


def reaction_name(reaction: ReactionFunction) -> str:
    return f"{reaction.__module__.split('.')[1]}.{reaction.__name__}"


class Happened(TypedDict, total=False):
    """Who did it, and what the appointment itself no longer tells."""

    actor: User | None
    by_patient: bool
    old_starts_at: datetime
    participant_uid: UUID


def new_event(
    appointment: Appointment, kind: EventKind, *, now: datetime, **happened: Unpack[Happened]
) -> AppointmentEvent:
    """Return an event that is still to be written; `follow` comes after that."""
    return AppointmentEvent(appointment=appointment, kind=kind, version=appointment.version, at=now, **happened)


def follow(event: AppointmentEvent, *, now: datetime) -> None:
    """Do at once what must not wait; the rest is nudged after the commit."""
    for reaction in _at_once.get(event.kind, []):
        reaction(event, now=now)
    if following(event.kind):
        wake("scheduling.react")


def record(
    appointment: Appointment, kind: EventKind, *, now: datetime, **happened: Unpack[Happened]
) -> AppointmentEvent:
    """Write the event and let follow what must."""
    event = new_event(appointment, kind, now=now, **happened)
    event.save(force_insert=True)
    follow(event, now=now)
    return event
