"""Links: made, made anew, taken back, and the proof that a guest gives behind hers."""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.catalogue.models import Identification
from apps.common.codes import derive, digest_of
from apps.common.errors import DomainError, breach_raises
from apps.messaging.models import Channel
from apps.messaging.services import queue_message
from apps.scheduling import events
from apps.scheduling.models import Appointment, EventKind, Participant

from .. import errors, queries
from ..announce import announce
from ..models import EntryCode, JoinLink, Seat, SeatState

MOST_TRIES: Final = 5
CODE_LASTS: Final = timedelta(minutes=5)
CODE_WINDOW: Final = timedelta(minutes=15)
MOST_CODES: Final = 3


class _LinkThere(DomainError):
    """Somebody made the link at the same moment."""


def link_for(participant: Participant, *, now: datetime) -> str:
    """Return the participant's own address; link and seat are made when they are missing."""
    seat_for_participant(participant)
    return queries.address_of(_live_or_new(participant, now))


def _live_or_new(participant: Participant, now: datetime) -> JoinLink:
    link = queries.live_link(participant)
    if link is not None:
        return link
    nonce = uuid.uuid4()
    try:
        with breach_raises(join_link_live_is_one_per_participant=_LinkThere):
            return JoinLink.objects.create(
                participant=participant, nonce=nonce, digest=digest_of(derive(nonce)), created_at=now
            )
    except _LinkThere:
        return JoinLink.objects.get(participant=participant, revoked_at__isnull=True)


@transaction.atomic
def reissue_link(participant: Participant, *, now: datetime, actor: User | None = None) -> str:
    """Give a new address; the old one stops working at once, and so does whoever sits there by it.

    What was to be sent with the old one is withdrawn, and she is sent the new one (portal/reactions.py).
    """
    lock_appointment(participant.appointment_id)
    _revoke(participant, now)
    link = link_for(participant, now=now)
    _note(participant, EventKind.LINK_RENEWED, actor, now)
    return link


@transaction.atomic
def revoke_link(participant: Participant, *, now: datetime, actor: User | None = None) -> bool:
    """Take the address back, clear the seat and withdraw what was to be sent with it; say whether there was one."""
    lock_appointment(participant.appointment_id)
    revoked = _revoke(participant, now)
    if revoked:
        _note(participant, EventKind.LINK_REVOKED, actor, now)
    return revoked


def lock_appointment(appointment_id: int) -> None:
    """Let one at a time count who is here, come in, begin or end it, change a link, and write what leads to it.

    Locks are taken in the order appointment, link, room, seat; never the other way.
    """
    Appointment.objects.select_for_update(no_key=True).only("pk").get(pk=appointment_id)


def _note(participant: Participant, kind: EventKind, actor: User | None, now: datetime) -> None:
    events.record(participant.appointment, kind, now=now, actor=actor, participant_uid=participant.uid)


def _revoke(participant: Participant, now: datetime) -> bool:
    revoked = JoinLink.objects.filter(participant=participant, revoked_at__isnull=True).update(revoked_at=now)
    if revoked and not queries.signs_in(participant):
        Seat.objects.filter(participant=participant).update(
            state=SeatState.AWAY, device=None, admitted_at=None, admitted_by=None, waiting_since=None, identified_by=""
        )
    announce(participant.appointment.uid)
    return bool(revoked)


def seat_for_participant(participant: Participant) -> Seat:
    seat, _made = Seat.objects.get_or_create(
        participant=participant, defaults={"appointment_id": participant.appointment_id}
    )
    return seat


@dataclass(frozen=True, slots=True)
class Proof:
    """What a guest gives beside her link: nothing, her birth date, or the code from the text message."""

    birth_date: date | None = None
    code: str = ""


def identify_guest(*, link: JoinLink, proof: Proof, device: uuid.UUID | None, language: str, now: datetime) -> Seat:
    """Let a guest take her seat on this device. Entering the room is another matter.

    `device` is what this browser was given when it last sat here. A second device takes the seat over:
    the first is put out, and the host has to let her in again.

    Raises WrongProof (each counts; the fifth locks the link) and LinkLocked.
    """
    fault, seat = _identify(link, proof, device, language, now)
    if fault is not None:
        raise fault
    assert seat is not None
    return seat


@transaction.atomic
def _identify(
    link: JoinLink, proof: Proof, device: uuid.UUID | None, language: str, now: datetime
) -> tuple[DomainError | None, Seat | None]:
    # Answers instead of raising: a wrong try must be counted, not rolled back.
    locked = JoinLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    if locked.locked_at is not None:
        return errors.LinkLocked(), None
    participant = link.participant
    asked = queries.proof_for(participant)
    if not _holds(asked, locked, participant, proof, now):
        locked.wrong_tries += 1
        if locked.wrong_tries >= MOST_TRIES:
            locked.locked_at = now
            announce(participant.appointment.uid)
        locked.save(update_fields=["wrong_tries", "locked_at"])
        if locked.locked_at is not None:
            return errors.LinkLocked(), None
        return _wrong(asked, MOST_TRIES - locked.wrong_tries), None
    locked.wrong_tries = 0
    locked.first_opened_at = locked.first_opened_at or now
    locked.save(update_fields=["wrong_tries", "first_opened_at"])
    return None, _take_seat(participant, asked, device, language, now)


