"""When a diary is open, and what is booked outside that."""

from datetime import date, datetime

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.organisations.queries import Staff

from ..engine.bits import stretch
from ..engine.openings import open_bits
from ..engine.units import unit_after, unit_at
from ..holidays import public_holidays
from ..models import Appointment, Occupancy, Opening, Schedule
from ..models.appointment import AppointmentQuerySet
from .absences import STANDING, diaries_kept_by
from .agenda import rules_of


def diaries_opened_by(staff: Staff) -> list[Schedule]:
    """Return whose opening hours she may change: as with absence, but not of what is open at all hours."""
    return [one for one in diaries_kept_by(staff) if not one.always_open]


def openings_of(schedule: Schedule, *, today: date) -> QuerySet[Opening]:
    """Return what holds today or will: the week from Monday on, then the single days, the next first."""
    return schedule.openings.filter(
        Q(on__gte=today) | Q(on__isnull=True) & (Q(valid_to__isnull=True) | Q(valid_to__gte=today))
    ).order_by(F("on").asc(nulls_first=True), "weekday", "starts", "valid_from", "id")


def booked_while_closed(schedule: Schedule, *, now: datetime) -> AppointmentQuerySet:
    """Return the appointments to come of which a part lies outside the diary's hours; a service's buffers may."""
    taken = Occupancy.objects.filter(
        schedule=schedule, appointment__status__in=STANDING, appointment__ends_at__gt=now
    ).values_list("appointment_id", "appointment__starts_at", "appointment__ends_at")
    stretches = {pk: (unit_at(start), unit_after(end)) for pk, start, end in taken}
    outside: list[int] = []
    if stretches:
        first, last = min(start for start, _end in stretches.values()), max(end for _start, end in stretches.values())
        years = timezone.localdate(now).year, timezone.localdate(max(end for _pk, _start, end in taken)).year
        closed = frozenset() if schedule.works_on_holidays else public_holidays(*years)
        shut = ~open_bits(rules_of(list(schedule.openings.all()), closed), first, last)
        outside = [pk for pk, (start, end) in stretches.items() if stretch(start - first, end - first) & shut]
    return Appointment.objects.filter(pk__in=outside)
