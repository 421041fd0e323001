"""Rooms: planned with the appointment, made by the sweeper at the first provider that can, closed afterwards."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.common.nudge import wake
from apps.scheduling.models import Appointment

from .. import errors
from ..announce import announce
from ..models import AbandonedRoom, Room, RoomState, Seat, SeatState
from ..providers.base import ProviderRefused, ProviderUnavailable, RoomProvider
from ..providers.registry import BUILTIN, PROVIDERS, provider_named

LOG = logging.getLogger(__name__)
LEASE: Final = timedelta(seconds=60)
MOST_ATTEMPTS: Final = 4
MOST_TO_CLOSE: Final = 16
LONGEST_ID: Final = 200
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
def make_next_room(*, now: datetime, providers: Mapping[str, RoomProvider] | None = None) -> bool:
    """See to the next room that is owed; say whether there was one. No transaction is open meanwhile.

    `providers` stand in for this installation's own, by name. A provider may fail in any way: it costs it a try.
    """
    room = _claim_next(now)
    if room is None:
        return _close_next_abandoned(now, providers)
    try:
        provider = _provider(room.provider, providers)
        if room.state == RoomState.CLOSED:
            provider.close_room(room.provider_room_id)
            room_id = room.provider_room_id
        else:
            room_id = _usable(provider.open_room(str(room.uid), room.starts_at, room.ends_at))
    except ProviderRefused:
        _give_up(room, now, "refused")
    except ProviderUnavailable:
        _put_back(room, now, "no answer")
    except Exception as fault:  # noqa: BLE001  (a provider fails in whatever way it fails)
        LOG.warning("room %s: provider %s failed: %s", room.uid, room.provider, type(fault).__name__)
        _put_back(room, now, "failed")
    else:
        _settle(room, room_id, now)
    return True


def _usable(room_id: str) -> str:
    if not room_id or len(room_id) > LONGEST_ID:
        raise ProviderRefused("no usable id")
    return room_id


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
        _lease(room, now)
    return room


def _lease(row: Room | AbandonedRoom, now: datetime) -> None:
    row.leased_until = now + LEASE
    row.attempts += 1
    row.save(update_fields=["leased_until", "attempts"])


def _ours(room: Room) -> QuerySet[Room]:
    """Return the row as it was claimed: not when it was moved, cancelled or claimed by another worker meanwhile."""
    return Room.objects.filter(
        pk=room.pk,
        provider=room.provider,
        attempts=room.attempts,
        leased_until=room.leased_until,
        starts_at=room.starts_at,
        state=room.state,
    )


@transaction.atomic
def _settle(room: Room, room_id: str, now: datetime) -> None:
    """Record what the provider gave; what it gave in vain is closed again."""
    state = RoomState.CLOSED if room.state == RoomState.CLOSED else RoomState.READY
    if _ours(room).update(
        state=state, provider_room_id=room_id, due_at=None, leased_until=None, attempts=0, failure=""
    ):
        announce(room.appointment.uid)
    elif room.state != RoomState.CLOSED:
        _settle_late(room, room_id, now)


def _settle_late(room: Room, room_id: str, now: datetime) -> None:
    row = Room.objects.select_for_update().filter(pk=room.pk).first()
    if row is None or row.provider != room.provider or row.provider_room_id not in {"", room_id}:
        _abandon(room.provider, room_id, now)
        return
    moved = (row.starts_at, row.ends_at) != (room.starts_at, room.ends_at)
    if moved or row.state in {RoomState.CLOSED, RoomState.FAILED}:
        row.provider_room_id, row.due_at, row.leased_until = room_id, now, None
        row.state = RoomState.PLANNED if row.state == RoomState.FAILED else row.state
        row.save(update_fields=["provider_room_id", "due_at", "leased_until", "state"])
        wake("rooms.make_due")


def _put_back(room: Room, now: datetime, why: str) -> None:
    urgent = room.starts_at - now < HURRY
    if room.state != RoomState.CLOSED and (urgent or room.attempts >= MOST_ATTEMPTS):
        _give_up(room, now, why)
        return
    due = None if room.state == RoomState.CLOSED and room.attempts >= MOST_TO_CLOSE else now + _pause(room.attempts)
    _ours(room).update(due_at=due, leased_until=None, failure=why)


def _pause(attempts: int) -> timedelta:
    return min(LONGEST_WAIT, timedelta(seconds=30 * (1 << min(attempts, 10))))


@transaction.atomic
def _give_up(room: Room, now: datetime, failure: str) -> None:
    """Fall over to the service's next provider; with none left, somebody has to see to it."""
    row = _ours(room).select_for_update(of=("self",)).select_related("appointment__service_type").first()
    if row is None:
        return
    row.failure, row.leased_until, row.attempts = f"{row.provider}: {failure}"[:60], None, 0
    if row.state == RoomState.CLOSED:
        row.due_at = None
        row.save()
        return
    following = _next_provider(providers_of(row.appointment), row.provider)
    LOG.warning("room %s: provider %s gave none (%s); next: %s", row.uid, row.provider, failure, following or "none")
    if row.provider_room_id:
        _abandon(row.provider, row.provider_room_id, now)
    row.provider_room_id = ""
    if following is None:
        row.state, row.due_at = RoomState.FAILED, None
        row.save()
        return
    row.provider, row.state = following, RoomState.PLANNED
    _owe(row, now)


def _abandon(provider: str, room_id: str, now: datetime) -> None:
    """Owe the close of a room at a provider from which the appointment has gone on to another."""
    AbandonedRoom.objects.create(provider=provider, provider_room_id=room_id, due_at=now)
    wake("rooms.make_due")


def _close_next_abandoned(now: datetime, providers: Mapping[str, RoomProvider] | None) -> bool:
    """Close the next abandoned room; one in which an appointment meets again after all is left as it is."""
    left = _claim_next_abandoned(now)
    if left is None:
        return False
    in_use = Room.objects.filter(provider=left.provider, provider_room_id=left.provider_room_id)
    try:
        if not in_use.exclude(state=RoomState.CLOSED).exists():
            _provider(left.provider, providers).close_room(left.provider_room_id)
    except Exception as fault:  # noqa: BLE001  (a provider fails in whatever way it fails)
        LOG.warning("provider %s did not close an abandoned room: %s", left.provider, type(fault).__name__)
        never = isinstance(fault, ProviderRefused) or left.attempts >= MOST_TO_CLOSE
        left.due_at, left.leased_until = None if never else now + _pause(left.attempts), None
        left.save(update_fields=["due_at", "leased_until"])
    else:
        left.delete()
    return True


@transaction.atomic
def _claim_next_abandoned(now: datetime) -> AbandonedRoom | None:
    left = (
        AbandonedRoom.objects.select_for_update(skip_locked=True)
        .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now), due_at__lte=now)
        .order_by("due_at", "id")
        .first()
    )
    if left is not None:
        _lease(left, now)
    return left


def _next_provider(order: Sequence[str], current: str) -> str | None:
    if current not in order:
        return order[0]
    rest = order[order.index(current) + 1 :]
    return rest[0] if rest else None
