"""Who takes part in a session, and how each can be reached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from phonenumbers import NumberParseException

from apps.common.languages import written_language
from apps.common.phones import takes_messages
from apps.messaging.models import Channel
from apps.patients.models import ContactChannel, NextOfKin, Patient
from apps.scheduling.models import Appointment, Participant, ParticipantRole, Schedule
from apps.scheduling.services import GuestInput

from . import texts

RESERVED, WANTS_NONE, NO_CONTACT, NO_MAIL = "reserved", "wants-none", "no-contact", "no-mail"

BOOKER = "user-"
"""How the key of somebody begins who booked it and does not take part."""

Way = tuple[str, str]
"""A channel and an address."""


@dataclass(frozen=True)
class Person:
    """Somebody to be told. `ways` in the order to try them; none has a reason in `why_not`.

    Who is not `invited` gets the mail without the calendar part.
    """

    key: str
    role: str
    audience: str
    name: str
    language: str
    ways: tuple[Way, ...]
    why_not: str = ""
    title: str = ""
    user_id: int | None = None
    participant: Participant | None = None
    invited: bool = True


def people_of(appointment: Appointment) -> list[Person]:
    """Return everybody who takes part: two queries."""
    rows = (
        appointment.participants.exclude(role=ParticipantRole.EQUIPMENT)
        .select_related("schedule__user", "appointment__patient")
        .order_by("id")
    )
    return [_person_of(row, appointment) for row in rows]


def _person_of(row: Participant, appointment: Appointment) -> Person:
    row.appointment = appointment
    if row.role == ParticipantRole.PATIENT and appointment.patient is not None:
        return patient_person(appointment.patient, key=str(row.uid), participant=row)
    if row.schedule is not None:
        return staff_person(row.schedule, role=row.role, key=str(row.uid), participant=row)
    return _guest(
        name=row.guest_name or "",
        phone=row.guest_phone or "",
        email=row.guest_email or "",
        role=row.role,
        patient=appointment.patient,
        key=str(row.uid),
        participant=row,
    )


def booker_of(appointment: Appointment) -> Person | None:
    """Return whoever booked it, where she does not take part herself."""
    user = appointment.booked_by
    if not user.is_active or appointment.participants.filter(schedule__user=user).exists():
        return None
    return Person(
        key=f"{BOOKER}{user.uid}",
        role="",
        audience=texts.STAFF,
        name=user.name,
        title=user.title,
        language=user.language,
        ways=((Channel.EMAIL.value, user.email),),
        user_id=user.pk,
        invited=False,
    )


def people_to_be(
    *,
    patient: Patient | None,
    patient_present: bool,
    schedules: Iterable[tuple[str, Schedule]],
    guests: Sequence[GuestInput] = (),
) -> list[Person]:
    """Return who would take part in a session that is not booked yet: (role, schedule) and guests."""
    people = [
        staff_person(schedule, role=role, key=f"schedule-{schedule.pk}")
        for role, schedule in schedules
        if role not in {ParticipantRole.PATIENT, ParticipantRole.EQUIPMENT}
    ]
    if patient is not None and patient_present:
        people.insert(0, patient_person(patient, key="patient"))
    for number, guest in enumerate(guests):
        people.append(
            _guest(
                name=guest.name,
                phone=guest.phone,
                email=guest.email,
                role=guest.role,
                patient=patient,
                key=f"guest-{number}",
            )
        )
    return people


def patient_person(patient: Patient, *, key: str, participant: Participant | None = None) -> Person:
    """Respect what the patient has chosen: reservation, her channel, a next of kin who is told instead.

    Address protection is about where she lives; a text message tells nothing about that.
    """
    audience, name, ways, why_not = texts.PATIENT, patient.name, _ways(patient.phone, patient.email), ""
    if patient.reserved:
        ways, why_not = (), RESERVED
    elif patient.channel == ContactChannel.NONE:
        ways, why_not = (), WANTS_NONE
    elif patient.channel == ContactChannel.NEXT_OF_KIN:
        kin = _acting_kin(patient)
        audience, ways = texts.KIN, _ways(kin.phone, None) if kin else ()
    elif patient.channel == ContactChannel.EMAIL:
        ways = ways[::-1]
    return Person(
        key=key,
        role=ParticipantRole.PATIENT,
        audience=audience,
        name=name,
        language=written_language(patient.language),
        ways=ways,
        why_not=why_not or ("" if ways else NO_CONTACT),
        participant=participant,
    )


def _acting_kin(patient: Patient) -> NextOfKin | None:
    """Return the first who may act for her and whom a message reaches."""
    return next((kin for kin in patient.next_of_kin.all() if kin.acts_for_patient and _ways(kin.phone, None)), None)


def _guest(
    *,
    name: str,
    phone: str,
    email: str,
    role: str,
    patient: Patient | None,
    key: str,
    participant: Participant | None = None,
) -> Person:
    """Next of kin are written to in the patient's language, others in Bokmål."""
    ways = _ways(phone, email)
    kin = role == ParticipantRole.NEXT_OF_KIN and patient is not None
    return Person(
        key=key,
        role=role,
        audience=texts.GUEST,
        name=name,
        language=written_language(patient.language) if kin and patient else "nb",
        ways=ways,
        why_not="" if ways else NO_CONTACT,
        participant=participant,
    )


def staff_person(schedule: Schedule, *, role: str, key: str, participant: Participant | None = None) -> Person:
    user = schedule.user
    ways: tuple[Way, ...] = ((Channel.EMAIL.value, user.email),) if user is not None and user.is_active else ()
    return Person(
        key=key,
        role=role,
        audience=texts.INTERPRETER if role == ParticipantRole.INTERPRETER else texts.STAFF,
        name=schedule.name or (user.name if user else ""),
        title=schedule.title,
        language=user.language if user is not None else "nb",
        ways=ways,
        why_not="" if ways else NO_MAIL,
        user_id=schedule.user_id,
        participant=participant,
    )


def _takes_messages(phone: str) -> bool:
    """A number that is none must not keep the others from being told."""
    try:
        return takes_messages(phone)
    except NumberParseException:
        return False


def _ways(phone: str | None, email: str | None) -> tuple[Way, ...]:
    ways: list[Way] = []
    if phone and _takes_messages(phone):
        ways.append((Channel.SMS.value, phone))
    if email:
        ways.append((Channel.EMAIL.value, email))
    return tuple(ways)
