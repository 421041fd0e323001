"""Real browsers meet in the built-in room: they wait, are let in, and see and hear each other."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Error, Page, expect

from apps.accounts.models import User
from apps.catalogue.models import ServiceType
from apps.organisations.services import give_role
from apps.patients.models import Patient
from apps.registration.models import Registration, RegistrationState
from apps.rooms.models import JoinLink, Seat, SeatState
from apps.rooms.services import link_for, plan_room
from apps.rooms.turn import ice_configuration
from apps.scheduling.models import Appointment, AppointmentStatus, Participant
from apps.scheduling.services import react_to_events
from tests.conftest import LONG_AGO
from tests.journeys.axe import assert_accessible
from tests.journeys.conftest import until
from tests.journeys.turn_server import SECRET, TurnServer
from tests.meeting import make_due_rooms, meet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def review(live, wound_review, home_care, kari, kari_diary, berg_diary, ada: Patient) -> Appointment:
    return meet(
        timezone.now() + timedelta(minutes=5),
        service_type=wound_review,
        requester_unit=home_care,
        booked_by=kari,
        patient=ada,
        performer=berg_diary,
        requester=kari_diary,
    )


@pytest.fixture
def ada_in(review: Appointment) -> Participant:
    return review.participants.get(role="patient")


@pytest.fixture
def link(ada_in: Participant) -> str:
    return link_for(ada_in, now=timezone.now())


def prove(page: Page, link: str, day: str = "13") -> None:
    page.goto(link)
    page.get_by_label("Dag").fill(day)
    page.get_by_label("Måned").fill("3")
    page.get_by_label("År").fill("1968")
    page.get_by_role("button", name="Fortsett").click()


def to_waiting_room(page: Page, link: str) -> None:
    prove(page, link)
    expect(page.locator("#check-camera .vt-check__meta")).to_have_text("Virker")
    page.get_by_role("button", name="Gå til venterommet").click()
    expect(page.get_by_role("heading", name="Du er i venterommet")).to_be_visible()


def into_room(page: Page, appointment: Appointment, sign_in: Callable[[Page, User], Page], user: User) -> None:
    sign_in(page, user).goto(f"/rom/{appointment.reference}/")
    page.locator("#ready-join").click()
    expect(page.locator("#ready")).to_be_hidden()


def see_and_hear(page: Page, others: int) -> None:
    """Wait until pictures have been decoded and sound has arrived from each of the others."""
    deadline = time.monotonic() + 30
    found: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        with suppress(Error):  # the page may be on its way from the waiting room to the call
            found = page.evaluate("async () => window.videotimeStats ? await window.videotimeStats() : []")
        through = [one["state"] == "connected" and one["frames"] > 5 and one["packets"] > 20 for one in found]
        if len(through) == others and all(through):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"media did not come through: {found}")


def seat_of(participant: Participant) -> Seat:
    return Seat.objects.get(participant=participant)


def test_ada_is_let_in_and_both_see_and_hear_each_other(
    desktop: Page, phone: Page, review, ada_in, link: str, berg: User, sign_in: Any
):
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    card = desktop.locator(".vt-admit")
    expect(card).to_contain_text("Ada Alm")
    expect(card).to_contain_text("kamera og lyd virker")
    assert seat_of(ada_in).state == SeatState.WAITING
    card.get_by_role("button", name="Slipp inn").click()
    phone.wait_for_url("**/rom/")
    see_and_hear(phone, 1)
    see_and_hear(desktop, 1)
    review.refresh_from_db()
    assert review.status == AppointmentStatus.ARRIVED
    codes = [page.evaluate("async () => (await window.videotimeStats())[0].code") for page in (phone, desktop)]
    assert codes[0]
    assert codes[0] == codes[1]

    phone.locator("#ctl-sound").click()
    expect(phone.locator("#ctl-sound")).to_contain_text("Lyd av")
    desktop.keyboard.press("k")
    expect(desktop.locator("#ctl-camera")).to_contain_text("Bilde av")

    desktop.locator("#ctl-leave").click()
    desktop.get_by_role("button", name="Avslutt for alle").click()
    expect(phone.get_by_role("heading", name="Timen er over")).to_be_visible()
    review.refresh_from_db()
    assert review.status == AppointmentStatus.FULFILLED


def test_three_meet_the_nurse_at_the_patients_home_comes_straight_in(
    window: Callable[..., Page], review, link: str, berg: User, kari: User, sign_in: Any
):
    host, nurse, ada = window(), window(390, 844), window(390, 844)
    into_room(host, review, sign_in, berg)
    into_room(nurse, review, sign_in, kari)
    see_and_hear(host, 1)
    to_waiting_room(ada, link)
    expect(nurse.locator(".vt-admit")).to_have_count(0)
    host.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    for page in (ada, host, nurse):
        see_and_hear(page, 2)


def test_a_reload_brings_the_picture_back(desktop: Page, phone: Page, review, ada_in, link: str, berg, sign_in: Any):
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    desktop.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    phone.wait_for_url("**/rom/")
    see_and_hear(desktop, 1)
    phone.reload()
    see_and_hear(phone, 1)
    desktop.reload()
    see_and_hear(desktop, 1)
    see_and_hear(phone, 1)


def test_a_stranger_with_the_link_does_not_come_past_the_birth_date(phone: Page, link: str, ada_in):
    prove(phone, link, day="12")
    expect(phone.get_by_role("alert")).to_contain_text("4 ganger")
    assert phone.get_by_label("Dag").input_value() == "12"
    assert seat_of(ada_in).device is None


def test_a_scanner_that_runs_scripts_changes_nothing(window: Callable[..., Page], link: str, ada_in):
    def rows() -> list[Any]:
        return [list(model.objects.values()) for model in (JoinLink, Seat, Appointment)]

    before = rows()
    for _visit in range(3):
        page = window()
        page.goto(link)
        page.wait_for_load_state("networkidle")
    assert rows() == before


def test_ada_who_is_early_is_not_let_in_when_the_host_begins(phone: Page, desktop: Page, review, link, berg, sign_in):
    Appointment.objects.filter(pk=review.pk).update(
        starts_at=timezone.now() + timedelta(minutes=50), ends_at=timezone.now() + timedelta(minutes=80)
    )
    prove(phone, link)
    expect(phone.get_by_role("heading", name="Du er tidlig ute")).to_be_visible()
    expect(phone.get_by_role("timer")).to_contain_text("minutter")
    sign_in(desktop, berg).goto(f"/rom/{review.reference}/")
    expect(desktop.get_by_role("heading", name="Rommet er ikke åpent ennå")).to_be_visible()
    phone.get_by_role("link", name="Test kamera og lyd").click()
    expect(phone.locator("#check-camera .vt-check__meta")).to_have_text("Virker")


def test_who_is_declined_is_told(desktop: Page, phone: Page, review, link: str, berg: User, sign_in: Any):
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    desktop.locator(".vt-admit").get_by_role("button", name="Avvis").click()
    expect(phone.get_by_role("heading", name="Du ble ikke sluppet inn")).to_be_visible()
    expect(desktop.locator(".vt-admit")).to_have_count(0)


def test_a_second_device_puts_out_the_first_and_waits(
    window: Callable[..., Page], review, ada_in, link: str, berg: User, sign_in: Any
):
    host, first, second = window(), window(390, 844), window(390, 844)
    to_waiting_room(first, link)
    into_room(host, review, sign_in, berg)
    host.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    see_and_hear(host, 1)
    to_waiting_room(second, link)
    expect(first.locator("#room-empty")).to_contain_text("annen enhet")
    expect(host.locator(".vt-admit")).to_contain_text("ny enhet")
    assert seat_of(ada_in).state == SeatState.WAITING
    host.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    see_and_hear(second, 1)


def test_the_waiting_room_says_that_it_is_late(desktop: Page, phone: Page, review, link: str, berg, sign_in: Any):
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    desktop.get_by_role("button", name="10 min", exact=True).click()
    expect(phone.locator("#waiting-late")).to_contain_text("10 minutter")


def test_a_connection_that_breaks_comes_back(desktop: Page, phone: Page, review, ada_in, link, berg, sign_in):
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    desktop.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    phone.wait_for_url("**/rom/")
    see_and_hear(desktop, 1)
    sockets_before = seat_of(ada_in).channel
    phone.context.set_offline(True)
    phone.context.set_offline(False)
    phone.reload()
    see_and_hear(phone, 1)
    assert seat_of(ada_in).channel != sockets_before
    assert seat_of(ada_in).state == SeatState.HERE


def test_the_patients_pages_and_the_call_are_accessible(
    desktop: Page, phone: Page, review, link: str, berg: User, sign_in: Any
):
    phone.goto(link)
    assert_accessible(phone)
    to_waiting_room(phone, link)
    assert_accessible(phone)
    phone.goto(phone.url.replace("venterom", "kamera"))
    expect(phone.locator("#check-camera .vt-check__meta")).to_have_text("Virker")
    assert_accessible(phone)
    phone.get_by_role("button", name="Gå til venterommet").click()
    into_room(desktop, review, sign_in, berg)
    desktop.locator(".vt-admit").wait_for()
    assert_accessible(desktop)
    phone.goto("/j/abcdefghijkmnpqrstuvwxyz23/")
    assert_accessible(phone)


def test_the_nurse_sees_on_her_phone_what_she_films(
    desktop: Page, phone: Page, review, berg: User, kari: User, sign_in: Any
):
    into_room(desktop, review, sign_in, berg)
    into_room(phone, review, sign_in, kari)
    see_and_hear(phone, 1)
    expect(phone.locator("#own-feed video")).to_be_visible()
    expect(desktop.locator("#own-feed")).to_be_hidden()


def at_localhost(page: Page, live: Any) -> str:
    """Return the product's address by the machine's other name, with camera and microphone allowed there."""
    address = str(live.url).replace("127.0.0.1", "localhost")
    page.context.grant_permissions(["camera", "microphone"], origin=address)
    return address


def test_the_demo_works_by_the_machines_other_name(
    desktop: Page, phone: Page, review, live, ada_in, link: str, berg: User, sign_in: Any
):
    to_waiting_room(phone, link.replace(live.url, at_localhost(phone, live)))
    cookie = next(one for one in sign_in(desktop, berg).context.cookies() if one["name"] == "session")
    desktop.context.clear_cookies()
    address = at_localhost(desktop, live)
    desktop.context.add_cookies([{"name": "session", "value": cookie["value"], "url": address}])
    desktop.goto(f"{address}/rom/{review.reference}/")
    desktop.locator("#ready-join").click()
    desktop.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    see_and_hear(desktop, 1)
    see_and_hear(phone, 1)


# A room at another provider ------------------------------------------------------------------------------------------
STANDING = "https://video.example/rom/elvebygd"


@pytest.fixture
def elsewhere(review, settings) -> Callable[[Page], Page]:
    """Let the review take place in a supplier's standing room, and each window reach a page that stands for it."""
    settings.FIXED_ROOM_URL = STANDING
    ServiceType.objects.filter(pk=review.service_type_id).update(providers=["fixed_link"])
    review.refresh_from_db()
    plan_room(review, now=timezone.now())
    assert make_due_rooms(now=timezone.now()) == 1

    def reach(page: Page) -> Page:
        page.context.route("https://video.example/**", lambda asked: asked.fulfill(body="<h1>Elsewhere</h1>"))
        return page

    return reach


