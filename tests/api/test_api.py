"""The API from a program's side: it finds, books, moves, cancels, and is told what is wrong."""

import base64
import json
import uuid
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from apps.accounts.models import KeptAnswer
from apps.accounts.services import create_api_key, revoke_api_key
from apps.audit.models import AccessRecord, Action
from apps.catalogue.models import ServiceType
from apps.organisations.models import Role
from apps.organisations.services import give_role
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, AppointmentEvent, AppointmentStatus, Occupancy, TeamMember, TeamOrder
from portal import retention
from tests.conftest import ADA_ID, LONG_AGO
from tests.scheduling_cast import at

from .conftest import Program, errors_of

pytestmark = pytest.mark.django_db


def is_problem(answer, status, code=None):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["type"].endswith(body["code"])
    if code:
        assert body["code"] == code
    return body


# Who asks ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer vt_wrong", "Bearer " + "x" * 5000, "Basic a2Fya", "vt_x"]
)
def test_without_a_valid_key_there_is_nothing(header, db):
    client = Client(headers={"Authorization": header})
    answer = client.get("/api/v1/appointments")
    is_problem(answer, 401, "unauthorised")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_session_in_the_browser_opens_no_api(as_user, kari):
    is_problem(as_user(kari).get("/api/v1/appointments"), 401)


def test_a_key_ends_when_it_is_revoked_runs_out_or_its_user_goes(kari, home_care):
    now = timezone.now()
    revoked, plain = create_api_key(user=kari, name="a", now=now)
    assert Program(plain).get("/service-types").status_code == 200
    revoke_api_key(key=revoked, now=now)
    is_problem(Program(plain).get("/service-types"), 401)
    _old, plain = create_api_key(user=kari, name="b", now=now - timedelta(days=31), days=30)
    is_problem(Program(plain).get("/service-types"), 401)
    _left, plain = create_api_key(user=kari, name="c", now=now)
    kari.is_active = False
    kari.save()
    is_problem(Program(plain).get("/service-types"), 401)


def test_a_key_notes_the_day_it_was_used(api, kari):
    program = api(kari)
    program.get("/service-types")
    assert kari.api_keys.get().last_used_on == timezone.now().date()


def test_memberships_decide_not_the_key(api, kari):
    program = api(kari)
    kari.memberships.all().delete()
    is_problem(program.get("/appointments"), 403, "no-unit")


def test_the_unit_is_chosen_by_header_or_parameter(api, kari, home_care, wound_clinic, other_home_care):
    give_role(user=kari, unit=wound_clinic, role=Role.CLERK, valid_from=LONG_AGO)
    program = api(kari)
    assert program.get("/registrations").status_code == 403
    assert program.get("/registrations", X_Unit=str(wound_clinic.uid)).status_code == 200
    assert program.get(f"/registrations?unit={wound_clinic.uid}").status_code == 200
    is_problem(program.get("/service-types", X_Unit=str(other_home_care.uid)), 404, "unit-not-found")
    is_problem(program.get("/service-types", X_Unit="x"), 404, "unit-not-found")
    for nameless in (program.get("/service-types", X_Unit=""), program.get("/service-types?unit=")):
        assert "/units" in is_problem(nameless, 404, "unit-not-found")["detail"]


def test_a_program_learns_where_it_may_act_and_as_what(api, kari, home_care, wound_clinic):
    give_role(user=kari, unit=wound_clinic, role=Role.CLERK, valid_from=LONG_AGO)
    first, second = api(kari).get("/units", X_Unit=str(wound_clinic.uid)).json()["items"]
    assert (first["uid"], first["roles"], first["chosen"]) == (str(home_care.uid), ["booker"], False)
    assert (second["uid"], second["roles"], second["chosen"]) == (str(wound_clinic.uid), ["clerk"], True)
    assert second["organisation_name"] == wound_clinic.organisation.name


# Errors in one form --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not-found"),
        ("GET", "/nothing/here", 404, "not-found"),
        ("GET", "/appointments/", 404, "not-found"),
        ("PUT", "/appointments", 405, "method-not-allowed"),
        ("DELETE", "/service-types", 405, "method-not-allowed"),
        ("HEAD", "/patients", 405, "method-not-allowed"),
        ("OPTIONS", "/appointments", 405, "method-not-allowed"),
        ("GET", "/patients/not-a-uuid", 404, None),
        ("GET", "/patients/00000000-0000-4000-8000-000000000000", 404, "not-found"),
        ("GET", "/appointments/VT-2222-2222", 404, "not-found"),
        ("GET", "/appointments/%00", 404, "not-found"),
        ("GET", "/appointments?limit=0", 422, "invalid"),
        ("GET", "/appointments?limit=many", 422, "invalid"),
        ("GET", "/appointments?offset=-1", 422, "invalid"),
        ("GET", "/appointments?start=yesterday", 422, "invalid"),
        ("GET", "/appointments?start=2026-03-01T10:00:00", 422, "invalid"),
        ("GET", "/appointments?status=lost", 422, "invalid"),
        ("GET", "/appointments?colour=red", 422, "invalid"),
        ("GET", "/appointments?patient=x", 422, "invalid"),
        ("GET", "/appointments?start=2026-03-02T00:00:00Z&end=2026-03-01T00:00:00Z", 422, "invalid"),
    ],
)
def test_every_error_is_a_problem(api, kari, method, path, status, code):
    answer = api(kari).send(method, path)
    if method == "HEAD":
        assert answer.status_code == status
    elif code is None:
        assert answer.status_code in {404, 422}
        is_problem(answer, answer.status_code)
    else:
        is_problem(answer, status, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing/here"), ("PUT", "/appointments"), ("GET", "/appointments?colour=red"), ("POST", "/patients")],
)
def test_a_problem_says_what_to_do_and_not_its_title_again(api, kari, method, path):
    problem = api(kari).send(method, path, {} if method == "POST" else None).json()
    assert problem["detail"] != problem["title"]


def test_what_is_wrong_with_an_address_is_said_of_its_parameter(api, kari, wish):
    for asked, name in [
        ({"start": "2030-03-02T00:00:00Z", "end": "2030-03-01T00:00:00Z"}, "end"),
        ({"service_type": str(uuid.uuid4())}, "service_type"),
        ({"length_minutes": "7"}, "length_minutes"),
    ]:
        [error] = api(kari).get(f"/open-times?{urlencode(wish | asked)}").json()["errors"]
        assert (error.get("parameter"), error.get("pointer")) == (name, None)


