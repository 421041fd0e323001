"""Signed proofs that pages carry: a guest's cookie, and the short-lived ticket that opens a socket."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from .models import Seat

COOKIE: Final = "__Host-guest" if settings.SECURE else "guest"
COOKIE_LASTS: Final = timedelta(hours=12)
TICKET_LASTS: Final = timedelta(minutes=2)


def write_cookie(response: HttpResponse, seat: Seat) -> None:
    """Bind this browser to the seat; apart from the staff's session, and gone when the browser closes."""
    assert seat.participant is not None
    value = signing.dumps([str(seat.participant.uid), str(seat.device)], salt="rooms.guest")
    response.set_cookie(COOKIE, value, httponly=True, samesite="Lax", secure=settings.SECURE)


def read_cookie(request: HttpRequest, participant_uid: UUID) -> UUID | None:
    """Return the device that this browser is in the participant's seat, as far as it was ever let sit there."""
    try:
        uid, device = signing.loads(request.COOKIES.get(COOKIE, ""), salt="rooms.guest", max_age=COOKIE_LASTS)
        return UUID(device) if UUID(uid) == participant_uid else None
    except (signing.BadSignature, ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who may open a socket: a seat, by a browser that sits in it or by a user who has signed in."""

    seat: UUID
    device: UUID | None
    user_id: int | None
    waits: bool


def new_ticket(seat: Seat, *, user_id: int | None = None, waits: bool = False) -> str:
    device = str(seat.device) if user_id is None and seat.device else ""
    return signing.dumps([str(seat.uid), device, user_id or 0, int(waits)], salt="rooms.socket")


def read_ticket(text: str) -> Ticket | None:
    try:
        seat, device, user_id, waits = signing.loads(text, salt="rooms.socket", max_age=TICKET_LASTS)
        return Ticket(UUID(seat), UUID(device) if device else None, int(user_id) or None, bool(waits))
    except (signing.BadSignature, ValueError, TypeError):
        return None
