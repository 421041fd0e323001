"""Holding, booking, moving and cancelling a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, transaction

from apps.accounts.models import User
from apps.audit.models import AccessRecord, Action
from apps.audit.services import Actor, access_record
from apps.catalogue import questionnaire
from apps.common.errors import ChangedMeanwhile
from apps.common.retry import retry_on_deadlock

from .. import errors, events, queries
from ..models import (
    Appointment,
    AppointmentStatus,
    BookingDraft,
    CancelReason,
    EventKind,
    FormAnswers,
    Hold,
    Occupancy,
    Participant,
    ParticipantRole,
    Schedule,
)
from ..queries import HOLD_LENGTH, BookingRequest, Ignoring, OpenTime, Who, request_of
from ..queries.open_times import NOTHING
from .people import schedule_for_patient
from .rules import check_request, check_start
from .taking import Stretch, take_time, take_time_for

ALTERNATIVES: Final = 3
LOOKED_BACK: Final = (timedelta(days=1), timedelta(days=8))
KNOWN_OF_WHO: Final = ["id", "uid", "name", "title"]


@dataclass(frozen=True, slots=True)
class GuestInput:
    """Somebody who is invited by name: next of kin, guardian, a colleague elsewhere."""

    name: str
    relation: str = ""
    phone: str = ""
    email: str = ""
    role: str = ParticipantRole.NEXT_OF_KIN


@retry_on_deadlock
@transaction.atomic
def hold_time(
    *,
    request: BookingRequest,
    starts_at: datetime,
    user: User,
    now: datetime,
    who: Mapping[int, int] | None = None,
    draft: BookingDraft | None = None,
) -> Hold:
    """Hold a time for ten minutes while the rest is filled in; a draft holds one time at a time.

    Raises what `book_appointment` raises.
    """
    check_request(request)
    if draft is not None:
        Hold.objects.filter(draft=draft).delete()
    time = _find_time(request, starts_at, who=who, now=now, ignoring=Ignoring())
    expires_at = now + HOLD_LENGTH
    hold = Hold.objects.create(
        user=user, draft=draft, starts_at=time.starts_at, ends_at=time.ends_at, expires_at=expires_at
    )
    stretches = _stretches(request, time)
    if not take_time(stretches, now=now, hold_id=hold.pk, expires_at=expires_at):
        raise _taken(request, time, stretches, now=now, ignoring=Ignoring())
    return hold


def release_hold(hold: Hold) -> None:
    """Give a held time back at once."""
    hold.delete()


@retry_on_deadlock
def book_appointment(
    *,
    request: BookingRequest,
    starts_at: datetime,
    actor: User,
    now: datetime,
    who: Mapping[int, int] | None = None,
    hold: Hold | None = None,
    guests: Sequence[GuestInput] = (),
    answers: Mapping[str, Any] | None = None,
    form_complete: bool = True,
    draft: BookingDraft | None = None,
    logged_as: Actor | None = None,
) -> Appointment:
    """Give everybody the same time, or nobody.

    `who` (need id to schedule id) asks for these people; without it the best who are free come.
    `answers` are to the service's form; None leaves it for later. A hold and a draft are used up. `logged_as` is
    who books, for the patient's access log: written with the appointment or not at all. The room, the messages, the calendar entries and the registration that follow are listed in portal/reactions.py.

    Raises a Refusal that names the rule, or TimeTaken / NotOpen with the role that blocks and three
    alternatives.
    """
    check_request(request)
    ignoring = Ignoring(hold_id=hold.pk if hold else None)
    time = _find_time(request, starts_at, who=who, now=now, ignoring=ignoring)
    service = request.service_type
    appointment = Appointment(
        service_type=service,
        patient=request.patient,
        requester_unit=request.requester_unit,
        performer_unit=service.unit,
        starts_at=time.starts_at,
        ends_at=time.ends_at,
        patient_present=service.patient_present and request.patient is not None,
        patient_joins_alone=request.joins_alone,
        place=request.place,
        interpreter_language=request.interpreter_language,
        interpreter_by_phone=request.interpreter_by_phone,
        booked_by=actor,
        booked_at=now,
    )
    event = events.new_event(appointment, EventKind.BOOKED, now=now, actor=actor)
    # Only a hold is changed before it is known whether the time can be had: without one there is nothing to undo.
    with transaction.atomic(savepoint=hold is not None):
        if hold is not None:
            Occupancy.objects.filter(hold=hold).delete()
        stretches = _stretches(request, time)
        people = _participants(appointment, request, time, stretches, guests)
        refusal = None
        line = _log_line(appointment, logged_as)
        if take_time_for(appointment, *people, event, *line, stretches=stretches, now=now):
            if answers is not None:
                _keep_answers(appointment, answers, complete=form_complete, now=now)
            _use_up(draft, hold, appointment)
            appointment.coming = people
            events.follow(event, now=now)
        else:
            refusal = _taken(request, time, stretches, now=now, ignoring=ignoring)
            if hold is not None:
                transaction.set_rollback(True)
    if refusal is not None:
        raise refusal
    return appointment


def _log_line(appointment: Appointment, actor: Actor | None) -> list[AccessRecord]:
    if actor is None or appointment.patient is None:
        return []
    reference, patient_uid = appointment.reference, appointment.patient.uid
    return [access_record(actor, Action.CREATE, "appointment", what_reference=reference, patient_uid=patient_uid)]


def _keep_answers(appointment: Appointment, answers: Mapping[str, Any], *, complete: bool, now: datetime) -> None:
    form = appointment.service_type.form
    FormAnswers.objects.create(
        appointment=appointment,
        form=form,
        form_version=questionnaire.version(form),
        answers=dict(answers),
        complete=complete,
        updated_at=now,
    )


def _use_up(draft: BookingDraft | None, hold: Hold | None, appointment: Appointment) -> None:
    """Let the appointment take over a draft's pictures, and end what led to it."""
    if draft is not None:
        draft.photos.update(draft=None, appointment=appointment)
        draft.delete()  # its hold goes with it
    elif hold is not None:
        hold.delete()


