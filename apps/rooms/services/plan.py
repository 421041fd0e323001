"""Rooms: planned with the appointment, made by the sweeper at the first provider that can, closed afterwards."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from apps.common.nudge import wake
from apps.scheduling.models import Appointment

from .. import errors
from ..announce import announce
from ..models import Room, RoomState, Seat, SeatState
from ..providers.base import ProviderRefused, ProviderUnavailable, RoomProvider
from ..providers.registry import BUILTIN, PROVIDERS, provider_named

LOG = logging.getLogger(__name__)
LEASE: Final = timedelta(seconds=60)
MOST_ATTEMPTS: Final = 4
LONGEST_WAIT: Final = timedelta(minutes=15)
HURRY: Final = timedelta(minutes=20)
"""Nearer than this to the start nobody waits for a provider that does not answer: the next one is asked."""
LATEST: Final = 60


def providers_of(appointment: Appointment) -> list[str]:
    """Return the providers that the service may use, in its order; the portal's own where it names none."""
    return list(appointment.service_type.providers) or [BUILTIN]


@transaction.atomic
def plan_room(appointment: Appointment, *, now: datetime) -> Room:
    """Write down that a room is owed. The portal's own is there at once; another's is made by the sweeper."""
    room, made = Room.objects.get_or_create(
        appointment=appointment,
        defaults={
            "provider": providers_of(appointment)[0],
            "starts_at": appointment.starts_at,
            "ends_at": appointment.ends_at,
            "due_at": now,
        },
    )
    if made:
        _owe(room, now)
    return room


def ensure_room(appointment: Appointment, *, now: datetime) -> Room:
    """Return the room, planned now if the reaction has not come to it yet."""
    return plan_room(appointment, now=now)


@transaction.atomic
def move_room(appointment: Appointment, *, now: datetime) -> Room:
    """Let the room follow the appointment's new time; links and seats stay, nobody has been let in yet."""
    plan_room(appointment, now=now)
    room = Room.objects.select_for_update().get(appointment=appointment)
    room.starts_at, room.ends_at = appointment.starts_at, appointment.ends_at
    room.running_late_minutes, room.attempts, room.failure = 0, 0, ""
    if room.state != RoomState.CLOSED:
        _owe(room, now)
    room.save()
    announce(appointment.uid)
    return room


def _owe(room: Room, now: datetime) -> None:
    room.due_at, room.leased_until = now, None
    if room.provider == BUILTIN:
        room.provider_room_id, room.state, room.due_at = str(room.uid), RoomState.READY, None
    elif not room.provider_room_id:
        room.state = RoomState.PLANNED
    room.save()
    if room.due_at is not None:
        wake("rooms.make_due")


@transaction.atomic
def close_room(appointment: Appointment, *, now: datetime) -> None:
    """Close the room for everybody; a provider's own room is closed by the sweeper."""
    room = Room.objects.select_for_update().filter(appointment=appointment).first()
    Seat.objects.filter(appointment=appointment, state__in=[SeatState.HERE, SeatState.WAITING, SeatState.LOST]).update(
        state=SeatState.LEFT, left_at=now, admitted_at=None, admitted_by=None
    )
    if room is not None and room.state != RoomState.CLOSED:
        owed = room.provider != BUILTIN and bool(room.provider_room_id)
        room.state, room.due_at, room.leased_until, room.attempts = RoomState.CLOSED, now if owed else None, None, 0
        room.save()
        if owed:
            wake("rooms.make_due")
    announce(appointment.uid)


@transaction.atomic
def say_running_late(*, host: Seat, minutes: int, now: datetime) -> Room:
    """Tell everybody who waits that it will be so many minutes late; 0 takes it back. Raises NotHost."""
    if not host.host:
        raise errors.NotHost
    room = ensure_room(host.appointment, now=now)
    room.running_late_minutes = min(max(minutes, 0), LATEST)
    room.save(update_fields=["running_late_minutes"])
    announce(host.appointment.uid)
    return room


