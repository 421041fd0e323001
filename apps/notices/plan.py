"""Who is told what, when and how. Nothing is written here: the same plan is shown before and carried out after."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import override

from apps.common import dates
from apps.common.languages import language_name
from apps.messaging import hours
from apps.messaging.models import Channel
from apps.messaging.queries import soonest

from . import texts
from .people import Person

BEFORE: Final = {texts.REMINDER_2_DAYS: timedelta(days=2), texts.REMINDER_2_HOURS: timedelta(hours=2)}
TOO_CLOSE: Final = {texts.REMINDER_2_DAYS: timedelta(hours=12), texts.REMINDER_2_HOURS: timedelta(hours=2)}
"""A reminder that would follow the message before it closer than this is left out."""

NOT_AFTER: Final = {texts.REMINDER_2_DAYS: timedelta(hours=24)}
"""A reminder that comes later than this before the start would only meet the next one."""

EVENING: Final = time(20)
TIME_TO_READ: Final = timedelta(minutes=45)

REQUEST, CANCEL = "REQUEST", "CANCEL"
NO_TIME: Final = "no-time"

LinkOf = Callable[[Person], str]


@dataclass(frozen=True)
class Session:
    """What messages may know of a session."""

    starts_at: datetime
    ends_at: datetime
    reference: str
    phone: str
    sender: str
    signature: str
    interpreter_language: str = ""
    interpreter_by_phone: bool = False


@dataclass(frozen=True)
class Planned:
    """One message to one person."""

    person: Person
    purpose: str
    channel: str
    address: str
    language: str
    subject: str
    body: str
    sender: str
    due_at: datetime
    not_after: datetime
    calendar_method: str = ""
    reserve: "Planned | None" = None

    @property
    def can_be_sent(self) -> bool:
        return self.due_at < self.not_after


@dataclass(frozen=True)
class Gap:
    """Somebody whom no message reaches: she is told by telephone or letter, and staff can see it."""

    person: Person
    why: str


@dataclass(frozen=True)
class Plan:
    messages: list[Planned]
    gaps: list[Gap]


def plan(
    session: Session,
    people: Iterable[Person],
    purpose: str,
    *,
    now: datetime,
    link_of: LinkOf,
    done_by: int | None = None,
) -> Plan:
    """Return what is said to these people, and who cannot be told.

    Whoever did it herself (`done_by`, a user id) needs no mail about it, unless she is the specialist:
    hers carries the session into her calendar.
    """
    messages: list[Planned] = []
    gaps: list[Gap] = []
    for person in people:
        if done_by is not None and person.user_id == done_by and person.role != "performer":
            continue
        if not person.ways:
            gaps.append(Gap(person, person.why_not))
            continue
        first = _first(session, person, purpose, now=now, link_of=link_of)
        messages.append(first)
        if not first.can_be_sent:
            gaps.append(Gap(person, NO_TIME))
        elif purpose != texts.CANCELLED and person.audience in texts.BY_LINK:
            messages += _reminders(session, person, after=first.due_at, link_of=link_of)
    return Plan(messages, gaps)


def _first(session: Session, person: Person, purpose: str, *, now: datetime, link_of: LinkOf) -> Planned:
    """Write the message that goes now, or in the morning, with the next way in reserve."""
    ways = []
    for way in person.ways[:2]:
        due_at = soonest(way[0], now)
        not_after = _helps_until(session, due_at, now)
        ways.append(_write(session, person, purpose, way, due_at=due_at, not_after=not_after, link_of=link_of))
    return _with_reserve(ways)


def _with_reserve(ways: list[Planned]) -> Planned:
    first, *reserve = ways
    return replace(first, reserve=reserve[0]) if reserve else first


def _helps_until(session: Session, due_at: datetime, now: datetime) -> datetime:
    """Return when it is too late for a message. Who is late can still join, so a link helps until the end; but where
    it would wait for the morning while the session begins, she is called instead.
    """
    return session.starts_at if now < session.starts_at <= due_at else session.ends_at


def _reminders(session: Session, person: Person, *, after: datetime, link_of: LinkOf) -> list[Planned]:
    planned = []
    for purpose in texts.REMINDERS:
        due_at = reminder_due(purpose, session.starts_at)
        if due_at - after < TOO_CLOSE[purpose]:
            continue
        not_after = session.starts_at - NOT_AFTER.get(purpose, timedelta(0))
        ways = [
            _write(session, person, purpose, way, due_at=due_at, not_after=not_after, link_of=link_of)
            for way in person.ways[:2]
        ]
        planned.append(_with_reserve(ways))
        after = due_at
    return planned


def reminder_due(purpose: str, starts_at: datetime) -> datetime:
    """Return when a reminder is due: never at night, never so late that there is no time to read it."""
    # Two days earlier is the same time on the wall, two hours earlier is two hours: also when the clocks change.
    zone = timezone.get_default_timezone() if purpose == texts.REMINDER_2_DAYS else UTC
    wanted = starts_at.astimezone(zone) - BEFORE[purpose]
    if not hours.is_quiet(wanted):
        return wanted.astimezone(UTC)
    local = timezone.localtime(wanted)
    if local.hour >= settings.QUIET_FROM_HOUR:
        return hours.wall(datetime.combine(local.date(), EVENING))
    morning = hours.after_quiet(wanted)
    if morning <= starts_at - TIME_TO_READ:
        return morning
    return hours.wall(datetime.combine(local.date() - timedelta(days=1), EVENING))


def _write(
    session: Session,
    person: Person,
    purpose: str,
    way: tuple[str, str],
    *,
    due_at: datetime,
    not_after: datetime,
    link_of: LinkOf,
) -> Planned:
    channel, address = way
    language = person.language if person.language in texts.languages_of(person.audience) else "nb"
    written = texts.write(
        audience=person.audience,
        purpose=purpose,
        channel=channel,
        language=language,
        facts=_facts(session, person, purpose, language=language, due_at=due_at, link_of=link_of),
    )
    invites = person.invited and person.audience not in texts.BY_LINK and channel == Channel.EMAIL
    return Planned(
        person=person,
        purpose=purpose,
        channel=channel,
        address=address,
        language=language,
        subject=written.subject,
        body=written.body,
        sender=session.sender if channel == Channel.SMS else session.signature,
        due_at=due_at,
        not_after=not_after,
        calendar_method=(CANCEL if purpose == texts.CANCELLED else REQUEST) if invites else "",
    )


def _facts(
    session: Session, person: Person, purpose: str, *, language: str, due_at: datetime, link_of: LinkOf
) -> texts.Facts:
    clock = dates.clock(session.starts_at, language=language)
    said = dates.words(language)
    with override(language):
        spoken = language_name(session.interpreter_language) if session.interpreter_language else ""
    return texts.Facts(
        when=said.at.format(day=dates.plain_day(session.starts_at, now=due_at, language=language), clock=clock),
        near=said.at.format(day=dates.near_day(session.starts_at, now=due_at, language=language), clock=clock),
        link=link_of(person) if texts.needs_link(purpose) else "",
        phone=session.phone,
        sender=session.signature,
        reference=session.reference,
        minutes=int((session.ends_at - session.starts_at).total_seconds() // 60),
        mode=texts.mode(by_phone=session.interpreter_by_phone, language=language),
        language=spoken,
    )
