"""When somebody is away. Nobody is told why, and nobody is asked."""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction

from apps.common.dates import OSLO
from apps.common.errors import ChangedMeanwhile

from .. import errors
from ..models import Absence, Schedule

LONGEST: Final = timedelta(days=366)
FURTHEST: Final = timedelta(days=5 * 365 + 1)


@transaction.atomic
def note_absence(*, schedule: Schedule, starts_at: datetime, ends_at: datetime, now: datetime) -> Absence:
    """Keep a stretch of somebody's time free of bookings; what touches or overlaps is one absence.

    What is booked or held already stays: whoever knows the patient moves or cancels it
    (`queries.appointments_during` lists it).

    Raises AbsenceEndsFirst, AbsencePast, AbsenceTooLong, AbsenceTooFar.
    """
    _check(starts_at, ends_at, now=now)
    _lock(schedule.pk)
    beside = Absence.objects.filter(schedule=schedule, starts_at__lte=ends_at, ends_at__gte=starts_at)
    known = list(beside)
    first = min([starts_at, *(one.starts_at for one in known)])
    last = max([ends_at, *(one.ends_at for one in known)])
    if len(known) == 1 and (known[0].starts_at, known[0].ends_at) == (first, last):
        return known[0]
    # A new row: who still has one of the old ones before her removes no more than she sees.
    beside.delete()
    return Absence.objects.create(schedule=schedule, starts_at=first, ends_at=last)


@transaction.atomic
def remove_absence(absence: Absence) -> None:
    """Open the time again at once. Raises ChangedMeanwhile where it was removed or joined with another."""
    _lock(absence.schedule_id)
    gone, _rows = Absence.objects.filter(pk=absence.pk).delete()
    if not gone:
        raise ChangedMeanwhile


def _lock(schedule_id: int) -> None:
    """Let one at a time change a diary's absences. Bookings go on: they need no lock on the schedule."""
    Schedule.objects.select_for_update(no_key=True).values_list("pk").get(pk=schedule_id)


def _check(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    first, last, today = (moment.astimezone(OSLO).replace(tzinfo=None) for moment in (starts_at, ends_at, now))

    def on(day: date) -> str:
        """Name what is to be corrected where it ends on this day: the clock, unless it ends with the day before."""
        return "to_clock" if last.date() == day and last.time() != time() else "last_day"

    if ends_at <= starts_at:
        raise errors.AbsenceEndsFirst(field=on(first.date()))
    if ends_at <= now:
        raise errors.AbsencePast(field=on(today.date()))
    if last - first > LONGEST:
        raise errors.AbsenceTooLong
    if starts_at > now + FURTHEST:
        raise errors.AbsenceTooFar
