"""Brings the database in line with a description. What is in the database and not in the file stays as it is."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import add_user
from apps.catalogue.models import Agreement, Scenario, ServiceType
from apps.catalogue.services import agree, load_scenarios, offer_service
from apps.common.dates import local_date
from apps.common.errors import DomainError
from apps.organisations.models import Membership, Organisation, Unit
from apps.organisations.services import (
    add_organisation,
    add_unit,
    describe_organisation,
    describe_unit,
    give_role,
    invite_user,
)
from apps.scheduling.models import NeedSource, ParticipantRole, Schedule, Team
from apps.scheduling.services.offering import Kept, NeedInput, keep_diary, keep_needs, keep_team

from .file import Description, Faulty, NeedPart, PersonPart, Place, ServicePart, unit_names


@dataclass
class Done:
    """What was made and changed, by kind, and who is invited."""

    now: datetime
    description: Description
    made: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    invited: list[str] = field(default_factory=list)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    units: dict[tuple[int, int], Unit] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    diaries: dict[str, Schedule] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)

    def unit(self, name: str) -> Unit:
        return self.units[unit_names(self.description.installation)[name]]

    def note(self, kind: str, kept: Kept) -> None:
        if kept == Kept.MADE:
            self.made[kind] += 1
        elif kept == Kept.CHANGED:
            self.changed[kind] += 1

    @contextmanager
    def at(self, *place: str | int) -> Iterator[None]:
        """Tell a refusal with its place in the file."""
        try:
            yield
        except DomainError as refusal:
            raise Faulty([self.description.fault(place, str(refusal))]) from refusal


def set_up(description: Description, *, now: datetime, only_check: bool = False) -> Done:
    """Make what the file describes, whole or not at all; raises Faulty. Checking does it all and takes it back."""
    done = Done(now, description)
    with transaction.atomic():
        load_scenarios()
        _organisations(done)
        _people(done)
        _teams(done)
        _services(done)
        if only_check:
            transaction.set_rollback(True)
    return done


def _organisations(done: Done) -> None:
    for number, part in enumerate(done.description.installation.organisations):
        fields = {"name": part.name, "kind": part.kind, "sms_sender": part.sms_sender, "phone": part.phone}
        known = Organisation.objects.filter(number=part.number).first()
        with done.at("organisations", number):
            if known is None:
                organisation = add_organisation(number=part.number, **fields)
                done.note("organisations", Kept.MADE)
            else:
                organisation = known
                done.note("organisations", _kept(describe_organisation(organisation=known, **fields)))
        done.organisations[part.name] = organisation
        for position, unit in enumerate(part.units):
            told: dict[str, Any] = unit.model_dump(exclude={"name"})
            told["public_name"] = told["public_name"] or organisation.name[:60]
            with done.at("organisations", number, "units", position):
                row = Unit.objects.filter(organisation=organisation, name=unit.name).first()
                if row is None:
                    row = add_unit(organisation=organisation, name=unit.name, **told)
                    done.note("units", Kept.MADE)
                else:
                    done.note("units", _kept(describe_unit(unit=row, **told)))
            done.units[number, position] = row


def _people(done: Done) -> None:
    for number, person in enumerate(done.description.installation.people):
        with done.at("people", number):
            done.users[person.email] = _person(done, person)
        if person.diary is not None:
            unit = done.unit(person.diary.unit or next(iter(person.roles)))
            diary, kept = keep_diary(
                user=done.users[person.email],
                unit=unit,
                title=person.diary.title or person.title,
                openings=set(person.diary.openings()),
                languages=person.diary.languages,
                interpreter_number=person.diary.interpreter_number,
                works_on_holidays=person.diary.works_on_holidays,
            )
            done.diaries[person.email] = diary
            done.note("diaries", kept)


def _person(done: Done, person: PersonPart) -> User:
    """Find or make the account. Names and titles of people who are known are theirs to change, not the file's."""
    user = User.objects.filter(email__iexact=person.email).first()
    if user is None:
        user = add_user(
            email=person.email,
            given_name=person.given_name,
            family_name=person.family_name,
            title=person.title,
            hpr_number=person.hpr_number,
            language=person.language,
        )
        done.note("people", Kept.MADE)
        if person.invite:
            first, roles = next(iter(person.roles.items()))
            invite_user(
                email=user.email,
                given_name=user.given_name,
                family_name=user.family_name,
                unit=done.unit(first),
                role=roles[0],
                now=done.now,
            )
            done.invited.append(user.email)
    today = local_date(done.now)
    held = set(Membership.objects.valid_on(today).filter(user=user).values_list("unit_id", "role"))
    for name, roles in person.roles.items():
        unit = done.unit(name)
        for role in roles:
            if (unit.pk, role.value) not in held:
                give_role(user=user, unit=unit, role=role, valid_from=today)
                done.note("roles", Kept.MADE)
    return user


def _teams(done: Done) -> None:
    for team in done.description.installation.teams:
        members = [done.diaries[email] for email in team.members]
        row, kept = keep_team(unit=done.unit(team.unit), name=team.name, members=members, order=team.order)
        done.teams[team.name] = row
        done.note("teams", kept)


def _services(done: Done) -> None:
    scenarios = {scenario.code: scenario for scenario in Scenario.objects.all()}
    for number, part in enumerate(done.description.installation.services):
        place: Place = ("services", number)
        if part.scenario not in scenarios:
            codes = ", ".join(sorted(scenarios))
            raise Faulty(
                [
                    done.description.fault(
                        (*place, "scenario"), f"The catalogue has no {part.scenario}. It has: {codes}."
                    )
                ]
            )
        with done.at(*place, "scenario"):
            kept = _service(done, part, scenarios[part.scenario])
        done.note("services", kept)


def _service(done: Done, part: ServicePart, scenario: Scenario) -> Kept:
    unit = done.unit(part.unit)
    before = ServiceType.objects.filter(unit=unit, scenario=scenario).values().first()
    service = offer_service(unit=unit, scenario=scenario, **part.tuned())
    changed = before != ServiceType.objects.filter(pk=service.pk).values().first()
    changed |= keep_needs(service_type=service, needs=[_need(done, need) for need in part.needs]) != Kept.AS_IT_WAS
    for agreement in part.agreements:
        organisation = done.organisations[agreement.organisation]
        if organisation.pk == unit.organisation_id:
            continue  # one's own needs no agreement
        known = Agreement.objects.filter(service_type=service, organisation=organisation, mode=agreement.mode)
        if not known.exists():
            agree(service_type=service, organisation=organisation, mode=agreement.mode)
            changed = True
    return Kept.MADE if before is None else _kept(changed)


def _need(done: Done, need: NeedPart) -> NeedInput:
    source = NeedSource.SCHEDULE
    if need.role == ParticipantRole.REQUESTER:
        source = NeedSource.REQUESTER
    elif need.role == ParticipantRole.INTERPRETER:
        source = NeedSource.INTERPRETER
    elif need.team:
        source = NeedSource.TEAM
    return NeedInput(
        role=need.role,
        source=source,
        team=done.teams[need.team] if need.team else None,
        schedule=done.diaries[need.person.lower()] if need.person else None,
        label=need.label,
        required=need.required,
    )


def _kept(changed: bool) -> Kept:
    return Kept.CHANGED if changed else Kept.AS_IT_WAS
