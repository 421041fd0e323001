"""Open times and appointments for other programs. Pages and this API call the same services."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Path, Query, Router

from apps.audit.models import Action
from apps.catalogue import questionnaire
from apps.catalogue.models import ServiceType
from apps.catalogue.queries import bookable_service
from apps.common.api import (
    FieldProblem,
    Problem,
    Refused,
    answer,
)
from apps.common.errors import DomainError
from apps.common.phones import normalise_phone
from apps.common.prepared import Prepared
from apps.organisations.api import ApiRequest, demand
from apps.organisations.models import MAY_BOOK, MAY_SEE_PATIENTS
from apps.organisations.queries import actor_of
from apps.patients.models import Patient

from . import errors, queries, services
from .models import (
    Appointment,
    Participant,
    ParticipantRole,
)
from .models.appointment import AppointmentQuerySet
from .queries import BookingRequest, Ignoring, OpenTime
from .queries.drafts import own_schedule, patient_with_usual, performers_of
from .queries.open_times import NOTHING
from .shapes import (
    AppointmentOut,
    AppointmentShort,
    AppointmentsOut,
    AppointmentsQuery,
    BlockingOut,
    BookingIn,
    CancelIn,
    Conflict,
    GuestIn,
    MoveIn,
    NoTimeOut,
    OpenTimeOut,
    OpenTimesIn,
    OpenTimesOut,
    OpenTimesQuery,
    ParticipantOut,
    ParticipantsOut,
    PatientShort,
    SuggestionOut,
    Wanted,
    WhoOut,
)

router = Router(tags=["appointments"])
RULES: Final = (errors.TooSoon, errors.TooFar, errors.OffTheGrid)
STANDS_IN_THE_WAY: Final = (
    *RULES,
    errors.TimeTaken,
    errors.NotOpen,
    errors.NotOffered,
    errors.OnRequestOnly,
    errors.NoAgreement,
)

M = TypeVar("M", bound=Model)
R = TypeVar("R")
ERRORS: Final[dict[int, Any]] = {401: Problem, 403: Problem, 404: Problem, 422: Problem}


# Finding times -------------------------------------------------------------------------------------------------------
@router.post("/open-times", response={200: OpenTimesOut, **ERRORS}, summary="Open times")
def open_times(request: ApiRequest, wanted: OpenTimesIn) -> HttpResponse:
    """List the first times when everyone who is needed can come; when there is none, say what stands in the way."""
    return _open_times(request, wanted)


@router.get("/open-times", response={200: OpenTimesOut, **ERRORS}, summary="Open times")
def open_times_by_query(request: ApiRequest, wanted: Query[OpenTimesQuery]) -> HttpResponse:
    return _open_times(request, wanted)


def _open_times(request: ApiRequest, wanted: OpenTimesIn) -> HttpResponse:
    demand(request, MAY_BOOK)
    now = timezone.now()
    asked = _booking_request(request, wanted)
    services.check_request(asked)
    start, end = (max(wanted.start, now) if wanted.start else None), wanted.end
    if end is not None and end <= (start or now):
        raise _ends_before_start(_("The window must end after it begins, and in the future."))
    times = queries.open_times(asked, now=now, start=start, end=end, limit=wanted.limit)
    if times:
        return answer(OpenTimesOut(items=_times(times)))
    why = queries.why_no_time(asked, now=now, start=start, end=end)
    if why is None:
        return answer(OpenTimesOut(items=[]))
    firsts = _times([suggestion.first for suggestion in why.suggestions])
    no_time = NoTimeOut(
        reason=why.reason.value,
        blocking=[
            BlockingOut(role=block.role, label=block.label, reason=block.reason.value, free_from=block.free_from)
            for block in why.blocking
        ],
        suggestions=[
            SuggestionOut(
                kind=suggestion.kind.value,
                role=suggestion.role,
                count=suggestion.count,
                length_minutes=suggestion.length_minutes,
                first=first,
            )
            for suggestion, first in zip(why.suggestions, firsts, strict=True)
        ],
    )
    return answer(OpenTimesOut(items=[], no_time=no_time))


def _ends_before_start(detail: str) -> Refused:
    return Refused(422, "invalid", errors=[FieldProblem(pointer="/end", code="ends-before-start", detail=detail)])


def _times(times: Sequence[OpenTime]) -> list[OpenTimeOut]:
    """Show times with who would come; the patient, who always does, is left out."""
    return [
        OpenTimeOut(
            starts_at=time.starts_at,
            ends_at=time.ends_at,
            who=[
                WhoOut(role=one.role, schedule=one.schedule_uid, name=one.name, title=one.title)
                for one in time.who
                if one.role != ParticipantRole.PATIENT and one.schedule_uid is not None
            ],
        )
        for time in times
    ]


def _booking_request(request: ApiRequest, wanted: Wanted) -> BookingRequest:
    """Look up what is named; what the caller may not see is answered as if it did not exist."""
    service = _there(bookable_service(request.unit, wanted.service_type), "service_type")
    patient: Patient | None = None
    usual: tuple[int, ...] = ()
    if wanted.patient is None:
        requester = own_schedule(request.user)
    else:
        found, requester, usual = patient_with_usual(request.user, wanted.patient, service.pk)
        patient = _there(found, "patient")
    alone = service.patient_joins_alone if wanted.patient_joins_alone is None else wanted.patient_joins_alone
    if not alone and requester is None:
        requester = services.schedule_for_user(request.user, unit=request.unit)
    return BookingRequest(
        service_type=service,
        requester_unit=request.unit,
        patient=patient,
        requester=None if alone else requester,
        interpreter_language=_language(wanted, service, patient),
        interpreter_by_phone=wanted.interpreter_by_phone,
        prefer=usual,
        only=_performers(service, wanted.performers),
        length_minutes=wanted.length_minutes,
        patient_joins_alone=wanted.patient_joins_alone,
        place=wanted.place,
    )


def _there(row: M | None, field: str) -> M:
    if row is None:
        detail = _("There is nothing here with this identifier.")
        raise Refused(404, "not-found", errors=[FieldProblem(pointer=f"/{field}", code="not-found", detail=detail)])
    return row


def _language(wanted: Wanted, service: ServiceType, patient: Patient | None) -> str:
    if wanted.interpreter_language is not None:
        return wanted.interpreter_language
    needed = patient is not None and patient.interpreter_needed and service.interpreter_possible
    return patient.language if patient is not None and needed else ""


def _performers(service: ServiceType, uids: Sequence[UUID]) -> tuple[int, ...]:
    """Look up who may be asked for: those who perform this service. Others are answered as if they did not exist."""
    if not uids:
        return ()
    found = performers_of(service).filter(uid__in=uids).values_list("pk", flat=True)
    if len(found) < len(set(uids)):
        detail = _("There is nothing here with this identifier.")
        raise Refused(404, "not-found", errors=[FieldProblem(pointer="/performers", code="not-found", detail=detail)])
    return tuple(found)


# Booking -------------------------------------------------------------------------------------------------------------
@router.post("/appointments", response={201: AppointmentOut, 409: Conflict, **ERRORS}, summary="Book an appointment")
def book(request: ApiRequest, booking: BookingIn) -> HttpResponse:
    """Give everybody the same time, or nobody: 201 with the appointment, or 409 with the reason and alternatives."""
    demand(request, MAY_BOOK)
    now = timezone.now()
    asked = _booking_request(request, booking)
    guests = [_guest(guest, f"/guests/{place}") for place, guest in enumerate(booking.guests)]
    answers = _answers(asked.service_type, booking.answers)
    try:
        appointment = services.book_appointment(
            request=asked,
            starts_at=booking.starts_at,
            actor=request.user,
            now=now,
            guests=guests,
            answers=answers,
            logged_as=actor_of(request),
        )
    except STANDS_IN_THE_WAY as refusal:
        raise _conflict(refusal, asked, booking.starts_at, now=now) from refusal
    address = reverse("api-1:appointment", args=[appointment.reference])
    return answer(_shown(request, appointment), status=201, location=address)


def _answers(service: ServiceType, answers: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Check the form's answers as the page does; without answers there is no form."""
    if answers is None or not questionnaire.has_form(service.form):
        if answers:
            detail = _("This service has no form.")
            raise Refused(422, "invalid", errors=[FieldProblem(pointer="/answers", code="no-form", detail=detail)])
        return None
    misread = questionnaire.misread(service.form, answers)
    readable = {name: value for name, value in answers.items() if name not in misread}
    form = questionnaire.form_class(service.form)(questionnaire.as_data(questionnaire.sent(service.form, readable)))
    unknown = sorted(set(answers) - set(form.fields))
    problems = [
        FieldProblem(pointer=f"/answers/{name[:80]}", code="extra-forbidden", detail=_("There is no such field here."))
        for name in unknown[:20]
    ]
    problems += [
        FieldProblem(pointer=f"/answers/{name}", code="wrong-type", detail=detail) for name, detail in misread.items()
    ]
    problems += [
        FieldProblem(pointer=f"/answers/{name}", code="invalid", detail=str(messages[0]))
        for name, messages in form.errors.items()
        if name not in misread
    ]
    if problems:
        raise Refused(422, "invalid", errors=problems)
    return form.answers()


