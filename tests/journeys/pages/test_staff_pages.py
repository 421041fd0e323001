"""The staff pages of scheduling in a real browser: usable by everybody, and alive."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.patients.models import Patient
from apps.scheduling.models import Absence, Appointment
from apps.scheduling.services import GuestInput, add_photo
from tests.journeys.axe import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Page]
Book = Callable[..., Appointment]


@pytest.fixture
def today(
    clock: Callable[[str], datetime], kari: User, ada: Patient, bo: Patient, book: Book
) -> tuple[Appointment, Appointment]:
    """A day with two appointments, the first with answers, a picture and a guest, seen at ten to ten."""
    first = book(
        ada,
        "2026-03-03 10.00",
        answers={"location": "leg_outer", "side": "left", "length_mm": 28},
        guests=[GuestInput("Siv Alm", "datter", phone="+4700010090")],
    )
    second = book(bo, "2026-03-03 12.00")
    moment = clock("2026-03-03 09.50")
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG")
    add_photo(upload=out.getvalue(), user=kari, appointment=first, now=moment)
    return first, second


@pytest.mark.parametrize("zone", ["Europe/Oslo", "America/New_York", "Asia/Tokyo"])
def test_the_calendar_and_its_line_show_norways_time_wherever_the_browser_is(
    visit: Visit, berg: User, today: tuple[Appointment, Appointment], zone: str
) -> None:
    page = visit(berg, zone=zone)
    page.clock.set_fixed_time(datetime(2026, 3, 3, 8, 50, tzinfo=UTC))  # ten to ten in Norway
    page.goto("/kalender/?dag=2026-03-03")
    first = page.get_by_role("article").filter(has_text="Ada Alm")
    expect(first).to_contain_text("10.00")
    line, event = page.locator(".ec-now-indicator").bounding_box(), first.bounding_box()
    assert line is not None
    assert event is not None
    thirty_minutes = event["height"]
    assert event["y"] - line["y"] == pytest.approx(thirty_minutes / 3, abs=6), "ten minutes above what begins at ten"
    assert event["x"] <= line["x"] + line["width"] / 2 <= event["x"] + event["width"], "in Tuesday's column"


def test_every_page_of_the_day_is_accessible(visit: Visit, berg: User, today: tuple[Appointment, Appointment]) -> None:
    page = visit(berg)
    first, second = today
    away = Absence.objects.create(
        schedule=berg.schedule, starts_at=first.starts_at, ends_at=second.ends_at + timedelta(days=1)
    )
    for address, shown in [
        ("/i-dag/", "Senere i dag"),
        (f"/kalender/?dag=2026-03-03&time={first.reference}", "Deltakere"),
        ("/kalender/?dag=2026-03-03&visning=team", "Hanne Holm"),
        ("/kalender/?dag=2026-03-03&visning=liste", "Mandag 2. mars"),
        (f"/kalender/fravaer/?fravaer={away.pk}", "2 videotimer står i denne tiden"),
        (f"/timer/{first.reference}/", "Historikk"),
        (f"/timer/{second.reference}/flytt/", "Velg ny tid"),
        (f"/timer/{second.reference}/flytt/?til=2026-03-03T13:00Z", "Disse får beskjed"),
        (f"/timer/{second.reference}/avlys/", "Hvorfor avlyses timen?"),
        ("/timer/finnes-ikke/", "Vi finner ikke siden"),
    ]:
        page.goto(address)
        expect(page.get_by_text(shown).first).to_be_visible()
        assert_accessible(page)


def test_an_event_of_the_week_opens_beside_it_and_stays_in_the_address(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari)
    page.goto("/kalender/?dag=2026-03-03")
    page.get_by_role("link", name="Bo Bjørk").click()
    expect(page.get_by_role("heading", name="Bo Bjørk")).to_be_focused()
    assert f"time={today[1].reference}" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Bo Bjørk")).to_have_count(0)
    expect(page.get_by_role("link", name="Bo Bjørk")).to_be_focused()
    assert "time=" not in page.url
    assert "dag=2026-03-03" in page.url, "the week stays"
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Lukk panelet").click()
    expect(page.get_by_role("heading", name="Bo Bjørk")).to_have_count(0)


def test_on_a_phone_the_week_is_a_list_and_an_event_its_own_page(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari, width=390)
    page.goto("/kalender/?dag=2026-03-03")
    page.get_by_role("link", name="Bo Bjørk").click()
    page.wait_for_url(f"**/timer/{today[1].reference}/")


def test_the_menus_open_by_keyboard_and_close_with_escape(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari)
    page.goto("/i-dag/")
    menu = page.locator("summary", has_text="Kari Kvist")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Min profil")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Min profil")).to_be_hidden()
    expect(menu).to_be_focused()


def test_the_chosen_colours_stay_chosen(visit: Visit, kari: User, today: tuple[Appointment, Appointment]) -> None:
    page = visit(kari)
    page.goto("/i-dag/")
    page.locator("summary", has_text="Kari Kvist").click()
    page.get_by_label("Mørk").check()
    page.goto("/kalender/")
    expect(page.locator("html")).to_have_attribute("data-color-scheme", "dark")


def test_a_request_that_fails_says_so_and_leaves_the_page_as_it_was(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari)
    page.goto("/kalender/?dag=2026-03-03")
    page.route("**/timer/**", lambda route: route.fulfill(status=500, body="<h1>Traceback</h1>"))
    page.get_by_role("link", name="Bo Bjørk").click()
    expect(page.get_by_role("alert")).to_contain_text("Det virket ikke.")
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.get_by_role("link", name="Bo Bjørk")).to_be_visible()


def test_somebody_who_is_away_is_warned_and_can_stay(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari)
    page.clock.install()
    page.goto("/kalender/?visning=liste")
    warning = page.get_by_role("heading", name="Du blir snart logget ut")
    page.clock.fast_forward("27:00")
    expect(warning).to_be_hidden()
    page.clock.fast_forward("01:30")
    expect(warning).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Bli værende").click()
    expect(warning).to_be_hidden()


def test_somebody_who_stays_away_is_told_and_loses_nothing_that_she_typed(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari)
    page.clock.install()
    page.goto(f"/timer/{today[1].reference}/")
    page.get_by_text("Inviter flere").click()
    page.get_by_label("Navn").fill("Siv Alm")
    page.clock.fast_forward("30:30")
    expect(page.get_by_role("heading", name="Du er logget ut")).to_be_visible()
    expect(page.locator("input[name=name]")).to_have_value("Siv Alm")


def test_a_session_that_ended_elsewhere_leaves_on_the_page_what_she_typed(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari)
    page.goto("/bestill/")
    page.locator("button[name=service]").first.click()
    page.locator(".vt-hit").first.click()
    asked = page.locator("[name=form-question]")
    asked.fill("Bør vi bytte bandasje?")
    page.context.clear_cookies(name="session")
    page.get_by_role("button", name="Finn felles tid").click()
    said = page.get_by_role("heading", name="Du er logget ut")
    expect(said).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Se siden").click()
    expect(said).to_be_hidden()
    expect(asked).to_have_value("Bør vi bytte bandasje?")


def test_a_link_is_sent_again_from_the_list_of_people(
    visit: Visit, kari: User, today: tuple[Appointment, Appointment]
) -> None:
    page = visit(kari)
    page.goto(f"/timer/{today[0].reference}/")
    expect(page.locator("#message-timeline")).to_be_visible()
    page.get_by_role("button", name="Send lenken på nytt Siv Alm").click()
    expect(page.locator("#message-timeline")).to_contain_text("Siv Alm")
