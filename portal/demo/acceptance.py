"""Two unrelated pairs of municipality and hospital, for acceptance tests: everything known, nothing shared."""

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from stdnum.no import orgnr

from apps.accounts.models import User
from apps.accounts.services import add_authenticator, add_user, authenticator_secret, create_api_key
from apps.catalogue.models import Identification, Scenario, ServiceType
from apps.catalogue.services import agree, offer_service
from apps.organisations.models import Organisation, OrganisationKind, Role, Unit, UnitKind
from apps.organisations.services import add_organisation, add_unit, give_role
from apps.patients.models import Patient
from apps.patients.services import KinInput, register_patient
from apps.scheduling.models import (
    Need,
    NeedSource,
    Opening,
    ParticipantRole,
    Schedule,
    ScheduleKind,
    Team,
    TeamMember,
)

from .national_ids import synthetic_ids

LONG_AGO: Final = date(2020, 1, 1)
DAY: Final = (time(8), time(16))


UNITS: Final = {
    "home_care": ("municipality", "Hjemmetjenesten", UnitKind.HOME_CARE),
    "allocation": ("municipality", "Tildelingskontoret", UnitKind.ADMINISTRATION),
    "clinic": ("hospital", "Poliklinikken", UnitKind.OUTPATIENT_CLINIC),
    "ward": ("hospital", "Sengeposten", UnitKind.WARD),
    "interpreters": ("hospital", "Tolketjenesten", UnitKind.INTERPRETER_SERVICE),
}
# who: role, unit, given name, title, hours of the diary every day (None: no diary; "free": open round the clock)
PEOPLE: Final = (
    ("booker", Role.BOOKER, "home_care", "Kari", "Sykepleier", "free"),
    ("booker_at_ward", Role.BOOKER, "ward", "Vera", "Sykepleier", "free"),
    ("clinician", Role.CLINICIAN, "clinic", "Berit", "Overlege", DAY),
    ("second_clinician", Role.CLINICIAN, "clinic", "Holm", "Sykepleier", DAY),
    ("clinician_on_call", Role.CLINICIAN, "clinic", "Nils", "Lege", "free"),
    ("municipal_clinician", Role.CLINICIAN, "allocation", "Liv", "Saksbehandler", DAY),
    ("interpreter", Role.INTERPRETER, "interpreters", "Amina", "Tolk", "free"),
    ("clerk", Role.CLERK, "clinic", "Tor", "Helsesekretær", None),
    ("ward_clerk", Role.CLERK, "ward", "Tuva", "Helsesekretær", None),
    ("super_user", Role.SUPER_USER, "home_care", "Aksel", "Superbruker", "free"),
    ("dips_coordinator", Role.DIPS_COORDINATOR, "clinic", "Gry", "DIPS-koordinator", None),
    ("rollout_lead", Role.ROLLOUT_LEAD, "clinic", "Per", "Innføringsleder", None),
    ("unit_manager", Role.UNIT_MANAGER, "home_care", "Selma", "Enhetsleder", "free"),
    ("organisation_admin", Role.ORGANISATION_ADMIN, "allocation", "Odd", "Administrator", None),
    ("system_owner", Role.SYSTEM_OWNER, "clinic", "Frode", "Systemeier", None),
)
INTERPRETED: Final = ["pol", "ara", "som"]
# scenario, identification, unit, team, what is tuned
SERVICES: Final[tuple[tuple[str, Identification, str, str, dict[str, Any]], ...]] = (
    ("wound-care", Identification.BIRTH_DATE, "clinic", "day", {"speciality": "050"}),
    ("rehab", Identification.LINK, "clinic", "day", {"speciality": "230"}),
    ("cancer-care", Identification.SMS_CODE, "clinic", "day", {"speciality": "853"}),
    ("palliative", Identification.BIRTH_DATE, "clinic", "day", {"speciality": "380", "patient_present": True}),
    ("interpreter", Identification.BIRTH_DATE, "clinic", "day", {}),
    ("geriatric-discharge", Identification.BIRTH_DATE, "allocation", "municipal", {}),
    (
        "general-consultation",
        Identification.BIRTH_DATE,
        "clinic",
        "on_call",
        {"shortest_notice_minutes": 0, "start_grid_minutes": 5, "buffer_after_minutes": 0},
    ),
)
TEAMS: Final = {
    "day": ("clinic", "Dagteamet", ("clinician", "second_clinician")),
    "on_call": ("clinic", "Vaktteamet", ("clinician_on_call",)),
    "municipal": ("allocation", "Tildeling", ("municipal_clinician",)),
    "interpreters": ("interpreters", "Tolkene", ("interpreter",)),
}


