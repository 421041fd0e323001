"""Whom a program acts as: the user of its key, in one of her units."""

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from apps.accounts.models import User
from apps.common.api import Refused

from .keys import key_of
from .models import Unit
from .queries import Staff, staff_of


class ApiRequest(HttpRequest):
    """A request that came with a key."""

    user: User
    staff: Staff
    unit: Unit


class ActsAs(HttpBearer):
    """A key opens what its user's memberships open, in the unit named by `X-Unit` or else her first."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        key = key_of(request)
        if key is None:
            return None
        chosen = (request.headers.get("X-Unit") or request.GET.get("unit") or "").lower() or None
        staff = staff_of(key.user, unit_uid=chosen, today=timezone.localdate())
        if staff.unit is None:
            raise Refused(403, "no-unit", _("The key's user works in no unit today."))
        if chosen is not None and str(staff.unit.uid) != chosen:
            raise Refused(404, "unit-not-found", _("The key's user does not work in this unit."))
        request.user = key.user
        request.staff, request.unit = staff, staff.unit  # type: ignore[attr-defined]
        return key


acts_as = ActsAs()


def demand(request: ApiRequest, roles: Collection[str]) -> None:
    """Refuse what the user's roles in this unit do not open."""
    if not request.staff.roles & frozenset(roles):
        raise Refused(403, "role-missing", _("The key's user may not do this in this unit."))
