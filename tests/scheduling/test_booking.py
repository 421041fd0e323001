"""Booking, holding, moving, cancelling: what people count on, and what the database holds by itself."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from apps.catalogue.models import Agreement
from apps.common.errors import ChangedMeanwhile
from apps.common.images import CleanPhoto
from apps.organisations.models import Role
from apps.organisations.services import give_role
from apps.patients.models import Patient
from apps.scheduling import errors, queries, services
from apps.scheduling.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    Hold,
    Occupancy,
    OccupancyKind,
    Photo,
)
from tests.conftest import LONG_AGO
from tests.scheduling_cast import at

pytestmark = pytest.mark.django_db


def test_everybody_gets_the_same_time(book, ada, kari_diary, berg_diary):
    appointment = book(ada, "2026-03-03 10.00")
    taken = appointment.occupancies.values_list("schedule__name", "during")
    assert {name for name, _ in taken} == {kari_diary.name, berg_diary.name, ""}
    assert {during.lower for _, during in taken} == {at("2026-03-03 10.00")}
    roles = appointment.participants.values_list("role", flat=True)
    assert sorted(roles) == ["patient", "performer", "requester"]
    assert appointment.reference.startswith("VT-")
    assert appointment.events.get().kind == EventKind.BOOKED


def test_the_interpreter_comes_when_the_patient_needs_one(book, ada, amina_diary):
    appointment = book(ada, "2026-03-03 10.00", interpreter_language="som")
    assert appointment.participants.get(role="interpreter").schedule == amina_diary


def test_nobody_interprets_a_language_that_nobody_speaks(book, ada):
    with pytest.raises(errors.NotOpen) as refused:
        book(ada, "2026-03-03 10.00", interpreter_language="pol")
    assert refused.value.role == "interpreter"


@pytest.mark.parametrize("start", ["2026-03-03 09.45", "2026-03-03 10.00", "2026-03-03 10.15"])
def test_the_nurse_cannot_be_in_two_places(book, ada, bo, start):
    book(ada, "2026-03-03 10.00")
    with pytest.raises(errors.NotOpen) as refused:
        book(bo, start)
    assert refused.value.role == "requester"
    assert len(refused.value.alternatives) == 3


def test_the_next_of_the_team_comes_when_the_first_is_taken(book, ada, bo, berg_diary, holm_diary):
    first = book(ada, "2026-03-03 10.00")
    second = book(bo, "2026-03-03 10.00", requester=None)
    assert first.participants.get(role="performer").schedule == berg_diary
    assert second.participants.get(role="performer").schedule == holm_diary


def test_a_patient_is_in_one_place_at_a_time(book, ada):
    book(ada, "2026-03-03 10.00")
    with pytest.raises(errors.NotOpen) as refused:
        book(ada, "2026-03-03 10.15", requester=None)
    assert refused.value.role == "patient"


def test_two_organisations_cannot_book_one_person_twice(
    book, asked, ada, other_municipality, other_home_care, wound_review, lie, now
):
    """Each has a record of her own; neither sees the other's."""
    book(ada, "2026-03-03 10.00")
    Agreement.objects.create(service_type=wound_review, organisation=other_municipality)
    same = Patient.objects.create(
        organisation=other_municipality,
        given_name="Ada",
        family_name="Alm",
        birth_date=ada.birth_date,
        identifier_kind="FNR",
        national_id=ada.national_id,
        person_index=ada.person_index,
    )
    request = queries.BookingRequest(service_type=wound_review, requester_unit=other_home_care, patient=same)
    with pytest.raises(errors.NotOpen) as refused:
        services.book_appointment(request=request, starts_at=at("2026-03-03 10.15"), actor=lie, now=now)
    assert refused.value.role == "patient"


def test_every_time_that_is_shown_can_be_booked(book, asked, ada, bo, kari, now):
    book(bo, "2026-03-03 10.00")
    shown = queries.open_times(asked(ada, interpreter_language="ara"), now=now, limit=25)
    assert len(shown) == 25
    for time in shown:
        with transaction.atomic():
            services.book_appointment(
                request=asked(ada, interpreter_language="ara"), starts_at=time.starts_at, actor=kari, now=now
            )
            transaction.set_rollback(True)


