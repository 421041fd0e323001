"""The page on which one says when one's diary is open."""

from collections.abc import Callable
from datetime import date, time

import lxml.html
import pytest
from django.test import Client

from apps.accounts.models import User
from apps.organisations.models import Role, Unit
from apps.organisations.services import give_role
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, Opening, Schedule
from apps.scheduling.services import open_weekly
from apps.scheduling.services.offering import keep_diary
from tests.conftest import LONG_AGO
from tests.together import together

Book = Callable[..., Appointment]
SignedIn = Callable[..., Client]
PAGE = "/kalender/apningstider/"
TODAY = date(2026, 3, 2)


def text_of(page: str) -> str:
    return " ".join(lxml.html.fromstring(page).text_content().split())


def lines(page: str) -> list[str]:
    found = lxml.html.fromstring(page).xpath("//*[contains(@class, 'vt-awaylist')]/li/p")
    return [" ".join(one.text_content().split()) for one in found]


def weekly(**other: object) -> dict[str, object]:
    typed = {"weekdays": ["5"], "from_clock": "08.00", "to_clock": "12", "first_day": "03.03.2026", "last_day": ""}
    return {"do": "weekly", **{f"weekly-{name}": value for name, value in {**typed, **other}.items()}}


def once(**other: object) -> dict[str, object]:
    typed = {"day": "07.03.2026", "from_clock": "18.00", "to_clock": "24.00"}
    return {"do": "once", **{f"once-{name}": value for name, value in {**typed, **other}.items()}}


@pytest.fixture
def closed_diary(berg_diary: Schedule) -> Schedule:
    """Dr Berg's diary without any hours."""
    berg_diary.openings.all().delete()
    return berg_diary


def test_a_specialist_opens_her_diary_and_closes_it_again(
    berg: User, closed_diary: Schedule, signed_in: SignedIn
) -> None:
    client = signed_in(berg)
    assert "Kalenderen er aldri åpen" in client.get(PAGE).content.decode()
    page = client.post(PAGE, weekly(weekdays=["0", "3"], last_day="30.4.2026"), follow=True).content.decode()
    assert "De nye åpningstidene til Berit Berg er lagret." in text_of(page)
    page = client.post(PAGE, once(), follow=True).content.decode()
    assert lines(page) == [
        "Mandag 08.00–12.00 · til og med torsdag 30. april",
        "Torsdag 08.00–12.00 · til og med torsdag 30. april",
        "Lørdag 7. mars 18.00–24.00",
    ]
    monday, thursday, saturday = closed_diary.openings.order_by("id")
    assert (saturday.on, saturday.starts, saturday.ends) == (date(2026, 3, 7), time(18), time(0))
    page = client.post(f"{PAGE}{monday.pk}/avslutt/", {"from_day": "09.03.2026"}, follow=True).content.decode()
    assert lines(page)[0] == "Mandag 08.00–12.00 · til og med søndag 8. mars"
    client.post(f"{PAGE}{thursday.pk}/avslutt/", {"from_day": "03.03.2026"})
    client.post(f"{PAGE}{saturday.pk}/avslutt/")
    assert list(closed_diary.openings.values_list("pk", "valid_to")) == [(monday.pk, date(2026, 3, 8))]
    assert client.post(f"{PAGE}{saturday.pk}/avslutt/").status_code == 404


