"""Makes the made-up region of `region.yaml`: organisations, people, diaries, services and patients."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.queries import DEMO_DOMAIN
from apps.accounts.services import add_authenticator
from apps.catalogue.models import AgreementMode, Scenario, ServiceType
from apps.catalogue.services import agree, offer_service
from apps.common.crypto import blind_index
from apps.common.data_files import read_yaml
from apps.organisations.models import Membership, Organisation, Role, Unit, UnitKind
from apps.organisations.services import add_organisation, add_unit
from apps.patients.models import CareRelation, IdentifierKind, InterpreterMode, NextOfKin, Patient
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

FOLDER: Final = Path(__file__).parent
PASSWORD: Final = "fjord-fjell-og-foss"  # noqa: S105  (printed for everybody by `demo --accounts`)
ASCII: Final = str.maketrans("æøåáé ", "aoaae.")
CLINIC: Final = ((time(8), time(11, 30)), (time(12), time(15, 30)))
ROUND_THE_CLOCK: Final = ((time(7, 30), time(21, 30)),)
WEEKDAYS, ALL_DAYS = range(5), range(7)
SINCE: Final = timedelta(days=400)
NOT_TUNED: Final = {"unit", "scenario", "with", "agreed", "mode"}


@lru_cache(maxsize=1)
def region() -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml(FOLDER / "region.yaml")
    return loaded


@dataclass
class Region:
    """What has been made, by key, to build on."""

    now: datetime
    chance: random.Random
    organisations: dict[str, Organisation] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    accounts: dict[str, User] = field(default_factory=dict)
    diaries: dict[str, Schedule] = field(default_factory=dict)
    staff_of: dict[int, list[Schedule]] = field(default_factory=dict)
    interpreters: list[Schedule] = field(default_factory=list)
    teams: dict[str, Team] = field(default_factory=dict)
    services: dict[str, ServiceType] = field(default_factory=dict)
    patients_of: dict[int, list[Patient]] = field(default_factory=dict)
    patients: dict[str, Patient] = field(default_factory=dict)
    place_of: dict[int, str] = field(default_factory=dict)
    patient_diaries: dict[bytes, Schedule] = field(default_factory=dict)
    kin_of: dict[int, NextOfKin] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return timezone.localdate(self.now)

    def performers(self, service: ServiceType) -> list[Schedule]:
        return self.staff_of.get(service.unit_id, [])

    def interpreter_of(self, language: str) -> list[Schedule]:
        return [diary for diary in self.interpreters if language in diary.languages]

    def diary_of(self, patient: Patient) -> Schedule:
        return self.patient_diaries[bytes(patient.person_index)]


def exists() -> bool:
    return Organisation.objects.filter(number=region()["organisations"][0]["number"]).exists()


def make_region(now: datetime) -> Region:
    made = Region(now=now, chance=random.Random(2026))
    _organisations(made)
    _people(made)
    _diaries(made)
    _services(made)
    _patients(made)
    return made


def find_region(now: datetime) -> Region:
    """Return the region as it stands in the database, as far as a new day's sessions need it.

    What somebody has renamed or closed since is left out.
    """
    made = Region(now=now, chance=random.Random(timezone.localdate(now).toordinal()))
    _find_units(made)
    _find_people(made)
    keys = {unit.pk: key for key, unit in made.units.items()}
    for service in ServiceType.objects.filter(unit__in=keys).select_related("scenario", "unit__organisation"):
        made.services.setdefault(f"{keys[service.unit_id]}/{service.scenario.code}", service)
    _find_patients(made)
    return made


def _find_units(made: Region) -> None:
    units = {(unit.organisation.number, unit.name): unit for unit in Unit.objects.select_related("organisation")}
    for organisation in region()["organisations"]:
        for unit in organisation["units"]:
            if (found := units.get((organisation["number"], unit["name"]))) is not None:
                made.units[unit["key"]] = found


def _find_people(made: Region) -> None:
    diaries = Schedule.objects.filter(active=True, user__is_active=True).select_related("user", "unit").order_by("pk")
    by_email = {diary.user.email: diary for diary in diaries if diary.user is not None}
    for entry in region()["accounts"]:
        if (known := by_email.get(email_of(entry["name"], DEMO_DOMAIN))) is not None:
            made.diaries[entry["key"]] = known
    for diary in by_email.values():
        if diary.unit_id is not None:
            made.staff_of.setdefault(diary.unit_id, []).append(diary)
    made.interpreters = [diary for diary in by_email.values() if diary.kind == ScheduleKind.INTERPRETER]


def _find_patients(made: Region) -> None:
    people = Schedule.objects.filter(kind=ScheduleKind.PATIENT)
    made.patient_diaries = {bytes(diary.person_index): diary for diary in people if diary.person_index}
    units = [unit.pk for unit in made.units.values()]
    for relation in CareRelation.objects.filter(unit__in=units).select_related("patient").order_by("patient_id"):
        if bytes(relation.patient.person_index) in made.patient_diaries:
            made.patients.setdefault(relation.patient.name, relation.patient)
            made.patients_of.setdefault(relation.unit_id, []).append(relation.patient)
    made.kin_of = {kin.patient_id: kin for kin in NextOfKin.objects.all()}
    groups = [group for group in region()["patients"] if group["unit"] in made.units]
    made.place_of = {made.units[group["unit"]].pk: group["place"] for group in groups}


def email_of(name: str, domain: str) -> str:
    return name.lower().translate(ASCII) + domain


def _organisations(made: Region) -> None:
    for entry in region()["organisations"]:
        fields = {key: entry[key] for key in ("name", "kind", "number", "sms_sender", "phone")}
        organisation = made.organisations[entry["key"]] = add_organisation(**fields)
        for number, unit in enumerate(entry["units"]):
            made.units[unit["key"]] = add_unit(
                organisation=organisation,
                name=unit["name"],
                kind=unit["kind"],
                phone=unit["phone"],
                resh_id=f"{int(entry['number'][-4:]) * 10 + number:07}" if entry["key"] == "hospital" else "",
            )


# People who sign in, and their colleagues ----------------------------------------------------------------------------
def _people(made: Region) -> None:
    password = make_password(PASSWORD)
    users, memberships, schedules = [], [], []
    for entry in region()["accounts"]:
        user = made.accounts[entry["key"]] = _user(
            entry["name"], entry["title"], email_of(entry["name"], DEMO_DOMAIN), password, entry.get("hpr", "")
        )
        users.append(user)
        for unit, roles in entry["roles"].items():
            memberships += [_membership(made, user, made.units[unit], role) for role in roles]
        if "schedule" in entry:
            unit = made.units[next(iter(entry["roles"]))]
            diary = made.diaries[entry["key"]] = _diary(user, unit, entry["schedule"], entry)
            schedules.append(diary)
    for key, people in region()["colleagues"].items():
        unit = made.units[key]
        for name, title in people:
            user = _user(name, title, email_of(name, "@fjordland.example"), make_password(None))
            users.append(user)
            memberships.append(_membership(made, user, unit, Role.CLINICIAN))
            schedules.append(_diary(user, unit, title))
    for entry in region()["interpreters"]:
        user = _user(entry["name"], "Tolk", email_of(entry["name"], "@tolk.example"), make_password(None))
        users.append(user)
        memberships.append(_membership(made, user, made.units["interpreters"], Role.INTERPRETER))
        schedules.append(_diary(user, made.units["interpreters"], "Tolk", entry))
    User.objects.bulk_create(users)
    Membership.objects.bulk_create(memberships)
    Schedule.objects.bulk_create(schedules)
    for user in made.accounts.values():
        add_authenticator(user=user)
    for diary in schedules:
        assert diary.unit_id is not None
        made.staff_of.setdefault(diary.unit_id, []).append(diary)
        if diary.kind == ScheduleKind.INTERPRETER:
            made.interpreters.append(diary)


def _user(name: str, title: str, email: str, password: str, hpr_number: str = "") -> User:
    given_name, family_name = name.split(" ", 1)
    return User(
        email=email,
        password=password,
        given_name=given_name,
        family_name=family_name,
        title=title,
        hpr_number=hpr_number,
    )


def _membership(made: Region, user: User, unit: Unit, role: str) -> Membership:
    return Membership(user=user, unit=unit, role=Role(role), valid_from=made.today - SINCE)


def _diary(user: User, unit: Unit, title: str, entry: dict[str, Any] | None = None) -> Schedule:
    languages = (entry or {}).get("languages", [])
    return Schedule(
        kind=ScheduleKind.INTERPRETER if languages else ScheduleKind.CLINICIAN,
        user=user,
        name=user.name,
        title=title,
        unit=unit,
        languages=languages,
        interpreter_number=(entry or {}).get("number", ""),
        works_on_holidays=unit.kind in {UnitKind.HOME_CARE, UnitKind.NURSING_HOME, UnitKind.HEALTH_HOUSE},
    )


def _diaries(made: Region) -> None:
    openings = []
    for staff in made.staff_of.values():
        for diary in staff:
            assert diary.unit is not None
            always = diary.works_on_holidays or diary.unit.name.endswith("legevakt")
            hours = ROUND_THE_CLOCK if always or diary.kind == ScheduleKind.INTERPRETER else CLINIC
            openings += [
                Opening(schedule=diary, weekday=day, starts=start, ends=end)
                for day in (ALL_DAYS if always else WEEKDAYS)
                for start, end in hours
            ]
    Opening.objects.bulk_create(openings)


# What can be booked --------------------------------------------------------------------------------------------------
def _team(made: Region, key: str) -> Team:
    if key not in made.teams:
        unit = made.units[key]
        team = made.teams[key] = Team.objects.create(unit=unit, name=unit.name)
        members = made.staff_of[unit.pk]
        TeamMember.objects.bulk_create(
            TeamMember(team=team, schedule=diary, position=position) for position, diary in enumerate(members)
        )
    return made.teams[key]


def _services(made: Region) -> None:
    scenarios = {scenario.code: scenario for scenario in Scenario.objects.all()}
    needs: list[Need] = []
    for entry in region()["services"]:
        tuned = {key: value for key, value in entry.items() if key not in NOT_TUNED}
        service = offer_service(
            unit=made.units[entry["unit"]], scenario=scenarios[entry["scenario"]], providers=["builtin"], **tuned
        )
        made.services[f"{entry['unit']}/{entry['scenario']}"] = service
        needs += _needs(made, service, entry)
        _agreements(made, service, entry)
    Need.objects.bulk_create(needs)


def _needs(made: Region, service: ServiceType, entry: dict[str, Any]) -> list[Need]:
    wanted: list[tuple[str, str, Team | None]] = [
        (ParticipantRole.PERFORMER, NeedSource.TEAM, _team(made, entry["unit"]))
    ]
    if "with" in entry:
        wanted.append((ParticipantRole.PERFORMER, NeedSource.TEAM, _team(made, entry["with"])))
    if not service.patient_joins_alone:
        wanted.append((ParticipantRole.REQUESTER, NeedSource.REQUESTER, None))
    if service.interpreter_possible:
        wanted.append((ParticipantRole.INTERPRETER, NeedSource.INTERPRETER, _team(made, "interpreters")))
    return [
        Need(service_type=service, role=role, source=source, team=team, position=position)
        for position, (role, source, team) in enumerate(wanted)
    ]


def _agreements(made: Region, service: ServiceType, entry: dict[str, Any]) -> None:
    for key in entry.get("agreed", [key for key in made.organisations if key != "interpreters"]):
        organisation = made.organisations[key]
        if organisation.pk != service.unit.organisation_id:
            agree(service_type=service, organisation=organisation, mode=entry.get("mode", AgreementMode.DIRECT))


# Patients ------------------------------------------------------------------------------------------------------------
def _patients(made: Region) -> None:
    data = region()
    known = [dict(entry) for entry in data["known_patients"]]
    taken = {entry["name"] for entry in known}
    names = [f"{given} {family}" for given in data["given"] for family in data["family"]]
    made.chance.shuffle(names)
    fresh = iter([name for name in names if name not in taken])
    used: set[str] = set()
    patients: list[Patient] = []
    relations: list[CareRelation] = []
    kin: list[NextOfKin] = []
    for group in data["patients"]:
        unit = made.units[group["unit"]]
        children = group["unit"] == "children"
        for _number in range(group["count"]):
            entry = known.pop(0) if known else _someone(made, next(fresh), children=children)
            patient = _patient(made, unit, entry, number=len(patients), used=used)
            patients.append(patient)
            made.patients[entry["name"]] = patient
            relations.append(CareRelation(patient=patient, unit=unit, since=made.today - SINCE))
            made.patients_of.setdefault(unit.pk, []).append(patient)
            if "kin" in entry:
                kin.append(_kin(patient, *entry["kin"], number=len(kin)))
    Patient.objects.bulk_create(patients)
    CareRelation.objects.bulk_create(relations)
    NextOfKin.objects.bulk_create(kin)
    made.kin_of = {one.patient.pk: one for one in kin}
    diaries = [
        Schedule(kind=ScheduleKind.PATIENT, person_index=patient.person_index, always_open=True) for patient in patients
    ]
    Schedule.objects.bulk_create(diaries)
    made.patient_diaries = {
        bytes(patient.person_index): diary for patient, diary in zip(patients, diaries, strict=True)
    }
    made.place_of = {made.units[group["unit"]].pk: group["place"] for group in data["patients"]}


def _someone(made: Region, name: str, *, children: bool) -> dict[str, Any]:
    ages = (0, 12) if children else (38, 97)
    entry: dict[str, Any] = {
        "name": name,
        "born": made.today - timedelta(days=made.chance.randint(*ages) * 365 + made.chance.randrange(365)),
    }
    if made.chance.random() < 0.16:
        entry["language"] = made.chance.choice(region()["languages"])
    if made.chance.random() < 0.4:
        relation = made.chance.choice(["datter", "sønn", "ektefelle", "samboer", "søster"])
        entry["kin"] = [f"{made.chance.choice(region()['given'])} {name.split(' ', 1)[1]}", relation]
    return entry


def _patient(made: Region, unit: Unit, entry: dict[str, Any], *, number: int, used: set[str]) -> Patient:
    given_name, family_name = entry["name"].split(" ", 1)
    national_id = next(one for one in synthetic_ids(entry["born"]) if one not in used)
    used.add(national_id)
    language = entry.get("language", "nno" if made.chance.random() < 0.2 else "nob")
    phone = f"+4700{410000 + number * 7:06}"
    return Patient(
        organisation=unit.organisation,
        given_name=given_name,
        family_name=family_name,
        birth_date=entry["born"],
        identifier_kind=IdentifierKind.FNR,
        national_id=national_id,
        person_index=blind_index(national_id, "person"),
        phone=phone,
        phone_index=blind_index(phone, "phone"),
        language=language,
        interpreter_needed=language not in {"nob", "nno"},
        interpreter_mode=InterpreterMode.SIGN if language == "nsl" else InterpreterMode.SCREEN,
    )


def _kin(patient: Patient, name: str, relation: str, *, number: int) -> NextOfKin:
    return NextOfKin(patient=patient, name=name, relation=relation, phone=f"+4700{490000 + number * 3:06}")