# The sweeper ---------------------------------------------------------------------------------------------------------
def make_due_rooms(*, now: datetime, providers: Mapping[str, RoomProvider] | None = None) -> int:
    """Make, move and close at the providers what is owed; return how many rooms were seen to."""
    done = 0
    while make_next_room(now=now, providers=providers):
        done += 1
    return done


def make_next_room(*, now: datetime, providers: Mapping[str, RoomProvider] | None = None) -> bool:
    """See to the next room that is owed; say whether there was one. No transaction is open meanwhile.

    `providers` stand in for this installation's own, by name.
    """
    room = _claim_next(now)
    if room is None:
        return False
    starts_at, ends_at = room.starts_at, room.ends_at
    try:
        provider = _provider(room.provider, providers)
        if room.state == RoomState.CLOSED:
            provider.close_room(room.provider_room_id)
            room_id = room.provider_room_id
        else:
            room_id = provider.open_room(str(room.uid), starts_at, ends_at)
    except ProviderRefused:
        _give_up(room, now, "refused")
    except ProviderUnavailable:
        _put_back(room, now)
    else:
        _settle(room, room_id, now)
    return True


def _provider(name: str, providers: Mapping[str, RoomProvider] | None) -> RoomProvider:
    if providers is not None and name in providers:
        return providers[name]
    if name not in PROVIDERS:
        raise ProviderRefused("unknown provider")
    return provider_named(name)


@transaction.atomic
def _claim_next(now: datetime) -> Room | None:
    room = (
        Room.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now), due_at__lte=now)
        .select_related("appointment__service_type")
        .order_by("due_at", "id")
        .first()
    )
    if room is not None:
        room.leased_until = now + LEASE
        room.attempts += 1
        room.save(update_fields=["leased_until", "attempts"])
    return room


def _settle(room: Room, room_id: str, now: datetime) -> None:
    """Record what the provider gave, unless the appointment was moved or cancelled meanwhile: then it is owed anew."""
    state = RoomState.CLOSED if room.state == RoomState.CLOSED else RoomState.READY
    unchanged = Room.objects.filter(pk=room.pk, starts_at=room.starts_at, state=room.state)
    if not unchanged.update(
        state=state, provider_room_id=room_id, due_at=None, leased_until=None, attempts=0, failure=""
    ):
        Room.objects.filter(pk=room.pk).update(provider_room_id=room_id, due_at=now, leased_until=None)
    announce(room.appointment.uid)


def _put_back(room: Room, now: datetime) -> None:
    urgent = room.starts_at - now < HURRY
    if room.state != RoomState.CLOSED and (urgent or room.attempts >= MOST_ATTEMPTS):
        _give_up(room, now, "no answer")
        return
    wait = min(LONGEST_WAIT, timedelta(seconds=30) * 2 ** min(room.attempts, 10))
    due = None if room.state == RoomState.CLOSED and room.attempts >= MOST_ATTEMPTS * 4 else now + wait
    Room.objects.filter(pk=room.pk).update(due_at=due, leased_until=None, failure="no answer")


@transaction.atomic
def _give_up(room: Room, now: datetime, failure: str) -> None:
    """Fall over to the service's next provider; with none left, somebody has to see to it."""
    room = Room.objects.select_for_update(of=("self",)).select_related("appointment__service_type").get(pk=room.pk)
    room.failure, room.leased_until, room.attempts = f"{room.provider}: {failure}"[:60], None, 0
    if room.state == RoomState.CLOSED:
        room.due_at = None
        room.save()
        return
    following = _next_provider(providers_of(room.appointment), room.provider)
    LOG.warning("room %s: provider %s gave none (%s); next: %s", room.uid, room.provider, failure, following or "none")
    if following is None:
        room.state, room.due_at, room.provider_room_id = RoomState.FAILED, None, ""
        room.save()
        return
    room.provider, room.provider_room_id, room.state = following, "", RoomState.PLANNED
    _owe(room, now)


def _next_provider(order: Sequence[str], current: str) -> str | None:
    if current not in order:
        return order[0]
    rest = order[order.index(current) + 1 :]
    return rest[0] if rest else None
