"""Whom a program acts as: the user of its key, in one of her units."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router
from ninja.security import HttpBearer

from apps.accounts.models import User
from apps.common.api import Refused, Shown, UnitQuery, answer

from .keys import key_of
from .models import Role, Unit, UnitKind
from .queries import Staff, memberships_of, staff_of


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
        named = request.headers.get("X-Unit", request.GET.get("unit"))
        chosen = None if named is None else named.lower()
        staff = staff_of(key.user, unit_uid=chosen, today=timezone.localdate())
        if staff.unit is None:
            raise Refused(403, "no-unit", _("The key's user works in no unit today."))
        if chosen is not None and str(staff.unit.uid) != chosen:
            # An empty name, too: a program that lost its setting must not act in another unit.
            raise Refused(404, "unit-not-found", _("The key's user does not work in this unit. GET /units lists hers."))
        request.user = key.user
        request.staff, request.unit = staff, staff.unit  # type: ignore[attr-defined]
        return key


acts_as = ActsAs()
router = Router(tags=["units"])


class UnitOut(Shown):
    """`roles` decide what may be done there; `chosen` is the unit in which this request acts."""

    uid: UUID
    name: str
    kind: UnitKind
    organisation: UUID
    organisation_name: str
    roles: list[Role]
    chosen: bool


class UnitsOut(Shown):
    items: list[UnitOut]


@router.get("/units", response={200: UnitsOut}, summary="List the key's units")
def units(request: ApiRequest, query: Query[UnitQuery]) -> HttpResponse:
    """List where the key's user works today, and as what: the first is the one taken when none is named."""
    roles = defaultdict(list)
    for membership in memberships_of(request.user, timezone.localdate()):
        roles[membership.unit_id].append(Role(membership.role))
    items = [
        UnitOut(
            uid=unit.uid,
            name=unit.name,
            kind=UnitKind(unit.kind),
            organisation=unit.organisation.uid,
            organisation_name=unit.organisation.name,
            roles=sorted(roles[unit.pk]),
            chosen=unit == request.unit,
        )
        for unit in request.staff.units
    ]
    return answer(UnitsOut(items=items))


def demand(request: ApiRequest, roles: Collection[str]) -> None:
    """Refuse what the user's roles in this unit do not open."""
    if not request.staff.roles & frozenset(roles):
        raise Refused(403, "role-missing", _("The key's user may not do this in this unit."))
