"""Staff pages open to staff: signed in, second factor given, in a unit, with a role."""

from datetime import date, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from apps.organisations import services
from apps.organisations.doors import staff_required
from apps.organisations.models import MAY_BOOK, Membership, Role, UnitKind
from apps.organisations.queries import staff_of
from apps.organisations.services import add_unit, end_role, give_role
from portal.urls import *  # noqa: F403  (this module is the URL conf of its tests)
from portal.urls import urlpatterns as portal_patterns
from tests.conftest import LONG_AGO


@staff_required
def ward_page(request):
    return HttpResponse(request.staff.unit.name)


@staff_required(roles=MAY_BOOK)
def booking_page(request):
    return HttpResponse("booking")


urlpatterns = [path("ward/", ward_page), path("booking/", booking_page), *portal_patterns]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def test_a_visitor_is_led_to_sign_in_and_back():
    answer = Client().get("/ward/?day=2")
    assert (answer.status_code, answer["Location"]) == (302, "/logg-inn/?next=%2Fward%2F%3Fday%3D2")


def test_a_password_alone_does_not_open_a_staff_page(kari):
    client = Client()
    client.force_login(kari)
    answer = client.get("/ward/")
    assert (answer.status_code, answer["Location"]) == (302, "/logg-inn/kode/?next=%2Fward%2F")


def test_a_fragment_sends_its_whole_page_to_sign_in():
    answer = Client().get("/ward/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/i-dag/"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/logg-inn/?next=%2Fi-dag%2F")


def test_what_was_typed_stays_on_its_page_though_the_session_has_ended():
    answer = Client().post("/ward/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/i-dag/"})
    assert (answer.status_code, answer.headers.get("HX-Redirect")) == (401, None)


def test_a_fragment_of_a_foreign_page_is_not_led_back_there():
    answer = Client().get("/ward/", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"})
    assert answer["HX-Redirect"] == "/logg-inn/"


def test_kari_comes_in_to_her_own_unit(as_user, kari):
    assert as_user(kari).get("/ward/").content.decode() == "Hjemmetjenesten sør"


def test_a_clerk_finds_no_booking_page(as_user, kari, tor):
    assert as_user(kari).get("/booking/").status_code == 200
    assert as_user(tor).get("/booking/").status_code == 404


def test_a_role_opens_doors_only_in_its_own_unit(as_user, tor, home_care):
    """Tor is a clerk at the hospital; what he is elsewhere counts only when he works there."""
    give_role(user=tor, unit=home_care, role=Role.BOOKER, valid_from=LONG_AGO)
    client = as_user(tor)
    assert client.get("/booking/").status_code == 404
    client.post("/enhet/", {"unit": home_care.uid})
    assert client.get("/booking/").status_code == 200


def test_somebody_without_a_unit_finds_nothing(as_user, kari):
    Membership.objects.all().delete()
    assert as_user(kari).get("/ward/").status_code == 404


def test_a_role_counts_from_its_first_day_through_its_last(kari, home_care):
    day = date(2026, 3, 2)
    Membership.objects.update(valid_from=day, valid_to=day)
    assert staff_of(kari, today=day).unit == home_care
    assert staff_of(kari, today=day - timedelta(days=1)).unit is None
    assert staff_of(kari, today=day + timedelta(days=1)).unit is None


def test_a_role_that_is_ended_closes_its_doors_at_once(as_user, kari):
    client = as_user(kari)
    assert client.get("/ward/").status_code == 200
    end_role(membership=Membership.objects.get(user=kari), today=timezone.localdate())
    assert client.get("/ward/").status_code == 404


def test_a_closed_account_has_no_work(kari):
    kari.is_active = False
    assert staff_of(kari).unit is None


def test_kari_cannot_switch_to_a_unit_that_is_not_hers(as_user, kari, other_home_care):
    client = as_user(kari)
    assert client.post("/enhet/", {"unit": other_home_care.uid}).status_code == 404
    assert client.get("/ward/").content.decode() == "Hjemmetjenesten sør"


@pytest.mark.parametrize("unit", ["", "nonsense", "0' OR 1=1"])
def test_a_unit_that_is_no_unit_is_not_found(as_user, kari, unit):
    assert as_user(kari).post("/enhet/", {"unit": unit}).status_code == 404


def test_switching_leads_back_only_within_the_portal(as_user, kari, home_care):
    client = as_user(kari)
    assert client.post("/enhet/", {"unit": home_care.uid, "next": "/kalender/"})["Location"] == "/kalender/"
    assert client.post("/enhet/", {"unit": home_care.uid, "next": "https://evil.example"})["Location"] == "/i-dag/"


def test_looking_up_the_staff_is_one_query(kari, django_assert_num_queries):
    with django_assert_num_queries(1):
        staff = staff_of(kari)
    assert staff.may_book
    assert staff.unit.organisation.name == "Elvebygd kommune"


@pytest.mark.parametrize("number", ["", "12345678", "310000018", "31000001x", "NO310000019MVA99"])
def test_a_wrong_organisation_number_is_refused(db, number):
    with pytest.raises(services.WrongOrganisationNumber):
        services.add_organisation(name="X", kind="municipality", number=number)


def test_an_organisation_and_a_unit_are_registered_once(hospital, wound_clinic):
    with pytest.raises(services.OrganisationKnown):
        services.add_organisation(name="Y", kind="hospital_trust", number="310 000 019")
    with pytest.raises(services.UnitKnown):
        add_unit(organisation=hospital, name=wound_clinic.name, kind=UnitKind.WARD, phone="+4700009999")