@dataclass
class Side:
    """One of the two pairs."""

    letter: str
    run: str
    now: datetime
    organisations: dict[str, Organisation] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    diaries: dict[str, Schedule] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    services: list[ServiceType] = field(default_factory=list)
    patients: list[tuple[Patient, str]] = field(default_factory=list)


def new_run() -> str:
    """Return a suffix that no run has had: four letters and digits are 390,000."""
    while Organisation.objects.filter(name__endswith=(run := secrets.token_hex(2))).exists():
        continue
    return run


def seed(*, run: str, now: datetime) -> dict[str, Any]:
    sides = [_make_side(Side(letter=letter, run=run, now=now)) for letter in "AB"]
    return {"run": run, "public_url": settings.PUBLIC_URL} | {side.letter: _told(side) for side in sides}


def _make_side(side: Side) -> Side:
    _organisations(side)
    _people(side)
    _services(side)
    _patients(side)
    return side


def _organisations(side: Side) -> None:
    kinds = {"municipality": OrganisationKind.MUNICIPALITY, "hospital": OrganisationKind.HOSPITAL_TRUST}
    for key, kind in kinds.items():
        word = "kommune" if key == "municipality" else "sykehus"
        side.organisations[key] = add_organisation(
            name=f"Prøve {side.letter} {word} {side.run}",
            kind=kind,
            number=_unused_number(),
            sms_sender=f"Prove{side.letter}",
            phone=f"+4700{900000 + ord(side.letter):06}",
        )
    for key, (owner, name, unit_kind) in UNITS.items():
        side.units[key] = add_unit(
            organisation=side.organisations[owner], name=f"{name} {side.letter}", kind=unit_kind, phone="+4700900100"
        )


def _unused_number() -> str:
    """Return the next organisation number of the synthetic range that nobody has."""
    taken = set(Organisation.objects.filter(number__gte="311000000").values_list("number", flat=True))
    return next(f"{one}" for one in range(311000000, 319999999) if orgnr.is_valid(f"{one}") and f"{one}" not in taken)


def _people(side: Side) -> None:
    for key, role, unit_key, given_name, title, hours in PEOPLE:
        unit, password = side.units[unit_key], secrets.token_urlsafe(15)
        user = side.users[key] = add_user(
            email=f"{key.replace('_', '-')}.{side.letter}.{side.run}@acceptance.example".lower(),
            given_name=given_name,
            family_name=f"Prøve {side.letter}",
            password=password,
            title=title,
        )
        give_role(user=user, unit=unit, role=role, valid_from=LONG_AGO)
        _key, api_key = create_api_key(user=user, name=f"acceptance {side.run}", now=side.now)
        if hours is not None:
            side.diaries[key] = _diary(user, unit, title, hours)
        side.known[key] = {
            "role": role.value,
            "uid": str(user.uid),
            "name": user.name,
            "email": user.email,
            "password": password,
            "totp_secret": authenticator_secret(add_authenticator(user=user)),
            "api_key": api_key,
            "organisation": str(unit.organisation.uid),
            "unit": str(unit.uid),
            "schedule": str(side.diaries[key].uid) if key in side.diaries else None,
        }


def _diary(user: User, unit: Unit, title: str, hours: Any) -> Schedule:
    """Make a diary that is open every day of the week, holidays too: there is always a time to book."""
    interprets = unit.kind == UnitKind.INTERPRETER_SERVICE
    diary = Schedule.objects.create(
        kind=ScheduleKind.INTERPRETER if interprets else ScheduleKind.CLINICIAN,
        user=user,
        name=user.name,
        title=title,
        unit=unit,
        languages=INTERPRETED if interprets else [],
        interpreter_number="10001" if interprets else "",
        always_open=hours == "free",
        works_on_holidays=True,
    )
    if hours != "free":
        starts, ends = hours
        Opening.objects.bulk_create(
            Opening(schedule=diary, weekday=weekday, starts=starts, ends=ends) for weekday in range(7)
        )
    return diary