@pytest.mark.parametrize("change", ["move", "cancel"])
def test_every_409_names_its_reason(api, kari, booked, change):
    body = {"starts_at": booked["starts_at"]} if change == "move" else {"reason": "other"}
    stale = api(kari).post(f"/appointments/{booked['reference']}/{change}", body | {"version": 9})
    assert is_problem(stale, 409, "changed-meanwhile")["reason"] == "changed-meanwhile"
    api(kari).post(f"/appointments/{booked['reference']}/cancel", {"reason": "other"})
    late = api(kari).post(f"/appointments/{booked['reference']}/{change}", body)
    assert is_problem(late, 409, "not-open-any-more")["reason"] == "not-open-any-more"


@pytest.mark.parametrize("path", ["/service-types", "/openapi.json", "/appointments?limit=0", "/nothing/here"])
def test_head_answers_as_get_would_but_without_the_content(api, kari, path: str):
    program = api(kari)
    head, get = program.send("HEAD", path), program.send("GET", path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("Content-Type", "Content-Length", "Content-Language", "Content-Security-Policy"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("body", ["{", "[1", "nothing", "\xff\xfe", '{"a": ', "{'a': 1}", "[" * 100_000])
def test_a_body_that_is_not_json_is_said_to_be_so(api, kari, body):
    is_problem(api(kari).send("POST", "/patients/search", body), 400, "malformed-json")


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null", "true"])
def test_a_body_that_is_no_object_is_refused(api, kari, body):
    is_problem(api(kari).send("POST", "/patients/search", body), 422)


def test_a_body_of_another_kind_is_refused(api, kari):
    program = api(kari)
    answer = program.client.post("/api/v1/patients/search", {"name": "ada"})
    is_problem(answer, 415, "not-json")


def test_a_body_that_is_too_large_is_refused(api, kari):
    body = json.dumps({"name": "a" * (3 * 1024 * 1024)})
    is_problem(api(kari).send("POST", "/patients/search", body), 413, "too-large")


def test_a_body_in_pieces_is_refused_rather_than_taken_for_an_empty_one(api, kari):
    answer = api(kari).client.generic(
        "POST",
        "/api/v1/patients/search",
        b"",
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
    )
    is_problem(answer, 411, "length-required")


def test_nonsense_by_the_thousand_is_a_short_problem(api, kari):
    many = {f"word{number}": number for number in range(2000)}
    is_problem(api(kari).get(f"/appointments?{urlencode(many)}"), 400, "refused")
    assert len(is_problem(api(kari).post("/patients/search", many), 422)["errors"]) == 20


def test_a_host_name_that_is_not_ours_and_an_address_of_two_lines_meet_problems_too(api, kari, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    is_problem(api(kari).get("/service-types", Host="evil.example"), 400, "host-unknown")
    is_problem(api(kari).get("/service-types%0Amore"), 404, "not-found")


def test_errors_name_their_fields_and_speak_the_readers_language(api, kari):
    body = {"service_type": "x", "starts_at": "2026-03-02T10:00:00", "colour": "red", "guests": [{"name": ""}]}
    answer = api(kari).post("/appointments", body, Accept_Language="en")
    problem = is_problem(answer, 422, "invalid")
    assert errors_of(answer) == {
        "/service_type": "uuid-parsing",
        "/starts_at": "timezone-aware",
        "/colour": "extra-forbidden",
        "/guests/0/name": "string-too-short",
    }
    said = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert said["/starts_at"].startswith("Write date, time and time zone")
    norwegian = api(kari).post("/appointments", body, Accept_Language="nb").json()
    assert norwegian["title"] != problem["title"]
    assert api(kari).post("/appointments", body).json()["title"] == norwegian["title"], "bokmål by default"


def test_a_fault_of_ours_is_a_problem_too(api, kari, monkeypatch):
    from apps.catalogue import api as catalogue

    def broken(*args, **kwargs):
        raise RuntimeError("Ada Alm 13836810184")

    monkeypatch.setattr(catalogue, "bookable_services", broken)
    answer = api(kari).get("/service-types")
    is_problem(answer, 500, "fault")
    assert "Ada" not in answer.content.decode()


@pytest.mark.parametrize("repeatable", [{}, {"Idempotency_Key": "once"}], ids=["plain", "with a key"])
@pytest.mark.parametrize("asks", ["key_with_work", "staff_of", "bookable_service"])
def test_a_database_that_is_away_is_a_problem_wherever_it_is_asked(
    api, kari, wish, first_time, monkeypatch, repeatable, asks
):
    from apps.organisations import api as organisations
    from apps.organisations import queries as keys
    from apps.scheduling import api as scheduling

    def away(*args, **kwargs):
        raise OperationalError("13836810184 is not answered")

    program, body = api(kari), wish | {"starts_at": first_time()}
    place = {"key_with_work": keys, "staff_of": organisations, "bookable_service": scheduling}[asks]
    monkeypatch.setattr(place, asks, away)
    answer = program.post("/appointments", body, **repeatable)
    is_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "13836810184" not in answer.content.decode()


def test_an_answer_that_is_lost_after_the_commit_is_not_said_to_have_changed_nothing(
    api, kari, wish, first_time, monkeypatch
):
    from apps.scheduling import api as scheduling

    def away(*args, **kwargs):
        raise OperationalError

    booked = api(kari).post("/appointments", wish | {"starts_at": first_time()}).json()
    monkeypatch.setattr(scheduling, "_shown", away)
    answer = api(kari).post(f"/appointments/{booked['reference']}/cancel", {"reason": "other"}, Accept_Language="en")
    assert Appointment.objects.get().status == AppointmentStatus.CANCELLED
    is_problem(answer, 503, "unavailable")
    assert "look whether it did" in answer.json()["detail"]


def test_the_description_is_there_and_lists_the_operations(db):
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    assert "post" in paths["/api/v1/appointments"]
    assert {"201", "409"} <= set(paths["/api/v1/appointments"]["post"]["responses"])
    assert Client().get("/api/v1/docs").status_code == 404


def test_the_description_tells_errors_and_headers_as_they_are(api, kari, booked):
    description = Client().get("/api/v1/openapi.json").json()
    is_problem(api(kari).send("PUT", "/openapi.json"), 405, "method-not-allowed")
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            told = operation["responses"]
            assert {"400", "401", "403", "404", "422", "500", "503"} <= set(told), path
            for status, answer in told.items():
                kind = "application/problem+json" if int(status) >= 400 else "application/json"
                assert set(answer.get("content", {kind})) == {kind}, (path, status)
            headers = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
            assert headers == ({"X-Unit", "Idempotency-Key"} if method == "post" else {"X-Unit"}), path
            if method == "post":
                assert {"409", "411", "413", "415"} <= set(told), path
    conflict = description["paths"]["/api/v1/appointments"]["post"]["responses"]["409"]["content"]
    assert conflict["application/problem+json"]["schema"]["$ref"].endswith("/Conflict")


def test_the_description_shows_how_each_body_is_written(db):
    description = Client().get("/api/v1/openapi.json").json()
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for operations in description["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    assert len(bodies) > 7
    for name in bodies:
        body = description["components"]["schemas"][name]
        [shown] = body["examples"]
        assert set(body.get("required", [])) <= set(shown) <= set(body["properties"]), name


def test_the_description_names_the_values_that_there_are(booked, api, kari):
    schemas = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]
    shown = api(kari).get(f"/appointments/{booked['reference']}").json()
    for name in ("status", "place", "cancel_reason"):
        assert shown[name] in schemas["AppointmentOut"]["properties"][name]["enum"]
    for one in shown["participants"]:
        for name in ("role", "answer"):
            assert one[name] in schemas["ParticipantOut"]["properties"][name]["enum"]
    assert {"nob", "pol"} <= set(schemas["PatientIn"]["properties"]["language"]["enum"])


NUMBER_OF_2032 = "13836810001"
"""It holds by the looser rule only."""


# Patients ------------------------------------------------------------------------------------------------------------
def new_patient(**more):
    return {"given_name": "Eva", "family_name": "Eik", "national_id": "13836810265", "phone": "+4700010009"} | more


def test_a_patient_is_found_by_number_name_or_birth_date(api, kari, ada, bo):
    program = api(kari)
    for search in (
        {"national_id": ADA_ID},
        {"name": "ada"},
        {"birth_date": "1968-03-13"},
        {"name": "al", "birth_date": "1968-03-13"},
    ):
        found = program.post("/patients/search", search).json()["items"]
        assert [one["uid"] for one in found] == [str(ada.uid)], search
    assert program.post("/patients/search", {"name": "ada", "birth_date": "1944-08-02"}).json()["items"] == []
    assert program.post("/patients/search", {"name": "bo", "national_id": ADA_ID}).json()["items"] == []
    assert AccessRecord.objects.filter(patient_uid=ada.uid, action=Action.READ, actor_id=kari.pk).count() == 4
    is_problem(program.post("/patients/search", {}), 422, "search-empty")


def test_what_is_sent_as_a_number_is_never_read_as_a_name(api, kari, ada):
    answer = api(kari).post("/patients/search", {"national_id": "ada"})
    is_problem(answer, 422)
    assert set(errors_of(answer)) == {"/national_id"}


def test_yes_and_no_are_true_and_false_and_nothing_else(api, kari):
    for value in (1, "true", "yes", 0):
        answer = api(kari).post("/patients", new_patient(interpreter_needed=value))
        is_problem(answer, 422)
        assert set(errors_of(answer)) == {"/interpreter_needed"}, value


@pytest.mark.parametrize(
    "wish", [{"limit": True}, {"limit": "5"}, {"length_minutes": "30"}, {"interpreter_by_phone": 1}]
)
def test_a_number_is_a_number_in_json_and_text_in_an_address(api, kari, ada, wound_review, wish):
    program = api(kari)
    asked = {"service_type": str(wound_review.uid), "patient": str(ada.uid)}
    answer = program.post("/open-times", {**asked, **wish})
    is_problem(answer, 422)
    assert set(errors_of(answer)) == {f"/{name}" for name in wish}
    in_address = urlencode({**asked, **{name: str(value).lower() for name, value in wish.items() if value is not True}})
    assert program.get(f"/open-times?{in_address}").status_code == 200


def test_a_wider_search_needs_a_reason(api, kari, ada):
    program = api(kari)
    answer = program.post("/patients/search", {"name": "ada", "whole_organisation": True})
    is_problem(answer, 422, "reason-missing")
    assert errors_of(answer) == {"/reason": "reason-missing"}
    reason = {"name": "ada", "whole_organisation": True, "reason": "Called us about her wound"}
    assert len(program.post("/patients/search", reason).json()["items"]) == 1


def test_a_patient_is_registered_once(api, kari):
    program = api(kari)
    answer = program.post("/patients", new_patient())
    assert answer.status_code == 201
    uid = answer.json()["uid"]
    assert answer["Location"] == f"/api/v1/patients/{uid}"
    assert program.get(f"/patients/{uid}").json()["birth_date"] == "1968-03-13"
    again = program.post("/patients", new_patient())
    assert (again.status_code, again.json()["uid"]) == (200, uid)
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"national_id": "1"}, "/national_id"),
        ({"national_id": "13836810266"}, "/national_id"),
        ({"national_id": ""}, "/birth_date"),
        ({"birth_date": "1968-02-30"}, "/birth_date"),
        ({"birth_date": "2999-01-01"}, "/birth_date"),
        ({"given_name": ""}, "/given_name"),
        ({"given_name": "E" * 81}, "/given_name"),
        ({"given_name": "Eva\u202e"}, "/given_name"),
        ({"given_name": "Eva\u0000"}, "/given_name"),
        ({"given_name": "Eva\nEik"}, "/given_name"),
        ({"given_name": ["Eva"]}, "/given_name"),
        ({"given_name": None}, "/given_name"),
        ({"phone": "12"}, "/phone"),
        ({"email": "eva@"}, "/email"),
        ({"channel": "pigeon"}, "/channel"),
        ({"channel": "email"}, "/email"),
        ({"language": "norsk"}, "/language"),
        ({"language": "xxx"}, "/language"),
        ({"interpreter_needed": "perhaps"}, "/interpreter_needed"),
        ({"organisation": 1}, "/organisation"),
        ({"uid": "x"}, "/uid"),
        ({"birth_date": 0}, "/birth_date"),
        ({"birth_date": "86400"}, "/birth_date"),
        ({"next_of_kin": [{"name": "Siv", "relation": "datter", "phone": "1"}]}, "/next_of_kin/0/phone"),
        ({"next_of_kin": [{"name": "Siv"}, {"name": "-"}]}, "/next_of_kin/1/name"),
        ({"next_of_kin": [{}]}, "/next_of_kin/0/name"),
    ],
)
def test_wrong_patients_are_refused_at_the_field(api, kari, wrong, pointer):
    answer = api(kari).post("/patients", new_patient(**wrong))
    is_problem(answer, 422)
    assert pointer in errors_of(answer)
    assert not Patient.objects.exists()


