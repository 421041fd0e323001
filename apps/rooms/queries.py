"""Reading: who a link or a user is in a room, who sits where, and what each may be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalogue.models import Identification
from apps.common.codes import derive, digest_of, normalise_link
from apps.common.languages import READ, language_name, written_language
from apps.common.prepared import Prepared
from apps.organisations.models import MAY_BOOK, Unit
from apps.organisations.queries import memberships_of
from apps.patients.models import SEALED
from apps.scheduling.models import (
    Appointment,
    AppointmentStatus,
    NeedSource,
    Participant,
    ParticipantRole,
    Schedule,
)
from apps.scheduling.queries import participant_name

from .models import JoinLink, Room, RoomState, Seat, SeatState

MOST_IN_A_ROOM: Final = 4
SILENT_AFTER: Final = timedelta(seconds=45)
"""A seat that has not been heard of for so long has lost its connection, whatever its row says."""


# Links ---------------------------------------------------------------------------------------------------------------
def address_of(link: JoinLink) -> str:
    return f"{settings.PUBLIC_URL}/j/{derive(link.nonce)}/"


def link_by_code(typed: str) -> JoinLink | None:
    """Find a link as it was typed or tapped, revoked ones too: the work is the same whatever it finds."""
    return (
        JoinLink.objects.filter(digest=digest_of(normalise_link(typed)))
        .select_related(
            "participant__schedule",
            "participant__appointment__service_type",
            "participant__appointment__patient",
            "participant__appointment__performer_unit__organisation",
            "participant__appointment__requester_unit__organisation",
        )
        .first()
    )


def live_link(participant: Participant) -> JoinLink | None:
    return _LIVE_LINK.first(participant_id=participant.pk)


def was_taken_back(participant: Participant) -> bool:
    """Say whether somebody had a link and has none any more."""
    links = participant.links.all()
    return bool(links) and all(link.revoked_at is not None for link in links)


def own_code(participant: Participant) -> str:
    """Return the code of the link that works; the pages behind it carry none in their addresses."""
    link = live_link(participant)
    return derive(link.nonce) if link is not None else ""


def link_works(link: JoinLink | None, *, now: datetime) -> bool:
    """Say whether there is anything behind a link: not revoked, and its appointment not long over."""
    if link is None or link.revoked_at is not None:
        return False
    appointment = link.participant.appointment
    if appointment.status == AppointmentStatus.ENTERED_IN_ERROR:
        return False
    return now < closes_at(appointment)


def proof_for(participant: Participant) -> str:
    """Say how somebody proves who she is: what the service asks for, as far as it is known of her."""
    asked = participant.appointment.service_type.identification
    if asked == Identification.SMS_CODE and phone_of(participant):
        return Identification.SMS_CODE
    if participant.role == ParticipantRole.PATIENT and asked != Identification.LINK:
        return Identification.BIRTH_DATE
    return Identification.LINK


def phone_of(participant: Participant) -> str:
    patient = participant.appointment.patient
    if participant.role == ParticipantRole.PATIENT and patient is not None:
        return patient.phone or ""
    return participant.guest_phone or ""


def language_of(participant: Participant) -> str:
    """Return the language in which a guest's pages begin: that of the message that brought the link."""
    patient = participant.appointment.patient
    hers = participant.role in {ParticipantRole.PATIENT, ParticipantRole.NEXT_OF_KIN}
    return written_language(patient.language) if hers and patient is not None else "nb"


def signs_in(participant: Participant) -> bool:
    return participant.schedule is not None and participant.schedule.user_id is not None


# Appointments --------------------------------------------------------------------------------------------------------
def appointment_referred_to(reference: str) -> Appointment | None:
    """Return the appointment with this reference, and all that its room's page shows of it."""
    along = ("service_type__scenario", "patient", "performer_unit__organisation", "requester_unit__organisation")
    return Appointment.objects.called(reference).select_related(*along).first()


def knows_patient(user: User, appointment: Appointment) -> bool:
    """Say whether the user may read whose appointment it is, and the case: interpreters take part without."""
    return Appointment.objects.known_to(user).filter(pk=appointment.pk).exists()


def appointment_to_move(appointment: Appointment) -> Appointment:
    """Return it with all that the search for another time asks of it."""
    return Appointment.objects.select_related("service_type__unit", "requester_unit", "patient").get(pk=appointment.pk)


# Times ---------------------------------------------------------------------------------------------------------------
def opens_at(appointment: Appointment) -> datetime:
    return appointment.starts_at - settings.LINK_OPENS_BEFORE