def _guest(guest: GuestIn, pointer: str = "") -> services.GuestInput:
    if guest.role not in {ParticipantRole.NEXT_OF_KIN, ParticipantRole.GUEST}:
        detail = _("Choose one of %(choices)s.") % {"choices": "next_of_kin, guest"}
        raise Refused(422, "invalid", errors=[FieldProblem(pointer=f"{pointer}/role", code="enum", detail=detail)])
    try:
        phone = normalise_phone(guest.phone) if guest.phone else ""
    except DomainError as refusal:
        problem = FieldProblem(pointer=f"{pointer}/phone", code=refusal.code, detail=str(refusal))
        raise Refused(422, "invalid", errors=[problem]) from refusal
    if guest.email and not _is_email(guest.email):
        problem = FieldProblem(pointer=f"{pointer}/email", code="invalid", detail=_("Write an e-mail address."))
        raise Refused(422, "invalid", errors=[problem])
    return services.GuestInput(guest.name, guest.relation, phone, guest.email, guest.role)


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _conflict(
    refusal: DomainError,
    asked: BookingRequest,
    starts_at: datetime,
    *,
    now: datetime,
    ignoring: Ignoring = NOTHING,
) -> Refused:
    """Say what stands in the way and which times are near."""
    times: Sequence[OpenTime] = getattr(refusal, "alternatives", ())
    if not times and isinstance(refusal, RULES):
        times = services.nearest_times(asked, starts_at, now=now, ignoring=ignoring)
    pointer = FieldProblem(pointer=f"/{refusal.field}", code=refusal.code, detail=str(refusal))
    return Refused(
        409,
        refusal.code,
        str(refusal),
        errors=[pointer],
        reason=refusal.code,
        role=getattr(refusal, "role", ""),
        alternatives=[time.model_dump(mode="json") for time in _times(times)],
    )