def test_a_birth_date_that_is_not_the_numbers_is_asked_about_as_on_the_page(api, kari):
    program, doubtful = api(kari), new_patient(birth_date="1968-03-14")
    answer = program.post("/patients", doubtful, Accept_Language="en", Idempotency_Key="eva")
    is_problem(answer, 422, "birth-date-not-as-the-number-says")
    assert errors_of(answer) == {"/birth_date": "birth-date-not-as-the-number-says"}
    assert answer.json()["detail"].startswith("The number says 13.03.1968.")
    assert "Nummeret sier 13.03.1968" in program.post("/patients", doubtful).json()["detail"]
    assert not Patient.objects.exists()
    looked_at = program.post("/patients", doubtful | {"checked": True}, Idempotency_Key="eva")
    assert (looked_at.status_code, looked_at.json()["birth_date"]) == (201, "1968-03-14")
    is_problem(program.post("/patients", doubtful), 422)
    assert program.post("/patients", doubtful | {"checked": True}).status_code == 200


def test_a_number_from_2032_is_taken_with_a_warning(api, kari):
    coming = new_patient(national_id=NUMBER_OF_2032, birth_date="1968-03-13")
    answer = api(kari).post("/patients", coming)
    assert answer.status_code == 201
    (warning,) = answer.json()["warnings"]
    assert (warning["pointer"], warning["code"]) == ("/national_id", "national-id-not-issued-yet")
    assert "2032" in warning["detail"]
    assert api(kari).post("/patients", coming | {"checked": True}).json()["warnings"] == []
    assert api(kari).post("/patients", new_patient()).json()["warnings"] == []


