"""The slow, obvious way to find joint times: walk the clock five minutes at a time and ask everyone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

from apps.scheduling.engine.openings import Dated, Weekly
from apps.scheduling.engine.search import Need, Pick, Question
from apps.scheduling.engine.units import DAY, wall_clock


@dataclass(frozen=True)
class Rules:
    """Opening rules as people say them."""

    weekly: tuple[Weekly, ...] = ()
    dated: tuple[Dated, ...] = ()
    closed: frozenset[date] = frozenset()
    always: bool = False


class Clock:
    """A clock on the wall. When it is put back, what it has shown before does not count again."""

    def __init__(self, zone: str, first: int, last: int) -> None:
        self.shows: dict[int, datetime] = {}
        self.has_passed: dict[int, datetime] = {}
        latest = datetime.min
        for unit in range(first - 3 * DAY, last + 3 * DAY):
            self.shows[unit] = wall_clock(zone, unit)
            latest = max(latest, self.shows[unit])
            self.has_passed[unit] = latest

    def is_open(self, rules: Rules, unit: int) -> bool:
        now = self.has_passed[unit]
        if rules.always:
            return True
        if now.date() in rules.closed:
            return False
        for back in range(3):
            day = now.date() - timedelta(days=back)
            spans = [
                (r.start, r.end)
                for r in rules.weekly
                if r.weekday == day.weekday() and r.valid_from <= day <= r.valid_to
            ]
            spans += [(o.start, o.end) for o in rules.dated if o.on == day]
            midnight = datetime(day.year, day.month, day.day)
            if any(
                midnight + timedelta(minutes=start) <= now < midnight + timedelta(minutes=end) for start, end in spans
            ):
                return True
        return False


def slow_times(
    question: Question, rules: dict[int, Rules], taken: list[tuple[int, int, int]]
) -> list[tuple[int, tuple]]:
    """List every time with the people who would come. Pools are in plain order (the model knows no fair load)."""
    clock = Clock(question.zone, question.first, question.last + question.length)

    def free(one: int, unit: int) -> bool:
        return (
            one in rules
            and clock.is_open(rules[one], unit)
            and not any(who == one and start <= unit < end for who, start, end in taken)
        )

    def can_come(one: int, need: Need, start: int) -> bool:
        before, after = (question.before, question.after) if need.buffered else (0, 0)
        return all(free(one, unit) for unit in range(start - before, start + question.length + after))

    times = []
    for start in range(question.first, question.last):
        shown = clock.shows[start]
        if (shown.hour * 60 + shown.minute) % (question.step * 5) or not question.earliest <= start < question.latest:
            continue
        options = []
        for need in question.needs:
            assert need.pick is Pick.ORDERED
            preferred = sorted(need.candidates, key=lambda one: one not in need.usual)
            able = [one for one in preferred if can_come(one, need, start)]
            options.append(able if need.required else [*able, None])
        who = _first_choice(question.needs, options)
        if who:
            times.append((start, who))
    return times


def _first_choice(needs: tuple[Need, ...], options: list[list]) -> tuple | None:
    """Return the first combination of different people; the required needs choose before the optional ones."""
    order = sorted(range(len(needs)), key=lambda n: not needs[n].required)
    for combination in product(*(options[n] for n in order)):
        people = [one for one in combination if one is not None]
        if len(set(people)) == len(people):
            return tuple(combination[order.index(n)] for n in range(len(needs)))
    return None