@retry_on_deadlock
@transaction.atomic
def move_appointment(
    *,
    appointment: Appointment,
    starts_at: datetime,
    now: datetime,
    actor: User | None = None,
    by_patient: bool = False,
    version: int | None = None,
    who: Mapping[int, int] | None = None,
) -> Appointment:
    """Give an appointment another time, with the same people where they can come; links stay.

    Raises ChangedMeanwhile when `version` is no longer the appointment's, NotOpenAnyMore, PatientMayNot,
    and the refusals of `book_appointment`.
    """
    appointment = lock_open(appointment, version)
    if by_patient and not (appointment.service_type.patient_may_move and appointment.changeable_by_patient(now)):
        raise errors.PatientMayNot
    request = request_of(appointment)
    old_starts_at = appointment.starts_at
    ignoring = Ignoring(appointment_id=appointment.pk, starts_at=old_starts_at)
    time = _find_time(request, starts_at, who=who, now=now, ignoring=ignoring)
    if time.starts_at == old_starts_at and not _others_come(appointment, time):
        return appointment  # nobody need be told of a move that is none
    appointment.starts_at, appointment.ends_at = time.starts_at, time.ends_at
    appointment.version += 1
    appointment.save(update_fields=["starts_at", "ends_at", "version"])
    appointment.occupancies.all().delete()
    stretches = _stretches(request, time)
    if not take_time(stretches, now=now, appointment_id=appointment.pk):
        raise _taken(request, time, stretches, now=now, ignoring=ignoring)
    _replace_people(appointment, request, time, stretches)
    events.record(
        appointment, EventKind.MOVED, now=now, actor=actor, by_patient=by_patient, old_starts_at=old_starts_at
    )
    return appointment


@retry_on_deadlock
@transaction.atomic
def cancel_appointment(
    *,
    appointment: Appointment,
    reason: CancelReason | str,
    now: datetime,
    actor: User | None = None,
    by_patient: bool = False,
    version: int | None = None,
) -> Appointment:
    """Cancel an appointment and give everybody's time back.

    Raises ChangedMeanwhile, NotOpenAnyMore, PatientMayNot.
    """
    appointment = lock_open(appointment, version)
    if by_patient and not (appointment.service_type.patient_may_cancel and appointment.changeable_by_patient(now)):
        raise errors.PatientMayNot
    appointment.status, appointment.cancelled_at = AppointmentStatus.CANCELLED, now
    appointment.cancel_reason = CancelReason(reason)
    appointment.version += 1
    appointment.save(update_fields=["status", "cancelled_at", "cancel_reason", "version"])
    appointment.occupancies.all().delete()
    events.record(appointment, EventKind.CANCELLED, now=now, actor=actor, by_patient=by_patient)
    return appointment


def lock_open(appointment: Appointment, version: int | None) -> Appointment:
    """Take the row for this change; the second of two who change the same appointment is told."""
    locked = (
        Appointment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("service_type__scenario", "service_type__unit", "requester_unit", "performer_unit", "patient")
        .get(pk=appointment.pk)
    )
    if version is not None and locked.version != version:
        raise ChangedMeanwhile
    if not locked.is_open:
        raise errors.NotOpenAnyMore
    return locked


def _find_time(
    request: BookingRequest,
    starts_at: datetime,
    *,
    who: Mapping[int, int] | None,
    now: datetime,
    ignoring: Ignoring,
) -> OpenTime:
    # A time that is held met the notice when it was held.
    check_start(request, starts_at, now=now - HOLD_LENGTH if ignoring.hold_id else now)
    time = queries.time_is_open(request, starts_at, now=now, who=who, ignoring=ignoring)
    if time is None:
        role = queries.who_is_missing(request, starts_at, now=now, who=who, ignoring=ignoring)
        raise errors.NotOpen(role=role, alternatives=nearest_times(request, starts_at, now=now, ignoring=ignoring))
    return time


