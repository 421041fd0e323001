"""The pages of a guest who has proved who she is. The browser's cookie says which seat is hers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.request import split_domain_port
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from apps.common import dates
from apps.common.errors import DomainError
from apps.scheduling import errors as scheduling_errors
from apps.scheduling.models import Appointment, AppointmentStatus, CancelReason, Participant, ParticipantRole
from apps.scheduling.queries import by_day, times_to_move_to
from apps.scheduling.services import cancel_appointment, move_appointment

from .. import queries, services, tickets
from ..forms import ReadyForm
from ..language import keep_choice, speak
from ..models import Room, Seat, SeatState
from ..providers.base import Guest
from ..providers.registry import BUILTIN, provider_named
from .join import dead_link, sender_of
from .words import room_words, test_words, waiting_words

SOON: Final = 3600
"""Seconds. Nobody is asked to leave a page open for longer."""


@dataclass(frozen=True, slots=True)
class Here:
    """Who is asking, on which device, and when."""

    seat: Seat
    participant: Participant
    appointment: Appointment
    now: datetime
    language: str

    def address(self, name: str) -> str:
        return reverse(f"rooms:{name}", args=[self.participant.uid])

    def context(self) -> dict[str, Any]:
        appointment = self.appointment
        return {
            **sender_of(self.participant),
            "uid": self.participant.uid,
            "seat": self.seat,
            "appointment": appointment,
            "opens_at": queries.opens_at(appointment),
            "now": self.now,
        }


def guest_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page to the browser that sits in the seat; everybody else is asked for the link again."""

    @wraps(view)
    def guarded(request: HttpRequest, uid: UUID, **kwargs: Any) -> HttpResponse:
        device = tickets.read_cookie(request, uid)
        seat = queries.guest_seat(uid, device) if device is not None else None
        if seat is None or seat.participant is None:
            speak(request, "")
            return keep_choice(request, dead_link(request, known_browser=True))
        language = speak(request, seat.language or queries.language_of(seat.participant))
        here = Here(seat, seat.participant, seat.appointment, timezone.now(), language)
        if seat.device != device:
            return keep_choice(request, render(request, "rooms/other_device.html", here.context(), status=409))
        return keep_choice(request, view(request, here, **kwargs))

    return guarded


def _standing_in_the_way(request: HttpRequest, here: Here) -> HttpResponse | None:
    """Return the page that says why she cannot wait or come in now, or None."""
    appointment = here.appointment
    if appointment.status == AppointmentStatus.CANCELLED:
        by_patient = appointment.cancel_reason == CancelReason.PATIENT
        return render(request, "rooms/cancelled.html", {**here.context(), "by_patient": by_patient})
    if queries.is_over(appointment, now=here.now) or queries.room_closed(appointment):
        return render(request, "rooms/ended.html", here.context())
    if here.seat.state == SeatState.DECLINED:
        return render(request, "rooms/declined.html", here.context())
    if here.now < queries.opens_at(appointment):
        seconds = int((queries.opens_at(appointment) - here.now).total_seconds()) + 1
        return render(
            request,
            "rooms/early.html",
            {
                **here.context(),
                **_changes(here),
                "seconds_left": seconds,
                "soon": seconds <= SOON,
                "code": queries.own_code(here.participant),
            },
        )
    return None


def _changes(here: Here) -> dict[str, bool]:
    """Say what the patient may do herself: rules of the service, and only the patient's own link."""
    service = here.appointment.service_type
    may = here.participant.role == ParticipantRole.PATIENT and here.appointment.changeable_by_patient(here.now)
    return {"may_move": may and service.patient_may_move, "may_cancel": may and service.patient_may_cancel}


def _not_here(request: HttpRequest, here: Here) -> HttpResponse:
    """Say that it cannot be changed on the web, or lead on to the page that says that it is cancelled already."""
    if here.appointment.status == AppointmentStatus.CANCELLED:
        return HttpResponseRedirect(here.address("guest"))
    return render(request, "rooms/too_late.html", here.context(), status=403)


