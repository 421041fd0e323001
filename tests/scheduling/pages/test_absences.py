"""The page on which one says that one is away."""

from collections.abc import Callable

import lxml.html
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.organisations.models import Role, Unit
from apps.organisations.services import give_role
from apps.patients.models import Patient
from apps.scheduling.models import Absence, Appointment, Schedule
from tests.conftest import LONG_AGO
from tests.scheduling_cast import at

Book = Callable[..., Appointment]
SignedIn = Callable[..., Client]
PAGE = "/kalender/fravaer/"


def typed(**other: str) -> dict[str, str]:
    return {"first_day": "09.03.2026", "from_clock": "", "last_day": "13.03.2026", "to_clock": "", **other}


def text_of(page: str) -> str:
    return " ".join(lxml.html.fromstring(page).text_content().split())


def lines(page: str) -> list[str]:
    found = lxml.html.fromstring(page).xpath("//*[contains(@class, 'vt-awaylist')]/li/div/p[1]")
    return [" ".join(one.text_content().split()) for one in found]


def away(schedule: Schedule, start: str, end: str) -> Absence:
    return Absence.objects.create(schedule=schedule, starts_at=at(start), ends_at=at(end))


def test_a_specialist_says_that_she_is_away_and_takes_it_back(
    berg: User, berg_diary: Schedule, holm_diary: Schedule, signed_in: SignedIn
) -> None:
    client = signed_in(berg)
    page = client.get(PAGE).content.decode()
    assert 'name="who"' not in page
    assert "Ikke noe fravær er lagt inn." in page
    answer = client.post(PAGE, typed(), follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    page = answer.content.decode()
    assert "Fraværet er lagt inn: Berit Berg, fra mandag 9. mars til og med fredag 13. mars." in text_of(page)
    assert lines(page) == ["Berit Berg · fra mandag 9. mars til og med fredag 13. mars"]
    absence = Absence.objects.get()
    assert absence.schedule == berg_diary
    assert (absence.starts_at, absence.ends_at) == (at("2026-03-09 00.00"), at("2026-03-14 00.00"))
    page = client.post(f"{PAGE}{absence.pk}/fjern/", follow=True).content.decode()
    assert "Fraværet er fjernet: Berit Berg" in text_of(page)
    assert not Absence.objects.exists()
    assert client.post(f"{PAGE}{absence.pk}/fjern/").status_code == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"last_day": "9.3.2026"}, "mandag 9. mars"),
        ({"from_clock": "12", "last_day": "9.3.2026"}, "mandag 9. mars kl. 12.00–24.00"),
        ({"from_clock": "0800", "last_day": "9.3.2026", "to_clock": "11:30"}, "mandag 9. mars kl. 08.00–11.30"),
        ({"last_day": "9.3.2026", "to_clock": "11.30"}, "mandag 9. mars kl. 00.00–11.30"),
        ({"from_clock": "8.00"}, "fra mandag 9. mars kl. 08.00 til og med fredag 13. mars"),
        ({"to_clock": "10.00"}, "fra mandag 9. mars til fredag 13. mars kl. 10.00"),
        (
            {"last_day": "4.1.2027", "to_clock": "10.00"},
            "fra mandag 9. mars til mandag 4. januar 2027 kl. 10.00",
        ),
    ],
)
def test_it_is_said_in_peoples_words(
    berg: User, berg_diary: Schedule, signed_in: SignedIn, fields: dict[str, str], said: str
) -> None:
    page = signed_in(berg).post(PAGE, typed(**fields), follow=True).content.decode()
    assert lines(page) == [f"Berit Berg · {said}"]


