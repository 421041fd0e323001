"""What people and the clock can do with links, seats and rooms."""

from .links import entry_codes_over, identify_guest, link_for, reissue_link, revoke_link, send_entry_code
from .plan import close_room, ensure_room, make_next_room, move_room, plan_room, say_running_late
from .seats import (
    admit,
    connect,
    decline,
    disconnect,
    end_for_all,
    enter_waiting_room,
    go_outside,
    leave,
    note_seen,
    seat_for_user,
)

__all__ = [
    "admit",
    "close_room",
    "connect",
    "decline",
    "disconnect",
    "end_for_all",
    "ensure_room",
    "enter_waiting_room",
    "entry_codes_over",
    "go_outside",
    "identify_guest",
    "leave",
    "link_for",
    "make_next_room",
    "move_room",
    "note_seen",
    "plan_room",
    "reissue_link",
    "revoke_link",
    "say_running_late",
    "seat_for_user",
    "send_entry_code",
]