def closes_at(appointment: Appointment) -> datetime:
    return appointment.ends_at + settings.LINK_CLOSES_AFTER


def room_of(appointment: Appointment) -> Room | None:
    return _ROOM.first(appointment_id=appointment.pk)


def is_over(appointment: Appointment, *, now: datetime) -> bool:
    return appointment.status not in {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED} or now >= closes_at(
        appointment
    )


# People --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Entry:
    """How a user who has signed in comes into a room.

    The host lets people in. A participant enters. A colleague of the requester's unit who is not
    expected waits like a guest.
    """

    participant: Participant | None
    host: bool
    waits: bool


def entry_for(user: User, appointment: Appointment, *, now: datetime) -> Entry | None:
    """Return how the user may come in, or None for a stranger (and for a visitor without a clinical role)."""
    if not user.is_active:
        return None
    participant = _OWN_PLACE.first(appointment_id=appointment.pk, user_id=user.pk)
    work = memberships_of(user, timezone.localdate(now))
    units = {membership.unit_id for membership in work if membership.role in MAY_BOOK}
    if participant is not None and work:
        host = participant.role == ParticipantRole.PERFORMER or appointment.performer_unit_id in units
        return Entry(participant, host=host, waits=False)
    if appointment.performer_unit_id in units:
        return Entry(None, host=True, waits=False)
    if appointment.requester_unit_id in units:
        return Entry(None, host=False, waits=True)
    return None


def seat_name(seat: Seat) -> str:
    """Return how somebody is called in the room."""
    if seat.participant is not None:
        return participant_name(seat.participant)
    return seat.user.name if seat.user is not None else ""


def seat_role(seat: Seat) -> str:
    participant = seat.participant
    if participant is None:
        unit = seat.appointment.performer_unit if seat.host else seat.appointment.requester_unit
        return str(unit.public_name or unit.name)
    if participant.guest_relation:
        return participant.guest_relation
    schedule = participant.schedule
    return (schedule.title if schedule and schedule.title else "") or str(ParticipantRole(participant.role).label)


def help_unit(participant: Participant) -> Unit:
    """Return whom to call: for the patient those who care for her and booked, else the hospital's unit."""
    appointment = participant.appointment
    if participant.role in {ParticipantRole.PATIENT, ParticipantRole.NEXT_OF_KIN}:
        return appointment.requester_unit
    return appointment.performer_unit


def interpreters_to_call(appointment: Appointment) -> list[Unit]:
    """Return whom the host calls for an interpreter by telephone: those of the service's interpreters who speak it.

    Interpreters are called through their service: people who work have no number of their own here.
    """
    if not appointment.interpreter_by_phone or not appointment.interpreter_language:
        return []
    needs = appointment.service_type.needs.filter(source=NeedSource.INTERPRETER)
    speak = Schedule.objects.filter(
        active=True,
        languages__contains=[appointment.interpreter_language],
        team_memberships__team__in=needs.values("team"),
    )
    return list(Unit.objects.filter(pk__in=speak.values("unit")))


# Seats ---------------------------------------------------------------------------------------------------------------
def seats_of(appointment: Appointment) -> list[Seat]:
    """Return the seats with all that is shown of them: one query."""
    return _SEATS(appointment_id=appointment.pk)


def everybody(appointment: Appointment) -> list[Seat]:
    """Return a seat for each who is expected or has stepped in: specialist, nurse, interpreter, patient, guests.

    Who has not been here at all has no row yet; her seat is made up, with the participant's own uid.
    """
    seats = [seat for seat in seats_of(appointment) if _role_of(seat) != ParticipantRole.EQUIPMENT]
    missing = _NOT_HERE_YET(appointment_id=appointment.pk)
    seats += [Seat(uid=one.uid, appointment=appointment, participant=one) for one in missing]
    order = [*ParticipantRole.values, ""]
    return sorted(seats, key=lambda seat: (order.index(_role_of(seat)), seat.participant_id or 0, seat.pk or 0))


def _role_of(seat: Seat) -> str:
    return seat.participant.role if seat.participant is not None else ""


def is_user(seat: Seat, user: User) -> bool:
    schedule = seat.participant.schedule if seat.participant is not None else None
    return user.pk in {seat.user_id, schedule.user_id if schedule is not None else None}