def test_buffers_are_taken_of_the_specialist_and_of_nobody_else(book, ada, wound_review, berg_diary, kari_diary):
    wound_review.buffer_before_minutes, wound_review.buffer_after_minutes = 5, 10
    wound_review.save()
    book(ada, "2026-03-03 10.00")
    during = dict(Occupancy.objects.values_list("schedule_id", "during"))
    assert during[berg_diary.pk] == DateTimeTZRange(at("2026-03-03 09.55"), at("2026-03-03 10.40"))
    assert during[kari_diary.pk] == DateTimeTZRange(at("2026-03-03 10.00"), at("2026-03-03 10.30"))


@pytest.mark.parametrize(
    ("start", "refusal"),
    [
        ("2026-03-02 08.30", errors.TooSoon),
        ("2026-03-01 10.00", errors.TooSoon),
        ("2026-06-01 10.00", errors.TooFar),
        ("2026-03-03 10.07", errors.OffTheGrid),
        ("2026-03-03 07.00", errors.NotOpen),
        ("2026-03-03 15.45", errors.NotOpen),
        ("2026-03-07 10.00", errors.NotOpen),
    ],
)
def test_a_time_outside_the_rules_is_refused_by_the_rule(book, ada, start, refusal):
    with pytest.raises(refusal):
        book(ada, start)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("beside", [timedelta(seconds=1), timedelta(microseconds=1)])
def test_a_time_beside_the_grid_is_refused_however_near(asked, ada, kari, now, beside):
    with pytest.raises(errors.OffTheGrid):
        services.book_appointment(request=asked(ada), starts_at=at("2026-03-03 10.00") + beside, actor=kari, now=now)


def test_an_organisation_without_an_agreement_is_refused(book, ada):
    Agreement.objects.all().delete()
    with pytest.raises(errors.NoAgreement):
        book(ada, "2026-03-03 10.00")


def test_a_service_on_request_is_not_booked_directly(book, ada):
    Agreement.objects.update(mode="on_request")
    with pytest.raises(errors.OnRequestOnly):
        book(ada, "2026-03-03 10.00")


def test_a_service_that_is_switched_off_is_not_booked(book, ada, wound_review):
    wound_review.active = False
    wound_review.save()
    with pytest.raises(errors.NotOffered):
        book(ada, "2026-03-03 10.00")


def test_a_session_for_a_patient_needs_the_patient(asked, kari, now):
    with pytest.raises(errors.PatientMissing):
        services.book_appointment(request=asked(None), starts_at=at("2026-03-03 10.00"), actor=kari, now=now)


@pytest.mark.parametrize("minutes", [3, 7, 485])
def test_a_length_that_cannot_be_is_refused(book, ada, minutes):
    with pytest.raises(errors.LengthNotPossible):
        book(ada, "2026-03-03 10.00", length_minutes=minutes)


def test_a_service_without_interpreter_is_not_booked_with_one(book, ada, wound_review):
    wound_review.interpreter_possible = False
    wound_review.save()
    with pytest.raises(errors.InterpreterNotPossible):
        book(ada, "2026-03-03 10.00", interpreter_language="som")
    book(ada, "2026-03-03 10.00")


def test_nobody_books_for_another_organisations_patient(book, ada, other_municipality):
    Patient.objects.filter(pk=ada.pk).update(organisation=other_municipality)
    ada.refresh_from_db()
    with pytest.raises(errors.PatientElsewhere):
        book(ada, "2026-03-03 10.00")


# Where the check lets something through, the constraint holds ---------------------------------------------------------


def test_the_database_refuses_what_the_check_let_through(book, ada, bo, monkeypatch):
    shown = {}
    real = queries.time_is_open

    def blind(request, starts_at, **rest):
        return shown.setdefault(starts_at, real(request, starts_at, **rest))

    monkeypatch.setattr(queries, "time_is_open", blind)
    book(ada, "2026-03-03 10.00")
    with pytest.raises(errors.TimeTaken) as refused:
        book(bo, "2026-03-03 10.00")
    assert refused.value.role == "performer"
    assert Appointment.objects.count() == 1
    assert Occupancy.objects.count() == 3


