"""Reading appointments: a day, a week, and who is in them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.common.dates import OSLO
from apps.common.prepared import AnyOf, Prepared
from apps.common.rows import bigints, rows_of
from apps.organisations.models import Unit
from apps.organisations.queries import Staff, registering_side
from apps.patients.models import SEALED

from ..models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    BookingDraft,
    FormAnswers,
    Participant,
    ParticipantRole,
    Photo,
)
from ..models.appointment import LONGEST, AppointmentQuerySet

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


def agenda_of(user: User, unit: Unit | None, start: datetime, end: datetime) -> list[Appointment]:
    """Return what of [start, end) a user takes part in, or belongs to the unit she is in now, the earliest first.

    With the names that every list shows, who takes part (`coming`), and whether the form is there (`form_filled`):
    two queries.
    """
    return _with_people(_AGENDA, user, start, end, unit_id=unit.pk if unit else None)


def own_agenda_of(user: User, start: datetime, end: datetime) -> list[Appointment]:
    """Return the same of what she takes part in, or has booked for others."""
    return _with_people(_OWN_AGENDA, user, start, end)


def next_start(user: User, unit: Unit | None, start: datetime, end: datetime) -> datetime | None:
    """Return when the first of those that still stand begins."""
    found = _NEXT.first(**_asked(user, start, end), unit_id=unit.pk if unit else None) if user.is_active else None
    return found.starts_at if found else None


def _with_people(
    prepared: Prepared[Appointment], user: User, start: datetime, end: datetime, **more: int | None
) -> list[Appointment]:
    if not user.is_active:
        return []
    found = prepared(**_asked(user, start, end), **more)
    coming: dict[int, list[Participant]] = {one.pk: [] for one in found}
    for person in _PEOPLE(appointments=coming) if coming else ():
        coming[person.appointment_id].append(person)
    for one in found:
        one.coming = coming[one.pk]
        for person in one.coming:
            person.appointment = one
    return found


def _asked(user: User, start: datetime, end: datetime) -> dict[str, Any]:
    return {"user_id": user.pk, "today": timezone.localdate(), "start": start, "since": start - LONGEST, "end": end}


def _seen(user_id: Any, today: Any, start: Any, since: Any, end: Any) -> AppointmentQuerySet:
    """Write `visible_to` and `overlapping` with values that are still open."""
    seen = Appointment.objects.open_to(user_id, today)
    return seen.filter(ends_at__gt=start, starts_at__gt=since, starts_at__lt=end).order_by("starts_at", "id")


def _work(unit_id: Any, user_id: Any, **when: Any) -> AppointmentQuerySet:
    present = Participant.objects.filter(appointment=OuterRef("pk"))
    # Two conditions, not one with "or": each finds a few diaries by index, the other reads through them for every row.
    takes_part = Exists(present.filter(schedule__user=user_id)) | Exists(present.filter(schedule__unit=unit_id))
    return _seen(user_id, **when).filter(Q(requester_unit=unit_id) | Q(performer_unit=unit_id) | takes_part)


def _own(user_id: Any, **when: Any) -> AppointmentQuerySet:
    takes_part = Exists(Participant.objects.filter(schedule__user=user_id, appointment=OuterRef("pk")))
    return _seen(user_id, **when).filter(Q(booked_by=user_id) | takes_part)


def _listed(appointments: AppointmentQuerySet) -> AppointmentQuerySet:
    filled = FormAnswers.objects.filter(appointment=OuterRef("pk"), complete=True)
    along = ("service_type__scenario", "patient", "requester_unit", "performer_unit")
    return appointments.select_related(*along).defer(*_UNLISTED).annotate(form_filled=Exists(filled))


_WHEN: Final[dict[str, type]] = {"user_id": int, "today": date, "start": datetime, "since": datetime, "end": datetime}
# A list tells nobody's number; of where she is, the address alone is shown.
_UNLISTED: Final = [f"patient__{name}" for name in SEALED if name != "address"]
_AGENDA = Prepared(lambda **asked: _listed(_work(**asked)), **_WHEN, unit_id=int)
_OWN_AGENDA = Prepared(lambda **asked: _listed(_own(**asked)), **_WHEN)
_NEXT = Prepared(lambda **asked: _work(**asked).live().only("starts_at")[:1], **_WHEN, unit_id=int)
_PEOPLE = Prepared(
    lambda appointments: (
        Participant.objects.filter(AnyOf("appointment_id", appointments))
        .select_related("schedule__unit")
        .order_by("id")
    ),
    appointments=list,
)


def answers_of(appointment: Appointment) -> FormAnswers | None:
    """Return what the requester has answered in the form, in part or whole."""
    return FormAnswers.objects.filter(appointment=appointment).first()


def photos_open_to(user: User) -> QuerySet[Photo]:
    """Return the pictures of patients whom a user may know, and those of her own drafts."""
    hers = Q(draft__user=user) | Q(appointment__in=Appointment.objects.known_to(user))
    return Photo.objects.filter(hers).select_related("appointment__patient")


def history_of(appointment: Appointment) -> QuerySet[AppointmentEvent]:
    """Return what has happened to it, the latest first."""
    return AppointmentEvent.objects.filter(appointment=appointment).select_related("actor").order_by("-id")


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
    return any(person.schedule is not None and person.schedule.user_id == user.pk for person in appointment.coming)


def of_unit(appointment: Appointment, unit: Unit) -> bool:
    return unit.pk in {appointment.requester_unit_id, appointment.performer_unit_id} or any(
        person.schedule is not None and person.schedule.unit_id == unit.pk for person in appointment.coming
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
    chosen = [one for one in appointment.coming if not roles or one.role in roles]
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
