"""Patients for other programs. What names people is posted, never in an address."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Path, Router
from pydantic import Field, StrictBool

from apps.audit.models import Action
from apps.audit.services import record_access
from apps.common.api import (
    Code,
    Day,
    FieldProblem,
    LanguageCode,
    Line,
    Name,
    Problem,
    Reason,
    Refused,
    Shown,
    Strict,
    answer,
    example,
    one_of,
)
from apps.common.errors import DomainError
from apps.common.phones import WrongPhone
from apps.organisations.api import ApiRequest, demand
from apps.organisations.models import MAY_BOOK, MAY_SEE_PATIENTS
from apps.organisations.queries import actor_of

from . import queries, services
from .identifiers import accept_identifier
from .models import ContactChannel, IdentifierKind, InterpreterMode, Patient, Protection

router = Router(tags=["patients"])


class PatientSearch(Strict):
    """By national id, by date of birth or by name; several narrow it down. `whole_organisation` needs a reason,
    which the patient's access log keeps."""

    model_config = example(national_id="12854300111")

    national_id: Code = ""
    name: Name = ""
    birth_date: Day | None = None
    whole_organisation: StrictBool = False
    reason: Reason = ""


class KinIn(Strict):
    name: Name = Field(json_schema_extra={"minLength": 1})
    relation: Code = ""
    phone: Code = ""
    acts_for_patient: StrictBool = False


class PatientIn(Strict):
    """With a national id or a birth date. `checked`: somebody has looked at a birth date that is not the number's, and
    it is right. Without a `channel` she is written to as what is known of her allows."""

    model_config = example(given_name="Ada", family_name="Alm", national_id="12854300111", phone="+4700010001")

    given_name: Name = Field(json_schema_extra={"minLength": 1})
    family_name: Name = Field(json_schema_extra={"minLength": 1})
    national_id: Code = ""
    birth_date: Day | None = None
    phone: Code = ""
    email: Line = ""
    address: Line = ""
    language: LanguageCode = "nob"
    interpreter_needed: StrictBool = False
    interpreter_mode: InterpreterMode = InterpreterMode.SCREEN
    channel: ContactChannel | None = None
    reserved: StrictBool = False
    protection: Protection = Protection.OPEN
    next_of_kin: list[KinIn] = Field([], max_length=10)
    checked: StrictBool = False


class PatientOut(Shown):
    uid: UUID
    given_name: str
    family_name: str
    birth_date: date
    identifier_kind: str = Field(json_schema_extra=one_of(IdentifierKind))
    national_id: str | None
    phone: str | None
    email: str | None
    address: str | None
    language: str
    interpreter_needed: bool
    interpreter_mode: str = Field(json_schema_extra=one_of(InterpreterMode))
    channel: str = Field(json_schema_extra=one_of(ContactChannel))
    reserved: bool
    protection: str = Field(json_schema_extra=one_of(Protection))


class RegisteredOut(PatientOut):
    """`warnings`: what was taken as it is, but looks wrong."""

    warnings: list[FieldProblem]


class PatientsOut(Shown):
    items: list[PatientOut]


def shown(patient: Patient) -> PatientOut:
    return PatientOut(
        uid=patient.uid,
        given_name=patient.given_name,
        family_name=patient.family_name,
        birth_date=patient.birth_date,
        identifier_kind=patient.identifier_kind,
        national_id=patient.national_id,
        phone=patient.phone,
        email=patient.email,
        address=patient.address_shown or None,
        language=patient.language,
        interpreter_needed=patient.interpreter_needed,
        interpreter_mode=patient.interpreter_mode,
        channel=patient.channel,
        reserved=patient.reserved,
        protection=patient.protection,
    )


