"""Promises about concurrency, kept with real threads and committed transactions."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.common import nudge
from apps.scheduling import errors, events, queries, services, tasks
from apps.scheduling.models import (
    Appointment,
    AppointmentEvent,
    EventKind,
    Hold,
    Occupancy,
    Reaction,
    Schedule,
    ScheduleKind,
)
from apps.scheduling.services.taking import take_time
from tests.scheduling_cast import at
from tests.together import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_of_eight_who_want_one_time_one_gets_it(book, ada, holm_diary, wound_team):
    holm_diary.active = False
    holm_diary.save()
    for day in ("2026-03-03", "2026-03-04", "2026-03-05"):
        answers = together(*[lambda day=day: book(ada, f"{day} 10.00") for _ in range(8)])
        booked = [one for one in answers if isinstance(one, Appointment)]
        refused = [one for one in answers if isinstance(one, errors.Refusal)]
        assert (len(booked), len(refused)) == (1, 7)
    assert Appointment.objects.count() == 3
    assert Occupancy.objects.count() == 9


def test_overlapping_wishes_in_any_order_end_without_overlap_or_deadlock(kari):
    """Groups of three of six people, all at about the same time, over and over; every error but a no fails the test."""
    six = [Schedule.objects.create(kind=ScheduleKind.CLINICIAN, name=f"{n}") for n in range(6)]
    base = at("2026-03-03 10.00")

    def storm(seed: int) -> int:
        chance, won = random.Random(seed), 0
        for _turn in range(30):
            start = base + timedelta(minutes=5 * chance.randrange(8))
            end = start + timedelta(minutes=20)
            rows = [(one.pk, start, end) for one in chance.sample(six, 3)]
            with transaction.atomic():
                hold = Hold.objects.create(user=kari, starts_at=start, ends_at=end, expires_at=base + timedelta(days=1))
                if take_time(rows, now=base, hold_id=hold.pk, expires_at=hold.expires_at):
                    won += 1
                else:
                    transaction.set_rollback(True)
        return won

    won = sum(together(*[lambda seed=seed: storm(seed) for seed in range(8)]))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scheduling_occupancy a JOIN scheduling_occupancy b"
            " ON a.schedule_id = b.schedule_id AND a.id < b.id AND a.during && b.during"
        )
        assert cursor.fetchone() == (0,)
    assert won >= 1
    assert Occupancy.objects.count() == won * 3


def test_a_move_and_a_cancellation_at_once_end_in_one_of_them(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    answers = together(
        lambda: services.move_appointment(
            appointment=appointment, starts_at=at("2026-03-04 10.00"), actor=kari, version=0, now=now
        ),
        lambda: services.cancel_appointment(
            appointment=appointment, reason="not_needed", actor=kari, version=0, now=now
        ),
    )
    assert len([one for one in answers if isinstance(one, Appointment)]) == 1
    appointment.refresh_from_db()
    assert appointment.version == 1
    assert appointment.events.exclude(kind=EventKind.BOOKED).count() == 1


def test_two_who_swap_their_times_are_both_answered(book, ada, bo, kari, now, holm_diary):
    holm_diary.active = False
    holm_diary.save()
    first, second = book(ada, "2026-03-03 10.00"), book(bo, "2026-03-03 11.00")
    answers = together(
        lambda: services.move_appointment(appointment=first, starts_at=at("2026-03-03 11.00"), actor=kari, now=now),
        lambda: services.move_appointment(appointment=second, starts_at=at("2026-03-03 10.00"), actor=kari, now=now),
    )
    assert all(isinstance(one, Appointment | errors.Refusal) for one in answers)
    assert Occupancy.objects.count() == 6


def test_the_holder_and_a_stranger_at_the_last_moment(book, asked, ada, bo, kari, now, holm_diary):
    """The hold runs out just as its holder books and somebody else wants the time: one of them has it."""
    holm_diary.active = False
    holm_diary.save()
    hold = services.hold_time(request=asked(ada), starts_at=at("2026-03-03 10.00"), user=kari, now=now)
    late = now + timedelta(minutes=10)
    answers = together(
        lambda: book(ada, "2026-03-03 10.00", hold=hold, when=late), lambda: book(bo, "2026-03-03 10.00", when=late)
    )
    assert len([one for one in answers if isinstance(one, Appointment)]) == 1
    assert Appointment.objects.count() == 1


def test_a_reaction_takes_effect_once_however_many_sweepers_run(book, ada, now, monkeypatch):
    seen: list[int] = []

    def note(event: AppointmentEvent, *, now: Any) -> None:
        seen.append(event.pk)

    monkeypatch.setitem(events._then, EventKind.BOOKED, [note])
    for hour in ("09", "10", "11", "12"):
        book(ada, f"2026-03-03 {hour}.00")
    together(*[lambda: services.react_to_events(now=now) for _ in range(4)])
    services.react_to_events(now=now + timedelta(minutes=5))
    assert sorted(seen) == sorted(AppointmentEvent.objects.values_list("pk", flat=True))
    assert Reaction.objects.count() == 4


def test_a_reaction_that_fails_is_tried_again_and_stops_nobody_else(book, ada, now, monkeypatch):
    seen: list[str] = []

    def fails_once(event: AppointmentEvent, *, now: Any) -> None:
        seen.append("tried")
        if seen.count("tried") == 1:
            raise RuntimeError("the first time")

    def works(event: AppointmentEvent, *, now: Any) -> None:
        seen.append("worked")

    monkeypatch.setitem(events._then, EventKind.BOOKED, [fails_once, works])
    book(ada, "2026-03-03 09.00")
    assert services.react_to_events(now=now) == 1
    assert services.react_to_events(now=now) == 0
    assert services.react_to_events(now=now + timedelta(minutes=2)) == 1
    assert seen == ["tried", "worked", "tried"]
    assert AppointmentEvent.objects.get().reacted_at is not None


def test_what_a_worker_that_died_had_taken_is_done_by_the_next(book, ada, now, monkeypatch):
    class Killed(BaseException):
        pass

    def dies(event: AppointmentEvent, *, now: Any) -> None:
        raise Killed

    seen: list[int] = []
    book(ada, "2026-03-03 09.00")
    monkeypatch.setitem(events._then, EventKind.BOOKED, [dies])
    with pytest.raises(Killed):
        services.react_to_events(now=now)
    monkeypatch.setitem(events._then, EventKind.BOOKED, [lambda event, *, now: seen.append(event.pk)])
    events._then[EventKind.BOOKED][0].__name__ = "note"
    assert services.react_to_events(now=now + timedelta(seconds=59)) == 0
    assert services.react_to_events(now=now + timedelta(seconds=60)) == 1
    assert len(seen) == 1


def test_each_event_is_leased_from_when_it_is_taken_and_not_from_when_the_sweep_began(book, ada, now, monkeypatch):
    """A long sweep must not take events whose lease is over already: another worker would take them too."""
    clock = [now]
    left: list[timedelta] = []

    def takes_its_time(event: AppointmentEvent, *, now: Any) -> None:
        left.append(AppointmentEvent.objects.get(pk=event.pk).retry_at - clock[0])
        clock[0] += timedelta(seconds=40)

    monkeypatch.setitem(events._then, EventKind.BOOKED, [takes_its_time])
    for hour in ("09", "10", "11"):
        book(ada, f"2026-03-03 {hour}.00")
    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    tasks.react()
    assert left == [timedelta(seconds=60)] * 3


def test_a_sweep_leaves_at_the_end_of_its_shift_and_the_next_one_goes_on(book, ada, now, monkeypatch):
    nudged: list[str] = []
    monkeypatch.setitem(events._then, EventKind.BOOKED, [])
    monkeypatch.setattr(nudge, "SHIFT", 0)
    monkeypatch.setattr(nudge, "wake", nudged.append)
    for hour in ("09", "10"):
        book(ada, f"2026-03-03 {hour}.00")
    monkeypatch.setattr(timezone, "now", lambda: now)
    tasks.react()
    assert nudged == ["scheduling.react"]
    assert AppointmentEvent.objects.filter(reacted_at__isnull=True).count() == 1


def test_a_reaction_that_keeps_failing_is_tried_every_half_an_hour(book, ada, now, monkeypatch):
    def fails(event: AppointmentEvent, *, now: Any) -> None:
        raise RuntimeError

    monkeypatch.setitem(events._then, EventKind.BOOKED, [fails])
    book(ada, "2026-03-03 09.00")
    waits = []
    for _try in range(9):
        services.react_to_events(now=now)
        waits.append(int((AppointmentEvent.objects.get().retry_at - now).total_seconds()))
        now = AppointmentEvent.objects.get().retry_at
    assert waits == [20, 40, 80, 160, 320, 640, 1280, 1800, 1800]


def test_events_of_one_appointment_keep_their_order(book, ada, kari, now, monkeypatch):
    order: list[str] = []

    def first_fails(event: AppointmentEvent, *, now: Any) -> None:
        order.append(event.kind)
        if len(order) == 1:
            raise RuntimeError

    monkeypatch.setitem(events._then, EventKind.BOOKED, [first_fails])
    monkeypatch.setitem(events._then, EventKind.MOVED, [lambda event, *, now: order.append(event.kind)])
    events._then[EventKind.MOVED][0].__name__ = "note"
    monkeypatch.setitem(events._at_once, EventKind.MOVED, [])
    appointment = book(ada, "2026-03-03 10.00")
    services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), actor=kari, now=now)
    services.react_to_events(now=now)
    services.react_to_events(now=now + timedelta(minutes=2))
    assert order == ["booked", "booked", "moved"]


def test_the_list_shows_what_a_commit_a_moment_ago_took(book, asked, ada, bo, now):
    before = queries.open_times(asked(bo), now=now, limit=3)
    book(ada, before[0].starts_at.astimezone(at("2026-03-03 10.00").tzinfo).strftime("%Y-%m-%d %H.%M"))
    after = queries.open_times(asked(bo), now=now, limit=3)
    assert before[0].starts_at not in {time.starts_at for time in after}