# One appointment -----------------------------------------------------------------------------------------------------
@router.get("/appointments", response={200: AppointmentsOut, **ERRORS}, summary="List appointments")
def appointments(request: ApiRequest, query: Query[AppointmentsQuery]) -> HttpResponse:
    """List what the user's units take part in, the earliest first. Patients' names are in the single appointment."""
    found = Appointment.objects.visible_to(request.user).select_related(
        "service_type", "requester_unit", "performer_unit"
    )
    if query.start and query.end and query.end <= query.start:
        raise _ends_before_start(_("The window must end after it begins."))
    if query.start:
        found = found.not_over(query.start)
    if query.end:
        found = found.filter(starts_at__lt=query.end)
    if query.status:
        found = found.filter(status=query.status)
    if query.service_type:
        found = found.filter(service_type__uid=query.service_type)
    if query.patient:
        demand(request, MAY_SEE_PATIENTS)
        found = found.known_to(request.user).filter(patient__uid=query.patient)
    rows = list(found.order_by("starts_at", "id")[query.offset : query.offset + query.limit + 1])
    items = [AppointmentShort(**_short(row)) for row in rows[: query.limit]]
    return answer(AppointmentsOut.page(request, query, rows, items))


@router.get(
    "/appointments/{reference}", response={200: AppointmentOut, **ERRORS}, url_name="appointment", summary="Appointment"
)
def appointment(request: ApiRequest, reference: Path[str]) -> HttpResponse:
    found = find_appointment(request, reference)
    _note(request, found, Action.READ)
    return answer(_shown(request, found))


