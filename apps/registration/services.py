"""What follows a session into DIPS: drawn up when it is booked, queued when it was held, settled by a clerk."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.audit.models import Action
from apps.audit.services import Actor
from apps.common.errors import ChangedMeanwhile, DomainError, breach_raises
from apps.scheduling.models import Appointment
from apps.scheduling.queries import registering_unit
from apps.scheduling.services import note_access

from .house_rules import HouseRules, house_rules
from .models import CodeRule, NotNeededReason, Registration, RegistrationState
from .queries import Rules, sheet_for

CONTACT_ID: Final = re.compile(r"[0-9]{1,20}")
AUDITED: Final = "dips-registration"
BATCH: Final = 500
BY_PERSON: Final = [
    NotNeededReason.NOT_HELD,
    NotNeededReason.IN_PERSON,
    NotNeededReason.BY_PHONE,
    NotNeededReason.ELSEWHERE,
    NotNeededReason.TWICE,
]
"""The reasons that a clerk may give; the others follow from what happened to the appointment."""


class SettledMeanwhile(ChangedMeanwhile):
    code = "settled-meanwhile"
    message = _("Somebody else has registered this session in the meantime.")


class ContactIdWrong(DomainError):
    code = "contact-id-wrong"
    message = _("Write the DIPS contact id as digits only, at most 20, for example 30412886.")
    field = "dips_contact_id"


class ContactIdTaken(DomainError):
    code = "contact-id-taken"
    message = _("Another session has this DIPS contact id already. Check the number in DIPS.")
    field = "dips_contact_id"


class NotHeldYet(DomainError):
    code = "not-held-yet"
    message = _("The session has not been held yet, so it cannot be registered.")


class TooLateToUndo(DomainError):
    code = "too-late-to-undo"
    message = _("This can be undone on the day it was done. Now it must be corrected in DIPS.")


class ReasonUnknown(DomainError):
    code = "reason-unknown"
    message = _("Choose why the session is not registered.")
    field = "reason"


# Code rules ----------------------------------------------------------------------------------------------------------
def load_code_rules(*, today: date, rules: HouseRules | None = None) -> int:
    """Bring the house's rules up to the file; return how many new versions that made.

    A changed rule becomes a new version from today on; what sessions before today got stays as it was.
    Sheets that wait are drawn up again by the new versions; a run that was cut off there goes on at the next.
    """
    made = _store_rules(rules or house_rules(), today)
    if made or Registration.objects.open().filter(rule__valid_to__lt=F("appointment__starts_at__date")).exists():
        redraw_open_sheets()
    return made


@transaction.atomic
def _store_rules(wanted: HouseRules, today: date) -> int:
    newest: dict[tuple[str, bool], CodeRule] = {}
    for rule in CodeRule.objects.filter(organisation=None, scenario="").order_by("version"):
        newest[rule.family, rule.patient_present] = rule
    made = 0
    for house in wanted.rules:
        known = newest.get((house.family, house.patient_present))
        if known is not None and known.codes == house.rows and known.valid_to is None:
            continue
        starts = wanted.valid_from if known is None else max(today, known.valid_from)
        if known is not None and known.valid_to is None:
            known.valid_to = max(known.valid_from, today - timedelta(days=1))
            known.save(update_fields=["valid_to"])
        CodeRule.objects.create(
            family=house.family,
            patient_present=house.patient_present,
            version=known.version + 1 if known else 1,
            valid_from=starts,
            codes=house.rows,
        )
        made += 1
    return made


def redraw_open_sheets(*, appointments: Iterable[int] | None = None) -> None:
    """Draw up again, by today's rules, the sheets that nobody has settled.

    A sheet is written only where the session is still as it was read: what a clerk has settled meanwhile stays
    what she typed. One that came out differently is a new version: who has the old one before her is told.
    Each batch is a transaction of its own, so that nobody waits for the others.
    """
    rules = Rules()
    unsettled = Registration.objects.open()
    if appointments is not None:
        unsettled = unsettled.filter(appointment__in=appointments)
    reached = 0
    while batch := list(unsettled.filter(pk__gt=reached).order_by("pk").with_names()[:BATCH]):
        reached = batch[-1].pk
        with transaction.atomic():
            for registration in batch:
                _redraw(registration, rules)


def _redraw(registration: Registration, rules: Rules) -> None:
    before = registration.rule_id, registration.sheet
    _draw(registration, registration.appointment, rules)
    if (registration.rule_id, registration.sheet) != before:
        Registration.objects.open().filter(pk=registration.pk, version=registration.version).update(
            rule=registration.rule, sheet=registration.sheet, version=F("version") + 1
        )


# What follows from the appointment -----------------------------------------------------------------------------------
def plan_registration(*, appointment: Appointment) -> Registration | None:
    """Draw up the sheet of a booked session, where somebody has one to register."""
    unit = registering_unit(appointment)
    if unit is None:
        return None
    registration = Registration(appointment=appointment, unit=unit, organisation_id=unit.organisation_id)
    _draw(registration, appointment, Rules())
    found, _made = Registration.objects.get_or_create(
        appointment=appointment,
        defaults={
            "unit": unit,
            "organisation_id": unit.organisation_id,
            "rule": registration.rule,
            "sheet": registration.sheet,
        },
    )
    return found


@transaction.atomic
def move_registration(*, appointment: Appointment) -> None:
    """Draw up the sheet again: another day may have another rule."""
    registration = _locked(appointment)
    if registration is None or registration.state != RegistrationState.NOT_HELD:
        return
    _draw(registration, appointment, Rules())
    registration.version += 1
    registration.save(update_fields=["rule", "sheet", "version"])


@transaction.atomic
def queue_registration(*, appointment: Appointment) -> None:
    """Put a session that was held on the clerks' list."""
    registration = _locked(appointment)
    if registration is None or registration.state != RegistrationState.NOT_HELD:
        return
    _draw(registration, appointment, Rules())
    registration.state = RegistrationState.AWAITING
    registration.held_at = appointment.started_at or appointment.starts_at
    registration.version += 1
    registration.save(update_fields=["rule", "sheet", "state", "held_at", "version"])


