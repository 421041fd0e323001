"""Knows the second factor, signs staff out after a while without use, and shows pages in their language."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django_otp.middleware import OTPMiddleware

from apps.common.prepared import Prepared

from .models import Authenticator

SEEN: Final = "seen_at"
STEP: Final = 30
POLLS: Final = frozenset({"scheduling:next_up", "rooms:who_waits"})
"""Fragments that pages fetch by themselves: an open page is not a person at work."""


_DEVICE = Prepared(lambda pk: Authenticator.objects.filter(pk=pk).defer("key"), pk=int)


class SecondFactor(OTPMiddleware):
    """django-otp's, with the look-up of every request written out once; the app's secret stays where it is."""

    def _device_from_persistent_id(self, persistent_id: str) -> Any:
        kind, _slash, number = persistent_id.rpartition("/")
        if kind == Authenticator.model_label() and number.isascii() and number.isdecimal():
            return _DEVICE.first(pk=int(number))
        return super()._device_from_persistent_id(persistent_id)  # a backup code


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
