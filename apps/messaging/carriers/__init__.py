"""The ways out, by name; the settings say which are used and in what order."""

from typing import Final

from django.conf import settings

from apps.messaging.models import Channel

from .base import Accepted, Carrier, Outgoing, Refused, Unavailable
from .inbox import Inbox
from .kannel import Kannel
from .smtp import Smtp, one_line

__all__ = [
    "CARRIERS",
    "Accepted",
    "Carrier",
    "Outgoing",
    "Refused",
    "Unavailable",
    "carriers_for",
    "one_line",
    "wakes_people",
]

CARRIERS: Final[dict[str, Carrier]] = {carrier.name: carrier for carrier in (Kannel(), Smtp(), Inbox())}


def carriers_for(channel: str) -> list[Carrier]:
    """Return the carriers of a channel in the order to try them."""
    names = settings.SMS_CARRIERS if channel == Channel.SMS else [settings.EMAIL_CARRIER]
    return [CARRIERS[name] for name in names]


def wakes_people(channel: str) -> bool:
    """Say whether a message of this channel may make a sound on somebody's table. The demo's inbox does not."""
    return any(carrier.wakes_people for carrier in carriers_for(channel))
