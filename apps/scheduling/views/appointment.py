"""One appointment: its page and panel, its pictures, and what staff can do with it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.audit.models import Action
from apps.audit.services import record_access
from apps.catalogue.questionnaire import describe, has_form
from apps.common import dates
from apps.common.codes import normalise_reference
from apps.common.errors import DomainError
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_BOOK, MAY_REGISTER
from apps.organisations.queries import Staff, actor_of
from apps.patients.models import ContactChannel

from .. import services
from ..appointment_forms import CancelForm, GuestForm, MoveForm
from ..errors import NotOpenAnyMore, Refusal
from ..models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    Participant,
    ParticipantRole,
    Photo,
)
from ..queries import (
    Ignoring,
    OpenTime,
    answers_of,
    by_day,
    history_of,
    of_unit,
    participant_name,
    people_in,
    photos_open_to,
    request_of,
    takes_part,
    time_is_open,
    times_to_move_to,
    visible_appointment,
    why_no_time,
)
from ..queries.open_times import Blocking
from . import cards
from .pictures import photos_of
from .wording import ways_of, why_said

R = TypeVar("R")

MARKED_FROM: Final = timedelta(minutes=15)
"""So long after the start it is asked how it went: until then somebody is only late."""


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who gets a message when the appointment changes, and how."""

    name: str
    how: str
    icon: str


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    text: str


# Looking -------------------------------------------------------------------------------------------------------------
@require_safe
@staff_required
def appointment(request: StaffRequest, reference: str) -> HttpResponse:
    """Show the whole appointment; with `?panel=1` what fits beside the calendar."""
    now = timezone.now()
    if request.GET.get("panel"):
        return render(request, "scheduling/_panel.html", panel_context(request, reference, now=now))
    return render(request, "scheduling/appointment.html", _page_context(request, reference, now=now))


def panel_context(request: StaffRequest, reference: str, *, now: datetime) -> dict[str, Any]:
    """Return what the panel shows, and write down that it was read."""
    found = find(request, reference)
    sees_patient = cards.may_see_patient(found, request.staff)
    services.note_access(found, Action.READ, actor=actor_of(request), knows_patient=sees_patient)
    answers = answers_of(found) if sees_patient else None
    asks = has_form(found.service_type.form)
    card = cards.card(
        found,
        request.staff,
        now=now,
        forms_filled={found.pk} if not sees_patient or (answers is not None and answers.complete) else set(),
    )
    return {
        "now": now,
        "appointment": found,
        "card": card,
        "has_form": asks,
        "fillable": card.may_fill_in and (asks or found.service_type.photo_upload),
        "people": cards.people(found, request.staff),
        "place": cards.place_of(found, request.unit),
        "sees_patient": sees_patient,
        "sections": describe(answers.form, answers.answers) if answers is not None else [],
        "photos": list(photos_of(found)) if sees_patient else [],
        "may_join": cards.may_join(found, request.staff, now),
        "joins_from": cards.joins_from(found),
        "takes_part": takes_part(found, request.user),
        "may_change": found.is_open and _may_change(found, request.staff),
        "age": _age(found.patient.birth_date, timezone.localdate(found.starts_at)) if found.patient else None,
    }


def _page_context(request: StaffRequest, reference: str, *, now: datetime) -> dict[str, Any]:
    context = panel_context(request, reference, now=now)
    found: Appointment = context["appointment"]
    return {
        **context,
        "may_mark": found.status == AppointmentStatus.BOOKED
        and min(found.starts_at + MARKED_FROM, found.ends_at) <= now
        and _may_mark(found, request.staff),
        "may_send_again": _may_change(found, request.staff) and found.is_still_on(now),
        "history": _history(found),
        "guest_form": GuestForm(auto_id="guest-%s"),
        "length": found.length,
    }


@require_safe
@staff_required
def photo(request: StaffRequest, uid: uuid.UUID) -> HttpResponse:
    found = _find_photo(request, uid, without="thumbnail")
    if found.appointment is not None:
        record_access(
            actor=actor_of(request),
            action=Action.READ,
            what="photo",
            what_reference=str(found.uid),
            patient_uid=found.appointment.patient.uid if found.appointment.patient else None,
        )
    return _picture(bytes(found.image))


