"""The unit's messages, an appointment's time line, and who would be told what."""

import uuid
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.audit.models import Action
from apps.calendars.services import entry
from apps.common.errors import DomainError
from apps.common.htmx import is_htmx
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_BOOK, MAY_SEE_PATIENTS
from apps.organisations.queries import actor_of
from apps.rooms.language import keep_choice, speak
from apps.rooms.limits import knocked_too_often
from apps.rooms.queries import address_of, link_by_code, link_works, live_link, locked_links, signs_in
from apps.rooms.services import revoke_link
from apps.scheduling.models import Appointment, Participant
from apps.scheduling.queries import participant_name
from apps.scheduling.queries.drafts import drafts_of
from apps.scheduling.services import change_and_note, note_access, note_readings

from . import queries, services


@staff_required(roles=MAY_SEE_PATIENTS)
@require_safe
def unit_messages(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    found = queries.unit_messages(request.user, request.unit, now=now)
    note_readings(found.with_numbers, actor=actor_of(request), what="messages")
    return render(request, "notices/messages.html", {"found": found, "now": now})


@staff_required(roles=MAY_SEE_PATIENTS)
@require_safe
def timeline(request: StaffRequest, reference: str) -> HttpResponse:
    """Answer the panel of the appointment's page, or a page of its own without script."""
    appointment = _appointment(request, reference)
    note_access(appointment, Action.READ, actor=actor_of(request), what="messages")
    return _timeline(request, appointment)


@staff_required(roles=MAY_BOOK)
@require_POST
def send_again(request: StaffRequest, reference: str, participant: uuid.UUID) -> HttpResponse:
    """Send somebody her invitation once more, to where she is reached today."""
    appointment, now, refusal = _appointment(request, reference), timezone.now(), None
    back = request.POST.get("next", "")  # read before anything is done: a body that cannot be read changes nothing
    try:
        send = partial(services.send_again, appointment=appointment, uid=participant, actor=request.user, now=now)
        anew = change_and_note(appointment, send, actor=actor_of(request), what="messages")
    except DomainError as no:
        refusal, anew = no, False
    if is_htmx(request):
        return _timeline(request, appointment, refusal=refusal)
    if refusal:
        messages.error(request, str(refusal))
    else:
        new_link = _("A new link is on its way. The old one does not work any more.")
        messages.success(request, new_link if anew else _("The invitation is on its way again."))
    if back and url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return HttpResponseRedirect(back)
    return redirect("notices:timeline", appointment.reference)


@staff_required(roles=MAY_BOOK)
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: StaffRequest, reference: str, participant: uuid.UUID) -> HttpResponse:
    """Take a guest's link back, or give her another in its place. It is asked once, since it takes effect at once."""
    appointment, now = _appointment(request, reference), timezone.now()
    found = next((one for one in appointment.participants.all() if one.uid == participant), None)
    if found is None or signs_in(found):
        raise Http404
    if live_link(found) is None:
        messages.info(request, _("There is no link to take back."))
    elif request.method != "POST":
        name, ways = participant_name(found), services.is_reached(appointment, found)
        context = {"appointment": appointment, "name": name, "is_reached": ways, "now": now}
        return render(request, "notices/take_back.html", context)
    else:
        _take_back(request, appointment, found, now=now)
    return redirect("scheduling:appointment", appointment.reference)


def _take_back(request: StaffRequest, appointment: Appointment, participant: Participant, *, now: datetime) -> None:
    anew = request.POST.get("then") == "send"
    take = partial(revoke_link, participant, now=now, actor=request.user)
    send = partial(services.send_again, appointment=appointment, uid=participant.uid, actor=request.user, now=now)
    try:
        change_and_note(appointment, partial(send, anew=True) if anew else take, actor=actor_of(request), what="link")
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return
    new_link = _("A new link is on its way. The old one does not work any more.")
    messages.success(request, new_link if anew else _("The link does not work any more."))


@staff_required(roles=MAY_BOOK)
@require_safe
def preview(request: StaffRequest, draft: uuid.UUID) -> HttpResponse:
    """Say who would be told what, for the summary of a booking under way."""
    found = get_object_or_404(drafts_of(request.user, request.unit), uid=draft)
    now = timezone.now()
    return render(
        request,
        "notices/_preview.html" if is_htmx(request) else "notices/preview.html",
        {"draft": found, "shown": queries.preview_of_draft(found, now=now), "now": now},
    )


def _timeline(request: StaffRequest, appointment: Appointment, *, refusal: DomainError | None = None) -> HttpResponse:
    now = timezone.now()
    return render(
        request,
        "notices/_timeline.html" if is_htmx(request) else "notices/timeline.html",
        {
            "appointment": appointment,
            "story": queries.timeline(appointment, now=now),
            "now": now,
            "refusal": refusal,
            "locked": [participant_name(one) for one in locked_links(appointment)]
            if appointment.is_still_on(now)
            else [],
            "may_send": bool(request.staff.roles & MAY_BOOK),
        },
        status=409 if refusal else 200,
    )


def _appointment(request: StaffRequest, reference: str) -> Appointment:
    known = Appointment.objects.known_to(request.user).called(reference)
    along = known.select_related(
        "patient", "service_type", "requester_unit__organisation", "performer_unit__organisation"
    )
    return get_object_or_404(along.prefetch_related("participants__schedule__user"))


@require_http_methods(["GET", "HEAD", "POST"])
def new_link(request: HttpRequest, code: str) -> HttpResponse:
    """Send who holds a link that does not work any more the one that does. Everybody gets the same answer."""
    if request.method != "POST":  # loaded again, or a language chosen there: the link's page, and nothing is sent
        return keep_choice(request, HttpResponseRedirect(reverse("rooms:join", args=[code])))
    speak(request, "")
    status, link = 200, link_by_code(code)
    if link is not None:
        services.send_newest_link(participant=link.participant, now=timezone.now())
    elif knocked_too_often(request):
        status = 429
    return render(request, "notices/link_asked.html", status=status)


@require_safe
def calendar_entry(request: HttpRequest, code: str) -> HttpResponse:
    """Give who holds a link its time as a calendar entry: what the page behind the bare link tells anyway."""
    language = speak(request, "")
    now = timezone.now()
    link = link_by_code(code)
    if link is None or not link_works(link, now=now) or signs_in(link.participant):
        return HttpResponseRedirect(reverse("rooms:join", args=[code]))
    body = entry(appointment=link.participant.appointment, url=address_of(link), language=language, now=now)
    headers = {"Content-Disposition": 'attachment; filename="videotime.ics"'}
    return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)