def _take_seat(participant: Participant, asked: str, device: uuid.UUID | None, language: str, now: datetime) -> Seat:
    seat_for_participant(participant)
    seat = Seat.objects.select_for_update(of=("self",)).select_related("appointment").get(participant=participant)
    same = device is not None and device == seat.device
    if not same:
        was_taken = seat.device is not None and seat.state not in {SeatState.AWAY, SeatState.LEFT}
        seat.new_device = was_taken
        seat.device = uuid.uuid4()
        seat.channel = ""
        seat.admitted_at = seat.admitted_by = None
        seat.waiting_since = None
        if seat.state != SeatState.DECLINED:
            seat.state = SeatState.AWAY
    if seat.state in {SeatState.AWAY, SeatState.LEFT} and now >= queries.opens_at(seat.appointment):
        seat.state = SeatState.TESTING
    seat.identified_by, seat.language, seat.seen_at = asked, language, now
    seat.save()
    announce(seat.appointment.uid)
    return seat


def _holds(asked: str, link: JoinLink, participant: Participant, proof: Proof, now: datetime) -> bool:
    if asked == Identification.BIRTH_DATE:
        patient = participant.appointment.patient
        return patient is not None and proof.birth_date == patient.birth_date
    if asked == Identification.SMS_CODE:
        return _code_holds(link, proof.code, now)
    return True


def _code_holds(link: JoinLink, typed: str, now: datetime) -> bool:
    sent = (
        EntryCode.objects.select_for_update()
        .filter(link=link, used_at__isnull=True, expires_at__gt=now, tries__lt=MOST_TRIES)
        .first()
    )
    if sent is None:
        return False
    sent.tries += 1
    right = hmac.compare_digest(bytes(sent.digest), _code_digest(link, typed))
    if right:
        sent.used_at = now
    sent.save(update_fields=["tries", "used_at"])
    return right


def _wrong(asked: str, left: int) -> errors.WrongProof:
    if asked == Identification.SMS_CODE:
        text = ngettext(
            "The code does not fit. You can try %(n)s more time.",
            "The code does not fit. You can try %(n)s more times.",
            left,
        )
    else:
        text = ngettext(
            "The date of birth does not fit the appointment. You can try %(n)s more time.",
            "The date of birth does not fit the appointment. You can try %(n)s more times.",
            left,
        )
    return errors.WrongProof(text % {"n": left}, tries_left=left)


@transaction.atomic
def send_entry_code(*, link: JoinLink, now: datetime, language: str) -> None:
    """Send a code to the number on the appointment, never to one that is typed.

    Raises LinkLocked, and TooManyCodes after three in a quarter of an hour.
    """
    locked = JoinLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    if locked.locked_at is not None:
        raise errors.LinkLocked
    if EntryCode.objects.filter(link=link, sent_at__gt=now - CODE_WINDOW).count() >= MOST_CODES:
        raise errors.TooManyCodes
    participant = link.participant
    digits = f"{secrets.randbelow(10**6):06d}"
    EntryCode.objects.filter(link=link, used_at__isnull=True).update(expires_at=now)
    sent = EntryCode.objects.create(
        link=link, digest=_code_digest(link, digits), sent_at=now, expires_at=now + CODE_LASTS
    )
    appointment = participant.appointment
    organisation = appointment.performer_unit.organisation
    with translation.override(language):
        body = _("Your code is %(code)s. It works for five minutes.") % {"code": digits}
    queue_message(
        about=appointment.uid,
        about_version=appointment.version,
        recipient=f"{participant.uid}#{sent.pk}",
        purpose="entry_code",
        channel=Channel.SMS,
        language=language,
        address=queries.phone_of(participant),
        subject="",
        body=body,
        sender=organisation.sms_sender,
        due_at=now,
        not_after=now + CODE_LASTS,
        organisation_id=organisation.pk,
        now=now,
        at_any_hour=True,
    )


def _code_digest(link: JoinLink, digits: str) -> bytes:
    typed = "".join(ch for ch in digits if ch.isdigit())
    return hmac.digest(settings.LINK_KEY.encode(), f"entry code {link.pk} {typed}".encode(), "sha256")


def entry_codes_over(before: datetime) -> QuerySet[EntryCode]:
    """Return the codes that ran out: they are forgotten (portal/retention.py)."""
    return EntryCode.objects.filter(expires_at__lte=before)
