"""The product's addresses, and two pages to compare with: one query and a small template through the same middleware;
and the same for somebody signed in, drawing the booking page from what that had found when it was asked for first.

The booking page itself leaves the drawing out when it is told to (`ONLY_FOUND`).
"""

from threading import Lock
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines
from django.urls import path

from apps.organisations.models import Unit
from apps.scheduling.views import booking
from benchmarks.load import ONLY_FOUND
from portal.urls import handler400, handler403, handler404, handler500, urlpatterns

PAGE = engines["django"].from_string("<!doctype html><title>{{ unit.name }}</title><p>{{ unit.name }}</p>")

_found: dict[UUID, tuple[HttpRequest, str, dict[str, Any]]] = {}
_finding = Lock()


def trivial(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.render({"unit": Unit.objects.order_by("pk").first()}, request))


def drawn(request: HttpRequest, draft: UUID) -> HttpResponse:
    with _finding:
        if draft not in _found:
            _find(request, draft)
    asked, template, context = _found[draft]
    return render(asked, template, {**context, "unit_of_the_query": Unit.objects.order_by("pk").first()})


def _find(request: HttpRequest, draft: UUID) -> None:
    def keep(asked: HttpRequest, template: str, context: dict[str, Any], **_status: int) -> HttpResponse:
        _found[draft] = asked, template, context
        return HttpResponse()

    with patch.object(booking, "render", keep):
        booking.booking(request, draft)


def _drawn_or_not(request: HttpRequest, template: str, context: dict[str, Any], **status: int) -> HttpResponse:
    return HttpResponse(b"found") if ONLY_FOUND in request.headers else render(request, template, context, **status)


booking.render = _drawn_or_not

urlpatterns = [path("trivial/", trivial), path("drawn/<uuid:draft>/", drawn), *urlpatterns]

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