def test_host_and_patient_meet_in_another_providers_room_and_the_session_goes_to_the_dips_list(
    desktop: Page, phone: Page, elsewhere, review, ada_in, link: str, berg: User, sign_in: Any
):
    host, ada = elsewhere(desktop), elsewhere(phone)
    to_waiting_room(ada, link)
    sign_in(host, berg).goto(f"/rom/{review.reference}/")
    card = host.locator(".vt-admit")
    expect(card).to_contain_text("Venter utenfor")
    expect(card).to_contain_text("Ada Alm")
    expect(card).to_contain_text("kamera og lyd virker")
    assert_accessible(host)
    host.get_by_role("button", name="10 min", exact=True).click()
    expect(ada.locator("#waiting-late")).to_contain_text("10 minutter")
    assert review_status(review) == AppointmentStatus.BOOKED

    with host.expect_popup() as opened:
        host.get_by_role("link", name="Gå til videorommet").click()
    expect(opened.value.get_by_role("heading", name="Elsewhere")).to_be_visible()
    assert opened.value.url == STANDING
    card.get_by_role("button", name="Slipp inn").click()
    ada.wait_for_url(STANDING)
    expect(host.locator("#people")).to_contain_text("Ada Alm")
    expect(card).to_have_count(0)
    until(lambda: review_status(review) == AppointmentStatus.ARRIVED, "the session has begun")
    assert seat_of(ada_in).state == SeatState.HERE

    host.reload()
    expect(host.locator("#people")).to_contain_text("Berit Berg")
    expect(host.locator("#people")).to_contain_text("Ada Alm")
    host.locator("#ctl-leave").click()
    host.get_by_role("button", name="Avslutt for alle").click()
    host.wait_for_url("**/i-dag/")
    until(lambda: review_status(review) == AppointmentStatus.FULFILLED, "the session has ended")
    react_to_events(now=timezone.now())
    assert Registration.objects.get(appointment=review).state == RegistrationState.AWAITING
    ada.goto(link)
    prove(ada, link)
    expect(ada.get_by_role("heading", name="Timen er over")).to_be_visible()


