"""A diary's opening hours: one's own, or those of somebody in the unit that one leads."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.common import dates
from apps.common.errors import DomainError
from apps.organisations.doors import StaffRequest, staff_required

from ..models import Opening, Schedule
from ..opening_forms import CloseForm, OnceForm, WeeklyForm, WhoForm
from ..queries import booked_while_closed, diaries_opened_by, openings_of
from ..services import close_opening, open_once, open_weekly
from .absences import LISTED, standing_of

WEEKLY: Final = "weekly"
ONCE: Final = "once"


@dataclass(frozen=True, slots=True)
class Line:
    """An opening as the page says it: its hours, and until or from when where that is not always."""

    opening: Opening
    day: str
    hours: str
    holds: str


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def openings(request: StaffRequest) -> HttpResponse:
    now, diaries = timezone.now(), diaries_opened_by(request.staff)
    today = timezone.localdate(now)
    diary = _chosen(request, diaries)
    asked = request.POST.get("do", "") if request.method == "POST" else ""
    if request.method == "POST" and (diary is None or asked not in {WEEKLY, ONCE}):
        raise Http404
    weekly = WeeklyForm(request.POST if asked == WEEKLY else None, prefix=WEEKLY, initial={"first_day": today})
    once = OnceForm(request.POST if asked == ONCE else None, prefix=ONCE)
    if diary is not None and asked and (said := _opened(weekly if asked == WEEKLY else once, diary, now=now)):
        messages.success(request, said)
        return redirect(_address(diary))
    context: dict[str, Any] = {"now": now, "diary": diary}
    if diary is not None:
        lines = [_line(one, now) for one in openings_of(diary, today=today)]
        outside = booked_while_closed(diary, now=now).visible_to(request.user, now=now)
        shown = list(outside.with_names().order_by("starts_at")[: LISTED + 1])
        mine = diary.user_id == request.user.pk
        context |= {
            "who": WhoForm(initial={"hvem": str(diary.uid)}, diaries=diaries) if len(diaries) > 1 else None,
            "weekly": weekly,
            "once": once,
            "lines": lines,
            "standing": [standing_of(one, request, mine=mine) for one in shown[:LISTED]],
            "more": len(shown) > LISTED,
        }
    return render(request, "scheduling/openings.html", context, status=422 if weekly.errors or once.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def close(request: StaffRequest, opening: int) -> HttpResponse:
    """Ask from which day on an opening does not hold any more, and close it."""
    now = timezone.now()
    today = timezone.localdate(now)
    mine = Opening.objects.filter(schedule__in=diaries_opened_by(request.staff)).select_related("schedule")
    found = get_object_or_404(mine, pk=opening)
    if not openings_of(found.schedule, today=today).filter(pk=found.pk).exists():
        raise Http404
    typed = request.POST if request.method == "POST" else None
    form = CloseForm(typed, initial={"from_day": max(today, found.valid_from or today)})
    line = _line(found, now)
    if request.method == "POST" and (found.on is not None or form.is_valid()):
        try:
            close_opening(found, from_day=found.on or form.cleaned_data["from_day"], today=today)
        except DomainError as refusal:
            if refusal.field not in form.fields or found.on is not None:
                messages.error(request, str(refusal))
                return redirect(_address(found.schedule))
            form.add_error(refusal.field, str(refusal))
        else:
            said = {"who": found.schedule.name, "day": line.day, "hours": line.hours}
            messages.success(request, _("Closed: %(who)s, %(day)s %(hours)s.") % said)
            return redirect(_address(found.schedule))
    context = {
        "now": now,
        "line": line,
        "diary": found.schedule,
        "back": _address(found.schedule),
        "form": form if found.on is None else None,
    }
    return render(request, "scheduling/close_opening.html", context, status=422 if form.errors else 200)


def _opened(form: WeeklyForm | OnceForm, diary: Schedule, *, now: datetime) -> str:
    """Open the diary as was typed and say so, or say at the fields why not."""
    if not form.is_valid():
        return ""
    today = timezone.localdate(now)
    try:
        if isinstance(form, WeeklyForm):
            open_weekly(schedule=diary, **form.hours(), today=today)
        else:
            open_once(schedule=diary, **form.hours(), today=today)
    except DomainError as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, forms.ValidationError(str(refusal)))
        return ""
    return _("The new opening hours of %(who)s are kept. Times are offered in them at once.") % {"who": diary.name}


def _chosen(request: StaffRequest, diaries: list[Schedule]) -> Schedule | None:
    """Return the diary that the address names, else one's own, else the first."""
    asked = request.GET.get("hvem", "")
    if asked:
        try:
            uid = UUID(asked)
        except ValueError as fault:
            raise Http404 from fault
        found = next((one for one in diaries if one.uid == uid), None)
        if found is None:
            raise Http404
        return found
    return next((one for one in diaries if one.user_id == request.user.pk), next(iter(diaries), None))


def _address(diary: Schedule) -> str:
    return f"{reverse('scheduling:openings')}?hvem={diary.uid}"


def _line(opening: Opening, now: datetime) -> Line:
    said = dates.words()
    midnight = f"24{said.separator}00"
    ends = said.clock(opening.ends) if opening.ends.hour or opening.ends.minute else midnight
    hours = f"{said.clock(opening.starts)}–{ends}"
    if opening.ends <= opening.starts and ends != midnight:
        hours = _("%(hours)s the day after") % {"hours": hours}
    day = said.weekdays[opening.weekday or 0] if opening.on is None else dates.plain_day(opening.on, now=now)
    return Line(opening, day, hours, _holds(opening, timezone.localdate(now), now))


def _holds(opening: Opening, today: date, now: datetime) -> str:
    first = opening.valid_from if opening.valid_from is not None and opening.valid_from > today else None
    last = opening.valid_to
    named = {name: dates.plain_day(day, now=now) for name, day in (("first", first), ("last", last)) if day}
    if first and last:
        return _("from %(first)s to %(last)s inclusive") % named
    if first:
        return _("from %(first)s") % named
    return _("to %(last)s inclusive") % named if last else ""