def test_a_birth_date_that_is_missing_is_asked_for_as_programs_write_it(api, kari):
    answer = api(kari).post("/patients", new_patient(national_id=""))
    assert errors_of(answer) == {"/birth_date": "birth-date-missing"}
    assert "1943-05-12" in answer.json()["errors"][0]["detail"]


def test_all_that_is_wrong_with_a_patient_is_told_at_once(api, kari):
    wrong = new_patient(
        given_name="7",
        national_id="13836810185",
        phone="12",
        email="eva@",
        language="xxx",
        next_of_kin=[{"name": "Dina"}, {"name": "", "phone": "+4700010009"}],
    )
    answer = api(kari).post("/patients", wrong)
    is_problem(answer, 422, "invalid")
    assert set(errors_of(answer)) == {
        "/given_name",
        "/national_id",
        "/phone",
        "/email",
        "/language",
        "/next_of_kin/1/name",
    }
    assert not Patient.objects.exists()


def test_a_lone_surrogate_is_refused_and_not_a_fault(api, kari):
    answer = api(kari).send("POST", "/patients", json.dumps(new_patient()).replace("Eva", "Eva\\ud800"))
    is_problem(answer, 422)


# Finding and booking -------------------------------------------------------------------------------------------------
def test_what_kari_may_book_is_listed(api, kari, lie, wound_review):
    (listed,) = api(kari).get("/service-types").json()["items"]
    assert (listed["uid"], listed["name"], listed["length_minutes"]) == (str(wound_review.uid), "Sårvurdering", 30)
    assert api(kari).get(f"/service-types/{wound_review.uid}").json() == listed
    assert api(lie).get("/service-types").json()["items"] == []
    is_problem(api(lie).get(f"/service-types/{wound_review.uid}"), 404)


def test_every_time_shown_can_be_booked(api, kari, wish, first_time, ada):
    starts_at = first_time(3)
    answer = api(kari).post("/appointments", wish | {"starts_at": starts_at})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["starts_at"] == starts_at
    assert answer["Location"] == f"/api/v1/appointments/{body['reference']}"
    assert {one["role"] for one in body["participants"]} == {"performer", "requester", "patient"}
    assert body["patient"]["uid"] == str(ada.uid)
    record = AccessRecord.objects.get(what="appointment")
    assert (record.action, record.patient_uid, record.what_reference) == (Action.CREATE, ada.uid, body["reference"])


def test_open_times_by_address_are_the_same(api, kari, wish):
    posted = api(kari).post("/open-times", wish | {"limit": 5}).json()
    got = api(kari).get(f"/open-times?service_type={wish['service_type']}&patient={wish['patient']}&limit=5").json()
    assert got == posted
    assert len(got["items"]) == 5
    assert {one["role"] for one in got["items"][0]["who"]} == {"performer", "requester"}


def test_an_interpreter_comes_when_the_patient_needs_one(api, kari, ada, wish):
    ada.language, ada.interpreter_needed = "som", True
    ada.save()
    times = api(kari).post("/open-times", wish).json()["items"]
    assert "interpreter" in {one["role"] for one in times[0]["who"]}
    without = api(kari).post("/open-times", wish | {"interpreter_language": ""}).json()["items"]
    assert "interpreter" not in {one["role"] for one in without[0]["who"]}


def test_when_nothing_fits_it_says_why(api, kari, wish):
    body = api(kari).post("/open-times", wish | {"interpreter_language": "pol"}).json()
    assert body["items"] == []
    assert [block["role"] for block in body["no_time"]["blocking"]] == ["interpreter"]


def test_a_time_zone_in_an_address_may_be_written_as_people_read_it(api, kari, wish, clock):
    clock("2026-03-02 08.00")
    for plus in ("+", "%2B", " "):
        start = f"2026-03-10T10:30:00{plus}01:00"
        answer = api(kari).get(
            f"/open-times?service_type={wish['service_type']}&patient={wish['patient']}&start={start}"
        )
        assert answer.json()["items"][0]["starts_at"] == "2026-03-10T09:30:00Z"


def test_a_window_that_ends_before_it_begins_is_refused(api, kari, wish):
    window = {"start": "2030-01-02T10:00:00Z", "end": "2030-01-01T10:00:00Z"}
    answer = api(kari).post("/open-times", wish | window)
    assert errors_of(answer) == {"/end": "ends-before-start"}