def test_what_has_been_in_force_stays_known(berg: User, berg_diary: Schedule, signed_in: SignedIn) -> None:
    opening = berg_diary.openings.first()
    assert opening is not None
    client = signed_in(berg)
    for typed, said in (("", "Skriv dagen slik"), ("02.03.2026", "Den dagen er forbi")):
        answer = client.post(f"{PAGE}{opening.pk}/avslutt/", {"from_day": typed})
        assert answer.status_code == 422
        assert said in lxml.html.fromstring(answer.content).get_element_by_id("id_from_day-error").text_content()
    client.post(f"{PAGE}{opening.pk}/avslutt/", {"from_day": "03.03.2026"})
    opening.refresh_from_db()
    assert opening.valid_to == date(2026, 3, 2)
    assert client.get(f"{PAGE}{opening.pk}/avslutt/").status_code == 404


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        (weekly(weekdays=[]), "weekly-weekdays", "Velg én dag eller flere."),
        (weekly(from_clock=""), "weekly-from_clock", "Skriv klokkeslettet slik"),
        (weekly(to_clock="25.00"), "weekly-to_clock", "Skriv klokkeslettet slik"),
        (weekly(to_clock="08.00"), "weekly-to_clock", "åpner og stenger samtidig"),
        (weekly(first_day="01.03.2026"), "weekly-first_day", "Den dagen er forbi"),
        (weekly(first_day="03.03.2032"), "weekly-first_day", "mer enn fem år fram"),
        (weekly(last_day="01.03.2026"), "weekly-last_day", "kan ikke være før første dag"),
        (weekly(last_day="31.12.9999"), "weekly-last_day", "Skriv siste dag slik"),
        (weekly(weekdays=["0"], from_clock="11.00"), "weekly-from_clock", "alt åpen i en del av den tiden"),
        (weekly(weekdays=["6"], from_clock="22.00", to_clock="08.30"), "weekly-from_clock", "alt åpen i en del"),
        (once(day=""), "once-day", "Skriv dagen slik"),
        (once(day="01.03.2026"), "once-day", "Den dagen er forbi"),
        (once(day="08.03.2026", from_clock="08.00", to_clock="09.00"), "once-from_clock", "alt åpen i en del"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    berg: User, closed_diary: Schedule, signed_in: SignedIn, sent: dict[str, object], field: str, said: str
) -> None:
    Opening.objects.create(schedule=closed_diary, weekday=0, starts=time(8), ends=time(15, 30))
    Opening.objects.create(schedule=closed_diary, on=date(2026, 3, 7), starts=time(22), ends=time(8, 30))
    answer = signed_in(berg).post(PAGE, sent)
    assert answer.status_code == 422
    page = lxml.html.fromstring(answer.content.decode())
    assert said in page.get_element_by_id(f"id_{field}-error").text_content()
    for name, value in sent.items():
        if name not in {"do", "weekly-weekdays"}:
            assert page.get_element_by_id(f"id_{name}").get("value", "") == value
    assert closed_diary.openings.count() == 2


def test_times_are_offered_at_once_and_what_stands_outside_is_listed(
    berg: User, ada: Patient, book: Book, berg_diary: Schedule, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    client = signed_in(berg)
    assert "Bestilt utenfor åpningstidene" not in client.get(PAGE).content.decode()
    for opening in berg_diary.openings.all():
        client.post(f"{PAGE}{opening.pk}/avslutt/", {"from_day": "03.03.2026"})
    page = client.get(PAGE).content.decode()
    assert "Bestilt utenfor åpningstidene" in text_of(page)
    assert f"/timer/{appointment.reference}/" in page
    client.post(PAGE, weekly(weekdays=["1"], from_clock="09.55", to_clock="11.00"))
    assert "Bestilt utenfor åpningstidene" not in client.get(PAGE).content.decode()


def test_who_leads_the_unit_keeps_its_hours_and_nobody_else_does(
    berg: User,
    tor: User,
    lie: User,
    wound_clinic: Unit,
    berg_diary: Schedule,
    holm_diary: Schedule,
    signed_in: SignedIn,
) -> None:
    give_role(user=tor, unit=wound_clinic, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    address = f"{PAGE}?hvem={holm_diary.uid}"
    client = signed_in(tor)
    assert 'name="hvem"' in client.get(PAGE).content.decode()
    assert client.post(address, weekly()).status_code == 302
    opening = holm_diary.openings.get(weekday=5)
    for stranger in (berg, lie):
        other = signed_in(stranger)
        assert other.get(address).status_code == 404
        assert other.post(address, weekly()).status_code == 404
        assert other.post(f"{PAGE}{opening.pk}/avslutt/", {"from_day": "03.03.2026"}).status_code == 404
    assert "Du har ingen kalender her" in signed_in(lie).get(PAGE).content.decode()


@pytest.mark.parametrize("asked", ["x", "00000000-0000-4000-8000-000000000000"])
def test_a_senseless_diary_in_the_address_is_not_found(
    berg: User, berg_diary: Schedule, signed_in: SignedIn, asked: str
) -> None:
    assert signed_in(berg).get(f"{PAGE}?hvem={asked}").status_code == 404


def test_the_set_up_file_leaves_hours_alone_that_people_changed(berg: User, wound_clinic: Unit) -> None:
    def from_file() -> Schedule:
        return keep_diary(user=berg, unit=wound_clinic, title="Overlege", openings=[(0, time(8), time(12))])[0]

    diary = from_file()
    open_weekly(schedule=diary, weekdays=[1], starts=time(8), ends=time(9), first_day=TODAY, last_day=None, today=TODAY)
    diary.openings.filter(weekday=0).delete()
    from_file()
    assert list(diary.openings.values_list("weekday", flat=True)) == [1]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_who_open_the_same_hours_at_once_open_them_once(closed_diary: Schedule) -> None:
    def open_it() -> object:
        return open_weekly(
            schedule=closed_diary,
            weekdays=[5],
            starts=time(8),
            ends=time(9),
            first_day=TODAY,
            last_day=None,
            today=TODAY,
        )

    answers = together(*[open_it] * 4)
    assert sorted(getattr(one, "code", "") for one in answers) == ["", *["opening-overlaps"] * 3]
    assert closed_diary.openings.count() == 1
