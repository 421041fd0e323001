"""A provider that keeps its rooms in memory, and fails when it is told to."""

from datetime import datetime

from .base import Guest, ProviderRefused, ProviderUnavailable


class FakeProvider:
    outside = True

    def __init__(self) -> None:
        self.rooms: dict[str, tuple[datetime, datetime]] = {}
        self.unavailable = False
        self.refuses = False
        self.asked = 0

    def open_room(self, reference: str, starts_at: datetime, ends_at: datetime) -> str:
        self._answer()
        self.rooms[reference] = (starts_at, ends_at)
        return reference

    def join_url(self, room_id: str, guest: Guest) -> str:
        return f"https://video.example/{room_id}?guest={guest.reference}"

    def close_room(self, room_id: str) -> None:
        self._answer()
        self.rooms.pop(room_id, None)

    def _answer(self) -> None:
        self.asked += 1
        if self.unavailable:
            raise ProviderUnavailable("no answer")
        if self.refuses:
            raise ProviderRefused("no")