@pytest.mark.parametrize(("day", "hours"), [("29.03.2026", 23), ("25.10.2026", 25), ("09.03.2026", 24)])
def test_a_day_is_from_midnight_to_midnight_also_when_the_clock_changes(
    berg: User, berg_diary: Schedule, signed_in: SignedIn, day: str, hours: int
) -> None:
    page = signed_in(berg).post(PAGE, typed(first_day=day, last_day=day), follow=True).content.decode()
    absence = Absence.objects.get()
    assert (absence.ends_at - absence.starts_at).total_seconds() == hours * 3600
    assert "kl." not in lines(page)[0]


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"first_day": ""}, "first_day", "Skriv første dag slik"),
        ({"first_day": "i morgen"}, "first_day", "Skriv første dag slik"),
        ({"last_day": "30.02.2026"}, "last_day", "Skriv siste dag slik"),
        ({"last_day": "31.12.9999"}, "last_day", "Skriv siste dag slik"),
        ({"first_day": "01.01.0001"}, "first_day", "Skriv første dag slik"),
        ({"from_clock": "25.00"}, "from_clock", "Skriv klokkeslettet slik"),
        ({"last_day": "08.03.2026"}, "last_day", "Slutten må komme etter starten"),
        (
            {"from_clock": "12.00", "last_day": "09.03.2026", "to_clock": "10.00"},
            "to_clock",
            "Slutten må komme etter starten",
        ),
        ({"first_day": "23.02.2026", "last_day": "27.02.2026"}, "last_day", "Den tiden er alt forbi"),
        ({"last_day": "31.03.2027"}, "last_day", "høyst ett år om gangen"),
        ({"first_day": "09.03.2032", "last_day": "13.03.2032"}, "first_day", "mer enn fem år fram"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    berg: User, berg_diary: Schedule, signed_in: SignedIn, fields: dict[str, str], field: str, said: str
) -> None:
    sent = typed(**fields)
    answer = signed_in(berg).post(PAGE, sent)
    assert answer.status_code == 422
    page = lxml.html.fromstring(answer.content.decode())
    assert said in page.get_element_by_id(f"id_{field}-error").text_content()
    for name, value in sent.items():
        control = page.get_element_by_id(f"id_{name}")
        assert control.get("value", "") == value
        assert (control.get("aria-invalid") == "true") == (name == field)
    assert not Absence.objects.exists()


def test_what_stands_in_the_time_is_listed_after_saving_and_with_the_absence_until_it_is_moved(
    berg: User, ada: Patient, bo: Patient, book: Book, berg_diary: Schedule, signed_in: SignedIn
) -> None:
    first, second = book(ada, "2026-03-03 10.00"), book(bo, "2026-03-03 11.00")
    client = signed_in(berg, "2026-03-03 08.00")
    answer = client.post(PAGE, typed(first_day="3.3.2026", last_day="3.3.2026"), follow=True)
    absence = Absence.objects.get()
    assert answer.redirect_chain == [(f"{PAGE}?fravaer={absence.pk}", 302)]
    page = lxml.html.fromstring(answer.content.decode())
    box = page.get_element_by_id("standing")
    assert "2 videotimer står i denne tiden" in box.text_content()
    assert [link.get("href") for link in box.iter("a")] == [
        f"/timer/{first.reference}/",
        f"/timer/{second.reference}/",
    ]
    assert "Sårvurdering · Ada Alm" in " ".join(box.text_content().split())
    listed = page.xpath("//*[contains(@class, 'vt-awaylist')]//a")
    assert [link.get("href") for link in listed] == [f"?fravaer={absence.pk}"]
    assert Appointment.objects.live().count() == 2
    Appointment.objects.update(status="fulfilled")
    after = text_of(client.get(f"{PAGE}?fravaer={absence.pk}").content.decode())
    assert "Ingen videotimer står i denne tiden" in after
    assert "står i denne tiden:" not in after


def test_who_leads_the_unit_says_it_for_others_of_it(
    tor: User, wound_clinic: Unit, berg_diary: Schedule, holm_diary: Schedule, kari_diary: Schedule, signed_in: SignedIn
) -> None:
    give_role(user=tor, unit=wound_clinic, role=Role.SUPER_USER, valid_from=LONG_AGO)
    client = signed_in(tor)
    assert client.post(PAGE, typed()).status_code == 422  # nobody is chosen for her
    assert client.post(PAGE, typed(who=str(kari_diary.uid))).status_code == 422
    page = client.post(PAGE, typed(who=str(holm_diary.uid)), follow=True).content.decode()
    assert lines(page) == ["Hanne Holm · fra mandag 9. mars til og med fredag 13. mars"]
    assert Absence.objects.get().schedule == holm_diary


