"""Acceptance data: two worlds that know nothing of each other, all their secrets told once."""

import base64
import io
import json
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.queries import live_key
from apps.accounts.services import key_digest
from apps.catalogue.models import Identification, ServiceType
from apps.catalogue.queries import bookable_services
from apps.organisations.models import Role, Unit
from apps.patients.identifiers import parse_identifier
from apps.patients.models import Patient
from apps.patients.queries import visible_patients
from apps.scheduling import queries, services
from apps.scheduling.models import Schedule
from tests.scheduling_cast import at

pytestmark = pytest.mark.django_db


def seeded():
    out = io.StringIO()
    call_command("seed_acceptance", "--json", stdout=out)
    return json.loads(out.getvalue())


def test_it_is_refused_in_production_with_one_line(settings):
    settings.DEMO = False
    with pytest.raises(CommandError) as refused:
        call_command("seed_acceptance", "--json")
    assert "\n" not in str(refused.value)
    assert not User.objects.exists()


def test_everybody_can_sign_in_and_every_key_works():
    data = seeded()
    for letter in "AB":
        people = data[letter]["users"].values()
        assert {person["role"] for person in people} == set(Role.values)
        for person in people:
            user = User.objects.get(uid=person["uid"])
            assert user.check_password(person["password"])
            secret = person["totp_secret"]
            raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
            assert raw == user.authenticator_set.get(confirmed=True).bin_key
            assert live_key(key_digest(person["api_key"]), timezone.now()).user == user


def test_there_is_a_service_of_each_identification_level_on_each_side():
    data = seeded()
    for letter in "AB":
        assert {service["identification"] for service in data[letter]["service_types"]} == set(Identification.values)


def test_the_two_sides_know_nothing_of_each_other():
    data = seeded()
    for mine, theirs in [("A", "B"), ("B", "A")]:
        unit = Unit.objects.get(uid=data[mine]["units"]["home_care"]["uid"])
        booker = User.objects.get(uid=data[mine]["users"]["booker"]["uid"])
        offered = {str(service.uid) for service in bookable_services(unit)}
        assert offered
        assert not offered & {service["uid"] for service in data[theirs]["service_types"]}
        seen = {str(patient.uid) for patient in visible_patients(booker)}
        assert seen
        assert not seen & {patient["uid"] for patient in data[theirs]["patients"]}


def test_patients_are_synthetic_with_the_birth_dates_told():
    for letter, data in seeded().items():
        if letter not in "AB":
            continue
        for told in data["patients"]:
            assert parse_identifier(told["national_id"]).synthetic
            patient = Patient.objects.get(uid=told["uid"])
            assert patient.birth_date == date.fromisoformat(told["birth_date"])


@pytest.mark.parametrize(
    "moment", ["2026-03-02 08.00", "2026-03-07 23.30", "2026-12-25 12.00", "2026-03-28 23.59", "2026-10-25 02.30"]
)
def test_whatever_the_day_there_is_a_time_to_book(moment):
    data, now = seeded()["A"], at(moment)
    unit = Unit.objects.get(uid=data["units"]["home_care"]["uid"])
    for told in data["service_types"]:
        service = ServiceType.objects.get(uid=told["uid"])
        patient = Patient.objects.get(uid=data["patients"][2]["uid"])
        request = queries.BookingRequest(
            service_type=service,
            requester_unit=unit,
            patient=patient,
            requester=Schedule.objects.get(uid=data["users"]["booker"]["schedule"]),
            interpreter_language="pol",
        )
        first = queries.open_times(request, now=now, limit=1)[0]
        assert first.starts_at - now < timedelta(days=2)


def test_a_session_can_be_booked_for_this_very_hour():
    data = seeded()["A"]
    soon = next(told for told in data["service_types"] if told["scenario"] == "general-consultation")
    request = queries.BookingRequest(
        service_type=ServiceType.objects.get(uid=soon["uid"]),
        requester_unit=Unit.objects.get(uid=data["units"]["home_care"]["uid"]),
        patient=Patient.objects.get(uid=data["patients"][0]["uid"]),
        requester=Schedule.objects.get(uid=data["users"]["booker"]["schedule"]),
    )
    now = at("2026-03-07 23.57")
    first = queries.open_times(request, now=now, limit=1)[0]
    assert first.starts_at - now < timedelta(minutes=5)
    booker = User.objects.get(uid=data["users"]["booker"]["uid"])
    assert services.book_appointment(request=request, starts_at=first.starts_at, actor=booker, now=now).reference


def test_every_run_makes_a_pair_of_its_own():
    first, second = seeded(), seeded()
    assert first["run"] != second["run"]
    numbers = [
        organisation["number"]
        for data in (first, second)
        for letter in "AB"
        for organisation in data[letter]["organisations"].values()
    ]
    assert len(set(numbers)) == 8
