"""The rules of a service that do not depend on anybody's diary."""

from datetime import datetime, timedelta

from apps.catalogue.models import Agreement, AgreementMode, PortalUse
from apps.common.dates import OSLO
from apps.common.languages import LANGUAGES
from apps.common.prepared import Prepared

from .. import errors
from ..queries.request import BookingRequest

STEP = timedelta(minutes=5)

_AGREEMENT = Prepared(
    lambda service_type_id, organisation_id: Agreement.objects.filter(
        service_type=service_type_id, organisation=organisation_id
    ),
    service_type_id=int,
    organisation_id=int,
)


def check_request(request: BookingRequest) -> None:
    """Refuse a request that no time could satisfy.

    Raises NotOffered, NoAgreement, OnRequestOnly, PatientMissing, PatientElsewhere,
    InterpreterNotPossible, LanguageUnknown, LengthNotPossible.
    """
    service = request.service_type
    if not service.active or service.scenario.portal_use == PortalUse.NOT_OFFERED:
        raise errors.NotOffered
    if service.unit.organisation_id != request.requester_unit.organisation_id:
        agreement = _AGREEMENT.first(service_type_id=service.pk, organisation_id=request.requester_unit.organisation_id)
        if agreement is None:
            raise errors.NoAgreement
        if agreement.mode == AgreementMode.ON_REQUEST:
            raise errors.OnRequestOnly
    if service.patient_present and request.patient is None:
        raise errors.PatientMissing
    if request.patient is not None and request.patient.organisation_id != request.requester_unit.organisation_id:
        raise errors.PatientElsewhere
    if request.interpreter_language and not service.interpreter_possible:
        raise errors.InterpreterNotPossible
    if request.interpreter_language and request.interpreter_language not in LANGUAGES:
        raise errors.LanguageUnknown
    if request.length % STEP or not STEP <= request.length <= timedelta(hours=8):
        raise errors.LengthNotPossible


def check_start(request: BookingRequest, starts_at: datetime, *, now: datetime) -> None:
    """Refuse a start outside the service's notice, horizon or grid (local wall time).

    Raises TooSoon, TooFar, OffTheGrid.
    """
    service = request.service_type
    if starts_at < now + service.shortest_notice:
        raise errors.TooSoon
    if starts_at > now + timedelta(days=service.horizon_days):
        raise errors.TooFar
    wall = starts_at.astimezone(OSLO)
    if (wall.hour * 60 + wall.minute) % service.start_grid_minutes or wall.second or wall.microsecond:
        raise errors.OffTheGrid
