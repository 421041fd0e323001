"""The demo's carrier: the outbox row itself is what the inbox page shows."""

from .base import Accepted, Outgoing, Refused


class Inbox:
    name = "inbox"
    wakes_people = False

    def send(self, message: Outgoing) -> Accepted:
        """Take everything that has an address; nothing leaves the machine."""
        if not message.address:
            raise Refused("no-address")
        return Accepted(carrier_id=message.key, delivered=True)
