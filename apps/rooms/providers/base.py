"""What we need of a video provider, in our own words; nothing of its words passes this line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class ProviderUnavailable(Exception):
    """The provider did not answer; the same call may work later."""


class ProviderRefused(Exception):
    """The provider said no; the same call will never work."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who comes in, as the provider may know her: a name only where the provider shows it in the room."""

    reference: str
    name: str = ""
    host: bool = False


class RoomProvider(Protocol):
    """Rooms at a supplier. Every call may be repeated: the sweeper that makes them may die at any moment."""

    outside: bool
    """Whether the meeting itself takes place at the provider's address (False: in the portal's own room page)."""

    def open_room(self, reference: str, starts_at: datetime, ends_at: datetime) -> str:
        """Open a room and return the provider's id for it; the same reference opens one room, at its latest time."""
        ...

    def join_url(self, room_id: str, guest: Guest) -> str:
        """Return an address that lets this guest in; empty for rooms inside the portal."""
        ...

    def close_room(self, room_id: str) -> None:
        """Close the room. A room that is already gone is closed."""
        ...
