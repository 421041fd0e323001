"""How an appointment is shown to staff: who it is with, how it stands, what may be done."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalogue.families import FAMILIES, Family
from apps.catalogue.models import ServiceType
from apps.common.languages import language_name
from apps.organisations.models import Unit
from apps.organisations.queries import Staff
from apps.patients.models import Protection

from ..models import Answer, Appointment, AppointmentStatus, Participant, ParticipantRole
from ..queries import knows_patient, participant_name, people_in, takes_part

ANSWERS: Final[dict[str, Promise]] = {
    Answer.NEEDS_ACTION: gettext_lazy("has not answered"),
    Answer.ACCEPTED: gettext_lazy("is coming"),
    Answer.DECLINED: gettext_lazy("cannot come"),
    Answer.TENTATIVE: gettext_lazy("is perhaps coming"),
}


@dataclass(frozen=True, slots=True)
class Status:
    """How an appointment stands: words with a colour and an icon; plain words where colour is empty."""

    label: str
    color: str = ""
    icon: str = ""
    live: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    meta: str
    anonymous: bool
    participant: Participant
    me: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """An appointment as this member of staff may see it."""

    appointment: Appointment
    look: Family
    service: str
    who: str
    about: str
    status: Status
    url: str
    over: bool
    mine: bool
    may_fill_in: bool
    form_missing: bool


def look_of(service: ServiceType) -> Family:
    return FAMILIES.get(service.scenario.family, FAMILIES["general"])


def may_see_patient(appointment: Appointment, staff: Staff) -> bool:
    """Say whether names, forms and pictures are shown: interpreters work without them."""
    return knows_patient(appointment, appointment.coming, staff)


def title_of(appointment: Appointment, staff: Staff) -> str:
    """Return what a list calls the appointment: the patient, or for an interpreter language and place."""
    if appointment.patient is None:
        return appointment.service_type.name
    if may_see_patient(appointment, staff):
        return appointment.patient.name
    language = language_name(appointment.interpreter_language) if appointment.interpreter_language else ""
    return " · ".join(filter(None, [language.capitalize(), appointment.requester_unit.public_name]))


def cards_of(appointments: Iterable[Appointment], staff: Staff, *, now: datetime) -> list[Card]:
    """Return the cards of what `queries.agenda_of` lists."""
    listed = list(appointments)
    filled = {one.pk for one in listed if getattr(one, "form_filled")}  # noqa: B009 the stubs do not know the annotation
    return [card(one, staff, now=now, forms_filled=filled) for one in listed]


def card(appointment: Appointment, staff: Staff, *, now: datetime, forms_filled: Collection[int] | None = None) -> Card:
    return Card(
        appointment=appointment,
        look=look_of(appointment.service_type),
        service=appointment.service_type.name,
        who=title_of(appointment, staff),
        about=_about(appointment, staff),
        status=status_of(appointment, now=now, forms_filled=forms_filled),
        url=reverse("scheduling:appointment", args=[appointment.reference]),
        over=is_over(appointment, now),
        mine=takes_part(appointment, staff.user),
        may_fill_in=appointment.is_to_come and may_fill_in(appointment, staff),
        form_missing=form_missing(appointment, forms_filled),
    )


def form_missing(appointment: Appointment, forms_filled: Collection[int] | None) -> bool:
    """Say whether the requester's form is still to be filled in; None: it is not known, or not for her."""
    return (
        forms_filled is not None
        and appointment.is_to_come
        and bool(appointment.service_type.form)
        and appointment.pk not in forms_filled
    )


def may_fill_in(appointment: Appointment, staff: Staff) -> bool:
    """Say whether the form is hers to write: those who asked for the appointment, and who booked it."""
    if not staff.may_book or not may_see_patient(appointment, staff):
        return False
    return (
        (staff.unit is not None and staff.unit.pk == appointment.requester_unit_id)
        or appointment.booked_by_id == staff.user.pk
        or any(
            one.schedule is not None and one.schedule.user_id == staff.user.pk
            for one in people_in(appointment, {ParticipantRole.REQUESTER})
        )
    )


def is_over(appointment: Appointment, now: datetime) -> bool:
    """Say whether it is behind us; what goes on past its time is not."""
    if appointment.status == AppointmentStatus.ARRIVED:
        return False
    return appointment.ends_at <= now or appointment.status != AppointmentStatus.BOOKED


def is_under_way(appointment: Appointment, now: datetime) -> bool:
    """Say whether they meet now, or should."""
    return appointment.starts_at <= now and not is_over(appointment, now)


