"""The first page of the day: what is next, what comes later, and the shortest way to book."""

from collections import Counter
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

from ..models import Schedule
from ..queries import BookingRequest, OpenTime, agenda_of, local_day, next_start, open_times
from . import cards

TILES: Final = 6
MOST_AT_ONCE: Final = 2
LOOK_AHEAD: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tile:
    """A service to book; `unit` is named where another has the same name."""

    service: ServiceType
    look: Family
    unit: str = ""
    first: OpenTime | None = None


@dataclass(frozen=True, slots=True)
class Large:
    """What goes on now or comes next, with all that one needs to join."""

    card: cards.Card
    under_way: bool
    people: list[cards.Person]
    place: str
    may_join: bool
    joins_from: datetime


@require_safe
@staff_required
def today(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    day = _appointments(request, now)
    large = _large(day, now)
    others = [one for one in day if one not in large]
    under_way = [one for one in others if cards.is_under_way(one.appointment, now)]
    context = {
        "now": now,
        "greeting": _greeting(now, request.user.given_name),
        "count": len(day),
        "under_way": under_way,
        "later": [one for one in others if not one.over and one not in under_way],
        "earlier": [one for one in others if one.over],
        "tiles": _tiles(request, now) if request.staff.may_book else [],
        "large": [_whole(request, one, now) for one in large],
    }
    if not large:
        context["next_start"] = _next_start(request, now)
    return render(request, "scheduling/today.html", context)


@require_safe
@staff_required
def next_up(request: StaffRequest) -> HttpResponse:
    """Answer the page's question every twenty seconds: is it time to join?"""
    now = timezone.now()
    day = _appointments(request, now)
    context: dict[str, Any] = {"now": now, "count": len(day), "large": []}
    context["large"] = [_whole(request, one, now) for one in _large(day, now)]
    if not context["large"]:
        context["next_start"] = _next_start(request, now)
    return render(request, "scheduling/_next_up.html", context)


@require_safe
@staff_required(roles=MAY_BOOK)
def tiles(request: StaffRequest) -> HttpResponse:
    """Answer with the first joint time of each service, when the page already stands."""
    now = timezone.now()
    schedule = Schedule.objects.filter(user=request.user).first()
    found = []
    for tile in _tiles(request, now):
        with_her = None if tile.service.patient_joins_alone else schedule
        asked = BookingRequest(service_type=tile.service, requester_unit=request.unit, requester=with_her)
        first = open_times(asked, now=now, end=now + LOOK_AHEAD, limit=1)
        found.append(replace(tile, first=first[0] if first else None))
    return render(request, "scheduling/_tiles.html", {"tiles": found, "loaded": True, "now": now})


def _tiles(request: StaffRequest, now: datetime) -> list[Tile]:
    services = list(bookable_services(request.unit))
    named = Counter(service.name for service in services)
    return [
        Tile(service, cards.look_of(service), unit=service.unit.name if named[service.name] > 1 else "")
        for service in services[:TILES]
    ]


def _appointments(request: StaffRequest, now: datetime) -> list[cards.Card]:
    start, end = local_day(timezone.localdate(now))
    day = [one for one in agenda_of(request.user, request.unit, start, end) if one.stands]
    return cards.cards_of(day, request.staff, now=now)


def _large(day: list[cards.Card], now: datetime) -> list[cards.Card]:
    """Choose what is shown large: what she takes part in now and next; for one who takes part in nothing, the unit's."""
    coming = [one for one in day if not one.over]
    mine = [one for one in coming if one.mine] or coming[:1]
    now_on = [one for one in mine if cards.is_under_way(one.appointment, now)]
    return now_on[:MOST_AT_ONCE] + [one for one in mine if one not in now_on][:1]


def _whole(request: StaffRequest, card: cards.Card, now: datetime) -> Large:
    appointment = card.appointment
    return Large(
        card=card,
        under_way=cards.is_under_way(appointment, now),
        people=[one for one in cards.people(appointment, request.staff) if not one.me],
        place=cards.place_of(appointment, request.unit),
        may_join=cards.may_join(appointment, request.staff, now),
        joins_from=cards.joins_from(appointment),
    )


def _next_start(request: StaffRequest, now: datetime) -> datetime | None:
    """Return when the first appointment after today begins, for the page of an empty day."""
    _start, tomorrow = local_day(timezone.localdate(now))
    return next_start(request.user, request.unit, tomorrow, tomorrow + LOOK_AHEAD)


def _greeting(now: datetime, name: str) -> str:
    hour = timezone.localtime(now).hour
    if 4 <= hour < 10:
        return _("Good morning, %(name)s") % {"name": name}
    if 10 <= hour < 18:
        return _("Good day, %(name)s") % {"name": name}
    return _("Good evening, %(name)s") % {"name": name}
