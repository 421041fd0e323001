"""Who is away when, and what stands in that time all the same."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.fields import DateTimeRangeField
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Count, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.organisations.queries import Staff

from ..models import Absence, Appointment, AppointmentStatus, Occupancy, Schedule, ScheduleKind
from ..models.appointment import AppointmentQuerySet

STANDING: Final = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED)
OF_ABSENCE: Final = Func(
    OuterRef("starts_at"), OuterRef("ends_at"), function="tstzrange", output_field=DateTimeRangeField()
)


def diaries_kept_by(staff: Staff) -> list[Schedule]:
    """Return whose absence she may note and remove: her own, and for who leads it all of the unit she is in.

    Never a patient's.
    """
    hers = Q(user=staff.user)
    if staff.may_keep_diaries:
        hers |= Q(unit=staff.unit)
    return list(Schedule.objects.filter(hers, active=True).exclude(kind=ScheduleKind.PATIENT).order_by("name", "id"))


def absences_of(schedules: Collection[Schedule], *, now: datetime) -> QuerySet[Absence]:
    """Return who of them is or will be away, the first first, with how many appointments stand in the time (`standing`)."""
    rows = _standing(OuterRef("schedule"), OF_ABSENCE, now=now).filter(
        appointment__starts_at__lt=OuterRef("ends_at"), appointment__ends_at__gt=OuterRef("starts_at")
    )
    count = rows.order_by().values("schedule").annotate(n=Count("pk")).values("n")
    return (
        Absence.objects.filter(schedule__in=schedules, ends_at__gt=now)
        .select_related("schedule")
        .annotate(standing=Coalesce(Subquery(count), 0))
        .order_by("starts_at", "schedule__name", "id")
    )


def appointments_during(absence: Absence, *, now: datetime) -> AppointmentQuerySet:
    """Return what is still to be held while somebody is away, with whom she was to meet."""
    time = DateTimeTZRange(absence.starts_at, absence.ends_at)
    rows = _standing(absence.schedule_id, time, now=now)
    return Appointment.objects.overlapping(absence.starts_at, absence.ends_at).filter(pk__in=rows.values("appointment"))


def _standing(schedule: Any, during: Any, *, now: datetime) -> QuerySet[Occupancy]:
    """Return what takes time for an appointment that is not over; a service's buffers may reach further than it does."""
    return Occupancy.objects.filter(
        schedule=schedule,
        during__overlap=during,
        appointment__status__in=STANDING,
        appointment__ends_at__gt=now,
    )
