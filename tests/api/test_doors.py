"""Every operation of the API stands in this table, and each caller meets there what the table says."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.api import api as the_api

from .conftest import Program

pytestmark = pytest.mark.django_db


TABLE: dict[tuple[str, str], tuple[int, int, int, int]] = {
    # operation: what Kari, Tor, Amina and Lie get
    ("GET", "/units"): (200, 200, 200, 200),
    ("GET", "/service-types"): (200, 200, 200, 200),
    ("GET", "/service-types/{service}"): (200, 200, 200, 404),
    ("GET", "/service-types/{service}/form"): (200, 200, 200, 404),
    ("POST", "/patients/search"): (200, 200, 403, 200),
    ("POST", "/patients"): (201, 403, 403, 201),
    ("GET", "/patients/{patient}"): (200, 404, 403, 404),
    ("GET", "/open-times"): (200, 403, 403, 404),
    ("POST", "/open-times"): (200, 403, 403, 404),
    ("GET", "/appointments"): (200, 200, 200, 200),
    ("POST", "/appointments"): (409, 403, 403, 404),
    ("GET", "/appointments/{reference}"): (200, 200, 404, 404),
    ("POST", "/appointments/{reference}/move"): (409, 403, 403, 404),
    ("POST", "/appointments/{reference}/cancel"): (200, 403, 403, 404),
    ("GET", "/appointments/{reference}/participants"): (200, 200, 404, 404),
    ("POST", "/appointments/{reference}/participants"): (201, 403, 403, 404),
    ("DELETE", "/appointments/{reference}/participants/{participant}"): (409, 403, 403, 404),
    ("POST", "/appointments/{reference}/participants/{participant}/link"): (201, 403, 403, 404),
    ("DELETE", "/appointments/{reference}/participants/{participant}/link"): (204, 403, 403, 404),
    ("GET", "/appointments/{reference}/messages"): (200, 200, 403, 404),
    ("GET", "/registrations"): (403, 200, 403, 403),
    ("GET", "/registrations/{registration}"): (403, 200, 403, 403),
    ("POST", "/registrations/{registration}/registered"): (403, 409, 403, 403),
}
NAMES = {
    "/service-types/{uid}": "{service}",
    "/patients/{uid}": "{patient}",
    "/registrations/{uid}": "{registration}",
}


def operations() -> set[tuple[str, str]]:
    """Read the operations off the API's own description, with our names for its parameters."""
    found = set()
    for path, methods in the_api.get_openapi_schema()["paths"].items():
        short = path.removeprefix("/api/v1")
        for start, name in NAMES.items():
            if short.startswith(start):
                short = short.replace("{uid}", name)
        short = short.replace("/participants/{uid}", "/participants/{participant}")
        found |= {(method.upper(), short) for method in methods}
    return found


def test_every_operation_is_in_the_table(db):
    assert operations() == set(TABLE)


@pytest.fixture
def world(booked: dict[str, Any], wish: dict[str, Any], ada: Any, react: Any) -> dict[str, str]:
    from django.utils import timezone

    from apps.registration.models import Registration

    react(timezone.now())
    return {
        "service": wish["service_type"],
        "patient": str(ada.uid),
        "reference": booked["reference"],
        "participant": next(one["uid"] for one in booked["participants"] if one["role"] == "performer"),
        "registration": str(Registration.objects.get().uid),
        "starts_at": booked["starts_at"],
    }


def body_of(method: str, path: str, world: dict[str, str]) -> Any:
    if method != "POST":
        return None
    wish = {"service_type": world["service"], "patient": world["patient"]}
    return {
        "/patients/search": {"name": "ada"},
        "/patients": {"given_name": "Eva", "family_name": "Eik", "birth_date": "1950-01-01", "phone": "+4700010009"},
        "/open-times": wish,
        "/appointments": wish | {"starts_at": world["starts_at"]},
        "/appointments/{reference}/move": {"starts_at": "2099-01-01T10:00:00Z"},
        "/appointments/{reference}/cancel": {"reason": "patient"},
        "/appointments/{reference}/participants": {"name": "Siv Alm"},
        "/registrations/{registration}/registered": {"version": 0},
    }.get(path, {})


@pytest.mark.parametrize("operation", TABLE, ids=" ".join)
def test_each_caller_meets_what_the_table_says(operation, world, api, kari, tor, amina, lie):
    method, path = operation
    address = path.format(**world)
    if operation == ("GET", "/open-times"):
        address += f"?service_type={world['service']}&patient={world['patient']}"
    body = body_of(method, path, world)
    met = [api(user).send(method, address, body).status_code for user in (lie, amina, tor, kari)]
    assert tuple(reversed(met)) == TABLE[operation]
    for key in ("", "vt_nobody"):
        assert Program(key).send(method, address, body).status_code == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=12), children, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "service_type", "patient", "starts_at", "interpreter_language", "length_minutes", "performers", "guests", "answers",
    "national_id", "name", "birth_date", "given_name", "family_name", "phone", "email", "language", "channel",
    "next_of_kin", "reason", "version", "dips_contact_id", "whole_organisation", "place", "start", "end", "limit",
]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_whatever_brings_it_down(data, world, api, kari, tor):
    method, path = data.draw(st.sampled_from([one for one in sorted(TABLE) if one[0] == "POST"]))
    good = body_of(method, path, world) or {}
    strange = data.draw(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
    body = data.draw(st.sampled_from([good | strange, strange])) if data.draw(st.booleans()) else data.draw(JSON)
    program = api(tor if "registrations" in path else kari)
    answer = program.send(method, path.format(**world), json.dumps(body))
    assert answer.status_code < 500, (path, body, answer.content)
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["limit", "offset", "start", "status", "patient", "unit", "x"]), value=st.text(max_size=20))
def test_no_query_whatever_brings_it_down(name, value, api, kari):
    program = api(kari)
    answer = program.client.get("/api/v1/appointments", {name: value})
    assert answer.status_code < 500


def test_an_address_with_odd_bytes_is_a_problem(api, kari):
    for path in ("/appointments/%ff%fe", "/appointments/" + "x" * 3000, "/patients/%00", "/appointments/../patients"):
        assert api(kari).get(path).status_code in {400, 404, 405, 422}
    assert Client().get("/api/v1/%ff").status_code == 404
