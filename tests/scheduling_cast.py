"""The rest of the cast: diaries, a wound review with all it needs, and short ways to book and to let things follow."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.accounts.models import User
from apps.catalogue.models import Agreement, Scenario, ServiceType
from apps.organisations.models import Organisation, Unit
from apps.patients.models import Patient
from apps.scheduling import services
from apps.scheduling.models import (
    Appointment,
    Need,
    NeedSource,
    Opening,
    ParticipantRole,
    Schedule,
    ScheduleKind,
    Team,
    TeamMember,
    TeamOrder,
)
from apps.scheduling.queries import BookingRequest

OSLO = ZoneInfo("Europe/Oslo")


def at(text: str) -> datetime:
    """Read a time as people say it, in Oslo: `at("2026-03-03 10.00")`."""
    return datetime.strptime(text.replace(":", "."), "%Y-%m-%d %H.%M").replace(tzinfo=OSLO)


def open_weekdays(schedule: Schedule, start: time = time(8), end: time = time(16)) -> Schedule:
    Opening.objects.bulk_create(Opening(schedule=schedule, weekday=day, starts=start, ends=end) for day in range(5))
    return schedule


def clinician(user: User, unit: Unit) -> Schedule:
    return open_weekdays(
        Schedule.objects.create(kind=ScheduleKind.CLINICIAN, user=user, name=user.name, title=user.title, unit=unit)
    )


@pytest.fixture
def kari_diary(kari: User, home_care: Unit) -> Schedule:
    return clinician(kari, home_care)


@pytest.fixture
def berg_diary(berg: User, wound_clinic: Unit) -> Schedule:
    return clinician(berg, wound_clinic)


@pytest.fixture
def holm_diary(wound_clinic: Unit) -> Schedule:
    """Nurse Holm, the wound team's other member, who does not sign in."""
    return open_weekdays(
        Schedule.objects.create(
            kind=ScheduleKind.CLINICIAN, name="Hanne Holm", title="Sårsykepleier", unit=wound_clinic
        )
    )


@pytest.fixture
def amina_diary(amina: User) -> Schedule:
    """Amina interprets Somali and Arabic."""
    diary = clinician(amina, amina.memberships.get().unit)
    diary.kind, diary.languages = ScheduleKind.INTERPRETER, ["som", "ara"]
    diary.save(update_fields=["kind", "languages"])
    return diary


@pytest.fixture
def wound_team(wound_clinic: Unit, berg_diary: Schedule, holm_diary: Schedule) -> Team:
    team = Team.objects.create(unit=wound_clinic, name="Sårteamet", order=TeamOrder.ORDERED)
    for position, schedule in enumerate([berg_diary, holm_diary]):
        TeamMember.objects.create(team=team, schedule=schedule, position=position)
    return team


@pytest.fixture
def interpreters(amina_diary: Schedule) -> Team:
    team = Team.objects.create(unit=amina_diary.unit, name="Tolkene")
    TeamMember.objects.create(team=team, schedule=amina_diary)
    return team


@pytest.fixture
def wound_review(wound_clinic: Unit, municipality: Organisation, wound_team: Team, interpreters: Team) -> ServiceType:
    """Half an hour with one of the wound team and the nurse at the patient's home; the municipality may book it."""
    scenario, _made = Scenario.objects.get_or_create(
        code="wound-care-home",
        defaults={
            "names": {"nb": "Sårvurdering", "nn": "Sårvurdering", "en": "Wound review"},
            "family": "wound",
            "kind": "planned",
            "priority": 1,
            "portal_use": "book",
            "form": "wound_assessment",
            "defaults": {},
        },
    )
    service = ServiceType.objects.create(
        unit=wound_clinic,
        scenario=scenario,
        names={"nb": "Sårvurdering", "nn": "Sårvurdering", "en": "Wound review"},
        form="wound_assessment",
        length_minutes=30,
        start_grid_minutes=15,
        shortest_notice_minutes=60,
        photo_upload=True,
        providers=["builtin"],
        speciality="050",
    )
    Agreement.objects.create(service_type=service, organisation=municipality)
    needs = [
        (ParticipantRole.PERFORMER, NeedSource.TEAM, wound_team),
        (ParticipantRole.REQUESTER, NeedSource.REQUESTER, None),
        (ParticipantRole.INTERPRETER, NeedSource.INTERPRETER, interpreters),
    ]
    for position, (role, source, team) in enumerate(needs):
        Need.objects.create(service_type=service, role=role, source=source, team=team, position=position)
    return service


@pytest.fixture
def asked(wound_review: ServiceType, home_care: Unit, kari_diary: Schedule) -> Callable[..., BookingRequest]:
    """What Kari asks for: `asked(ada, interpreter_language="som")`."""

    def ask(patient: Patient | None, **wishes: Any) -> BookingRequest:
        wishes.setdefault("requester", kari_diary)
        return BookingRequest(service_type=wound_review, requester_unit=home_care, patient=patient, **wishes)

    return ask


@pytest.fixture
def book(asked: Callable[..., BookingRequest], kari: User, now: datetime) -> Callable[..., Appointment]:
    """Book as Kari: `book(ada, "2026-03-03 10.00")`."""

    def do(patient: Patient, start: str, *, when: datetime | None = None, **wishes: Any) -> Appointment:
        names = ("guests", "answers", "form_complete", "who", "hold", "draft")
        details = {name: wishes.pop(name) for name in names if name in wishes}
        return services.book_appointment(
            request=asked(patient, **wishes), starts_at=at(start), actor=kari, now=when or now, **details
        )

    return do


@pytest.fixture
def react(now: datetime) -> Callable[..., int]:
    """Let follow what follows from all events so far."""
    return lambda moment=None: services.react_to_events(now=moment or now)


@pytest.fixture
def soon() -> timedelta:
    return timedelta(days=1, hours=2)