def _taken(
    request: BookingRequest, time: OpenTime, stretches: Sequence[Stretch], *, now: datetime, ignoring: Ignoring
) -> errors.TimeTaken:
    """Name the role whose time went away between the check and the insert."""
    taken = queries.schedules_taken(stretches, now=now)
    role = next((one.role for one in time.who if one.schedule_id in taken), "")
    return errors.TimeTaken(role=role, alternatives=nearest_times(request, time.starts_at, now=now, ignoring=ignoring))


def nearest_times(
    request: BookingRequest, starts_at: datetime, *, now: datetime, ignoring: Ignoring = NOTHING
) -> list[OpenTime]:
    """Return the three nearest times that can be booked, before the wish or after it; the time that is moved is none."""
    service = request.service_type
    grid = timedelta(minutes=service.start_grid_minutes)
    wish = min(starts_at, now + timedelta(days=service.horizon_days))
    for back in (*LOOKED_BACK, wish - now):  # mostly the day before is enough
        start = max(now, wish - back)
        before = max(wish - start, timedelta(0)) // grid  # every start that there can be
        enough = before + ALTERNATIVES + 2
        times = queries.open_times(request, now=now, start=start, limit=enough, ignoring=ignoring)
        others = [time for time in times if time.starts_at != ignoring.starts_at]
        nearest = sorted(others, key=lambda time: abs(time.starts_at - wish))[:ALTERNATIVES]
        if start == now or (len(nearest) == ALTERNATIVES and abs(nearest[-1].starts_at - wish) <= back):
            break
    return sorted(nearest, key=lambda time: time.starts_at)


def _stretches(request: BookingRequest, time: OpenTime) -> list[Stretch]:
    """Return what is taken of whom: performers with the service's buffers, all others without."""
    service = request.service_type
    before = timedelta(minutes=service.buffer_before_minutes)
    after = timedelta(minutes=service.buffer_after_minutes)
    stretches: list[Stretch] = []
    for one in time.who:
        if one.role == ParticipantRole.PATIENT:
            continue
        buffered = one.role == ParticipantRole.PERFORMER
        stretches.append(
            (
                one.schedule_id,
                time.starts_at - before if buffered else time.starts_at,
                time.ends_at + after if buffered else time.ends_at,
            )
        )
    if request.patient is not None:
        known = next((one.schedule_id for one in time.named(ParticipantRole.PATIENT) if one.schedule_id), None)
        schedule_id = known or schedule_for_patient(request.patient).pk
        stretches.append((schedule_id, time.starts_at, time.ends_at))
    return stretches


def _participants(
    appointment: Appointment,
    request: BookingRequest,
    time: OpenTime,
    stretches: Sequence[Stretch],
    guests: Sequence[GuestInput],
) -> list[Participant]:
    people = [
        Participant(appointment=appointment, role=one.role, schedule=_named_schedule(one))
        for one in time.who
        if one.role != ParticipantRole.PATIENT
    ]
    if request.patient is not None and request.service_type.patient_present:
        people.append(Participant(appointment=appointment, role=ParticipantRole.PATIENT, schedule_id=stretches[-1][0]))
    people += [guest_participant(appointment, guest) for guest in guests]
    return people


def _named_schedule(one: Who) -> Schedule:
    """Return a schedule of what the search knows; the rest of it is fetched if anybody asks."""
    return Schedule.from_db(DEFAULT_DB_ALIAS, KNOWN_OF_WHO, [one.schedule_id, one.schedule_uid, one.name, one.title])


def guest_participant(appointment: Appointment, guest: GuestInput) -> Participant:
    return Participant(
        appointment=appointment,
        role=guest.role,
        guest_name=guest.name,
        guest_relation=guest.relation,
        guest_phone=guest.phone or None,
        guest_email=guest.email or None,
        required=False,
    )


def _others_come(appointment: Appointment, time: OpenTime) -> bool:
    coming = {one.schedule_id for one in time.who if one.role != ParticipantRole.PATIENT}
    present = appointment.participants.filter(schedule__isnull=False).exclude(role=ParticipantRole.PATIENT)
    return coming != set(present.values_list("schedule_id", flat=True))


def _replace_people(
    appointment: Appointment, request: BookingRequest, time: OpenTime, stretches: Sequence[Stretch]
) -> None:
    """Let those go who do not come to the new time, and take in who comes instead; the rest keep their links."""
    coming = {one.schedule_id: one for one in time.who if one.role != ParticipantRole.PATIENT}
    present = {
        person.schedule_id: person
        for person in appointment.participants.filter(schedule__isnull=False).exclude(role=ParticipantRole.PATIENT)
    }
    for schedule_id, person in present.items():
        if schedule_id not in coming:
            person.delete()
    Participant.objects.bulk_create(
        Participant(appointment=appointment, role=one.role, schedule_id=schedule_id)
        for schedule_id, one in coming.items()
        if schedule_id not in present
    )
