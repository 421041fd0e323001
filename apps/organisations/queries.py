"""Who may do what where."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from allauth.core.internal.httpkit import get_client_ip
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import ApiKey, Authenticator, User
from apps.audit.services import Actor
from apps.common.prepared import Prepared

from .models import (
    MAY_BOOK,
    MAY_GIVE,
    MAY_KEEP_DIARIES,
    MAY_REGISTER,
    MAY_SEE_ACCESS,
    MAY_SEE_PATIENTS,
    Membership,
    OrganisationKind,
    Role,
    Unit,
)

REGISTERING: Final = frozenset({OrganisationKind.HOSPITAL_TRUST, OrganisationKind.GP_OFFICE})
"""Hospitals register in DIPS, GP offices their tariffs; municipalities nothing."""


@dataclass(frozen=True)
class Staff:
    """A user at work: the unit she is in now, and her roles there (and in her other units)."""

    user: User
    unit: Unit | None = None
    units: list[Unit] = field(default_factory=list)
    roles: frozenset[str] = frozenset()
    patient_units: frozenset[int] = frozenset()
    """Those of her units whose patients she may know."""

    @property
    def may_book(self) -> bool:
        return bool(self.roles & MAY_BOOK)

    @property
    def may_see_patients(self) -> bool:
        return bool(self.roles & MAY_SEE_PATIENTS)

    @property
    def may_register(self) -> bool:
        """Say whether there is a DIPS list for her: a municipality's super user has nothing on it."""
        return bool(self.roles & MAY_REGISTER) and any(unit.organisation.kind in REGISTERING for unit in self.units)

    @property
    def may_keep_diaries(self) -> bool:
        return bool(self.roles & MAY_KEEP_DIARIES)

    @property
    def may_see_access(self) -> bool:
        return bool(self.roles & MAY_SEE_ACCESS)

    @property
    def may_give(self) -> frozenset[str]:
        """Return the roles that she may give and end in the units of `units_managed`."""
        return frozenset().union(*(MAY_GIVE.get(role, frozenset()) for role in self.roles))

    @property
    def role_labels(self) -> str:
        return ", ".join(str(Role(role).label) for role in sorted(self.roles))


class AtWork(NamedTuple):
    """The memberships of a day, as they came along with a user."""

    day: date
    memberships: Sequence[Membership]


def user_with_work(user_id: int, today: date) -> User | None:
    """Return a user with what every staff page asks next, in one query: her confirmed authenticators and her memberships.

    None for somebody who works nowhere today: what is needed of her stands in `accounts` alone.
    """
    memberships = _OF_USER(user_id=user_id, today=today)
    return _along(memberships, today) if memberships else None


def user_of_session(key: str, *, now: datetime) -> tuple[User, str] | None:
    """Return the same for the user whose session this is, and what stands in it, still sealed.

    None for a session that nobody has signed in to, or where she works nowhere today.
    """
    today = timezone.localdate(now)
    memberships = _OF_SESSION(key=key, now=now, today=today)
    if not memberships or (data := getattr(memberships[0], "session_data", None)) is None:
        return None
    return _along(memberships, today), data


def key_with_work(digest: bytes, now: datetime) -> ApiKey | None:
    """Return the live key with this digest, its user and her memberships, in one query.

    None for the key of somebody who works nowhere today: what is needed of it stands in `accounts` alone.
    """
    today = timezone.localdate(now)
    memberships = _OF_KEY(digest=digest, now=now, today=today)
    if not memberships:
        return None
    first, user = memberships[0], memberships[0].user
    known = [getattr(first, "key_id"), user.pk, getattr(first, "key_used_on")]  # noqa: B009 the stubs lose the annotations
    key = ApiKey.from_db(DEFAULT_DB_ALIAS, ["id", "user_id", "last_used_on"], known)
    user.at_work = AtWork(today, memberships)  # type: ignore[attr-defined]
    key.user = user
    return key


def _along(memberships: Sequence[Membership], today: date) -> User:
    user: User = memberships[0].user
    user.authenticators = tuple(getattr(memberships[0], "authenticators"))  # noqa: B009 the stubs lose the annotation
    user.at_work = AtWork(today, memberships)  # type: ignore[attr-defined]
    return user


def staff_of(user: User, *, unit_uid: str | None = None, today: date | None = None) -> Staff:
    """Return the user's work: one query, or none where it came along. The unit is the one chosen, else her first."""
    if not user.is_active:
        return Staff(user)
    memberships = memberships_of(user, today or timezone.localdate())
    units = list({membership.unit_id: membership.unit for membership in memberships}.values())
    if not units:
        return Staff(user)
    unit = next((unit for unit in units if str(unit.uid) == unit_uid), units[0])
    return Staff(
        user=user,
        unit=unit,
        units=units,
        roles=frozenset(membership.role for membership in memberships if membership.unit_id == unit.pk),
        patient_units=frozenset(one.unit_id for one in memberships if one.role in MAY_SEE_PATIENTS),
    )


