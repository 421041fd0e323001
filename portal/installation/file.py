"""Reads the file that describes an installation. Every fault is found at once, each with its line."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Final, Literal

import yaml
from django.core.exceptions import ValidationError as WrongValue
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from stdnum.no import orgnr

from apps.catalogue.models import AgreementMode, Identification, Provider
from apps.common.errors import DomainError
from apps.common.languages import LANGUAGES
from apps.common.phones import normalise_phone
from apps.common.plain_text import is_plain
from apps.organisations.models import OrganisationKind, Role, UnitKind
from apps.scheduling.models import ParticipantRole, TeamOrder

UNREADABLE: Final = "This is no date or number that there is."
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    place: Place
    line: int
    message: str

    def __str__(self) -> str:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place).lstrip(".")
        return f"line {self.line}: {where + ': ' if where else ''}{self.message}"


class Faulty(Exception):
    """The file cannot be used; `faults` says why, in the order of its lines."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__()
        self.faults = sorted(faults, key=lambda fault: fault.line)


# What stands in the file ---------------------------------------------------------------------------------------------
def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{message}", {"message": message})


def _phone(text: str) -> str:
    try:
        return normalise_phone(text)
    except DomainError:
        raise _wrong("This is no telephone number. Write +47 and eight digits.") from None


def _email(text: str) -> str:
    try:
        validate_email(text)
    except WrongValue:
        raise _wrong("This is no e-mail address.") from None
    return text.lower()


def _number(text: str) -> str:
    if not orgnr.is_valid(text):
        raise _wrong("This is no organisation number: nine digits, of which the last is a check digit.")
    return text


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise _wrong(f"No language has this code. Use one of: {', '.join(LANGUAGES)}.")
    return code


def _provider(name: str) -> str:
    if name not in Provider.values:
        raise _wrong(f"No provider of rooms has this name. Use one of: {', '.join(Provider.values)}.")
    return name


def _days(text: str) -> str:
    first, _, last = text.partition("-")
    if first not in DAYS or (last and last not in DAYS) or (last and DAYS.index(last) < DAYS.index(first)):
        raise _wrong("Days are written as mon, or mon-fri.")
    return text


def _hours(text: str) -> str:
    try:
        starts, ends = _span(text)
    except ValueError:
        raise _wrong("Hours are written as 08.00-15.30.") from None
    if starts == ends:
        raise _wrong("These hours end when they begin.")
    return text


def _span(text: str) -> tuple[time, time]:
    starts, ends = (time.fromisoformat(part.strip().replace(".", ":")) for part in text.split("-"))
    return starts, ends


def _digits(value: Any) -> Any:
    """Numbers that are names: YAML reads them as numbers when nobody quotes them."""
    return "".join(str(value).split()) if isinstance(value, int | str) else value


