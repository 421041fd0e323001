"""A standing room at a supplier without an interface for programs: one address, set by the installation."""

from datetime import datetime
from urllib.parse import urlsplit

from .base import Guest, ProviderRefused


class FixedLink:
    """The room is always there; who comes in is for the portal's waiting room and the supplier's own to see to."""

    outside = True

    def __init__(self, address: str) -> None:
        self.address = address

    def open_room(self, reference: str, starts_at: datetime, ends_at: datetime) -> str:
        if urlsplit(self.address).scheme != "https" or not urlsplit(self.address).hostname:
            raise ProviderRefused("no standing room is configured")
        return self.address

    def join_url(self, room_id: str, guest: Guest) -> str:
        return room_id

    def close_room(self, room_id: str) -> None:
        """A standing room stays."""
