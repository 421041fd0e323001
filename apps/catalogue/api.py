"""What can be booked, for other programs."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router

from apps.common.api import Problem, Shown, UnitQuery, answer
from apps.organisations.api import ApiRequest

from .models import ServiceType
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
    identification: str
    form: str


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