def test_no_two_rows_of_one_schedule_overlap_whoever_writes_them(book, ada, berg_diary):
    book(ada, "2026-03-03 10.00")
    busy = DateTimeTZRange(at("2026-03-03 10.29"), at("2026-03-03 11.00"))
    with pytest.raises(IntegrityError, match="occupancy_schedule_is_in_one_place_at_a_time"):
        Occupancy.objects.create(schedule=berg_diary, during=busy, kind=OccupancyKind.BUSY)


# Holding --------------------------------------------------------------------------------------------------------------


def test_a_held_time_is_nobody_elses(book, asked, ada, bo, kari, now):
    services.hold_time(request=asked(ada), starts_at=at("2026-03-03 10.00"), user=kari, now=now)
    with pytest.raises(errors.NotOpen):
        book(bo, "2026-03-03 10.00")


def test_the_one_who_holds_a_time_books_it(book, asked, ada, kari, now):
    hold = services.hold_time(request=asked(ada), starts_at=at("2026-03-03 10.00"), user=kari, now=now)
    appointment = book(ada, "2026-03-03 10.00", hold=hold)
    assert appointment.occupancies.count() == 3
    assert not Hold.objects.exists()


def test_a_hold_runs_out_after_ten_minutes_and_is_removed_by_whoever_meets_it(book, asked, ada, bo, kari, now):
    services.hold_time(request=asked(ada), starts_at=at("2026-03-03 10.00"), user=kari, now=now)
    later = now + timedelta(minutes=10)
    assert book(bo, "2026-03-03 10.00", when=later).occupancies.count() == 3
    assert not Occupancy.objects.filter(kind=OccupancyKind.HOLD, schedule__kind="clinician").exists()


def test_a_hold_met_its_notice_when_it_was_held(book, asked, ada, kari, now):
    hold = services.hold_time(request=asked(ada), starts_at=at("2026-03-02 09.00"), user=kari, now=now)
    book(ada, "2026-03-02 09.00", hold=hold, when=now + timedelta(minutes=9))


def test_what_ran_out_is_swept(asked, ada, kari, now):
    services.hold_time(request=asked(ada), starts_at=at("2026-03-03 10.00"), user=kari, now=now)
    assert services.remove_expired(now=now + timedelta(minutes=9)) == 0
    services.remove_expired(now=now + timedelta(minutes=16))
    assert not Occupancy.objects.exists()


# Moving and cancelling ------------------------------------------------------------------------------------------------


def test_a_moved_appointment_takes_the_new_time_and_gives_back_the_old(book, ada, bo, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    people = set(appointment.participants.values_list("uid", flat=True))
    moved = services.move_appointment(
        appointment=appointment, starts_at=at("2026-03-04 11.00"), actor=kari, version=0, now=now
    )
    assert (moved.starts_at, moved.version) == (at("2026-03-04 11.00"), 1)
    assert set(moved.participants.values_list("uid", flat=True)) == people
    event = moved.events.last()
    assert (event.kind, event.old_starts_at) == (EventKind.MOVED, at("2026-03-03 10.00"))
    book(bo, "2026-03-03 10.00")


def test_a_move_by_a_quarter_of_an_hour_does_not_stand_in_its_own_way(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    services.move_appointment(appointment=appointment, starts_at=at("2026-03-03 10.15"), actor=kari, now=now)


def test_the_usual_specialist_comes_to_the_new_time_where_she_can(book, ada, bo, kari, now, berg_diary, holm_diary):
    appointment = book(ada, "2026-03-03 10.00", only=(holm_diary.pk,))
    services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), actor=kari, now=now)
    assert appointment.participants.get(role="performer").schedule == holm_diary


def test_another_of_the_team_comes_when_the_usual_one_cannot(book, ada, bo, kari, now, berg_diary, holm_diary):
    appointment = book(ada, "2026-03-03 10.00")
    book(bo, "2026-03-04 10.00", requester=None)
    services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), actor=kari, now=now)
    assert appointment.participants.get(role="performer").schedule == holm_diary