@require_safe
@staff_required
def photo_thumbnail(request: StaffRequest, uid: uuid.UUID) -> HttpResponse:
    return _picture(bytes(_find_photo(request, uid, without="image").thumbnail))


def _find_photo(request: StaffRequest, uid: uuid.UUID, *, without: str) -> Photo:
    """Open the door to a picture: those who may know its patient, or whose draft it is."""
    return get_object_or_404(photos_open_to(request.user).defer(without), uid=uid)


def _picture(jpeg: bytes) -> HttpResponse:
    return HttpResponse(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


# Changing ------------------------------------------------------------------------------------------------------------
@staff_required
def move(request: StaffRequest, reference: str) -> HttpResponse:
    """Choose among the first joint times, see who is told, confirm."""
    now = timezone.now()
    found = _changeable(request, reference)
    if not found.is_open:
        messages.error(request, str(NotOpenAnyMore()))
        return redirect("scheduling:appointment", reference=found.reference)
    if request.method == "POST":
        return _move(request, found, now=now)
    if chosen := request.GET.get("til"):
        form = MoveForm({"starts_at": chosen, "version": found.version})
        if not form.is_valid():
            raise Http404
        time = time_is_open(
            request_of(found), form.cleaned_data["starts_at"], now=now, ignoring=Ignoring(appointment_id=found.pk)
        )
        if time is None:
            messages.error(request, _("That time was just taken by somebody else. Choose another."))
            return _times(request, found, now=now, status=409)
        return _confirm_move(request, found, time, form, now=now)
    return _times(request, found, now=now)


def _move(request: StaffRequest, found: Appointment, *, now: datetime) -> HttpResponse:
    form = MoveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a time."))
        return _times(request, found, now=now, status=422)
    try:
        moved = _change(
            request,
            found,
            partial(services.move_appointment, **form.cleaned_data, actor=request.user, now=now),
            what="appointment-time",
        )
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return _times(request, found, now=now, status=409 if isinstance(refusal, Refusal) else 422)
    messages.success(
        request,
        _("The appointment is moved to %(at)s. Everybody is told.")
        % {"at": dates.words().at.format(day=dates.near_day(moved.starts_at), clock=dates.clock(moved.starts_at))},
    )
    return redirect("scheduling:appointment", reference=moved.reference)


def _times(request: StaffRequest, found: Appointment, *, now: datetime, status: int = 200) -> HttpResponse:
    start = dates.coming_day(request.GET.get("fra", ""), now)
    times, next_from = times_to_move_to(found, now=now, start=start)
    context = {
        "now": now,
        "appointment": found,
        "card": cards.card(found, request.staff, now=now),
        "days": by_day(times),
        "first": times[0] if times and start is None else None,
        "next_from": next_from,
        "from_day": timezone.localdate(start) if start else None,
    }
    if not times:
        why = why_no_time(request_of(found), now=now, start=start, ignoring=Ignoring(appointment_id=found.pk))
        # None: there is one time, and it is the one that the appointment has.
        ways = ways_of(why, set(), now) if why else []
        who = partial(_stands_in_the_way, found=found, staff=request.staff)
        context |= {
            "why": why_said(why, who) if why else _("Only the time that it has suits everyone in this period."),
            "later": [way for way in ways if way.name == "from"],
            "anew": [way for way in ways if way.name != "from"],  # a move keeps the length and who comes
            "book_anew": reverse("scheduling:booking_start", query=_anew(found)),
        }
    return render(request, "scheduling/move.html", context, status=status)


def _anew(found: Appointment) -> dict[str, str]:
    asked = {"service": str(found.service_type.uid)}
    return asked | {"pasient": str(found.patient.uid)} if found.patient else asked


def _stands_in_the_way(block: Blocking, *, found: Appointment, staff: Staff) -> str:
    """Name whose time is missing: who asks for the appointment by her diary, the others by their role."""
    beside = [one.schedule for one in people_in(found, {ParticipantRole.REQUESTER}) if one.schedule is not None]
    if block.role == ParticipantRole.REQUESTER and beside:
        mine = beside[0].user_id == staff.user.pk
        return _("Your diary") if mine else _("The diary of %(name)s") % {"name": beside[0].name}
    return capfirst(block.label or str(ParticipantRole(block.role).label))


def _confirm_move(
    request: StaffRequest, found: Appointment, time: OpenTime, form: MoveForm, *, now: datetime
) -> HttpResponse:
    before = {one.schedule_id for one in people_in(found) if one.schedule_id}
    return render(
        request,
        "scheduling/move_confirm.html",
        {
            "now": now,
            "appointment": found,
            "card": cards.card(found, request.staff, now=now),
            "time": time,
            "form": form,
            "new_people": [
                who for who in time.who if who.role != ParticipantRole.PATIENT and who.schedule_id not in before
            ],
            "told": _told(found, request),
        },
    )


@staff_required
def cancel(request: StaffRequest, reference: str) -> HttpResponse:
    now = timezone.now()
    found = _changeable(request, reference)
    if not found.is_open and request.method != "POST":
        messages.error(request, str(NotOpenAnyMore()))
        return redirect("scheduling:appointment", reference=found.reference)
    form = CancelForm(request.POST or None, initial={"version": found.version})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _change(
                    request,
                    found,
                    partial(services.cancel_appointment, **form.cleaned_data, actor=request.user, now=now),
                    what="appointment-cancelled",
                )
            except DomainError as refusal:
                form.add_error(None, str(refusal))
                status = 409
            else:
                messages.success(request, _("The appointment is cancelled. Everybody is told."))
                return redirect("scheduling:appointment", reference=found.reference)
    context = {
        "now": now,
        "appointment": found,
        "card": cards.card(found, request.staff, now=now),
        "form": form,
        "told": _told(found, request),
    }
    return render(request, "scheduling/cancel.html", context, status=status)


@require_POST
@staff_required
def mark(request: StaffRequest, reference: str) -> HttpResponse:
    """Note by hand how it went: it was held, or the patient did not come."""
    found = find(request, reference)
    if not _may_mark(found, request.staff):
        raise Http404
    how = {"held": services.mark_held, "no-show": services.mark_no_show}.get(request.POST.get("how", ""))
    if how is None:
        raise Http404
    try:
        _change(request, found, partial(how, actor=request.user, now=timezone.now()))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("That is noted."))
    return redirect("scheduling:appointment", reference=found.reference)


