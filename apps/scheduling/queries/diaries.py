"""What the search reads: who may fill each need, when they are open, and what is taken.

One query for the needs with everyone who may fill them, their opening rules and what is taken of the stretch that is
looked at first, and one for each further stretch. Rows stay tuples: objects cost more than the search itself
(docs/benchmarks.md).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from struct import Struct
from typing import Final, NamedTuple

from psycopg.types.numeric import Int8

from apps.common.dates import OSLO
from apps.common.rows import bigints, rows_of

from ..engine.openings import ALWAYS_OPEN, Dated, Openings, Weekly, opening_rules
from ..engine.search import LoadTaken, Taken
from ..engine.units import DAY_MINUTES, UNIT_MINUTES, UNIT_SECONDS, moment_of, unit_at
from ..holidays import public_holidays
from ..models import NeedSource, TeamOrder
from .request import Needed, Person

ZONE: Final = OSLO.key

# What is taken of `one`, packed: fetching thousands of rows costs more than finding them.
# No two rows of a schedule overlap, so beside those that begin in the stretch only the last one before it can reach
# into it. A plain overlap would read the schedule's whole history, or need a bound on how long a row may be.
_TAKEN = """
SELECT string_agg(range_send(during), '')
  FROM (
       SELECT during, expires_at, hold_id, appointment_id
         FROM scheduling_occupancy
        WHERE schedule_id = one.id
          AND lower(during) >= %(begin)s::timestamptz AND lower(during) < %(end)s::timestamptz
       UNION ALL
       SELECT during, expires_at, hold_id, appointment_id
         FROM (SELECT during, expires_at, hold_id, appointment_id
                 FROM scheduling_occupancy
                WHERE schedule_id = one.id AND lower(during) < %(begin)s::timestamptz
                ORDER BY lower(during) DESC LIMIT 1) last
        WHERE upper(during) > %(begin)s::timestamptz
       UNION ALL
       SELECT tstzrange(starts_at, ends_at), NULL, NULL, NULL
         FROM scheduling_absence
        WHERE schedule_id = one.id AND starts_at < %(end)s::timestamptz AND ends_at > %(begin)s::timestamptz
  ) every
 WHERE (expires_at IS NULL OR expires_at > %(now)s::timestamptz)
   AND hold_id IS DISTINCT FROM %(hold)s::bigint AND appointment_id IS DISTINCT FROM %(appointment)s::bigint
"""

_TAKEN_OF = f"SELECT one.id, ({_TAKEN}) FROM unnest(%(schedules)s::bigint[]) AS one (id)"  # noqa: S608 a constant

# For `why_no_time` only: each part of a statement takes its time, also where it finds nothing.
_COLLEAGUES = """
       UNION ALL
       SELECT DISTINCT colleague.schedule_id, 0, true
         FROM scheduling_teammember member
         JOIN scheduling_team of_unit ON of_unit.id = member.team_id
         JOIN scheduling_teammember colleague ON colleague.team_id = member.team_id
        WHERE member.schedule_id = wanted.schedule_id
          AND of_unit.unit_id = %(unit)s::bigint AND colleague.schedule_id <> wanted.schedule_id"""


def _candidates(others: str = "") -> str:
    """Write the statement; everyone is looked up one by one (OFFSET 0).

    PostgreSQL expects hundreds and would read all schedules for three.
    """
    return f"""