def review_status(review: Appointment) -> str:
    review.refresh_from_db()
    return review.status


def test_who_comes_back_from_another_providers_room_goes_there_again_when_she_wants_to(
    desktop: Page, phone: Page, elsewhere, review, ada_in, link: str, berg: User, sign_in: Any
):
    host, ada = elsewhere(desktop), elsewhere(phone)
    to_waiting_room(ada, link)
    sign_in(host, berg).goto(f"/rom/{review.reference}/")
    host.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    ada.wait_for_url(STANDING)
    assert review_status(review) == AppointmentStatus.BOOKED, "the host has not gone there"
    prove(ada, link)
    expect(ada.get_by_role("heading", name="Du er sluppet inn")).to_be_visible()
    assert_accessible(ada)
    ada.get_by_role("button", name="Gå til videorommet").click()
    ada.wait_for_url(STANDING)
    assert seat_of(ada_in).state == SeatState.HERE


def test_the_nurse_goes_straight_to_another_providers_room_and_her_colleague_waits_to_be_let_in(
    window: Callable[..., Page], elsewhere, review, home_care, berg: User, kari: User, lie: User, sign_in: Any
):
    give_role(user=lie, unit=home_care, role="booker", valid_from=LONG_AGO)
    host, nurse, other = (elsewhere(window()), elsewhere(window(390, 844)), elsewhere(window()))
    for page, user in ((host, berg), (nurse, kari), (other, lie)):
        sign_in(page, user).goto(f"/rom/{review.reference}/")
    expect(other.locator("#outside-told")).to_contain_text("Verten slipper deg inn")
    assert STANDING not in other.content()
    for page in (host, nurse):
        with page.expect_popup():
            page.get_by_role("link", name="Gå til videorommet").click()
    until(lambda: review_status(review) == AppointmentStatus.ARRIVED, "the session has begun")
    expect(host.locator("#people")).to_contain_text("Kari Kvist")
    expect(nurse.get_by_role("button", name="Avslutt for alle")).to_have_count(0)
    host.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    expect(other.get_by_role("link", name="Gå til videorommet")).to_be_visible()


