"""Kari books for a patient whom she knows, with a thumb or with keys: quickly, in few taps, and without losing a word."""

import io
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.catalogue.models import Scenario, ServiceType
from apps.catalogue.services import agree, load_scenarios, offer_service
from apps.organisations.models import Organisation, Unit
from apps.patients.models import Patient
from apps.patients.services import register_patient
from apps.scheduling.models import Appointment, Need, Schedule, Team, TeamMember
from tests.catalogue.test_questionnaire import complete
from tests.journeys.axe import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Page]
MOST_TAPS = 12


class Thumb:
    """Counts what a hand does: each tap, each list opened; writing with the keyboard and its Next key is no tap."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    def tap(self, target: Any) -> None:
        target.click()
        self.taps += 1

    def choose(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).select_option(label=value)
        self.taps += 1

    def pill(self, group: str, value: str) -> None:
        self.tap(self.page.get_by_role("group", name=group).locator("label", has_text=re.compile(f"^{value}$")))

    def write(self, **values: str) -> None:
        for name, value in values.items():
            self.page.locator(f"[name=form-{name}]").fill(value)


@pytest.fixture
def morning(
    clock: Callable[[str], datetime], kari: User, ada: Patient, wound_review: ServiceType, kari_diary: Schedule
) -> datetime:
    return clock("2026-03-02 08.00")


def photo() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (900, 700), "firebrick").save(out, "JPEG")
    return {"name": "sar.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def small_targets(page: Page) -> list[str]:
    """Name the buttons of the steps that a thumb would miss."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("#steg button, #steg summary, #steg .vt-pill")]
             .map((one) => [one.textContent.trim().slice(0, 40), one.getBoundingClientRect()])
             .filter(([name, box]) => box.height && box.height < 43.5).map(([name, box]) => `${name} ${box.height}`)"""
    )
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_a_wound_review_for_a_known_patient_takes_at_most_twelve_taps(
    visit: Visit, kari: User, morning: datetime, width: int
) -> None:
    page = visit(kari, width=width)
    page.goto("/i-dag/")
    hand = Thumb(page)
    hand.tap(page.get_by_role("link", name="Bestill", exact=True).locator("visible=true"))
    hand.tap(page.get_by_role("button", name="Sårvurdering"))
    hand.tap(page.get_by_role("button", name="Ada Alm"))
    expect(page.get_by_role("heading", name="Om såret")).to_be_focused()
    hand.choose("Hva slags sår er det?", "Venøst leggsår")
    hand.choose("Hvor sitter såret?", "Legg, utside")
    hand.pill("Side", "Venstre")
    hand.write(duration_weeks="6", length_mm="28", width_mm="19", tissue_fibrin="40", tissue_granulation="60")
    hand.pill("Tegn til infeksjon", "Rødme")
    hand.pill("Væske fra såret", "Moderat")
    hand.pill("Smerte, fra 0 til 10", "4")
    hand.write(dressing="Skum, hver tredje dag", question="Bør vi bytte bandasje?")
    if width == 390:
        assert not small_targets(page)
    hand.tap(page.get_by_role("button", name="Finn felles tid"))
    expect(page.get_by_role("heading", name="Første felles ledige tider")).to_be_focused()
    if width == 390:
        assert not small_targets(page)
    hand.tap(page.get_by_role("button", name="Tidligst"))
    expect(page.get_by_text("Tiden er holdt av for deg til kl. 08.10.")).to_be_visible()
    hand.tap(page.get_by_role("button", name="Bestill videotimen"))
    expect(page.get_by_role("heading", name="Videotimen er bestilt")).to_be_visible()
    assert hand.taps <= MOST_TAPS, hand.taps
    expect(page.get_by_text(Appointment.objects.get().reference)).to_be_visible()
    assert "Ada" not in page.title()
    assert "Ada" not in page.url


def service_of(code: str, unit: Unit, asking: Organisation, team: Team) -> ServiceType:
    """One of the catalogue's services, done by one of a team together with who asks."""
    load_scenarios()
    service = offer_service(unit=unit, scenario=Scenario.objects.get(code=code))
    agree(service_type=service, organisation=asking)
    Need.objects.create(service_type=service, role="performer", source="team", team=team)
    Need.objects.create(service_type=service, role="requester", source="requester")
    return service


def book_at_once(page: Page, service: ServiceType, patient: str) -> None:
    """Book with the form left for later, and count the taps."""
    page.goto("/i-dag/")
    hand = Thumb(page)
    hand.tap(page.get_by_role("link", name="Bestill", exact=True).locator("visible=true"))
    hand.tap(page.get_by_role("button", name=service.name))
    hand.tap(page.get_by_role("button", name=patient))
    hand.tap(page.get_by_role("button", name="Fyll ut skjemaet senere"))
    hand.tap(page.get_by_role("button", name="Tidligst"))
    hand.tap(page.get_by_role("button", name="Bestill videotimen"))
    expect(page.get_by_role("heading", name="Videotimen er bestilt")).to_be_visible()
    assert hand.taps <= MOST_TAPS, hand.taps


