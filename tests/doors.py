"""The door table: every address, and what each kind of visitor meets there.

`o` opens (an answer that is the page's own: shown, done, or refused for what was typed), `s` is sent to sign in,
`c` is closed (404, or 403 where a page has to be known to everybody), in the order of VISITORS.
"""

from dataclasses import dataclass

VISITORS = ("nobody", "half", "kari", "berg", "tor", "amina", "lie")
"""Nobody is signed in; half has given the password only; the rest are the cast of conftest.py."""


@dataclass(frozen=True)
class Door:
    """How an address is knocked at, and who is let in."""

    method: str
    answers: str

    def expected(self) -> dict[str, str]:
        return dict(zip(VISITORS, self.answers, strict=True))


ANYBODY = "ooooooo"
STAFF = "ssooooo"
OWN = "ssocccc"
"""Kari's patient, and what Kari has begun."""

PARTIES = "ssooccc"
"""Those who may change an appointment: who asked for it and who performs it."""

CLERKS = "ssccocc"

TABLE: dict[str, Door] = {
    "home": Door("GET", ANYBODY),
    "common:healthz": Door("GET", ANYBODY),
    "common:readyz": Door("GET", ANYBODY),
    "common:favicon": Door("GET", ANYBODY),
    # Signing in
    "account_login": Door("GET", ANYBODY),
    "account_logout": Door("POST", "sssssss"),  # back to the sign-in page
    "accounts:demo_entry": Door("POST", "ccccccc"),  # nobody of the demo lives in the tests
    "accounts:second_factor": Door("GET", "soooooo"),
    "accounts:second_factor_setup": Door("GET", STAFF),  # who has a factor must give it before she adds another
    "account_reset_password": Door("GET", ANYBODY),
    "account_reset_password_done": Door("GET", ANYBODY),
    "account_reset_password_from_key": Door("GET", ANYBODY),  # says that this link no longer works
    "accounts:change_password": Door("GET", STAFF),
    "accounts:profile": Door("GET", STAFF),
    "accounts:end_session": Door("POST", "ssccccc"),
    "accounts:new_backup_codes": Door("POST", STAFF),
    "accounts:language": Door("POST", ANYBODY),
    "organisations:switch_unit": Door("POST", "ssccccc"),  # a unit she does not work in
    # Patients: the unit's own
    "patients:search": Door("GET", "ssoooco"),
    "patients:new_patient": Door("GET", "ssoocco"),
    "patients:patient": Door("GET", OWN),
    "patients:join_care": Door("POST", OWN),
    "patients:edit_contact": Door("GET", OWN),
    "patients:add_next_of_kin": Door("POST", OWN),
    "patients:remove_next_of_kin": Door("POST", OWN),
    "patients:access_log": Door("GET", OWN),
    # The day, the calendar, appointments
    "scheduling:today": Door("GET", STAFF),
    "scheduling:next_up": Door("GET", STAFF),
    "scheduling:tiles": Door("GET", "ssoocco"),
    "scheduling:calendar": Door("GET", STAFF),
    "scheduling:calendar_events": Door("GET", STAFF),
    "scheduling:appointment": Door("GET", "ssooooc"),
    "scheduling:move": Door("GET", PARTIES),
    "scheduling:cancel": Door("GET", PARTIES),
    "scheduling:mark": Door("POST", "ssccccc"),  # not before it has begun
    "scheduling:form": Door("GET", OWN),  # the form is written by those who ask, and read by those who answer
    "scheduling:form_photos": Door("POST", OWN),
    "scheduling:add_guest": Door("POST", PARTIES),
    "scheduling:remove_guest": Door("POST", PARTIES),
    "scheduling:appointments_of": Door("GET", OWN),
    "scheduling:photo": Door("GET", "ssooocc"),
    "scheduling:photo_thumbnail": Door("GET", "ssooocc"),
    # Booking
    "scheduling:booking_start": Door("GET", "ssoocco"),
    "scheduling:booking": Door("GET", OWN),
    "scheduling:keep_draft": Door("POST", OWN),
    "scheduling:draft_photos": Door("POST", OWN),
    "scheduling:discard_draft": Door("POST", "ssoocco"),  # somebody else's stays where it is
    "scheduling:booked": Door("GET", "ssooooc"),
    # Rooms: a link is a hint, so its pages answer everybody alike
    "rooms:join": Door("GET", ANYBODY),
    "rooms:identify": Door("POST", ANYBODY),
    "rooms:send_code": Door("POST", ANYBODY),
    "rooms:guest": Door("GET", ANYBODY),
    "rooms:camera": Door("GET", ANYBODY),
    "rooms:waiting": Door("GET", ANYBODY),
    "rooms:guest_state": Door("POST", ANYBODY),
    "rooms:guest_ticket": Door("GET", ANYBODY),
    "rooms:room_guest": Door("GET", ANYBODY),
    "rooms:guest_left": Door("POST", ANYBODY),
    "rooms:patient_move": Door("GET", ANYBODY),
    "rooms:patient_cancel": Door("GET", ANYBODY),
    "rooms:host": Door("GET", "ssoococ"),
    "rooms:host_ticket": Door("GET", "ssoococ"),
    "rooms:who_waits": Door("GET", "ssoococ"),
    # Calendars, messages
    "calendars:feed": Door("GET", "ccccccc"),
    "calendars:subscription": Door("GET", STAFF),
    "messaging:kannel_receipt": Door("GET", "ccccccc"),
    "notices:messages": Door("GET", "ssoooco"),
    "notices:calendar_entry": Door("GET", ANYBODY),
    "notices:new_link": Door("POST", ANYBODY),  # the same answer for all, as behind every link
    "notices:preview": Door("GET", OWN),
    "notices:timeline": Door("GET", "ssooocc"),
    "notices:send_again": Door("POST", PARTIES),
    # Registration: the performer's clerks
    "registration:worklist": Door("GET", CLERKS),
    "registration:waiting": Door("GET", CLERKS),
    "registration:next": Door("GET", CLERKS),
    "registration:missing": Door("GET", CLERKS),
    "registration:detail": Door("GET", CLERKS),
    "registration:mark_registered": Door("POST", CLERKS),
    "registration:write_back": Door("POST", CLERKS),
    "registration:mark_not_needed": Door("POST", CLERKS),
    "registration:undo": Door("POST", CLERKS),
    "registration:sheet": Door("GET", CLERKS),
    "registration:sheet_pdf": Door("GET", CLERKS),
    # The demo's own
    "demo:inbox": Door("GET", ANYBODY),
    "demo:inbox_json": Door("GET", ANYBODY),
    "demo:inbox_attachment": Door("GET", "ccccccc"),
}
