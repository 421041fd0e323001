"""What was said, what will be said, and what somebody has to see to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.templatetags.vt import phone_pairs
from apps.messaging import queries as outbox
from apps.messaging.models import GONE_OUT, Channel, OutboxMessage, OutboxState
from apps.messaging.sms import Size, size
from apps.organisations.models import Unit
from apps.patients.models import Patient
from apps.rooms.models import JoinLink
from apps.scheduling.models import (
    Appointment,
    AppointmentStatus,
    BookingDraft,
    Need,
    Participant,
    ParticipantRole,
    Schedule,
)
from apps.scheduling.queries import BookingRequest, participant_name, registering_unit
from apps.scheduling.queries.drafts import request_of_draft, requester_schedule
from apps.scheduling.services import GuestInput

from . import texts
from .people import NO_CONTACT, NO_MAIL, RESERVED, WANTS_NONE, Person, patient_person, people_of, people_to_be
from .plan import NO_TIME, Gap, Plan, Planned, Session, plan

LOOKS_BACK: Final = timedelta(days=14)
MOST: Final = 200
GUEST_FIELDS: Final = ("name", "relation", "phone", "email", "role")

PURPOSES: Final[dict[str, Promise]] = {
    texts.BOOKED: _("Invitation"),
    texts.MOVED: _("New time"),
    texts.CANCELLED: _("Cancellation"),
    texts.REMINDER_2_DAYS: _("Reminder two days before"),
    texts.REMINDER_2_HOURS: _("Last reminder"),  # for a session early in the morning it goes the evening before
}

REASONS: Final[dict[str, Promise]] = {
    RESERVED: _("Has opted out of digital messages. Call or send a letter."),
    WANTS_NONE: _("Wants no digital messages. Call or send a letter."),
    NO_CONTACT: _("There is no mobile number or e-mail address. Call or send a letter."),
    NO_MAIL: _("There is no e-mail address. Call the unit."),
    NO_TIME: _("No message can be sent at night. Call."),
    "bad-number": _("The number cannot receive text messages. Call, or correct the number."),
    "bad-address": _("The e-mail address does not exist. Call, or correct the address."),
    "no-address": _("There is no address. Call."),
    "not-reached": _("The phone network could not deliver it. Call."),
    "refused": _("The mail server did not take it. Call."),
    "too-late": _("It could not be sent before the appointment began."),
    "quiet-hours": _("No message can be sent at night. Call."),
    "daily-cap": _("The person has had the most messages that we send in a day. Call."),
}
OUT_OF_ORDER: Final = _("The message service was out of order. Call, or send it again.")


@dataclass(frozen=True)
class Line:
    """One message as staff see it. `needs_care`: it did not arrive, and nothing else did instead."""

    message: OutboxMessage
    appointment: Appointment
    who: str
    what: Promise | str
    at: datetime
    participant_uid: str
    role: str = ""
    other_phone: str = ""
    needs_care: bool = False

    @property
    def state(self) -> str:
        return self.message.state

    @property
    def reason(self) -> Promise:
        return REASONS.get(self.message.failure, OUT_OF_ORDER)

    @property
    def wrong_address(self) -> bool:
        return self.message.failure in {"bad-number", "bad-address", "not-reached"}

    @property
    def is_patient(self) -> bool:
        return self.role == ParticipantRole.PATIENT and self.appointment.patient_id is not None

    @property
    def phone(self) -> str:
        """Return a number by which staff can reach the person instead."""
        if self.is_patient and self.appointment.patient is not None:
            return self.appointment.patient.phone or ""
        return self.other_phone


@dataclass(frozen=True)
class Opened:
    """Somebody opened her link for the first time."""

    who: str
    at: datetime


@dataclass(frozen=True)
class GapShown:
    who: str
    phone: str
    reason: Promise


@dataclass(frozen=True)
class Timeline:
    """The story of an appointment's messages, oldest first: what was said, what was opened, what will come."""

    past: list[Line | Opened]
    coming: list[Line]
    gaps: list[GapShown]
    opens_at: datetime
    registers: str


NO_CODE: Final = "x" * 26
"""Takes as much room in a text as the code of a link."""


def session_of(appointment: Appointment) -> Session:
    """Say what messages may know. Questions go to the unit that booked: it knows the patient."""
    unit = appointment.requester_unit
    return Session(
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        reference=appointment.reference,
        phone=phone_pairs(unit.phone),
        sender=unit.organisation.sms_sender,
        signature=unit.public_name,
        interpreter_language=appointment.interpreter_language,
        interpreter_by_phone=appointment.interpreter_by_phone,
    )


def session_to_be(request: BookingRequest, starts_at: datetime) -> Session:
    unit = request.requester_unit
    return Session(
        starts_at=starts_at,
        ends_at=starts_at + request.length,
        reference="VT-0000-0000",
        phone=phone_pairs(unit.phone),
        sender=unit.organisation.sms_sender,
        signature=unit.public_name,
        interpreter_language=request.interpreter_language,
        interpreter_by_phone=request.interpreter_by_phone,
    )


