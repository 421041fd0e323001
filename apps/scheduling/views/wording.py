"""What the pages of a booking say: who, when, why no time suits, and what would open one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.common.dates import clock, clock_range, near_day, plain_day, words
from apps.common.errors import DomainError
from apps.common.languages import language_name
from apps.patients.models import Patient

from .. import errors
from ..engine.explain import ChangeKind, Reason
from ..forms import language_of_need
from ..models import BookingDraft
from ..queries.open_times import Blocking, NoTime, Suggestion


@dataclass(slots=True)
class Way:
    """A change that would open a time, one tap away."""

    label: str
    name: str
    value: str


def said_of(patient: Patient) -> str:
    return _("%(name)s, born %(date)s") % {"name": patient.name, "date": f"{patient.birth_date:%d.%m.%Y}"}


def known_before(patient: Patient, now: datetime) -> str:
    """Say that the number typed for a new patient is that of somebody who is registered already; else nothing."""
    if not patient.known_before(now):
        return ""
    return _("%(name)s is registered already, and is chosen. What was known is as it was.") % {"name": patient.name}


def gone_said(refusal: DomainError) -> str:
    """Say why a time that was shown cannot be had: where somebody is no longer free, it was taken meanwhile."""
    return str(errors.TimeTaken.message if isinstance(refusal, errors.NotOpen) else refusal)


def interpreter_said(draft: BookingDraft) -> str:
    code = draft.choices.get("interpreter")
    if not code:
        return ""
    language = language_name(code)
    if draft.choices.get("by_phone"):
        return _("interpreter by telephone, %(language)s") % {"language": language}
    return _("interpreter, %(language)s") % {"language": language}


def interpreter_to_be_said(draft: BookingDraft) -> str:
    """Say of the interpreter what the form will suggest."""
    patient = draft.patient
    if patient is None or not patient.interpreter_needed or not draft.service_type.interpreter_possible:
        return ""
    return _("interpreter, %(language)s") % {"language": language_of_need(patient)}


def listed(names: Iterable[str]) -> str:
    """Write «Kari, Berit Berg og tolk»."""
    every = list(dict.fromkeys(names))
    if len(every) < 2:
        return "".join(every)
    return _("%(most)s and %(last)s") % {"most": ", ".join(every[:-1]), "last": every[-1]}


def when(start: datetime, end: datetime, now: datetime) -> str:
    day, near = plain_day(start, now=now), near_day(start, now=now)
    said = day if near == day else f"{near}, {day}"
    return _("%(day)s at %(time)s") % {"day": capfirst(said), "time": clock_range(start, end)}


def day_said(start: date | datetime, now: datetime) -> tuple[str, str]:
    """Return a day's name and its date: «I morgen», «tirsdag 17. mars»; «Onsdag», «18. mars»."""
    day, near = plain_day(start, now=now), near_day(start, now=now)
    if near != day:
        return capfirst(near), day
    weekday, _space, rest = day.partition(" ")
    return capfirst(weekday), rest


def why_said(why: NoTime, name: Callable[[Blocking], str]) -> str:
    """Say which role stands in the way, never why a person is busy."""
    if why.reason is Reason.TOO_FAR:
        return _("This service cannot be booked so far ahead.")
    if not why.blocking:
        return _("No time suits everyone in this period.")
    block = why.blocking[0]
    who = name(block)
    if block.reason is Reason.NOBODY:
        return _("%(who)s: nobody can fill this role yet. Phone the unit that offers the service.") % {"who": who}
    if block.reason is Reason.NO_OPENINGS:
        return _("%(who)s: no opening hours in this period.") % {"who": who}
    if block.reason is Reason.ALL_TAKEN:
        if block.free_from is not None:
            return _("%(who)s: everything is taken until %(day)s.") % {"who": who, "day": plain_day(block.free_from)}
        return _("%(who)s: everything is taken in this period.") % {"who": who}
    return _("Each has free time, but never all at once.")


def ways_of(why: NoTime, specialists: set[int], now: datetime) -> list[Way]:
    return [way for change in why.suggestions if (way := way_of(change, specialists, now))]


def way_of(change: Suggestion, specialists: set[int], now: datetime) -> Way | None:
    first = change.first.starts_at
    at = words().at.format(day=near_day(first, now=now), clock=clock(first))
    if change.kind is ChangeKind.SHORTER and change.length_minutes:
        label = _("Shorten to %(n)s minutes: first time %(at)s") % {"n": change.length_minutes, "at": at}
        return Way(label, "length", str(change.length_minutes))
    if change.kind is ChangeKind.WITHOUT:
        return Way(_("Interpreter by telephone: first time %(at)s") % {"at": at}, "by_phone", "1")
    if change.kind is ChangeKind.LATER:
        return Way(
            _("Look later: first time %(at)s") % {"at": at}, "from", timezone.localtime(first).date().isoformat()
        )
    performer = change.first.performer
    if performer is None or performer.schedule_id not in specialists:
        return None  # a colleague whom the service does not name must be asked for by telephone
    return Way(
        _("Meet %(name)s instead: first time %(at)s") % {"name": performer.name, "at": at},
        "only",
        str(performer.schedule_id),
    )