@router.post("/appointments/{reference}/move", response={200: AppointmentOut, 409: Conflict, **ERRORS}, summary="Move")
def move(request: ApiRequest, reference: Path[str], change: MoveIn) -> HttpResponse:
    """Give it another time; with `version` only if nobody changed it since."""
    demand(request, MAY_BOOK)
    now, found = timezone.now(), find_known(request, reference)
    try:
        moved = _change(
            request,
            found,
            lambda: services.move_appointment(
                appointment=found, starts_at=change.starts_at, actor=request.user, version=change.version, now=now
            ),
        )
    except STANDS_IN_THE_WAY as refusal:
        ignoring = Ignoring(appointment_id=found.pk, starts_at=found.starts_at)
        raise _conflict(refusal, queries.request_of(found), change.starts_at, now=now, ignoring=ignoring) from refusal
    return answer(_shown(request, moved))


@router.post(
    "/appointments/{reference}/cancel", response={200: AppointmentOut, 409: Problem, **ERRORS}, summary="Cancel"
)
def cancel(request: ApiRequest, reference: Path[str], change: CancelIn) -> HttpResponse:
    demand(request, MAY_BOOK)
    found = find_known(request, reference)
    cancelled = _change(
        request,
        found,
        lambda: services.cancel_appointment(
            appointment=found, reason=change.reason, actor=request.user, version=change.version, now=timezone.now()
        ),
    )
    return answer(_shown(request, cancelled))


# Who takes part ------------------------------------------------------------------------------------------------------
@router.get("/appointments/{reference}/participants", response={200: ParticipantsOut, **ERRORS}, summary="Participants")
def participants(request: ApiRequest, reference: Path[str]) -> HttpResponse:
    found = find_appointment(request, reference)
    _note(request, found, Action.READ)
    people = _people(found)
    names = queries.knows_patient(found, people, request.staff)
    return answer(ParticipantsOut(items=[_participant(one, found, names=names) for one in people]))


@router.post(
    "/appointments/{reference}/participants",
    response={201: ParticipantOut, 409: Problem, **ERRORS},
    summary="Invite a guest",
)
def add_guest(request: ApiRequest, reference: Path[str], guest: GuestIn) -> HttpResponse:
    demand(request, MAY_BOOK)
    found, given = find_known(request, reference), _guest(guest)
    added = _change(
        request,
        found,
        lambda: services.add_guest(appointment=found, guest=given, actor=request.user, now=timezone.now()),
    )
    return answer(_participant(added, found, names=True), status=201)


@router.delete(
    "/appointments/{reference}/participants/{uid}",
    response={204: None, 409: Problem, **ERRORS},
    summary="Take a guest off",
)
def remove_participant(request: ApiRequest, reference: Path[str], uid: Path[UUID]) -> HttpResponse:
    demand(request, MAY_BOOK)
    found = find_known(request, reference)
    leaving = find_participant(found, uid)
    _change(
        request,
        found,
        lambda: services.remove_participant(participant=leaving, actor=request.user, now=timezone.now()),
    )
    return HttpResponse(status=204)


