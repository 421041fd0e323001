"""A production whose services need a room that nobody has set up does not start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import Error as DatabaseError
from django.db import connection

from apps.catalogue.models import ServiceType
from apps.common.checks import PRODUCTION, in_production

from .providers.fixed_link import usable
from .providers.registry import FIXED_LINK


@register(PRODUCTION)
def standing_room_has_an_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Ask the services, where there is a database yet; an address that is wrong is wrong without them."""
    if not in_production() or usable(settings.FIXED_ROOM_URL):
        return []
    if settings.FIXED_ROOM_URL:
        fault = "FIXED_ROOM_URL must be the https address of the standing room."
    elif _is_asked_for():
        fault = f"FIXED_ROOM_URL is missing: a service may meet by {FIXED_LINK}, in the standing room of a supplier."
    else:
        return []
    return [Error(fault, id="videotime.fixed_room_url")]


def _is_asked_for() -> bool:
    try:
        if ServiceType._meta.db_table not in connection.introspection.table_names():
            return False  # before the first migration
        return ServiceType.objects.filter(providers__contains=[FIXED_LINK]).exists()
    except DatabaseError:
        return False  # a database that is away, or whose shape is still to change, is said elsewhere
