"""Setting up organisations and units, and giving and ending roles."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from stdnum.no import orgnr

from apps.accounts import passwords
from apps.accounts.models import User
from apps.accounts.services import add_user
from apps.audit.models import Action
from apps.audit.services import Actor, record_access
from apps.common.dates import local_date
from apps.common.errors import DomainError, breach_raises
from apps.common.writing import change

from .models import Membership, Organisation, OrganisationKind, Role, Unit, UnitKind
from .queries import Staff, units_managed


class WrongOrganisationNumber(DomainError):
    code = "wrong-organisation-number"
    message = _("An organisation number has nine digits. Check that it is typed correctly.")
    field = "number"


class OrganisationKnown(DomainError):
    code = "organisation-known"
    message = _("This organisation is registered already.")
    field = "number"


class AccountClosed(DomainError):
    code = "account-closed"
    message = _("The account with this e-mail address is closed.")
    field = "email"


class UnitKnown(DomainError):
    code = "unit-known"
    message = _("The organisation has a unit with this name already.")
    field = "name"


def add_organisation(
    *, name: str, kind: OrganisationKind | str, number: str, sms_sender: str = "Videotime", phone: str = ""
) -> Organisation:
    compact = "".join(number.split())
    if not orgnr.is_valid(compact):
        raise WrongOrganisationNumber
    with breach_raises(organisations_organisation_number_key=OrganisationKnown):
        return Organisation.objects.create(name=name, kind=kind, number=compact, sms_sender=sms_sender, phone=phone)


def add_unit(
    *,
    organisation: Organisation,
    name: str,
    kind: UnitKind | str,
    phone: str,
    public_name: str = "",
    address: str = "",
    resh_id: str = "",
    her_id: str = "",
) -> Unit:
    """Add a unit; `public_name` is what patients see before they have said who they are."""
    with breach_raises(unit_name_is_one_in_its_organisation=UnitKnown):
        return Unit.objects.create(
            organisation=organisation,
            name=name,
            public_name=public_name or organisation.name[:60],
            kind=kind,
            phone=phone,
            address=address,
            resh_id=resh_id,
            her_id=her_id,
        )


def give_role(
    *, user: User, unit: Unit, role: Role | str, valid_from: date, valid_to: date | None = None
) -> Membership:
    """Give somebody a role in a unit; giving it again renews its dates, but one that runs began when it began."""
    same = Membership.objects.filter(user=user, unit=unit, role=role)
    running = same.valid_on(valid_from).first()
    membership, _created = Membership.objects.update_or_create(
        user=user,
        unit=unit,
        role=role,
        defaults={"valid_from": running.valid_from if running else valid_from, "valid_to": valid_to},
    )
    return membership


def end_role(*, membership: Membership, today: date) -> None:
    """End a role at once: yesterday was its last day. One that began today never was."""
    if membership.valid_from >= today:
        membership.delete()
        return
    membership.valid_to = today - timedelta(days=1)
    membership.save(update_fields=["valid_to"])


class NotHersToGive(DomainError):
    code = "not-hers-to-give"
    message = _("You cannot give or end this access. Ask the administrator of your organisation.")


class OwnAccess(DomainError):
    code = "own-access"
    message = _("You cannot end your own access. Ask a colleague to do it.")


@dataclass(frozen=True)
class Invited:
    user: User
    is_new: bool
    mailed: bool


@transaction.atomic
def invite_user(
    *,
    email: str,
    given_name: str,
    family_name: str,
    unit: Unit,
    role: Role | str,
    now: datetime,
    title: str = "",
    hpr_number: str = "",
    valid_to: date | None = None,
) -> Invited:
    """Give somebody a role, with a new account where she has none.

    Who has no password yet is mailed a link to choose one: inviting her again sends a fresh link.
    """
    user = User.objects.filter(email__iexact=email).first()
    is_new = user is None
    if user is None:
        user = add_user(email=email, given_name=given_name, family_name=family_name, title=title, hpr_number=hpr_number)
    elif not user.is_active:
        raise AccountClosed
    give_role(user=user, unit=unit, role=role, valid_from=local_date(now), valid_to=valid_to)
    mailed = not user.has_usable_password()
    if mailed:
        passwords.invite(user=user, now=now)
    return Invited(user, is_new, mailed)


@transaction.atomic
def give_access(
    *, unit: Unit, role: Role | str, by: Staff, actor: Actor, now: datetime, valid_to: date | None = None, **person: str
) -> Invited:
    """Give somebody a role in a unit that `by` manages, and say so in the access log; `person` as for `invite_user`.

    Raises NotHersToGive, AccountClosed.
    """
    _expect_hers(by, unit, role)
    invited = invite_user(unit=unit, role=role, valid_to=valid_to, now=now, **person)
    _note(actor, Action.CREATE, invited.user, unit, role)
    return invited


@transaction.atomic
def end_access(*, membership: Membership, by: Staff, actor: Actor, today: date) -> None:
    """End somebody's role at once, and say so in the access log. Raises NotHersToGive, OwnAccess."""
    if membership.user_id == by.user.pk:
        raise OwnAccess
    _expect_hers(by, membership.unit, membership.role)
    end_role(membership=membership, today=today)
    _note(actor, Action.CHANGE, membership.user, membership.unit, membership.role)


@transaction.atomic
def invite_again(*, membership: Membership, by: Staff, actor: Actor, now: datetime) -> bool:
    """Mail a fresh link to somebody who has not chosen a password yet; say whether that was so. Raises NotHersToGive."""
    _expect_hers(by, membership.unit, membership.role)
    if membership.user.has_usable_password():
        return False
    passwords.invite(user=membership.user, now=now)
    _note(actor, Action.CHANGE, membership.user, membership.unit, membership.role)
    return True


def _expect_hers(by: Staff, unit: Unit, role: Role | str) -> None:
    if role not in by.may_give or not units_managed(by).filter(pk=unit.pk).exists():
        raise NotHersToGive


def _note(actor: Actor, action: Action, user: User, unit: Unit, role: Role | str) -> None:
    record_access(
        actor=actor, action=action, what="membership", what_reference=str(user.uid), reason=f"{role}, {unit.name}"
    )


def describe_organisation(*, organisation: Organisation, **fields: Any) -> bool:
    """Change what is said of an organisation (name, kind, sms_sender, phone); say whether it was otherwise."""
    return _describe(organisation, fields, {"name", "kind", "sms_sender", "phone"})


def describe_unit(*, unit: Unit, **fields: Any) -> bool:
    """Change what is said of a unit, but not its name; say whether it was otherwise."""
    return _describe(unit, fields, {"kind", "phone", "public_name", "address", "resh_id", "her_id"})


def _describe(row: Any, fields: dict[str, Any], known: set[str]) -> bool:
    if unknown := fields.keys() - known:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))}")
    return change(row, fields)