def find_appointment(request: ApiRequest, reference: str) -> Appointment:
    """Go through the door; a stranger's appointment, a mistyped reference and none are the same 404."""
    return _find(Appointment.objects.visible_to(request.user), reference)


def find_known(request: ApiRequest, reference: str) -> Appointment:
    """Go through the narrower door, for what interpreters have no part in: changes, links, messages."""
    return _find(Appointment.objects.known_to(request.user), reference)


def _find(appointments: AppointmentQuerySet, reference: str) -> Appointment:
    open_to_her = appointments.called(reference).select_related(
        "service_type__scenario",
        "service_type__unit",
        "patient",
        "requester_unit__organisation",
        "performer_unit__organisation",
    )
    return get_object_or_404(open_to_her)


def find_participant(appointment: Appointment, uid: UUID) -> Participant:
    return get_object_or_404(appointment.participants.select_related("schedule", "appointment"), uid=uid)


def _change(request: ApiRequest, appointment: Appointment, work: Callable[[], R]) -> R:
    return services.change_and_note(appointment, work, actor=actor_of(request))


def _note(request: ApiRequest, appointment: Appointment, action: Action) -> None:
    knows = queries.knows_patient(appointment, _people(appointment), request.staff)
    services.note_access(appointment, action, actor=actor_of(request), knows_patient=knows)


def _short(appointment: Appointment) -> dict[str, Any]:
    return {
        "uid": appointment.uid,
        "reference": appointment.reference,
        "status": appointment.status,
        "version": appointment.version,
        "service_type": appointment.service_type.uid,
        "service_name": appointment.service_type.name,
        "starts_at": appointment.starts_at,
        "ends_at": appointment.ends_at,
        "requester_unit": appointment.requester_unit.uid,
        "performer_unit": appointment.performer_unit.uid,
    }


def _shown(request: ApiRequest, appointment: Appointment) -> AppointmentOut:
    people = _people(appointment)
    names = queries.knows_patient(appointment, people, request.staff)
    patient = appointment.patient if names else None
    return AppointmentOut(
        **_short(appointment),
        patient=PatientShort(uid=patient.uid, given_name=patient.given_name, family_name=patient.family_name)
        if patient
        else None,
        patient_present=appointment.patient_present,
        patient_joins_alone=appointment.patient_joins_alone,
        place=appointment.place,
        interpreter_language=appointment.interpreter_language,
        interpreter_by_phone=appointment.interpreter_by_phone,
        booked_at=appointment.booked_at,
        cancelled_at=appointment.cancelled_at,
        cancel_reason=appointment.cancel_reason,
        participants=[_participant(one, appointment, names=names) for one in people],
    )


def _people(appointment: Appointment) -> Sequence[Participant]:
    return vars(appointment).get("coming") or _PEOPLE(appointment_id=appointment.pk)


_PEOPLE = Prepared(
    lambda appointment_id: Participant.objects.filter(appointment=appointment_id).select_related("schedule"),
    appointment_id=int,
)


def _participant(one: Participant, appointment: Appointment, *, names: bool) -> ParticipantOut:
    """Show a participant; interpreters are not told who the patient and her guests are."""
    if one.role == ParticipantRole.PATIENT or one.schedule is None:
        known = (
            appointment.patient.name if one.role == ParticipantRole.PATIENT and appointment.patient else one.guest_name
        )
        name, title = (known or "") if names else "", one.guest_relation
    else:
        name, title = one.schedule.name, one.schedule.title
    return ParticipantOut(
        uid=one.uid,
        role=one.role,
        name=name,
        title=title,
        guest=one.schedule_id is None,
        required=one.required,
        answer=one.answer,
    )
