"""Several come into a room at the same moment, each on a connection of her own."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from apps.rooms import errors, queries, services
from apps.rooms.models import Seat, SeatState
from apps.rooms.services import seats
from apps.scheduling.models import AppointmentEvent, AppointmentStatus, EventKind, Participant
from tests.together import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture(autouse=True)
def _a_room_is_there(review, now) -> None:
    """Else the second would wait for the first one's room to be made."""
    services.plan_room(review, now=now)


@pytest.fixture
def side_by_side(monkeypatch) -> Callable[[str, int], None]:
    """Let so many come to this step before any of them takes it, unless a lock holds the others back meanwhile."""

    def meet_before(step: str, number: int) -> None:
        gate, really = Barrier(number), getattr(seats, step)

        def wait_first(*args: Any) -> Any:
            with suppress(BrokenBarrierError):
                gate.wait(timeout=1)
            return really(*args)

        monkeypatch.setattr(seats, step, wait_first)

    return meet_before


@pytest.fixture
def kari_seat(review, kari, now) -> Seat:
    entry = queries.entry_for(kari, review, now=now)
    return services.seat_for_user(appointment=review, user=kari, entry=entry, language="nb", now=now)


def come(who: Seat, user: Any, now: Any) -> Callable[[], Seat]:
    return lambda: services.connect(seat=who, channel=f"c{who.pk}", place="room", waits=False, user=user, now=now)


def test_host_and_nurse_who_come_together_begin_the_appointment(
    review, berg, berg_seat, kari, kari_seat, now, side_by_side
):
    side_by_side("_begin", 2)
    came = together(come(berg_seat, berg, now), come(kari_seat, kari, now))
    assert [one.state for one in came] == [SeatState.HERE, SeatState.HERE]
    review.refresh_from_db()
    assert (review.status, review.started_at) == (AppointmentStatus.ARRIVED, now)
    assert AppointmentEvent.objects.filter(appointment=review, kind=EventKind.STARTED).count() == 1
    services.end_for_all(host=queries.seat_by_uid(berg_seat.uid), now=now + timedelta(minutes=9), by=berg)
    review.refresh_from_db()
    assert review.status == AppointmentStatus.FULFILLED


def test_who_ends_it_while_the_nurse_comes_in_ends_what_has_begun(
    review, berg, berg_seat, kari, kari_seat, now, monkeypatch
):
    come(berg_seat, berg, now)()
    really, begun = seats._begin, Barrier(2)

    def begin(*args: Any) -> None:
        really(*args)
        begun.wait(timeout=5)
        with suppress(BrokenBarrierError):
            begun.wait(timeout=0.5)  # not committed yet

    monkeypatch.setattr(seats, "_begin", begin)

    def end() -> None:
        begun.wait(timeout=5)
        services.end_for_all(host=queries.seat_by_uid(berg_seat.uid), now=now, by=berg)

    together(come(kari_seat, kari, now), end)
    review.refresh_from_db()
    assert review.status == AppointmentStatus.FULFILLED
    assert queries.room_closed(review)


def guest_seat(review, number: int, now) -> Seat:
    guest = Participant.objects.create(appointment=review, role="guest", guest_name=f"Guest {number}")
    return Seat.objects.create(
        appointment=review, participant=guest, state=SeatState.WAITING, waiting_since=now, admitted_at=now
    )


def test_of_two_who_come_together_only_one_takes_the_last_place(review, now, side_by_side):
    for number in range(3):
        come(guest_seat(review, number, now), None, now)()
    side_by_side("_enter", 2)
    last = [guest_seat(review, number, now) for number in (3, 4)]
    came = together(*(come(one, None, now) for one in last))
    assert sum(isinstance(one, errors.RoomFull) for one in came) == 1
    assert Seat.objects.filter(appointment=review, state=SeatState.HERE).count() == queries.MOST_IN_A_ROOM


def test_who_comes_and_who_is_let_in_together_do_not_hold_each_other_up(review, berg, berg_seat, kari, kari_seat, now):
    ada = guest_seat(review, 0, now)
    Seat.objects.filter(pk=ada.pk).update(admitted_at=None)
    services.connect(seat=ada, channel="ada", place="waiting", waits=False, user=None, now=now)
    came = together(
        come(berg_seat, berg, now),
        come(kari_seat, kari, now),
        lambda: services.admit(seat=ada, host=berg_seat, by=berg, arrival=now.isoformat(), now=now),
        lambda: services.note_seen(seat=queries.seat_by_uid(berg_seat.uid), now=now),
        lambda: services.close_room(review, now=now),
    )
    refused = [one for one in came if isinstance(one, Exception)]
    assert all(isinstance(one, errors.RoomClosed | errors.NotWaiting) for one in refused), "no deadlock"


def test_who_is_seen_again_begins_what_went_unnoticed(review, berg, berg_seat, kari, kari_seat, now):
    Seat.objects.filter(pk__in=[berg_seat.pk, kari_seat.pk]).update(state=SeatState.HERE, admitted_at=now)
    services.note_seen(seat=queries.seat_by_uid(kari_seat.uid), now=now)
    review.refresh_from_db()
    assert review.status == AppointmentStatus.ARRIVED
