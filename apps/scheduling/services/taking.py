"""Taking time: the one statement that makes a double booking impossible and a deadlock unlikely."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg.types.numeric import Int8

from apps.common.rows import bigints, rows_of

from ..models import OccupancyKind

TAKE = """
WITH taken AS (
  INSERT INTO scheduling_occupancy (schedule_id, during, kind, appointment_id, hold_id, expires_at)
  SELECT schedule_id, tstzrange(lower, upper), %(kind)s::text, %(appointment)s::bigint, %(hold)s::bigint,
         %(expires_at)s::timestamptz
    FROM unnest(%(schedules)s::bigint[], %(lowers)s::timestamptz[], %(uppers)s::timestamptz[])
         AS wished (schedule_id, lower, upper)
   ORDER BY schedule_id
  ON CONFLICT DO NOTHING
  RETURNING 1
)
SELECT count(*) FROM taken
"""

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
    ordered = sorted(stretches)
    row: dict[str, Any] = {
        "schedules": bigints(schedule for schedule, _, _ in ordered),
        "lowers": [lower for _, lower, _ in ordered],
        "uppers": [upper for _, _, upper in ordered],
        "kind": OccupancyKind.APPOINTMENT.value if appointment_id else OccupancyKind.HOLD.value,
        "appointment": appointment_id and Int8(appointment_id),
        "hold": hold_id and Int8(hold_id),
        "expires_at": expires_at,
        "now": now,
    }
    if _count(TAKE, row) == len(ordered):
        return True
    if not _count(REMOVE_EXPIRED, row):
        return False
    _count(GIVE_BACK, row)
    return _count(TAKE, row) == len(ordered)


def _count(sql: str, row: dict[str, Any]) -> int:
    return int(rows_of(sql, row)[0][0])
