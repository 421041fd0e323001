"""The demo's inbox: every message as the phone or the mail program of the one who got it would show it."""

import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.messaging import queries, sms
from apps.messaging.models import Channel, OutboxMessage

LINK: Final = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
LONGEST_ADDRESS: Final = 254

View = Callable[..., HttpResponse]


def demo_only(view: View) -> View:
    """Outside the demo there is no such page, whatever the table of addresses says."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return shown


@demo_only
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    to = _wanted(request)
    messages = [
        {"row": row, "pieces": _pieces(row.body), "size": sms.size(row.body) if row.channel == Channel.SMS else None}
        for row in queries.inbox(to, limit=100)
    ]
    return render(request, "messaging/inbox.html", {"messages_got": messages, "to": to})


@demo_only
@require_safe
def inbox_json(request: HttpRequest) -> HttpResponse:
    messages = [
        {
            "id": str(row.reference),
            "channel": row.channel,
            "to": row.address,
            "subject": row.subject,
            "body": row.body,
            "at": (row.sent_at or row.created_at).isoformat(),
            "purpose": row.purpose.partition(":")[0],
            "language": row.language,
            "sender": row.sender,
            "links": LINK.findall(row.body),
            "calendar": row.calendar,
            "calendar_method": row.calendar_method,
        }
        for row in queries.inbox(_wanted(request))
    ]
    return JsonResponse({"messages": messages}, json_dumps_params={"ensure_ascii": False})


@demo_only
@require_safe
def attachment(request: HttpRequest, reference: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(OutboxMessage, reference=reference, sent_at__isnull=False, calendar__isnull=False)
    return HttpResponse(
        row.calendar,
        content_type=f"text/calendar; charset=utf-8; method={row.calendar_method}",
        headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
    )


def _wanted(request: HttpRequest) -> str:
    """Read whose messages are asked for. A plus in an address line arrives as a blank."""
    raw = request.GET.get("to", "").replace("\0", "")[:LONGEST_ADDRESS]
    return "+" + raw.strip() if raw.startswith(" ") else raw.strip()


def _pieces(body: str) -> list[tuple[bool, str]]:
    """Cut a text into (is a link, text), so that the template writes the links and escapes everything."""
    pieces, at = [], 0
    for found in LINK.finditer(body):
        pieces += [(False, body[at : found.start()]), (True, found.group())]
        at = found.end()
    return [piece for piece in [*pieces, (False, body[at:])] if piece[1]]
