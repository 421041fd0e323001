"""What people and the clock can do with time. Each function is one change, whole or not at all."""

from .absences import note_absence, remove_absence
from .booking import (
    GuestInput,
    book_appointment,
    cancel_appointment,
    hold_time,
    move_appointment,
    nearest_times,
    release_hold,
)
from .conduct import close_past, end_appointment, mark_held, mark_no_show, remove_expired, start_appointment
from .contacts import note_contact_changes
from .details import (
    add_guest,
    add_photo,
    describe_photos,
    forget_photos,
    keep_photo,
    remove_participant,
    remove_photo,
    replace_busy_time,
    save_answers,
)
from .journal import change_and_note, note_access, note_readings
from .openings import close_opening, open_once, open_weekly
from .people import schedule_for_patient, schedule_for_user
from .reacting import react_to_events, react_to_next_event
from .rules import check_request, check_start

__all__ = [
    "GuestInput",
    "add_guest",
    "add_photo",
    "book_appointment",
    "cancel_appointment",
    "change_and_note",
    "check_request",
    "check_start",
    "close_opening",
    "close_past",
    "describe_photos",
    "end_appointment",
    "forget_photos",
    "hold_time",
    "keep_photo",
    "mark_held",
    "mark_no_show",
    "move_appointment",
    "nearest_times",
    "note_absence",
    "note_access",
    "note_contact_changes",
    "note_readings",
    "open_once",
    "open_weekly",
    "react_to_events",
    "react_to_next_event",
    "release_hold",
    "remove_absence",
    "remove_expired",
    "remove_participant",
    "remove_photo",
    "replace_busy_time",
    "save_answers",
    "schedule_for_patient",
    "schedule_for_user",
    "start_appointment",
]
