"""Which codes a session gets, how sure they are, and when a sheet stays as it is."""

from datetime import date

import pytest
from django.conf import settings
from django.utils.translation import override

from apps.organisations.models import OrganisationKind
from apps.registration import services
from apps.registration.house_rules import BadRules, HouseRules, house_rules, read_rules
from apps.registration.models import CodeRule, Registration, RegistrationState
from apps.registration.queries import Rules
from apps.registration.sheet import ORDER, shown
from apps.scheduling.models import Appointment
from tests.scheduling_cast import at

pytestmark = pytest.mark.django_db


def codes(registration, field):
    return [row["code"] for row in registration.sheet if row["field"] == field]


def test_a_video_visit_is_a_video_consultation_at_outpatient_level(planned, ada):
    registration = planned(ada, "2026-03-03 10.00")
    assert codes(registration, "care_level") == ["3"]
    assert codes(registration, "contact_type") == ["6"]
    assert codes(registration, "place") == ["3"]
    assert codes(registration, "indirect") == []
    assert codes(registration, "procedure") == ["ZWUU40"]


def test_the_sheet_lists_its_rows_in_the_order_of_dips(planned, ada):
    fields = [row["field"] for row in planned(ada, "2026-03-03 10.00", interpreter_language="som").sheet]
    assert fields == [
        "care_level",
        "contact_type",
        "place",
        "speciality",
        "procedure",
        "interpreter",
        "tariff",
        "video_url",
        "reference",
    ]


def test_what_is_uncertain_says_so(planned, ada):
    certainty = {row["field"]: row["certainty"] for row in planned(ada, "2026-03-03 10.00").sheet}
    assert certainty["contact_type"] == "verified"
    assert certainty["place"] == "local"
    assert certainty["procedure"] == "candidate"


def test_every_house_rule_names_its_source_and_invents_no_code():
    for rule in house_rules().rules:
        for row in rule.rows:
            assert set(row["source"]) == {"nb", "nn", "en"}, row
            assert row["text"] or row["note"], row
            assert not (row["certainty"] != "verified" and row["field"] == "procedure" and not row["note"]), row


def test_a_session_without_the_patient_is_indirect_contact(planned, ada, wound_review):
    wound_review.patient_present = False
    wound_review.save()
    registration = planned(ada, "2026-03-03 10.00")
    assert registration.appointment.patient_present is False
    assert codes(registration, "contact_type") == ["5"]
    assert codes(registration, "indirect") == ["8"]
    assert codes(registration, "procedure") == []


def test_the_units_own_speciality_goes_before_the_list_of_choices(planned, ada, wound_review):
    assert codes(planned(ada, "2026-03-03 10.00"), "speciality") == ["050"]
    wound_review.speciality = ""
    wound_review.save()
    row = next(row for row in planned(ada, "2026-03-04 10.00").sheet if row["field"] == "speciality")
    assert row["code"] == ""
    assert "050 Ortopedisk kirurgi" in row["text"]


def test_the_video_address_is_stable_and_holds_no_secret(planned, ada):
    registration = planned(ada, "2026-03-03 10.00")
    row = next(row for row in registration.sheet if row["field"] == "video_url")
    assert row["text"] == f"{settings.PUBLIC_URL}/rom/{registration.appointment.reference}/"


def test_a_sheet_holds_nothing_about_the_patient(planned, ada):
    text = str(planned(ada, "2026-03-03 10.00", interpreter_language="som").sheet)
    assert ada.family_name not in text
    assert ada.national_id not in text
    assert ada.phone not in text


def test_the_interpreter_stands_in_the_readers_language(planned, ada):
    sheet = planned(ada, "2026-03-03 10.00", interpreter_language="som").sheet
    row = next(row for row in shown(sheet) if row.field == "interpreter")
    with override("nb"):
        row = next(row for row in shown(sheet) if row.field == "interpreter")
        assert row.value == "Ja, somali, på video"
    with override("en"):
        assert next(row for row in shown(sheet) if row.field == "interpreter").value == "Yes, Somali, by video"


def test_a_gp_sees_tariffs_and_none_of_the_hospitals_codes(planned, ada, wound_clinic):
    wound_clinic.organisation.kind = OrganisationKind.GP_OFFICE
    wound_clinic.organisation.save()
    registration = planned(ada, "2026-03-03 10.00", interpreter_language="som")
    assert codes(registration, "contact_type") == []
    assert codes(registration, "tariff") == ["2ae", "7"]


def test_the_hospital_registers_where_its_ward_asked_and_the_municipality_performs(
    planned, ada, wound_clinic, home_care
):
    appointment = planned(ada, "2026-03-03 10.00").appointment
    Appointment.objects.filter(pk=appointment.pk).update(requester_unit=wound_clinic, performer_unit=home_care)
    appointment.registration.delete()
    registration = services.plan_registration(appointment=Appointment.objects.get(pk=appointment.pk))
    assert registration.unit == wound_clinic


def test_where_no_hospital_takes_part_there_is_nothing_to_register(book, ada, rules, wound_clinic):
    wound_clinic.organisation.kind = OrganisationKind.MUNICIPALITY
    wound_clinic.organisation.save()
    assert services.plan_registration(appointment=book(ada, "2026-03-03 10.00")) is None


