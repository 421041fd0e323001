"""Where gateways say what became of a message."""

import hmac
import uuid
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.messaging import services

KANNEL_SAYS: Final = {
    "1": services.DELIVERED,
    "2": services.FAILED,
    "4": services.BUFFERED,
    "8": services.ACCEPTED,
    "16": services.REJECTED,
}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def kannel_receipt(request: HttpRequest, secret: str) -> HttpResponse:
    """Take one of Kannel's reports: it fetches our address with `%d` written out.

    What is not ours is dropped with the same answer, so that nothing can be found out by asking.
    """
    ours = settings.RECEIPT_SECRET.encode()
    if not ours or not hmac.compare_digest(secret.encode(), ours):
        raise Http404
    said = KANNEL_SAYS.get(request.GET.get("type", ""))
    try:
        reference = uuid.UUID(request.GET.get("id", ""))
    except ValueError:
        return HttpResponse(status=202)
    if said is not None:
        services.record_receipt(reference=reference, said=said, now=timezone.now())
    return HttpResponse(status=202)
