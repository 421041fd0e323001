"""The product's addresses, and one page to compare with: one query and a small template through the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from apps.organisations.models import Unit
from portal.urls import handler400, handler403, handler404, handler500, urlpatterns

PAGE = engines["django"].from_string("<!doctype html><title>{{ unit.name }}</title><p>{{ unit.name }}</p>")


def trivial(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.render({"unit": Unit.objects.order_by("pk").first()}, request))


urlpatterns = [path("trivial/", trivial), *urlpatterns]

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
