"""What we need of whoever brings a message out; nothing of a supplier's own words passes this line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Refused(Exception):
    """The carrier said no to this message; the same message will never pass. The text is one of our codes."""


class Unavailable(Exception):
    """The carrier could not be reached or is out of order; the same call may work later.

    `maybe_taken`: the connection broke after the message had left us, so that another carrier must not be
    tried at once: the receipt will tell, or the next try with the same key.
    """

    def __init__(self, code: str, *, maybe_taken: bool = False) -> None:
        super().__init__(code)
        self.maybe_taken = maybe_taken


@dataclass(frozen=True)
class Outgoing:
    """A message as a carrier gets it. `key` is the same at every try."""

    key: str
    sender: str
    address: str
    subject: str
    body: str
    calendar: str | None = None
    calendar_method: str = ""
    not_after: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """The carrier has taken it. `delivered` where no receipt will come because it is there already."""

    carrier_id: str = ""
    delivered: bool = False


class Carrier(Protocol):
    """Brings one message to one address. What `wakes_people` keeps quiet at night."""

    name: str
    wakes_people: bool

    def send(self, message: Outgoing) -> Accepted:
        """Hand the message over; raise Refused or Unavailable."""
        ...
