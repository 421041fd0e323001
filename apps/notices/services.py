"""Put into the outbox what the plan says."""

import copy
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.calendars.ics import UnsafeText
from apps.calendars.services import CANCEL, invitation
from apps.common.errors import DomainError
from apps.common.retry import retry_on_deadlock
from apps.messaging import queries as outbox
from apps.messaging.models import Channel, OutboxMessage, OutboxState
from apps.messaging.services import queue_message, withdraw_messages
from apps.organisations.models import Unit
from apps.rooms.queries import address_of, live_link, was_taken_back
from apps.rooms.services import link_for, reissue_link
from apps.scheduling.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    Participant,
    ParticipantRole,
)

from . import queries, texts
from .people import BOOKER, Person, booker_of, people_of
from .plan import Plan, Planned, plan

A_WHILE: Final = timedelta(minutes=15)
A_DAY: Final = timedelta(days=1)
MOST_IN_A_DAY: Final = 4
"""So often an invitation may be said to the same person, the first time and those that staff sent counted in."""


class NobodyToTell(DomainError):
    """There is no address to send to, or the person does not take part any more."""

    code = "nobody-to-tell"
    message = _("There is no number or address to send to. Call instead, or add one to the patient's card.")


class NothingToTell(DomainError):
    code = "nothing-to-tell"
    message = _("This appointment is over or cancelled.")


def hold(appointment: Appointment) -> Appointment:
    """Lock an appointment until what is said of it is written down, and return it as it is by now.

    Whoever moves or cancels it, or takes somebody off, waits for this lock and withdraws what stands there by then.
    """
    return (
        Appointment.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "service_type__scenario", "patient", "requester_unit__organisation", "performer_unit__organisation"
        )
        .get(pk=appointment.pk)
    )


def tell_booked(*, appointment: Appointment, done_by: int | None, now: datetime) -> Plan:
    return _tell(appointment, people_of(appointment), texts.BOOKED, done_by=done_by, now=now)


def tell_moved(*, event: AppointmentEvent, now: datetime) -> None:
    """Tell the new time. Who had not heard of the old one yet is told as if it were the first; who no longer
    comes is told that the old time is off."""
    appointment = event.appointment
    told = queries.told(appointment.uid)
    people = _people(event, told)
    knew = [one for one in people if _knows(one, told, appointment)]
    _tell(appointment, knew, texts.MOVED, done_by=event.actor_id, now=now)
    fresh = [one for one in people if one not in knew]
    _tell(appointment, fresh, texts.BOOKED, done_by=event.actor_id, now=now)
    before = copy.copy(appointment)
    if event.old_starts_at is not None:
        before.starts_at, before.ends_at = event.old_starts_at, event.old_starts_at + appointment.length
    for recipient in told - {one.key for one in people}:
        if not recipient.startswith(BOOKER):  # it stands, for whoever booked it
            _tell_gone(before, recipient, now=now)


def tell_cancelled(*, event: AppointmentEvent, now: datetime) -> None:
    """Tell those who had heard of it. Who had not would only wonder."""
    told = queries.told(event.appointment.uid)
    people = [one for one in _people(event, told) if _knows(one, told, event.appointment)]
    _tell(event.appointment, people, texts.CANCELLED, done_by=event.actor_id, now=now)


def _people(event: AppointmentEvent, told: set[str]) -> list[Person]:
    """Return who takes part, and whoever booked it: once the patient has changed it herself, he hears of each change."""
    people, booker = people_of(event.appointment), booker_of(event.appointment)
    return [*people, booker] if booker is not None and (event.by_patient or booker.key in told) else people


def _knows(person: Person, told: set[str], appointment: Appointment) -> bool:
    return person.key in told or person.user_id == appointment.booked_by_id


def tell_participant(*, event: AppointmentEvent, now: datetime) -> None:
    """Invite one more, or the same one at a new number or with a new link, unless that is said already."""
    appointment = event.appointment
    person = _find(appointment, event.participant_uid)
    if person is None or _is_said(event, person):
        return
    withdraw_messages(about=appointment.uid, now=now, recipient=person.key)
    said = outbox.messages_about(appointment.uid).filter(recipient=person.key).exists()
    _tell(appointment, [person], texts.BOOKED, done_by=None, now=now, again=f":{event.pk}" if said else "")