def test_a_taken_time_is_answered_with_the_reason_and_alternatives(api, kari, wish, booked, bo):
    answer = api(kari).post("/appointments", wish | {"patient": str(bo.uid), "starts_at": booked["starts_at"]})
    problem = is_problem(answer, 409)
    assert problem["reason"] in {"time-taken", "not-open"}
    assert problem["role"] == "requester", "Kari is with Ada then"
    assert len(problem["alternatives"]) == 3
    again = api(kari).post("/appointments", wish | {"starts_at": problem["alternatives"][0]["starts_at"]})
    assert again.status_code == 201
    assert Appointment.objects.count() == 2


def starts(problem):
    return [datetime.fromisoformat(one["starts_at"]) for one in problem["alternatives"]]


def test_the_alternatives_are_the_nearest_before_and_after(api, kari, wish, book, ada, bo, wound_review, clock):
    clock("2026-03-02 08.00")
    wound_review.start_grid_minutes = 5
    wound_review.save()
    taken = at("2026-03-10 12.00")
    first_time = book(ada, "2026-03-10 12.00")
    answer = api(kari).post("/appointments", wish | {"patient": str(bo.uid), "starts_at": taken.isoformat()})
    near = [at("2026-03-10 11.25"), at("2026-03-10 11.30"), at("2026-03-10 12.30")]
    assert starts(is_problem(answer, 409)) == near
    evening = api(kari).post("/appointments", wish | {"starts_at": at("2026-03-10 21.00").isoformat()})
    last = [at("2026-03-10 15.20"), at("2026-03-10 15.25"), at("2026-03-10 15.30")]
    assert starts(is_problem(evening, 409)) == last
    moved = api(kari).post(
        f"/appointments/{first_time.reference}/move", {"starts_at": at("2026-03-10 12.01").isoformat()}
    )
    assert taken not in starts(is_problem(moved, 409)), "the time it has is no alternative"


def test_too_far_ahead_the_last_times_are_offered(api, kari, wish, clock):
    clock("2026-03-02 08.00")
    far = at("2026-06-01 10.00")
    offered = starts(is_problem(api(kari).post("/appointments", wish | {"starts_at": far.isoformat()}), 409, "too-far"))
    last = api(kari).post("/open-times", wish | {"start": (offered[0] - timedelta(hours=1)).isoformat(), "limit": 100})
    assert offered == [datetime.fromisoformat(one["starts_at"]) for one in last.json()["items"]][-3:]


def test_who_is_shown_is_who_comes_and_the_team_shares_fairly(
    api, kari, wish, book, ada, bo, wound_team, berg_diary, holm_diary, clock
):
    clock("2026-03-02 08.00")
    wound_team.order = TeamOrder.FAIR
    wound_team.save()
    for day in ("2026-03-03", "2026-03-04", "2026-03-05"):
        book(ada, f"{day} 10.00", only=(berg_diary.pk,))
    wish = wish | {"patient": str(bo.uid)}
    times = api(kari).post("/open-times", wish | {"limit": 12}).json()["items"]
    assert len(times) == 12
    for shown in times[::4]:
        booked = api(kari).post("/appointments", wish | {"starts_at": shown["starts_at"]}).json()
        expected = [one["name"] for one in shown["who"] if one["role"] == "performer"]
        assert [one["name"] for one in booked["participants"] if one["role"] == "performer"] == expected
        assert expected == [holm_diary.name], "Berg has three already"


@pytest.mark.parametrize(
    ("moved", "reason"), [({"minutes": 1}, "off-the-grid"), ({"days": 400}, "too-far"), ({"days": -60}, "too-soon")]
)
def test_a_rule_that_stands_in_the_way_is_named(api, kari, wish, first_time, moved, reason):
    starts_at = datetime.fromisoformat(first_time()) + timedelta(**moved)
    problem = is_problem(api(kari).post("/appointments", wish | {"starts_at": starts_at.isoformat()}), 409, reason)
    assert problem["reason"] == reason
    assert len(problem["alternatives"]) == 3
    assert not Appointment.objects.exists()
    assert not Occupancy.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "status", "pointer"),
    [
        ({"service_type": str(uuid.uuid4())}, 404, "/service_type"),
        ({"patient": str(uuid.uuid4())}, 404, "/patient"),
        ({"patient": None}, 422, "/patient"),
        ({"performers": [str(uuid.uuid4())]}, 404, "/performers"),
        ({"unit": str(uuid.uuid4())}, 422, "/unit"),
        ({"length_minutes": 7}, 422, "/length_minutes"),
        ({"length_minutes": 100000}, 422, "/length_minutes"),
        ({"interpreter_language": "xx"}, 422, "/interpreter_language"),
        ({"interpreter_language": "xxx"}, 422, "/interpreter_language"),
        ({"place": "moon"}, 422, "/place"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, 422, "/starts_at"),
        ({"starts_at": "soon"}, 422, "/starts_at"),
        ({"starts_at": 1e300}, 422, "/starts_at"),
        ({"starts_at": 1772528400}, 422, "/starts_at"),
        ({"starts_at": "1772528400"}, 422, "/starts_at"),
        ({"guests": [{"name": "Siv", "phone": "1"}]}, 422, "/guests/0/phone"),
        ({"guests": [{"name": "Siv", "email": "x"}]}, 422, "/guests/0/email"),
        ({"guests": [{"name": "Siv", "role": "performer"}]}, 422, "/guests/0/role"),
        ({"answers": {"nothing_like_it": 1}}, 422, "/answers/nothing_like_it"),
        ({"answers": {"undermining": "no"}}, 422, "/answers/undermining"),
        ({"answers": {"question": ["Why?"]}}, 422, "/answers/question"),
        ({"answers": {"question": None}}, 422, "/answers/question"),
    ],
)
def test_wrong_bookings_are_refused_at_the_field(api, kari, wish, first_time, wrong, status, pointer):
    body = wish | {"starts_at": first_time()} | wrong
    answer = api(kari).post("/appointments", body)
    is_problem(answer, status)
    if pointer:
        assert pointer in errors_of(answer)
    assert not Appointment.objects.exists()


def answer_to(question):
    """Answer as a program that knows nothing but the description."""
    most = question["maximum"]
    return {
        "choice": lambda: question["choices"][0]["value"],
        "choices": lambda: [question["choices"][0]["value"]],
        "integer": lambda: int(most),
        "decimal": lambda: most,
        "text": lambda: "Foam",
        "lines": lambda: ["Foam"],
        "boolean": lambda: False,
        "date": lambda: "2026-01-15",
        "datetime": lambda: "2026-01-15T08:30:00Z",
    }[question["type"]]()


