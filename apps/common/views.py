import sys

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from apps.common import health

from .errors import is_outage


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that an outage of the database restarts nobody."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The process can do its work: send it people, or do not."""
    faults = health.faults()
    return JsonResponse({"ready": not faults, "faults": faults}, status=503 if faults else 200)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Show the mark to browsers that ask here, as they do for a picture, a PDF or an old page that names no icon."""
    return HttpResponseRedirect(static("img/mark-192.png"), headers={"Cache-Control": "public, max-age=86400"})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that is too old or came from elsewhere: nothing was done, and the way back is to load the page again."""
    return render(request, "csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    """An address that only takes what a form sends was opened by itself: nothing was done."""
    response = render(request, "405.html", status=405)
    response.headers["Allow"] = allowed
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request, so that nothing is asked of the part that has just failed."""
    status, headers = (503, {"Retry-After": "5"}) if is_outage(sys.exception()) else (500, {})
    said = {"status": status, "again": request.method == "GET"}
    return HttpResponse(render_to_string("500.html", said), status=status, headers=headers)
