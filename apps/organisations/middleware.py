"""Puts `request.staff` on every request, looked up when first asked for."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from .queries import Staff, staff_of

UNIT_KEY: Final = "unit"


class StaffContext:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.staff = SimpleLazyObject(lambda: staff_now(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def staff_now(request: HttpRequest) -> Staff | None:
    """Return her work, or None before the second factor: half signed in is not signed in."""
    user = request.user
    if not user.is_authenticated or not user.is_verified():
        return None
    herself = getattr(request.session, "whose", None)  # where `request.user` stands for her, and costs at each look
    return staff_of(herself if herself == user else user, unit_uid=request.session.get(UNIT_KEY))
