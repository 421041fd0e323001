"""Taking time: the one statement that makes a double booking impossible and a deadlock unlikely."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from ..models import OccupancyKind

TAKE = """
INSERT INTO scheduling_occupancy (schedule_id, during, kind, appointment_id, hold_id, expires_at)
SELECT schedule_id, tstzrange(lower, upper), %(kind)s, %(appointment)s, %(hold)s, %(expires_at)s
FROM unnest(%(schedules)s::bigint[], %(lowers)s::timestamptz[], %(uppers)s::timestamptz[])
     AS taken (schedule_id, lower, upper)
ORDER BY schedule_id
ON CONFLICT DO NOTHING
"""

REMOVE_EXPIRED = """
DELETE FROM scheduling_occupancy WHERE id IN (
  SELECT id FROM scheduling_occupancy
  WHERE schedule_id = ANY(%(schedules)s) AND expires_at <= %(now)s
    AND lower(during) < %(upper)s AND upper(during) > %(lower)s
  ORDER BY schedule_id, id FOR UPDATE SKIP LOCKED
)
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
        "schedules": [schedule for schedule, _, _ in ordered],
        "lowers": [lower for _, lower, _ in ordered],
        "uppers": [upper for _, _, upper in ordered],
        "kind": OccupancyKind.APPOINTMENT if appointment_id else OccupancyKind.HOLD,
        "appointment": appointment_id,
        "hold": hold_id,
        "expires_at": expires_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, row)
        if cursor.rowcount == len(ordered):
            return True
        if appointment_id:
            cursor.execute("DELETE FROM scheduling_occupancy WHERE appointment_id = %s", [appointment_id])
        else:
            cursor.execute("DELETE FROM scheduling_occupancy WHERE hold_id = %s", [hold_id])
        cursor.execute(
            REMOVE_EXPIRED,
            {
                "schedules": row["schedules"],
                "now": now,
                "lower": min(lower for _, lower, _ in ordered),
                "upper": max(upper for _, _, upper in ordered),
            },
        )
        if not cursor.rowcount:
            return False
        cursor.execute(TAKE, row)
        return bool(cursor.rowcount == len(ordered))