def memberships_of(user: User, today: date) -> Sequence[Membership]:
    """Return where she works on a day, and as what; one query, or none where it came along."""
    along: AtWork | None = getattr(user, "at_work", None)
    return along.memberships if along and along.day == today else _MEMBERSHIPS(user_id=user.pk, today=today)


def _memberships(today: date) -> QuerySet[Membership]:
    return Membership.objects.valid_on(today).select_related("unit__organisation").order_by("id")


def _with_user(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    confirmed = Authenticator.objects.filter(user=OuterRef("user"), confirmed=True).order_by("pk").values("pk")
    return memberships.select_related("user").annotate(authenticators=ArraySubquery(confirmed))


_MEMBERSHIPS = Prepared(lambda user_id, today: _memberships(today).filter(user=user_id), user_id=int, today=date)
_OF_USER = Prepared(
    lambda user_id, today: _with_user(_memberships(today).filter(user=user_id)), user_id=int, today=date
)
_OF_SESSION = Prepared(
    lambda key, now, today: _with_user(
        _memberships(today)
        .filter(user__usersession__session_key=key)
        .annotate(
            session_data=Subquery(Session.objects.filter(session_key=key, expire_date__gt=now).values("session_data"))
        )
    ),
    key=str,
    now=datetime,
    today=date,
)


_OF_KEY = Prepared(
    lambda digest, now, today: (
        _memberships(today)
        .filter(user__is_active=True, user__api_keys__in=ApiKey.objects.live(now).filter(digest=digest))
        .select_related("user")
        .annotate(key_id=F("user__api_keys__id"), key_used_on=F("user__api_keys__last_used_on"))
    ),
    digest=bytes,
    now=datetime,
    today=date,
)


def actor_of(request: HttpRequest) -> Actor:
    """Return who is asking, for the access log."""
    staff: Staff | None = getattr(request, "staff", None)
    origin = get_client_ip(request)
    if not staff or not staff.user.is_authenticated:
        return Actor(origin=origin)
    unit = staff.unit
    return Actor(
        id=staff.user.pk,
        label=staff.user.name,
        role=",".join(sorted(staff.roles)),
        unit_id=unit.pk if unit else None,
        unit_label=f"{unit.name}, {unit.organisation.name}" if unit else "",
        origin=origin,
    )


def registering_side(performer: Unit, requester: Unit) -> Unit | None:
    """Return the unit of the two that has a session to register; None where neither has.

    A hospital registers in DIPS, the performer's before the requester's; else a GP office that performs, its tariffs.
    """
    for unit in (performer, requester):
        if unit.organisation.kind == OrganisationKind.HOSPITAL_TRUST:
            return unit
    return performer if performer.organisation.kind == OrganisationKind.GP_OFFICE else None


def units_overseen(staff: Staff) -> QuerySet[Unit]:
    """Return the units whose people she sees: a manager her own, the others all of the organisation's."""
    return _units_of(staff, whole=MAY_SEE_ACCESS - {Role.UNIT_MANAGER})


def units_managed(staff: Staff) -> QuerySet[Unit]:
    """Return the units where she gives and ends access: a manager her own, an administrator all."""
    return _units_of(staff, whole={Role.ORGANISATION_ADMIN})


def _units_of(staff: Staff, *, whole: AbstractSet[str]) -> QuerySet[Unit]:
    if staff.unit is not None and staff.roles & whole:
        return Unit.objects.filter(organisation=staff.unit.organisation_id)
    if staff.unit is not None and Role.UNIT_MANAGER in staff.roles:
        return Unit.objects.filter(pk=staff.unit.pk)
    return Unit.objects.none()


def accesses(staff: Staff, *, today: date, unit_uid: str = "", text: str = "") -> QuerySet[Membership]:
    """Return who has access, or will have, in the units she oversees; `text` is part of a name or an address."""
    found = Membership.objects.not_over(today).filter(unit__in=units_overseen(staff), user__is_active=True)
    for word in text.split():
        found = found.filter(
            Q(user__given_name__icontains=word) | Q(user__family_name__icontains=word) | Q(user__email__icontains=word)
        )
    if unit_uid:
        found = found.filter(unit__uid=unit_uid)
    return found.select_related("unit", "user").order_by(
        "unit__name", "unit", "user__family_name", "user__given_name", "user", "role"
    )


def units_called(text: str) -> list[Unit]:
    """Return the units with this name or uid."""
    units = Unit.objects.select_related("organisation")
    try:
        return list(units.filter(uid=UUID(text)))
    except ValueError:
        return list(units.filter(name__iexact=text.strip()))