@pytest.mark.parametrize("width", [1280, 390])
def test_a_palliative_review_is_booked_in_few_taps_and_its_form_filled_in_before_it_is_held(
    visit: Visit,
    kari: User,
    morning: datetime,
    wound_clinic: Unit,
    wound_team: Team,
    municipality: Organisation,
    width: int,
) -> None:
    service = service_of("palliative", wound_clinic, municipality, wound_team)
    page = visit(kari, width=width)
    book_at_once(page, service, "Ada Alm")
    page.get_by_role("link", name="Fyll ut skjemaet").click()
    assert_accessible(page)
    page.locator("[name=form-question]").fill("Bør dosen opp?")
    page.get_by_role("button", name="Lagre, og fyll ut resten senere").click()
    expect(page.get_by_text("Det du har skrevet, er lagret.")).to_be_visible()
    expect(page.get_by_text("Skjema mangler")).to_be_visible()
    expect(page.get_by_text("Bør dosen opp?")).to_be_visible()
    page.get_by_role("link", name="Fyll ut skjemaet").click()
    fill_whole(page, "palliative_review")
    page.get_by_role("button", name="Lagre skjemaet").click()
    expect(page.get_by_text("Skjemaet er fylt ut.")).to_be_visible()
    expect(page.get_by_text("Skjema mangler")).to_be_hidden()
    assert_accessible(page)


def test_the_ward_books_a_discharge_meeting_in_few_taps_and_fills_in_the_form(
    visit: Visit,
    berg: User,
    morning: datetime,
    berg_diary: Schedule,
    wound_clinic: Unit,
    home_care: Unit,
    hospital: Organisation,
    kari_diary: Schedule,
) -> None:
    """Dr Berg's clinic stands for the ward: the hospital asks, and the municipality performs."""
    team = Team.objects.create(unit=home_care, name="Tildelingskontoret")
    TeamMember.objects.create(team=team, schedule=kari_diary)
    service = service_of("geriatric-discharge", home_care, hospital, team)
    register_patient(
        organisation=hospital,
        unit=wound_clinic,
        actor=berg,
        now=morning,
        given_name="Dag",
        family_name="Dahl",
        birth_date=date(1941, 5, 12),
    )
    page = visit(berg)
    book_at_once(page, service, "Dag Dahl")
    page.goto(f"/timer/{Appointment.objects.get().reference}/")
    page.get_by_role("link", name="Fyll ut skjemaet").click()
    fill_whole(page, "discharge_planning")
    page.get_by_role("button", name="Lagre skjemaet").click()
    expect(page.get_by_text("Skjemaet er fylt ut.")).to_be_visible()


def fill_whole(page: Page, slug: str) -> None:
    """Put something right into every control of a form, folded or not."""
    for name, values in complete(slug).items():
        control = page.locator(f"[name=form-{name}]")
        kind = control.first.evaluate("(one) => one.type")
        if kind in {"radio", "checkbox"}:
            for value in values:
                one = control if control.count() == 1 else control.and_(page.locator(f"[value='{value}']"))
                one.evaluate("(one) => one.checked || one.click()")
        else:
            control.evaluate(
                """(one, value) => {
                    one.value = value;
                    one.dispatchEvent(new Event("change", {bubbles: true}));
                }""",
                values[0],
            )


