"""What pages show beside the appointments: whose form is filled in, and when a diary is free or busy."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from apps.organisations.models import Unit

from ..engine.bits import stretch
from ..engine.openings import Dated, Openings, Weekly, open_bits, opening_rules
from ..engine.units import DAY_MINUTES, moment_of, unit_after, unit_at, units_in
from ..holidays import public_holidays
from ..models import Absence, Appointment, FormAnswers, Occupancy, OccupancyKind, Opening, Schedule, ScheduleKind
from .diaries import ZONE

SHOWN_TOGETHER = 12
"""More columns than this cannot be read beside one another."""

SHORTEST_SHOWN = units_in(timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in a diary that is not an appointment: free to be booked, or busy with something else."""

    schedule_id: int
    starts_at: datetime
    ends_at: datetime
    free: bool


def with_form_filled(appointments: Collection[Appointment]) -> frozenset[int]:
    """Return which of these have their form filled in whole, without opening it."""
    asked = [one.pk for one in appointments if one.service_type.form]
    if not asked:
        return frozenset()
    return frozenset(
        FormAnswers.objects.filter(appointment__in=asked, complete=True).values_list("appointment_id", flat=True)
    )


def schedules_of(unit: Unit) -> list[Schedule]:
    """Return whose days are shown together: the unit's people and equipment, and its teams' members."""
    own = Schedule.objects.filter(active=True).exclude(kind=ScheduleKind.PATIENT)
    together = own.filter(unit=unit) | own.filter(teams__unit=unit)
    return list(together.distinct().order_by("name", "id")[:SHOWN_TOGETHER])


def stretches_of(schedules: Sequence[Schedule], start: datetime, end: datetime, *, now: datetime) -> list[Stretch]:
    """Return when these diaries are free or busy in [start, end): three queries, however many diaries.

    Free is what opening rules leave open and nothing takes. A held time is busy while the hold lasts.
    """
    ids = [schedule.pk for schedule in schedules]
    first, last = unit_at(start), unit_after(end)
    rules: dict[int, list[Opening]] = {}
    for opening in Opening.objects.filter(schedule__in=ids):
        rules.setdefault(opening.schedule_id, []).append(opening)

    taken = dict.fromkeys(ids, 0)
    found = []
    rows = Occupancy.objects.filter(schedule__in=ids, during__overlap=DateTimeTZRange(start, end))
    for schedule_id, during, kind, expires_at in rows.values_list("schedule_id", "during", "kind", "expires_at"):
        if expires_at is not None and expires_at <= now:
            continue
        taken[schedule_id] |= _between(during.lower, during.upper, first, last)
        if kind != OccupancyKind.APPOINTMENT:
            found.append(Stretch(schedule_id, max(during.lower, start), min(during.upper, end), free=False))
    away = Absence.objects.filter(schedule__in=ids, starts_at__lt=end, ends_at__gt=start)
    for absence in away:
        taken[absence.schedule_id] |= _between(absence.starts_at, absence.ends_at, first, last)
        found.append(Stretch(absence.schedule_id, max(absence.starts_at, start), min(absence.ends_at, end), free=False))

    closed = public_holidays(timezone.localdate(start).year, timezone.localdate(end).year)
    past = _between(start, now, first, last) if now > start else 0
    for schedule in schedules:
        if schedule.always_open or schedule.pk not in rules:
            continue
        openings = rules_of(rules[schedule.pk], frozenset() if schedule.works_on_holidays else closed)
        free = open_bits(openings, first, last) & ~taken[schedule.pk] & ~past
        found += [
            Stretch(schedule.pk, moment_of(first + begin), moment_of(first + stop), free=True)
            for begin, stop in _runs(free)
            if stop - begin >= SHORTEST_SHOWN
        ]
    return sorted(found, key=lambda one: (one.starts_at, one.schedule_id))


def _between(start: datetime, end: datetime, first: int, last: int) -> int:
    return stretch(max(unit_at(start), first) - first, min(unit_after(end), last) - first)


def rules_of(rules: Sequence[Opening], closed: frozenset[date]) -> Openings:
    weekly: list[Weekly] = []
    dated: list[Dated] = []
    for rule in rules:
        start, end = rule.starts.hour * 60 + rule.starts.minute, rule.ends.hour * 60 + rule.ends.minute
        end = end if end > start else end + DAY_MINUTES
        if rule.on is not None:
            dated.append(Dated(rule.on, start, end))
        elif rule.weekday is not None:
            bounds = {"valid_from": rule.valid_from, "valid_to": rule.valid_to}
            weekly.append(Weekly(rule.weekday, start, end, **{key: day for key, day in bounds.items() if day}))
    return opening_rules(ZONE, tuple(weekly), tuple(dated), closed)


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    """List the runs of set bits as (first, after the last)."""
    edges = bits ^ (bits << 1)
    at = [position for position in range(edges.bit_length()) if edges >> position & 1]
    return ((begin, stop) for index, (begin, stop) in enumerate(pairwise(at)) if index % 2 == 0)
