"""Knows the second factor, signs staff out after a while without use, and shows pages in their language."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import logout
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.middleware import OTPMiddleware

from .models import Authenticator

SEEN: Final = "seen_at"
STEP: Final = 30
POLLS: Final = frozenset({"scheduling:next_up", "rooms:who_waits"})
"""Fragments that pages fetch by themselves: an open page is not a person at work."""


class SecondFactor(OTPMiddleware):
    """django-otp's; an authenticator that came along with its user is not looked up again."""

    def _verify_user_sync(self, request: HttpRequest, user: Any) -> Any:
        kind, _slash, number = request.session.get(DEVICE_ID_SESSION_KEY, "").rpartition("/")
        if kind == Authenticator.model_label() and number in map(str, getattr(user, "authenticators", ())):
            self._init_user_fields(user)
            user.otp_device = Authenticator.from_db(
                DEFAULT_DB_ALIAS, ["id", "user_id", "confirmed"], [int(number), user.pk, True]
            )
            return user
        return super()._verify_user_sync(request, user)  # a backup code, or none


class SignedIn:
    """A session ends STAFF_IDLE_MINUTES after the last thing done in it.

    The session is written at most every half minute, not at every request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now, seen = int(timezone.now().timestamp()), request.session.get(SEEN)
            if seen is not None and now - seen >= settings.STAFF_IDLE_MINUTES * 60:
                logout(request)
        if request.user.is_authenticated:
            translation.activate(request.user.language)
        elif settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and not request.path.startswith("/api/"):
            translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> None:
        match = request.resolver_match
        if not request.user.is_authenticated or (match and match.view_name in POLLS):
            return
        now = int(timezone.now().timestamp())
        if now - request.session.get(SEEN, 0) >= STEP:
            request.session[SEEN] = now