def test_each_step_is_accessible(visit: Visit, kari: User, morning: datetime) -> None:
    page = visit(kari)
    page.goto("/bestill/")
    assert_accessible(page)
    page.get_by_role("button", name="Sårvurdering").click()
    page.get_by_text("Ny pasient").click()
    page.get_by_role("button", name="Registrer og gå videre").click()
    expect(page.get_by_text("Skriv fornavnet.").first).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Ada Alm").click()
    page.get_by_role("button", name="Finn felles tid").click()
    expect(page.get_by_text("Skriv bredden i mm, for eksempel 19.").first).to_be_visible()
    page.get_by_text("Mer om såret").click()
    page.get_by_text("Inviter en til").click()
    assert_accessible(page)
    fill(page)
    page.get_by_role("button", name="Finn felles tid").click()
    expect(page.get_by_role("button", name="Tidligst")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Tidligst").click()
    expect(page.get_by_role("button", name="Bestill videotimen")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Bestill videotimen").click()
    expect(page.get_by_role("heading", name="Videotimen er bestilt")).to_be_visible()
    assert_accessible(page)


def fill(page: Page) -> None:
    hand = Thumb(page)
    hand.choose("Hva slags sår er det?", "Trykksår")
    hand.pill("Kategori av trykksår", "2")
    hand.choose("Hvor sitter såret?", "Hæl")
    hand.pill("Side", "Høyre")
    hand.write(duration_weeks="3", length_mm="12", width_mm="9", tissue_granulation="100")
    hand.pill("Tegn til infeksjon", "Ingen")
    hand.pill("Væske fra såret", "Lite")
    hand.pill("Smerte, fra 0 til 10", "2")
    hand.write(dressing="Skum", question="Er avlastningen god nok?")


def test_what_is_typed_survives_a_reload_and_pictures_come_at_once(visit: Visit, kari: User, morning: datetime) -> None:
    page = visit(kari, width=390)
    page.goto("/bestill/")
    page.get_by_role("button", name="Sårvurdering").click()
    page.get_by_role("button", name="Ada Alm").click()
    page.locator("[name=form-width_mm]").press_sequentially("nitten")
    page.locator("[name=form-question]").fill("Halvskrevet")
    expect(page.get_by_text("Utkastet ble lagret kl. 08.00")).to_be_visible()
    page.set_input_files("[name=photo]", [photo()])
    expect(page.locator(".vt-photo img")).to_have_js_property("naturalWidth", 320)
    page.reload()
    expect(page.locator("[name=form-width_mm]")).to_have_value("nitten")
    expect(page.locator("[name=form-question]")).to_have_value("Halvskrevet")
    expect(page.locator(".vt-photo img")).to_have_count(1)
    page.get_by_role("button", name="Fjern bilde 1").click()
    expect(page.locator(".vt-photo img")).to_have_count(0)
    page.set_input_files(
        "[name=photo]", [{"name": "a.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"}]
    )
    expect(page.get_by_text("Dette er et HEIC-bilde.")).to_be_visible()
    expect(page.locator("[name=form-question]")).to_have_value("Halvskrevet")


def test_without_network_what_is_typed_waits_and_the_page_stays_where_it_is(
    visit: Visit, kari: User, morning: datetime
) -> None:
    page = visit(kari, width=390)
    page.goto("/bestill/")
    page.get_by_role("button", name="Sårvurdering").click()
    page.get_by_role("button", name="Ada Alm").click()
    question = page.locator("[name=form-question]")
    question.scroll_into_view_if_needed()
    page.context.set_offline(True)
    question.press_sequentially("Skrevet uten nett")
    expect(page.locator("#saved")).to_have_text("Ikke lagret ennå. Vi prøver igjen.")
    expect(question).to_be_in_viewport()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_have_text("Utkastet ble lagret kl. 08.00")
    page.reload()
    expect(question).to_have_value("Skrevet uten nett")


def test_a_question_that_depends_on_an_answer_comes_with_it(visit: Visit, kari: User, morning: datetime) -> None:
    page = visit(kari)
    page.goto("/bestill/")
    page.get_by_role("button", name="Sårvurdering").click()
    page.get_by_role("button", name="Ada Alm").click()
    category = page.get_by_role("group", name="Kategori av trykksår")
    expect(category).to_be_hidden()
    page.get_by_label("Hva slags sår er det?").select_option("pressure")
    expect(category).to_be_visible()


def test_who_begins_at_a_tile_goes_on_at_the_step_that_comes(visit: Visit, kari: User, morning: datetime) -> None:
    """The draft begins with the patient here, so the page is another one: focus goes to the step all the same."""
    page = visit(kari)
    page.goto("/i-dag/")
    page.locator(".vt-tile").filter(has_text="Sårvurdering").click()
    page.get_by_role("button", name="Ada Alm").click()
    expect(page.get_by_role("heading", name="Om såret")).to_be_focused()


def test_a_patient_is_found_while_one_types(visit: Visit, kari: User, bo: Patient, morning: datetime) -> None:
    page = visit(kari)
    page.goto("/bestill/")
    page.get_by_role("button", name="Sårvurdering").click()
    page.get_by_label("Søk etter pasient").press_sequentially("bjø")
    expect(page.get_by_text("1 treff blant pasientene til Hjemmetjenesten sør")).to_be_visible()
    assert "bj" not in page.url
    page.get_by_role("button", name="Bo Bjørk").click()
    expect(page.get_by_role("heading", name="Om såret")).to_be_focused()


def test_it_can_be_done_without_script_from_first_to_last(
    browser: Any, live_server: Any, as_user: Callable[[User], Any], kari: User, morning: datetime
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=str(live_server))
    cookie = as_user(kari).cookies["session"].value
    context.add_cookies([{"name": "session", "value": cookie, "url": str(live_server)}])
    page = context.new_page()
    page.goto("/bestill/")
    page.get_by_role("button", name="Sårvurdering").click()
    page.get_by_role("button", name="Ada Alm").click()
    fill(page)
    page.set_input_files("[name=photo]", [photo()])
    page.get_by_role("button", name="Finn felles tid").click()
    page.get_by_role("button", name="Tidligst").click()
    page.get_by_role("button", name="Bestill videotimen").click()
    expect(page.get_by_role("heading", name="Videotimen er bestilt")).to_be_visible()
    assert Appointment.objects.get().photos.count() == 1
    context.close()
