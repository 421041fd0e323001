"""The room for those who sign in: the host, participants, and colleagues who step in."""

from datetime import datetime
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from apps.accounts.models import User
from apps.audit.models import Action
from apps.catalogue import questionnaire
from apps.common.languages import language_name
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.queries import actor_of
from apps.scheduling.models import Appointment, ParticipantRole
from apps.scheduling.queries import answers_of
from apps.scheduling.services import note_access

from .. import queries, services, tickets
from ..models import Room, RoomState, Seat, SeatState
from ..providers.base import Guest
from ..providers.registry import BUILTIN, provider_named
from .guest import socket_address
from .words import room_words

ARRIVAL: Final[dict[str, str]] = {
    SeatState.TESTING: "testing",
    SeatState.WAITING: "waiting",
    SeatState.HERE: "here",
    SeatState.LOST: "problem",
    SeatState.DECLINED: "problem",
    SeatState.LEFT: "left",
}
"""How the list of people draws a seat; who is away is drawn plainly."""


def _entry(user: User, reference: str) -> tuple[Appointment, queries.Entry]:
    """The door: who may come into this room. Strangers meet a 404, as if it did not exist."""
    appointment = queries.appointment_referred_to(reference)
    entry = queries.entry_for(user, appointment, now=timezone.now()) if appointment is not None else None
    if appointment is None or entry is None:
        raise Http404
    return appointment, entry


@require_safe
@staff_required
def host(request: StaffRequest, reference: str) -> HttpResponse:
    now = timezone.now()
    appointment, entry = _entry(request.user, reference)
    if queries.is_over(appointment, now=now) or queries.room_closed(appointment):
        return render(request, "rooms/host_over.html", {"appointment": appointment})
    if now < queries.opens_at(appointment):
        context = {"appointment": appointment, "opens_at": queries.opens_at(appointment), "now": now}
        return render(request, "rooms/host_early.html", context)
    room = services.ensure_room(appointment, now=now)
    seat = services.seat_for_user(
        appointment=appointment, user=request.user, entry=entry, language=translation.get_language() or "nb", now=now
    )
    knows = queries.knows_patient(request.user, appointment)
    if knows:
        note_access(appointment, Action.READ, actor=actor_of(request))
    setup = _setup(request, appointment, seat, entry)
    context = {
        "appointment": appointment,
        "title": _title(appointment, knows=knows),
        "answers": _answers(appointment) if knows else [],
        "photos": list(appointment.photos.all()[:6]) if knows else [],
        "seat": seat,
        "entry": entry,
        "to_call": queries.interpreters_to_call(appointment) if entry.host else [],
        "spoken": language_name(appointment.interpreter_language) if appointment.interpreter_language else "",
        "setup": setup,
        "words": room_words(),
        "room_base": "base.html",
    }
    if room.provider != BUILTIN:
        return render(request, "rooms/host_elsewhere.html", context | _elsewhere(room, seat, entry, setup))
    return render(request, "rooms/room.html", context)


def _elsewhere(room: Room, seat: Seat, entry: queries.Entry, setup: dict[str, Any]) -> dict[str, Any]:
    """Return the provider's address for who may come in, and how the page stands to it."""
    waits = entry.waits and not seat.may_enter
    guest = Guest(reference=str(seat.uid), name=queries.seat_name(seat), host=entry.host)
    there = bool(room.provider_room_id) and not waits
    return {
        "url": provider_named(room.provider).join_url(room.provider_room_id, guest) if there else "",
        "setup": setup
        | {
            "waits": waits,
            "gone": seat.may_enter and seat.state in {SeatState.HERE, SeatState.LOST},
            "soon": room.state == RoomState.PLANNED and not waits,
        },
    }


def _title(appointment: Appointment, *, knows: bool) -> str:
    if not knows:
        return _("Video appointment")
    name = appointment.patient.name if appointment.patient else ""
    return " · ".join(part for part in (name, appointment.service_type.name) if part)


def _answers(appointment: Appointment) -> list[tuple[str, str]]:
    answers = answers_of(appointment)
    if answers is None:
        return []
    rows = [row for section in questionnaire.describe(answers.form, answers.answers) for row in section.rows]
    return [(str(label), str(value)) for label, value in rows][:8]


def _setup(request: HttpRequest, appointment: Appointment, seat: Seat, entry: queries.Entry) -> dict[str, Any]:
    back = reverse("scheduling:today")
    return {
        "socket": socket_address(request),
        "ticket": reverse("rooms:host_ticket", args=[appointment.reference]),
        "home": back,
        "left": back,
        "host": entry.host,
        "films": not entry.host and (entry.participant is None or entry.participant.role == ParticipantRole.REQUESTER),
        "name": queries.seat_name(seat),
        "phone": appointment.performer_unit.phone if not entry.host else appointment.requester_unit.phone,
    }


@require_GET
@staff_required
def host_ticket(request: StaffRequest, reference: str) -> HttpResponse:
    appointment, entry = _entry(request.user, reference)
    seat = services.seat_for_user(
        appointment=appointment,
        user=request.user,
        entry=entry,
        language=translation.get_language() or "nb",
        now=timezone.now(),
    )
    return JsonResponse({"ticket": tickets.new_ticket(seat, user_id=request.user.pk, waits=entry.waits)})


@require_safe
@staff_required
def who_waits(request: StaffRequest, reference: str) -> HttpResponse:
    """A fragment for the today page: who waits outside, who else is expected and where she is, and locked links."""
    now = timezone.now()
    appointment, entry = _entry(request.user, reference)
    seats = queries.everybody(appointment)
    people = [
        {
            "name": queries.name_for(seat, entry.participant),
            "meta": capfirst(" · ".join(_about(seat, seats, now, request.user))),
            "state": ARRIVAL.get(queries.state_now(seat, now=now), ""),
        }
        for seat in seats
        if not queries.is_user(seat, request.user)
    ]
    context = {
        "people": people,
        "waiting": sum(queries.waits(seat, now=now) for seat in seats),
        "locked": _locked(request.user, appointment, entry),
    }
    return render(request, "rooms/_who_waits.html", context)


def _locked(user: User, appointment: Appointment, entry: queries.Entry) -> list[str]:
    """Say whose links are locked; who takes part without knowing the patient reads only that hers is."""
    links = queries.locked_links(appointment) if not entry.waits else []
    if not links:
        return []
    stranger = not entry.host and not queries.knows_patient(user, appointment)
    return [queries.name_in_words(one, stranger=stranger) for one in links]


def _about(seat: Seat, seats: list[Seat], now: datetime, viewer: User) -> list[str]:
    where = queries.whereabouts(seat, seats, now=now, viewer=viewer)
    if queries.waits(seat, now=now):
        role, *facts = queries.arrival_facts(seat)
        return [role, where, *facts]
    return [queries.seat_role(seat), where]
