"""From the start of a session to its end, and the sweepers that tidy up."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.accounts.models import User

from .. import errors, events
from ..models import Appointment, AppointmentStatus, EventKind, Hold, Occupancy


@transaction.atomic
def start_appointment(*, appointment: Appointment, now: datetime, actor: User | None = None) -> bool:
    """Note that they have met; say whether this was the first time it was noted."""
    changed = Appointment.objects.filter(pk=appointment.pk, status=AppointmentStatus.BOOKED).update(
        status=AppointmentStatus.ARRIVED, started_at=now
    )
    if changed:
        appointment.refresh_from_db(fields=["status", "started_at", "version"])
        events.record(appointment, EventKind.STARTED, now=now, actor=actor)
    return bool(changed)


@transaction.atomic
def end_appointment(*, appointment: Appointment, now: datetime, actor: User | None = None) -> bool:
    """Note that a session that had begun is over; say whether this was the first time."""
    changed = Appointment.objects.filter(pk=appointment.pk, status=AppointmentStatus.ARRIVED).update(
        status=AppointmentStatus.FULFILLED, ended_at=now
    )
    if changed:
        appointment.refresh_from_db(fields=["status", "ended_at", "version"])
        events.record(appointment, EventKind.ENDED, now=now, actor=actor)
    return bool(changed)


@transaction.atomic
def mark_held(*, appointment: Appointment, actor: User, now: datetime) -> None:
    """Note by hand that a session took place (by telephone, or in another room). Raises NotOpenAnyMore."""
    changed = Appointment.objects.filter(pk=appointment.pk, status=AppointmentStatus.BOOKED, starts_at__lte=now).update(
        status=AppointmentStatus.FULFILLED, started_at=appointment.starts_at, ended_at=now
    )
    if not changed:
        raise errors.NotOpenAnyMore
    appointment.refresh_from_db(fields=["status", "started_at", "ended_at", "version"])
    events.record(appointment, EventKind.ENDED, now=now, actor=actor)


@transaction.atomic
def mark_no_show(*, appointment: Appointment, actor: User, now: datetime) -> None:
    """Note that the patient did not come. Raises NotOpenAnyMore before the start or after the session was held."""
    changed = Appointment.objects.filter(pk=appointment.pk, status=AppointmentStatus.BOOKED, starts_at__lte=now).update(
        status=AppointmentStatus.NO_SHOW
    )
    if not changed:
        raise errors.NotOpenAnyMore
    appointment.refresh_from_db(fields=["status", "version"])
    events.record(appointment, EventKind.NO_SHOW, now=now, actor=actor)


def close_past(*, now: datetime) -> int:
    """End the sessions that have begun and whose room nobody can come into any more; return how many."""
    closed = now - settings.LINK_CLOSES_AFTER
    over = Appointment.objects.filter(status=AppointmentStatus.ARRIVED, ends_at__lte=closed).order_by("id")
    return sum(end_appointment(appointment=appointment, now=now) for appointment in over[:500])


def remove_expired(*, now: datetime) -> int:
    """Remove holds that ran out (whoever meets one removes its rows sooner); return how many."""
    expired = Hold.objects.filter(expires_at__lte=now - timedelta(minutes=5))
    Occupancy.objects.filter(hold__in=expired).delete()
    removed, _by_model = expired.delete()
    return removed
