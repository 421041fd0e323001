"""Somebody is away: her time is not given away, what is booked stays, and nobody is told why."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.common.errors import ChangedMeanwhile
from apps.organisations.models import Role
from apps.organisations.queries import staff_of
from apps.organisations.services import give_role
from apps.scheduling import errors, queries, services
from apps.scheduling.models import Absence, Hold, Schedule, ScheduleKind
from tests.conftest import LONG_AGO
from tests.scheduling_cast import at
from tests.together import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def away(now):
    """Note that somebody is away: `away(berg_diary, "2026-03-03 08.00", "2026-03-03 12.00")`."""

    def note(schedule, start, end, *, when=None):
        return services.note_absence(schedule=schedule, starts_at=at(start), ends_at=at(end), now=when or now)

    return note


def stretches(schedule):
    return [(one.starts_at, one.ends_at) for one in Absence.objects.filter(schedule=schedule)]


# What is free -------------------------------------------------------------------------------------------------------
def test_a_time_in_an_absence_is_not_shown_nor_booked_and_others_are_offered(
    away, asked, book, ada, now, berg_diary, holm_diary, wound_team
):
    for diary in (berg_diary, holm_diary):
        away(diary, "2026-03-03 00.00", "2026-03-04 00.00")
    shown = queries.open_times(asked(ada), now=now, start=at("2026-03-03 00.00"), limit=5)
    assert shown[0].starts_at == at("2026-03-04 08.00")
    with pytest.raises(errors.NotOpen) as refusal:
        book(ada, "2026-03-03 10.00")
    assert refusal.value.role == "performer"
    assert len(refusal.value.alternatives) == 3
    day = {"start": at("2026-03-03 00.00"), "end": at("2026-03-04 00.00")}
    answer = queries.why_no_time(asked(ada), now=now, **day)
    assert [block.role for block in answer.blocking] == ["performer"]
    assert answer.blocking[0].reason.value == "all-taken"


def test_a_colleague_comes_while_one_is_away_and_nobody_else_is_kept_out(away, book, ada, berg_diary, holm_diary):
    away(berg_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    appointment = book(ada, "2026-03-03 10.00")
    assert appointment.participants.get(role="performer").schedule == holm_diary


def test_nothing_is_moved_or_held_into_an_absence(away, asked, book, ada, bo, kari, now, kari_diary):
    appointment = book(ada, "2026-03-03 10.00")
    away(kari_diary, "2026-03-04 08.00", "2026-03-04 12.00")
    with pytest.raises(errors.NotOpen) as refusal:
        services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), actor=kari, now=now)
    assert refusal.value.role == "requester"
    with pytest.raises(errors.NotOpen):
        services.hold_time(request=asked(bo), starts_at=at("2026-03-04 11.45"), user=kari, now=now)
    assert services.hold_time(request=asked(bo), starts_at=at("2026-03-04 12.00"), user=kari, now=now)


def test_what_is_held_stays_held_but_a_booking_that_nobody_would_come_to_is_not_made_of_it(
    away, asked, book, ada, kari, now, kari_diary
):
    hold = services.hold_time(request=asked(ada), starts_at=at("2026-03-03 10.00"), user=kari, now=now)
    away(kari_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    assert hold.occupancies.count() == 3
    with pytest.raises(errors.NotOpen) as refusal:
        book(ada, "2026-03-03 10.00", hold=hold)
    assert refusal.value.alternatives
    assert Hold.objects.filter(pk=hold.pk).exists()


def test_when_the_absence_is_removed_the_time_is_free_at_once(away, book, ada, kari_diary):
    absence = away(kari_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    services.remove_absence(absence)
    assert book(ada, "2026-03-03 10.00")
    with pytest.raises(ChangedMeanwhile):
        services.remove_absence(absence)


# What stands in the time ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-03-03 00.00", "2026-03-04 00.00", 1),
        ("2026-03-03 10.20", "2026-03-03 10.25", 1),
        ("2026-03-03 10.30", "2026-03-03 12.00", 0),  # its time after is the service's, not the appointment's
        ("2026-03-03 09.00", "2026-03-03 10.00", 0),
    ],
)
def test_what_is_booked_stays_and_is_listed(away, book, ada, bo, now, berg_diary, wound_review, start, end, found):
    wound_review.buffer_before_minutes = wound_review.buffer_after_minutes = 10
    wound_review.save()
    appointment = book(ada, "2026-03-03 10.00")
    book(bo, "2026-03-05 10.00")
    absence = away(berg_diary, start, end)
    assert list(queries.appointments_during(absence, now=now)) == [appointment][:found]
    assert queries.absences_of([berg_diary], now=now).get().standing == found
    appointment.refresh_from_db()
    assert appointment.is_open
    assert appointment.version == 0


def test_what_is_moved_cancelled_or_over_is_no_longer_listed(away, book, ada, bo, kari, now, kari_diary):
    first, second, third = (book(ada, f"2026-03-03 {hour}.00") for hour in ("10", "12", "14"))
    absence = away(kari_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    services.cancel_appointment(appointment=first, reason="ill", actor=kari, now=now)
    services.move_appointment(appointment=second, starts_at=at("2026-03-05 12.00"), actor=kari, now=now)
    assert list(queries.appointments_during(absence, now=now)) == [third]
    late = at("2026-03-03 14.30")
    assert list(queries.appointments_during(absence, now=late)) == []
    assert queries.absences_of([kari_diary], now=late).get().standing == 0


# One absence of several -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-03-05 00.00", "2026-03-06 00.00", "2026-03-03 00.00", "2026-03-06 00.00"),  # touches
        ("2026-03-02 12.00", "2026-03-03 12.00", "2026-03-02 12.00", "2026-03-05 00.00"),  # overlaps
        ("2026-03-03 10.00", "2026-03-03 12.00", "2026-03-03 00.00", "2026-03-05 00.00"),  # lies within
        ("2026-03-02 09.00", "2026-03-07 00.00", "2026-03-02 09.00", "2026-03-07 00.00"),  # covers
    ],
)
def test_what_touches_or_overlaps_is_one_absence(away, berg_diary, holm_diary, start, end, first, last):
    away(berg_diary, "2026-03-03 00.00", "2026-03-05 00.00")
    other = away(holm_diary, start, end)
    away(berg_diary, start, end)
    assert stretches(berg_diary) == [(at(first), at(last))]
    assert stretches(holm_diary) == [(other.starts_at, other.ends_at)]


def test_two_with_a_day_between_are_two_until_the_day_is_noted_too(away, berg_diary):
    first = away(berg_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    away(berg_diary, "2026-03-05 00.00", "2026-03-06 00.00")
    assert len(stretches(berg_diary)) == 2
    away(berg_diary, "2026-03-04 00.00", "2026-03-05 00.00")
    assert stretches(berg_diary) == [(at("2026-03-03 00.00"), at("2026-03-06 00.00"))]
    with pytest.raises(ChangedMeanwhile):  # who saw one day removes no more than that
        services.remove_absence(first)


def test_the_same_twice_is_one_and_the_same(away, berg_diary):
    first, second = (away(berg_diary, "2026-03-03 00.00", "2026-03-04 00.00") for _ in range(2))
    assert first == second


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_of_two_at_once_that_touch_there_is_one(away, berg_diary):
    for day in range(3, 9):
        together(
            lambda day=day: away(berg_diary, f"2026-03-{day:02} 00.00", f"2026-03-{day:02} 13.00"),
            lambda day=day: away(berg_diary, f"2026-03-{day:02} 12.00", f"2026-03-{day + 1:02} 00.00"),
        )
        assert stretches(berg_diary) == [(at("2026-03-03 00.00"), at(f"2026-03-{day + 1:02} 00.00"))]


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_one_who_removes_what_another_joins_removes_all_of_what_she_saw_or_nothing(away, berg_diary):
    first = away(berg_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    answers = together(
        lambda: services.remove_absence(first), lambda: away(berg_diary, "2026-03-04 00.00", "2026-03-05 00.00")
    )
    start = at("2026-03-03 00.00" if isinstance(answers[0], ChangedMeanwhile) else "2026-03-04 00.00")
    assert stretches(berg_diary) == [(start, at("2026-03-05 00.00"))]


@pytest.mark.django_db(transaction=True)
def test_a_booking_does_not_wait_for_an_absence_of_the_same_diary(book, ada, kari_diary, now):
    from django.db import transaction

    def booked():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        return book(ada, "2026-03-03 10.00")

    with transaction.atomic():
        services.note_absence(
            schedule=kari_diary, starts_at=at("2026-03-09 00.00"), ends_at=at("2026-03-10 00.00"), now=now
        )
        (appointment,) = together(booked)
    assert appointment.pk


# What cannot be -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("start", "end", "refusal", "field"),
    [
        ("2026-03-03 12.00", "2026-03-03 10.00", errors.AbsenceEndsFirst, "to_clock"),
        ("2026-03-03 12.00", "2026-03-03 12.00", errors.AbsenceEndsFirst, "to_clock"),
        ("2026-03-05 00.00", "2026-03-05 00.00", errors.AbsenceEndsFirst, "last_day"),  # until the day before
        ("2026-03-05 00.00", "2026-03-04 12.00", errors.AbsenceEndsFirst, "last_day"),
        ("2026-02-24 00.00", "2026-02-27 00.00", errors.AbsencePast, "last_day"),
        ("2026-03-02 06.00", "2026-03-02 07.00", errors.AbsencePast, "to_clock"),  # today, before eight
        ("2026-03-01 00.00", "2026-03-02 00.00", errors.AbsencePast, "last_day"),
        ("2026-03-03 00.00", "2027-03-05 00.00", errors.AbsenceTooLong, "last_day"),
        ("2031-03-09 00.00", "2031-03-10 00.00", errors.AbsenceTooFar, "first_day"),
    ],
)
def test_a_senseless_absence_is_refused_at_its_field(away, berg_diary, start, end, refusal, field):
    with pytest.raises(refusal) as told:
        away(berg_diary, start, end)
    assert told.value.field == field
    assert not stretches(berg_diary)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-02 00.00", "2026-03-03 00.00"),  # has begun
        ("2026-03-03 00.00", "2027-03-04 00.00"),  # a year, both days with it
        ("2031-02-24 00.00", "2031-03-01 00.00"),
    ],
)
def test_what_can_just_be_is_noted(away, berg_diary, start, end):
    assert away(berg_diary, start, end).pk


# Whose diaries --------------------------------------------------------------------------------------------------------
def test_she_keeps_her_own_diary_and_who_leads_a_unit_those_of_the_unit_she_is_in(
    kari, berg, tor, wound_clinic, home_care, kari_diary, berg_diary, holm_diary, now
):
    scope = Schedule.objects.create(kind=ScheduleKind.KIT, name="Otoskopet", unit=wound_clinic, always_open=True)
    Schedule.objects.create(kind=ScheduleKind.CLINICIAN, name="Har sluttet", unit=wound_clinic, active=False)
    Schedule.objects.create(kind=ScheduleKind.PATIENT, person_index=b"1" * 32, unit=wound_clinic, always_open=True)

    def kept_by(user, unit):
        return queries.diaries_kept_by(staff_of(user, unit_uid=str(unit.uid), today=now.date()))

    assert kept_by(berg, wound_clinic) == [berg_diary]
    assert kept_by(tor, wound_clinic) == []
    for role in (Role.SUPER_USER, Role.UNIT_MANAGER):
        give_role(user=tor, unit=wound_clinic, role=role, valid_from=LONG_AGO)
        assert kept_by(tor, wound_clinic) == [berg_diary, holm_diary, scope]
        tor.memberships.filter(role=role).delete()
    give_role(user=kari, unit=wound_clinic, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    assert kept_by(kari, home_care) == [kari_diary]
    assert kept_by(kari, wound_clinic) == [berg_diary, holm_diary, kari_diary, scope]


def test_what_is_over_is_not_listed_and_the_first_comes_first(away, now, berg_diary, holm_diary):
    away(berg_diary, "2026-03-09 00.00", "2026-03-10 00.00")
    soon = away(holm_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    over = away(berg_diary, "2026-03-02 00.00", "2026-03-02 09.00")
    listed = queries.absences_of([berg_diary, holm_diary], now=now + timedelta(hours=2))
    assert over not in listed
    assert listed[0] == soon
    assert len(listed) == 2
