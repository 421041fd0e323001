"""The private feed, and the page where a person gets its address."""

import segno
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import parse_etags, quote_etag
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.organisations.doors import StaffRequest, staff_required

from . import queries, services


@require_safe
def feed(request: HttpRequest, code: str) -> HttpResponse:
    """Answer a calendar program. The address is the key: there is no other sign-in."""
    now = timezone.now()
    token = queries.feed_token(code, now=now)
    if token is None:
        raise Http404
    services.note_use(token=token, now=now)
    known = [one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))]
    headers = {"Cache-Control": "private, no-cache"}
    if known:
        headers["ETag"] = quote_etag(services.feed_tag(token=token, now=now))
        if headers["ETag"] in known or "*" in known:
            return HttpResponseNotModified(headers=headers)
    read = services.read_feed(token=token, now=now)
    headers |= {"ETag": quote_etag(read.tag), "Content-Disposition": 'inline; filename="videotime.ics"'}
    return HttpResponse(read.text, content_type="text/calendar; charset=utf-8", headers=headers)


@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
def subscription(request: StaffRequest) -> HttpResponse:
    """Show, make, replace and remove one's own feed."""
    if request.method == "POST":
        return _change(request)
    token = queries.live_token(request.user)
    url = services.feed_url(token) if token else ""
    return render(
        request,
        "calendars/subscription.html",
        {
            "token": token,
            "url": url,
            "webcal": "webcal://" + url.partition("://")[2],
            "code": _qr(url) if url else "",
        },
    )


def _qr(url: str) -> SafeString:
    """Draw the address as a picture; segno writes nothing but the squares."""
    return mark_safe(segno.make(url, error="m").svg_inline(border=2, omitsize=True, svgclass=None, lineclass=None))  # noqa: S308


def _change(request: StaffRequest) -> HttpResponse:
    now, wish = timezone.now(), request.POST.get("do", "")
    if wish == "make":
        services.open_feed(user=request.user, now=now)
    elif wish == "replace":
        services.replace_feed(user=request.user, now=now)
        messages.success(request, _("You have a new address. The old one has stopped working."))
    elif wish == "remove":
        services.close_feed(user=request.user, now=now)
        messages.success(request, _("The subscription is removed. The old address has stopped working."))
    return redirect("calendars:subscription")