@router.post("/patients/search", response={200: PatientsOut, 401: Problem, 403: Problem, 422: Problem})
def search_patients(request: ApiRequest, search: PatientSearch) -> HttpResponse:
    """Find patients of the unit, the first twenty by name."""
    demand(request, MAY_SEE_PATIENTS)
    if search.national_id:
        accept_identifier(search.national_id, synthetic_allowed=settings.DEMO)  # else it would be read as a name
    text = search.national_id or (search.birth_date.isoformat() if search.birth_date else search.name)
    if not text:
        raise Refused(422, "search-empty", _("Give a national id, a name or a date of birth."))
    if search.whole_organisation:
        hits = services.search_widely(unit=request.unit, text=text, reason=search.reason, actor=actor_of(request))
    else:
        hits = queries.search_patients(request.user, request.unit, text)
    hits = [hit for hit in hits if search.birth_date in {None, hit.birth_date} and _is_called(hit, search.name)]
    if not search.whole_organisation:
        for hit in hits:
            _note(request, hit, Action.READ)
    return answer(PatientsOut(items=[shown(hit) for hit in hits]))


def _is_called(patient: Patient, name: str) -> bool:
    """Say whether each word begins one of her names; no words, no doubt."""
    names = f"{patient.given_name} {patient.family_name}".casefold().split()
    return all(any(one.startswith(word) for one in names) for word in name.casefold().split())


@router.post("/patients", response={201: RegisteredOut, 200: RegisteredOut, 401: Problem, 403: Problem, 422: Problem})
def register_patient(request: ApiRequest, patient: PatientIn) -> HttpResponse:
    """Register a patient with the unit; 200 when the organisation knew her already."""
    demand(request, MAY_BOOK)
    given: dict[str, Any] = patient.model_dump(exclude={"next_of_kin", "channel"})
    kin = [services.KinInput(**one.model_dump()) for one in patient.next_of_kin]
    started = timezone.now()
    _refuse([*(_problem(fault) for fault in services.faults_of(**given, now=started)), *_kin_problems(kin)])
    registered = services.register_patient(
        organisation=request.unit.organisation,
        unit=request.unit,
        actor=actor_of(request),
        now=started,
        channel=patient.channel or "",
        next_of_kin=kin,
        **given,
    )
    status = 200 if registered.known_before(started) else 201
    warnings = [] if patient.checked else _warnings(patient, now=started)
    out = RegisteredOut(**shown(registered).model_dump(), warnings=warnings)
    return answer(out, status=status, location=_address(request, registered))


def _warnings(patient: PatientIn, *, now: datetime) -> list[FieldProblem]:
    if not patient.national_id.strip():
        return []
    identifier = accept_identifier(patient.national_id, synthetic_allowed=settings.DEMO)
    doubts = services.doubts(identifier, patient.birth_date, now=now)
    return [FieldProblem(pointer=f"/{doubt.field}", code=doubt.code, detail=str(doubt)) for doubt in doubts]


def _refuse(problems: list[FieldProblem]) -> None:
    """Raise Refused with every one of them, under its own name where there is only one."""
    if len(problems) == 1:
        raise Refused(422, problems[0].code, problems[0].detail, errors=problems)
    if problems:
        raise Refused(422, "invalid", errors=problems)


def _problem(fault: DomainError) -> FieldProblem:
    detail = str(fault)
    if isinstance(fault, services.BirthDateMissing):  # the page asks for it as people here write it
        detail = _("Write the date of birth, for example 1943-05-12, or the national id.")
    return FieldProblem(pointer=f"/{fault.field}", code=fault.code, detail=detail)


def _kin_problems(kin: list[services.KinInput]) -> Iterator[FieldProblem]:
    for place, one in enumerate(kin):
        try:
            services.check_kin(one)
        except DomainError as fault:
            field = "phone" if isinstance(fault, WrongPhone) else fault.field
            yield FieldProblem(pointer=f"/next_of_kin/{place}/{field}", code=fault.code, detail=str(fault))


@router.get("/patients/{uid}", response={200: PatientOut, 401: Problem, 403: Problem, 404: Problem}, url_name="patient")
def patient(request: ApiRequest, uid: Path[UUID]) -> HttpResponse:
    demand(request, MAY_SEE_PATIENTS)
    found = get_object_or_404(queries.visible_patients(request.user), uid=uid)
    _note(request, found, Action.READ)
    return answer(shown(found))


def _note(request: ApiRequest, patient: Patient, action: Action) -> None:
    record_access(actor=actor_of(request), action=action, what="patient", patient_uid=patient.uid)


def _address(request: HttpRequest, patient: Patient) -> str:
    return reverse("api-1:patient", args=[patient.uid])