def test_a_move_to_a_taken_time_leaves_everything_as_it_was(book, ada, bo, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    book(bo, "2026-03-04 10.00")
    with pytest.raises(errors.NotOpen):
        services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), actor=kari, now=now)
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.version) == (at("2026-03-03 10.00"), 0)
    assert appointment.occupancies.count() == 3


def test_the_second_of_two_who_change_it_is_told(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), actor=kari, version=0, now=now)
    with pytest.raises(ChangedMeanwhile):
        services.cancel_appointment(appointment=appointment, reason="not_needed", actor=kari, version=0, now=now)


def test_a_cancelled_appointment_gives_everybodys_time_back(book, ada, bo, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    services.cancel_appointment(appointment=appointment, reason="patient", actor=kari, now=now)
    appointment.refresh_from_db()
    assert appointment.status == AppointmentStatus.CANCELLED
    assert not Occupancy.objects.exists()
    book(bo, "2026-03-03 10.00")
    with pytest.raises(errors.NotOpenAnyMore):
        services.move_appointment(appointment=appointment, starts_at=at("2026-03-05 10.00"), actor=kari, now=now)


def test_the_patient_changes_it_until_a_day_before(book, ada, now):
    appointment = book(ada, "2026-03-03 10.00")
    services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), by_patient=True, now=now)
    with pytest.raises(errors.PatientMayNot):
        services.cancel_appointment(
            appointment=appointment, reason="patient", by_patient=True, now=at("2026-03-03 10.01")
        )


def test_the_patient_does_not_change_what_the_service_does_not_let_her(book, ada, wound_review, now):
    wound_review.patient_may_move = False
    wound_review.save()
    appointment = book(ada, "2026-03-06 10.00")
    with pytest.raises(errors.PatientMayNot):
        services.move_appointment(appointment=appointment, starts_at=at("2026-03-04 10.00"), by_patient=True, now=now)


# The session ----------------------------------------------------------------------------------------------------------


def test_a_session_starts_once_and_ends_once(book, ada, now):
    appointment = book(ada, "2026-03-03 10.00")
    start, end = at("2026-03-03 10.01"), at("2026-03-03 10.28")
    assert services.start_appointment(appointment=appointment, now=start)
    assert not services.start_appointment(appointment=appointment, now=start)
    assert services.end_appointment(appointment=appointment, now=end)
    assert not services.end_appointment(appointment=appointment, now=end)
    kinds = list(appointment.events.values_list("kind", flat=True))
    assert kinds == [EventKind.BOOKED, EventKind.STARTED, EventKind.ENDED]


def test_a_session_that_nobody_ended_is_ended_half_an_hour_after_its_time(book, ada):
    appointment = book(ada, "2026-03-03 10.00")
    services.start_appointment(appointment=appointment, now=at("2026-03-03 10.01"))
    assert services.close_past(now=at("2026-03-03 10.59")) == 0
    assert services.close_past(now=at("2026-03-03 11.00")) == 1
    appointment.refresh_from_db()
    assert appointment.status == AppointmentStatus.FULFILLED


