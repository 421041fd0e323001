"""The list of times, read from the database: who counts, whose time is gone, and how many queries it takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.accounts.models import User
from apps.catalogue.models import Agreement, PortalUse, Scenario, ServiceType
from apps.organisations.models import Organisation, OrganisationKind, Unit, UnitKind
from apps.patients.models import Patient
from apps.scheduling import errors, services
from apps.scheduling.engine.explain import ChangeKind, Reason
from apps.scheduling.models import (
    Absence,
    Hold,
    Need,
    NeedSource,
    Occupancy,
    OccupancyKind,
    Opening,
    ParticipantRole,
    Schedule,
    ScheduleKind,
    Team,
    TeamMember,
    TeamOrder,
)
from apps.scheduling.queries import (
    BookingRequest,
    Ignoring,
    local_day,
    open_times,
    open_times_until,
    request_of,
    time_is_open,
    times_to_move_to,
    who_is_missing,
    why_no_time,
)

pytestmark = pytest.mark.django_db

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2027, 3, 1, 6, 0, tzinfo=UTC)  # a Monday, seven in the morning
TODAY = "2027-03-01"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OSLO)


def shown(times: Sequence) -> list[str]:
    return [time.starts_at.astimezone(OSLO).strftime("%Y-%m-%d %H:%M") for time in times]


def take(schedule: Schedule, start: str, end: str) -> Occupancy:
    return Occupancy.objects.create(schedule=schedule, during=(at(start), at(end)), kind=OccupancyKind.BUSY)


def hold(schedule: Schedule, user: User, start: str, end: str, *, expires_at: datetime) -> Hold:
    held = Hold.objects.create(user=user, starts_at=at(start), ends_at=at(end), expires_at=expires_at)
    Occupancy.objects.create(
        schedule=schedule, during=(at(start), at(end)), kind=OccupancyKind.HOLD, hold=held, expires_at=expires_at
    )
    return held


@dataclass
class Place:
    """A municipality and a hospital with a wound team, and a wound review that joins them."""

    nurse_unit: Unit
    clinic: Unit
    service: ServiceType
    kari: Schedule
    berg: Schedule
    dahl: Schedule
    team: Team
    team_need: Need
    user: User
    ada: Patient
    extra: dict[str, Schedule] = field(default_factory=dict)

    def request(self, **more) -> BookingRequest:
        return replace(
            BookingRequest(self.service, requester_unit=self.nurse_unit, patient=self.ada, requester=self.kari), **more
        )


def person(name: str, unit: Unit, *hours: tuple[int, int, int], kind: str = ScheduleKind.CLINICIAN, **more) -> Schedule:
    schedule = Schedule.objects.create(kind=kind, name=name, unit=unit, **more)
    for weekday, start, end in hours:
        Opening.objects.create(schedule=schedule, weekday=weekday, starts=time(start), ends=time(end))
    return schedule


def all_week(start: int, end: int) -> list[tuple[int, int, int]]:
    return [(weekday, start, end) for weekday in range(5)]


@pytest.fixture
def place(db) -> Place:
    municipality = Organisation.objects.create(name="Elvebygd", kind=OrganisationKind.MUNICIPALITY, number="100000001")
    hospital = Organisation.objects.create(name="Fjordland", kind=OrganisationKind.HOSPITAL_TRUST, number="100000002")
    nurse_unit = Unit.objects.create(organisation=municipality, name="Elvebygd sone 1", kind=UnitKind.HOME_CARE)
    clinic = Unit.objects.create(organisation=hospital, name="Sår", kind=UnitKind.OUTPATIENT_CLINIC)
    scenario = Scenario.objects.create(
        code="wound-review",
        names={"nb": "Sårvurdering"},
        family="wound",
        kind="planned",
        priority=1,
        portal_use=PortalUse.BOOK,
        form="wound",
        defaults={},
    )
    service = ServiceType.objects.create(
        unit=clinic, scenario=scenario, names={"nb": "Sårvurdering"}, form="wound", horizon_days=14
    )
    Agreement.objects.create(service_type=service, organisation=municipality)
    kari = person("Kari", nurse_unit, *all_week(8, 15))
    berg = person("Dr Berg", clinic, *all_week(9, 11))
    dahl = person("Dr Dahl", clinic, *all_week(10, 12))
    team = Team.objects.create(unit=clinic, name="Sårteamet", order=TeamOrder.ORDERED)
    TeamMember.objects.create(team=team, schedule=berg, position=1)
    TeamMember.objects.create(team=team, schedule=dahl, position=2)
    team_need = Need.objects.create(
        service_type=service, role=ParticipantRole.PERFORMER, source=NeedSource.TEAM, team=team, position=1
    )
    Need.objects.create(service_type=service, role=ParticipantRole.REQUESTER, source=NeedSource.REQUESTER, position=2)
    agency = Organisation.objects.create(name="Tolk", kind=OrganisationKind.INTERPRETER_AGENCY, number="100000003")
    desk = Unit.objects.create(organisation=agency, name="Tolketjenesten", kind=UnitKind.INTERPRETER_SERVICE)
    interpreters = Team.objects.create(unit=desk, name="Tolker")
    for name, language, opens in (("Arabisk", "ara", 8), ("Polsk", "pol", 11)):
        schedule = person(name, desk, *all_week(opens, 16), kind=ScheduleKind.INTERPRETER, languages=[language])
        TeamMember.objects.create(team=interpreters, schedule=schedule)
    Need.objects.create(
        service_type=service,
        role=ParticipantRole.INTERPRETER,
        source=NeedSource.INTERPRETER,
        team=interpreters,
        position=3,
    )
    ada = Patient.objects.create(
        organisation=municipality,
        given_name="Ada",
        family_name="Nilsen",
        birth_date=date(1950, 1, 1),
        person_index=b"a" * 32,
    )
    user = User.objects.create(email="kari@elvebygd.example")
    return Place(nurse_unit, clinic, service, kari, berg, dahl, team, team_need, user, ada)


def test_the_nurse_any_one_of_the_team_and_the_patient_meet(place):
    take(place.kari, f"{TODAY} 09:30", f"{TODAY} 10:30")
    times = open_times(place.request(), now=NOW, limit=4)
    assert shown(times) == [f"{TODAY} 09:00", f"{TODAY} 10:30", f"{TODAY} 10:45", f"{TODAY} 11:00"]
    assert [time.performer.name for time in times] == ["Dr Berg", "Dr Berg", "Dr Dahl", "Dr Dahl"]
    assert {one.role for one in times[0].who} == {"performer", "requester", "patient"}
    assert times[0].ends_at - times[0].starts_at == timedelta(minutes=30)


def test_nothing_is_shown_within_the_notice_or_beyond_the_horizon(place):
    place.service.horizon_days = 2
    place.service.save()
    times = open_times(place.request(), now=at(f"{TODAY} 10:20"), limit=None)
    assert shown(times)[0] == f"{TODAY} 11:30"
    assert shown(times)[-1] == "2027-03-03 10:15"


def test_the_buffers_are_the_performers_and_nobody_elses(place):
    place.service.buffer_before_minutes, place.service.buffer_after_minutes = 10, 15
    place.service.save()
    take(place.kari, f"{TODAY} 08:00", f"{TODAY} 09:15")
    take(place.dahl, f"{TODAY} 10:00", f"{TODAY} 12:00")
    assert shown(open_times(place.request(), now=NOW, end=at(f"{TODAY} 12:00"))) == [
        f"{TODAY} 09:15",
        f"{TODAY} 09:30",
        f"{TODAY} 09:45",
        f"{TODAY} 10:00",
        f"{TODAY} 10:15",
    ]
    take(place.berg, f"{TODAY} 10:29", f"{TODAY} 11:00")
    assert shown(open_times(place.request(), now=NOW, end=at(f"{TODAY} 12:00"))) == [f"{TODAY} 09:15", f"{TODAY} 09:30"]


def test_an_absence_that_began_long_ago_and_a_week_of_imported_time_both_count(place):
    Absence.objects.create(schedule=place.dahl, starts_at=at("2026-01-01 00:00"), ends_at=at("2027-03-09 00:00"))
    take(place.berg, "2027-02-01 00:00", "2027-03-03 10:30")
    assert shown(open_times(place.request(), now=NOW, limit=2)) == ["2027-03-03 10:30", "2027-03-04 09:00"]


def test_what_another_holds_is_taken_until_it_expires_and_ones_own_hold_is_not(place):
    away = Absence.objects.create(schedule=place.dahl, starts_at=NOW, ends_at=NOW + timedelta(days=9))
    soon = NOW + timedelta(minutes=10)
    held = hold(place.berg, place.user, f"{TODAY} 09:00", f"{TODAY} 10:30", expires_at=soon)
    assert away.pk
    assert shown(open_times(place.request(), now=NOW, limit=1)) == [f"{TODAY} 10:30"]
    mine = open_times(place.request(), now=NOW, limit=1, ignoring=Ignoring(hold_id=held.pk))
    assert shown(mine) == [f"{TODAY} 09:00"]
    assert shown(open_times(place.request(), now=soon, limit=1)) == [f"{TODAY} 09:00"]


def test_a_hold_that_runs_from_yesterday_and_has_expired_hides_nothing(place):
    hold(place.berg, place.user, "2027-02-28 20:00", f"{TODAY} 10:00", expires_at=NOW)
    assert shown(open_times(place.request(), now=NOW, limit=1)) == [f"{TODAY} 09:00"]


def test_a_public_holiday_is_closed_except_for_those_who_work_on_it(place):
    good_friday = at("2027-03-26 00:00")
    window = {"now": good_friday - timedelta(days=1), "start": good_friday, "end": good_friday + timedelta(days=1)}
    assert open_times(place.request(), **window) == []
    Schedule.objects.filter(pk__in=[place.kari.pk, place.dahl.pk]).update(works_on_holidays=True)
    assert shown(open_times(place.request(), **window, limit=1)) == ["2027-03-26 10:00"]


def test_opening_rules_hold_while_they_are_valid_and_on_their_date(place):
    Opening.objects.filter(schedule=place.berg).update(valid_from=date(2027, 3, 3))
    Opening.objects.filter(schedule=place.dahl).update(valid_to=date(2027, 3, 1))
    Opening.objects.create(schedule=place.dahl, on=date(2027, 3, 2), starts=time(14), ends=time(14, 30))
    times = open_times(place.request(), now=at(f"{TODAY} 10:15"), limit=5)
    assert shown(times) == [
        f"{TODAY} 11:15",
        f"{TODAY} 11:30",
        "2027-03-02 14:00",
        "2027-03-03 09:00",
        "2027-03-03 09:15",
    ]


def test_a_night_shift_goes_on_in_the_morning_and_midnight_is_an_end(place):
    Opening.objects.filter(schedule__in=[place.berg, place.kari]).update(starts=time(22), ends=time(9, 30))
    assert shown(open_times(place.request(), now=NOW, limit=3)) == [
        f"{TODAY} 22:00",
        f"{TODAY} 22:15",
        f"{TODAY} 22:30",
    ]
    morning = open_times(place.request(), now=NOW, start=at("2027-03-02 08:45"), limit=3)
    assert shown(morning) == ["2027-03-02 08:45", "2027-03-02 09:00", "2027-03-02 22:00"]
    Opening.objects.filter(schedule=place.berg).update(ends=time(0))
    evening = open_times(place.request(), now=NOW, start=at(f"{TODAY} 23:30"), limit=2)
    assert shown(evening) == [f"{TODAY} 23:30", "2027-03-02 22:00"]


def test_somebody_who_has_left_is_offered_to_nobody(place):
    Schedule.objects.filter(pk=place.berg.pk).update(active=False)
    assert {time.performer.name for time in open_times(place.request(), now=NOW, limit=None)} == {"Dr Dahl"}


def test_the_usual_specialist_comes_first_and_only_those_asked_for_come(place):
    usual = open_times(place.request(prefer=(place.dahl.pk,)), now=NOW, start=at(f"{TODAY} 10:00"), limit=1)
    assert usual[0].performer.name == "Dr Dahl"
    only = open_times(place.request(only=(place.dahl.pk,)), now=NOW, limit=None)
    assert {time.performer.name for time in only} == {"Dr Dahl"}
    assert open_times(place.request(only=(place.kari.pk,)), now=NOW) == []


def test_an_interpreter_counts_when_the_patient_needs_one_on_the_screen(place):
    times = open_times(place.request(interpreter_language="pol"), now=NOW, limit=1)
    assert shown(times) == [f"{TODAY} 11:00"]
    assert [one.name for one in times[0].named(ParticipantRole.INTERPRETER)] == ["Polsk"]
    by_phone = open_times(place.request(interpreter_language="pol", interpreter_by_phone=True), now=NOW, limit=1)
    assert shown(by_phone) == [f"{TODAY} 09:00"]
    assert by_phone[0].named(ParticipantRole.INTERPRETER) == []


def test_ada_cannot_be_in_two_places_whoever_booked_her_there(place):
    elsewhere = services.schedule_for_patient(place.ada)
    take(elsewhere, f"{TODAY} 08:00", f"{TODAY} 11:00")
    assert shown(open_times(place.request(), now=NOW, limit=1)) == [f"{TODAY} 11:00"]


def test_a_session_that_nobody_has_to_be_with_the_patient_for(place):
    take(place.kari, f"{TODAY} 00:00", "2027-03-20 00:00")
    assert open_times(place.request(), now=NOW) == []
    assert shown(open_times(place.request(requester=None), now=NOW, limit=1)) == [f"{TODAY} 09:00"]


@pytest.mark.parametrize("at_most", [1, 4, 7, 8, 9, 200])
def test_whoever_goes_on_from_day_to_day_sees_every_other_time_once(place, at_most):
    taken = open_times(place.request(), now=NOW, limit=1)[0].starts_at
    appointment = services.book_appointment(request=place.request(), starts_at=taken, actor=place.user, now=NOW)
    ignoring = Ignoring(appointment_id=appointment.pk)
    every = open_times(request_of(appointment), now=NOW, limit=None, ignoring=ignoring)
    seen, start, pages = [], NOW, 0
    while start is not None:
        times, following = times_to_move_to(appointment, now=NOW, start=start, at_most=at_most)
        days = {time.starts_at.astimezone(OSLO).date() for time in times}
        assert len(days) == 1 or 1 < len(times) <= at_most, "only a single day may hold more"
        seen += times
        start, pages = (local_day(following)[0], pages + 1) if following else (None, pages + 1)
    assert seen == [time for time in every if time.starts_at != taken]
    assert pages > 1 or at_most == 200


@pytest.mark.parametrize("start", [f"{TODAY} 08:45", f"{TODAY} 09:05", f"{TODAY} 11:45", "2027-03-06 09:00"])
def test_a_time_that_is_not_shown_is_not_open(place, start):
    assert time_is_open(place.request(), at(start), now=NOW) is None


def test_a_time_between_two_steps_is_not_open(place):
    assert time_is_open(place.request(), at(f"{TODAY} 09:00") + timedelta(seconds=1), now=NOW) is None


def test_a_time_is_open_for_the_one_who_was_chosen_while_she_is_free(place):
    ten = at(f"{TODAY} 10:00")
    chosen = {place.team_need.pk: place.dahl.pk}
    assert time_is_open(place.request(), ten, now=NOW).performer.name == "Dr Berg"
    assert time_is_open(place.request(), ten, now=NOW, who=chosen).performer.name == "Dr Dahl"
    take(place.dahl, f"{TODAY} 10:00", f"{TODAY} 10:05")
    assert time_is_open(place.request(), ten, now=NOW, who=chosen) is None
    assert who_is_missing(place.request(), ten, now=NOW, who=chosen) == ParticipantRole.PERFORMER
    assert time_is_open(place.request(), ten, now=NOW).performer.name == "Dr Berg"


def test_a_held_time_stays_open_though_the_notice_runs_out_meanwhile(place):
    nine = at(f"{TODAY} 09:00")
    now = nine - timedelta(minutes=60)
    held = hold(place.berg, place.user, f"{TODAY} 09:00", f"{TODAY} 09:30", expires_at=now + timedelta(minutes=10))
    later = now + timedelta(minutes=8)
    assert time_is_open(place.request(), nine, now=later) is None
    assert time_is_open(place.request(), nine, now=later, ignoring=Ignoring(hold_id=held.pk)) is not None


def test_every_time_that_is_shown_can_be_booked(place):
    place.service.buffer_before_minutes, place.service.buffer_after_minutes = 5, 10
    place.service.save()
    take(place.berg, f"{TODAY} 09:50", f"{TODAY} 10:10")
    Absence.objects.create(schedule=place.kari, starts_at=at("2027-03-03 08:00"), ends_at=at("2027-03-03 10:40"))
    booked = 0
    while times := open_times(place.request(), now=NOW, limit=3):
        time = times[-1]
        assert time_is_open(place.request(), time.starts_at, now=NOW) == time
        chosen = {one.need_id: one.schedule_id for one in time.who if one.need_id}
        services.book_appointment(
            request=place.request(), starts_at=time.starts_at, who=chosen, actor=place.user, now=NOW
        )
        booked += 1
    assert booked > 20
    with pytest.raises(errors.Refusal):
        services.book_appointment(request=place.request(), starts_at=at("2027-03-04 10:00"), actor=place.user, now=NOW)


def test_the_search_needs_one_query_and_one_for_each_further_stretch(place, django_assert_num_queries):
    request = place.request()
    with django_assert_num_queries(1):
        assert len(open_times(request, now=NOW, limit=20)) == 20
    for extra in range(30):
        TeamMember.objects.create(team=place.team, schedule=person(f"Dr {extra}", place.clinic, *all_week(8, 9)))
    with django_assert_num_queries(2):  # a fortnight: a week, and the rest
        open_times(replace(request, only=(place.berg.pk,)), now=NOW, limit=None)
    with django_assert_num_queries(1):
        time_is_open(request, at(f"{TODAY} 09:00"), now=NOW)


# --- when nothing fits


def test_there_is_nothing_to_explain_when_there_are_times(place):
    assert why_no_time(place.request(), now=NOW) is None


def test_the_specialist_who_is_away_blocks_and_a_colleague_is_suggested(place):
    Absence.objects.create(schedule=place.dahl, starts_at=NOW, ends_at=at("2027-03-04 10:30"))
    answer = why_no_time(
        place.request(only=(place.dahl.pk,)), now=NOW, start=at(f"{TODAY} 00:00"), end=at("2027-03-02 00:00")
    )
    assert [(block.role, block.reason) for block in answer.blocking] == [("performer", Reason.ALL_TAKEN)]
    assert answer.blocking[0].free_from == at("2027-03-04 10:30")
    other, later = answer.suggestions
    assert (other.kind, other.first.performer.name, other.role) == (ChangeKind.OTHER_PERSON, "Dr Berg", "performer")
    assert (later.kind, later.first.starts_at) == (ChangeKind.LATER, at("2027-03-04 10:30"))


def test_a_role_without_a_label_is_called_by_its_team_or_by_the_one_who_is_named(place):
    def labels() -> dict[str, str]:
        _times, roles = open_times_until(place.request(), now=NOW, enough=lambda _times, _reached: True)
        return {role.role: role.label for role in roles}

    by_role = {role: str(ParticipantRole(role).label) for role in ("requester", "interpreter")}
    assert labels() == {**by_role, "performer": "Sårteamet", "interpreter": "Tolker"}
    Need.objects.filter(pk=place.team_need.pk).update(source=NeedSource.SCHEDULE, team=None, schedule=place.dahl)
    assert labels()["performer"] == "Dr Dahl"
    Need.objects.filter(pk=place.team_need.pk).update(label="Hudlege")
    assert labels() == {**by_role, "performer": "Hudlege", "interpreter": "Tolker"}


def test_the_colleagues_of_a_named_specialist_are_suggested(place):
    Need.objects.filter(pk=place.team_need.pk).update(source=NeedSource.SCHEDULE, team=None, schedule=place.dahl)
    Absence.objects.create(schedule=place.dahl, starts_at=NOW, ends_at=NOW + timedelta(days=90))
    assert open_times(place.request(), now=NOW) == []
    answer = why_no_time(place.request(), now=NOW)
    assert answer.suggestions[0].kind is ChangeKind.OTHER_PERSON
    assert answer.suggestions[0].first.performer.name == "Dr Berg"
    assert answer.blocking[0].free_from is None


def test_a_shorter_session_is_suggested_with_its_own_end(place):
    for one in (place.berg, place.dahl):
        take(one, f"{TODAY} 09:20", f"{TODAY} 23:00")
    answer = why_no_time(place.request(), now=NOW, end=at("2027-03-02 00:00"))
    shorter = answer.suggestions[0]
    assert (shorter.kind, shorter.length_minutes) == (ChangeKind.SHORTER, 20)
    assert shorter.first.ends_at == at(f"{TODAY} 09:20")


def test_without_the_interpreter_on_the_screen_there_would_be_times(place):
    answer = why_no_time(place.request(interpreter_language="som"), now=NOW)
    assert [(block.role, block.reason) for block in answer.blocking] == [("interpreter", Reason.NOBODY)]
    assert [change.kind for change in answer.suggestions] == [ChangeKind.WITHOUT]
    assert answer.suggestions[0].role == ParticipantRole.INTERPRETER