def test_a_meeting_about_no_patient_is_not_registered(book, rules, wound_review):
    wound_review.patient_present = False
    wound_review.save()
    appointment = book(None, "2026-03-03 10.00")
    assert services.plan_registration(appointment=appointment) is None
    services.queue_registration(appointment=appointment)
    services.move_registration(appointment=appointment)


# Rules ---------------------------------------------------------------------------------------------------------------
def rule(**of):
    defaults = {"patient_present": True, "valid_from": date(2021, 1, 1), "codes": []}
    return CodeRule.objects.create(**{**defaults, **of})


def test_the_most_specific_rule_of_the_day_wins(hospital, other_hospital):
    house = rule()
    family = rule(family="wound")
    scenario = rule(family="wound", scenario="wound-care")
    own = rule(organisation=hospital)
    later = rule(organisation=hospital, version=2, valid_from=date(2026, 6, 1))

    def chosen(organisation, family, scenario, on=date(2026, 3, 1)):
        return Rules().choose(
            organisation_id=organisation.pk, family=family, scenario=scenario, patient_present=True, on=on
        )

    assert chosen(other_hospital, "ent", "ent-follow-up") == house
    assert chosen(other_hospital, "wound", "other") == family
    assert chosen(other_hospital, "wound", "wound-care") == scenario
    assert chosen(hospital, "wound", "wound-care") == own
    assert chosen(hospital, "wound", "wound-care", date(2026, 6, 1)) == later
    assert chosen(hospital, "wound", "wound-care", date(2020, 12, 31)) is None


def test_loading_again_changes_nothing(rules):
    before = CodeRule.objects.count()
    assert services.load_code_rules(today=date(2026, 3, 1)) == 0
    assert CodeRule.objects.count() == before


def test_a_changed_rule_is_a_new_version_from_today_and_redraws_only_what_is_open(planned, held, mark, ada, bo, tor):
    open_one = planned(ada, "2026-03-03 10.00")
    settled = mark(held(bo, "2026-03-03 11.00"), tor)
    wanted = house_rules()
    changed = [each for each in wanted.rules if not (each.family == "wound" and each.patient_present)] + [
        type(wanted.rules[0])(family="wound", patient_present=True, rows=[])
    ]
    made = services.load_code_rules(
        today=date(2026, 3, 3), rules=HouseRules(wanted.valid_from, changed, wanted.specialities)
    )
    assert made == 1
    old, new = CodeRule.objects.filter(family="wound", patient_present=True).order_by("version")
    assert (old.valid_to, new.valid_from, new.version) == (date(2026, 3, 2), date(2026, 3, 3), 2)
    open_one.refresh_from_db()
    settled.refresh_from_db()
    assert open_one.rule == new
    assert codes(open_one, "contact_type") == []
    assert settled.rule == old
    assert codes(settled, "contact_type") == ["6"]


def test_a_rule_file_that_names_an_unknown_code_is_refused():
    data = {
        "valid_from": date(2021, 1, 1),
        "order": list(ORDER),
        "codes": {
            "contact_type": {"system": "Volven 8432", "source": "npr", "6": "Videokonsultasjon"},
            "speciality": {},
        },
        "sources": {"npr": {"nb": "x"}},
        "notes": {},
        "base": {"present": [{"field": "contact_type", "code": "66", "certainty": "verified"}]},
        "rules": [{"family": "", "patient": "present", "rows": []}],
    }
    with pytest.raises(BadRules, match="66"):
        read_rules(data)


# The session's life --------------------------------------------------------------------------------------------------
def test_a_held_session_awaits_registration_once(held, ada):
    registration = held(ada, "2026-03-03 10.00")
    assert registration.state == RegistrationState.AWAITING
    assert registration.held_at == at("2026-03-03 10.00")
    version = registration.version
    services.queue_registration(appointment=registration.appointment)
    registration.refresh_from_db()
    assert registration.version == version


def test_a_session_held_before_anything_was_planned_is_registered_too(book, rules, ada):
    appointment = book(ada, "2026-03-03 10.00")
    services.queue_registration(appointment=appointment)
    assert Registration.objects.get(appointment=appointment).state == RegistrationState.AWAITING


def test_a_cancelled_session_and_one_that_nobody_came_to_are_not_registered(planned, ada, bo):
    cancelled, missed = planned(ada, "2026-03-03 10.00"), planned(bo, "2026-03-03 11.00")
    services.withdraw_registration(appointment=cancelled.appointment)
    services.drop_registration(appointment=missed.appointment)
    cancelled.refresh_from_db()
    missed.refresh_from_db()
    assert (cancelled.state, cancelled.not_needed_reason) == ("not_needed", "cancelled")
    assert (missed.state, missed.not_needed_reason) == ("not_needed", "noshow")


def test_a_moved_session_gets_the_rule_of_its_new_day(planned, ada, hospital):
    registration = planned(ada, "2026-03-03 10.00")
    own = rule(organisation=hospital, valid_from=date(2026, 3, 10))
    appointment = registration.appointment
    appointment.starts_at, appointment.ends_at = at("2026-03-10 10.00"), at("2026-03-10 10.30")
    appointment.save()
    services.move_registration(appointment=appointment)
    registration.refresh_from_db()
    assert registration.rule == own


def test_planning_twice_makes_one_registration(planned, ada):
    registration = planned(ada, "2026-03-03 10.00")
    assert services.plan_registration(appointment=registration.appointment) == registration