@require_safe
@guest_page
def guest(request: HttpRequest, here: Here) -> HttpResponse:
    """Lead to where she is: early, testing, waiting, in the call, or over."""
    if (page := _standing_in_the_way(request, here)) is not None:
        return page
    if here.seat.state == SeatState.LEFT:
        return render(request, "rooms/left.html", here.context())
    if here.seat.may_enter:
        return HttpResponseRedirect(here.address("room_guest"))
    if here.seat.state in {SeatState.WAITING, SeatState.LOST}:
        return HttpResponseRedirect(here.address("waiting"))
    return HttpResponseRedirect(here.address("camera"))


@require_safe
@guest_page
def camera(request: HttpRequest, here: Here) -> HttpResponse:
    """Test camera, microphone and speaker: at any time, days ahead too."""
    early = here.now < queries.opens_at(here.appointment)
    return render(request, "rooms/camera.html", {**here.context(), "early": early, "words": test_words()})


@require_http_methods(["GET", "HEAD", "POST"])
@guest_page
def waiting(request: HttpRequest, here: Here) -> HttpResponse:
    if request.method == "POST":
        form = ReadyForm(request.POST)
        form.is_valid()
        try:
            services.enter_waiting_room(
                seat=here.seat,
                camera_ok=form.answer("camera"),
                microphone_ok=form.answer("microphone"),
                language=here.language,
                now=here.now,
            )
        except DomainError:
            return HttpResponseRedirect(here.address("guest"))
        return HttpResponseRedirect(here.address("waiting"))
    if (page := _standing_in_the_way(request, here)) is not None:
        return page
    if here.seat.may_enter:
        return HttpResponseRedirect(here.address("room_guest"))
    if here.seat.state not in {SeatState.WAITING, SeatState.LOST}:
        return HttpResponseRedirect(here.address("guest"))
    room = queries.room_of(here.appointment)
    context = {
        **here.context(),
        "late": room.running_late_minutes if room else 0,
        "setup": _setup(request, here) | {"clock": _clock(here)},
        "words": waiting_words(),
    }
    return render(request, "rooms/waiting.html", context)


@require_POST
@guest_page
def guest_state(request: HttpRequest, here: Here) -> HttpResponse:
    """Answer a waiting page that has no socket; it also says that she is still there."""
    services.note_seen(seat=here.seat, now=here.now)
    seat = queries.seat_by_uid(here.seat.uid)
    return JsonResponse(queries.snapshot(seat, now=here.now) if seat else {"over": True})


@require_GET
@guest_page
def guest_ticket(request: HttpRequest, here: Here) -> HttpResponse:
    return JsonResponse({"ticket": tickets.new_ticket(here.seat)})


@require_http_methods(["GET", "HEAD", "POST"])
@guest_page
def room_guest(request: HttpRequest, here: Here) -> HttpResponse:
    """The call, for who has been let in. Where it is at another provider, she says that she goes there by a POST."""
    if (page := _standing_in_the_way(request, here)) is not None:
        return page
    if not here.seat.may_enter:
        return HttpResponseRedirect(here.address("guest"))
    room = services.ensure_room(here.appointment, now=here.now)
    if room.provider != BUILTIN:
        return _elsewhere(request, here, room)
    context = {
        **here.context(),
        "title": here.context()["sender"],
        "setup": _setup(request, here) | {"name": queries.seat_name(here.seat)},
        "words": room_words(),
        "room_base": "patient_base.html",
    }
    return render(request, "rooms/room.html", context)


def _elsewhere(request: HttpRequest, here: Here, room: Room) -> HttpResponse:
    """Lead her on to the provider's address, by a page of ours: a form may not answer with another's address."""
    guest = Guest(reference=str(here.seat.uid), name=queries.seat_name(here.seat))
    url = provider_named(room.provider).join_url(room.provider_room_id, guest) if room.provider_room_id else ""
    goes = request.method == "POST" and bool(url)
    if goes:
        try:
            services.go_outside(seat=here.seat, now=here.now)
        except DomainError:
            return HttpResponseRedirect(here.address("guest"))
    context = {**here.context(), "url": url, "goes": goes, "at_once": here.seat.state != SeatState.HERE}
    return render(request, "rooms/elsewhere.html", context)


