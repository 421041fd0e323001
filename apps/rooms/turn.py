"""How the browsers of a call reach each other: through the TURN relay where there is one, else directly.

Credentials are of the TURN REST kind (coturn `use-auth-secret`): the user part is the expiry and a random
id, never a name; the password is HMAC-SHA-1 of it. They are given after admission only.
"""

import base64
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from apps.scheduling.models import Appointment

LONGEST: Final = timedelta(hours=2)
MARGIN: Final = timedelta(minutes=15)
_CANDIDATE: Final = re.compile(r"^a=candidate:(?!.* typ relay).*\r?\n", re.MULTILINE)


def relayed() -> bool:
    """Say whether media go through the relay, so that nobody learns another's address."""
    return bool(settings.TURN_URLS and settings.TURN_SECRET)


def ice_configuration(appointment: Appointment, *, now: datetime) -> dict[str, Any]:
    if not relayed():
        return {"iceServers": []}
    left = min(max(appointment.ends_at - now, timedelta()) + settings.LINK_CLOSES_AFTER + MARGIN, LONGEST)
    username = f"{int((now + left).timestamp())}:{secrets.token_hex(8)}"
    digest = hmac.digest(settings.TURN_SECRET.encode(), username.encode(), "sha1")
    return {
        "iceServers": [
            {"urls": settings.TURN_URLS, "username": username, "credential": base64.b64encode(digest).decode()}
        ],
        "iceTransportPolicy": "relay",
    }


def without_addresses(description: str) -> str:
    """Take all candidates but relayed ones out of a session description."""
    return _CANDIDATE.sub("", description) if relayed() else description


def may_pass(candidate: str) -> bool:
    return not relayed() or not candidate or " typ relay" in candidate
