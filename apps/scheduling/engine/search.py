"""The first times when every need of an appointment is met, and who would come."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from typing import NamedTuple

from .bits import positions, run_starts
from .openings import Openings, grid_bits, open_bits
from .units import WEEK

Taken = Mapping[int, Sequence[tuple[int, int]]]
"""Time that is gone, by schedule: first unit, and the unit after the last. It may reach beyond what was asked for."""

LoadTaken = Callable[[int, int], Taken]
"""Reads what is taken of all schedules in question between two units."""

CHUNKS = (WEEK, 2 * WEEK)
"""Read a week, then two, then the rest: most searches end in the first; a full diary is not read in six pieces."""


class Pick(Enum):
    """Who of a pool comes when several can."""

    ORDERED = "ordered"
    FAIR = "fair"


@dataclass(frozen=True, slots=True)
class Need:
    """A role that must be filled, by a named schedule or by any one of a pool."""

    role: str
    candidates: tuple[int, ...]
    required: bool = True
    buffered: bool = True  # performers also give the time before and after; the patient does not
    pick: Pick = Pick.ORDERED
    usual: frozenset[int] = frozenset()  # whom the patient knows comes first, whatever the order


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. All times are units; starts lie in [first, last) and in [earliest, latest)."""

    needs: tuple[Need, ...]
    length: int
    first: int
    last: int
    earliest: int  # now and the shortest notice
    latest: int  # now and the horizon
    before: int = 0
    after: int = 0
    step: int = 3
    zone: str = "Europe/Oslo"
    chunks: tuple[int, ...] = CHUNKS  # how much is read at a time, in order; then the rest
    weighed: tuple[int, int] | None = None  # the stretch in which the load of a fair pool counts; else what is read

    @property
    def starts(self) -> tuple[int, int]:
        return max(self.first, self.earliest), min(self.last, self.latest)


class JointTime(NamedTuple):
    """A start at which everyone can come; `who` has one schedule for each need, or None for an optional one."""

    start: int
    who: tuple[int | None, ...]


def joint_times(
    question: Question, openings: Mapping[int, Openings], load_taken: LoadTaken, *, limit: int | None = None
) -> list[JointTime]:
    """List the first times, the earliest first; schedules without openings are never free."""
    found: list[JointTime] = []
    for times, _reached in joint_times_by_stretch(question, openings, load_taken, limit=limit):
        found += times
    return found


def joint_times_by_stretch(
    question: Question, openings: Mapping[int, Openings], load_taken: LoadTaken, *, limit: int | None = None
) -> Iterator[tuple[list[JointTime], int]]:
    """Yield the times of one stretch after the other, each with the unit where its starts end, for who stops early."""
    left = limit
    for first, last in _chunks(question):
        times = _times_in(question, first, last, openings, load_taken, left)
        yield times, last
        if left is not None:
            left -= len(times)
            if left <= 0:
                break


def narrowed(question: Question, start: int, chosen: Mapping[int, int]) -> Question:
    """Ask about one start only, and for some needs (by place) about one candidate only.

    Listing, holding and booking so share one search: what it lists it also finds when asked about it.
    """
    needs = tuple(
        replace(need, candidates=tuple(one for one in need.candidates if one == chosen.get(n, one)))
        for n, need in enumerate(question.needs)
    )
    return replace(question, needs=needs, first=start, last=start + 1, weighed=_listed_with(question, start))


def _listed_with(question: Question, start: int) -> tuple[int, int] | None:
    """Return what a list from now on reads along with this start: in a pool, the one whom it shows is to come."""
    whole = replace(question, first=question.earliest, last=question.latest, chunks=CHUNKS)
    return next((_reach(question, *chunk) for chunk in _chunks(whole) if chunk[0] <= start < chunk[1]), None)


def first_read(question: Question) -> tuple[int, int]:
    """Return the stretch that the search will read first, for those who can read it along with the rest."""
    return _reach(question, *next(iter(_chunks(question)), (0, 0)))


def _reach(question: Question, first: int, last: int) -> tuple[int, int]:
    return first - question.before, last + question.length + question.after


def _chunks(question: Question) -> Iterable[tuple[int, int]]:
    first, last = question.starts
    for length in question.chunks:
        if first >= last:
            return
        yield first, min(first + length, last)
        first += length
    if first < last:
        yield first, last


def _times_in(
    question: Question,
    first: int,
    last: int,
    openings: Mapping[int, Openings],
    load_taken: LoadTaken,
    limit: int | None,
) -> list[JointTime]:
    diary = _Diary(question, first, last, openings, load_taken)
    possible = grid_bits(question.zone, question.step, first, last)
    for need in sorted(question.needs, key=lambda need: len(need.candidates)):
        if need.required:
            possible &= diary.anyone(need)
            if not possible:
                return []

    ranked = [(need, diary.ranked(need)) for need in question.needs]
    shared = _pools_overlap(question.needs)
    if not shared and all(need.required and len(able) == 1 for need, able in ranked):
        only = tuple(able[0][0] for _need, able in ranked)  # nobody has to be chosen
        return [JointTime(first + start, only) for start in islice(positions(possible), limit)]
    found: list[JointTime] = []
    for start in positions(possible):
        who = _distinct(ranked, start) if shared else _first_free(ranked, start)
        if who is not None:
            found.append(JointTime(first + start, who))
            if len(found) == limit:
                break
    return found


