"""What can be booked, for other programs."""

from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Path, Query, Router
from pydantic import Field

from apps.common.api import Problem, Refused, Shown, UnitQuery, answer, one_of
from apps.organisations.api import ApiRequest

from . import questionnaire
from .models import Identification, ServiceType
from .queries import bookable_services

router = Router(tags=["service types"])


class ServiceTypeOut(Shown):
    uid: UUID
    code: str
    name: str
    family: str
    unit: UUID
    unit_name: str
    organisation_name: str
    length_minutes: int
    start_grid_minutes: int
    shortest_notice_minutes: int
    horizon_days: int
    patient_present: bool
    patient_joins_alone: bool
    interpreter_possible: bool
    identification: str = Field(json_schema_extra=one_of(Identification))
    form: str = Field(description="What is asked with a booking stands at `/service-types/{uid}/form`.")


class ChoiceOut(Shown):
    value: str
    label: str


class WhenOut(Shown):
    """Asked only if the answer to the question `name` is one of `values`."""

    name: str
    values: list[str | bool]


class QuestionOut(Shown):
    """One question. An answer of the type `choices` or `lines` is a list, of the type `boolean` true or false, of the
    type `date` 2026-03-17, of the type `datetime` with or without a time zone. `alone`: the choice that excludes the
    others."""

    name: str
    label: str
    help: str
    type: Literal["choice", "choices", "integer", "decimal", "text", "lines", "boolean", "date", "datetime"]
    required: bool
    choices: list[ChoiceOut]
    alone: str
    minimum: float | None
    maximum: float | None
    step: float | None
    unit: str
    max_length: int | None
    max_items: int | None
    when: WhenOut | None


class TotalOut(Shown):
    """What numbers must add up to."""

    names: list[str]
    total: int


class FormOut(Shown):
    """What `answers` of a booking may hold: each answer under its question's `name`."""

    form: str
    version: int
    title: str
    questions: list[QuestionOut]
    totals: list[TotalOut]


class ServiceTypesOut(Shown):
    items: list[ServiceTypeOut]


def shown(service: ServiceType) -> ServiceTypeOut:
    return ServiceTypeOut(
        uid=service.uid,
        code=service.scenario.code,
        name=service.name,
        family=service.scenario.family,
        unit=service.unit.uid,
        unit_name=service.unit.name,
        organisation_name=service.unit.organisation.name,
        length_minutes=service.length_minutes,
        start_grid_minutes=service.start_grid_minutes,
        shortest_notice_minutes=service.shortest_notice_minutes,
        horizon_days=service.horizon_days,
        patient_present=service.patient_present,
        patient_joins_alone=service.patient_joins_alone,
        interpreter_possible=service.interpreter_possible,
        identification=service.identification,
        form=service.form,
    )


@router.get("/service-types", response={200: ServiceTypesOut, 401: Problem, 403: Problem})
def service_types(request: ApiRequest, query: Query[UnitQuery]) -> HttpResponse:
    """List what people in the unit may book."""
    found = bookable_services(request.unit)
    return answer(ServiceTypesOut(items=[shown(service) for service in found]))


@router.get("/service-types/{uid}", response={200: ServiceTypeOut, 401: Problem, 403: Problem, 404: Problem})
def service_type(request: ApiRequest, uid: Path[UUID]) -> HttpResponse:
    return answer(shown(get_object_or_404(bookable_services(request.unit), uid=uid)))


@router.get(
    "/service-types/{uid}/form",
    response={200: FormOut, 401: Problem, 403: Problem, 404: Problem},
    summary="Questions of a service's form",
)
def form(request: ApiRequest, uid: Path[UUID]) -> HttpResponse:
    """Describe what `answers` of a booking may hold, in the language of `Accept-Language`."""
    service = get_object_or_404(bookable_services(request.unit), uid=uid)
    if not questionnaire.has_form(service.form):
        raise Refused(404, "no-form", _("This service has no form."))
    return answer(
        FormOut(
            form=service.form,
            version=questionnaire.version(service.form),
            title=questionnaire.name(service.form),
            questions=[_question(one) for one in questionnaire.questions(service.form)],
            totals=[TotalOut(names=names, total=total) for names, total in questionnaire.totals(service.form)],
        )
    )


def _question(one: questionnaire.Question) -> QuestionOut:
    return QuestionOut(
        name=one.name,
        label=one.label,
        help=one.help,
        type=one.kind,  # type: ignore[arg-type]  # pydantic says so if it is another
        required=one.required,
        choices=[ChoiceOut(value=value, label=label) for value, label in one.choices],
        alone=one.alone,
        minimum=one.least,
        maximum=one.most,
        step=one.step,
        unit=one.unit,
        max_length=one.longest,
        max_items=one.most_lines,
        when=WhenOut(name=one.when[0], values=one.when[1]) if one.when else None,
    )
