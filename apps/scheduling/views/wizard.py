"""The five steps of a booking as they are shown: what is done, what is asked now, and the order beside them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.catalogue import questionnaire
from apps.catalogue.families import Family
from apps.catalogue.models import PortalUse, ServiceType
from apps.catalogue.queries import bookable_services
from apps.catalogue.questionnaire import QuestionnaireForm
from apps.common.dates import clock, coming_day, local, plain_day
from apps.common.templatetags.vt import phone_pairs
from apps.organisations.doors import StaffRequest
from apps.organisations.models import Unit
from apps.patients.models import Patient

from ..forms import NewPatientForm, PeopleForm, interpreter_hint, people_as_initial
from ..models import BookingDraft, NeedSource, ParticipantRole
from ..queries import Ignoring, Needed, OpenTime, open_times_until, registering_unit, time_is_open, why_no_time
from ..queries.drafts import (
    ALONE,
    carried_over,
    colleagues_schedules,
    hold_of,
    needed,
    photos_in,
    recent_patients,
    request_of_draft,
    requester_schedule,
)
from ..queries.open_times import Blocking, whole_days
from .cards import look_of
from .pictures import photos_of
from .wording import interpreter_said, interpreter_to_be_said, listed, said_of, ways_of, when, why_said

STEPS: Final = ("service", "patient", "details", "time", "summary")
MOST_TIMES: Final = 200
FEW: Final = 4
FILTER_FROM: Final = 9
TITLES: Final = {
    "service": gettext_lazy("Service"),
    "patient": gettext_lazy("Patient"),
    "time": gettext_lazy("Time"),
    "summary": gettext_lazy("Look over and book"),
}
ASKING: Final = {
    "service": gettext_lazy("What is it about?"),
    "patient": gettext_lazy("Who is it about?"),
    "time": gettext_lazy("First joint free times"),
    "summary": gettext_lazy("Look over and book"),
}
WEEKEND: Final = timedelta(days=2)
"""So long before a Monday the week that it begins is read too: it is the one that will be shown."""


@dataclass(slots=True)
class Step:
    name: str
    number: int
    title: str
    state: str
    value: str = ""
    url: str = ""


@dataclass(slots=True)
class Tile:
    service: ServiceType
    look: Family


@dataclass(slots=True)
class TileGroup:
    title: str
    tiles: list[Tile]


@dataclass(slots=True)
class Told:
    """Somebody who is told when it is booked, and how."""

    who: str
    how: str
    icon: str


@dataclass
class Page:
    """A booking page: its draft (None before the service is chosen), the step shown, and what the step needs."""

    request: StaffRequest
    now: datetime
    draft: BookingDraft | None
    step: str = ""
    preset: ServiceType | None = None
    notice: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        furthest = furthest_step(self.draft) if self.draft else ("patient" if self.preset else "service")
        if self.step not in STEPS or STEPS.index(self.step) > STEPS.index(furthest):
            self.step = furthest
        self.furthest = furthest

    @property
    def unit(self) -> Unit:
        return self.request.unit

    @property
    def service(self) -> ServiceType | None:
        return self.draft.service_type if self.draft else self.preset

    @cached_property
    def url(self) -> str:
        return self.request.path if self._is_here() else address(self.draft)

    def _is_here(self) -> bool:
        match = self.request.resolver_match
        return match is not None and match.view_name == "scheduling:booking"

    def context(self) -> dict[str, Any]:
        fill = {
            "service": self._service,
            "patient": self._patient,
            "details": self._details,
            "time": self._time,
            "summary": self._summary,
        }[self.step]
        asked = fill()
        return {
            "now": self.now,
            "draft": self.draft,
            "preset": self.preset,
            "url": self.url,
            "step": self.step,
            "notice": self.notice,
            **asked,
            "steps": self.steps(),
            "order": self.order(),
        }

    # What is done, and the order -------------------------------------------------------------------------------------
    def steps(self) -> list[Step]:
        here, furthest, url = STEPS.index(self.step), STEPS.index(self.furthest), self.url
        shown = []
        for number, name in enumerate(STEPS):
            state = "current" if number == here else "done" if number < max(here, furthest) else "todo"
            value = self._value(name) if state == "done" else ""
            shown.append(
                Step(name, number + 1, self._title(name, asked=state == "current"), state, value, f"{url}?step={name}")
            )
        return shown

    def _title(self, name: str, *, asked: bool) -> str:
        """Name a step, or ask what it asks."""
        if name == "details":
            if asked:
                return self._form_name()
            pictures = self.service is None or self.service.photo_upload
            return _("Details and pictures") if pictures else _("Details")
        return str((ASKING if asked else TITLES)[name])

    def _form_name(self) -> str:
        service = self.service
        known = service is not None and questionnaire.has_form(service.form)
        return questionnaire.name(service.form) if service is not None and known else _("Details")

    def _value(self, name: str) -> str:
        service, draft = self.service, self.draft
        if service is not None and name == "service":
            return _("%(service)s, %(n)s minutes") % {
                "service": service.name,
                "n": (draft.choices.get("length") if draft else None) or service.length_minutes,
            }
        if draft is None:
            return ""
        if name == "patient":
            return said_of(draft.patient) if draft.patient else _("No patient")
        if name == "details":
            return self._details_value(draft)
        if name == "time" and draft.starts_at is not None:
            return self._time_value(draft, draft.starts_at)
        return ""

    def _details_value(self, draft: BookingDraft) -> str:
        parts = [questionnaire.headline(draft.service_type.form, draft.answers.get("answers", {}), longest=70)]
        if photos := photos_in(draft):
            parts.append(ngettext("%(n)s picture", "%(n)s pictures", photos) % {"n": photos})
        parts.append(interpreter_said(draft))
        if draft.choices.get("form_later"):
            parts.append(_("the form is filled in later"))
        return capfirst(" · ".join(part for part in parts if part))

    def _time_value(self, draft: BookingDraft, starts_at: datetime) -> str:
        text = when(starts_at, starts_at + length_of(draft), self.now)
        hold = hold_of(draft)
        if hold is not None and hold.expires_at > self.now:
            text += " · " + _("held until %(clock)s") % {"clock": clock(hold.expires_at)}
        return text

    def order(self) -> list[tuple[str, str]]:
        """Return the order box: label and value, empty where nothing is chosen."""
        draft, service = self.draft, self.service
        starts_at = draft.starts_at if draft else None
        rows = [(_("Service"), service.name if service else "")]
        if draft is not None and draft.choices.get("no_patient"):
            rows.append((_("Patient"), _("No patient")))
        else:
            rows.append((_("Patient"), draft.patient.name if draft and draft.patient else ""))
        chosen = ""
        if draft is not None and starts_at is not None:
            chosen = when(starts_at, starts_at + length_of(draft), self.now)
        rows += [(_("Time"), chosen), (_("Participants"), self._participants())]
        return rows

    def _participants(self) -> str:
        found: OpenTime | None = self.extra.get("found")
        if self.service is None:
            return ""
        if found is not None:
            coming = [one for one in found.who if one.role not in {ParticipantRole.PATIENT, ParticipantRole.EQUIPMENT}]
            coming.sort(key=lambda one: not self._is_me(one.schedule_id))
            names = [_("you") if self._is_me(one.schedule_id) else one.name for one in coming]
        else:
            counting = [one for one in self._needed() if self._counts(one)]
            counting.sort(key=lambda one: one.source != NeedSource.REQUESTER)
            names = [self._needed_said(one) for one in counting]
        return capfirst(listed(name for name in names if name))

    def _is_me(self, schedule_id: int) -> bool:
        mine = self._requester()
        return mine is not None and mine.pk == schedule_id and mine.user_id == self.request.user.pk

    def _needed(self) -> list[Needed]:
        if "needed" not in self.extra and self.service is not None:
            self.extra["needed"] = needed(self.service.pk)
        return list(self.extra.get("needed", []))

    def _counts(self, one: Needed) -> bool:
        choices = self.draft.choices if self.draft else {}
        if one.source == NeedSource.INTERPRETER:
            return bool(self._interpreter())
        return not (one.source == NeedSource.REQUESTER and choices.get("companion") == ALONE)

    def _needed_said(self, one: Needed) -> str:
        if one.source == NeedSource.INTERPRETER:
            return self._interpreter()
        if one.source == NeedSource.REQUESTER:
            requester = self._requester()
            mine = requester is None or requester.user_id == self.request.user.pk
            return _("you") if mine else requester.name if requester else ""
        return one.label

    def _interpreter(self) -> str:
        """Name the interpreter who comes; until that is asked, the one whom the patient's card asks for."""
        draft = self.draft
        if draft is None:
            return ""
        asked = bool(draft.choices.get("details_done"))
        return interpreter_said(draft) if asked else interpreter_to_be_said(draft)

    def _requester(self) -> Any:
        if self.draft is None:
            return None
        if "requester" not in self.extra:
            self.extra["requester"] = requester_schedule(self.draft)
        return self.extra["requester"]

    # Each step -------------------------------------------------------------------------------------------------------
    def _service(self) -> dict[str, Any]:
        tiles = [Tile(service, look_of(service)) for service in bookable_services(self.unit)]
        grouped: dict[str, list[Tile]] = {}
        for tile in tiles:
            grouped.setdefault(group_of(tile.service) if len(tiles) >= FILTER_FROM else "", []).append(tile)
        return {
            "groups": [TileGroup(title, some) for title, some in grouped.items()],
            "filter": len(tiles) >= FILTER_FROM,
            "about": self.extra.get("about"),
            "own_unit": self.unit,
        }

    def _patient(self) -> dict[str, Any]:
        hits: list[Patient] | None = self.extra.get("hits")
        return {
            "recent": self._recent() if hits is None else [],
            "hits": hits,
            "q": self.extra.get("q", ""),
            "wide": self.extra.get("wide", False),
            "reason": self.extra.get("reason", ""),
            "reason_error": self.extra.get("reason_error", ""),
            "new_patient": self.extra.get("new_patient") or NewPatientForm(label_suffix=""),
            "new_open": "new_patient" in self.extra,
            "patient_optional": self.service is not None and not self.service.patient_present,
        }

    def _recent(self) -> list[Patient]:
        """The one whom the address names comes first."""
        about: Patient | None = self.extra.get("about")
        recent = recent_patients(self.request.user, self.unit)
        return [about, *(one for one in recent if one != about)] if about else recent

    def _details(self) -> dict[str, Any]:
        draft = self._drafted()
        form, people = self.extra.get("form"), self.extra.get("people")
        carried_from = None
        if form is None and questionnaire.has_form(draft.service_type.form):
            form, carried_from = self._fresh_form(draft)
        return {
            "form": form,
            "people": people or self.people_form(),
            "carried_from": carried_from,
            "carried_text": _("Some answers are taken from the form of %(day)s. See what has changed.")
            % {"day": plain_day(carried_from, now=self.now)}
            if carried_from
            else "",
            "interpreter_hint": interpreter_hint(draft),
            "photos": photos_of(draft) if draft.service_type.photo_upload else None,
            "photos_url": reverse("scheduling:draft_photos", args=[draft.uid]),
            "photo_error": self.extra.get("photo_error", ""),
        }

    def _fresh_form(self, draft: BookingDraft) -> tuple[QuestionnaireForm, datetime | None]:
        """Return the form as it was left; else with what still holds from the patient's last one."""
        slug = draft.service_type.form
        kept = draft.answers.get("typed", {}).get(slug)
        carried_from = None
        if kept is None:
            kept, carried_from = carried_over(self.request.user, draft)
        initial = {**self._known(draft), **questionnaire.as_initial(slug, kept)}
        return questionnaire.form_class(slug)(initial=initial, today=timezone.localdate(self.now)), carried_from

    def _known(self, draft: BookingDraft) -> dict[str, Any]:
        """Return what the form need not ask: it stands on the patient, the unit and the one who books."""
        if not questionnaire.asks_for_language(draft.service_type.form):
            return {}
        patient = draft.patient
        me = self.request.user
        return {
            "language": patient.language if patient is not None and patient.language not in {"nob", "nno"} else "",
            "contact": f"{me.name}, {phone_pairs(self.unit.phone)}",
            "duration_minutes": draft.service_type.length_minutes,
        }

    def people_form(self, data: Any = None) -> PeopleForm:
        draft = self._drafted()
        patient = draft.patient
        has_requester = any(one.source == NeedSource.REQUESTER for one in self._needed())
        return PeopleForm(
            data,
            draft=draft,
            has_requester=has_requester,
            colleagues=colleagues_schedules(self.unit, but=self.request.user) if has_requester else [],
            next_of_kin=list(patient.next_of_kin.all()) if patient is not None else [],
            initial=people_as_initial(draft.answers.get("people", {})),
        )

    def _time(self) -> dict[str, Any]:
        draft = self._drafted()
        asked = request_of_draft(draft, self._requester())
        ignoring = Ignoring(hold_id=getattr(hold_of(draft), "pk", None))
        start = coming_day(self.request.GET.get("from", ""), self.now)
        times, following, self.extra["needed"] = first_times(asked, now=self.now, start=start, ignoring=ignoring)
        why = None if times else why_no_time(asked, now=self.now, start=start, ignoring=ignoring)
        specialists = [
            one for needed in self._needed() if needed.role == ParticipantRole.PERFORMER for one in needed.people
        ]
        return {
            "times": times,
            "earliest": times[0] if times and start is None else None,
            "chips": [self._chip(one) for one in self._needed() if self._counts(one)],
            "next_from": following,
            "from_start": start is None,
            "why": why_said(why, self._blocking) if why else "",
            "searched": self._searched(draft.service_type, start) if why else None,
            "ways": ways_of(why, {one.pk for one in specialists}, self.now) if why else [],
            "specialists": specialists if len(specialists) > 1 else [],
            "only": draft.choices.get("only"),
            "with_interpreter": bool(draft.choices.get("interpreter")) and not draft.choices.get("by_phone"),
            "without_interpreter": draft.choices.get("left_out_interpreter", ""),
            "shorter": draft.choices.get("length") not in {None, draft.service_type.length_minutes},
        }

    def _searched(self, service: ServiceType, start: datetime | None) -> tuple[date, date] | None:
        """Return the first and the last day on which a time was looked for; None where it cannot be booked so far ahead."""
        first = max(start or self.now, self.now + service.shortest_notice)
        last = self.now + timedelta(days=service.horizon_days)
        return (local(first).date(), local(last).date()) if first < last else None

    def _blocking(self, block: Blocking) -> str:
        """Name the role that stands in the way as the page names it elsewhere."""
        known = next((one for one in self._needed() if one.need_id == block.need_id), None)
        if known is not None and known.source in {NeedSource.REQUESTER, NeedSource.INTERPRETER}:
            return self._chip(known)
        return capfirst(block.label or (known.label if known else "") or str(ParticipantRole(block.role).label))

    def _chip(self, one: Needed) -> str:
        if one.source == NeedSource.REQUESTER:
            requester = self._requester()
            if requester is None or requester.user_id == self.request.user.pk:
                return _("Your diary")
            return _("The diary of %(name)s") % {"name": requester.name}
        if one.source == NeedSource.INTERPRETER:
            return capfirst(interpreter_said(self.draft)) if self.draft else ""
        return f"{one.label} ({one.count})" if one.source == NeedSource.TEAM else one.label

    def _summary(self) -> dict[str, Any]:
        draft = self._drafted()
        hold = hold_of(draft)
        found: OpenTime | None = self.extra.get("found")
        held = hold is not None and hold.expires_at > self.now
        return {
            "found": found,
            "held_until": hold.expires_at if hold is not None and held else None,
            "told": self._told(found) if found is not None else [],
            "patient": draft.patient,
            "guests": draft.answers.get("guests", []),
            "sections": questionnaire.describe(draft.service_type.form, draft.answers.get("answers", {})),
            "photos": photos_of(draft),
            "form_later": bool(draft.choices.get("form_later")),
            "may_invite": draft.patient is not None,
        }

    def _told(self, found: OpenTime) -> list[Told]:
        told = []
        for one in found.who:
            if one.role in {ParticipantRole.PATIENT, ParticipantRole.EQUIPMENT} or self._is_me(one.schedule_id):
                continue
            name = ", ".join(filter(None, [one.name, one.title.lower()]))
            if one.role == ParticipantRole.INTERPRETER:
                told.append(Told(name, _("Invitation by e-mail, without the patient's name"), "EnvelopeClosed"))
            else:
                told.append(Told(name, _("In the calendar, with the form and the pictures in the portal"), "Calendar"))
        for guest in self._drafted().answers.get("guests", []):
            how = _("Text message with a link of her own") if guest["phone"] else _("E-mail with a link of her own")
            told.append(Told(guest["name"], how, "PersonPlus"))
        if (registers := registering_unit(self._drafted())) is not None:
            office = _("The office of %(unit)s") % {"unit": registers.name}
            told.append(Told(office, _("A new line in the DIPS list"), "Tasklist"))
        return told

    def find_time(self) -> OpenTime | None:
        """Ask whether the time that was chosen can still be booked; the summary shows who comes."""
        draft = self._drafted()
        if draft.starts_at is None:
            return None
        hold = hold_of(draft)
        self.extra["found"] = time_is_open(
            request_of_draft(draft, self._requester()),
            draft.starts_at,
            now=self.now,
            who={int(need): schedule for need, schedule in draft.choices.get("who", {}).items()},
            ignoring=Ignoring(hold_id=hold.pk if hold else None),
        )
        found: OpenTime | None = self.extra["found"]
        return found

    def _drafted(self) -> BookingDraft:
        if self.draft is None:
            raise LookupError("this step needs a draft")
        return self.draft


