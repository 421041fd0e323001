"""The week, the unit's day, and the same as a list; the calendar in the browser reads its events as JSON."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.common import dates
from apps.organisations.doors import StaffRequest, staff_required

from ..models import AppointmentStatus, Schedule
from ..queries import agenda_of, local_day, own_agenda_of
from ..queries.agenda import Stretch, schedules_of, stretches_of
from . import cards
from .appointment import panel_context

WEEK, TEAM, LIST = "uke", "team", "liste"
VIEWS: Final = (WEEK, TEAM, LIST)
WIDEST: Final = timedelta(days=42)


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    cards: list[cards.Card]


@require_safe
@staff_required
def calendar(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    day = _day(request.GET.get("dag", ""), today)
    view = request.GET.get("visning", WEEK)
    if view not in VIEWS:
        raise Http404
    monday = day - timedelta(days=day.weekday())
    step = timedelta(days=1 if view == TEAM else 7)
    context: dict[str, Any] = {
        "now": now,
        "view": view,
        "day": day,
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "earlier": day - step,
        "later": day + step,
        "is_now": day == today if view == TEAM else monday <= today < monday + timedelta(days=7),
        "events_url": reverse("scheduling:calendar_events"),
        "offset": timezone.localtime(now).isoformat(timespec="seconds")[-6:],
        "start": day if view == TEAM else monday,
        "end": day + timedelta(days=1) if view == TEAM else monday + timedelta(days=7),
        **_words(),
    }
    if view == LIST:
        context["days"] = _days(request, monday, now)
    elif view == TEAM:
        context["resources"] = json.dumps(
            [
                {"id": str(schedule.pk), "title": ", ".join(filter(None, [schedule.name, schedule.title.lower()]))}
                for schedule in schedules_of(request.unit)
            ],
            ensure_ascii=False,
        )
    if chosen := request.GET.get("time"):
        context |= panel_context(request, chosen, now=now)
    return render(request, "scheduling/calendar.html", context)


@require_safe
@staff_required
def calendar_events(request: StaffRequest) -> JsonResponse:
    """Answer with what stands in the calendar between `start` and `end`: appointments, and what is free or busy."""
    now = timezone.now()
    start, end = _moment(request.GET.get("start", "")), _moment(request.GET.get("end", ""))
    if start is None or end is None or not start < end <= start + WIDEST:
        return JsonResponse({"detail": _("Give a start and an end, at most six weeks apart.")}, status=422)
    team = request.GET.get("visning") == TEAM
    schedules = schedules_of(request.unit) if team else list(Schedule.objects.filter(user=request.user))
    found = agenda_of(request.user, request.unit, start, end) if team else own_agenda_of(request.user, start, end)
    shown = cards.cards_of([one for one in found if one.stands], request.staff, now=now)
    events = [_event(card, schedules if team else []) for card in shown]
    stretches = [_stretch(one, team=team) for one in stretches_of(schedules, start, end, now=now)] if schedules else []
    return JsonResponse([*events, *stretches], safe=False)


def _words() -> dict[str, str]:
    """Return the words for days and months, so that the script has none of its own."""
    said = dates.words()
    return {
        "weekdays": json.dumps(said.weekdays, ensure_ascii=False),
        "months": json.dumps(said.months, ensure_ascii=False),
        "day_form": said.day_of_month,
        "separator": said.separator,
        "ordinal": "" if said.separator == ":" else ".",
    }


def _days(request: StaffRequest, monday: date, now: datetime) -> list[Day]:
    start, _until = local_day(monday)
    _from, end = local_day(monday + timedelta(days=6))
    week = cards.cards_of(agenda_of(request.user, request.unit, start, end), request.staff, now=now)
    days = {monday + timedelta(days=offset): list[cards.Card]() for offset in range(7)}
    for one in week:
        day = timezone.localdate(one.appointment.starts_at)
        if day in days:  # what began on the Sunday before stands in its own week
            days[day].append(one)
    return [Day(day, of_day) for day, of_day in days.items()]


def _event(card: cards.Card, schedules: list[Schedule]) -> dict[str, Any]:
    appointment = card.appointment
    event = {
        "id": appointment.reference,
        "start": _wall(appointment.starts_at),
        "end": _wall(appointment.ends_at),
        "title": card.who,
        "extendedProps": {
            "kind": "time",
            "url": card.url,
            "color": card.look.color,
            "icon": "Checkmark" if appointment.status == AppointmentStatus.FULFILLED else card.look.icon,
            "done": card.over,
            "family": card.look.name,
            "words": f"{card.service}, {card.status.label}",
        },
    }
    if schedules:
        taking_part = {person.schedule_id for person in appointment.coming}
        event["resourceIds"] = [str(one.pk) for one in schedules if one.pk in taking_part]
    return event


def _stretch(one: Stretch, *, team: bool) -> dict[str, Any]:
    event = {
        "id": f"{one.schedule_id}-{one.starts_at:%Y%m%d%H%M}-{'free' if one.free else 'busy'}",
        "start": _wall(one.starts_at),
        "end": _wall(one.ends_at),
        "title": _("Free") if one.free else _("Busy"),
        "extendedProps": {"kind": "free" if one.free else "busy"},
    }
    if team:
        event["resourceIds"] = [str(one.schedule_id)]
    return event


def _wall(moment: datetime) -> str:
    """Write wall time without a zone: the calendar shows Norway's time wherever the browser is."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError as fault:
        raise Http404 from fault
    if abs(day.year - today.year) > 5:
        raise Http404
    return day


def _moment(text: str) -> datetime | None:
    """Read a moment that a browser has written; without a zone it is Norway's time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 2000 <= moment.year <= 2200:
        return None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
