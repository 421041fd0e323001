"""When a session can be: one search for the list, the hold and the booking, so that what is shown can be booked."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from django.utils import timezone

from apps.common.dates import local_date

from ..engine.explain import Change, ChangeKind, Leeway, Reason
from ..engine.explain import why_no_time as explain
from ..engine.search import (
    CHUNKS,
    JointTime,
    Need,
    Pick,
    Question,
    first_read,
    joint_times,
    joint_times_by_stretch,
    narrowed,
)
from ..engine.units import UNIT_MINUTES, moment_of, unit_after, unit_at, units_in
from ..models import Appointment, ParticipantRole
from .appointments import local_day
from .diaries import ZONE, Candidates, Diaries, Reading, diaries
from .request import HOLD_LENGTH, BookingRequest, Ignoring, Needed, OpenTime, Who, request_of

NOTHING = Ignoring()
ONE_UNIT = timedelta(minutes=UNIT_MINUTES)
UNITS_A_DAY: Final = timedelta(hours=25) // ONE_UNIT


MOST_TO_MOVE_TO: Final = 120
SHOWN_A_DAY: Final = 4


class TimesOfDay(NamedTuple):
    """A day's times: the first few, and the rest, which are a tap away."""

    date: date
    first: list[OpenTime]
    more: list[OpenTime]