# The relay -----------------------------------------------------------------------------------------------------------
GATHER = """
async (configuration) => {
  const pc = new RTCPeerConnection(configuration);
  pc.addTransceiver("audio");
  const found = [];
  const gathered = new Promise((done) => {
    pc.onicecandidate = ({ candidate }) => {
      if (candidate && candidate.candidate) found.push(candidate.type);
      else if (!candidate) done();
    };
  });
  await pc.setLocalDescription();
  await gathered;
  pc.close();
  return found;
}
"""


@pytest.fixture
def relay(live, tmp_path, settings) -> Iterator[ExitStack]:
    """A TURN server that the socket process knows of. `relay.close()` starts that process anew, without it."""
    with TurnServer(tmp_path) as server, ExitStack() as relay:
        settings.TURN_URLS, settings.TURN_SECRET = [server.url], SECRET
        live.restart_sockets(TURN_URLS=server.url, TURN_SECRET=SECRET)
        relay.callback(live.restart_sockets)
        yield relay


def test_media_go_through_the_relay_and_go_on_while_the_socket_server_is_started_anew(
    desktop: Page, phone: Page, relay, review, ada_in, link: str, berg: User, sign_in: Any
):
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    desktop.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    see_and_hear(phone, 1)
    see_and_hear(desktop, 1)
    for page in (phone, desktop):
        (seen,) = page.evaluate("async () => await window.videotimeStats()")
        assert seen["through"] == ["relay", "relay"]

    now = timezone.now()
    assert set(phone.evaluate(GATHER, ice_configuration(review, now=now))) == {"relay"}
    long_ago = ice_configuration(review, now=now - timedelta(days=1))
    assert phone.evaluate(GATHER, long_ago) == [], "what has expired allocates nothing"

    before = seat_of(ada_in)
    relay.close()
    assert_runs_on(desktop)
    for page in (desktop, phone):
        expect(page.locator("#trouble")).to_be_hidden(timeout=20_000)  # they try again after 1, 2, 4, 8 seconds
        expect(page.locator("#main-feed")).not_to_contain_text("Mistet forbindelsen")
    expect(desktop.locator(".vt-admit")).to_have_count(0)
    back = seat_of(ada_in)
    assert (back.state, back.admitted_at) == (SeatState.HERE, before.admitted_at)
    assert back.channel != before.channel