def status_of(appointment: Appointment, *, now: datetime, forms_filled: Collection[int] | None = None) -> Status:
    """Say in one tag what matters most about it now."""
    match appointment.status:
        case AppointmentStatus.CANCELLED:
            return Status(_("Cancelled"), "neutral", "XMark")
        case AppointmentStatus.NO_SHOW:
            return Status(_("Did not attend"), "neutral", "XMark")
        case AppointmentStatus.ENTERED_IN_ERROR:
            return Status(_("Entered in error"), "neutral", "XMark")
        case AppointmentStatus.FULFILLED:
            return Status(_("Completed"))
        case AppointmentStatus.ARRIVED:
            return Status(_("Under way"), "accent", live=True)
    if appointment.ends_at <= now:
        return Status(_("Was it held?"), "warning", "QuestionmarkCircle")
    needed = [one for one in appointment.coming if one.required and one.role != ParticipantRole.PATIENT]
    if any(one.answer == Answer.DECLINED for one in needed):
        return Status(_("Somebody cannot come"), "warning", "ExclamationmarkTriangle")
    if form_missing(appointment, forms_filled):
        return Status(_("Form missing"), "warning", "ExclamationmarkTriangle")
    performers = [one for one in needed if one.role == ParticipantRole.PERFORMER]
    if performers and all(one.answer == Answer.ACCEPTED for one in performers):
        return Status(_("Confirmed"), "success", "Checkmark")
    return Status(_("Booked"), "info", "Calendar")


def people(appointment: Appointment, staff: Staff) -> list[Person]:
    """Return who takes part, with what each is and how she has answered."""
    return [_person(one, appointment, staff) for one in people_in(appointment)]


def place_of(appointment: Appointment, unit: Unit | None) -> str:
    """Return where the patient is; her address to her own unit only, and never a protected one."""
    place = str(appointment.get_place_display())
    patient = appointment.patient
    if (
        unit is not None
        and patient is not None
        and patient.address
        and patient.protection == Protection.OPEN
        and unit.pk == appointment.requester_unit_id
        and appointment.place == "home"
    ):
        return f"{patient.address}, {place}"
    return place[:1].upper() + place[1:]


def joins_from(appointment: Appointment) -> datetime:
    return appointment.starts_at - settings.JOIN_SHOWN_BEFORE


def may_join(appointment: Appointment, staff: Staff, now: datetime) -> bool:
    """Say whether the room is open to this member of staff: she takes part, and it is time."""
    open_still = appointment.status in {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED}
    in_time = joins_from(appointment) <= now < appointment.ends_at + settings.LINK_CLOSES_AFTER
    return open_still and in_time and takes_part(appointment, staff.user)


def _about(appointment: Appointment, staff: Staff) -> str:
    """Name whom she meets: the other staff first, then that guests are invited."""
    others = [
        one
        for one in people_in(appointment)
        if one.schedule is not None
        and one.role not in {ParticipantRole.PATIENT, ParticipantRole.EQUIPMENT}
        and one.schedule.user_id != staff.user.pk
    ]
    parts = [_name_and_title(one) for one in others[:2]]
    guests = [one for one in appointment.coming if one.schedule_id is None and one.role != "patient"]
    parts += [_("%(relation)s is invited") % {"relation": one.guest_relation or _("a guest")} for one in guests[:1]]
    return " · ".join(filter(None, parts))


def _name_and_title(one: Participant) -> str:
    if one.schedule is None:
        return participant_name(one)
    return ", ".join(filter(None, [one.schedule.name, one.schedule.title.lower()]))


def _person(one: Participant, appointment: Appointment, staff: Staff) -> Person:
    if one.role == ParticipantRole.PATIENT:
        name = participant_name(one) if may_see_patient(appointment, staff) else _("The patient")
        line = f"{appointment.get_place_display()} · {_company(appointment, staff)}"
        return Person(name, line[:1].upper() + line[1:], anonymous=True, participant=one)
    about: Iterable[str] = [one.get_role_display()]
    if one.schedule is not None:
        unit = one.schedule.unit.name if one.schedule.unit is not None else ""
        about = [one.schedule.title or one.get_role_display(), unit]
        if one.role == ParticipantRole.INTERPRETER and appointment.interpreter_language:
            about = [_("Interpreter, %(language)s") % {"language": language_name(appointment.interpreter_language)}]
            about += [_("by telephone")] if appointment.interpreter_by_phone else []
    elif one.guest_relation:
        about = [one.guest_relation]
    booked_it_herself = one.schedule is not None and one.schedule.user_id == appointment.booked_by_id
    if appointment.is_to_come and one.role != ParticipantRole.EQUIPMENT and not booked_it_herself:
        about = [*about, str(ANSWERS[one.answer])]
    line = " · ".join(filter(None, about))
    me = one.schedule is not None and one.schedule.user_id == staff.user.pk
    # A daughter's name tells whose daughter she is.
    named = one.schedule is not None or may_see_patient(appointment, staff)
    name = participant_name(one) if named else capfirst(one.get_role_display())
    return Person(name, line[:1].upper() + line[1:], anonymous=False, participant=one, me=me)


def _company(appointment: Appointment, staff: Staff) -> str:
    """Say with whom the patient sits."""
    beside = people_in(appointment, {ParticipantRole.REQUESTER})
    if appointment.patient_joins_alone or not beside:
        return _("with a link of her own")
    if beside[0].schedule is not None and beside[0].schedule.user_id == staff.user.pk:
        return _("together with you")
    return _("together with %(name)s") % {"name": participant_name(beside[0])}
