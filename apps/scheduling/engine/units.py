"""Units of five minutes since 1970, and where the wall clock stands in them."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

UNIT_SECONDS = 300
UNIT_MINUTES = 5
DAY_MINUTES = 1440
DAY = DAY_MINUTES // UNIT_MINUTES
WEEK = 7 * DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_UNIT = timedelta(seconds=UNIT_SECONDS)


def unit_at(moment: datetime) -> int:
    """Return the unit in which this moment falls."""
    return (moment - _EPOCH) // _ONE_UNIT


def unit_after(moment: datetime) -> int:
    """Return the first unit that starts at this moment or later."""
    return -((_EPOCH - moment) // _ONE_UNIT)


def units_in(length: timedelta) -> int:
    """Return how many units hold this length."""
    return -(-length // _ONE_UNIT)


def moment_of(unit: int) -> datetime:
    return _EPOCH + unit * _ONE_UNIT


def wall_clock(zone: str, unit: int) -> datetime:
    """Return what a clock on the wall shows, without a zone."""
    return moment_of(unit).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def first_showing(zone: str, day: date, minute: int) -> int:
    """Return the first unit at which the wall clock shows this minute of the day, or has passed it.

    So a time that the clock jumps over in spring is the jump itself, and of a time that comes twice in autumn
    the first counts. Minutes from 1440 on belong to the days after.
    """
    ahead, minute = divmod(minute, DAY_MINUTES)
    wall = datetime(day.year, day.month, day.day) + timedelta(days=ahead, minutes=minute)  # noqa: DTZ001 wall time
    unit = unit_at(wall.replace(tzinfo=ZoneInfo(zone)))
    if wall_clock(zone, unit) == wall:
        return unit
    unit = unit_at(wall.replace(tzinfo=ZoneInfo(zone), fold=1))
    while wall_clock(zone, unit) < wall:
        unit += 1
    return unit


@lru_cache(maxsize=4096)
def midnight(zone: str, day: date) -> int:
    return first_showing(zone, day, 0)


def monday_before(zone: str, unit: int) -> date:
    """Return the Monday of the local week in which the unit lies."""
    day = wall_clock(zone, unit).date()
    return day - timedelta(days=day.weekday())