# Where a booking stands, and the week that is shown --------------------------------------------------------------------
def address(draft: BookingDraft | None) -> str:
    return reverse("scheduling:booking", args=[draft.uid]) if draft else reverse("scheduling:booking_start")


def furthest_step(draft: BookingDraft) -> str:
    if draft.patient_id is None and not (draft.choices.get("no_patient") and not draft.service_type.patient_present):
        return "patient"
    if not draft.choices.get("details_done"):
        return "details"
    return "summary" if draft.starts_at else "time"


def length_of(draft: BookingDraft) -> timedelta:
    return timedelta(minutes=draft.choices.get("length") or draft.service_type.length_minutes)


def group_of(service: ServiceType) -> str:
    """Sort many services by how they are used; their families show by colour and icon."""
    if service.scenario.portal_use == PortalUse.SAME_DAY:
        return _("Set up the same day")
    return _("Most used") if service.scenario.priority == 1 else _("More services")


def first_times(
    asked: Any, *, now: datetime, start: datetime | None, ignoring: Ignoring
) -> tuple[list[OpenTime], date | None, tuple[Needed, ...]]:
    """Return the times of the first week that has any, with the next one if they are few; and the day to go on from.

    A week that has very many is shown some days at a time. Who is needed comes along.
    """
    times, roles = open_times_until(
        asked,
        now=now,
        start=start,
        enough=lambda found, reached: bool(found) and reached >= end_of_week(found),
        first_stretch=next_monday((start or now) + WEEKEND),
        ignoring=ignoring,
    )
    if not times:
        return [], None, roles
    until = end_of_week(times)
    of_the_week = times[: bisect_left(times, until, key=lambda time: time.starts_at)]
    shown, rest_from = whole_days(of_the_week, MOST_TIMES)
    return shown, rest_from or local(until).date(), roles


def end_of_week(times: Sequence[OpenTime]) -> datetime:
    """Return where the week of the first time ends, or the next week if the first has only a few."""
    until = next_monday(times[0].starts_at)
    return until if len(times) >= FEW and times[FEW - 1].starts_at < until else next_monday(until)


def next_monday(moment: datetime) -> datetime:
    day = local(moment).date()
    monday = day + timedelta(days=7 - day.weekday())
    return datetime.combine(monday, time.min, tzinfo=timezone.get_default_timezone())