def withdraw_registration(*, appointment: Appointment) -> None:
    """Take a cancelled session off."""
    _not_needed(appointment, NotNeededReason.CANCELLED)


def drop_registration(*, appointment: Appointment) -> None:
    """Take a session off that the patient did not come to."""
    _not_needed(appointment, NotNeededReason.NO_SHOW)


def _not_needed(appointment: Appointment, reason: NotNeededReason) -> None:
    Registration.objects.open().filter(appointment=appointment).update(
        state=RegistrationState.NOT_NEEDED, not_needed_reason=reason, version=F("version") + 1
    )


def _locked(appointment: Appointment) -> Registration | None:
    """Return the appointment's registration, held until the transaction ends; made where it is missing."""
    plan_registration(appointment=appointment)
    return Registration.objects.select_for_update(of=("self",)).filter(appointment=appointment).first()


def _draw(registration: Registration, appointment: Appointment, rules: Rules) -> None:
    rule = rules.for_session(appointment, registration.unit)
    registration.rule = rule
    registration.sheet = list(sheet_for(appointment, unit=registration.unit, rule=rule))


# What a clerk does ---------------------------------------------------------------------------------------------------
@transaction.atomic
def mark_registered(
    *, registration: Registration, version: int, actor: Actor, now: datetime, dips_contact_id: str = ""
) -> Registration:
    """Say that the session stands in DIPS, with DIPS's contact id where the clerk has it.

    Of two clerks who do it at once, one wins and the other is told.
    """
    contact_id = clean_contact_id(dips_contact_id)
    with breach_raises(registration_dips_contact_is_one_sessions=ContactIdTaken):
        changed = Registration.objects.filter(
            pk=registration.pk, version=version, state=RegistrationState.AWAITING
        ).update(
            state=RegistrationState.REGISTERED,
            dips_contact_id=contact_id,
            settled_at=now,
            settled_by_id=actor.id,
            version=F("version") + 1,
        )
    if not changed:
        return _already(registration, contact_id, actor)
    return _done(registration, actor, "registered")


def _already(registration: Registration, contact_id: str, actor: Actor) -> Registration:
    """Let the same clerk's second click pass; refuse everybody else with what stands there now."""
    registration.refresh_from_db()
    if registration.state == RegistrationState.NOT_HELD:
        raise NotHeldYet
    if registration.state == RegistrationState.AWAITING:
        raise ChangedMeanwhile
    same = registration.settled_by_id == actor.id and registration.dips_contact_id == contact_id
    if registration.state == RegistrationState.REGISTERED and same:
        return registration
    raise SettledMeanwhile


@transaction.atomic
def write_back_contact_id(
    *, registration: Registration, version: int, dips_contact_id: str, actor: Actor
) -> Registration:
    """Add or correct DIPS's contact id of a session that is registered."""
    contact_id = clean_contact_id(dips_contact_id)
    if not contact_id:
        raise ContactIdWrong
    with breach_raises(registration_dips_contact_is_one_sessions=ContactIdTaken):
        changed = Registration.objects.filter(
            pk=registration.pk, version=version, state=RegistrationState.REGISTERED
        ).update(dips_contact_id=contact_id, version=F("version") + 1)
    if not changed:
        raise ChangedMeanwhile
    return _done(registration, actor, "contact id")


@transaction.atomic
def mark_not_needed(
    *, registration: Registration, version: int, reason: str, actor: Actor, now: datetime
) -> Registration:
    """Say that the session is not to be registered, and why."""
    if reason not in BY_PERSON:
        raise ReasonUnknown
    changed = Registration.objects.filter(pk=registration.pk, version=version, state=RegistrationState.AWAITING).update(
        state=RegistrationState.NOT_NEEDED,
        not_needed_reason=reason,
        settled_at=now,
        settled_by_id=actor.id,
        version=F("version") + 1,
    )
    if not changed:
        registration.refresh_from_db()
        raise SettledMeanwhile if registration.is_settled else ChangedMeanwhile
    return _done(registration, actor, f"not registered: {reason}")


@transaction.atomic
def undo(*, registration: Registration, version: int, actor: Actor, now: datetime) -> Registration:
    """Put a session back on the list, on the day it was settled."""
    current = Registration.objects.select_for_update(of=("self",)).get(pk=registration.pk)
    if current.version != version:
        raise ChangedMeanwhile
    if not current.undoable(now):
        raise TooLateToUndo
    current.state = RegistrationState.AWAITING
    current.dips_contact_id = current.not_needed_reason = ""
    current.settled_at = current.settled_by = None
    current.version += 1
    current.save(update_fields=["state", "dips_contact_id", "not_needed_reason", "settled_at", "settled_by", "version"])
    redraw_open_sheets(appointments=[current.appointment_id])
    return _done(registration, actor, "undone")


def clean_contact_id(typed: str) -> str:
    """Return the digits of a DIPS contact id as people paste it; refuse anything else."""
    compact = "".join(typed.split())
    if compact and not CONTACT_ID.fullmatch(compact):
        raise ContactIdWrong
    return compact


def _done(registration: Registration, actor: Actor, what: str) -> Registration:
    registration.refresh_from_db()
    note_access(registration.appointment, Action.CHANGE, actor=actor, what=AUDITED, reason=what)
    return registration