def _setup(request: HttpRequest, here: Here) -> dict[str, Any]:
    """What the page's script needs to know; words come beside it."""
    return {
        "socket": socket_address(request),
        "ticket": here.address("guest_ticket"),
        "state": here.address("guest_state"),
        "room": here.address("room_guest"),
        "home": here.address("guest"),
        "left": here.address("guest_left"),
        "host": False,
        "phone": here.context()["help_phone"],
    }


def _clock(here: Here) -> dict[str, Any]:
    """Return Norway's time as the page's script counts it on, in seconds since midnight, and how it is written."""
    now = dates.local(here.now)
    seconds = (now.hour * 60 + now.minute) * 60 + now.second
    return {"seconds": seconds, "separator": dates.words(here.language).separator}


def socket_address(request: HttpRequest) -> str:
    """Say where the sockets are. On one machine they are asked for by the name that the page was asked for.

    Otherwise the demo's cookies, which belong to a name, would not come along from http://localhost.
    """
    if settings.SOCKETS_URL:
        parts = urlsplit(settings.SOCKETS_URL)
        asked, _port = split_domain_port(request.get_host())
        if {parts.hostname, asked} <= settings.LOOPBACK:
            return f"{parts.scheme}://{asked}:{parts.port}/ws/rom/"
        return f"{settings.SOCKETS_URL}/ws/rom/"
    return f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}/ws/rom/"


@require_POST
@guest_page
def guest_left(request: HttpRequest, here: Here) -> HttpResponse:
    services.leave(seat=here.seat, now=here.now)
    return HttpResponseRedirect(here.address("guest"))


@require_http_methods(["GET", "HEAD", "POST"])
@guest_page
def patient_move(request: HttpRequest, here: Here) -> HttpResponse:
    """Let the patient choose another of the first joint times, within the service's rules."""
    if not _changes(here)["may_move"]:
        return _not_here(request, here)
    if request.method == "POST":
        chosen = _moment(request.POST.get("starts_at", ""))
        if chosen is None:
            return _times(request, here, fault=_("Choose one of the times."), status=422)
        try:
            move_appointment(
                appointment=here.appointment,
                starts_at=chosen,
                by_patient=True,
                version=_number(request.POST.get("version", "")),
                now=here.now,
            )
        except scheduling_errors.PatientMayNot:
            return render(request, "rooms/too_late.html", here.context(), status=403)
        except DomainError as refusal:
            return _times(request, here, fault=str(refusal), status=409)
        messages.success(request, _("The appointment is moved. You will get a new message about it."))
        return HttpResponseRedirect(here.address("guest"))
    return _times(request, here)


def _times(request: HttpRequest, here: Here, *, fault: str = "", status: int = 200) -> HttpResponse:
    appointment = queries.appointment_to_move(here.appointment)
    start = dates.coming_day(request.GET.get("fra", ""), here.now)
    times, next_from = times_to_move_to(appointment, now=here.now, start=start)
    context = {
        **here.context(),
        "appointment": appointment,
        "days": by_day(times),
        "next_from": next_from,
        "from_start": start is None,
        "fault": fault,
    }
    return render(request, "rooms/move.html", context, status=status)


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 9 else None


@require_http_methods(["GET", "HEAD", "POST"])
@guest_page
def patient_cancel(request: HttpRequest, here: Here) -> HttpResponse:
    if not _changes(here)["may_cancel"]:
        return _not_here(request, here)
    if request.method == "POST":
        try:
            cancel_appointment(
                appointment=here.appointment,
                reason=CancelReason.PATIENT,
                by_patient=True,
                version=_number(request.POST.get("version", "")),
                now=here.now,
            )
        except DomainError as refusal:
            context = {**here.context(), "fault": str(refusal)}
            return render(request, "rooms/cancel.html", context, status=409)
        return HttpResponseRedirect(here.address("guest"))
    return render(request, "rooms/cancel.html", here.context())
