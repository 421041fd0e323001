"""Queue a message, send what is due, and believe receipts."""

import logging
import uuid
from collections import Counter
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from apps.common.errors import DomainError, breach_raises
from apps.common.nudge import wake
from apps.common.prepared import Prepared
from apps.common.rows import rows_of_raw

from . import hours, queries, sms
from .carriers import Accepted, Carrier, Outgoing, Refused, Unavailable, carriers_for, wakes_people
from .models import OPEN_STATES, Channel, MessageReceipt, OutboxMessage, OutboxState

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=2)
"""Longer than every time limit of every carrier together."""

PAUSES: Final = [timedelta(seconds=seconds) for seconds in (0, 10, 30, 120, 300, 600)]
LONGEST_PAUSE: Final = timedelta(minutes=15)
RECEIPT_WITHIN: Final = timedelta(minutes=2)
"""A gateway whose answer was lost says within this time that it has the message, if it has."""

OUTAGES_IN_A_ROW: Final = 3
TRIES: Final = 48
"""With these pauses, a gateway may be away for about ten hours."""

DELIVERED, FAILED, REJECTED = "delivered", "failed", "rejected"
ACCEPTED, BUFFERED = "accepted", "buffered"
NOT_KNOWN: Final = ("unreachable", "no-answer", "out-of-order", "not-let-in", "too-late")
"""We gave these up without having been told no: a receipt may still say that they came through."""


class AlreadySaid(DomainError):
    """The same thing has been said to the same person before."""


@transaction.atomic
def queue_message(
    *,
    about: uuid.UUID | None,
    about_version: int,
    recipient: str,
    purpose: str,
    channel: str,
    language: str,
    address: str,
    subject: str,
    body: str,
    sender: str,
    due_at: datetime,
    not_after: datetime | None,
    organisation_id: int | None,
    now: datetime,
    calendar: str | None = None,
    calendar_method: str = "",
    at_any_hour: bool = False,
    instead_of: OutboxMessage | None = None,
) -> OutboxMessage | None:
    """Write down what is to be said; None when it is said already, or when it is too late for it.

    With `instead_of` it stands by and goes when that message has failed for good, or at once if it has. A code that somebody
    waits for goes `at_any_hour`. What could only go when it is too late is kept as not sent, so that it is seen.
    """
    if not_after is not None and not_after <= now:
        return None
    message = OutboxMessage(
        about=about,
        about_version=about_version,
        recipient=recipient,
        purpose=purpose,
        channel=channel,
        language=language,
        address=address,
        address_index=queries.address_index(address),
        subject=subject,
        body=sms.plain(body) if channel == Channel.SMS else body,
        sender=sender,
        due_at=due_at,
        not_after=not_after,
        organisation_id=organisation_id,
        created_at=now,
        calendar=calendar,
        calendar_method=calendar_method,
        at_any_hour=at_any_hour,
        instead_of=instead_of,
        state=OutboxState.STANDBY if instead_of and instead_of.state != OutboxState.FAILED else OutboxState.WAITING,
    )
    if not_after is not None and due_at >= not_after:
        message.state, message.failure, message.done_at = OutboxState.FAILED, "quiet-hours", now
    try:
        with breach_raises(outbox_says_the_same_thing_once=AlreadySaid):
            message.save(force_insert=True)
    except AlreadySaid:
        return None
    if message.state == OutboxState.WAITING and due_at <= now:
        wake("messaging.deliver_due")
    return message


def withdraw_messages(
    *, about: uuid.UUID, now: datetime, recipient: str | None = None, before_version: int | None = None
) -> int:
    """Take back everything that has not gone out yet, or what was said before a version; return how many.

    One that a worker holds in its hand at this moment may go out, but is never tried again.
    """
    owed = OutboxMessage.objects.about_appointment(about).filter(state__in=OPEN_STATES, withdrawn_at__isnull=True)
    if recipient is not None:
        owed = owed.filter(recipient=recipient)
    if before_version is not None:
        owed = owed.filter(about_version__lt=before_version)
    # Rows that a worker is claiming are waited for, so that each is either sent before or taken back.
    sending = owed.filter(state=OutboxState.SENDING).update(withdrawn_at=now)
    waiting = owed.exclude(state=OutboxState.SENDING).update(
        state=OutboxState.WITHDRAWN, withdrawn_at=now, done_at=now, failure=""
    )
    return sending + waiting


class Outages:
    """What one sweep finds out of order: a channel that fails some times in a row is left to the next sweep.

    A gateway that hangs costs a time limit a message: the other channel's messages would wait behind all of them.
    """

    def __init__(self) -> None:
        self._in_a_row: Counter[str] = Counter()

    def note(self, channel: str, *, out_of_order: bool) -> None:
        self._in_a_row[channel] = self._in_a_row[channel] + 1 if out_of_order else 0

    @property
    def left(self) -> list[str]:
        return [channel for channel, times in self._in_a_row.items() if times >= OUTAGES_IN_A_ROW]