def _is_said(event: AppointmentEvent, person: Person) -> bool:
    """Say whether a message that was written meanwhile says it: the booking's own, when it was slower than this."""
    messages = outbox.messages_about(event.appointment.uid).filter(recipient=person.key)
    messages = messages.exclude(state=OutboxState.WITHDRAWN)
    if event.kind == EventKind.PARTICIPANT_ADDED:
        return messages.exists()
    if event.kind != EventKind.LINK_RENEWED:
        return False
    link = live_link(person.participant) if person.participant is not None else None
    if link is None or person.audience not in texts.BY_LINK:
        return True
    address = address_of(link)
    return any(address in message.body for message in messages)


def withdraw_old_link(*, appointment: Appointment, uid: UUID | None, now: datetime) -> None:
    """Take back what would lead somebody to a link that works no more. Staff sign in: theirs stays."""
    person = _find(appointment, uid)
    if person is not None and person.audience in texts.BY_LINK:
        withdraw_messages(about=appointment.uid, now=now, recipient=person.key)


def tell_gone(*, appointment: Appointment, uid: UUID, now: datetime) -> None:
    """Tell somebody who was taken off, at the address where she was invited."""
    if str(uid) in queries.told(appointment.uid):
        _tell_gone(appointment, str(uid), now=now)


@retry_on_deadlock
@transaction.atomic
def send_again(*, appointment: Appointment, uid: UUID, actor: User, now: datetime, anew: bool = False) -> bool:
    """Send a person her invitation once more, to where she is reached today; say whether with a new link.

    A link that is locked after too many wrong tries opens nothing any more, nor does one that was taken back: she
    gets another. With `anew` she gets another in any case, and the old one stops working.

    Raises NothingToTell and NobodyToTell.
    """
    appointment = hold(appointment)
    if not appointment.is_still_on(now):
        raise NothingToTell
    person = _find(appointment, uid)
    if person is None or not person.ways:
        raise NobodyToTell
    renewed = person.participant is not None and (anew or _opens_nothing(person.participant))
    if person.participant is not None and renewed:
        reissue_link(person.participant, now=now, actor=actor)
    _tell_once_more(appointment, person, now=now)
    return renewed


def _opens_nothing(participant: Participant) -> bool:
    link = live_link(participant)
    return link.locked_at is not None if link is not None else was_taken_back(participant)


def is_reached(appointment: Appointment, participant: Participant) -> bool:
    """Say whether there is an address to which a link can be sent now."""
    person = _find(appointment, participant.uid)
    return person is not None and bool(person.ways)


def _tell_once_more(appointment: Appointment, person: Person, *, now: datetime) -> None:
    times = _invitations(appointment, person).count()
    withdraw_messages(about=appointment.uid, now=now, recipient=person.key)
    _tell(appointment, [person], texts.BOOKED, done_by=None, now=now, again=f":again-{times}")


def _invitations(appointment: Appointment, person: Person) -> QuerySet[OutboxMessage]:
    said = outbox.messages_about(appointment.uid).filter(recipient=person.key)
    return said.filter(purpose__startswith=texts.BOOKED)


@retry_on_deadlock
@transaction.atomic
def send_newest_link(*, participant: Participant, now: datetime) -> bool:
    """Send the link that works to whom an old one belonged; say whether anything was sent.

    It goes where her messages go, never to where somebody asks for it. A patient whose appointment is over gets
    the link of her next one. A link that was taken back without another in its place, or is locked, stays so.
    """
    meant = _to_come(participant, now)
    if meant is None:
        return False
    appointment = hold(meant.appointment)
    link = live_link(meant)
    person = _find(appointment, meant.uid) if appointment.is_still_on(now) else None
    if link is None or link.locked_at is not None or person is None:
        return False
    if not person.ways or person.audience not in texts.BY_LINK:
        return False
    lately = list(_invitations(appointment, person).filter(created_at__gt=now - A_DAY).values_list("created_at"))
    if len(lately) >= MOST_IN_A_DAY or any(at > now - A_WHILE for (at,) in lately):
        return False
    _tell_once_more(appointment, person, now=now)
    return True


