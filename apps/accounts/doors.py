"""Who may come in at all: signed in, and the second factor given in this session."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from .models import User

View = TypeVar("View", bound=Callable[..., HttpResponse])


class VerifiedRequest(HttpRequest):
    """A request that came through `verified_required`."""

    user: User


def way_in(request: HttpRequest) -> HttpResponse | None:
    """Return the redirect that leads to the missing step, or None when none is missing."""
    if not request.user.is_authenticated:
        return _lead_to(request, "account_login")
    if not request.user.is_verified():
        return _lead_to(request, "accounts:second_factor")
    return None


def verified_required(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return way_in(request) or view(request, *args, **kwargs)

    return guarded  # type: ignore[return-value]


def _lead_to(request: HttpRequest, name: str) -> HttpResponse:
    """Send a page there and back again; a fragment (htmx) sends its whole page, unless it carried what was typed.

    Then the page stays, and videotime.js says over it that she is signed out: what stands in its fields can be copied.
    """
    fragment = request.headers.get("HX-Request") == "true"
    if fragment and request.method != "GET":
        return HttpResponse(status=401)
    back = request.headers.get("HX-Current-URL", "") if fragment else request.get_full_path()
    if fragment:
        back = back.removeprefix(f"{request.scheme}://{request.get_host()}")
    address = reverse(name)
    if back.startswith("/") and request.method == "GET":
        address += "?" + urlencode({"next": back})
    if fragment:
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