def preview(
    *, request: BookingRequest, starts_at: datetime, people: Sequence[Person], done_by: int, now: datetime
) -> Plan:
    """Return who would be told what if this were booked now. The link is only drawn: it has the right length."""
    example = f"{settings.PUBLIC_URL}/j/{NO_CODE}/"
    return plan(
        session_to_be(request, starts_at),
        people,
        texts.BOOKED,
        now=now,
        link_of=lambda person: example if person.audience in texts.BY_LINK else f"{settings.PUBLIC_URL}/",
        done_by=done_by,
    )


@dataclass(frozen=True)
class Shown:
    """What the summary of a booking says about messages."""

    to_patient: list[tuple[Planned, str, Size | None]]
    """With the text as it is shown: the link's code is not made yet."""
    to_others: list[Planned]
    gaps: list[GapShown]
    registers: str


def preview_of_draft(draft: BookingDraft, *, now: datetime) -> Shown | None:
    """Return who would be told what; None while no time is chosen."""
    if draft.starts_at is None:
        return None
    request = request_of_draft(draft, requester_schedule(draft))
    chosen = {int(need): int(schedule) for need, schedule in draft.choices.get("who", {}).items()}
    roles = dict(Need.objects.filter(pk__in=chosen).values_list("pk", "role"))
    schedules = Schedule.objects.select_related("user").in_bulk(chosen.values())
    people = people_to_be(
        patient=draft.patient,
        patient_present=draft.service_type.patient_present,
        schedules=[(roles[need], schedules[pk]) for need, pk in chosen.items() if need in roles and pk in schedules],
        guests=[
            GuestInput(**{name: guest[name] for name in GUEST_FIELDS if guest.get(name)})
            for guest in draft.answers.get("guests", [])
            if guest.get("name")
        ],
    )
    made = preview(request=request, starts_at=draft.starts_at, people=people, done_by=draft.user_id, now=now)
    to_patient = [one for one in made.messages if one.person.role == ParticipantRole.PATIENT]
    return Shown(
        to_patient=[
            (one, one.body.replace(NO_CODE, "…"), size(one.body) if one.channel == Channel.SMS else None)
            for one in to_patient
        ],
        to_others=[
            one
            for one in made.messages
            if one.person.role != ParticipantRole.PATIENT and one.purpose == texts.BOOKED and one.can_be_sent
        ],
        gaps=[
            GapShown(
                gap.person.name,
                (draft.patient.phone or "") if _is_patient(gap) and draft.patient else "",
                REASONS[gap.why],
            )
            for gap in made.gaps
        ],
        registers=_name_of(registering_unit(draft)),
    )


def _name_of(unit: Unit | None) -> str:
    return unit.name if unit is not None else ""


def _is_patient(gap: Gap) -> bool:
    return gap.person.role == ParticipantRole.PATIENT


def base(purpose: str) -> str:
    """Return the purpose without what tells a second invitation from the first."""
    return purpose.partition(":")[0]


def told(uid: UUID) -> set[str]:
    """Return who believes that the appointment takes place: told of it, and not told since that it is off."""
    last: dict[str, str] = {}
    for recipient, purpose in (
        OutboxMessage.objects.about_appointment(uid)
        .filter(state__in=GONE_OUT)
        .order_by("id")
        .values_list("recipient", "purpose")
    ):
        if base(purpose) in texts.PURPOSES:
            last[recipient] = base(purpose)
    return {recipient for recipient, purpose in last.items() if purpose != texts.CANCELLED}


def timeline(appointment: Appointment, *, now: datetime) -> Timeline:
    rows = [row for row in outbox.messages_about(appointment.uid) if base(row.purpose) in texts.PURPOSES]
    lines = _lines(rows, [appointment])
    opened = [
        Opened(participant_name(link.participant), link.first_opened_at)
        for link in JoinLink.objects.filter(
            participant__appointment=appointment, first_opened_at__isnull=False
        ).select_related("participant__schedule", "participant__appointment__patient")
        if link.first_opened_at is not None
    ]
    shown = [line for line in lines if line.state not in {OutboxState.WITHDRAWN, OutboxState.WAITING}]
    happened: list[Line | Opened] = [*shown, *opened]
    past = sorted(happened, key=lambda one: one.at)
    coming = sorted((line for line in lines if line.state == OutboxState.WAITING), key=lambda one: one.at)
    return Timeline(
        past=past,
        coming=coming,
        gaps=gaps_of(appointment) if appointment.is_still_on(now) else [],
        opens_at=appointment.starts_at - settings.LINK_OPENS_BEFORE,
        registers=_name_of(registering_unit(appointment)),
    )


def gaps_of(appointment: Appointment) -> list[GapShown]:
    """Return who takes part and cannot be reached by any message."""
    return [shown_gap(_gap(person), appointment) for person in people_of(appointment) if not person.ways]


def shown_gap(gap: Gap, appointment: Appointment | None) -> GapShown:
    phone = ""
    if gap.person.role == ParticipantRole.PATIENT and appointment is not None and appointment.patient is not None:
        phone = appointment.patient.phone or ""
    elif gap.person.participant is not None and gap.person.participant.schedule is not None:
        unit = gap.person.participant.schedule.unit
        phone = unit.phone if unit else ""
    return GapShown(gap.person.name, phone, REASONS[gap.why])