def test_a_form_can_be_answered_from_its_description(api, kari, wish, first_time):
    described = api(kari).get(f"/service-types/{wish['service_type']}/form", Accept_Language="en").json()
    asked = {one["name"]: one for one in described["questions"]}
    assert asked["wound_type"]["label"] == "What kind of wound is it?"
    assert asked["undermining_mm"]["when"] == {"name": "undermining", "values": [True]}
    answers = {name: answer_to(one) for name, one in asked.items() if one["required"]}
    for total in described["totals"]:
        answers |= dict.fromkeys(total["names"], 0) | {total["names"][0]: total["total"]}
    booked = api(kari).post("/appointments", wish | {"starts_at": first_time(), "answers": answers})
    assert booked.status_code == 201, booked.content


def test_a_service_without_a_form_says_so(api, kari, wound_review):
    ServiceType.objects.update(form="")
    is_problem(api(kari).get(f"/service-types/{wound_review.uid}/form"), 404, "no-form")


def test_only_who_performs_the_service_can_be_asked_for(api, kari, wish, berg_diary, holm_diary, kari_diary):
    asked = api(kari).post("/open-times", wish | {"performers": [str(holm_diary.uid)]}).json()["items"]
    assert {str(holm_diary.uid)} == {one["schedule"] for one in asked[0]["who"] if one["role"] == "performer"}
    for other in (kari_diary, berg_diary):
        TeamMember.objects.filter(schedule=other).delete()
        is_problem(api(kari).post("/open-times", wish | {"performers": [str(other.uid)]}), 404)


def test_guests_come_along(api, kari, wish, first_time):
    guest = {"name": "Siv Alm", "relation": "datter", "phone": "00 01 11 11"}
    body = api(kari).post("/appointments", wish | {"starts_at": first_time(), "guests": [guest]}).json()
    assert [(one["name"], one["role"]) for one in body["participants"] if one["guest"]] == [("Siv Alm", "next_of_kin")]


def test_a_clerk_books_nothing(api, tor, wish):
    is_problem(api(tor).post("/open-times", wish), 403, "role-missing")
    is_problem(api(tor).post("/appointments", wish | {"starts_at": "2030-01-01T10:00:00Z"}), 403, "role-missing")


# One appointment -----------------------------------------------------------------------------------------------------
def test_an_appointment_is_read_listed_moved_and_cancelled(api, kari, berg, booked, first_time):
    program, at = api(kari), f"/appointments/{booked['reference']}"
    assert program.get(at).json() == booked
    assert [one["reference"] for one in api(berg).get("/appointments").json()["items"]] == [booked["reference"]]
    moved = program.post(f"{at}/move", {"starts_at": first_time(5), "version": 0})
    assert moved.status_code == 200, moved.content
    assert (moved.json()["version"], moved.json()["reference"]) == (1, booked["reference"])
    is_problem(program.post(f"{at}/move", {"starts_at": first_time(7), "version": 0}), 409, "changed-meanwhile")
    assert program.post(f"{at}/cancel", {"reason": "patient"}).json()["status"] == "cancelled"
    is_problem(program.post(f"{at}/cancel", {"reason": "patient"}), 409, "not-open-any-more")
    assert not Occupancy.objects.exists()


def test_a_move_to_the_time_it_has_is_no_move(api, kari, booked):
    answer = api(kari).post(
        f"/appointments/{booked['reference']}/move", {"starts_at": booked["starts_at"], "version": booked["version"]}
    )
    assert (answer.status_code, answer.json()) == (200, booked)
    assert [event.kind for event in AppointmentEvent.objects.all()] == ["booked"], "nobody is told of it"


def test_moving_to_a_taken_time_is_refused_with_alternatives(api, kari, wish, booked, bo, first_time):
    other = api(kari).post("/appointments", wish | {"patient": str(bo.uid), "starts_at": first_time(9)}).json()
    answer = api(kari).post(f"/appointments/{booked['reference']}/move", {"starts_at": other["starts_at"]})
    assert is_problem(answer, 409)["alternatives"]
    assert Appointment.objects.get(reference=booked["reference"]).version == 0


@pytest.mark.parametrize("body", [{}, {"reason": "because"}, {"reason": ""}, {"reason": "patient", "version": "x"}])
def test_a_cancellation_needs_a_known_reason(api, kari, booked, body):
    is_problem(api(kari).post(f"/appointments/{booked['reference']}/cancel", body), 422, "invalid")


def test_a_typed_reference_is_read_as_people_write_it(api, kari, booked):
    typed = booked["reference"].lower().replace("-", "")
    assert api(kari).get(f"/appointments/{typed}").json()["uid"] == booked["uid"]


def test_lists_are_filtered_and_come_in_pages(api, kari, wish, ada, bo):
    program = api(kari)
    for patient, n in ((ada, 0), (bo, 0), (ada, 0), (bo, 0), (ada, 0)):
        starts_at = program.post("/open-times", wish | {"patient": str(patient.uid)}).json()["items"][n]["starts_at"]
        made = program.post("/appointments", wish | {"patient": str(patient.uid), "starts_at": starts_at})
        assert made.status_code == 201
    first = program.get("/appointments?limit=2").json()
    assert len(first["items"]) == 2
    rest = program.get(first["next"].removeprefix("/api/v1")).json()
    last = program.get(rest["next"].removeprefix("/api/v1")).json()
    everything = [one["starts_at"] for part in (first, rest, last) for one in part["items"]]
    assert len(everything) == 5
    assert everything == sorted(everything)
    assert last["next"] is None
    assert len(program.get(f"/appointments?patient={bo.uid}").json()["items"]) == 2
    assert program.get("/appointments?status=cancelled").json()["items"] == []
    assert len(program.get(f"/appointments?end={everything[1].replace('+', '%2B')}").json()["items"]) == 1


def test_participants_are_added_removed_and_get_new_links(api, kari, booked):
    program, address = api(kari), f"/appointments/{booked['reference']}/participants"
    added = program.post(address, {"name": "Siv Alm", "relation": "datter", "email": "siv@post.example"})
    assert added.status_code == 201, added.content
    guest = added.json()["uid"]
    assert len(program.get(address).json()["items"]) == 4
    first = program.post(f"{address}/{guest}/link")
    assert first.status_code == 201, first.content
    second = program.post(f"{address}/{guest}/link").json()["url"]
    assert second != first.json()["url"]
    assert program.delete(f"{address}/{guest}/link").status_code == 204
    assert program.delete(f"{address}/{guest}").status_code == 204
    is_problem(program.delete(f"{address}/{guest}"), 404)
    performer = next(one["uid"] for one in booked["participants"] if one["role"] == "performer")
    is_problem(program.delete(f"{address}/{performer}"), 409, "still-needed")


