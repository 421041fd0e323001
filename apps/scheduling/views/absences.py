"""Saying when somebody is away: oneself, or somebody of the unit that one leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.common import dates
from apps.common.errors import DomainError
from apps.organisations.doors import StaffRequest, staff_required

from ..absence_forms import AbsenceForm
from ..models import Absence, Appointment, Schedule
from ..queries import absences_of, appointments_during, diaries_kept_by
from ..services import note_absence, remove_absence
from . import cards

PAGE: Final = 50
LISTED: Final = 50
MIDNIGHT: Final = time()


@dataclass(frozen=True, slots=True)
class Line:
    """An absence as the page says it."""

    absence: Absence
    who: str
    when: str
    standing: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An appointment in the time of an absence; `who` is empty for those who do not know the patient."""

    starts_at: datetime
    service: str
    who: str
    url: str
    may_change: bool


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def absences(request: StaffRequest) -> HttpResponse:
    now, diaries = timezone.now(), diaries_kept_by(request.staff)
    typed = request.POST if request.method == "POST" else None
    if typed is not None and not diaries:
        raise Http404
    form = AbsenceForm(typed, diaries=diaries, user=request.user)
    if form.is_valid():
        try:
            noted = note_absence(schedule=form.diary, **form.stretch(), now=now)
        except DomainError as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            said = {"who": noted.schedule.name, "when": when(noted, now)}
            messages.success(request, _("The absence is noted: %(who)s, %(when)s.") % said)
            return redirect(_address(noted if appointments_during(noted, now=now).exists() else None))
    found = absences_of(diaries, now=now)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "form": form if diaries else None,
        "page": page,
        "lines": [_line(one, now) for one in page],
        **_chosen(request, diaries, now),
    }
    return render(request, "scheduling/absences.html", context, status=422 if form.errors else 200)


@require_POST
@staff_required
def remove(request: StaffRequest, absence: int) -> HttpResponse:
    now = timezone.now()
    found = get_object_or_404(absences_of(diaries_kept_by(request.staff), now=now), pk=absence)
    try:
        remove_absence(found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        said = {"who": found.schedule.name, "when": when(found, now)}
        messages.success(request, _("The absence is removed: %(who)s, %(when)s.") % said)
    return redirect("scheduling:absences")


def when(absence: Absence, now: datetime) -> str:
    """Write when somebody is away: whole days without a clock, and the last day as one on which she is away."""
    start, end = dates.local(absence.starts_at), dates.local(absence.ends_at)
    until_midnight = end.time() == MIDNIGHT
    first, last = start.date(), end.date() - timedelta(days=1) if until_midnight else end.date()
    first_day, last_day = dates.plain_day(first, now=now), dates.plain_day(last, now=now)
    said = dates.words()
    if start.time() != MIDNIGHT or (first == last and not until_midnight):
        if first == last:
            closes = f"24{said.separator}00" if until_midnight else dates.clock(end)
            return said.at.format(day=first_day, clock=f"{dates.clock(start)}–{closes}")
        first_day = said.at.format(day=first_day, clock=dates.clock(start))
    elif first == last:
        return first_day
    if until_midnight:
        return _("from %(first)s to %(last)s inclusive") % {"first": first_day, "last": last_day}
    last_day = said.at.format(day=last_day, clock=dates.clock(end))
    return _("from %(first)s to %(last)s") % {"first": first_day, "last": last_day}


def _chosen(request: StaffRequest, diaries: Sequence[Schedule], now: datetime) -> dict[str, object]:
    """Return the absence that is asked for in the address, and what stands in its time."""
    asked = request.GET.get("fravaer", "")
    if not asked:
        return {}
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise Http404
    chosen = get_object_or_404(absences_of(diaries, now=now), pk=int(asked))
    line = _line(chosen, now)
    standing = appointments_during(chosen, now=now).visible_to(request.user, now=now)
    mine = chosen.schedule.user_id == request.user.pk
    shown = [standing_of(one, request, mine=mine) for one in standing.with_names()[:LISTED]]
    return {
        "chosen": line,
        "standing": shown,
        "more": max(line.standing - len(shown), 0),
        "others_change": not all(one.may_change for one in shown),
    }


def standing_of(appointment: Appointment, request: StaffRequest, *, mine: bool) -> Standing:
    known = cards.may_see_patient(appointment, request.staff)
    named = appointment.patient is not None and (known or mine)
    return Standing(
        starts_at=appointment.starts_at,
        service=appointment.service_type.name,
        who=cards.title_of(appointment, request.staff) if named else "",
        url=reverse("scheduling:appointment", args=[appointment.reference]),
        may_change=known,
    )


def _line(absence: Absence, now: datetime) -> Line:
    return Line(absence, absence.schedule.name, when(absence, now), getattr(absence, "standing", 0))


def _address(chosen: Absence | None) -> str:
    address = reverse("scheduling:absences")
    return f"{address}?fravaer={chosen.pk}" if chosen else address
