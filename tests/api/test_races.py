"""The same request from several threads at once takes effect once."""

from collections import Counter

import pytest

from apps.scheduling.models import Appointment
from tests.together import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_a_booking_sent_six_times_with_one_key_is_booked_once(api, kari, wish, first_time):
    programs, body = [api(kari) for _ in range(6)], wish | {"starts_at": first_time()}

    def sender(program):
        return lambda: program.post("/appointments", body, Idempotency_Key="once")

    answers = together(*(sender(program) for program in programs))
    said = Counter(answer.status_code for answer in answers)
    assert set(said) <= {201, 409}
    assert said[201] >= 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency-key-in-progress"
    assert len({answer.json()["reference"] for answer in answers if answer.status_code == 201}) == 1
    assert Appointment.objects.count() == 1
    assert programs[0].post("/appointments", body, Idempotency_Key="once").status_code == 201


def test_six_programs_after_one_time_get_it_once(api, kari, wish, first_time):
    programs, body = [api(kari) for _ in range(6)], wish | {"starts_at": first_time()}

    def sender(number, program):
        return lambda: program.post("/appointments", body, Idempotency_Key=f"each-{number}")

    answers = together(*(sender(number, program) for number, program in enumerate(programs)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 5}
    assert {answer.json()["reason"] for answer in answers if answer.status_code == 409} <= {"time-taken", "not-open"}
    assert Appointment.objects.count() == 1


def test_of_the_guests_that_many_invite_at_once_ten_come(api, kari, wish, first_time):
    booked = api(kari).post("/appointments", wish | {"starts_at": first_time()}).json()
    address = f"/appointments/{booked['reference']}/participants"
    for number in range(8):
        assert api(kari).post(address, {"name": f"Gjest {number}"}).status_code == 201
    programs = [api(kari) for _ in range(5)]
    answers = together(*((lambda program=program: program.post(address, {"name": "Siv"})) for program in programs))
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 3}


def test_a_link_that_several_renew_at_once_is_one_that_works(api, kari, wish, first_time):
    from apps.rooms.models import JoinLink

    booked = api(kari).post("/appointments", wish | {"starts_at": first_time()}).json()
    patient = next(one["uid"] for one in booked["participants"] if one["role"] == "patient")
    address = f"/appointments/{booked['reference']}/participants/{patient}/link"
    programs = [api(kari) for _ in range(5)]
    answers = together(*((lambda program=program: program.post(address)) for program in programs))
    assert {answer.status_code for answer in answers} == {201}
    assert JoinLink.objects.filter(participant__uid=patient, revoked_at__isnull=True).count() == 1


def test_one_patient_registered_by_several_at_once_is_one_patient(api, kari):
    from apps.patients.models import Patient

    body = {"given_name": "Eva", "family_name": "Eik", "national_id": "13836810265", "phone": "+4700010009"}
    programs = [api(kari) for _ in range(5)]
    answers = together(*((lambda program=program: program.post("/patients", body)) for program in programs))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert Patient.objects.count() == 1