def whereabouts(seat: Seat, seats: Sequence[Seat], *, now: datetime, viewer: User | None = None) -> str:
    """Say where somebody is; a patient who sits beside the nurse is not expected on a screen of her own."""
    state = state_now(seat, now=now)
    if (
        state == SeatState.AWAY
        and _role_of(seat) == ParticipantRole.PATIENT
        and not seat.appointment.patient_joins_alone
    ):
        beside = next((one for one in seats if _role_of(one) == ParticipantRole.REQUESTER), None)
        if beside is not None and viewer is not None and is_user(beside, viewer):
            return _("together with you")
        if beside is not None:
            return _("together with %(name)s") % {"name": seat_name(beside)}
    return str(SeatState(state).label)


def name_for(seat: Seat, viewer: Participant | None) -> str:
    """Return the name as a viewer may read it before they have met: interpreters and guests learn it in the call."""
    if seat.participant is None:
        return seat_name(seat)
    stranger = viewer is not None and viewer.role in {ParticipantRole.INTERPRETER, ParticipantRole.GUEST}
    return name_in_words(seat.participant, stranger=stranger)


def name_in_words(participant: Participant, *, stranger: bool) -> str:
    """Return a participant's name; to a stranger only the role of who is known, or tells, by her name."""
    if stranger and participant.role == ParticipantRole.PATIENT:
        return _("The patient")
    if stranger and participant.role in {ParticipantRole.NEXT_OF_KIN, ParticipantRole.GUEST}:
        return capfirst(str(ParticipantRole(participant.role).label))  # a daughter's name tells whose daughter she is
    return participant_name(participant)


def seat_by_uid(uid: UUID | str) -> Seat | None:
    return _SEAT.first(uid=UUID(str(uid)))


def guest_seat(participant_uid: UUID, device: UUID) -> Seat | None:
    """Return the seat that this browser has taken by proving who sits there, as long as its link is live."""
    seat = (
        Seat.objects.filter(participant__uid=participant_uid)
        .select_related(
            "participant__schedule",
            "participant__appointment__patient",
            "appointment__service_type",
            "appointment__patient",
            "appointment__performer_unit__organisation",
            "appointment__requester_unit__organisation",
        )
        .first()
    )
    if seat is None or seat.participant is None or live_link(seat.participant) is None:
        return None
    return seat


def state_now(seat: Seat, *, now: datetime) -> str:
    """Return the seat's state; whoever has been silent too long has lost the connection.

    Who is here without a socket has gone on to a provider's address: her silence says nothing.
    """
    silent = seat.seen_at is not None and now - seat.seen_at > SILENT_AFTER
    if silent and (seat.state == SeatState.WAITING or (seat.state == SeatState.HERE and seat.channel)):
        return SeatState.LOST
    return seat.state


def waits(seat: Seat, *, now: datetime) -> bool:
    return state_now(seat, now=now) == SeatState.WAITING and not seat.may_enter


def in_call(seat: Seat) -> bool:
    """Say whether somebody is in the call; a lost connection to us is not a lost call between two browsers."""
    return seat.may_enter and seat.state in {SeatState.HERE, SeatState.LOST}


def locked_links(appointment: Appointment) -> list[Participant]:
    """Return whose links are locked after too many wrong tries, for the appointment's page."""
    return list(
        Participant.objects.filter(
            appointment=appointment, links__revoked_at__isnull=True, links__locked_at__isnull=False
        ).select_related("schedule", "appointment__patient")
    )


def may_still_sit(seat: Seat, user: User | None, device: UUID | None, *, now: datetime) -> bool:
    """Say whether an open socket may stay open: the link live and the device the same, or the user still entitled."""
    if is_over(seat.appointment, now=now):
        return False
    if user is not None:
        entry = entry_for(user, seat.appointment, now=now)
        if entry is None:
            return False
        if seat.participant is not None:
            return entry.participant == seat.participant
        return seat.user_id == user.pk and entry.host == seat.host
    if seat.participant is None or device is None or seat.device != device:
        return False
    return live_link(seat.participant) is not None


def room_closed(appointment: Appointment) -> bool:
    return Room.objects.filter(appointment=appointment, state=RoomState.CLOSED).exists()


