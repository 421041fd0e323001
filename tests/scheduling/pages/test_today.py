"""The first page of the day."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.catalogue.models import Scenario, ServiceType
from apps.catalogue.services import agree, load_scenarios, offer_service
from apps.organisations.models import Unit
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, Schedule
from apps.scheduling.services import end_appointment, start_appointment
from tests.scheduling_cast import at

Book = Callable[..., Appointment]
SignedIn = Callable[..., Client]
TODAY = "/i-dag/"


def test_kari_sees_her_next_appointment_first_and_the_others_after_it(
    kari: User, ada: Patient, bo: Patient, book: Book, signed_in: SignedIn
) -> None:
    book(ada, "2026-03-03 10.00")
    book(bo, "2026-03-03 12.00")
    page = signed_in(kari, "2026-03-03 09.30").get(TODAY).content.decode()
    assert "God morgen, Kari" in page
    assert "2 videotimer i dag" in page
    assert page.index("Ada Alm") < page.index("Senere i dag") < page.index("Bo Bjørk")
    assert "om 30 minutter" in page


def test_the_join_button_opens_a_quarter_of_an_hour_before(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    room = reverse("rooms:host", args=[appointment.reference])
    early = signed_in(kari, "2026-03-03 09.44").get(TODAY).content.decode()
    assert "Åpner kl. 09.45" in early
    assert f'href="{room}"' not in early
    in_time = signed_in(kari, "2026-03-03 09.45").get(TODAY).content.decode()
    assert f'href="{room}"' in in_time


def test_a_colleague_sees_the_units_appointment_but_cannot_join_it(
    ada: Patient, book: Book, signed_in: SignedIn, tor: User
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    page = signed_in(tor, "2026-03-03 09.55").get(TODAY).content.decode()
    assert "Ada Alm" in page
    assert reverse("rooms:host", args=[appointment.reference]) + '"' not in page.replace("hvem/", "")


def test_the_interpreter_sees_language_and_place_but_not_the_patient(
    ada: Patient, amina: User, amina_diary: Schedule, book: Book, signed_in: SignedIn
) -> None:
    book(ada, "2026-03-03 10.00", interpreter_language="som")
    page = signed_in(amina).get(TODAY).content.decode()
    assert "Ada" not in page
    assert "Alm" not in page
    assert "Elvebygd kommune" in page


def test_a_stranger_sees_nothing_of_it(lie: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    book(ada, "2026-03-03 10.00")
    page = signed_in(lie).get(TODAY).content.decode()
    assert "Ada" not in page
    assert "0 videotimer i dag" in page


def test_what_is_over_stands_below_and_asks_whether_it_was_held(
    kari: User, ada: Patient, bo: Patient, book: Book, signed_in: SignedIn
) -> None:
    held = book(ada, "2026-03-03 09.00")
    start_appointment(appointment=held, now=at("2026-03-03 09.00"))
    end_appointment(appointment=held, now=at("2026-03-03 09.20"))
    book(bo, "2026-03-03 10.00")
    page = signed_in(kari, "2026-03-03 11.00").get(TODAY).content.decode()
    earlier = page[page.index("Tidligere i dag") :]
    assert "Gjennomført" in earlier
    assert "Ble den holdt?" in earlier


def test_an_empty_day_says_when_the_next_one_is(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    book(ada, "2026-03-04 10.00")
    page = signed_in(kari).get(TODAY).content.decode()
    assert "Neste er i morgen kl. 10.00." in page


def test_the_tiles_show_the_first_joint_time_of_each_service(
    kari: User, wound_review: ServiceType, kari_diary: Schedule, signed_in: SignedIn
) -> None:
    client = signed_in(kari, "2026-03-03 09.50")
    assert "Sårvurdering" in client.get(TODAY).content.decode()
    assert "Ledig i dag kl. 11.00" in client.get(reverse("scheduling:tiles")).content.decode()


def test_the_clerk_has_no_tiles_to_book_with(tor: User, wound_review: ServiceType, signed_in: SignedIn) -> None:
    client = signed_in(tor)
    assert "Bestill videotime" not in client.get(TODAY).content.decode()
    assert client.get(reverse("scheduling:tiles")).status_code == 404


def test_polling_answers_with_the_card_alone(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    book(ada, "2026-03-03 10.00")
    part = signed_in(kari).get(reverse("scheduling:next_up"), headers={"HX-Request": "true"}).content.decode()
    assert "Ada Alm" in part
    assert "<html" not in part


@pytest.mark.parametrize("address", ["/i-dag/", "/kalender/", "/kalender/hendelser.json"])
def test_nobody_comes_in_without_signing_in(db: None, client: Client, address: str) -> None:
    assert client.get(address).status_code == 302


def test_no_page_title_names_a_patient(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    client = signed_in(kari)
    for address in [
        TODAY,
        "/kalender/",
        *(f"/timer/{appointment.reference}/{end}" for end in ["", "flytt/", "avlys/"]),
    ]:
        page = client.get(address).content.decode()
        title = page[page.index("<title>") : page.index("</title>")]
        assert "Ada" not in title
        assert "Alm" not in title


def test_what_is_under_way_can_be_joined_and_the_next_stands_beside_it(
    kari: User, ada: Patient, bo: Patient, book: Book, signed_in: SignedIn
) -> None:
    first, second = book(ada, "2026-03-03 10.00"), book(bo, "2026-03-03 12.00")
    start_appointment(appointment=first, now=at("2026-03-03 10.02"), actor=kari)
    client = signed_in(kari, "2026-03-03 10.10")
    for path in [TODAY, "/i-dag/neste/"]:
        page = client.get(path).content.decode()
        assert "Bli med</a>" in page
        assert page.index(f"next-{first.reference}") < page.index(f"next-{second.reference}")
    assert "Senere i dag" not in client.get(TODAY).content.decode()


def test_a_session_that_lasts_beyond_its_time_is_not_behind_her_yet(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    start_appointment(appointment=appointment, now=at("2026-03-03 10.02"), actor=kari)
    page = signed_in(kari, "2026-03-03 10.40").get(TODAY).content.decode()
    assert "Bli med</a>" in page
    assert "Tidligere i dag" not in page


def test_what_others_in_the_unit_have_under_way_is_not_later_today(
    ada: Patient, bo: Patient, book: Book, signed_in: SignedIn, tor: User
) -> None:
    book(ada, "2026-03-03 10.00")
    book(bo, "2026-03-03 12.00")
    page = signed_in(tor, "2026-03-03 10.10").get(TODAY).content.decode()
    assert page.index("Ada Alm") < page.index("Senere i dag") < page.index("Bo Bjørk")


def test_two_services_of_one_name_are_told_apart_by_their_units(
    kari: User, kari_diary: Schedule, wound_review: ServiceType, other_clinic: Unit, signed_in: SignedIn
) -> None:
    tile = "/i-dag/tjenester/"
    client = signed_in(kari)
    assert wound_review.unit.name not in client.get(tile).content.decode()
    load_scenarios()
    twin = offer_service(unit=other_clinic, scenario=Scenario.objects.get(code="palliative"), names=wound_review.names)
    agree(service_type=twin, organisation=kari_diary.unit.organisation)
    page = client.get(tile).content.decode()
    assert wound_review.unit.name in page
    assert other_clinic.name in page


def test_who_has_nothing_to_do_with_appointments_is_told_what_this_page_is_for(
    amina: User, amina_diary: Schedule, signed_in: SignedIn
) -> None:
    page = signed_in(amina).get(TODAY).content.decode()
    assert "Ingen videotimer i dag" in page
    assert "De du selv er invitert til, vises her." in page


def test_who_sees_to_the_access_of_others_is_led_there(ola: User, signed_in: SignedIn) -> None:
    page = signed_in(ola).get(TODAY).content.decode()
    assert 'href="/tilganger/">Se hvem som har tilgang</a>' in page