@dataclass(frozen=True)
class UnitMessages:
    """The messages of a unit: those that somebody must see to first."""

    care: list[Line]
    by_phone: list[tuple[Appointment, GapShown]]
    coming: list[Line]
    past: list[Line]

    @property
    def to_see_to(self) -> int:
        return len(self.care) + len(self.by_phone)

    @property
    def with_numbers(self) -> set[Appointment]:
        """Return those of which a telephone number is shown."""
        told = [line.appointment for line in self.care if line.phone]
        return {*told, *(appointment for appointment, gap in self.by_phone if gap.phone)}

    @property
    def nothing(self) -> bool:
        return not (self.care or self.by_phone or self.coming or self.past)


def unit_messages(user: User, unit: Unit, *, now: datetime) -> UnitMessages:
    """Return what concerns the unit: seven queries at most, whatever there is."""
    mine = (
        Appointment.objects.visible_to(user, now=now)
        .filter(Q(requester_unit=unit) | Q(performer_unit=unit), starts_at__gt=now - LOOKS_BACK)
        .select_related("patient", "requester_unit", "performer_unit", "service_type")
    )
    rows = list(
        OutboxMessage.objects.filter(about__in=mine.order_by().values("uid"))
        .exclude(state__in=[OutboxState.STANDBY, OutboxState.WITHDRAWN])
        .select_related("reserve")
        .order_by("-due_at", "-id")[: MOST * 2]
    )
    appointments = list(
        mine.filter(uid__in={row.about for row in rows}).prefetch_related("participants__schedule__user")
    )
    lines = _lines([row for row in rows if base(row.purpose) in texts.PURPOSES], appointments)
    care = [
        line
        for line in lines
        if line.needs_care
        and (line.appointment.is_to_come or base(line.message.purpose) == texts.CANCELLED)
        and line.appointment.ends_at > now
    ]
    seen = {id(line) for line in care}
    listed = {(line.appointment.pk, line.who) for line in care}
    return UnitMessages(
        care=sorted(care, key=lambda line: line.appointment.starts_at),
        by_phone=[(one, gap) for one, gap in _by_phone(user, unit, now=now) if (one.pk, gap.who) not in listed],
        coming=sorted((line for line in lines if line.state == OutboxState.WAITING), key=lambda line: line.at)[:MOST],
        past=sorted(
            (line for line in lines if line.state != OutboxState.WAITING and id(line) not in seen),
            key=lambda line: line.at,
            reverse=True,
        )[:MOST],
    )


def _by_phone(user: User, unit: Unit, *, now: datetime) -> list[tuple[Appointment, GapShown]]:
    """Return coming appointments whose patient no message reaches: three queries.

    Numbers are sealed, and whether one takes messages is not the database's to say: each patient is asked as she
    would be on a booking.
    """
    coming = Appointment.objects.visible_to(user, now=now).filter(
        requester_unit=unit, status=AppointmentStatus.BOOKED, starts_at__gt=now, patient_present=True
    )
    patients = (
        Patient.objects.filter(pk__in=coming.order_by().values("patient"))
        .only("given_name", "family_name", "language", "phone", "email", "channel", "reserved")
        .prefetch_related("next_of_kin")
    )
    people = {patient.pk: patient_person(patient, key="") for patient in patients}
    out_of_reach = {pk: person for pk, person in people.items() if not person.ways}
    rows = coming.filter(patient__in=out_of_reach).select_related("patient", "requester_unit", "performer_unit")
    return [(row, shown_gap(_gap(out_of_reach[row.patient_id]), row)) for row in rows[:MOST] if row.patient_id]


def _gap(person: Person) -> Gap:
    return Gap(person, person.why_not)


def _lines(rows: Iterable[OutboxMessage], appointments: Iterable[Appointment]) -> list[Line]:
    """Put a name to each message. A later message that went out settles an earlier one that failed."""
    by_uid = {one.uid: one for one in appointments}
    people: dict[str, Participant] = {}
    for appointment in by_uid.values():
        for person in appointment.participants.all():
            person.appointment = appointment
            people[str(person.uid)] = person
    rows = sorted(rows, key=lambda row: row.pk)
    settled: dict[str, int] = {}
    for row in rows:
        if row.state in GONE_OUT or (row.state == OutboxState.WAITING and row.instead_of_id is not None):
            settled[row.recipient] = row.pk
    lines = []
    for row in rows:
        appointment_of = by_uid.get(row.about) if row.about else None
        if appointment_of is None:
            continue
        participant = people.get(row.recipient)
        lines.append(
            Line(
                message=row,
                appointment=appointment_of,
                who=participant_name(participant) if participant else "",
                what=PURPOSES[base(row.purpose)],
                at=row.sent_at or row.done_at or row.due_at,
                participant_uid=str(participant.uid) if participant else "",
                role=participant.role if participant else "",
                other_phone=(participant.guest_phone or "") if participant else "",
                needs_care=row.state == OutboxState.FAILED and settled.get(row.recipient, 0) < row.pk,
            )
        )
    return lines
