"""Reading: values and rows, never a change."""

from .appointments import (
    appointments_between,
    day_of,
    local_day,
    mine_or_units,
    of_unit,
    participant_name,
    people_in,
    registering_unit,
    schedules_taken,
    takes_part,
    visible_appointment,
    week_of,
)
from .open_times import (
    by_day,
    open_times,
    open_times_until,
    time_is_open,
    times_to_move_to,
    who_is_missing,
    why_no_time,
)
from .request import HOLD_LENGTH, BookingRequest, Ignoring, OpenTime, Who, request_of

__all__ = [
    "HOLD_LENGTH",
    "BookingRequest",
    "Ignoring",
    "OpenTime",
    "Who",
    "appointments_between",
    "by_day",
    "day_of",
    "local_day",
    "mine_or_units",
    "of_unit",
    "open_times",
    "open_times_until",
    "participant_name",
    "people_in",
    "registering_unit",
    "request_of",
    "schedules_taken",
    "takes_part",
    "time_is_open",
    "times_to_move_to",
    "visible_appointment",
    "week_of",
    "who_is_missing",
    "why_no_time",
]
