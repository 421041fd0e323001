"""Every page of the door table that opens for somebody passes axe, light, dark and on a phone.

Pages come from the table, so that none is forgotten; the rooms' pages with media have journeys of their own besides.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.accounts.services import add_user
from apps.calendars.services import open_feed
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, BookingDraft
from apps.scheduling.services import mark_held, react_to_events
from tests.doors import TABLE
from tests.journeys.axe import assert_accessible
from tests.test_doors import address_of, world  # noqa: F401  (`world` is a fixture)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NO_PAGE: Final = {
    "home": "leads to the day",
    "common:healthz": "for machines",
    "common:readyz": "for machines",
    "demo:inbox_json": "for machines",
    "scheduling:calendar_events": "for the calendar's script",
    "rooms:guest_ticket": "for the room's script",
    "rooms:host_ticket": "for the room's script",
    "common:favicon": "a picture",
    "scheduling:photo": "a picture",
    "scheduling:photo_thumbnail": "a picture",
    "registration:sheet_pdf": "paper",
    "notices:calendar_entry": "a calendar entry",
    "registration:next": "leads to a session",
    "rooms:guest": "leads to where the guest is",
    # Fragments, which stand in pages that are looked at
    "scheduling:next_up": "in the day",
    "scheduling:tiles": "in the day",
    "rooms:who_waits": "in the day",
}
FIRST: Final = ("nobody", "kari", "tor", "berg", "ola", "half")


def pages() -> list[tuple[str, str]]:
    """Return each page with the first visitor for whom it opens."""
    found = []
    for name, door in TABLE.items():
        opens = [visitor for visitor in FIRST if door.expected()[visitor] == "o"]
        if door.method == "GET" and opens and name not in NO_PAGE:
            found.append(
                (
                    name,
                    "ada" if name.startswith("rooms:") and name != "rooms:join" and opens[0] == "nobody" else opens[0],
                )
            )
    return found


# What fills itself once the page is there: htmx' fragments, the calendar, the room and what waits for it.
FETCHES = "[hx-trigger*=load], #calendar, script[src*='room.'], script[src*='waiting.'], script[src*='beside.']"


@pytest.fixture
def shown(
    world: dict[str, Any],  # noqa: F811
    clock: Callable[[str], datetime],
    kari: User,
    tor: User,
) -> dict[str, Any]:
    """The world ten minutes before the appointment, with something to see on every page."""
    now = clock("2026-03-03 09.50")
    open_feed(user=kari, now=now)
    draft = BookingDraft.objects.get(uid=world["draft"])
    draft.patient = Patient.objects.get(uid=world["patient"])
    draft.save(update_fields=["patient"])
    return world


def look(page: Page, name: str, faults: list[str]) -> None:
    if page.locator(FETCHES).count():
        page.wait_for_load_state("networkidle")  # half a second of silence
    try:
        expect(page.locator("h1, [role=dialog] h2, main").first).to_be_visible()
        assert_accessible(page)
    except AssertionError as fault:
        faults.append(f"{name}: {fault}")


def test_every_page_that_opens_for_somebody(
    visit: Callable[..., Page], shown: dict[str, Any], kari: User, berg: User, tor: User, ola: User
) -> None:
    people = {"kari": kari, "berg": berg, "tor": tor, "ola": ola}
    windows: dict[str, Page] = {}
    faults: list[str] = []
    for name, visitor in pages():
        if visitor not in windows:
            windows[visitor] = visit(people.get(visitor))
            if visitor == "ada":
                prove(windows[visitor], shown["code"])
        page = windows[visitor]
        answer = page.goto(address_of(name, shown))
        if answer is None or answer.status >= 500:
            faults.append(f"{name}: {answer and answer.status}")
            continue
        look(page, name, faults)
    assert not faults, "\n".join(faults)


def prove(page: Page, code: str) -> None:
    page.goto(f"/j/{code}/?lang=nb")
    page.get_by_label("Dag").fill("13")
    page.get_by_label("Måned").fill("3")
    page.get_by_label("År").fill("1968")
    page.get_by_role("button", name="Fortsett").click()
    page.wait_for_url("**/mote/**")


def test_what_comes_after_and_what_goes_wrong(
    visit: Callable[..., Page],
    shown: dict[str, Any],
    clock: Callable[[str], datetime],
    kari: User,
    tor: User,
    amina: User,
) -> None:
    """A wrong birth date, an unknown link, the closed room, the session to be registered, pages that are not there."""
    faults: list[str] = []
    guest = visit()
    guest.goto(f"/j/{shown['code']}/?lang=nb")
    guest.get_by_label("Dag").fill("1")
    guest.get_by_role("button", name="Fortsett").click()
    expect(guest.get_by_role("alert")).to_be_visible()
    look(guest, "a wrong birth date", faults)
    for language in ("nb", "nn", "se", "en"):
        guest.goto(f"/j/{'a' * 26}/?lang={language}")
        look(guest, f"an unknown link, {language}", faults)
    prove(guest, shown["code"])
    guest.goto(f"/mote/{shown['participant']}/kamera/")
    guest.get_by_role("button", name="Gå til venterommet").click()
    guest.wait_for_url("**/venterom/")
    look(guest, "the waiting room", faults)
    now = clock("2026-03-03 10.40")
    appointment = Appointment.objects.get(reference=shown["reference"])
    mark_held(appointment=appointment, actor=kari, now=now)
    react_to_events(now=now)
    guest.goto(f"/mote/{shown['participant']}/")
    look(guest, "the session is over", faults)
    clerk = visit(tor)
    for path in ("/dips/", f"/dips/{shown['registration']}/", f"/dips/{shown['registration']}/ark/", "/finnes-ikke/"):
        clerk.goto(path)
        look(clerk, path, faults)
    nurse = visit(kari)
    for path in (
        f"/timer/{shown['reference']}/",
        f"/rom/{shown['reference']}/",
        f"/bestill/{shown['draft']}/?step=details",
    ):
        nurse.goto(path)
        look(nurse, path, faults)
    interpreter = visit(amina)
    for path in ("/i-dag/", f"/timer/{shown['reference']}/"):
        interpreter.goto(path)
        look(interpreter, path, faults)
    assert not faults, "\n".join(faults)


def test_somebody_who_signs_in_for_the_first_time(visit: Callable[..., Page], home_care: object) -> None:
    """The password, then setting up the app on her telephone."""
    faults: list[str] = []
    add_user(email="ny@staff.example", given_name="Nina", family_name="Ny", password="blue kettle over stone")
    page = visit()
    page.goto("/logg-inn/")
    page.get_by_role("button", name="Logg inn", exact=True).click()
    expect(page.get_by_label("E-post")).to_have_attribute("aria-invalid", "true")
    look(page, "signing in with nothing", faults)
    page.get_by_label("E-post").fill("ny@staff.example")
    page.get_by_label("Passord").fill("blue kettle over stone")
    page.get_by_role("button", name="Logg inn", exact=True).click()
    page.wait_for_url("**/logg-inn/ny-kode/**")
    look(page, "setting up the second factor", faults)
    assert not faults, "\n".join(faults)
