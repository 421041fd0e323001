"""Reads of the outbox."""

import uuid
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.common.crypto import blind_index
from apps.common.prepared import Prepared

from . import hours
from .carriers import wakes_people
from .models import GONE_OUT, Channel, OutboxMessage, OutboxState


def address_index(address: str) -> bytes:
    """Return the digest by which one address is found again without being readable."""
    return blind_index(address.replace(" ", "").casefold(), "address")


def soonest(channel: str, now: datetime) -> datetime:
    """Return when a message of this channel may go that is queued now: at once, or in the morning."""
    return hours.after_quiet(now) if wakes_people(channel) else now


def messages_about(uid: uuid.UUID) -> QuerySet[OutboxMessage]:
    """Return all that was or will be said about an appointment; what only stands by is left out."""
    return OutboxMessage.objects.about_appointment(uid).exclude(state=OutboxState.STANDBY)


def sent_on_day(address_index: bytes, moment: datetime, *, but: int) -> int:
    """Count the text messages that an address got on the day of this moment, and those under way; one is left out."""
    return len(_SENT_ON_DAY(address_index=address_index, begins=hours.day_begins(moment), but=but))


def planned_on_day(address: str, moment: datetime) -> int:
    """Count the text messages that an address got or is to get on the day of this moment."""
    begins, ends, index = hours.day_begins(moment), hours.day_ends(moment), address_index(address)
    waiting = OutboxMessage.objects.filter(
        address_index=index,
        channel=Channel.SMS,
        state=OutboxState.WAITING,
        due_at__gte=begins,
        due_at__lt=ends,
    ).count()
    sent = OutboxMessage.objects.filter(
        address_index=index,
        channel=Channel.SMS,
        state__in=GONE_OUT,
        sent_at__gte=begins,
        sent_at__lt=ends,
    ).count()
    return waiting + sent


def inbox(to: str = "", *, limit: int = 300) -> list[OutboxMessage]:
    """Return what the demo's people have got, newest first; `to` is an address as it was typed."""
    arrived = OutboxMessage.objects.filter(
        state__in=[OutboxState.SENT, OutboxState.DELIVERED], forgotten_at__isnull=True
    )
    if to:
        arrived = arrived.filter(address_index=address_index(to))
    return list(arrived.order_by("-sent_at", "-id")[:limit])


_SENT_ON_DAY = Prepared(  # a handful of rows: the day's measure is small
    lambda address_index, begins, but: (
        OutboxMessage.objects.filter(
            Q(sent_at__gte=begins) | Q(state=OutboxState.SENDING),
            address_index=address_index,
            channel=Channel.SMS,
            at_any_hour=False,
            state__in=GONE_OUT,
        )
        .exclude(pk=but)
        .only("pk")
    ),
    address_index=bytes,
    begins=datetime,
    but=int,
)
