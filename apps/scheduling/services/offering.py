"""Diaries, teams and needs as somebody describes them: brought in line, and left alone where they are so already."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import time
from enum import Enum

from django.db import transaction

from apps.accounts.models import User
from apps.catalogue.models import ServiceType
from apps.common.writing import change
from apps.organisations.models import Unit

from ..models import Need, NeedSource, Opening, Schedule, ScheduleKind, Team, TeamMember, TeamOrder

Weekly = tuple[int, time, time]
"""Weekday (0 is Monday), from and to in Europe/Oslo."""


class Kept(Enum):
    MADE = "made"
    CHANGED = "changed"
    AS_IT_WAS = "as it was"


@dataclass(frozen=True)
class NeedInput:
    role: str
    source: NeedSource
    team: Team | None = None
    schedule: Schedule | None = None
    label: str = ""
    required: bool = True


@transaction.atomic
def keep_diary(
    *,
    user: User,
    unit: Unit,
    title: str,
    openings: Collection[Weekly],
    languages: Sequence[str] = (),
    interpreter_number: str = "",
    works_on_holidays: bool = False,
) -> tuple[Schedule, Kept]:
    """Give somebody a diary with these weekly openings. Openings of single dates, or for a time, stay.

    Where people have changed the hours themselves, they stay as they are.
    """
    fields = {
        "kind": ScheduleKind.INTERPRETER if languages else ScheduleKind.CLINICIAN,
        "name": user.name,
        "title": title,
        "unit": unit,
        "languages": list(languages),
        "interpreter_number": interpreter_number,
        "works_on_holidays": works_on_holidays,
        "always_open": False,
        "active": True,
    }
    diary, made = Schedule.objects.get_or_create(user=user, defaults=fields)
    changed = not made and change(diary, fields)
    weekly = diary.openings.filter(weekday__isnull=False, valid_from__isnull=True, valid_to__isnull=True)
    if not diary.hours_kept_here and set(weekly.values_list("weekday", "starts", "ends")) != set(openings):
        weekly.delete()
        Opening.objects.bulk_create(
            Opening(schedule=diary, weekday=day, starts=starts, ends=ends)
            for day, starts, ends in sorted(set(openings))
        )
        changed = True
    return diary, _kept(made, changed)


@transaction.atomic
def keep_team(*, unit: Unit, name: str, members: Sequence[Schedule], order: str = TeamOrder.FAIR) -> tuple[Team, Kept]:
    team, made = Team.objects.get_or_create(unit=unit, name=name, defaults={"order": order})
    changed = not made and change(team, {"order": order})
    wanted = [diary.pk for diary in members]
    if list(team.members.order_by("position", "id").values_list("schedule_id", flat=True)) != wanted:
        team.members.all().delete()
        TeamMember.objects.bulk_create(
            TeamMember(team=team, schedule_id=pk, position=position) for position, pk in enumerate(wanted)
        )
        changed = True
    return team, _kept(made, changed)


@transaction.atomic
def keep_needs(*, service_type: ServiceType, needs: Sequence[NeedInput]) -> Kept:
    """Say who must be there. A need that stays in its place stays the same row: drafts point at it."""
    rows = list(Need.objects.filter(service_type=service_type).order_by("position", "id"))
    changed = len(rows) != len(needs)
    for position, need in enumerate(needs):
        fields = {
            "role": need.role,
            "source": need.source,
            "team": need.team,
            "schedule": need.schedule,
            "label": need.label,
            "required": need.required,
            "position": position,
        }
        if position < len(rows):
            changed |= change(rows[position], fields)
        else:
            Need.objects.create(service_type=service_type, **fields)
    for row in rows[len(needs) :]:
        row.delete()
    return _kept(not rows and bool(needs), changed)


def _kept(made: bool, changed: bool) -> Kept:
    return Kept.MADE if made else Kept.CHANGED if changed else Kept.AS_IT_WAS
