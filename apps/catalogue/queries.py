"""What a unit can book."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.organisations.models import Unit

from .models import Agreement, AgreementMode, PortalUse, ServiceType


def bookable_services(unit: Unit, today: date | None = None) -> QuerySet[ServiceType]:
    """Return what people in this unit may book directly: its own organisation's services and those agreed on."""
    agreed = Agreement.objects.filter(
        service_type=OuterRef("pk"), organisation=unit.organisation_id, mode=AgreementMode.DIRECT
    )
    return (
        ServiceType.objects.active()
        .exclude(scenario__portal_use=PortalUse.NOT_OFFERED)
        .filter(Q(unit__organisation=unit.organisation_id) | Exists(agreed))
        .select_related("scenario", "unit__organisation")
    )
