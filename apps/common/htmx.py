"""The few things a view must know about htmx."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def hx_redirect(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Send the whole page elsewhere: a plain redirect, or for htmx the header that makes the browser go there."""
    if not is_htmx(request):
        return redirect(to, *args, **kwargs)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = resolve_url(to, *args, **kwargs)
    return response