# What a socket is told -----------------------------------------------------------------------------------------------
def snapshot(seat: Seat, *, now: datetime) -> dict[str, object]:
    """Return all that this seat may know now. Who is not let in yet learns nothing about the others."""
    appointment = seat.appointment
    room = room_of(appointment)
    over = is_over(appointment, now=now) or (room is not None and room.state == RoomState.CLOSED)
    told: dict[str, object] = {
        "type": "state",
        "you": {
            "seat": str(seat.uid),
            "state": seat.state,
            "host": seat.host,
            "admitted": seat.may_enter,
        },
        "late": room.running_late_minutes if room else 0,
        "over": over,
    }
    if not seat.may_enter or over:
        return told
    seats = everybody(appointment)
    told["people"] = [_person(one, now=now) for one in seats if in_call(one)]
    rest = [one for one in seats if not in_call(one) and one.pk != seat.pk]
    if seat.host:
        told["waiting"] = [_arrival(one, now=now) for one in rest if waits(one, now=now)]
        told["others"] = [
            {**_arrival(one, now=now), "state_label": whereabouts(one, seats, now=now)}
            for one in rest
            if not waits(one, now=now)
        ]
    else:
        told["others"] = [
            {"seat": str(one.uid), "name": name_for(one, seat.participant), "role": seat_role(one)}
            | _expected(one, seats, now)
            for one in rest
        ]
    return told


def _expected(seat: Seat, seats: Sequence[Seat], now: datetime) -> dict[str, object]:
    """Say of somebody who is not in the call what everybody in it may know: not whether the host has put her out."""
    if seat.state == SeatState.DECLINED:
        return {"state": SeatState.AWAY.value, "state_label": str(SeatState.AWAY.label)}
    return {"state": state_now(seat, now=now), "state_label": whereabouts(seat, seats, now=now)}


def _person(seat: Seat, *, now: datetime) -> dict[str, object]:
    return {
        "seat": str(seat.uid),
        "name": seat_name(seat),
        "role": seat_role(seat),
        "host": seat.host,
        "state": state_now(seat, now=now),
    }


def _arrival(seat: Seat, *, now: datetime) -> dict[str, object]:
    return {
        **_person(seat, now=now),
        "facts": arrival_facts(seat),
        "arrival": seat.waiting_since.isoformat() if seat.waiting_since else "",
    }


def arrival_facts(seat: Seat) -> list[str]:
    """Say what the host wants to know of somebody who waits: role, expected or not, language, device test."""
    facts = [seat_role(seat)]
    if seat.participant is None:
        facts.append(_("signed in, not on the list"))
    if seat.new_device:
        facts.append(_("new device"))
    if seat.language and seat.language not in {"nb", "nn"}:
        facts.append(language_name(READ.get(seat.language, seat.language)))
    if seat.camera_ok is False and seat.microphone_ok is False:
        facts.append(_("without camera and sound"))
    elif seat.camera_ok is False:
        facts.append(_("without camera"))
    elif seat.camera_ok and seat.microphone_ok:
        facts.append(_("camera and sound work"))
    return facts


# Every open socket asks these every few seconds. Nobody in a room is shown how the patient is reached, or her number.
def _sealed(patient: str) -> list[str]:
    return [f"{patient}__{name}" for name in SEALED]


_LIVE_LINK = Prepared(
    lambda participant_id: JoinLink.objects.filter(participant=participant_id, revoked_at__isnull=True).order_by("pk"),
    participant_id=int,
)
_ROOM = Prepared(lambda appointment_id: Room.objects.filter(appointment=appointment_id), appointment_id=int)
_OWN_PLACE = Prepared(
    lambda appointment_id, user_id: Participant.objects.filter(appointment=appointment_id, schedule__user=user_id),
    appointment_id=int,
    user_id=int,
)
_SEAT = Prepared(
    lambda uid: (
        Seat.objects.filter(uid=uid)
        .select_related(
            "user",
            "participant__schedule__user",
            "appointment__service_type",
            "appointment__patient",
            "appointment__performer_unit",
            "appointment__requester_unit",
        )
        .defer(*_sealed("appointment__patient"))
    ),
    uid=UUID,
)
_SEATS = Prepared(
    lambda appointment_id: (
        Seat.objects.filter(appointment=appointment_id)
        .select_related(
            "participant__schedule",
            "participant__appointment__patient",
            "user",
            "appointment__performer_unit",
            "appointment__requester_unit",
        )
        .defer(*_sealed("participant__appointment__patient"))
        .order_by("id")
    ),
    appointment_id=int,
)
_NOT_HERE_YET = Prepared(
    lambda appointment_id: (
        Participant.objects.filter(appointment=appointment_id, seat__isnull=True)
        .exclude(role=ParticipantRole.EQUIPMENT)
        .select_related("schedule", "appointment__patient")
        .defer(*_sealed("appointment__patient"))
    ),
    appointment_id=int,
)
