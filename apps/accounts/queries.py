"""Looking up who signs in, by key or by name."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django_otp.plugins.otp_static.models import StaticToken

from apps.common.prepared import Prepared

from .models import ApiKey, Authenticator, User

DEMO_DOMAIN: Final = "@demo.videotime.example"
"""Users of this domain have a one-tap entry on the demo's sign-in page. The top-level domain cannot exist."""


def demo_users() -> QuerySet[User]:
    return User.objects.filter(is_active=True, email__endswith=DEMO_DOMAIN).order_by("pk")


def authenticator(user: User) -> Authenticator | None:
    """Return the app that the user has in use."""
    found: Authenticator | None = Authenticator.objects.filter(user=user, confirmed=True).order_by("-pk").first()
    return found


def has_authenticator(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, confirmed=True).exists())


@dataclass(frozen=True)
class Throttle:
    """How long the next code must wait after wrong ones."""

    seconds: int


def throttle_of(user: User, now: datetime) -> Throttle | None:
    """Return the wait that wrong codes have brought on, or None."""
    waits = []
    for device in Authenticator.objects.filter(user=user, confirmed=True):
        allowed, details = device.verify_is_allowed()
        if not allowed and details and (until := details.get("locked_until")):
            waits.append((until - now).total_seconds())
    return Throttle(max(1, round(max(waits)))) if waits else None


def backup_codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


def live_key(digest: bytes, now: datetime) -> ApiKey | None:
    """Return the key with this digest and its user in one query, if both may still be used."""
    return _LIVE_KEY.first(digest=digest, now=now)


_LIVE_KEY = Prepared(
    lambda digest, now: ApiKey.objects.live(now).filter(digest=digest, user__is_active=True).select_related("user"),
    digest=bytes,
    now=datetime,
)