def test_who_has_a_diary_herself_is_chosen_first(
    berg: User, wound_clinic: Unit, berg_diary: Schedule, signed_in: SignedIn
) -> None:
    Schedule.objects.create(kind="clinician", name="Anne Aas", unit=wound_clinic)
    give_role(user=berg, unit=wound_clinic, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    page = lxml.html.fromstring(signed_in(berg).get(PAGE).content.decode())
    (chosen,) = page.xpath("//select[@id='id_who']/option[@selected]")
    assert chosen.text_content() == "Berit Berg, overlege"


def test_nobody_sees_or_removes_the_absence_of_others(
    kari: User, kari_diary: Schedule, berg_diary: Schedule, signed_in: SignedIn
) -> None:
    absence = away(berg_diary, "2026-03-09 00.00", "2026-03-10 00.00")
    client = signed_in(kari)
    assert "Berit Berg" not in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}?fravaer={absence.pk}").status_code == 404
    assert client.post(f"{PAGE}{absence.pk}/fjern/").status_code == 404
    assert Absence.objects.filter(pk=absence.pk).exists()


@pytest.mark.parametrize("asked", ["x", "²", "-1", "9" * 40, "0"])
def test_a_senseless_absence_in_the_address_is_not_found(
    kari: User, kari_diary: Schedule, signed_in: SignedIn, asked: str
) -> None:
    assert signed_in(kari).get(f"{PAGE}?fravaer={asked}").status_code == 404


def test_an_interpreter_notes_her_own_and_is_told_nothing_of_the_patient(
    amina: User, ada: Patient, book: Book, amina_diary: Schedule, signed_in: SignedIn
) -> None:
    book(ada, "2026-03-03 10.00", interpreter_language="som")
    client = signed_in(amina, "2026-03-03 08.00")
    answer = client.post(PAGE, typed(first_day="3.3.2026", last_day="3.3.2026"), follow=True)
    said = text_of(answer.content.decode())
    assert "1 videotime står i denne tiden" in said
    assert "Sårvurdering · Somali · Elvebygd kommune" in said
    assert "endres av enheten som bestilte dem" in said
    assert "Ada" not in said


def test_who_leads_the_interpreters_sees_time_and_service_only(
    tor: User, amina: User, ada: Patient, book: Book, amina_diary: Schedule, signed_in: SignedIn
) -> None:
    tor.memberships.all().delete()
    give_role(user=tor, unit=amina.memberships.get().unit, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    book(ada, "2026-03-03 10.00", interpreter_language="som")
    absence = away(amina_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    page = signed_in(tor, "2026-03-03 08.00").get(f"{PAGE}?fravaer={absence.pk}").content.decode()
    box = lxml.html.fromstring(page).get_element_by_id("standing")
    (item,) = box.iter("li")
    assert " ".join(item.text_content().split()) == "I dag kl. 10.00 Sårvurdering"


def test_a_clerk_without_a_diary_has_nothing_to_fill_in(tor: User, berg_diary: Schedule, signed_in: SignedIn) -> None:
    client = signed_in(tor)
    page = client.get(PAGE).content.decode()
    assert "Du har ingen kalender her" in page
    assert 'name="first_day"' not in page
    assert client.post(PAGE, typed()).status_code == 404


def test_the_page_asks_as_much_for_ten_absences_as_for_one(
    berg: User, ada: Patient, bo: Patient, book: Book, berg_diary: Schedule, signed_in: SignedIn
) -> None:
    client = signed_in(berg, "2026-03-03 08.00")
    book(ada, "2026-03-03 10.00")

    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    first = away(berg_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    client.get(PAGE)
    one, chosen = asked(PAGE), asked(f"{PAGE}?fravaer={first.pk}")
    for day in range(10, 20):
        away(berg_diary, f"2026-03-{day} 08.00", f"2026-03-{day} 09.00")
    Absence.objects.filter(pk=first.pk).delete()
    book(bo, "2026-03-03 12.00")
    first = away(berg_diary, "2026-03-03 00.00", "2026-03-04 00.00")
    assert asked(PAGE) == one == 4
    assert asked(f"{PAGE}?fravaer={first.pk}") == chosen == 7


def test_the_calendar_leads_there(berg: User, signed_in: SignedIn) -> None:
    page = lxml.html.fromstring(signed_in(berg).get("/kalender/").content.decode())
    assert [link.text_content() for link in page.xpath(f"//*[@class='vt-calbar']//a[@href='{PAGE}']")] == ["Fravær"]