def deliver_next_message(*, now: datetime, outages: Outages | None = None) -> bool:
    """Send the next message that is due; say whether there was one.

    No transaction is open while the carrier answers. The reference goes along as a key at every try.
    """
    outages = outages or Outages()
    if len(outages.left) == len(Channel):
        return False
    message = _claim_next(now, but=next(iter(outages.left), ""))
    if message is None:
        return False
    out_of_order = False
    try:
        carrier, accepted = _send(message)
    except Refused as refusal:
        _give_up(message, str(refusal), now)
    except Unavailable as outage:
        out_of_order = True
        _put_back(message, outage, now)
    else:
        _record_sent(message, carrier, accepted, now)
    outages.note(message.channel, out_of_order=out_of_order)
    return True


def record_receipt(*, reference: uuid.UUID, said: str, now: datetime) -> bool:
    """Note what a carrier reports; say whether the message is ours.

    Reports come in any order and more than once. Each counts once, and an end is never taken back.
    """
    with transaction.atomic():
        message = OutboxMessage.objects.select_for_update().filter(reference=reference, attempts__gt=0).first()
        if message is None:
            return False
        _receipt, fresh = MessageReceipt.objects.get_or_create(
            message=message, said=said, defaults={"received_at": now}
        )
        if not fresh:
            return True
        unsure = message.state == OutboxState.FAILED and message.failure in NOT_KNOWN
        on_its_way = message.state in {OutboxState.WAITING, OutboxState.SENDING, OutboxState.SENT}
        if said == DELIVERED and (on_its_way or unsure):
            _finish(message, OutboxState.DELIVERED, now)
        elif said in {FAILED, REJECTED} and on_its_way:
            # An SMSC rejects for its own reasons too: who we are, what we sign with. It is not said to be the number.
            _fail(message, "not-reached", now)
        elif said in {ACCEPTED, BUFFERED} and message.state in {OutboxState.WAITING, OutboxState.SENDING}:
            # The answer was lost, or the worker that waited for it; the message was not: it must not be sent again.
            message.state, message.sent_at, message.failure = OutboxState.SENT, message.sent_at or now, ""
            message.save(update_fields=["state", "sent_at", "failure"])
    return True


@transaction.atomic
def _claim_next(now: datetime, *, but: str = "") -> OutboxMessage | None:
    """Take one message, so that no other worker can. What may not go now is put off or given up on the way.

    What would go by the channel that is out of order (`but`) is left lying.
    """
    while True:
        message = _ABANDONED.first(now=now, but=but) or _DUE.first(now=now, but=but)
        if message is None:
            return None
        if _may_go(message, now):
            message.state, message.leased_until = OutboxState.SENDING, now + LEASE
            message.attempts += 1
            rows_of_raw(_CLAIM, [message.leased_until, message.attempts, message.pk])
            return message


def _may_go(message: OutboxMessage, now: datetime) -> bool:
    """Check once more what was planned for: taken back, too late, quiet hours, the day's measure."""
    if message.withdrawn_at is not None:
        _finish(message, OutboxState.WITHDRAWN, now)
        return False
    if message.not_after is not None and message.not_after <= now:
        _fail(message, "too-late", now)
        return False
    if message.at_any_hour:
        return True
    if hours.is_quiet(now) and wakes_people(message.channel):
        _put_off(message, hours.after_quiet(now), "quiet-hours", now)
        return False
    if message.channel == Channel.SMS and _day_is_full(message, now):
        _put_off(message, hours.after_quiet(hours.day_ends(now)), "daily-cap", now)
        return False
    return True