def test_nobody_fails_to_attend_before_the_start(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    with pytest.raises(errors.NotOpenAnyMore):
        services.mark_no_show(appointment=appointment, actor=kari, now=now)
    services.mark_no_show(appointment=appointment, actor=kari, now=at("2026-03-03 10.20"))
    assert appointment.status == AppointmentStatus.NO_SHOW
    with pytest.raises(errors.NotOpenAnyMore):
        services.mark_held(appointment=appointment, actor=kari, now=at("2026-03-03 10.30"))


def test_nothing_was_held_before_its_start(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    with pytest.raises(errors.NotOpenAnyMore):
        services.mark_held(appointment=appointment, actor=kari, now=at("2026-03-03 09.59"))
    services.mark_held(appointment=appointment, actor=kari, now=at("2026-03-03 10.00"))
    assert (appointment.status, appointment.started_at) == (AppointmentStatus.FULFILLED, at("2026-03-03 10.00"))


# Guests, busy time, history -------------------------------------------------------------------------------------------


def test_a_guest_is_invited_and_taken_off_again(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00", guests=[services.GuestInput(name="Dina", relation="datter")])
    daughter = appointment.participants.get(role="next_of_kin")
    assert daughter.guest_name == "Dina"
    services.remove_participant(participant=daughter, actor=kari, now=now)
    assert not appointment.participants.filter(role="next_of_kin").exists()


def test_those_who_are_needed_are_not_taken_off(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    with pytest.raises(errors.StillNeeded):
        services.remove_participant(participant=appointment.participants.get(role="performer"), actor=kari, now=now)


def test_nobody_is_invited_or_taken_off_when_it_is_over_or_off(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00", guests=[services.GuestInput(name="Dina")])
    guest = appointment.participants.get(role="next_of_kin")
    assert not guest.required
    with pytest.raises(errors.NotOpenAnyMore):
        services.add_guest(
            appointment=appointment, guest=services.GuestInput(name="Siv"), actor=kari, now=at("2026-03-03 10.30")
        )
    services.cancel_appointment(appointment=appointment, reason="patient", actor=kari, now=now)
    with pytest.raises(errors.NotOpenAnyMore):
        services.remove_participant(participant=guest, actor=kari, now=now)


def test_ten_pictures_are_enough(book, ada, kari, now):
    appointment = book(ada, "2026-03-03 10.00")
    kept = {"image": b"1", "thumbnail": b"1", "width": 1, "height": 1, "uploaded_by": kari, "uploaded_at": now}
    Photo.objects.bulk_create(Photo(appointment=appointment, **kept) for _picture in range(10))
    with pytest.raises(errors.TooManyPhotos):
        services.keep_photo(photo=CleanPhoto(b"1", b"1", 1, 1), appointment=appointment, user=kari, now=now)


def test_imported_busy_time_is_replaced_in_its_own_diary_and_window_only(berg_diary, holm_diary):
    today = at("2026-03-03 00.00"), at("2026-03-04 00.00")
    tomorrow = today[1], at("2026-03-05 00.00")
    over_midnight = (at("2026-03-03 23.00"), at("2026-03-04 01.00"))
    for diary in (berg_diary, holm_diary):
        services.replace_busy_time(schedule=diary, busy=[over_midnight], window=today)
        services.replace_busy_time(schedule=diary, busy=[over_midnight], window=tomorrow)
    touching = [(at("2026-03-03 09.00"), at("2026-03-03 10.00")), (at("2026-03-03 10.00"), at("2026-03-03 11.00"))]
    nothing = (at("2026-03-03 12.00"), at("2026-03-03 12.00"))
    assert services.replace_busy_time(schedule=berg_diary, busy=[*touching, nothing], window=today) == 1
    kept = Occupancy.objects.values_list("schedule", "during").order_by("schedule", "during")
    assert list(kept) == [
        (berg_diary.pk, DateTimeTZRange(at("2026-03-03 09.00"), at("2026-03-03 11.00"))),
        (berg_diary.pk, DateTimeTZRange(today[1], over_midnight[1])),
        (holm_diary.pk, DateTimeTZRange(over_midnight[0], today[1])),
        (holm_diary.pk, DateTimeTZRange(today[1], over_midnight[1])),
    ]


def test_imported_busy_time_gives_way_to_what_is_booked_and_blocks_the_rest(book, ada, bo, berg_diary, holm_diary):
    book(ada, "2026-03-03 10.00")
    day = at("2026-03-03 00.00"), at("2026-03-04 00.00")
    busy = [(at("2026-03-03 09.00"), at("2026-03-03 11.00")), (at("2026-03-03 10.30"), at("2026-03-03 12.00"))]
    assert services.replace_busy_time(schedule=berg_diary, busy=busy, window=day) == 2
    assert services.replace_busy_time(schedule=berg_diary, busy=busy, window=day) == 2
    assert book(bo, "2026-03-03 11.00").participants.get(role="performer").schedule == holm_diary
    services.replace_busy_time(schedule=berg_diary, busy=[], window=day)
    assert not Occupancy.objects.filter(kind=OccupancyKind.BUSY).exists()


def test_history_cannot_be_rewritten(book, ada, kari, now):
    """Only what has followed from it is noted there."""
    event = AppointmentEvent.objects.filter(appointment=book(ada, "2026-03-03 10.00"))
    bookkeeping = {"reacted_at": now, "retry_at": now, "attempts": 1}
    written = {
        "appointment": 0,
        "kind": EventKind.CANCELLED,
        "version": 7,
        "at": now - timedelta(days=1),
        "actor": None,
        "by_patient": True,
        "old_starts_at": now,
        "participant_uid": ada.uid,
    }
    assert {"id", *bookkeeping, *written} == {field.name for field in AppointmentEvent._meta.concrete_fields}
    for name, other in written.items():
        with pytest.raises(IntegrityError.__mro__[1], match="append-only"), transaction.atomic():
            event.update(**{name: other})
    assert event.update(**bookkeeping) == 1


def test_history_cannot_be_emptied(book, ada):
    book(ada, "2026-03-03 10.00")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL videotime.retention = 'off'")
        for statement in ("TRUNCATE scheduling_appointmentevent CASCADE", "DELETE FROM scheduling_appointmentevent"):
            with pytest.raises(IntegrityError.__mro__[1], match="append-only"), transaction.atomic():
                cursor.execute(statement)


def test_the_longest_session_is_found_until_its_end_and_none_is_longer(book, ada):
    only = Appointment.objects.filter(pk=book(ada, "2026-03-03 10.00").pk)
    only.update(ends_at=at("2026-03-03 18.00"))
    for start, end, found in [
        ("09.00", "10.00", False),
        ("09.00", "10.01", True),
        ("12.00", "12.30", True),
        ("17.59", "19.00", True),
        ("18.00", "19.00", False),
    ]:
        assert only.overlapping(at(f"2026-03-03 {start}"), at(f"2026-03-03 {end}")).exists() == found
    with pytest.raises(IntegrityError, match="appointment_takes_at_most_eight_hours"), transaction.atomic():
        only.update(ends_at=at("2026-03-03 18.05"))


def test_strangers_see_nothing_and_those_who_take_part_see_it(book, ada, kari, berg, lie, amina, tor):
    appointment = book(ada, "2026-03-03 10.00")
    for user in (kari, berg, tor):
        assert list(Appointment.objects.visible_to(user)) == [appointment]
    for user in (lie, amina):
        assert not Appointment.objects.visible_to(user).exists()


def test_an_interpreter_sees_what_she_takes_part_in(book, ada, amina):
    appointment = book(ada, "2026-03-03 10.00", interpreter_language="som")
    assert list(Appointment.objects.visible_to(amina)) == [appointment]


def test_who_sees_patients_sees_what_her_units_people_take_part_in(book, ada, bo, amina, lie):
    book(ada, "2026-03-03 10.00")
    interpreted = book(bo, "2026-03-03 12.00", interpreter_language="som")
    give_role(user=lie, unit=amina.memberships.get().unit, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    assert list(Appointment.objects.visible_to(lie)) == [interpreted]


@pytest.mark.parametrize("who", ["kari", "amina"])
def test_somebody_who_has_left_sees_nothing(request, book, ada, amina_diary, who, now):
    book(ada, "2026-03-03 10.00", interpreter_language="som")
    user = request.getfixturevalue(who)
    user.memberships.update(valid_to=now.date())
    assert Appointment.objects.visible_to(user, now=now).exists()
    assert not Appointment.objects.visible_to(user, now=now + timedelta(days=1)).exists()
    user.is_active = False
    assert not Appointment.objects.visible_to(user, now=now).exists()


def test_a_booking_asks_the_database_little(book, ada, bo, django_assert_max_num_queries):
    book(ada, "2026-03-03 10.00")
    with django_assert_max_num_queries(16):
        book(bo, "2026-03-03 11.00")
