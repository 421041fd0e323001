"""Registering patients, keeping their contact details, and opening their records to a unit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.audit.models import Action
from apps.audit.services import Actor, record_access, record_readings
from apps.common.crypto import blind_index
from apps.common.errors import DomainError
from apps.common.languages import LANGUAGES
from apps.common.nudge import wake
from apps.common.phones import WrongPhone, normalise_phone, takes_messages
from apps.common.plain_text import is_plain
from apps.organisations.models import Organisation, Unit

from . import queries
from .identifiers import Identifier, accept_identifier
from .models import CareRelation, ContactChannel, InterpreterMode, NextOfKin, Patient, Protection

EARLIEST_BIRTH: Final = date(1900, 1, 1)
SHORTEST_REASON: Final = 10


class PatientRefused(DomainError):
    """A patient's details do not hold; `field` names the one."""

    code = "patient-refused"


class NameMissing(PatientRefused):
    code = "name-missing"
    message = _("Write the name.")


class WrongName(PatientRefused):
    code = "wrong-name"
    message = _("Write the name with letters, on one line, at most 80.")


class BirthDateMissing(PatientRefused):
    code = "birth-date-missing"
    message = _("Write the date of birth, for example 12.05.1943.")
    field = "birth_date"


class WrongBirthDate(PatientRefused):
    code = "wrong-birth-date"
    message = _("The date of birth must lie between 1900 and today.")
    field = "birth_date"


class OtherBirthDate(PatientRefused):
    code = "known-with-another-birth-date"
    message = _("The number is registered with another date of birth. Check both.")
    field = "birth_date"


class NumberSaysOtherwise(PatientRefused):
    code = "birth-date-not-as-the-number-says"
    message = _("The number says %(date)s. Correct it, or confirm that you have checked it.")
    field = "birth_date"

    def __init__(self, said: date) -> None:
        super().__init__()
        self.said = said

    def __str__(self) -> str:
        return str(self.message) % {"date": f"{self.said:%d.%m.%Y}"}


class NumberNotIssuedYet(PatientRefused):
    code = "national-id-not-issued-yet"
    message = _("Numbers of this kind are issued from 2032. Check each digit, or confirm that you have checked it.")
    field = "national_id"


class WrongEmail(PatientRefused):
    code = "wrong-e-mail"
    message = _("Write an e-mail address, for example ada@post.example.")
    field = "email"


class PhoneMissing(PatientRefused):
    code = "phone-missing"
    message = _("Write the mobile number that the text messages go to, or choose another way.")
    field = "phone"


class LandLine(PatientRefused):
    code = "land-line"
    message = _("Text messages do not reach a land line. Write a mobile number, or choose another way.")
    field = "phone"


class EmailMissing(PatientRefused):
    code = "e-mail-missing"
    message = _("Write the e-mail address that the messages go to, or choose another way.")
    field = "email"


class KinPhoneMissing(PatientRefused):
    code = "next-of-kin-phone-missing"
    message = _("First add a next of kin with a mobile number who may act for the patient, or choose another way.")
    field = "channel"


class UnknownLanguage(PatientRefused):
    code = "unknown-language"
    message = _("Choose a language from the list.")
    field = "language"


class UnknownChoice(PatientRefused):
    code = "unknown-choice"
    message = _("Choose one of those in the list.")


class ReasonMissing(DomainError):
    code = "reason-missing"
    message = _("Write why you need to find this patient, in at least ten characters. It is kept in the access log.")
    field = "reason"


@dataclass(frozen=True)
class KinInput:
    """Somebody close to the patient."""

    name: str
    relation: str
    phone: str = ""
    acts_for_patient: bool = False