class _Diary:
    """The starts each candidate could take in one chunk."""

    def __init__(
        self, question: Question, first: int, last: int, openings: Mapping[int, Openings], load_taken: LoadTaken
    ) -> None:
        self._question = question
        self._begin, self._end = _reach(question, first, last)
        self._whole = (1 << (last - first)) - 1
        self._openings = openings
        self._load_taken = load_taken
        self._taken = _taken_bits(load_taken(self._begin, self._end), self._begin, self._end)
        self._starts: dict[tuple[int, bool], int] = {}
        self._weighed: tuple[int, int, Mapping[int, int]] | None = None

    def starts(self, one: int, buffered: bool) -> int:
        """Return the starts in the chunk at which this schedule is free for long enough."""
        bits = self._starts.get((one, buffered))
        if bits is None:
            bits = self._starts[one, buffered] = self._find_starts(one, buffered)
        return bits

    def _find_starts(self, one: int, buffered: bool) -> int:
        rules = self._openings.get(one)
        if rules is None:
            return 0
        free = open_bits(rules, self._begin, self._end)
        taken = self._taken.get(one)
        if taken:
            free ^= free & taken
        question = self._question
        if buffered:  # the run begins with the time before, so its first bit is already the start of the meeting
            return run_starts(free, question.before + question.length + question.after) & self._whole
        return run_starts(free >> question.before, question.length) & self._whole

    def anyone(self, need: Need) -> int:
        """Return the starts at which at least one candidate could come."""
        bits = 0
        for one in need.candidates:
            bits |= self.starts(one, need.buffered)
        return bits

    def ranked(self, need: Need) -> list[tuple[int, int]]:
        """List the candidates who can come at all, the preferred first, with their starts."""
        able = [(one, bits) for one in need.candidates if (bits := self.starts(one, need.buffered))]
        if need.pick is Pick.FAIR and len(able) > 1:
            able.sort(key=lambda pair: self._load(pair[0]))
        if need.usual:
            able.sort(key=lambda pair: pair[0] not in need.usual)
        return able

    def _load(self, one: int) -> float:
        """Return how much of the open time is taken: half a position carries half the load."""
        if self._weighed is None:
            self._weighed = self._weigh()
        begin, end, taken = self._weighed
        opened = open_bits(self._openings[one], begin, end)
        return (opened & taken.get(one, 0)).bit_count() / opened.bit_count()

    def _weigh(self) -> tuple[int, int, Mapping[int, int]]:
        """Return the stretch in which the load counts, and what is taken in it: read only where people are compared."""
        if self._question.weighed is None:
            return self._begin, self._end, self._taken
        begin, end = self._question.weighed
        return begin, end, _taken_bits(self._load_taken(begin, end), begin, end)


Ranked = Sequence[tuple[Need, list[tuple[int, int]]]]


def _taken_bits(taken: Taken, begin: int, end: int) -> dict[int, int]:
    whole = (1 << (end - begin)) - 1
    result: dict[int, int] = {}
    for one, stretches in taken.items():
        bits = 0
        origin = min(stretches)[0]
        for start, stop in stretches:
            bits |= ((1 << (stop - start)) - 1) << (start - origin)
        result[one] = (bits << (origin - begin) if origin >= begin else bits >> (begin - origin)) & whole
    return result


def _pools_overlap(needs: Iterable[Need]) -> bool:
    seen: set[int] = set()
    for need in needs:
        if not seen.isdisjoint(need.candidates):
            return True
        seen.update(need.candidates)
    return False


def _first_free(ranked: Ranked, start: int) -> tuple[int | None, ...]:
    who: list[int | None] = []
    for _, able in ranked:
        for one, bits in able:
            if bits >> start & 1:
                who.append(one)
                break
        else:
            who.append(None)
    return tuple(who)


def _distinct(ranked: Ranked, start: int) -> tuple[int | None, ...] | None:
    """Choose different people for all required needs, the first need having the first choice; then the optional."""
    options = [[one for one, bits in able if bits >> start & 1] for _, able in ranked]
    required = [n for n, (need, _) in enumerate(ranked) if need.required]
    if not _can_all_be_filled([options[n] for n in required]):
        return None

    who: list[int | None] = [None] * len(options)
    used: set[int] = set()
    for done, n in enumerate(required, start=1):
        for one in options[n]:
            if one in used:
                continue
            rest = [[other for other in options[m] if other != one and other not in used] for m in required[done:]]
            if _can_all_be_filled(rest):
                who[n] = one
                used.add(one)
                break
    for n, (need, _) in enumerate(ranked):
        if not need.required:
            for one in options[n]:
                if one not in used:
                    who[n] = one
                    used.add(one)
                    break
    return tuple(who)


def _can_all_be_filled(options: Sequence[Sequence[int]]) -> bool:
    """Say whether each can have one of its options and nobody is chosen twice (bipartite matching)."""
    chosen: dict[int, int] = {}

    def place(n: int, tried: set[int]) -> bool:
        for one in options[n]:
            if one in tried:
                continue
            tried.add(one)
            if one not in chosen or place(chosen[one], tried):
                chosen[one] = n
                return True
        return False

    return all(place(n, set()) for n in range(len(options)))