def test_ten_guests_are_enough(api, kari, booked):
    program, address = api(kari), f"/appointments/{booked['reference']}/participants"
    answers = [program.post(address, {"name": f"Gjest {number}"}) for number in range(11)]
    assert {answer.status_code for answer in answers[:10]} == {201}
    is_problem(answers[10], 409, "too-many-guests")


def test_after_the_end_there_are_no_new_links_and_guests(api, kari, book, ada, clock):
    over = book(ada, "2026-03-02 10.00")
    patient = over.participants.get(role="patient")
    clock("2026-03-02 10.30")
    address = f"/appointments/{over.reference}/participants"
    is_problem(api(kari).post(f"{address}/{patient.uid}/link"), 409, "not-open-any-more")
    is_problem(api(kari).post(address, {"name": "Siv Alm"}), 409, "not-open-any-more")


def test_an_interpreter_sees_her_appointment_without_names(api, kari, amina, wish, ada):
    times = api(kari).post("/open-times", wish | {"interpreter_language": "som"}).json()["items"]
    body = wish | {"interpreter_language": "som", "starts_at": times[0]["starts_at"]}
    booked = api(kari).post("/appointments", body).json()
    seen = api(amina).get(f"/appointments/{booked['reference']}")
    assert seen.status_code == 200
    assert seen.json()["patient"] is None
    assert "Alm" not in seen.content.decode()
    is_problem(api(amina).get(f"/appointments?patient={ada.uid}"), 403)
    is_problem(api(amina).get(f"/appointments/{booked['reference']}/messages"), 403)


def test_who_manages_the_interpreters_neither_reads_nor_changes_what_they_interpret(api, kari, amina, lie, wish, ada):
    times = api(kari).post("/open-times", wish | {"interpreter_language": "som"}).json()["items"]
    body = wish | {"interpreter_language": "som", "starts_at": times[0]["starts_at"]}
    booked = api(kari).post("/appointments", body).json()
    give_role(user=lie, unit=amina.memberships.get().unit, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    manager, address = api(lie), f"/appointments/{booked['reference']}"
    patient = next(one["uid"] for one in booked["participants"] if one["role"] == "patient")
    for read in (manager.get(address), manager.get(f"{address}/participants")):
        assert read.status_code == 200
        assert "Alm" not in read.content.decode()
        assert str(ada.uid) not in read.content.decode()
    assert manager.get(f"/appointments?patient={ada.uid}").json()["items"] == []
    is_problem(manager.get(f"{address}/messages"), 404)
    is_problem(manager.post(f"{address}/move", {"starts_at": times[1]["starts_at"]}), 404)
    is_problem(manager.post(f"{address}/cancel", {"reason": "other"}), 404)
    is_problem(manager.post(f"{address}/participants", {"name": "Gjest"}), 404)
    is_problem(manager.post(f"{address}/participants/{patient}/link"), 404)
    is_problem(manager.delete(f"{address}/participants/{patient}/link"), 404)


def test_messages_are_listed_without_texts_and_addresses(api, kari, booked, react):
    react(timezone.now())
    answer = api(kari).get(f"/appointments/{booked['reference']}/messages")
    assert answer.status_code == 200
    listed = answer.json()["items"]
    assert listed
    assert {"purpose", "channel", "state", "due_at"} <= set(listed[0])
    assert "+4700010001" not in answer.content.decode()


def test_the_clerk_registers_a_held_session(api, kari, tor, booked, react):
    from apps.registration.models import Registration, RegistrationState

    react(timezone.now())
    row = Registration.objects.get()
    row.state, row.held_at = RegistrationState.AWAITING, timezone.now()
    row.save()
    program = api(tor)
    (listed,) = program.get("/registrations?state=awaiting").json()["items"]
    assert listed["appointment"] == booked["reference"]
    at = f"/registrations/{listed['uid']}"
    assert program.get(at).json()["sheet"]
    wrong = program.post(f"{at}/registered", {"dips_contact_id": "abc", "version": listed["version"]})
    assert errors_of(wrong) == {"/dips_contact_id": "contact-id-wrong"}
    done = program.post(f"{at}/registered", {"dips_contact_id": "30412886", "version": listed["version"]})
    assert (done.status_code, done.json()["state"]) == (200, "registered")
    is_problem(api(kari).get("/registrations"), 403)


# Strangers -----------------------------------------------------------------------------------------------------------
def test_a_stranger_meets_404_everywhere(api, lie, ada, booked, wish):
    program, at = api(lie), f"/appointments/{booked['reference']}"
    person = booked["participants"][0]["uid"]
    for method, path, body in [
        ("GET", at, None),
        ("POST", f"{at}/move", {"starts_at": booked["starts_at"]}),
        ("POST", f"{at}/cancel", {"reason": "patient"}),
        ("GET", f"{at}/participants", None),
        ("POST", f"{at}/participants", {"name": "Lie"}),
        ("DELETE", f"{at}/participants/{person}", None),
        ("POST", f"{at}/participants/{person}/link", {}),
        ("DELETE", f"{at}/participants/{person}/link", None),
        ("GET", f"{at}/messages", None),
        ("GET", f"/patients/{ada.uid}", None),
        ("GET", f"/service-types/{wish['service_type']}", None),
        ("POST", "/open-times", wish),
        ("POST", "/appointments", wish | {"starts_at": booked["starts_at"]}),
    ]:
        is_problem(program.send(method, path, body), 404)
    assert program.get("/appointments").json()["items"] == []
    assert program.get(f"/appointments?patient={ada.uid}").json()["items"] == []
    assert program.post("/patients/search", {"national_id": ADA_ID}).json()["items"] == []
    assert Appointment.objects.get().version == 0


def test_another_units_participant_cannot_be_reached_through_ones_own_appointment(
    api, kari, lie, booked, wish, bo, first_time
):
    other = api(kari).post("/appointments", wish | {"patient": str(bo.uid), "starts_at": first_time(9)}).json()
    guest = api(kari).post(f"/appointments/{other['reference']}/participants", {"name": "Siv"}).json()["uid"]
    is_problem(api(kari).delete(f"/appointments/{booked['reference']}/participants/{guest}"), 404)
    is_problem(api(kari).post(f"/appointments/{booked['reference']}/participants/{guest}/link"), 404)


# Requests that are sent twice ----------------------------------------------------------------------------------------
def test_the_same_request_twice_books_once(api, kari, wish, first_time):
    program, body = api(kari), wish | {"starts_at": first_time()}
    first = program.post("/appointments", body, Idempotency_Key="a1")
    second = program.post("/appointments", body, Idempotency_Key="a1")
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second["Location"] == first["Location"]
    assert second["Idempotent-Replay"] == "true"
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    "anew",
    [
        lambda body: json.dumps(body, indent=2),
        lambda body: json.dumps(body, separators=(",", ":")),
        lambda body: json.dumps(dict(reversed(body.items()))),
        lambda body: json.dumps(body | {"guests": [dict(reversed(one.items())) for one in body["guests"]]}),
        lambda body: json.dumps(body, ensure_ascii=False),
    ],
    ids=["spaced", "dense", "turned round", "turned round within", "not escaped"],
)
def test_a_request_that_is_written_anew_is_the_same_request(api, kari, wish, first_time, anew):
    program, guest = api(kari), {"name": "Åse Alm", "relation": "søster", "phone": "+4700010090"}
    body = wish | {"starts_at": first_time(), "guests": [guest]}
    first = program.post("/appointments", body, Idempotency_Key="a1")
    second = program.send("POST", "/appointments", anew(body).encode(), Idempotency_Key="a1")
    assert (second.status_code, second.content) == (201, first.content)
    assert second["Idempotent-Replay"] == "true"


