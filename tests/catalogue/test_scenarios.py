"""All 37 kinds of session can be loaded, again and again; units offer them, and others book them by agreement."""

import pytest
from django.core.management import call_command

from apps.catalogue import questionnaire
from apps.catalogue.families import FAMILIES
from apps.catalogue.models import AgreementMode, PortalUse, Scenario
from apps.catalogue.queries import bookable_services
from apps.catalogue.services import NotForThePortal, agree, load_scenarios, offer_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded():
    load_scenarios()


def scenario(code):
    return Scenario.objects.get(code=code)


def test_all_37_are_loaded_and_loading_again_changes_nothing(capsys):
    call_command("load_catalogue")
    first = list(Scenario.objects.values())
    call_command("load_catalogue")
    assert len(first) == 37
    assert list(Scenario.objects.values()) == first
    assert capsys.readouterr().out == "37 scenarios\n" * 2


def test_they_are_divided_as_the_sources_divide_them(loaded):
    uses = list(Scenario.objects.values_list("portal_use", flat=True))
    assert (uses.count("book"), uses.count("same_day"), uses.count("not_offered")) == (20, 7, 10)
    kinds = list(Scenario.objects.values_list("kind", flat=True))
    assert (kinds.count("planned"), kinds.count("acute"), kinds.count("support"), kinds.count("training")) == (
        19,
        14,
        3,
        1,
    )


def test_a_changed_name_is_brought_up_to_date(loaded):
    Scenario.objects.filter(code="palliative").update(names={"nb": "Gammelt navn"})
    load_scenarios()
    assert scenario("palliative").name == "Palliativ behandling"


def test_every_scenario_has_names_in_three_languages_and_a_family(loaded):
    for one in Scenario.objects.all():
        assert set(one.names) == {"nb", "nn", "en"}, one.code
        assert all(one.names.values()), one.code
        assert one.family in FAMILIES, one.code
        assert one.remote_roles, one.code
        assert one.local_roles, one.code


def test_everything_that_can_be_booked_has_its_form(loaded):
    for one in Scenario.objects.exclude(portal_use=PortalUse.NOT_OFFERED):
        assert questionnaire.has_form(one.form), one.code


def test_every_scenario_that_can_be_booked_can_be_offered(loaded, wound_clinic):
    for one in Scenario.objects.exclude(portal_use=PortalUse.NOT_OFFERED):
        service = offer_service(unit=wound_clinic, scenario=one)
        assert service.length_minutes == one.defaults["length_minutes"]
    assert bookable_services(wound_clinic).count() == 27


def test_emergencies_cannot_be_offered(loaded, wound_clinic):
    with pytest.raises(NotForThePortal):
        offer_service(unit=wound_clinic, scenario=scenario("caller-video-amk-ooh"))


def test_a_unit_tunes_its_own_service_and_has_it_once(loaded, wound_clinic):
    wound = scenario("wound-care")
    first = offer_service(unit=wound_clinic, scenario=wound, length_minutes=20)
    again = offer_service(unit=wound_clinic, scenario=wound, photo_upload=False)
    assert again.pk == first.pk
    assert (again.length_minutes, again.photo_upload) == (20, False)
    with pytest.raises(TypeError):
        offer_service(unit=wound_clinic, scenario=wound, colour="red")


def test_a_service_is_bookable_by_its_own_organisation_and_by_agreement_only(
    loaded, wound_clinic, home_care, municipality, other_home_care, other_municipality, django_assert_num_queries
):
    service = offer_service(unit=wound_clinic, scenario=scenario("wound-care"))
    assert list(bookable_services(wound_clinic)) == [service]
    assert not bookable_services(home_care)
    agree(service_type=service, organisation=municipality)
    agree(service_type=service, organisation=other_municipality, mode=AgreementMode.ON_REQUEST)
    assert list(bookable_services(home_care)) == [service]
    assert not bookable_services(other_home_care)
    with django_assert_num_queries(1):
        assert [(one.name, one.unit.organisation.name, one.scenario.family) for one in bookable_services(home_care)]


def test_a_service_that_is_switched_off_is_not_bookable(loaded, wound_clinic):
    offer_service(unit=wound_clinic, scenario=scenario("wound-care"), active=False)
    assert not bookable_services(wound_clinic)
