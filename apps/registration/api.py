"""The registrations that clerks owe DIPS, for other programs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field, StrictInt

from apps.audit.models import Action
from apps.common.api import Code, Found, PageQuery, Problem, Shown, Strict, answer, example, one_of
from apps.organisations.api import ApiRequest, demand
from apps.organisations.models import MAY_REGISTER
from apps.organisations.queries import actor_of
from apps.scheduling.services import note_access

from . import services
from .models import Registration, RegistrationState

router = Router(tags=["registrations"])
ERRORS = {401: Problem, 403: Problem, 404: Problem, 422: Problem}


class RegistrationShort(Shown):
    uid: UUID
    appointment: str
    state: str = Field(json_schema_extra=one_of(RegistrationState))
    version: int
    held_at: datetime | None
    dips_contact_id: str
    settled_at: datetime | None
    not_needed_reason: str


class RegistrationOut(RegistrationShort):
    """With the sheet: what is typed into DIPS, field by field, and how sure each value is."""

    sheet: list[dict[str, Any]] = Field(
        description="Rows with `field`, `code`, `text`, the code's `system`, and `certainty`: verified, local, candidate "
        "or fact. `note` and `source` are texts by language.",
        examples=[[{"field": "care_level", "code": "3", "system": "Volven 8406", "certainty": "verified"}]],
    )


class RegistrationsOut(Found):
    items: list[RegistrationShort]


class RegistrationsQuery(PageQuery):
    state: RegistrationState | None = None


class RegisteredIn(Strict):
    """`version` as it was read: of two who do it at once, one is told."""

    model_config = example(dips_contact_id="40012345", version=0)

    dips_contact_id: Code = ""
    version: StrictInt = Field(ge=0)


@router.get("/registrations", response={200: RegistrationsOut, **ERRORS}, summary="List registrations")
def registrations(request: ApiRequest, query: Query[RegistrationsQuery]) -> HttpResponse:
    """List the sessions that the user may register, the earliest held first."""
    demand(request, MAY_REGISTER)
    found = Registration.objects.visible_to(request.user, now=timezone.now()).select_related("appointment")
    if query.state:
        found = found.filter(state=query.state)
    rows = list(found.order_by("held_at", "id")[query.offset : query.offset + query.limit + 1])
    items = [RegistrationShort(**_short(row)) for row in rows[: query.limit]]
    return answer(RegistrationsOut.page(request, query, rows, items))


@router.get("/registrations/{uid}", response={200: RegistrationOut, **ERRORS}, summary="Registration")
def registration(request: ApiRequest, uid: Path[UUID]) -> HttpResponse:
    demand(request, MAY_REGISTER)
    found = _find(request, uid)
    note_access(found.appointment, Action.READ, actor=actor_of(request), what="registration")
    return answer(_shown(found))


@router.post(
    "/registrations/{uid}/registered", response={200: RegistrationOut, 409: Problem, **ERRORS}, summary="Registered"
)
def mark_registered(request: ApiRequest, uid: Path[UUID], done: RegisteredIn) -> HttpResponse:
    """Say that the session stands in DIPS, with DIPS's contact id; of two who do it at once one is told."""
    demand(request, MAY_REGISTER)
    settled = services.mark_registered(
        registration=_find(request, uid),
        version=done.version,
        actor=actor_of(request),
        now=timezone.now(),
        dips_contact_id=done.dips_contact_id,
    )
    return answer(_shown(settled))


def _find(request: ApiRequest, uid: UUID) -> Registration:
    visible = Registration.objects.visible_to(request.user, now=timezone.now())
    return get_object_or_404(visible.select_related("appointment__patient"), uid=uid)


def _short(registration: Registration) -> dict[str, Any]:
    return {
        "uid": registration.uid,
        "appointment": registration.appointment.reference,
        "state": registration.state,
        "version": registration.version,
        "held_at": registration.held_at,
        "dips_contact_id": registration.dips_contact_id,
        "settled_at": registration.settled_at,
        "not_needed_reason": registration.not_needed_reason,
    }


def _shown(registration: Registration) -> RegistrationOut:
    return RegistrationOut(**_short(registration), sheet=registration.sheet)