WITH wanted AS (
     SELECT id, role, source, label, required, position, team_id, schedule_id,
            (source <> 'requester' OR %(requester)s::bigint IS NOT NULL)
            AND (source <> 'interpreter' OR %(language)s::text <> '') AS asked
       FROM scheduling_need
      WHERE service_type_id = %(service_type)s::bigint AND source <> 'patient'
     UNION ALL
     SELECT NULL, 'patient', 'patient', '', true, 32767, NULL, NULL, true WHERE %(person)s::bytea IS NOT NULL
)
SELECT wanted.id, wanted.role, wanted.source, wanted.label, wanted.required, team."order", team.name, wanted.asked,
       candidate.beside,
       schedule.id, schedule.name, schedule.title, schedule.uid::text, schedule.always_open, schedule.works_on_holidays, schedule.rules,
       schedule.taken
  FROM wanted
  LEFT JOIN scheduling_team team ON team.id = wanted.team_id
  LEFT JOIN LATERAL (
       SELECT member.schedule_id, member.position, false AS beside FROM scheduling_teammember member
        WHERE member.team_id = wanted.team_id
       UNION ALL
       SELECT wanted.schedule_id, 0, false WHERE wanted.schedule_id IS NOT NULL{others}
       UNION ALL
       SELECT %(requester)s::bigint, 0, false WHERE wanted.source = 'requester'
       UNION ALL
       SELECT patient.id, 0, false FROM scheduling_schedule patient
        WHERE wanted.source = 'patient' AND patient.person_index = %(person)s::bytea
  ) candidate ON wanted.asked
  LEFT JOIN LATERAL (
       SELECT one.id, one.name, one.title, one.uid, one.always_open, one.works_on_holidays,
              (SELECT string_agg(concat_ws(' ', coalesce(opening.weekday::text, opening."on"::text),
                                           opening.starts, opening.ends,
                                           coalesce(opening.valid_from, '0001-01-01'),
                                           coalesce(opening.valid_to, '9999-12-31')), ';')
                 FROM scheduling_opening opening
                WHERE opening.schedule_id = one.id
                  AND coalesce(opening.valid_to, opening."on", '9999-12-31') >= %(since)s::date) AS rules,
              ({_TAKEN}) AS taken
         FROM scheduling_schedule one
        WHERE one.id = candidate.schedule_id AND one.active
          AND (wanted.source <> 'interpreter' OR one.languages @> ARRAY[%(language)s::text]::varchar[])
       OFFSET 0
  ) schedule ON true
 ORDER BY wanted.position, wanted.id, candidate.beside, candidate.position, schedule.id
