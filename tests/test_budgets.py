"""How many queries each list page may take; the number must not grow with the list."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, Schedule

pytestmark = pytest.mark.django_db

# One of each: the session with its user, second factor and memberships; what is listed; who takes part in it.
BUDGETS = [
    ("/i-dag/", 4),
    ("/i-dag/neste/", 3),
    ("/kalender/", 1),
    ("/kalender/?visning=liste", 3),
    ("/kalender/?visning=team", 2),
    ("/kalender/hendelser.json?start=2026-03-02&end=2026-03-09", 7),
    ("/kalender/hendelser.json?start=2026-03-03&end=2026-03-04&visning=team", 7),
    ("/kalender/fravaer/", 3),
    ("/kalender/apningstider/", 5),
    ("/meldinger/", 4),
]


@pytest.fixture
def count(clock: Callable[[str], object], as_user: Callable[[User], Client], kari: User) -> Callable[[str], int]:
    clock("2026-03-03 09.50")
    client = as_user(kari)
    client.get("/i-dag/")

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    return queries


@pytest.mark.parametrize(("address", "budget"), BUDGETS)
def test_a_list_page_keeps_its_budget_however_long_the_list(
    address: str,
    budget: int,
    ada: Patient,
    bo: Patient,
    kari_diary: Schedule,
    book: Callable[..., Appointment],
    count: Callable[[str], int],
) -> None:
    book(ada, "2026-03-03 10.00")
    first = count(address)
    for hour, patient in [("11.00", bo), ("12.00", ada), ("13.00", bo), ("14.00", ada)]:
        book(patient, f"2026-03-03 {hour}", answers={"question": "?"})
    assert count(address) == first
    assert first == budget


@pytest.mark.parametrize("address", ["/i-dag/", "/i-dag/neste/"])
def test_the_page_of_an_empty_day_asks_when_the_next_is_and_for_no_list_of_them(
    address: str, ada: Patient, kari_diary: Schedule, book: Callable[..., Appointment], count: Callable[[str], int]
) -> None:
    empty = count(address)
    for day in ("04", "05", "06", "09", "10"):
        book(ada, f"2026-03-{day} 10.00")
    assert count(address) == empty == (4 if address == "/i-dag/" else 3)
