"""The door table: every address, and what each kind of visitor meets there.

`o` opens (an answer that is the page's own: shown, done, or refused for what was typed), `s` is sent to sign in,
`c` is closed (404, or 403 where a page has to be known to everybody), in the order of VISITORS.
"""

from dataclasses import dataclass

VISITORS = ("nobody", "half", "kari", "berg", "tor", "amina", "lie", "ola")
"""Nobody is signed in; half has given the password only; the rest are the cast of conftest.py."""


@dataclass(frozen=True)
class Door:
    """How an address is knocked at, and who is let in."""

    method: str
    answers: str

    def expected(self) -> dict[str, str]:
        return dict(zip(VISITORS, self.answers, strict=True))


ANYBODY = "oooooooo"
STAFF = "ssoooooo"
OWN = "ssoccccc"
"""Kari's patient, and what Kari has begun."""

PARTIES = "ssoocccc"
"""Those who may change an appointment: who asked for it and who performs it."""

CLERKS = "ssccoccc"
ADMINISTRATORS = "ssccccco"

TABLE: dict[str, Door] = {
    "home": Door("GET", ANYBODY),
    "common:healthz": Door("GET", ANYBODY),
    "common:readyz": Door("GET", ANYBODY),
    "common:favicon": Door("GET", ANYBODY),
    # Signing in
    "account_login": Door("GET", ANYBODY),
    "account_logout": Door("POST", "ssssssss"),  # back to the sign-in page
    "accounts:demo_entry": Door("POST", "cccccccc"),  # nobody of the demo lives in the tests
    "accounts:second_factor": Door("GET", "sooooooo"),
    "accounts:second_factor_setup": Door("GET", STAFF),  # who has a factor must give it before she adds another
    "account_reset_password": Door("GET", ANYBODY),
    "account_reset_password_done": Door("GET", ANYBODY),
    "account_reset_password_from_key": Door("GET", ANYBODY),  # says that this link no longer works
    "accounts:change_password": Door("GET", STAFF),
    "accounts:profile": Door("GET", STAFF),
    "accounts:end_session": Door("POST", "sscccccc"),
    "accounts:new_backup_codes": Door("POST", STAFF),
    "accounts:language": Door("POST", ANYBODY),
    "organisations:switch_unit": Door("POST", "sscccccc"),  # a unit she does not work in
    "organisations:people": Door("GET", ADMINISTRATORS),
    "organisations:give_access": Door("GET", ADMINISTRATORS),
    "organisations:end_access": Door("GET", ADMINISTRATORS),
    "organisations:invite_again": Door("POST", ADMINISTRATORS),
    # Patients: the unit's own
    "patients:search": Door("GET", "ssooococ"),
    "patients:new_patient": Door("GET", "ssooccoc"),
    "patients:patient": Door("GET", OWN),
    "patients:join_care": Door("POST", OWN),
    "patients:edit_contact": Door("GET", OWN),
    "patients:add_next_of_kin": Door("POST", OWN),
    "patients:remove_next_of_kin": Door("POST", OWN),
    "patients:access_log": Door("GET", OWN),
    # The day, the calendar, appointments
    "scheduling:today": Door("GET", STAFF),
    "scheduling:next_up": Door("GET", STAFF),
    "scheduling:tiles": Door("GET", "ssooccoc"),
    "scheduling:calendar": Door("GET", STAFF),
    "scheduling:calendar_events": Door("GET", STAFF),
    "scheduling:absences": Door("GET", STAFF),
    "scheduling:remove_absence": Door("POST", OWN),
    "scheduling:openings": Door("GET", STAFF),
    "scheduling:close_opening": Door("GET", OWN),
    "scheduling:appointment": Door("GET", "ssoooocc"),
    "scheduling:move": Door("GET", PARTIES),
    "scheduling:cancel": Door("GET", PARTIES),
    "scheduling:mark": Door("POST", "sscccccc"),  # not before it has begun
    "scheduling:form": Door("GET", OWN),  # the form is written by those who ask, and read by those who answer
    "scheduling:form_photos": Door("POST", OWN),
    "scheduling:add_guest": Door("POST", PARTIES),
    "scheduling:remove_guest": Door("POST", PARTIES),
    "scheduling:appointments_of": Door("GET", OWN),
    "scheduling:appointments_with": Door("GET", ADMINISTRATORS),
    "scheduling:photo": Door("GET", "ssoooccc"),
    "scheduling:photo_thumbnail": Door("GET", "ssoooccc"),
    # Booking
    "scheduling:booking_start": Door("GET", "ssooccoc"),
    "scheduling:booking": Door("GET", OWN),
    "scheduling:keep_draft": Door("POST", OWN),
    "scheduling:draft_photos": Door("POST", OWN),
    "scheduling:discard_draft": Door("POST", "ssooccoc"),  # somebody else's stays where it is
    "scheduling:booked": Door("GET", "ssoooocc"),
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
    "rooms:host": Door("GET", "ssoococc"),
    "rooms:host_ticket": Door("GET", "ssoococc"),
    "rooms:who_waits": Door("GET", "ssoococc"),
    # Calendars, messages
    "calendars:feed": Door("GET", "cccccccc"),
    "calendars:subscription": Door("GET", STAFF),
    "messaging:kannel_receipt": Door("GET", "cccccccc"),
    "notices:messages": Door("GET", "ssooococ"),
    "notices:calendar_entry": Door("GET", ANYBODY),
    "notices:new_link": Door("POST", ANYBODY),  # the same answer for all, as behind every link
    "notices:preview": Door("GET", OWN),
    "notices:timeline": Door("GET", "ssoooccc"),
    "notices:send_again": Door("POST", PARTIES),
    "notices:take_back": Door("GET", PARTIES),
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
    "demo:inbox_attachment": Door("GET", "cccccccc"),
}
