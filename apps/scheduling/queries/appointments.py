"""Reading appointments: a day, a week, and who is in them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.accounts.models import User
from apps.common.prepared import Prepared
from apps.common.rows import bigints, rows_of
from apps.organisations.models import Unit
from apps.organisations.queries import Staff, registering_side

from ..models import Appointment, AppointmentStatus, BookingDraft, Participant, ParticipantRole
from ..models.appointment import AppointmentQuerySet

OSLO = ZoneInfo("Europe/Oslo")

TAKEN = """
SELECT DISTINCT wanted.schedule_id
FROM unnest(%(schedules)s::bigint[], %(lowers)s::timestamptz[], %(uppers)s::timestamptz[])
     AS wanted (schedule_id, lower, upper)
JOIN scheduling_occupancy AS occupancy ON occupancy.schedule_id = wanted.schedule_id
  AND occupancy.during && tstzrange(wanted.lower, wanted.upper)
WHERE occupancy.expires_at IS NULL OR occupancy.expires_at > %(now)s::timestamptz
"""


def local_day(day: date) -> tuple[datetime, datetime]:
    """Return the first moment of a day in Europe/Oslo and the first of the next."""
    start = datetime(day.year, day.month, day.day, tzinfo=OSLO)
    following = day + timedelta(days=1)
    return start, datetime(following.year, following.month, following.day, tzinfo=OSLO)


def visible_appointment(user: User, reference: str) -> Appointment | None:
    """Return the appointment if this user may see it, with the names that its page shows."""
    return _VISIBLE.first(user_id=user.pk, today=timezone.localdate(), reference=reference) if user.is_active else None


_VISIBLE = Prepared(
    lambda user_id, today, reference: (
        Appointment.objects.open_to(user_id, today).with_names().filter(reference=reference)
    ),
    user_id=int,
    today=date,
    reference=str,
)


def appointments_between(user: User, start: datetime, end: datetime) -> AppointmentQuerySet:
    """Return what this user may see of [start, end), with the names that every list shows: two queries."""
    return Appointment.objects.visible_to(user).overlapping(start, end).with_names().order_by("starts_at", "id")


def day_of(user: User, unit: Unit | None, day: date) -> list[Appointment]:
    """Return the day's appointments that are the user's own or her current unit's, the earliest first."""
    start, end = local_day(day)
    return mine_or_units(appointments_between(user, start, end), user, unit)


def week_of(user: User, unit: Unit | None, monday: date) -> list[Appointment]:
    start, _ = local_day(monday)
    _, end = local_day(monday + timedelta(days=6))
    return mine_or_units(appointments_between(user, start, end), user, unit)


def mine_or_units(appointments: AppointmentQuerySet, user: User, unit: Unit | None) -> list[Appointment]:
    """Keep those that the user takes part in or that belong to the unit she is in now."""
    return [one for one in appointments if takes_part(one, user) or (unit is not None and of_unit(one, unit))]


def registering_unit(of: Appointment | BookingDraft) -> Unit | None:
    """Return the unit whose clerks register the session; None where nobody does.

    DIPS is the hospital's record. Mostly the hospital performs; at a discharge meeting its ward asks. A session about
    no patient, or among municipalities, is not registered anywhere.
    """
    if of.patient_id is None:
        return None
    if isinstance(of, BookingDraft):
        return registering_side(of.service_type.unit, of.unit)
    return registering_side(of.performer_unit, of.requester_unit)


def takes_part(appointment: Appointment, user: User) -> bool:
    return any(
        person.schedule is not None and person.schedule.user_id == user.pk for person in appointment.participants.all()
    )


def of_unit(appointment: Appointment, unit: Unit) -> bool:
    return unit.pk in {appointment.requester_unit_id, appointment.performer_unit_id} or any(
        person.schedule is not None and person.schedule.unit_id == unit.pk for person in appointment.participants.all()
    )


def knows_patient(appointment: Appointment, people: Iterable[Participant], staff: Staff) -> bool:
    """Say whether she may know the patient of an appointment that she may see, as `known_to` does in the database."""
    if {appointment.requester_unit_id, appointment.performer_unit_id} & staff.patient_units:
        return True
    return bool(staff.patient_units) and any(
        one.schedule is not None
        and one.role != ParticipantRole.INTERPRETER
        and (one.schedule.user_id == staff.user.pk or one.schedule.unit_id in staff.patient_units)
        for one in people
    )


def participant_name(participant: Participant) -> str:
    """Return how a participant is called among staff."""
    if participant.role == ParticipantRole.PATIENT and participant.appointment.patient is not None:
        return participant.appointment.patient.name
    if participant.schedule is not None:
        return participant.schedule.name
    return participant.guest_name or ""


def people_in(appointment: Appointment, roles: Collection[str] = ()) -> list[Participant]:
    """Return the participants, in the order in which they are shown: specialist, requester, interpreter, patient, guests."""
    order = list(ParticipantRole.values)
    chosen = [one for one in appointment.participants.all() if not roles or one.role in roles]
    return sorted(chosen, key=lambda one: (order.index(one.role), one.pk))


def schedules_taken(stretches: Sequence[tuple[int, datetime, datetime]], *, now: datetime) -> set[int]:
    """Return which of these schedules have something in the stretch asked for."""
    rows = rows_of(
        TAKEN,
        {
            "schedules": bigints(schedule for schedule, _, _ in stretches),
            "lowers": [lower for _, lower, _ in stretches],
            "uppers": [upper for _, _, upper in stretches],
            "now": now,
        },
    )
    return {schedule for (schedule,) in rows}


def still_with(user: User, unit: Unit, *, now: datetime) -> AppointmentQuerySet:
    """Return what somebody is to take part in for a unit: it asks for it, performs it, or has her diary."""
    hers = Participant.objects.filter(schedule__user=user, appointment=OuterRef("pk"))
    return (
        Appointment.objects.not_over(now)
        .filter(status__in=[AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED])
        .filter(
            Q(requester_unit=unit) | Q(performer_unit=unit) | Exists(hers.filter(schedule__unit=unit)),
            Exists(hers),
        )
        .order_by("starts_at", "id")
    )
