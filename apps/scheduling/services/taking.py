"""Taking time: the one statement that makes a double booking impossible and a deadlock unlikely."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Model
from psycopg.types.numeric import Int8

from apps.common.rows import bigints, rows_of
from apps.common.writing import Condition, insert_if

from ..models import Appointment, OccupancyKind

_TAKE = """
INSERT INTO scheduling_occupancy (schedule_id, during, kind, appointment_id, hold_id, expires_at)
SELECT schedule_id, tstzrange(lower, upper), %(kind)s::text, {appointment}, {hold}, %(expires_at)s::timestamptz
  FROM unnest(%(schedules)s::bigint[], %(lowers)s::timestamptz[], %(uppers)s::timestamptz[])
       AS wished (schedule_id, lower, upper)
 ORDER BY schedule_id
ON CONFLICT DO NOTHING
RETURNING 1
"""

TAKE = f"""
WITH taken AS ({_TAKE.format(appointment="%(appointment)s::bigint", hold="%(hold)s::bigint")})
SELECT count(*) FROM taken
"""  # noqa: S608 a constant

TAKEN_FOR_IT = Condition(
    work=_TAKE.format(appointment="(SELECT id FROM number)", hold="NULL"),
    holds="(SELECT count(*) FROM work) = %(wished)s::bigint",
)

GIVE_BACK = """
WITH given AS (
  DELETE FROM scheduling_occupancy WHERE appointment_id = %(appointment)s::bigint OR hold_id = %(hold)s::bigint RETURNING 1
)
SELECT count(*) FROM given
"""

REMOVE_EXPIRED = """
WITH expired AS (
  DELETE FROM scheduling_occupancy WHERE id IN (
    SELECT occupancy.id
      FROM unnest(%(schedules)s::bigint[], %(lowers)s::timestamptz[], %(uppers)s::timestamptz[])
           AS wished (schedule_id, lower, upper)
      JOIN scheduling_occupancy occupancy
        ON occupancy.schedule_id = wished.schedule_id AND occupancy.during && tstzrange(wished.lower, wished.upper)
     WHERE occupancy.expires_at <= %(now)s::timestamptz
     ORDER BY occupancy.schedule_id, occupancy.id FOR UPDATE OF occupancy SKIP LOCKED
  )
  RETURNING 1
)
SELECT count(*) FROM expired
"""

Stretch = tuple[int, datetime, datetime]
"""A schedule and the time to take of it, buffers included: [start, end)."""


def take_time(
    stretches: Collection[Stretch],
    *,
    now: datetime,
    appointment_id: int | None = None,
    hold_id: int | None = None,
    expires_at: datetime | None = None,
) -> bool:
    """Take all these stretches or say no; the caller rolls back on a no.

    One multi-row INSERT in schedule order behind the exclusion constraint: of the ways measured it had no
    overlap, no deadlock and the best rate. Rows that ran out are removed when they are met, and only then.
    """
    if not stretches:
        return True
    row = {
        **_wish(stretches, OccupancyKind.APPOINTMENT if appointment_id else OccupancyKind.HOLD, now=now),
        "appointment": appointment_id and Int8(appointment_id),
        "hold": hold_id and Int8(hold_id),
        "expires_at": expires_at,
    }
    if _count(TAKE, row) == len(stretches):
        return True
    if not _count(REMOVE_EXPIRED, row):
        return False
    _count(GIVE_BACK, row)
    return _count(TAKE, row) == len(stretches)


def take_time_for(appointment: Appointment, *belonging: Model, stretches: Collection[Stretch], now: datetime) -> bool:
    """Take all these stretches and write the appointment with what belongs to it, in one statement; or write nothing."""
    row = {
        **_wish(stretches, OccupancyKind.APPOINTMENT, now=now),
        "wished": Int8(len(stretches)),
        "hold": None,
        "expires_at": None,
    }
    for _try in range(2):
        number, written = insert_if(TAKEN_FOR_IT, row, appointment, *belonging)
        if written:
            return True
        _count(GIVE_BACK, {**row, "appointment": Int8(number)})
        if not _count(REMOVE_EXPIRED, row):
            return False
    return False


def _wish(stretches: Collection[Stretch], kind: OccupancyKind, *, now: datetime) -> dict[str, Any]:
    ordered = sorted(stretches)
    return {
        "schedules": bigints(schedule for schedule, _, _ in ordered),
        "lowers": [lower for _, lower, _ in ordered],
        "uppers": [upper for _, _, upper in ordered],
        "kind": kind.value,
        "now": now,
    }


def _count(sql: str, row: dict[str, Any]) -> int:
    return int(rows_of(sql, row)[0][0])
