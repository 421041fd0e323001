"""Load the scenarios, and switch a service on in a unit."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.common.data_files import read_yaml
from apps.common.errors import DomainError
from apps.organisations.models import Organisation, Unit

from .models import Agreement, AgreementMode, PortalUse, Scenario, ServiceType

DATA: Final = Path(__file__).parent / "data" / "scenarios.yaml"
SAME_DAY_NOTICE_MINUTES: Final = 5
TUNABLE: Final = frozenset(
    field.name for field in ServiceType._meta.fields if field.name not in {"id", "uid", "unit", "scenario"}
)


class NotForThePortal(DomainError):
    """A scenario that urgent help has its own ways for."""

    code = "not-for-the-portal"
    message = _("This kind of session is not booked here. In an emergency, call 113.")


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml(DATA)
    return loaded


@transaction.atomic
def load_scenarios() -> int:
    """Bring the table in line with `data/scenarios.yaml` and say how many scenarios there are; safe to run again.

    Scenarios that services were made from stay as rows even if the file drops them: codes never change.
    """
    rows = [
        Scenario(
            code=entry["code"],
            names=entry["names"],
            family=entry["family"],
            kind=entry["kind"],
            priority=entry["priority"],
            portal_use=entry["portal_use"],
            form=entry["form"],
            settings=entry["settings"],
            remote_roles=entry["remote_roles"],
            local_roles=entry["local_roles"],
            defaults=entry["defaults"],
        )
        for entry in _data()["scenarios"]
    ]
    fields = [field.name for field in Scenario._meta.fields if field.name not in {"id", "code"}]
    Scenario.objects.bulk_create(rows, update_conflicts=True, unique_fields=["code"], update_fields=fields)
    return len(rows)


def offer_service(*, unit: Unit, scenario: Scenario, **overrides: Any) -> ServiceType:
    """Switch a scenario on in a unit with its defaults, or tune the service that the unit already has.

    Raises NotForThePortal.
    """
    if scenario.portal_use == PortalUse.NOT_OFFERED:
        raise NotForThePortal
    if unknown := overrides.keys() - TUNABLE:
        raise TypeError(f"a service has no {', '.join(sorted(unknown))}")
    service, _made = ServiceType.objects.update_or_create(
        unit=unit, scenario=scenario, defaults=overrides, create_defaults=_proposal(scenario) | overrides
    )
    return service


def agree(*, service_type: ServiceType, organisation: Organisation, mode: str = AgreementMode.DIRECT) -> Agreement:
    """Let another organisation book this service."""
    agreement, _made = Agreement.objects.update_or_create(
        service_type=service_type, organisation=organisation, defaults={"mode": AgreementMode(mode)}
    )
    return agreement


def _proposal(scenario: Scenario) -> dict[str, Any]:
    defaults, same_day = scenario.defaults, scenario.portal_use == PortalUse.SAME_DAY
    return {
        "names": scenario.names,
        "length_minutes": defaults["length_minutes"],
        "buffer_after_minutes": defaults["buffer_after_minutes"],
        "start_grid_minutes": 5 if same_day else 15,
        "shortest_notice_minutes": SAME_DAY_NOTICE_MINUTES if same_day else 60,
        "horizon_days": 1 if same_day else 42,
        "patient_present": defaults["patient_present"],
        "interpreter_possible": defaults["interpreter_possible"],
        "photo_upload": defaults["photo_upload"],
        "form": scenario.form,
    }