def register_patient(
    *,
    organisation: Organisation,
    unit: Unit,
    actor: User | Actor,
    now: datetime,
    given_name: str,
    family_name: str,
    national_id: str = "",
    birth_date: date | None = None,
    phone: str = "",
    email: str = "",
    address: str = "",
    language: str = "nob",
    interpreter_needed: bool = False,
    interpreter_mode: str = InterpreterMode.SCREEN,
    channel: str = "",
    reserved: bool = False,
    protection: str = Protection.OPEN,
    next_of_kin: Sequence[KinInput] = (),
    checked: bool = False,
) -> Patient:
    """Register a patient with a unit. A person whom the organisation knows already is not registered twice:
    the unit joins in her care, and what was not known of her is filled in. Without a `channel` she is written to
    by text message, by e-mail or not at all, as what is known allows. `checked`: a birth date that is not the number's
    is right all the same.

    Raises PatientRefused, InvalidIdentifier and WrongPhone, each with the field it belongs to.
    """
    identifier = accept_identifier(national_id, synthetic_allowed=settings.DEMO) if national_id.strip() else None
    birth_date = birth_date or (identifier.birth_date if identifier else None)
    if birth_date is None:
        raise BirthDateMissing
    patient = Patient(
        organisation=organisation,
        given_name=_name(given_name, "given_name"),
        family_name=_name(family_name, "family_name"),
        birth_date=_born(birth_date, now),
        identifier_kind=identifier.kind if identifier else "",
        national_id=identifier.value if identifier else None,
    )
    patient.person_index = queries.person_index(identifier.value if identifier else str(patient.uid))
    _set_contact(
        patient,
        phone=phone,
        email=email,
        address=address,
        language=language,
        interpreter_needed=interpreter_needed,
        interpreter_mode=interpreter_mode,
        channel=channel or _best_channel(phone, email),
        reserved=reserved,
        protection=protection,
    )
    kin = [_kin(patient, one) for one in next_of_kin]
    _check_kin_is_reachable(patient, kin)
    if not checked:
        for doubt in doubts(identifier, birth_date, now=now):
            if isinstance(doubt, NumberSaysOtherwise):
                raise doubt
    with transaction.atomic():
        known = _save_or_find(patient)
        if known is not None:
            patient = _fill_in(known, patient)
            action = Action.CHANGE
        else:
            NextOfKin.objects.bulk_create(kin)
            action = Action.CREATE
        CareRelation.objects.get_or_create(patient=patient, unit=unit, defaults={"since": timezone.localdate(now)})
        record_access(actor=_actor(actor, unit), action=action, what="patient", patient_uid=patient.uid)
    return patient


def faults_of(
    *,
    now: datetime,
    given_name: str,
    family_name: str,
    national_id: str,
    birth_date: date | None,
    phone: str,
    email: str,
    address: str,
    language: str,
    **_chosen: Any,
) -> list[DomainError]:
    """Return what does not hold by itself, each with its field: `register_patient` raises the first that it meets."""
    checks: list[Callable[[], Any]] = [
        lambda: _name(given_name, "given_name"),
        lambda: _name(family_name, "family_name"),
        lambda: national_id.strip() and accept_identifier(national_id, synthetic_allowed=settings.DEMO),
        lambda: birth_date and _born(birth_date, now),
        lambda: phone.strip() and normalise_phone(phone),
        lambda: _email(email),
        lambda: _address(address),
        lambda: _known_language(language),
    ]
    faults: list[DomainError] = []
    for check in checks:
        try:
            check()
        except DomainError as fault:
            faults.append(fault)
    if birth_date is None and not national_id.strip():
        faults.append(BirthDateMissing())
    return faults


def doubts(identifier: Identifier | None, birth_date: date | None, *, now: datetime) -> list[PatientRefused]:
    """Say what looks wrong about a number. It is a hint: who has looked at it is believed.

    A birth date that contradicts it is hardly ever right, and is what the patient is asked for at the door. A number of
    2032 is valid as it is (Skatteetaten accepts both check digits): worth a second look, no more.
    """
    if identifier is None:
        return []
    found: list[PatientRefused] = []
    if birth_date is not None and identifier.birth_date is not None and birth_date != identifier.birth_date:
        found.append(NumberSaysOtherwise(identifier.birth_date))
    if identifier.rule_2032 and timezone.localdate(now).year < 2032:
        found.append(NumberNotIssuedYet())
    return found


def _save_or_find(patient: Patient) -> Patient | None:
    """Save a new patient; return the record that the organisation has of her already, if it has one."""
    same_person = Patient.objects.filter(organisation=patient.organisation, person_index=patient.person_index)
    if patient.national_id and (known := same_person.first()) is not None:
        return known
    try:
        with transaction.atomic():
            patient.save()
    except IntegrityError:  # somebody else registered her a moment ago
        return same_person.get()
    return None