@dataclass(frozen=True, slots=True)
class Blocking:
    """A role that stands in the way. `free_from` is its own first time after the window, if it had none inside."""

    need_id: int | None
    role: str
    label: str
    reason: Reason
    free_from: datetime | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A change that would open times: how many there are and the first; `need` is whom the change is about."""

    kind: ChangeKind
    count: int
    first: OpenTime
    need_id: int | None = None
    role: str = ""
    label: str = ""
    length_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class NoTime:
    """Why nothing fits; suggestions are in order, the smallest change first."""

    reason: Reason
    blocking: tuple[Blocking, ...]
    suggestions: tuple[Suggestion, ...]


def open_times(
    request: BookingRequest,
    *,
    now: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = 20,
    ignoring: Ignoring = NOTHING,
) -> list[OpenTime]:
    """List the first times when everyone who is needed can come: one query, and one for each further stretch."""
    search = _Search(request, now=now, start=start, end=end, ignoring=ignoring)
    return search.all_shown(joint_times(search.question, search.openings, search.load, limit=limit))


def open_times_until(
    request: BookingRequest,
    *,
    now: datetime,
    start: datetime | None = None,
    enough: Callable[[list[OpenTime], datetime], bool],
    first_stretch: datetime | None = None,
    ignoring: Ignoring = NOTHING,
) -> tuple[list[OpenTime], tuple[Needed, ...]]:
    """List times from the first on until they are `enough`: asked after each stretch, with the end of what was read.

    What lies before `first_stretch` is read at once. The service's roles come along, as the search read them.
    """
    search = _Search(request, now=now, start=start, end=None, ignoring=ignoring, first_stretch=first_stretch)
    found: list[OpenTime] = []
    for times, reached in joint_times_by_stretch(search.question, search.openings, search.load):
        found += search.all_shown(times)
        if enough(found, moment_of(reached)):
            break
    return found, search.roles


def times_to_move_to(
    appointment: Appointment, *, now: datetime, start: datetime | None, at_most: int = MOST_TO_MOVE_TO
) -> tuple[list[OpenTime], date | None]:
    """List the first other times of an appointment, day by day as `whole_days` keeps them."""
    limit, ignoring = at_most + UNITS_A_DAY + 1, Ignoring(appointment_id=appointment.pk)
    times = open_times(request_of(appointment), now=now, start=start, limit=limit, ignoring=ignoring)
    return whole_days([time for time in times if time.starts_at != appointment.starts_at], at_most)


def whole_days(times: Sequence[OpenTime], at_most: int) -> tuple[list[OpenTime], date | None]:
    """Keep whole days, as many as have `at_most` times together and at least one; and return the day to go on from.

    So a page that shows some of the times and another that goes on from a day hide none between them.
    """
    if len(times) <= at_most:
        return list(times), None
    cut = timezone.localdate(times[at_most].starts_at)
    if cut == timezone.localdate(times[0].starts_at):
        cut += timedelta(days=1)
    kept = bisect_left(times, local_day(cut)[0], key=lambda time: time.starts_at)
    return list(times[:kept]), timezone.localdate(times[kept].starts_at) if kept < len(times) else None


def by_day(times: Iterable[OpenTime]) -> list[TimesOfDay]:
    """Put times, the earliest first, under their days in Norway."""
    days = [(day, list(some)) for day, some in groupby(times, key=lambda time: local_date(time.starts_at))]
    return [TimesOfDay(day, some[:SHOWN_A_DAY], some[SHOWN_A_DAY:]) for day, some in days]


def time_is_open(
    request: BookingRequest,
    starts_at: datetime,
    *,
    now: datetime,
    who: Mapping[int, int] | None = None,
    ignoring: Ignoring = NOTHING,
) -> OpenTime | None:
    """Return the time if it can be booked, by those named in `who` (need to schedule) where they are named.

    A time that is held has met the notice when it was held.
    """
    start = unit_at(starts_at)
    if moment_of(start) != starts_at:
        return None
    asked_at = now - HOLD_LENGTH if ignoring.hold_id else now
    search = _Search(request, now=now, start=starts_at, end=starts_at + ONE_UNIT, ignoring=ignoring, asked_at=asked_at)
    question = narrowed(search.question, start, search.places(who or {}))
    times = joint_times(question, search.openings, search.load, limit=1)
    return search.shown(times[0]) if times else None


def why_no_time(
    request: BookingRequest,
    *,
    now: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
    ignoring: Ignoring = NOTHING,
) -> NoTime | None:
    """Say who or what stands in the way and which change would open times; None when there are times."""
    search = _Search(request, now=now, start=start, end=end, ignoring=ignoring, widen=True)
    answer = explain(search.question, search.openings, search.load, search.leeway())
    if answer is None:
        return None
    blocking = []
    for block in answer.blocks:
        need = search.needs[block.need]
        free_from = None if block.free_from is None else moment_of(block.free_from)
        blocking.append(Blocking(need.need_id, need.role, need.label, block.reason, free_from))
    return NoTime(answer.reason, tuple(blocking), tuple(search.suggestion(change) for change in answer.changes))


def who_is_missing(
    request: BookingRequest,
    starts_at: datetime,
    *,
    now: datetime,
    who: Mapping[int, int] | None = None,
    ignoring: Ignoring = NOTHING,
) -> str:
    """Name the role that nobody can fill at this time; empty when it is not for want of people."""
    search = _Search(request, now=now, start=starts_at, end=starts_at + ONE_UNIT, ignoring=ignoring)
    question = narrowed(search.question, unit_at(starts_at), search.places(who or {}))
    answer = explain(question, search.openings, search.load, Leeway())
    return answer.blocks[0].role if answer and answer.blocks else ""


class _Search:
    """A request turned into a question for the engine, and the engine's answers turned back."""

    def __init__(
        self,
        request: BookingRequest,
        *,
        now: datetime,
        start: datetime | None,
        end: datetime | None,
        ignoring: Ignoring,
        asked_at: datetime | None = None,
        first_stretch: datetime | None = None,
        widen: bool = False,
    ) -> None:
        service = request.service_type
        self._length = request.length
        self._who: dict[tuple[int | None, ...], tuple[Who, ...]] = {}
        earliest = (asked_at or now) + service.shortest_notice
        latest = now + timedelta(days=service.horizon_days)
        first, last = start or earliest, end or latest
        question = Question(
            needs=(),
            length=units_in(self._length),
            first=unit_after(first),
            last=unit_after(last),
            earliest=unit_after(earliest),
            latest=unit_after(latest),
            before=service.buffer_before_minutes // UNIT_MINUTES,
            after=service.buffer_after_minutes // UNIT_MINUTES,
            step=service.start_grid_minutes // UNIT_MINUTES,
            zone=ZONE,
        )
        if first_stretch is not None and (stretch := unit_after(first_stretch) - question.starts[0]) > 0:
            question = replace(question, chunks=(stretch, *CHUNKS))
        reading = Reading(*first_read(question), now, ignoring.hold_id, ignoring.appointment_id)
        since, until = _day(min(first, latest)), _day(max(last, latest))
        found = _diaries(request, since=since, until=until, reading=reading, widen=widen)
        self.needs = _restricted(found.needs, request.only)
        self.roles, self.openings, self.load, self._names = found.roles, found.openings, found.load, found.names
        self.question = replace(question, needs=tuple(_asked(need, request.prefer) for need in self.needs))

    def places(self, who: Mapping[int, int]) -> dict[int, int]:
        return {
            n: who[need.need_id]
            for n, need in enumerate(self.needs)
            if need.need_id is not None and need.need_id in who
        }

    def shown(self, time: JointTime) -> OpenTime:
        return self.all_shown([time])[0]

    def all_shown(self, times: Iterable[JointTime]) -> list[OpenTime]:
        """Turn times of the engine into those that are shown: there are hundreds, and few sets of people."""
        known, length = self._who, self._length
        return [
            OpenTime(starts_at := moment_of(start), starts_at + length, known.get(people) or self._coming(people))
            for start, people in times
        ]

    def _coming(self, people: tuple[int | None, ...]) -> tuple[Who, ...]:
        who = self._who[people] = tuple(
            self._who_is(need, one) for need, one in zip(self.needs, people, strict=True) if one is not None
        )
        return who

    def _who_is(self, need: Candidates, one: int) -> Who:
        name, title, uid = self._names[one]
        return Who(need.need_id, need.role, one, name, title, UUID(uid) if uid else None)

    def leeway(self) -> Leeway:
        length = self.question.length
        return Leeway(
            shorter=tuple(range(max(3, -(-length // 2)), length)),  # down to the half, and never under 15 minutes
            others=tuple(need.others for need in self.needs),
            without=frozenset(n for n, need in enumerate(self.needs) if need.role == ParticipantRole.INTERPRETER),
            until=self.question.latest,
        )

    def suggestion(self, change: Change) -> Suggestion:
        first = self.shown(change.first)
        minutes = None
        if change.length is not None:
            minutes = change.length * UNIT_MINUTES
            first = first._replace(ends_at=first.starts_at + timedelta(minutes=minutes))
        if change.need is None:
            return Suggestion(change.kind, change.count, first, length_minutes=minutes)
        need = self.needs[change.need]
        return Suggestion(change.kind, change.count, first, need.need_id, need.role, need.label, minutes)


def _day(moment: datetime) -> date:
    return timezone.localdate(moment)


def _diaries(request: BookingRequest, *, since: date, until: date, reading: Reading, widen: bool) -> Diaries:
    service, patient = request.service_type, request.patient
    return diaries(
        service_type_id=service.pk,
        unit_id=service.unit_id,
        requester_id=request.requester.pk if request.requester else None,
        person_index=bytes(patient.person_index) if patient else None,
        language="" if request.interpreter_by_phone else request.interpreter_language,
        since=since,
        until=until,
        reading=reading,
        widen=widen,
    )


def _restricted(needs: tuple[Candidates, ...], only: Collection[int]) -> tuple[Candidates, ...]:
    """Leave only those asked for in the performers' needs that they belong to; nobody if they belong to none."""
    if not only:
        return needs
    known = any(one in only for need in needs if need.role == ParticipantRole.PERFORMER for one in need.schedules)
    return tuple(
        _only(need, only)
        if need.role == ParticipantRole.PERFORMER and (not known or any(one in only for one in need.schedules))
        else need
        for need in needs
    )


def _only(need: Candidates, only: Collection[int]) -> Candidates:
    left_out = tuple(one for one in need.schedules if one not in only)
    return need._replace(schedules=tuple(one for one in need.schedules if one in only), others=need.others + left_out)


def _asked(need: Candidates, prefer: Collection[int]) -> Need:
    return Need(
        role=need.role,
        candidates=need.schedules,
        required=need.required,
        buffered=need.role == ParticipantRole.PERFORMER,
        pick=Pick.FAIR if need.fair else Pick.ORDERED,
        usual=frozenset(prefer),
    )
