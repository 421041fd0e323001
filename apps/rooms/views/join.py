"""Behind a bare link: who sends it and when. Looking changes nothing; entering takes a press and a proof."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apps.catalogue.models import Identification
from apps.common.errors import DomainError
from apps.scheduling.models import AppointmentStatus, CancelReason

from .. import errors, limits, queries, services, tickets
from ..forms import BirthDateForm, CodeForm
from ..language import keep_choice, speak
from ..models import JoinLink
from ..services.links import Proof


def to_welcome(request: HttpRequest, code: str) -> HttpResponse:
    """Lead whoever opens an answer's address again, by a reload or by choosing a language there, to the link's page."""
    return keep_choice(request, HttpResponseRedirect(reverse("rooms:join", args=[code])))


def dead_link(request: HttpRequest, *, code: str = "", known_browser: bool = False) -> HttpResponse:
    """The same for links that are unknown, taken back or long over; only a flood of them is told to wait."""
    status = 429 if not known_browser and limits.knocked_too_often(request) else 410
    return render(request, "rooms/expired.html", {"again": known_browser, "code": code}, status=status)


@require_safe
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Show the sender's public name and the time: all that a scanner or a stranger may see."""
    now = timezone.now()
    link = queries.link_by_code(code)
    if link is None or not queries.link_works(link, now=now):
        speak(request, "")
        return keep_choice(request, dead_link(request, code=code))
    participant = link.participant
    if queries.signs_in(participant):
        return HttpResponseRedirect(reverse("rooms:host", args=[participant.appointment.reference]))
    speak(request, queries.language_of(participant))
    return keep_choice(request, _welcome(request, link, code, now=now))


@require_http_methods(["GET", "HEAD", "POST"])
def identify(request: HttpRequest, code: str) -> HttpResponse:
    """Let the guest prove who she is, and go on without the code in the address."""
    if request.method != "POST":
        return to_welcome(request, code)
    now = timezone.now()
    link = queries.link_by_code(code)
    if link is None or not queries.link_works(link, now=now):
        speak(request, "")
        return dead_link(request, code=code)
    participant = link.participant
    if queries.signs_in(participant):
        return HttpResponseRedirect(reverse("rooms:host", args=[participant.appointment.reference]))
    language = speak(request, queries.language_of(participant))
    asked = queries.proof_for(participant)
    form: Any = None
    if asked == Identification.BIRTH_DATE:
        form = BirthDateForm(request.POST, today=timezone.localdate(now))
    elif asked == Identification.SMS_CODE:
        form = CodeForm(request.POST)
    if form is not None and not form.is_valid():
        message = next(iter(form.errors.values()))[0]
        return _welcome(request, link, code, now=now, form=form, fault=str(message), status=422)
    typed = form.cleaned_data if form is not None else {}
    try:
        seat = services.identify_guest(
            link=link,
            proof=Proof(birth_date=typed.get("birth_date"), code=typed.get("code", "")),
            device=tickets.read_cookie(request, participant.uid),
            language=language,
            now=now,
        )
    except errors.LinkLocked:
        link.locked_at = now
        return _welcome(request, link, code, now=now, status=403)
    except DomainError as refusal:
        return _welcome(request, link, code, now=now, form=form, fault=str(refusal), status=422)
    response = HttpResponseRedirect(reverse("rooms:guest", args=[participant.uid]))
    tickets.write_cookie(response, seat)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def send_code(request: HttpRequest, code: str) -> HttpResponse:
    """Send a code by text message to the number that stands on the appointment."""
    if request.method != "POST":
        return to_welcome(request, code)
    now = timezone.now()
    link = queries.link_by_code(code)
    if link is None or not queries.link_works(link, now=now):
        speak(request, "")
        return dead_link(request, code=code)
    language = speak(request, queries.language_of(link.participant))
    if queries.proof_for(link.participant) != Identification.SMS_CODE:
        return HttpResponseRedirect(reverse("rooms:join", args=[code]))
    try:
        services.send_entry_code(link=link, now=now, language=language)
    except DomainError as refusal:
        return _welcome(request, link, code, now=now, fault=str(refusal), status=429)
    return _welcome(request, link, code, now=now, code_sent=True)


def _welcome(
    request: HttpRequest,
    link: JoinLink,
    code: str,
    *,
    now: datetime,
    form: BirthDateForm | CodeForm | None = None,
    fault: str = "",
    code_sent: bool = False,
    status: int = 200,
) -> HttpResponse:
    participant = link.participant
    appointment = participant.appointment
    context = {**sender_of(participant), "appointment": appointment}
    if appointment.status == AppointmentStatus.CANCELLED:
        by_patient = appointment.cancel_reason == CancelReason.PATIENT
        return render(request, "rooms/cancelled.html", {**context, "by_patient": by_patient})
    if link.locked_at is not None:
        return render(request, "rooms/locked.html", context, status=403 if status == 200 else status)
    asked = queries.proof_for(participant)
    codes_sent = code_sent or (form is not None and asked == Identification.SMS_CODE) or bool(fault)
    context |= {
        "code": code,
        "proof": asked,
        "typed": form.data if form is not None else {},
        "fault": fault,
        "ask_for_code": asked == Identification.SMS_CODE and codes_sent,
        "last_digits": queries.phone_of(participant)[-2:] if code_sent else "",
    }
    return render(request, "rooms/welcome.html", context, status=status)


def sender_of(participant: Any) -> dict[str, str]:
    """Return the name that may stand on a bare page, and whom to call."""
    appointment = participant.appointment
    unit = appointment.performer_unit
    helper = queries.help_unit(participant)
    return {
        "sender": unit.public_name or unit.organisation.name,
        "help_phone": helper.phone or helper.organisation.phone,
    }