def _fill_in(known: Patient, typed: Patient) -> Patient:
    if known.birth_date != typed.birth_date:
        raise OtherBirthDate
    filled = [name for name in ("phone", "email", "address") if not getattr(known, name) and getattr(typed, name)]
    for name in filled:
        setattr(known, name, getattr(typed, name))
    if filled:
        known.phone_index = _phone_index(known.phone)
        known.save(update_fields=[*filled, "phone_index", "updated_at"])
    return known


@transaction.atomic
def update_contact(
    *, patient: Patient, actor: User | Actor, now: datetime, unit: Unit | None = None, **changes: Any
) -> Patient:
    """Change contact details, language, interpreter need or protection; `changes` as in `register_patient`.

    Raises PatientRefused and WrongPhone, each with its field.
    """
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    values = {name: getattr(locked, name) or "" for name in ("phone", "email", "address")}
    values |= {name: getattr(locked, name) for name in CONTACT if name not in values}
    unknown = set(changes) - set(CONTACT)
    assert not unknown, f"not contact details: {unknown}"
    before = dict(values)
    _set_contact(locked, **(values | changes))
    _check_kin_is_reachable(locked, locked.next_of_kin.all())
    changed = sorted(name for name in CONTACT if (getattr(locked, name) or "") != (before[name] or ""))
    if changed:
        if not CONTACT_WAYS.isdisjoint(changed):
            locked.contact_changed_at = now
            wake(TELLS_PATIENTS)
        locked.save(update_fields=[*changed, "phone_index", "contact_changed_at", "updated_at"])
        record_access(
            actor=_actor(actor, unit),
            action=Action.CHANGE,
            what="patient",
            what_reference=",".join(changed),
            patient_uid=locked.uid,
        )
    return locked


CONTACT: Final = (
    "phone",
    "email",
    "address",
    "language",
    "interpreter_needed",
    "interpreter_mode",
    "channel",
    "reserved",
    "protection",
)
TELLS_PATIENTS: Final = "scheduling.react"
"""The sweeper that sees to it that what was written to the old number is withdrawn and said at the new one."""

CONTACT_WAYS: Final = frozenset({"phone", "email", "language", "channel", "reserved"})
"""What messages that are already written depend on."""


@transaction.atomic
def add_next_of_kin(
    *, patient: Patient, kin: KinInput, actor: User | Actor, now: datetime, unit: Unit | None = None
) -> NextOfKin:
    """Raises PatientRefused and WrongPhone."""
    row = _kin(patient, kin)
    row.save()
    _note_kin_changed(patient, now)
    record_access(actor=_actor(actor, unit), action=Action.CHANGE, what="next-of-kin", patient_uid=patient.uid)
    return row


@transaction.atomic
def remove_next_of_kin(*, kin: NextOfKin, actor: User | Actor, now: datetime, unit: Unit | None = None) -> None:
    """Raises KinPhoneMissing for the last one through whom the patient is reached."""
    others = kin.patient.next_of_kin.exclude(pk=kin.pk)
    _check_kin_is_reachable(kin.patient, others)
    record_access(actor=_actor(actor, unit), action=Action.CHANGE, what="next-of-kin", patient_uid=kin.patient.uid)
    _note_kin_changed(kin.patient, now)
    kin.delete()


def _note_kin_changed(patient: Patient, now: datetime) -> None:
    """Where messages go to the next of kin, another one is another address."""
    if patient.channel == ContactChannel.NEXT_OF_KIN:
        Patient.objects.filter(pk=patient.pk).update(contact_changed_at=now)
        wake(TELLS_PATIENTS)


@transaction.atomic
def search_widely(*, unit: Unit, text: str, reason: str, actor: User | Actor) -> list[Patient]:
    """Search among the whole organisation's patients, for a reason that every patient shown finds in her log.

    Raises ReasonMissing.
    """
    reason = _reason(reason)
    hits = queries.search_organisation(unit, text)
    _note_search(hits, _actor(actor, unit), reason)
    return hits


@transaction.atomic
def search(*, user: User, unit: Unit, text: str, actor: Actor) -> list[Patient]:
    """Search among the patients whom a user may see in a unit; every patient shown finds it in her log."""
    hits = queries.search_patients(user, unit, text)
    _note_search(hits, actor)
    return hits


def _note_search(hits: Sequence[Patient], actor: Actor, reason: str = "") -> None:
    """Note a search, also one that finds nobody: what is looked for without finding tells too."""
    record_readings(actor, "patient-search", [("", None), *(("", patient.uid) for patient in hits)], reason=reason)


