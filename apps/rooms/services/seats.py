"""Seats: away, testing, waiting, here, lost or left, or not let in. The database holds the state."""

from datetime import datetime

from django.db import transaction

from apps.accounts.models import User
from apps.scheduling.models import Appointment, AppointmentStatus
from apps.scheduling.services import end_appointment, start_appointment

from .. import errors, queries
from ..announce import announce
from ..models import Room, Seat, SeatState
from ..providers.registry import BUILTIN
from .links import lock_appointment, seat_for_participant
from .plan import close_room, ensure_room


def _locked(seat: Seat) -> Seat:
    return (
        Seat.objects.select_for_update(of=("self",))
        .select_related("appointment", "participant__schedule", "user")
        .get(pk=seat.pk)
    )


def _expect_open(appointment: Appointment, now: datetime) -> None:
    if queries.is_over(appointment, now=now) or queries.room_closed(appointment):
        raise errors.RoomClosed
    if now < queries.opens_at(appointment):
        raise errors.NotOpenYet(queries.opens_at(appointment))


@transaction.atomic
def seat_for_user(*, appointment: Appointment, user: User, entry: queries.Entry, language: str, now: datetime) -> Seat:
    """Return the seat of somebody who has signed in: a participant's own, or a colleague's."""
    if entry.participant is not None:
        seat = seat_for_participant(entry.participant)
    else:
        seat, _made = Seat.objects.get_or_create(appointment=appointment, user=user)
    if seat.host != entry.host or seat.language != language or seat.identified_by != "sign_in":
        seat.host, seat.language, seat.identified_by = entry.host, language, "sign_in"
        seat.save(update_fields=["host", "language", "identified_by"])
    return seat


@transaction.atomic
def enter_waiting_room(
    *, seat: Seat, now: datetime, camera_ok: bool | None = None, microphone_ok: bool | None = None, language: str = ""
) -> Seat:
    """Say that a guest is ready and waits to be let in. Raises NotOpenYet, RoomClosed."""
    seat = _locked(seat)
    _expect_open(seat.appointment, now)
    seat.camera_ok, seat.microphone_ok, seat.seen_at = camera_ok, microphone_ok, now
    seat.language = language or seat.language
    if seat.state not in {SeatState.HERE, SeatState.DECLINED}:
        if seat.state != SeatState.WAITING or seat.waiting_since is None:
            seat.waiting_since = now
        seat.state = SeatState.WAITING
    seat.save()
    announce(seat.appointment.uid)
    return seat


@transaction.atomic
def admit(*, seat: Seat, host: Seat, by: User, arrival: str, now: datetime) -> Seat:
    """Let one guest in: the one whom the host saw arrive, on the device on which she waits now.

    Raises NotHost; NotWaiting when she has gone, has been let in already or has changed device; RoomFull.
    """
    lock_appointment(seat.appointment_id)
    seat = _locked(seat)
    if not host.host or host.appointment_id != seat.appointment_id:
        raise errors.NotHost
    _expect_open(seat.appointment, now)
    room = ensure_room(seat.appointment, now=now)
    seen = seat.waiting_since.isoformat() if seat.waiting_since else ""
    if seat.state not in {SeatState.WAITING, SeatState.DECLINED, SeatState.LOST} or seat.may_enter or arrival != seen:
        raise errors.NotWaiting
    _expect_place(seat, room)
    if seat.state == SeatState.DECLINED:
        seat.state = SeatState.WAITING
    seat.admitted_at, seat.admitted_by, seat.new_device = now, by, False
    seat.save(update_fields=["state", "admitted_at", "admitted_by", "new_device"])
    announce(seat.appointment.uid)
    return seat


@transaction.atomic
def decline(*, seat: Seat, host: Seat, now: datetime) -> Seat:
    """Do not let a guest in, or put her out again. Raises NotHost."""
    seat = _locked(seat)
    if not host.host or host.appointment_id != seat.appointment_id or seat.host:
        raise errors.NotHost
    seat.state, seat.admitted_at, seat.admitted_by = SeatState.DECLINED, None, None
    seat.save(update_fields=["state", "admitted_at", "admitted_by"])
    announce(seat.appointment.uid)
    return seat