"""  # noqa: S608 a constant


_CANDIDATES, _WITH_COLLEAGUES = _candidates(), _candidates(_COLLEAGUES)

# How PostgreSQL sends a tstzrange: flags, and both bounds with their sizes, in microseconds since 2000.
# Both bounds are always there (occupancy_has_both_ends_and_takes_time, and an absence has two).
_RANGE = Struct(">5xq4xq")
_UNIT = UNIT_SECONDS * 1_000_000
_YEAR_2000 = unit_at(datetime(2000, 1, 1, tzinfo=UTC))

NOT_YET = 0
"""Stands for a patient who has no schedule yet and therefore nothing taken."""


class Candidates(NamedTuple):
    """A need and the schedules that may fill it, in the team's order; `need_id` is None for the patient.

    `others` are not asked for, but could be: colleagues of a named specialist.
    """

    need_id: int | None
    role: str
    source: str
    label: str
    required: bool
    fair: bool
    schedules: tuple[int, ...]
    others: tuple[int, ...]


class Diaries(NamedTuple):
    """The needs that count for a request, with the openings of everyone concerned, and name, title and uid.

    `roles` are those of the service, whether they count for this request or not.
    """

    needs: tuple[Candidates, ...]
    roles: tuple[Needed, ...]
    openings: dict[int, Openings]
    names: dict[int, tuple[str, str, str]]
    load: LoadTaken


class Reading(NamedTuple):
    """What is read of the time that is taken: from when to when (units), and what does not count."""

    begin: int
    end: int
    now: datetime
    hold_id: int | None
    appointment_id: int | None

    def parameters(self) -> dict[str, object]:
        return {
            "begin": moment_of(self.begin),
            "end": moment_of(self.end),
            "now": self.now,
            "hold": Int8(self.hold_id or 0),  # no row has the number 0
            "appointment": Int8(self.appointment_id or 0),
        }


def diaries(
    *,
    service_type_id: int,
    unit_id: int,
    requester_id: int | None,
    person_index: bytes | None,
    language: str,
    since: date,
    until: date,
    reading: Reading,
    widen: bool = False,
) -> Diaries:
    """Read who may fill each need; requester, interpreter and patient count only where they are given.

    What is taken is read too, for the stretch given; `load` of the answer reads other stretches when they are wanted.
    """
    rows = rows_of(
        _WITH_COLLEAGUES if widen else _CANDIDATES,
        {
            "service_type": Int8(service_type_id),
            "unit": Int8(unit_id),
            "requester": None if requester_id is None else Int8(requester_id),
            "person": person_index,
            "language": language,
            "since": since - timedelta(days=1),  # a night shift of the day before
            **reading.parameters(),
        },
    )
    closed = public_holidays(since.year, until.year)
    needs: list[Candidates] = []
    roles: list[Needed] = []
    openings: dict[int, Openings] = {NOT_YET: ALWAYS_OPEN}
    names: dict[int, tuple[str, str, str]] = {NOT_YET: ("", "", "")}
    taken: dict[int, list[tuple[int, int]]] = {}
    for need, of_need in groupby(rows, key=itemgetter(0, 1, 2, 3, 4, 5, 6, 7)):
        schedules: list[int] = []
        others: list[int] = []
        for *_, beside, schedule, name, title, uid, always, on_holidays, rules, ranges in of_need:
            if schedule is None:
                continue
            (others if beside else schedules).append(schedule)
            names[schedule] = name, title, uid
            if ranges:
                taken[schedule] = _units(ranges)
            openings[schedule] = (
                ALWAYS_OPEN if always else _openings(rules or "", frozenset() if on_holidays else closed)
            )
        need_id, role, source, label, required, order, team, asked = need
        if source == NeedSource.PATIENT and not schedules:
            schedules = [NOT_YET]
        if asked:
            fair, pool = order == TeamOrder.FAIR, (tuple(schedules), tuple(others))
            needs.append(Candidates(need_id, role, source, label, required, fair, *pool))
        if need_id is not None:
            people = tuple(sorted((Person(one, *names[one][:2]) for one in schedules), key=itemgetter(1, 0)))
            named = people[0].name if source == NeedSource.SCHEDULE and people else ""
            roles.append(
                Needed.called(label or team or named, need_id=need_id, role=role, source=source, people=people)
            )
    return Diaries(tuple(needs), tuple(roles), openings, names, _loader(list(names), reading, taken))


@lru_cache(maxsize=8192)
def _openings(text: str, closed: frozenset[date]) -> Openings:
    """Read the rules as the query writes them; the same text gives the same object."""
    weekly: list[Weekly] = []
    dated: list[Dated] = []
    for rule in filter(None, text.split(";")):
        when, starts, ends, valid_from, valid_to = rule.split(" ")
        start, end = _minute(starts), _minute(ends)
        start += -start % UNIT_MINUTES
        end -= end % UNIT_MINUTES
        if end <= start:  # until midnight, or into the next day
            end += DAY_MINUTES
        if when.isdigit():
            weekly.append(Weekly(int(when), start, end, date.fromisoformat(valid_from), date.fromisoformat(valid_to)))
        else:
            dated.append(Dated(date.fromisoformat(when), start, end))
    return opening_rules(ZONE, tuple(weekly), tuple(dated), closed)


def _minute(text: str) -> int:
    clock = time.fromisoformat(text)
    return clock.hour * 60 + clock.minute


def _loader(schedules: list[int], read: Reading, taken: Taken) -> LoadTaken:
    """Return what gives the stretch that is there already, and reads others."""
    wanted = bigints(schedules)

    def load(begin: int, end: int) -> Taken:
        if (begin, end) == (read.begin, read.end):
            return taken
        reading = read._replace(begin=begin, end=end)
        rows = rows_of(_TAKEN_OF, {"schedules": wanted, **reading.parameters()})
        return {schedule: _units(ranges) for schedule, ranges in rows if ranges}

    return load


def _units(ranges: bytes) -> list[tuple[int, int]]:
    """Return the stretches in units, whole units for begun ones; those that touch are put together."""
    stretches = []
    first = last = 0
    for lower, upper in _RANGE.iter_unpack(ranges):
        if lower == last:
            last = upper
            continue
        if last:
            stretches.append((first // _UNIT + _YEAR_2000, -(-last // _UNIT) + _YEAR_2000))
        first, last = lower, upper
    stretches.append((first // _UNIT + _YEAR_2000, -(-last // _UNIT) + _YEAR_2000))
    return stretches