def test_an_order_that_means_something_makes_another_request(api, kari, wish, first_time):
    program, guests = api(kari), [{"name": "Siv"}, {"name": "Åse"}]
    body = wish | {"starts_at": first_time(), "guests": guests}
    assert program.post("/appointments", body, Idempotency_Key="a1").status_code == 201
    turned = body | {"guests": guests[::-1]}
    is_problem(program.post("/appointments", turned, Idempotency_Key="a1"), 422, "idempotency-key-reused")


def test_nobody_without_our_key_can_try_out_whom_a_request_was_about(api, kari, settings):
    def asked(name: str) -> bytes:
        api(kari).post("/patients", new_patient(), Idempotency_Key=name)
        return bytes(KeptAnswer.objects.latest("pk").request)

    ours = asked("a")
    settings.INDEX_KEY = base64.urlsafe_b64encode(bytes(32)).decode()
    assert asked("b") != ours


@pytest.mark.parametrize("body", ["{", "\xff\xfe", "[" * 100_000, "1" * 5000])
def test_what_is_no_json_is_said_to_be_so_under_a_key_too(api, kari, body):
    answer = api(kari).send("POST", "/patients", body, Idempotency_Key="a7")
    assert answer.status_code in {400, 422}
    is_problem(answer, answer.status_code)
    assert api(kari).post("/patients", new_patient(), Idempotency_Key="a7").status_code == 201


def test_a_refusal_is_repeated_too(api, kari, wish, booked, bo):
    program, body = api(kari), wish | {"patient": str(bo.uid), "starts_at": booked["starts_at"]}
    first = program.post("/appointments", body, Idempotency_Key="a2")
    Appointment.objects.all().delete()
    assert program.post("/appointments", body, Idempotency_Key="a2").content == first.content
    assert first.status_code == 409


def test_a_key_used_for_another_request_is_refused(api, kari, wish, first_time):
    program = api(kari)
    program.post("/appointments", wish | {"starts_at": first_time()}, Idempotency_Key="a3")
    other = program.post("/appointments", wish | {"starts_at": first_time(3)}, Idempotency_Key="a3")
    is_problem(other, 422, "idempotency-key-reused")
    assert Appointment.objects.count() == 1


def test_what_was_wrong_may_be_corrected_under_the_same_key(api, kari, wish, first_time):
    program = api(kari)
    is_problem(program.post("/appointments", wish, Idempotency_Key="a4"), 422)
    assert program.post("/appointments", wish | {"starts_at": first_time()}, Idempotency_Key="a4").status_code == 201


def test_a_kept_answer_is_given_to_nobody_who_works_there_no_more(api, kari, wish, first_time):
    program, body = api(kari), wish | {"starts_at": first_time()}
    assert program.post("/appointments", body, Idempotency_Key="once").status_code == 201
    kari.memberships.update(valid_to=timezone.localdate() - timedelta(days=1))
    is_problem(program.post("/appointments", body, Idempotency_Key="once"), 403, "no-unit")


def test_two_users_may_choose_the_same_key(api, kari, lie, ada):
    assert api(kari).post("/patients", new_patient(), Idempotency_Key="same").status_code == 201
    theirs = api(lie).post("/patients", new_patient(given_name="Evy"), Idempotency_Key="same")
    assert theirs.status_code == 201
    assert "Idempotent-Replay" not in theirs


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "æ"])
def test_an_unusable_key_is_refused(api, kari, key):
    is_problem(api(kari).post("/patients", new_patient(), Idempotency_Key=key), 400, "idempotency-key-unusable")
    assert not Patient.objects.exists()


def test_kept_answers_are_not_readable_and_are_forgotten_after_a_week(api, kari):
    from django.db import connection

    api(kari).post("/patients", new_patient(), Idempotency_Key="a5")
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM accounts_keptanswer")
        assert b"Eik" not in bytes(cursor.fetchone()[0])
    kept = KeptAnswer.objects.get()
    retention.forget(now=kept.created_at + timedelta(days=6))
    assert KeptAnswer.objects.exists()
    assert retention.forget(now=kept.created_at + timedelta(days=7))["answers to repeated requests"] == 1
    assert not KeptAnswer.objects.exists()


def test_a_fault_keeps_no_answer_and_no_work(api, kari, monkeypatch):
    from apps.patients import api as patients

    def broken(*args, **kwargs):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(patients, "shown", broken)
        is_problem(api(kari).post("/patients", new_patient(), Idempotency_Key="a6"), 500)
    assert not Patient.objects.exists()
    assert api(kari).post("/patients", new_patient(), Idempotency_Key="a6").status_code == 201


def test_the_description_is_posted_never_put_into_an_address(api, kari, ada):
    is_problem(api(kari).get(f"/patients?national_id={ADA_ID}"), 405)