@transaction.atomic
def join_care(*, patient: Patient, unit: Unit, reason: str, actor: User | Actor, now: datetime) -> None:
    """Let a unit of the same organisation take part in a patient's care, for a reason in her log.

    Raises ReasonMissing.
    """
    reason = _reason(reason)
    assert patient.organisation_id == unit.organisation_id
    CareRelation.objects.get_or_create(patient=patient, unit=unit, defaults={"since": timezone.localdate(now)})
    record_access(
        actor=_actor(actor, unit), action=Action.CHANGE, what="care-relation", patient_uid=patient.uid, reason=reason
    )


def _actor(actor: User | Actor, unit: Unit | None) -> Actor:
    if isinstance(actor, Actor):
        return actor
    return Actor(id=actor.pk, label=actor.name, unit_id=unit.pk if unit else None, unit_label=unit.name if unit else "")


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_REASON or not is_plain(reason):
        raise ReasonMissing
    return reason[:300]


def _name(text: str, field: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise NameMissing(field=field)
    if len(name) > 80 or not is_plain(name) or not any(character.isalpha() for character in name):
        raise WrongName(field=field)
    return name


def _born(born: date, now: datetime) -> date:
    if not EARLIEST_BIRTH <= born <= timezone.localdate(now):
        raise WrongBirthDate
    return born


def _email(text: str) -> str:
    text = text.strip()
    try:
        if text:
            validate_email(text)
    except ValidationError as fault:
        raise WrongEmail from fault
    if len(text) > 254:
        raise WrongEmail
    return text


def _best_channel(phone: str, email: str) -> str:
    if phone.strip():
        return ContactChannel.SMS
    return ContactChannel.EMAIL if email.strip() else ContactChannel.NONE


def _check_kin_is_reachable(patient: Patient, kin: Iterable[NextOfKin]) -> None:
    reached = any(one.acts_for_patient and one.phone and takes_messages(one.phone) for one in kin)
    if patient.channel == ContactChannel.NEXT_OF_KIN and not reached:
        raise KinPhoneMissing


def _phone_index(phone: str | None) -> bytes | None:
    return blind_index(phone, "phone") if phone else None


def _set_contact(patient: Patient, **values: Any) -> None:
    """Check the contact details together, then set them."""
    phone = normalise_phone(values["phone"]) if values["phone"].strip() else ""
    email = _email(values["email"])
    address = _address(values["address"])
    _known_language(values["language"])
    for name, choices in (
        ("interpreter_mode", InterpreterMode),
        ("channel", ContactChannel),
        ("protection", Protection),
    ):
        if values[name] not in choices.values:
            raise UnknownChoice(field=name)
    if not values["reserved"]:
        if values["channel"] == ContactChannel.SMS and not phone:
            raise PhoneMissing
        if values["channel"] == ContactChannel.SMS and not takes_messages(phone):
            raise LandLine
        if values["channel"] == ContactChannel.EMAIL and not email:
            raise EmailMissing
    patient.phone, patient.phone_index = phone or None, _phone_index(phone)
    patient.email, patient.address = email or None, address or None
    for name in ("language", "interpreter_needed", "interpreter_mode", "channel", "reserved", "protection"):
        setattr(patient, name, values[name])


def _address(text: str) -> str:
    address = " ".join(text.split())
    if len(address) > 200 or not is_plain(address):
        raise PatientRefused(_("Write the address on one line, at most 200 characters."), field="address")
    return address


def _known_language(code: str) -> None:
    if code not in LANGUAGES:
        raise UnknownLanguage


def check_kin(kin: KinInput) -> None:
    """Raises PatientRefused and WrongPhone."""
    _kin(Patient(), kin)


def _kin(patient: Patient, kin: KinInput) -> NextOfKin:
    try:
        phone = normalise_phone(kin.phone) if kin.phone.strip() else None
    except WrongPhone as fault:
        raise WrongPhone(field="kin_phone") from fault
    relation = " ".join(kin.relation.split())
    if len(relation) > 40 or not is_plain(relation):
        raise PatientRefused(_("Write the relation in a few words, for example daughter."), field="relation")
    return NextOfKin(
        patient=patient,
        name=_name(kin.name, "name"),
        relation=relation,
        phone=phone,
        acts_for_patient=kin.acts_for_patient,
    )
