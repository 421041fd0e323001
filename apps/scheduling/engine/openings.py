"""When somebody takes appointments: opening rules in local wall time, as bits."""

from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from .bits import stretch
from .units import DAY, DAY_MINUTES, UNIT_MINUTES, first_showing, midnight, monday_before, wall_clock

NO_DAYS: frozenset[date] = frozenset()


class Weekly(NamedTuple):
    """Open each such weekday, from minute to minute of the local day; an end above 1440 is on the day after."""

    weekday: int  # Monday is 0
    start: int
    end: int
    valid_from: date = date.min
    valid_to: date = date.max  # the last day on which it holds


class Dated(NamedTuple):
    """Open on one day only."""

    on: date
    start: int
    end: int


class Openings:
    """One set of opening rules; made by `opening_rules`, which hands out one object for equal rules.

    It is compared by identity, so that looking up its bits costs the same however many rules there are.
    """

    __slots__ = ("always", "closed", "dated", "days_back", "weekly", "zone")

    def __init__(
        self, zone: str, weekly: tuple[Weekly, ...], dated: tuple[Dated, ...], closed: frozenset[date], always: bool
    ) -> None:
        self.zone = zone
        self.weekly = weekly
        self.dated = dated
        self.closed = closed
        self.always = always
        self.days_back = max(
            [0, *(rule.end // DAY_MINUTES for rule in weekly), *(one.end // DAY_MINUTES for one in dated)]
        )


ALWAYS_OPEN = Openings("UTC", (), (), NO_DAYS, always=True)


@lru_cache(maxsize=8192)
def opening_rules(
    zone: str,
    weekly: tuple[Weekly, ...],
    dated: tuple[Dated, ...] = (),
    closed: frozenset[date] = NO_DAYS,
) -> Openings:
    """Return the openings for these rules; on closed days (public holidays) nobody takes appointments."""
    return Openings(zone, weekly, dated, closed, always=False)


@lru_cache(maxsize=4096)
def open_bits(openings: Openings, first: int, last: int) -> int:
    """Return the open units of [first, last)."""
    whole = (1 << (last - first)) - 1
    if openings.always:
        return whole
    bits = 0
    monday = monday_before(openings.zone, first)
    while (begin := midnight(openings.zone, monday)) < last:
        week = _week_bits(openings, monday)
        bits |= week << (begin - first) if begin >= first else week >> (first - begin)
        monday += timedelta(days=7)
    return bits & whole


@lru_cache(maxsize=16384)
def _week_bits(openings: Openings, monday: date) -> int:
    """Return the open units of one local week, which is an hour shorter or longer when the clock changes."""
    zone = openings.zone
    begin, end = midnight(zone, monday), midnight(zone, monday + timedelta(days=7))

    def between(day: date, start: int, stop: int) -> int:
        opens, closes = first_showing(zone, day, start), first_showing(zone, day, stop)
        return stretch(max(opens, begin) - begin, min(closes, end) - begin)

    bits = 0
    for offset in range(-openings.days_back, 7):  # a night shift of the Sunday before reaches into this week
        day = monday + timedelta(days=offset)
        for rule in openings.weekly:
            if rule.weekday == day.weekday() and rule.valid_from <= day <= rule.valid_to:
                bits |= between(day, rule.start, rule.end)
        for opening in openings.dated:
            if opening.on == day:
                bits |= between(day, opening.start, opening.end)
    for offset in range(7):
        day = monday + timedelta(days=offset)
        if day in openings.closed:
            bits &= ~between(day, 0, DAY_MINUTES)
    return bits


@lru_cache(maxsize=1024)
def grid_bits(zone: str, step: int, first: int, last: int) -> int:
    """Return the units of [first, last) whose wall clock is on the grid: every `step` units from local midnight."""
    bits = 0
    monday = monday_before(zone, first)
    while (begin := midnight(zone, monday)) < last:
        week = _week_grid(zone, step, monday)
        bits |= week << (begin - first) if begin >= first else week >> (first - begin)
        monday += timedelta(days=7)
    return bits & ((1 << (last - first)) - 1)


@lru_cache(maxsize=1024)
def _week_grid(zone: str, step: int, monday: date) -> int:
    bits = 0
    begin = midnight(zone, monday)
    for offset in range(7):
        day = monday + timedelta(days=offset)
        start, end = midnight(zone, day), midnight(zone, day + timedelta(days=1))
        usual_day = end - start == DAY
        for unit in range(start, end, step if usual_day else 1):
            if usual_day or _minute_of_day(zone, unit) % (step * UNIT_MINUTES) == 0:  # the clock changes: ask it
                bits |= 1 << (unit - begin)
    return bits


def _minute_of_day(zone: str, unit: int) -> int:
    wall = wall_clock(zone, unit)
    return wall.hour * 60 + wall.minute
