"""Why there is no time, and the smallest change that would open one.

It names the role that stands in the way, never what somebody is busy with: that is read nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations

from .openings import Openings
from .search import JointTime, LoadTaken, Need, Question, Taken, joint_times


class Reason(Enum):
    """What is in the way, for the whole question or for one need."""

    TOO_SOON = "too-soon"  # the window ends before the shortest notice is over
    TOO_FAR = "too-far"  # the window begins after the horizon
    NOBODY = "nobody"  # no one is allowed to fill the role
    NO_OPENINGS = "no-openings"  # nobody who fills the role has opening hours that are long enough
    ALL_TAKEN = "all-taken"  # opening hours there are, but nothing left in them
    NOT_TOGETHER = "not-together"  # each can, but not at the same time


class ChangeKind(Enum):
    """What could be changed, the smallest first."""

    SHORTER = "shorter"
    OTHER_PERSON = "other-person"
    WITHOUT = "without"  # the interpreter by phone, or not on the screen
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Block:
    """A need without which there would be times, or which has none of its own."""

    need: int  # its place in the question
    role: str
    reason: Reason
    free_from: int | None = None  # its first own time after the window, if it has none inside


@dataclass(frozen=True, slots=True)
class Change:
    """A change that opens times: the first of them, how many there are, and what is changed."""

    kind: ChangeKind
    first: JointTime
    count: int
    need: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The answer: what is in the way, which needs, and the changes that help (the smallest first)."""

    reason: Reason
    blocks: tuple[Block, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Leeway:
    """What may be changed. `others` has, for each need, the schedules that could be asked besides."""

    shorter: tuple[int, ...] = ()
    others: tuple[tuple[int, ...], ...] = ()
    without: frozenset[int] = frozenset()
    until: int = 0  # how far a later time is looked for


def why_no_time(
    question: Question, openings: Mapping[int, Openings], load_taken: LoadTaken, leeway: Leeway
) -> WhyNot | None:
    """Explain why nothing fits in the window; None when something does."""
    until = max(question.last, leeway.until)
    begin = max(question.first, question.earliest) - question.before
    taken = load_taken(begin, max(until, begin) + question.length + question.after)
    case = _Case(question, openings, taken, until)
    if case.times(question, limit=1):
        return None
    reason, blocks = case.what_blocks()
    return WhyNot(reason, blocks, tuple(case.changes(leeway)))


class _Case:
    def __init__(self, question: Question, openings: Mapping[int, Openings], taken: Taken, until: int) -> None:
        self._question = question
        self._openings = openings
        self._taken = taken
        self._until = until

    def times(self, question: Question, *, limit: int | None = None, taken: bool = True) -> list[JointTime]:
        gone: Taken = self._taken if taken else {}
        return joint_times(question, self._openings, lambda _begin, _end: gone, limit=limit)

    def what_blocks(self) -> tuple[Reason, tuple[Block, ...]]:
        question = self._question
        if question.last <= question.earliest:
            return Reason.TOO_SOON, ()
        if question.first >= question.latest:
            return Reason.TOO_FAR, ()
        alone = tuple(
            block for n, need in enumerate(question.needs) if need.required and (block := self._alone(n, need))
        )
        if alone:
            return alone[0].reason, alone
        return Reason.NOT_TOGETHER, self._together()

    def _alone(self, n: int, need: Need) -> Block | None:
        """Return the block if this need has no time even when the others are left out."""
        only = replace(self._question, needs=(need,))
        if self.times(only, limit=1):
            return None
        if not any(one in self._openings for one in need.candidates):
            return Block(n, need.role, Reason.NOBODY)
        reason = Reason.ALL_TAKEN if self.times(only, limit=1, taken=False) else Reason.NO_OPENINGS
        later = self.times(self._later(only), limit=1)
        return Block(n, need.role, reason, later[0].start if later else None)

    def _together(self) -> tuple[Block, ...]:
        """Return the fewest needs without which there would be times: one if any one will do, else two, and so on."""
        needs = self._question.needs
        required = [n for n, need in enumerate(needs) if need.required]
        for size in range(1, len(required)):
            culprits: set[int] = set()
            for left_out in combinations(required, size):
                rest = tuple(need for n, need in enumerate(needs) if n not in left_out)
                if self.times(replace(self._question, needs=rest), limit=1):
                    culprits.update(left_out)
            if culprits:
                return tuple(Block(n, needs[n].role, Reason.NOT_TOGETHER) for n in sorted(culprits))
        return ()

    def changes(self, leeway: Leeway) -> list[Change]:
        question = self._question
        changes: list[Change | None] = []
        for length in sorted(leeway.shorter, reverse=True):
            if length < question.length and not any(changes):
                changes.append(self._try(ChangeKind.SHORTER, replace(question, length=length), length=length))
        for n, others in enumerate(leeway.others):
            need = question.needs[n]
            more = tuple(one for one in others if one not in need.candidates)
            if more:
                wider = replace(need, candidates=need.candidates + more)
                changes.append(self._try(ChangeKind.OTHER_PERSON, self._with(n, wider), need=n))
        for n in sorted(leeway.without):
            optional = replace(question.needs[n], candidates=(), required=False)
            changes.append(self._try(ChangeKind.WITHOUT, self._with(n, optional), need=n))
        changes.append(self._try(ChangeKind.LATER, self._later(question)))
        return [change for change in changes if change]

    def _try(
        self, kind: ChangeKind, question: Question, *, need: int | None = None, length: int | None = None
    ) -> Change | None:
        times = self.times(question)
        return Change(kind, times[0], len(times), need=need, length=length) if times else None

    def _with(self, n: int, need: Need) -> Question:
        needs = self._question.needs
        return replace(self._question, needs=(*needs[:n], need, *needs[n + 1 :]))

    def _later(self, question: Question) -> Question:
        return replace(question, first=question.last, last=self._until)
