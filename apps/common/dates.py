"""Dates and times as people say them, in the active language (ui section 18).

Django has no Northern Sami, and its other forms are not the house's, so the words stand here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import get_language

OSLO: Final = ZoneInfo("Europe/Oslo")
"""Whose wall clock openings, days and quiet hours go by."""

TYPED: Final = ["%d.%m.%Y", "%Y-%m-%d", "%d%m%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %m %Y"]
"""How people type a date."""

TYPED_CLOCK: Final = ["%H.%M", "%H:%M", "%H", "%H%M"]
"""How people type a time; a number pad has neither full stop nor colon."""


@dataclass(frozen=True)
class Words:
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    day_of_month: str
    with_year: str
    month_of_year: str
    yesterday: str
    today: str
    tomorrow: str
    at: str
    separator: str
    week: str

    def clock(self, local: time) -> str:
        """Write a time on the wall: «10.30»."""
        return f"{local.hour:02}{self.separator}{local.minute:02}"


NORWEGIAN_MONTHS = (
    "januar",
    "februar",
    "mars",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "desember",
)

WORDS: Final = {
    "nb": Words(
        weekdays=("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"),
        months=NORWEGIAN_MONTHS,
        day_of_month="{weekday} {day}. {month}",
        with_year="{weekday} {day}. {month} {year}",
        month_of_year="{month} {year}",
        yesterday="i går",
        today="i dag",
        tomorrow="i morgen",
        at="{day} kl. {clock}",
        separator=".",
        week="uke {week}",
    ),
    "nn": Words(
        weekdays=("måndag", "tysdag", "onsdag", "torsdag", "fredag", "laurdag", "sundag"),
        months=NORWEGIAN_MONTHS,
        day_of_month="{weekday} {day}. {month}",
        with_year="{weekday} {day}. {month} {year}",
        month_of_year="{month} {year}",
        yesterday="i går",
        today="i dag",
        tomorrow="i morgon",
        at="{day} kl. {clock}",
        separator=".",
        week="veke {week}",
    ),
    "se": Words(
        weekdays=("vuossárga", "maŋŋebárga", "gaskavahkku", "duorastat", "bearjadat", "lávvardat", "sotnabeaivi"),
        months=(
            "ođđajagemánu",
            "guovvamánu",
            "njukčamánu",
            "cuoŋománu",
            "miessemánu",
            "geassemánu",
            "suoidnemánu",
            "borgemánu",
            "čakčamánu",
            "golggotmánu",
            "skábmamánu",
            "juovlamánu",
        ),
        day_of_month="{weekday} {month} {day}. b.",
        with_year="{weekday} {month} {day}. b. {year}",
        month_of_year="{month} {year}",
        yesterday="ikte",
        today="odne",
        tomorrow="ihttin",
        at="{day} dii. {clock}",
        separator=".",
        week="vahkku {week}",
    ),
    "en": Words(
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        months=(
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        day_of_month="{weekday} {day} {month}",
        with_year="{weekday} {day} {month} {year}",
        month_of_year="{month} {year}",
        yesterday="yesterday",
        today="today",
        tomorrow="tomorrow",
        at="{day} at {clock}",
        separator=":",
        week="week {week}",
    ),
}


def words(language: str | None = None) -> Words:
    return WORDS.get((language or get_language() or "nb")[:2], WORDS["nb"])


def local(moment: datetime) -> datetime:
    """Return the moment in Norway's time; what has no zone is a wall time already."""
    return moment.astimezone(timezone.get_default_timezone()) if moment.tzinfo is not None else moment


def moment_at(day: date, clock: time, *, last: bool = False) -> datetime:
    """Return when the clock on Norway's walls shows this.

    What it jumps over in spring is the jump itself. What it shows twice in autumn is the first of the two, or the `last`.
    """
    wall = datetime.combine(day, clock)
    moment = wall.replace(tzinfo=OSLO, fold=int(last)).astimezone(UTC)
    if moment.astimezone(OSLO).replace(tzinfo=None) == wall:
        return moment
    return wall.replace(tzinfo=OSLO, fold=0).astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def coming_day(text: str, now: datetime) -> datetime | None:
    """Read a day in an address (2026-03-20) as its first moment in Norway; None where it is no day, or not ahead."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if not local_date(now) < day < local_date(now) + timedelta(days=400):
        return None
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def local_date(moment: date | datetime) -> date:
    """Return the day in Norway on which this moment falls."""
    return local(moment).date() if isinstance(moment, datetime) else moment


def full_day(moment: date | datetime, *, language: str | None = None) -> str:
    """Write «tirsdag 17. mars 2026»."""
    return _day(local_date(moment), words(language).with_year, words(language))


def plain_day(moment: date | datetime, *, now: datetime | None = None, language: str | None = None) -> str:
    """Write «tirsdag 17. mars», with the year where it is not this year."""
    return _plain_day(local_date(moment), local_date(now or timezone.now()), words(language))


def near_day(moment: date | datetime, *, now: datetime | None = None, language: str | None = None) -> str:
    """Write «i dag», «i morgen», «i går», else the plain day."""
    said, day, today = words(language), local_date(moment), local_date(now or timezone.now())
    near = {-1: said.yesterday, 0: said.today, 1: said.tomorrow}
    return near.get((day - today).days) or _plain_day(day, today, said)


def month(moment: date | datetime, *, language: str | None = None) -> str:
    """Write «mars 2026»."""
    day, said = local_date(moment), words(language)
    return said.month_of_year.format(month=said.months[day.month - 1], year=day.year)


def week(moment: date | datetime, *, language: str | None = None) -> str:
    """Write «uke 12» (ISO 8601)."""
    return words(language).week.format(week=local_date(moment).isocalendar().week)


def clock(moment: datetime, *, language: str | None = None) -> str:
    """Write «10.30», in Norway's time."""
    return words(language).clock(local(moment).time())


def clock_range(start: datetime, end: datetime, *, language: str | None = None) -> str:
    return f"{clock(start, language=language)}–{clock(end, language=language)}"


def _plain_day(day: date, today: date, said: Words) -> str:
    return _day(day, said.day_of_month if day.year == today.year else said.with_year, said)


def _day(day: date, form: str, said: Words) -> str:
    return form.format(
        weekday=said.weekdays[day.weekday()], day=day.day, month=said.months[day.month - 1], year=day.year
    )