def _to_come(participant: Participant, now: datetime) -> Participant | None:
    """Return who she is in the appointment that her old link may lead to now."""
    own = participant.appointment
    if own.is_still_on(now):
        return participant
    if participant.role != ParticipantRole.PATIENT or own.patient_id is None:
        return None
    return (
        Participant.objects.filter(
            role=ParticipantRole.PATIENT,
            appointment__patient=own.patient_id,
            appointment__status=AppointmentStatus.BOOKED,
            appointment__ends_at__gt=now,
        )
        .select_related("appointment__service_type", "appointment__patient")
        .order_by("appointment__starts_at")
        .first()
    )


def _find(appointment: Appointment, uid: UUID | None) -> Person | None:
    for person in people_of(appointment):
        if (uid is None and person.audience in {texts.PATIENT, texts.KIN}) or person.key == str(uid):
            return person
    return None


def _tell(
    appointment: Appointment,
    people: Iterable[Person],
    purpose: str,
    *,
    done_by: int | None,
    now: datetime,
    again: str = "",
) -> Plan:
    made = plan(
        queries.session_of(appointment),
        people,
        purpose,
        now=now,
        link_of=lambda person: _link(appointment, person, now),
        done_by=done_by,
    )
    for message in made.messages:
        if message.purpose in texts.REMINDERS and _day_is_full(message):
            continue
        _queue(appointment, message, again=again, now=now)
    return made


def _link(appointment: Appointment, person: Person, now: datetime) -> str:
    if person.audience in texts.BY_LINK and person.participant is not None:
        return link_for(person.participant, now=now)
    return f"{settings.PUBLIC_URL}/rom/{appointment.reference}/"


def _day_is_full(message: Planned) -> bool:
    return (
        message.channel == Channel.SMS
        and outbox.planned_on_day(message.address, message.due_at) >= settings.DAILY_SMS_CAP
    )


def _queue(
    appointment: Appointment,
    message: Planned,
    *,
    now: datetime,
    again: str = "",
    instead_of: OutboxMessage | None = None,
) -> None:
    calendar = _calendar(appointment, message, now)
    queued = queue_message(
        about=appointment.uid,
        about_version=appointment.version,
        recipient=message.person.key,
        purpose=message.purpose + again,
        channel=message.channel,
        language=message.language,
        address=message.address,
        subject=message.subject,
        body=message.body,
        sender=message.sender,
        due_at=message.due_at,
        not_after=message.not_after,
        organisation_id=_unit(appointment).organisation_id,
        now=now,
        calendar=calendar,
        calendar_method=message.calendar_method if calendar else "",
        instead_of=instead_of,
    )
    if queued is not None and message.reserve is not None:
        _queue(appointment, message.reserve, again=again, now=now, instead_of=queued)


def _calendar(appointment: Appointment, message: Planned, now: datetime) -> str | None:
    """Write the calendar part; an address that no calendar can carry gets the mail without it."""
    if not message.calendar_method:
        return None
    try:
        return invitation(
            appointment=appointment,
            address=message.address,
            method=message.calendar_method,
            language=message.language,
            now=now,
        )
    except UnsafeText:
        return None


def _unit(appointment: Appointment) -> Unit:
    return appointment.requester_unit


def _tell_gone(appointment: Appointment, recipient: str, *, now: datetime) -> None:
    """Write to where the last message went: the participant's row is gone."""
    last = (
        OutboxMessage.objects.about_appointment(appointment.uid)
        .filter(recipient=recipient, sent_at__isnull=False, forgotten_at__isnull=True)
        .exclude(purpose__startswith=texts.CANCELLED)
        .order_by("-sent_at", "-id")
        .first()
    )
    if last is None:
        return
    person = Person(
        key=recipient,
        role="",
        audience=texts.STAFF if last.calendar_method else texts.GUEST,
        name="",
        language=last.language,
        ways=((last.channel, last.address),),
    )
    session = queries.session_of(appointment)
    for message in plan(session, [person], texts.CANCELLED, now=now, link_of=lambda _person: "").messages:
        _queue(appointment, replace(message, calendar_method=CANCEL if last.calendar_method else ""), now=now)
