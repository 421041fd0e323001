"""When a diary is open: what it takes bookings in. What is booked already stays where it is."""

from collections.abc import Collection
from datetime import date, time, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from apps.common.errors import ChangedMeanwhile

from .. import errors
from ..models import Opening, Schedule

FURTHEST: Final = timedelta(days=5 * 365 + 1)
ONE_DAY: Final = timedelta(days=1)
A_DAY, A_WEEK = 24 * 60, 7 * 24 * 60
"""In minutes."""


@transaction.atomic
def open_weekly(
    *,
    schedule: Schedule,
    weekdays: Collection[int],
    starts: time,
    ends: time,
    first_day: date,
    last_day: date | None,
    today: date,
) -> list[Opening]:
    """Open a diary on these weekdays (Monday is 0), from the first day on and for good or to the last day inclusive.

    Wall time in Norway; an end that is not after the start is on the day after.

    Raises OpeningTakesNoTime, OpeningPast, OpeningTooFar, OpeningEndsFirst, OpeningOverlaps.
    """
    _check(starts, ends, first_day, today=today, field="first_day")
    if last_day is not None and last_day < first_day:
        raise errors.OpeningEndsFirst
    _lock(schedule)
    wanted = [
        Opening(schedule=schedule, weekday=day, starts=starts, ends=ends, valid_from=first_day, valid_to=last_day)
        for day in sorted(set(weekdays))
    ]
    known = schedule.openings.filter(weekday__isnull=False).exclude(valid_to__lt=first_day)
    if last_day is not None:
        known = known.exclude(valid_from__gt=last_day)
    _refuse_twice(wanted, list(known), around=A_WEEK)
    return Opening.objects.bulk_create(wanted)


@transaction.atomic
def open_once(*, schedule: Schedule, day: date, starts: time, ends: time, today: date) -> Opening:
    """Open a diary on one day, besides its weekly hours. Raises as `open_weekly`, at the field `day`."""
    _check(starts, ends, day, today=today, field="day")
    _lock(schedule)
    wanted = Opening(schedule=schedule, on=day, starts=starts, ends=ends)
    _refuse_twice([wanted], list(schedule.openings.filter(on__range=(day - ONE_DAY, day + ONE_DAY))), around=0)
    wanted.save()
    return wanted


@transaction.atomic
def close_opening(opening: Opening, *, from_day: date, today: date) -> None:
    """Let an opening hold no longer from this day on; what it was before stays known.

    Raises OpeningPast, OpeningTooFar, and ChangedMeanwhile where it is gone, or ends before that day by now.
    """
    if from_day < today:
        raise errors.OpeningPast(field="from_day")
    if from_day > today + FURTHEST:
        raise errors.OpeningTooFar(field="from_day")
    _lock(opening.schedule)
    still = Opening.objects.filter(pk=opening.pk)
    still = still.filter(Q(on__gte=from_day) | Q(on__isnull=True, valid_to__isnull=True) | Q(valid_to__gte=from_day))
    found = still.first()
    if found is None:
        raise ChangedMeanwhile
    last = from_day - ONE_DAY
    if found.on is not None or (found.valid_from is not None and found.valid_from > last):
        found.delete()
    else:
        found.valid_to = last
        found.save(update_fields=["valid_to"])


def _lock(schedule: Schedule) -> None:
    """Let one at a time change a diary's hours, and note that they are kept here: the set-up file leaves them alone."""
    Schedule.objects.select_for_update(no_key=True).values_list("pk").get(pk=schedule.pk)
    Schedule.objects.filter(pk=schedule.pk, hours_kept_here=False).update(hours_kept_here=True)


def _check(starts: time, ends: time, first: date, *, today: date, field: str) -> None:
    if starts == ends:
        raise errors.OpeningTakesNoTime
    if first < today:
        raise errors.OpeningPast(field=field)
    if first > today + FURTHEST:
        raise errors.OpeningTooFar(field=field)


def _refuse_twice(wanted: Collection[Opening], known: Collection[Opening], *, around: int) -> None:
    """Refuse what is open already by a rule of the same kind; `around` is after how many minutes the rules come again."""
    for one in wanted:
        start, end = _minutes(one)
        for other in known:
            begin, stop = _minutes(other)
            if any(start < stop + turn and begin + turn < end for turn in {-around, 0, around}):
                raise errors.OpeningOverlaps


def _minutes(opening: Opening) -> tuple[int, int]:
    """Return from which minute to which it is open, counted from a Monday, or from the first of all days."""
    day = opening.on.toordinal() if opening.on is not None else opening.weekday or 0
    start = day * A_DAY + opening.starts.hour * 60 + opening.starts.minute
    end = day * A_DAY + opening.ends.hour * 60 + opening.ends.minute
    return start, end if end > start else end + A_DAY