@transaction.atomic
def connect(*, seat: Seat, channel: str, place: str, waits: bool, user: User | None, now: datetime) -> Seat:
    """Note that a seat's page has a socket: in the waiting room, or in the call.

    Who has signed in as an expected participant enters by that (she is known); a guest only when let in.
    The first host and guest who are both here begin the appointment. Where the call itself is at a provider's
    address, they are here once they have gone there: until then their page is outside it, and waits for nobody.

    Raises NotAdmitted, RoomClosed, NotOpenYet, RoomFull.
    """
    if place == "room":
        lock_appointment(seat.appointment_id)
    seat = _locked(seat)
    _expect_open(seat.appointment, now)
    seat.channel, seat.seen_at = channel, now
    expected = user is not None and not waits
    if place == "room":
        if expected and not seat.host and seat.admitted_at is None:
            seat.admitted_at, seat.admitted_by = now, user
        if seat.may_enter:
            _enter(seat, ensure_room(seat.appointment, now=now))
        elif user is None:
            raise errors.NotAdmitted
        elif seat.state != SeatState.DECLINED:
            _wait(seat, now)
    elif seat.state in {SeatState.LOST, SeatState.AWAY, SeatState.TESTING} and not expected:
        _wait(seat, now)
    seat.left_at = None
    seat.save()
    if seat.state == SeatState.HERE:
        _begin(seat.appointment, now)
    announce(seat.appointment.uid)
    return seat


@transaction.atomic
def go_outside(*, seat: Seat, now: datetime) -> Seat:
    """Note that a guest who has been let in goes on to the provider's address; no page of ours goes with her.

    Raises NotAdmitted, RoomClosed, NotOpenYet.
    """
    lock_appointment(seat.appointment_id)
    seat = _locked(seat)
    _expect_open(seat.appointment, now)
    if not seat.may_enter:
        raise errors.NotAdmitted
    seat.state, seat.channel, seat.seen_at, seat.left_at = SeatState.HERE, "", now, None
    seat.save(update_fields=["state", "channel", "seen_at", "left_at"])
    _begin(seat.appointment, now)
    announce(seat.appointment.uid)
    return seat


def _expect_place(seat: Seat, room: Room) -> None:
    """A call from browser to browser carries so many; how many a provider carries is the provider's to say."""
    if room.provider != BUILTIN:
        return
    inside = Seat.objects.filter(appointment=seat.appointment, state=SeatState.HERE).exclude(pk=seat.pk).count()
    if inside >= queries.MOST_IN_A_ROOM:
        raise errors.RoomFull


def _enter(seat: Seat, room: Room) -> None:
    _expect_place(seat, room)
    seat.state = SeatState.HERE


def _wait(seat: Seat, now: datetime) -> None:
    seat.state, seat.waiting_since = SeatState.WAITING, seat.waiting_since or now


def _begin(appointment: Appointment, now: datetime) -> None:
    here = set(Seat.objects.filter(appointment=appointment, state=SeatState.HERE).values_list("host", flat=True))
    if here == {True, False}:
        start_appointment(appointment=appointment, now=now)


@transaction.atomic
def note_seen(*, seat: Seat, now: datetime) -> None:
    """Note that the seat has been heard of; a guest who waits without a socket is back in the waiting room.

    A beginning that went unnoticed is noticed now.
    """
    unbegun = seat.state == SeatState.HERE and seat.appointment.status == AppointmentStatus.BOOKED
    if unbegun:
        lock_appointment(seat.appointment_id)
    seat = _locked(seat)
    seat.seen_at = now
    back = seat.state == SeatState.LOST and not seat.may_enter
    if back:
        seat.state = SeatState.WAITING
    seat.save(update_fields=["seen_at", "state"])
    if unbegun and seat.state == SeatState.HERE:
        _begin(seat.appointment, now)
    if back:
        announce(seat.appointment.uid)


@transaction.atomic
def disconnect(*, seat: Seat, channel: str, clean: bool, now: datetime) -> None:
    """Note that a socket has closed. Nothing follows when the seat has another socket by now, or went on by itself."""
    seat = _locked(seat)
    if seat.channel != channel:
        return
    seat.channel = ""
    if not clean and seat.state in {SeatState.HERE, SeatState.WAITING}:
        seat.state = SeatState.LOST
    seat.save(update_fields=["channel", "state"])
    announce(seat.appointment.uid)


@transaction.atomic
def leave(*, seat: Seat, now: datetime) -> None:
    """Note that somebody has left by herself; a guest who comes back waits again."""
    seat = _locked(seat)
    if seat.state in {SeatState.DECLINED, SeatState.AWAY}:
        return
    seat.state, seat.left_at, seat.channel = SeatState.LEFT, now, ""
    seat.admitted_at = seat.admitted_by = seat.waiting_since = None
    seat.save()
    announce(seat.appointment.uid)


@transaction.atomic
def end_for_all(*, host: Seat, now: datetime, by: User) -> None:
    """End the call for everybody and note that the appointment is over. Raises NotHost.

    Before anybody has met, the host only leaves: the room stays open for the patient.
    """
    if not host.host:
        raise errors.NotHost
    appointment = host.appointment
    lock_appointment(appointment.pk)
    if end_appointment(appointment=appointment, now=now, actor=by):
        close_room(appointment, now=now)
    else:
        leave(seat=host, now=now)
