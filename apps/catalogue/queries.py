"""What a unit can book."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.common.prepared import Prepared
from apps.organisations.models import Unit

from .models import Agreement, AgreementMode, PortalUse, ServiceType


def bookable_services(unit: Unit) -> QuerySet[ServiceType]:
    """Return what people in this unit may book directly: its own organisation's services and those agreed on."""
    return _bookable_in(unit.organisation_id)


def bookable_service(unit: Unit, uid: UUID) -> ServiceType | None:
    """Return one of them."""
    return _BOOKABLE.first(organisation_id=unit.organisation_id, uid=uid)


def _bookable_in(organisation_id: int) -> QuerySet[ServiceType]:
    agreed = Agreement.objects.filter(
        service_type=OuterRef("pk"), organisation=organisation_id, mode=AgreementMode.DIRECT
    )
    return (
        ServiceType.objects.active()
        .exclude(scenario__portal_use=PortalUse.NOT_OFFERED)
        .filter(Q(unit__organisation=organisation_id) | Exists(agreed))
        .select_related("scenario", "unit__organisation")
    )


_BOOKABLE = Prepared(
    lambda organisation_id, uid: _bookable_in(organisation_id).filter(uid=uid), organisation_id=int, uid=UUID
)
