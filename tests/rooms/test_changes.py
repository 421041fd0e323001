"""Ada moves and cancels by herself, within the service's rules; nobody else does it with her link or theirs."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.scheduling.models import AppointmentStatus, Participant
from tests.scheduling_cast import at

from .conftest import BORN

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(book, ada, clock):
    return book(ada, "2026-03-05 10.00")


@pytest.fixture
def ada_at(booked, code_for):
    """Ada's browser, and the address of her pages."""
    participant = booked.participants.get(role="patient")
    client = Client()
    assert client.post(f"/j/{code_for(participant)}/inn/", BORN).status_code == 302
    return client, f"/mote/{participant.uid}/"


def test_ada_moves_to_a_joint_time_and_keeps_her_link(ada_at, booked, code_for):
    client, home = ada_at
    page = client.get(f"{home}flytt/").content.decode()
    assert "09.00" in page
    chosen = {"starts_at": at("2026-03-03 09.00").isoformat(), "version": booked.version}
    assert client.post(f"{home}flytt/", chosen).status_code == 302
    booked.refresh_from_db()
    assert booked.starts_at == at("2026-03-03 09.00")
    assert booked.events.latest("id").by_patient
    assert "3. mars" in client.get(home).content.decode()


def test_ada_finds_times_on_later_days_too(ada_at, booked):
    client, home = ada_at
    first = client.get(f"{home}flytt/")
    following = first.context["next_from"]
    assert first.context["days"][-1].date < following
    later = client.get(f"{home}flytt/", {"fra": following.isoformat()})
    day, *_days = later.context["days"]
    time, *_times = day.first
    assert day.date == following
    assert "Vis de første tidene" in later.content.decode()
    chosen = {"starts_at": time.starts_at.isoformat(), "version": booked.version}
    assert client.post(f"{home}flytt/?fra={following.isoformat()}", chosen).status_code == 302
    booked.refresh_from_db()
    assert booked.starts_at == time.starts_at


@pytest.mark.parametrize("day", ["2026-13-40", "i morgen", "9999-12-31", "0001-01-01", "2020-01-01", ""])
def test_a_day_that_is_none_means_from_now(ada_at, booked, day: str):
    client, home = ada_at
    first = client.get(f"{home}flytt/").context["days"]
    assert client.get(f"{home}flytt/", {"fra": day}).context["days"] == first


@pytest.mark.parametrize("starts_at", ["", "tomorrow", "2026-13-45T99:99", "2026-03-03T09:00", "0" * 500])
def test_what_is_no_time_is_asked_for_again(ada_at, booked, starts_at: str):
    client, home = ada_at
    assert client.post(f"{home}flytt/", {"starts_at": starts_at}).status_code == 422
    booked.refresh_from_db()
    assert booked.starts_at == at("2026-03-05 10.00")


def test_a_time_that_is_not_open_is_refused_with_the_open_ones(ada_at, booked, book, bo):
    client, home = ada_at
    book(bo, "2026-03-03 09.00")
    answer = client.post(f"{home}flytt/", {"starts_at": at("2026-03-03 09.00").isoformat(), "version": 0})
    assert answer.status_code == 409
    assert "Velg ny tid" in answer.content.decode()


def test_an_old_page_does_not_move_what_was_moved_meanwhile(ada_at, booked, kari, now):
    from apps.scheduling.services import move_appointment

    client, home = ada_at
    move_appointment(appointment=booked, starts_at=at("2026-03-04 11.00"), actor=kari, now=now)
    answer = client.post(f"{home}flytt/", {"starts_at": at("2026-03-03 09.00").isoformat(), "version": 0})
    assert answer.status_code == 409
    booked.refresh_from_db()
    assert booked.starts_at == at("2026-03-04 11.00")


def test_ada_cancels_and_is_told_so(ada_at, booked):
    client, home = ada_at
    assert client.get(f"{home}avlys/").status_code == 200
    booked.refresh_from_db()
    assert booked.status == AppointmentStatus.BOOKED, "asking changes nothing"
    assert client.post(f"{home}avlys/", {"version": 0}).status_code == 302
    booked.refresh_from_db()
    assert booked.status == AppointmentStatus.CANCELLED
    assert "avlyst" in client.get(home).content.decode()
    for page in ("flytt/", "avlys/"):  # back in the browser, or tapped twice
        assert client.get(home + page).headers["Location"] == home
        assert client.post(home + page, {"version": 0}).headers["Location"] == home


def test_the_day_before_it_is_too_late(ada_at, booked, clock):
    client, home = ada_at
    clock(booked.starts_at - timedelta(hours=23))
    for page in ("flytt/", "avlys/"):
        assert client.get(home + page).status_code == 403
        assert client.post(home + page, {"version": 0}).status_code == 403
    booked.refresh_from_db()
    assert booked.status == AppointmentStatus.BOOKED


@pytest.mark.parametrize(("rule", "page"), [("patient_may_move", "flytt/"), ("patient_may_cancel", "avlys/")])
def test_a_service_may_keep_it_to_the_telephone(ada_at, booked, rule: str, page: str):
    client, home = ada_at
    setattr(booked.service_type, rule, False)
    booked.service_type.save(update_fields=[rule])
    assert client.post(home + page, {"version": 0}).status_code == 403


def test_a_daughter_does_not_cancel_her_mothers_appointment(booked, code_for):
    daughter = Participant.objects.create(appointment=booked, role="next_of_kin", guest_name="Ida Alm")
    client = Client()
    client.post(f"/j/{code_for(daughter)}/inn/")
    assert client.post(f"/mote/{daughter.uid}/avlys/", {"version": 0}).status_code == 403
    patient = booked.participants.get(role="patient")
    assert client.post(f"/mote/{patient.uid}/avlys/", {"version": 0}).status_code == 410
    booked.refresh_from_db()
    assert booked.status == AppointmentStatus.BOOKED
