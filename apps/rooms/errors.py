"""The refusals that rooms can give."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError


class WrongProof(DomainError):
    """The birth date or the code does not fit; `tries_left` is how often it may be tried again."""

    code = "wrong-proof"

    def __init__(self, message: Any, *, tries_left: int) -> None:
        super().__init__(message)
        self.tries_left = tries_left


class LinkLocked(DomainError):
    code = "link-locked"
    message = _("There have been too many tries, so this link is locked. Call us, and we will help you.")


class TooManyCodes(DomainError):
    code = "too-many-codes"
    message = _("We have sent you several codes already. Wait a quarter of an hour, or call us.")


class NotOpenYet(DomainError):
    code = "not-open-yet"
    message = _("The waiting room is not open yet.")

    def __init__(self, opens_at: datetime) -> None:
        super().__init__()
        self.opens_at = opens_at


class RoomClosed(DomainError):
    code = "room-closed"
    message = _("This appointment is over.")


class NotAdmitted(DomainError):
    code = "not-admitted"
    message = _("You come in when the host lets you in.")


class NotHost(DomainError):
    code = "not-host"
    message = _("Only the host of the appointment can do this.")


class NotWaiting(DomainError):
    """She is no longer where the host saw her: gone, or on another device."""

    code = "not-waiting"
    message = _("This person is no longer waiting. Look again at who waits.")


class RoomFull(DomainError):
    code = "room-full"
    message = _("There is room for four in the call. Somebody must leave first.")
