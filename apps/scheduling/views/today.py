"""The first page of the day: what is next, what comes later, and the shortest way to book."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.catalogue.families import Family
from apps.catalogue.models import ServiceType
from apps.catalogue.queries import bookable_services
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_BOOK

from ..models import Appointment, AppointmentStatus, Schedule
from ..queries import BookingRequest, OpenTime, appointments_between, day_of, local_day, mine_or_units, open_times
from ..queries.agenda import with_form_filled
from . import cards

TILES: Final = 6
LOOK_AHEAD: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tile:
    service: ServiceType
    look: Family
    first: OpenTime | None = None


@require_safe
@staff_required
def today(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    day = _appointments(request, now)
    next_up = _next(day, request)
    others = [one for one in day if one is not next_up]
    context = {
        "now": now,
        "greeting": _greeting(now, request.user.given_name),
        "count": len(day),
        "later": [one for one in others if not one.over],
        "earlier": [one for one in others if one.over],
        "tiles": _tiles(request, now) if request.staff.may_book else [],
        **_next_context(request, next_up, now),
    }
    if not day:
        context["next_day"] = _next_day(request, now)
    return render(request, "scheduling/today.html", context)


@require_safe
@staff_required
def next_up(request: StaffRequest) -> HttpResponse:
    """Answer the page's question every twenty seconds: is it time to join?"""
    now = timezone.now()
    return render(
        request,
        "scheduling/_next_up.html",
        {"now": now, **_next_context(request, _next(_appointments(request, now), request), now)},
    )


@require_safe
@staff_required(roles=MAY_BOOK)
def tiles(request: StaffRequest) -> HttpResponse:
    """Answer with the first joint time of each service, when the page already stands."""
    now = timezone.now()
    schedule = Schedule.objects.filter(user=request.user).first()
    found = []
    for tile in _tiles(request, now):
        asked = BookingRequest(service_type=tile.service, requester_unit=request.unit, requester=schedule)
        first = open_times(asked, now=now, end=now + LOOK_AHEAD, limit=1)
        found.append(replace(tile, first=first[0] if first else None))
    return render(request, "scheduling/_tiles.html", {"tiles": found, "loaded": True, "now": now})


def _tiles(request: StaffRequest, now: datetime) -> list[Tile]:
    services = bookable_services(request.unit, timezone.localdate(now))
    return [Tile(service, cards.look_of(service)) for service in list(services)[:TILES]]


def _appointments(request: StaffRequest, now: datetime) -> list[cards.Card]:
    day = [
        one
        for one in day_of(request.user, request.unit, timezone.localdate(now))
        if one.status not in {AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR}
    ]
    filled = with_form_filled(day)
    return [cards.card(one, request.staff, now=now, forms_filled=filled) for one in day]


def _next(day: list[cards.Card], request: StaffRequest) -> cards.Card | None:
    """Choose what goes on now or comes next: her own first, else the unit's."""
    coming = [one for one in day if not one.over]
    return next((one for one in coming if one.mine), coming[0] if coming else None)


def _next_context(request: StaffRequest, card: cards.Card | None, now: datetime) -> dict[str, Any]:
    if card is None:
        return {"next": None}
    return {
        "next": card,
        "people": [one for one in cards.people(card.appointment, request.staff) if not one.me],
        "place": cards.place_of(card.appointment, request.unit),
        "may_join": cards.may_join(card.appointment, request.staff, now),
        "joins_from": cards.joins_from(card.appointment),
    }


def _next_day(request: StaffRequest, now: datetime) -> Appointment | None:
    """Return the first appointment after today, for the page of an empty day."""
    _start, tomorrow = local_day(timezone.localdate(now))
    ahead = appointments_between(request.user, tomorrow, tomorrow + LOOK_AHEAD).live()
    return next(iter(mine_or_units(ahead, request.user, request.unit)), None)


def _greeting(now: datetime, name: str) -> str:
    hour = timezone.localtime(now).hour
    if 4 <= hour < 10:
        return _("Good morning, %(name)s") % {"name": name}
    if 10 <= hour < 18:
        return _("Good day, %(name)s") % {"name": name}
    return _("Good evening, %(name)s") % {"name": name}