def _day_is_full(message: OutboxMessage, now: datetime) -> bool:
    """Count under a lock on the address, so that two workers do not both send the last one of the day."""
    key = int.from_bytes(bytes(message.address_index)[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    return queries.sent_on_day(bytes(message.address_index), now, but=message.pk) >= settings.DAILY_SMS_CAP


def _put_off(message: OutboxMessage, until: datetime, why: str, now: datetime) -> None:
    if message.not_after is not None and message.not_after <= until:
        _fail(message, why, now)
        return
    message.state, message.due_at, message.failure = OutboxState.WAITING, until, why
    message.save(update_fields=["state", "due_at", "failure"])


def _send(message: OutboxMessage) -> tuple[Carrier, Accepted]:
    """Try the carriers of the channel in order. A fault of one message is never the next one's."""
    outgoing = Outgoing(
        key=str(message.reference),
        sender=message.sender,
        address=message.address,
        subject=message.subject,
        body=message.body,
        calendar=message.calendar,
        calendar_method=message.calendar_method,
        not_after=message.not_after,
    )
    outage = Unavailable("no-carrier")
    for carrier in carriers_for(message.channel):
        try:
            return carrier, carrier.send(outgoing)
        except Refused:
            raise
        except Unavailable as this:
            logger.warning("carrier %s does not take message %s now: %s", carrier.name, message.reference, this)
            outage = this
        except Exception as fault:
            logger.exception("carrier %s failed on message %s", carrier.name, message.reference)
            raise Unavailable("carrier-fault", maybe_taken=True) from fault
        if outage.maybe_taken:
            break
    raise outage


def _still_ours(message: OutboxMessage) -> OutboxMessage | None:
    """Lock the row, unless a receipt or another worker (our lease being over) has been there meanwhile."""
    return (
        OutboxMessage.objects.select_for_update()
        .filter(pk=message.pk, state=OutboxState.SENDING, attempts=message.attempts)
        .first()
    )


def _record_sent(message: OutboxMessage, carrier: Carrier, accepted: Accepted, now: datetime) -> None:
    """Note it in one statement, on the same condition as `_still_ours`; who brought it is noted in any case."""
    by, carrier_id = carrier.name, accepted.carrier_id[:100]
    with transaction.atomic() if accepted.delivered else nullcontext():
        if not rows_of_raw(_SENT, [by, carrier_id, now, message.pk, message.attempts]):
            OutboxMessage.objects.filter(pk=message.pk).update(carrier=by, carrier_id=carrier_id)
        elif accepted.delivered:
            _finish(message, OutboxState.DELIVERED, now)


@transaction.atomic
def _put_back(message: OutboxMessage, outage: Unavailable, now: datetime) -> None:
    """Try again after a pause; what may have been taken waits for its receipt, unless somebody waits for it."""
    why = str(outage)
    row = _still_ours(message)
    if row is None:
        return
    if row.withdrawn_at is not None:
        _finish(row, OutboxState.WITHDRAWN, now)
        return
    if row.attempts >= TRIES:
        _fail(row, why, now)
        return
    pause = PAUSES[row.attempts - 1] if row.attempts <= len(PAUSES) else LONGEST_PAUSE
    if outage.maybe_taken and row.channel == Channel.SMS and not row.at_any_hour:
        pause = max(pause, RECEIPT_WITHIN)
    row.state, row.due_at, row.failure = OutboxState.WAITING, now + pause, why
    row.save(update_fields=["state", "due_at", "failure"])


@transaction.atomic
def _give_up(message: OutboxMessage, why: str, now: datetime) -> None:
    row = _still_ours(message)
    if row is not None:
        _fail(row, why, now)


def _fail(message: OutboxMessage, why: str, now: datetime) -> None:
    """Give it up for good, and let the one in reserve go instead."""
    message.state, message.failure, message.done_at = OutboxState.FAILED, why[:60], now
    message.save(update_fields=["state", "failure", "done_at"])
    in_time = Q(not_after__isnull=True) | Q(not_after__gt=now)
    if message.withdrawn_at is None and (
        OutboxMessage.objects.filter(in_time, instead_of=message, state=OutboxState.STANDBY).update(
            state=OutboxState.WAITING, due_at=now
        )
    ):
        wake("messaging.deliver_due")


def _finish(message: OutboxMessage, state: OutboxState, now: datetime) -> None:
    message.state, message.done_at, message.failure = state, now, ""
    if state == OutboxState.DELIVERED:
        message.sent_at = message.sent_at or now
    message.save(update_fields=["state", "done_at", "sent_at", "failure"])
    OutboxMessage.objects.filter(instead_of=message, state=OutboxState.STANDBY).update(
        state=OutboxState.WITHDRAWN, done_at=now
    )


# What is forgotten (portal/retention.py) -------------------------------------------------------------------------------
def messages_of_no_more_use(before: datetime) -> QuerySet[OutboxMessage]:
    """Return the messages that were done with before, and had told nothing that was still to come."""
    done = Coalesce("done_at", "sent_at", "due_at")
    return OutboxMessage.objects.exclude(state__in=OPEN_STATES).filter(
        Q(not_after__isnull=True) | Q(not_after__lte=before),
        GreaterThan(Value(before), done),
        created_at__lte=before,
        forgotten_at__isnull=True,
    )


def forget_contents(messages: QuerySet[OutboxMessage]) -> int:
    """Forget what messages said, and to which number or address."""
    return messages.update(
        address="", address_index=b"", subject="", body="", calendar=None, forgotten_at=timezone.now()
    )


# What every message needs, written out and planned once.
_ABANDONED = Prepared(
    lambda now, but: OutboxMessage.objects.abandoned(now).exclude(channel=but).select_for_update(skip_locked=True)[:1],
    now=datetime,
    but=str,
)
_DUE = Prepared(
    lambda now, but: OutboxMessage.objects.due(now).exclude(channel=but).select_for_update(skip_locked=True)[:1],
    now=datetime,
    but=str,
)
_CLAIM: Final = """
UPDATE messaging_outboxmessage SET state = 'sending', leased_until = $1, attempts = $2 WHERE id = $3 RETURNING id
"""
_SENT: Final = """
UPDATE messaging_outboxmessage SET carrier = $1, carrier_id = $2, state = 'sent', sent_at = $3, failure = ''
 WHERE id = $4 AND state = 'sending' AND attempts = $5
RETURNING id
"""