def _services(side: Side) -> None:
    for key, (unit_key, name, members) in TEAMS.items():
        team = side.teams[key] = Team.objects.create(unit=side.units[unit_key], name=f"{name} {side.letter}")
        TeamMember.objects.bulk_create(
            TeamMember(team=team, schedule=side.diaries[member], position=position)
            for position, member in enumerate(members)
        )
    for code, identification, unit_key, team_key, tuned in SERVICES:
        service = offer_service(
            unit=side.units[unit_key],
            scenario=Scenario.objects.get(code=code),
            identification=identification,
            providers=["builtin"],
            **tuned,
        )
        needs = [
            (ParticipantRole.PERFORMER, NeedSource.TEAM, side.teams[team_key]),
            (ParticipantRole.REQUESTER, NeedSource.REQUESTER, None),
            (ParticipantRole.INTERPRETER, NeedSource.INTERPRETER, side.teams["interpreters"]),
        ]
        Need.objects.bulk_create(
            Need(service_type=service, role=role, source=source, team=team, position=position)
            for position, (role, source, team) in enumerate(needs)
        )
        owner = service.unit.organisation
        for organisation in side.organisations.values():
            if organisation != owner:
                agree(service_type=service, organisation=organisation)
        side.services.append(service)


def _patients(side: Side) -> None:
    people: tuple[tuple[str, date, str, dict[str, Any]], ...] = (
        ("Ada", date(1943, 5, 12), "home_care", {}),
        ("Bo", date(1951, 9, 3), "home_care", {"language": "nno"}),
        ("Celina", date(1962, 2, 1), "home_care", {"language": "pol", "interpreter_needed": True}),
        ("Dag", date(1938, 12, 24), "home_care", {"phone": "", "channel": "none"}),
        ("Eli", date(1947, 7, 30), "ward", {}),
        ("Finn", date(1970, 1, 31), "clinic", {"language": "sme"}),
    )
    taken = set(Patient.objects.values_list("national_id", flat=True))
    for number, (given_name, born, unit_key, details) in enumerate(people):
        unit = side.units[unit_key]
        national_id = next(one for one in synthetic_ids(born) if one not in taken)
        taken.add(national_id)
        phone = f"+4700{secrets.randbelow(90000) + 910000 + number:06}"
        patient = register_patient(
            organisation=unit.organisation,
            unit=unit,
            actor=side.users["booker" if unit_key == "home_care" else "booker_at_ward"],
            now=side.now,
            given_name=given_name,
            family_name=f"Prøve {side.letter}",
            national_id=national_id,
            birth_date=born,
            next_of_kin=[KinInput(name="Ida Prøve", relation="datter", phone="+4700920001")] if number == 0 else (),
            **({"phone": phone} | details),
        )
        side.patients.append((patient, unit_key))


def _told(side: Side) -> dict[str, Any]:
    return {
        "organisations": {
            key: {
                "uid": str(organisation.uid),
                "name": organisation.name,
                "number": organisation.number,
                "kind": organisation.kind,
            }
            for key, organisation in side.organisations.items()
        },
        "units": {
            key: {
                "uid": str(unit.uid),
                "name": unit.name,
                "kind": unit.kind,
                "organisation": str(unit.organisation.uid),
            }
            for key, unit in side.units.items()
        },
        "users": side.known,
        "schedules": {
            key: {
                "uid": str(diary.uid),
                "name": diary.name,
                "kind": diary.kind,
                "unit": str(side.units[_unit_of(key)].uid),
                "languages": diary.languages,
            }
            for key, diary in side.diaries.items()
        },
        "service_types": [
            {
                "uid": str(service.uid),
                "scenario": service.scenario.code,
                "name": service.name,
                "unit": str(service.unit.uid),
                "identification": service.identification,
                "length_minutes": service.length_minutes,
                "shortest_notice_minutes": service.shortest_notice_minutes,
                "form": service.form,
            }
            for service in side.services
        ],
        "patients": [
            {
                "uid": str(patient.uid),
                "name": patient.name,
                "national_id": patient.national_id,
                "birth_date": patient.birth_date.isoformat(),
                "phone": patient.phone or "",
                "language": patient.language,
                "interpreter_needed": patient.interpreter_needed,
                "unit": str(side.units[unit_key].uid),
            }
            for patient, unit_key in side.patients
        ],
        "today": timezone.localdate(side.now).isoformat(),
    }


def _unit_of(person: str) -> str:
    return next(unit for key, _role, unit, *_rest in PEOPLE if key == person)