Name = Annotated[str, Field(min_length=1, max_length=120)]
Short = Annotated[str, Field(min_length=1, max_length=80)]
Phone = Annotated[str, BeforeValidator(_digits), AfterValidator(_phone)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Code = Annotated[str, BeforeValidator(_digits), Field(max_length=10)]
Minutes = Annotated[int, Field(ge=0, le=120, multiple_of=5)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*")
    @classmethod
    def _is_plain(cls, value: Any) -> Any:
        """What stands here comes into mails, calendars and SMS."""
        texts = value.values() if isinstance(value, dict) else [value]
        if not all(is_plain(text) for text in texts if isinstance(text, str)):
            raise _wrong("Write letters, digits and ordinary signs only, on one line.")
        return value


class UnitPart(Part):
    name: Name
    kind: UnitKind
    phone: Phone
    public_name: Annotated[str, Field(max_length=60)] = ""
    address: Annotated[str, Field(max_length=160)] = ""
    resh_id: Code = ""
    her_id: Code = ""


class OrganisationPart(Part):
    name: Name
    kind: OrganisationKind
    number: Annotated[str, BeforeValidator(_digits), AfterValidator(_number)]
    phone: Phone
    sms_sender: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,11}$")] = "Videotime"
    units: Annotated[list[UnitPart], Field(min_length=1)]


class DiaryPart(Part):
    hours: dict[Annotated[str, AfterValidator(_days)], list[Annotated[str, AfterValidator(_hours)]]]
    title: Annotated[str, Field(max_length=80)] = ""
    unit: str = ""
    works_on_holidays: bool = False
    languages: list[Annotated[str, AfterValidator(_language)]] = []
    interpreter_number: Annotated[str, BeforeValidator(_digits), Field(max_length=12)] = ""

    def openings(self) -> Iterator[tuple[int, time, time]]:
        for days, spans in self.hours.items():
            first, _, last = days.partition("-")
            for day in range(DAYS.index(first), DAYS.index(last or first) + 1):
                for span in spans:
                    yield day, *_span(span)


class PersonPart(Part):
    email: Email
    given_name: Short
    family_name: Short
    title: Annotated[str, Field(max_length=80)] = ""
    hpr_number: Annotated[str, BeforeValidator(_digits), Field(max_length=9)] = ""
    language: Literal["nb", "nn", "se", "en"] = "nb"
    roles: Annotated[dict[str, Annotated[list[Role], Field(min_length=1)]], Field(min_length=1)]
    diary: DiaryPart | None = None
    invite: bool = False


class TeamPart(Part):
    name: Name
    unit: str
    members: Annotated[list[Email], Field(min_length=1)]
    order: TeamOrder = TeamOrder.FAIR


class NeedPart(Part):
    role: Literal[
        ParticipantRole.PERFORMER, ParticipantRole.REQUESTER, ParticipantRole.INTERPRETER, ParticipantRole.GUEST
    ]
    team: str = ""
    person: str = ""
    label: Annotated[str, Field(max_length=60)] = ""
    required: bool = True


class AgreementPart(Part):
    organisation: str
    mode: AgreementMode = AgreementMode.DIRECT


class Tuning(Part):
    """What a unit may set otherwise than the catalogue proposes."""

    active: bool | None = None
    names: dict[Literal["nb", "nn", "se", "en"], Name] | None = None
    length_minutes: Annotated[int, Field(ge=5, le=480, multiple_of=5)] | None = None
    buffer_before_minutes: Minutes | None = None
    buffer_after_minutes: Minutes | None = None
    start_grid_minutes: Literal[5, 10, 15, 20, 30, 60] | None = None
    shortest_notice_minutes: Annotated[int, Field(ge=0, le=43200)] | None = None
    horizon_days: Annotated[int, Field(ge=1, le=365)] | None = None
    patient_present: bool | None = None
    patient_joins_alone: bool | None = None
    interpreter_possible: bool | None = None
    photo_upload: bool | None = None
    identification: Identification | None = None
    patient_may_move: bool | None = None
    patient_may_cancel: bool | None = None
    patient_change_notice_hours: Annotated[int, Field(ge=0, le=720)] | None = None
    providers: Annotated[list[Annotated[str, AfterValidator(_provider)]], Field(min_length=1)] | None = None
    speciality: Annotated[str, BeforeValidator(_digits), Field(max_length=3)] | None = None


class ServicePart(Tuning):
    scenario: str
    unit: str
    needs: Annotated[list[NeedPart], Field(min_length=1)]
    agreements: list[AgreementPart] = []

    def tuned(self) -> dict[str, Any]:
        found: dict[str, Any] = self.model_dump(include=set(Tuning.model_fields), exclude_none=True)
        return {"providers": [Provider.BUILTIN.value]} | found


class Installation(Part):
    organisations: Annotated[list[OrganisationPart], Field(min_length=1)]
    people: list[PersonPart] = []
    teams: list[TeamPart] = []
    services: list[ServicePart] = []


# Reading it ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Description:
    installation: Installation
    lines: dict[Place, int]

    def fault(self, place: Place, message: str) -> Fault:
        return Fault(place, _line(place, self.lines), message)


def read(text: str) -> Description:
    """Return what the file says; raises Faulty."""
    lines: dict[Place, int] = {}
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        faults = list(_find_lines(tree, (), lines)) if tree is not None else []
        if any(fault.message == UNREADABLE for fault in faults):
            raise Faulty(faults)
        plain = yaml.safe_load(text)
    except RecursionError:
        raise Faulty([Fault((), 1, "Something here stands within itself, or far too deep.")]) from None
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        what = getattr(fault, "problem", None) or "not YAML"
        raise Faulty([Fault((), mark.line + 1 if mark else 1, f"This is not YAML: {what}.")]) from None
    try:
        description = Description(Installation.model_validate(plain), lines)
    except ValidationError as wrong:
        faults += [_told(error, lines) for error in wrong.errors(include_url=False)]
        raise Faulty(faults) from None
    if faults := faults + list(_loose_ends(description)):
        raise Faulty(faults)
    return description


def _find_lines(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Iterator[Fault]:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield from _find_lines(entry, (*place, number), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            if inner in lines:
                yield Fault(inner, key.start_mark.line + 1, "This stands here twice.")
            lines[inner] = key.start_mark.line + 1
            yield from _find_lines(value, inner, lines)
    else:
        try:
            yaml.SafeLoader("").construct_object(node)
        except ValueError:
            yield Fault(place, node.start_mark.line + 1, UNREADABLE)


def _line(place: Place, lines: dict[Place, int]) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _told(error: Any, lines: dict[Place, int]) -> Fault:
    place = tuple(step for step in error["loc"] if step != "[key]")
    message = {
        "missing": "This is missing.",
        "extra_forbidden": "Nothing is called this here. Is it spelt right?",
        "model_type": "Here names with values belong, as in docs/example-region.yaml.",
    }.get(error["type"], error["msg"])
    return Fault(place, _line(place, lines), message if message.endswith(".") else f"{message}.")


# What one part says of another ---------------------------------------------------------------------------------------
def unit_names(installation: Installation) -> dict[str, tuple[int, int]]:
    """Return where each unit stands, by its name, or by «Organisation / Unit» where several have the name."""
    found: dict[str, tuple[int, int]] = {}
    count = Counter(unit.name for organisation in installation.organisations for unit in organisation.units)
    for number, organisation in enumerate(installation.organisations):
        for position, unit in enumerate(organisation.units):
            found[f"{organisation.name} / {unit.name}"] = number, position
            if count[unit.name] == 1:
                found[unit.name] = number, position
    return found


def _loose_ends(description: Description) -> Iterator[Fault]:
    whole = description.installation
    yield from _twice(description, "organisations", [one.number for one in whole.organisations])
    yield from _twice(description, "people", [one.email for one in whole.people])
    yield from _twice(description, "teams", [one.name for one in whole.teams])
    yield from _twice(description, "services", [f"{one.scenario} in {one.unit}" for one in whole.services])
    for number, organisation in enumerate(whole.organisations):
        for name, count in Counter(one.name for one in organisation.units).items():
            if count > 1:
                yield description.fault(("organisations", number, "units"), f"{count} units are called {name}.")
    yield from _loose_units(description)
    yield from _loose_members(description)
    yield from _loose_services(description)


def _loose_units(description: Description) -> Iterator[Fault]:
    whole = description.installation
    units = unit_names(whole)
    named: list[tuple[Place, str]] = []
    for number, person in enumerate(whole.people):
        named += [(("people", number, "roles", name), name) for name in person.roles]
        if person.diary and person.diary.unit:
            named.append((("people", number, "diary", "unit"), person.diary.unit))
    named += [(("teams", number, "unit"), team.unit) for number, team in enumerate(whole.teams)]
    named += [(("services", number, "unit"), service.unit) for number, service in enumerate(whole.services)]
    for place, name in named:
        if name not in units:
            yield description.fault(
                place, f"No unit in this file is called {name}. Of several alike, write Organisation / Unit."
            )


def _loose_members(description: Description) -> Iterator[Fault]:
    whole = description.installation
    diaries = {person.email: person.diary is not None for person in whole.people}
    for number, team in enumerate(whole.teams):
        for position, email in enumerate(team.members):
            if not diaries.get(email):
                what = "has no diary" if email in diaries else "is not among the people of this file"
                yield description.fault(("teams", number, "members", position), f"{email} {what}.")


def _loose_services(description: Description) -> Iterator[Fault]:
    whole = description.installation
    teams, diaries = {team.name for team in whole.teams}, {one.email for one in whole.people if one.diary}
    organisations = {organisation.name for organisation in whole.organisations}
    for number, service in enumerate(whole.services):
        place: Place = ("services", number)
        for position, need in enumerate(service.needs):
            yield from _need(description, (*place, "needs", position), need, teams, diaries)
        for position, agreement in enumerate(service.agreements):
            if agreement.organisation not in organisations:
                yield description.fault(
                    (*place, "agreements", position, "organisation"),
                    f"No organisation in this file is called {agreement.organisation}.",
                )


def _need(
    description: Description, place: Place, need: NeedPart, teams: set[str], diaries: set[str]
) -> Iterator[Fault]:
    fault = description.fault
    if need.team and need.person:
        yield fault(place, "Write a team or a person, not both.")
    elif need.team and need.team not in teams:
        yield fault((*place, "team"), f"No team in this file is called {need.team}.")
    elif need.person and need.person.lower() not in diaries:
        yield fault((*place, "person"), f"Nobody in this file has the address {need.person} and a diary.")
    if need.role == ParticipantRole.REQUESTER:
        if need.team or need.person:
            yield fault(place, "Who books is the requester: write neither team nor person.")
    elif need.role == ParticipantRole.INTERPRETER and not need.team:
        yield fault(place, "An interpreter comes from a team: write which.")
    elif not need.team and not need.person:
        yield fault(place, "Write the team or the person that this role is filled by.")


def _twice(description: Description, part: str, names: list[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            yield description.fault((part, number), f"{name} stands in this file already.")
        seen.add(name)
