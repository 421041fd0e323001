"""A standing room at a supplier without an interface for programs: one address, set by the installation."""

from datetime import datetime
from urllib.parse import urlsplit

from .base import Guest, ProviderRefused


def usable(address: str) -> bool:
    """Say whether an address can be given to patients: https, with a host."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


class FixedLink:
    """The room is always there; who comes in is for the portal's waiting room and the supplier's own to see to."""

    outside = True

    def __init__(self, address: str) -> None:
        self.address = address

    def open_room(self, reference: str, starts_at: datetime, ends_at: datetime) -> str:
        if not usable(self.address):
            raise ProviderRefused("no standing room is configured")
        return self.address

    def join_url(self, room_id: str, guest: Guest) -> str:
        return room_id

    def close_room(self, room_id: str) -> None:
        """A standing room stays."""