@require_POST
@staff_required(roles=MAY_BOOK)
def add_guest(request: StaffRequest, reference: str) -> HttpResponse:
    now = timezone.now()
    found = _changeable(request, reference)
    form = GuestForm(request.POST, auto_id="guest-%s")
    if form.is_valid():
        try:
            _change(request, found, partial(services.add_guest, guest=form.guest(), actor=request.user, now=now))
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The guest is invited, and gets a link of her own."))
            return redirect("scheduling:appointment", reference=found.reference)
    context = _page_context(request, reference, now=now) | {"guest_form": form}
    return render(request, "scheduling/appointment.html", context, status=422)


@require_POST
@staff_required(roles=MAY_BOOK)
def remove_guest(request: StaffRequest, reference: str, uid: uuid.UUID) -> HttpResponse:
    found = _changeable(request, reference)
    guest = get_object_or_404(Participant.objects.select_related("appointment"), appointment=found, uid=uid)
    try:
        leave = partial(services.remove_participant, participant=guest, actor=request.user, now=timezone.now())
        services.change_and_note(found, leave, actor=actor_of(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The guest is taken off. Her link no longer works."))
    return redirect("scheduling:appointment", reference=found.reference)


# Finding and telling -------------------------------------------------------------------------------------------------
def find(request: StaffRequest, reference: str) -> Appointment:
    """Open the door to an appointment; strangers meet 404."""
    written = normalise_reference(reference)
    found = visible_appointment(request.user, written) if written else None
    if found is None:
        raise Http404
    return found


def _change(request: StaffRequest, found: Appointment, work: Callable[..., R], *, what: str = "appointment") -> R:
    """Do a change to an appointment, which stands in the patient's log with it."""
    return services.change_and_note(found, lambda: work(appointment=found), actor=actor_of(request), what=what)


def _changeable(request: StaffRequest, reference: str) -> Appointment:
    found = find(request, reference)
    if not _may_change(found, request.staff):
        raise Http404
    return found


def _may_change(found: Appointment, staff: Staff) -> bool:
    """Say whether she may change it: a booker of a unit that it belongs to, or one who takes part; not who interprets."""
    if not staff.may_book or staff.unit is None or not cards.may_see_patient(found, staff):
        return False
    return of_unit(found, staff.unit) or takes_part(found, staff.user)


def _may_mark(found: Appointment, staff: Staff) -> bool:
    registers = bool(staff.roles & MAY_REGISTER) and cards.may_see_patient(found, staff)
    return registers or _may_change(found, staff)


def _told(found: Appointment, request: StaffRequest) -> list[Told]:
    """Return who gets a message about a change, and how it reaches them. Whoever makes the change knows of it."""
    told = []
    for one in people_in(found):
        name = participant_name(one)
        if one.role == ParticipantRole.PATIENT:
            told.append(Told(name, *_patient_channel(found)))
        elif one.schedule is not None and one.schedule.user_id == request.user.pk:
            continue
        elif one.schedule is not None and one.schedule.user_id is not None:
            told.append(Told(name, _("E-mail, and the time in the calendar"), "Calendar"))
        elif one.guest_phone:
            told.append(Told(name, _("Text message"), "Chat"))
        elif one.guest_email:
            told.append(Told(name, _("E-mail"), "EnvelopeClosed"))
    return told


def _patient_channel(found: Appointment) -> tuple[str, str]:
    patient = found.patient
    by_hand = (_("Gets no message from here: phone her, or send a letter"), "Phone")
    if patient is None or patient.reserved or patient.channel == ContactChannel.NONE:
        return by_hand
    if patient.channel == ContactChannel.SMS and patient.phone:
        return _("Text message"), "Chat"
    if patient.channel == ContactChannel.EMAIL and patient.email:
        return _("E-mail"), "EnvelopeClosed"
    if patient.channel == ContactChannel.NEXT_OF_KIN:
        return _("Text message to the next of kin"), "Chat"
    return by_hand


def _history(found: Appointment) -> list[Happening]:
    """Return what has happened, the latest first, in whole sentences."""
    return [Happening(event.at, _sentence(event)) for event in history_of(found)]


def _sentence(event: AppointmentEvent) -> str:
    who = _("the patient") if event.by_patient else event.actor.name if event.actor else _("the system")
    match event.kind:
        case EventKind.BOOKED:
            text = _("Booked by %(who)s")
        case EventKind.MOVED:
            text = _("Moved from %(from)s by %(who)s")
        case EventKind.CANCELLED:
            text = _("Cancelled by %(who)s")
        case EventKind.PARTICIPANT_ADDED:
            text = _("Guest invited by %(who)s")
        case EventKind.PARTICIPANT_REMOVED:
            text = _("Guest taken off by %(who)s")
        case EventKind.CONTACT_CHANGED:
            text = _("The patient's contact details changed")
        case EventKind.LINK_RENEWED:
            text = _("New link given by %(who)s")
        case EventKind.LINK_REVOKED:
            text = _("Link taken back by %(who)s")
        case EventKind.STARTED:
            text = _("The video appointment began")
        case EventKind.ENDED:
            text = _("The video appointment ended")
        case _:
            text = _("The patient did not come")
    was = event.old_starts_at
    return text % {
        "who": who,
        "from": dates.words().at.format(day=dates.plain_day(was), clock=dates.clock(was)) if was else "",
    }


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
