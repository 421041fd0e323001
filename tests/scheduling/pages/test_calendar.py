"""The week, the unit's day and the list."""

from collections.abc import Callable

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from apps.accounts.models import User
from apps.patients.models import Patient
from apps.scheduling.models import Absence, Appointment, Occupancy, OccupancyKind, Schedule
from apps.scheduling.services import cancel_appointment
from tests.scheduling_cast import at

Book = Callable[..., Appointment]
SignedIn = Callable[..., Client]
WEEK = "/kalender/hendelser.json?start=2026-03-02&end=2026-03-09"


def test_the_week_gives_appointments_as_links_and_the_free_time_between(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    events = signed_in(kari, "2026-03-03 07.00").get(WEEK).json()
    (shown,) = [event for event in events if event["extendedProps"]["kind"] == "time"]
    assert (shown["id"], shown["start"], shown["end"]) == (
        appointment.reference,
        "2026-03-03 10:00",
        "2026-03-03 10:30",
    )
    assert shown["title"] == "Ada Alm"
    tuesday = [
        (event["start"], event["end"])
        for event in events
        if event["extendedProps"]["kind"] == "free" and event["start"].startswith("2026-03-03")
    ]
    assert tuesday == [("2026-03-03 08:00", "2026-03-03 10:00"), ("2026-03-03 10:30", "2026-03-03 16:00")]


def test_what_is_past_is_not_offered_as_free(kari: User, kari_diary: Schedule, signed_in: SignedIn) -> None:
    events = signed_in(kari, "2026-03-03 12.00").get(WEEK).json()
    assert min(event["start"] for event in events) == "2026-03-03 12:00"


def test_busy_time_and_absence_show_as_busy_without_saying_why(
    berg: User, berg_diary: Schedule, signed_in: SignedIn
) -> None:
    Occupancy.objects.create(
        schedule=berg_diary,
        kind=OccupancyKind.BUSY,
        during=DateTimeTZRange(at("2026-03-04 09.00"), at("2026-03-04 10.00")),
    )
    Absence.objects.create(schedule=berg_diary, starts_at=at("2026-03-05 08.00"), ends_at=at("2026-03-05 16.00"))
    events = signed_in(berg, "2026-03-02 07.00").get(WEEK).json()
    busy = [
        (event["start"], event["end"], event["title"]) for event in events if event["extendedProps"]["kind"] == "busy"
    ]
    assert busy == [
        ("2026-03-04 09:00", "2026-03-04 10:00", "Opptatt"),
        ("2026-03-05 08:00", "2026-03-05 16:00", "Opptatt"),
    ]
    free = [event for event in events if event["extendedProps"]["kind"] == "free"]
    assert not any(event["start"].startswith("2026-03-05") for event in free)


def test_a_cancelled_appointment_leaves_the_calendar(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    cancel_appointment(appointment=appointment, reason="ill", actor=kari, now=at("2026-03-02 09.00"))
    events = signed_in(kari).get(WEEK).json()
    assert not [event for event in events if event["extendedProps"]["kind"] == "time"]


def test_the_units_day_has_a_column_for_each_of_the_team(
    berg: User, ada: Patient, berg_diary: Schedule, holm_diary: Schedule, book: Book, signed_in: SignedIn
) -> None:
    book(ada, "2026-03-03 10.00")
    client = signed_in(berg)
    page = client.get("/kalender/?visning=team").content.decode()
    assert "Berit Berg, overlege" in page
    assert "Hanne Holm, sårsykepleier" in page
    events = client.get("/kalender/hendelser.json?start=2026-03-03&end=2026-03-04&visning=team").json()
    (shown,) = [event for event in events if event["extendedProps"]["kind"] == "time"]
    assert shown["resourceIds"] == [str(berg_diary.pk)]


def test_the_list_needs_no_script(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    book(ada, "2026-03-03 10.00")
    page = signed_in(kari).get("/kalender/?visning=liste").content.decode()
    assert "Ada Alm" in page
    assert "Tirsdag 3. mars" in page


def test_a_week_is_named_by_its_number(kari: User, signed_in: SignedIn) -> None:
    page = signed_in(kari).get("/kalender/?dag=2026-03-18").content.decode()
    assert "Uke 12 · mars 2026" in page


def test_the_chosen_appointment_opens_beside_the_calendar(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    page = signed_in(kari).get(f"/kalender/?time={appointment.reference}").content.decode()
    assert f'data-reference="{appointment.reference}"' in page
    assert "Født 13.03.1968" in page


def test_a_stranger_gets_no_events_and_no_panel(lie: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    client = signed_in(lie)
    assert client.get(WEEK).json() == []
    assert client.get(f"/kalender/?time={appointment.reference}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start=x&end=y",
        "start=2026-03-09&end=2026-03-02",
        "start=2026-01-01&end=2027-01-01",
        "start=0001-01-01&end=0001-01-02",
    ],
)
def test_a_senseless_stretch_is_refused_with_words(kari: User, signed_in: SignedIn, query: str) -> None:
    answer = signed_in(kari).get(f"/kalender/hendelser.json?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "query", ["visning=alt", "dag=i-morgen", "dag=9999-12-31", "dag=0001-01-01", "time=VT-0000-0000"]
)
def test_a_senseless_address_is_not_found(kari: User, signed_in: SignedIn, query: str) -> None:
    assert signed_in(kari).get(f"/kalender/?{query}").status_code == 404