# A connection to us that breaks --------------------------------------------------------------------------------------
def frames(page: Page) -> int:
    return int(page.evaluate("async () => (await window.videotimeStats())[0].frames"))


def assert_runs_on(page: Page) -> None:
    """Wait for ten more pictures on the connection that there is."""
    before, deadline = frames(page), time.monotonic() + 15
    while frames(page) < before + 10:
        assert time.monotonic() < deadline, "the picture stands still"
        page.wait_for_timeout(100)


KEEP_SOCKET = (
    "window.WebSocket = class extends WebSocket { constructor(url) { super(url); window.lastSocket = this; } };"
)


def test_ending_it_for_everyone_waits_for_the_hosts_socket(
    desktop: Page, phone: Page, review, ada_in, link: str, berg: User, sign_in: Any
):
    desktop.add_init_script(KEEP_SOCKET)
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    desktop.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    see_and_hear(phone, 1)

    desktop.context.set_offline(True)
    desktop.evaluate("window.lastSocket.close()")
    expect(desktop.locator("#trouble")).to_contain_text("Forbindelsen er borte")
    desktop.locator("#ctl-leave").click()
    desktop.get_by_role("button", name="Avslutt for alle").click()
    desktop.context.set_offline(False)
    expect(phone.get_by_role("heading", name="Timen er over")).to_be_visible()
    review.refresh_from_db()
    assert review.status == AppointmentStatus.FULFILLED


def test_a_call_goes_on_while_the_patients_socket_is_away(
    desktop: Page, phone: Page, review, ada_in, link: str, berg: User, sign_in: Any
):
    phone.add_init_script(KEEP_SOCKET)
    to_waiting_room(phone, link)
    into_room(desktop, review, sign_in, berg)
    desktop.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    see_and_hear(desktop, 1)
    admitted = seat_of(ada_in)

    phone.context.set_offline(True)
    phone.evaluate("window.lastSocket.close()")
    expect(desktop.locator("#main-feed")).to_contain_text("Mistet forbindelsen")
    expect(phone.locator("#trouble")).to_contain_text("Forbindelsen er borte")
    assert seat_of(ada_in).state == SeatState.LOST
    assert_runs_on(desktop)
    assert_runs_on(phone)

    phone.context.set_offline(False)
    expect(desktop.locator("#main-feed")).not_to_contain_text("Mistet forbindelsen")
    expect(phone.locator("#trouble")).to_be_hidden()
    expect(desktop.locator(".vt-admit")).to_have_count(0)
    assert_runs_on(desktop)
    back = seat_of(ada_in)
    assert (back.state, back.admitted_at, back.device) == (SeatState.HERE, admitted.admitted_at, admitted.device)
    assert back.channel != admitted.channel
