"""Registering, finding and opening patients: who may, what is refused, what the access log keeps."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from apps.audit.models import AccessRecord, Action
from apps.common.phones import WrongPhone
from apps.organisations.models import Role, UnitKind
from apps.organisations.services import add_unit, end_role, give_role
from apps.patients import services
from apps.patients.identifiers import SyntheticRefused
from apps.patients.models import CareRelation, Patient
from apps.patients.queries import search_patients, visible_patients
from tests.conftest import ADA_ID, LONG_AGO

pytestmark = pytest.mark.django_db
NEW_ID = "13836810265"


@pytest.fixture
def register(municipality, home_care, kari, now):
    def do(**details):
        given = {"given_name": "Eva", "family_name": "Eik", "national_id": NEW_ID, "phone": "+4700010009"} | details
        unit = given.pop("unit", home_care)
        return services.register_patient(organisation=unit.organisation, unit=unit, actor=kari, now=now, **given)

    return do


@pytest.fixture
def night_patrol(municipality):
    return add_unit(organisation=municipality, name="Nattpatruljen", kind=UnitKind.HOME_CARE, phone="+4700001020")


# Registering ---------------------------------------------------------------------------------------------------------
def test_a_patient_is_registered_with_her_unit_and_it_is_logged(register, home_care, kari):
    eva = register()
    assert eva.birth_date == date(1968, 3, 13), "as the number says"
    assert list(eva.care_relations.values_list("unit", flat=True)) == [home_care.pk]
    record = AccessRecord.objects.get(patient_uid=eva.uid)
    assert (record.action, record.actor_id, record.what) == (Action.CREATE, kari.pk, "patient")


def test_the_same_person_is_registered_once(register, ada, night_patrol):
    Patient.objects.update(phone=None, phone_index=None)
    register(national_id=ADA_ID, unit=night_patrol, phone=ada.phone)
    assert bytes(Patient.objects.get().phone_index) == bytes(ada.phone_index), "by which she is found"
    again = register(national_id=ADA_ID, unit=night_patrol, phone="", email="ada@post.example")
    assert again.pk == ada.pk
    assert Patient.objects.count() == 1
    assert again.email == "ada@post.example", "what was not known is filled in"
    assert again.phone == "+4700010001", "what was known stays"
    assert night_patrol.pk in again.care_relations.values_list("unit", flat=True)


def test_a_number_with_another_birth_date_is_not_taken_for_the_same_person(register, ada):
    with pytest.raises(services.OtherBirthDate):
        register(national_id=ADA_ID, birth_date=date(1968, 3, 14), checked=True)


def test_two_organisations_have_a_record_each_of_one_person(register, ada, other_home_care):
    theirs = register(national_id=ADA_ID, unit=other_home_care)
    assert theirs.pk != ada.pk
    assert bytes(theirs.person_index) == bytes(ada.person_index)


def test_two_people_without_a_number_are_two_people(register):
    first = register(national_id="", birth_date=date(1950, 1, 1))
    second = register(national_id="", birth_date=date(1950, 1, 1))
    assert first.pk != second.pk


def test_national_ids_and_phones_are_not_readable_in_the_database(register):
    from django.db import connection

    eva = register()
    with connection.cursor() as cursor:
        cursor.execute("SELECT national_id, phone FROM patients_patient WHERE id = %s", [eva.pk])
        for column, plain in zip(cursor.fetchone(), (NEW_ID, "+4700010009"), strict=True):
            assert plain.encode() not in bytes(column)


@pytest.mark.parametrize(
    ("wrong", "refusal", "field"),
    [
        ({"given_name": " "}, services.NameMissing, "given_name"),
        ({"family_name": "E" * 81}, services.WrongName, "family_name"),
        ({"family_name": "Eik\u202etxt"}, services.WrongName, "family_name"),
        ({"given_name": "12345"}, services.WrongName, "given_name"),
        ({"given_name": "Eva\r\nBcc: x"}, None, None),
        ({"national_id": "", "birth_date": None}, services.BirthDateMissing, "birth_date"),
        ({"birth_date": date(1899, 12, 31)}, services.WrongBirthDate, "birth_date"),
        ({"birth_date": date(2026, 3, 3)}, services.WrongBirthDate, "birth_date"),
        ({"phone": "12"}, WrongPhone, "phone"),
        ({"phone": "", "channel": "sms"}, services.PhoneMissing, "phone"),
        ({"phone": "22 22 55 55", "channel": "sms"}, services.LandLine, "phone"),
        ({"email": "ada@"}, services.WrongEmail, "email"),
        ({"channel": "email"}, services.EmailMissing, "email"),
        ({"channel": "next_of_kin"}, services.KinPhoneMissing, "channel"),
        (
            {"channel": "next_of_kin", "next_of_kin": [services.KinInput("Siv Alm", "datter", "22 22 55 55", True)]},
            services.KinPhoneMissing,
            "channel",
        ),
        ({"channel": "pigeon"}, services.UnknownChoice, "channel"),
        ({"language": "xxx"}, services.UnknownLanguage, "language"),
        ({"address": "x" * 201}, services.PatientRefused, "address"),
        ({"protection": "secret"}, services.UnknownChoice, "protection"),
    ],
)
def test_wrong_details_are_refused_at_their_field_and_nothing_is_kept(register, wrong, refusal, field):
    if refusal is None:
        assert register(**wrong).given_name == "Eva Bcc: x", "line breaks become spaces"
        return
    with pytest.raises(refusal) as refused:
        register(**wrong)
    assert refused.value.field == field
    assert not Patient.objects.exists()


def test_production_registers_no_made_up_people(register, settings):
    settings.DEMO = False
    with pytest.raises(SyntheticRefused):
        register()


def test_who_has_no_phone_is_written_to_by_what_is_known(register):
    assert register(phone="", email="eva@post.example").channel == "email"
    assert register(national_id="", birth_date=date(1950, 1, 1), phone="").channel == "none"


# Finding -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "ada",
        "ALM",
        "alm ada",
        "Ada  Alm",
        ADA_ID,
        "138368 10184",
        "13.03.1968",
        "13.3.68",
        "130368",
        "1968-03-13",
        "13031968",
    ],
)
def test_kari_finds_ada_by_name_birth_date_or_number(kari, home_care, ada, bo, text):
    assert search_patients(kari, home_care, text) == [ada]


@pytest.mark.parametrize(
    "text", ["", "a", " ", "da", "xyz", "13.13.1968", "99999999999", "%", "_da", "ada\x00", "'; --", "\\", "1" * 10000]
)
def test_what_fits_nobody_finds_nobody(kari, home_care, ada, text):
    assert search_patients(kari, home_care, text) == []


def test_lie_finds_nobody_elsewhere(lie, other_home_care, home_care, ada):
    assert search_patients(lie, other_home_care, ADA_ID) == []
    assert search_patients(lie, home_care, ADA_ID) == []
    assert not visible_patients(lie).exists()


def test_only_roles_that_see_patients_find_them(amina, kari, home_care, ada):
    give_role(user=amina, unit=home_care, role=Role.INTERPRETER, valid_from=LONG_AGO)
    assert search_patients(amina, home_care, "ada") == []
    end_role(membership=kari.memberships.get(), today=timezone.localdate())
    assert search_patients(kari, home_care, "ada") == []


def test_a_wider_search_needs_a_reason_and_stands_in_the_patients_log(kari, night_patrol, home_care, ada):
    give_role(user=kari, unit=night_patrol, role=Role.BOOKER, valid_from=LONG_AGO)
    assert search_patients(kari, night_patrol, "ada") == []
    for reason in ("", "because", "a\u202eaaaaaaaaaaaa"):
        with pytest.raises(services.ReasonMissing):
            services.search_widely(unit=night_patrol, text="ada", reason=reason, actor=kari)
    found = services.search_widely(unit=night_patrol, text="ada", reason="Called us about her wound", actor=kari)
    assert found == [ada]
    services.search_widely(unit=night_patrol, text="xyz", reason="Called us about her wound", actor=kari)
    assert AccessRecord.objects.filter(patient_uid=None, what="patient-search").count() == 2, "found or not"
    record = AccessRecord.objects.get(patient_uid=ada.uid)
    assert (record.what, record.reason, record.unit_id) == (
        "patient-search",
        "Called us about her wound",
        night_patrol.pk,
    )


def test_a_wider_search_stays_in_the_organisation(lie, other_home_care, ada):
    assert services.search_widely(unit=other_home_care, text="ada", reason="Called us about it", actor=lie) == []


# Pages ---------------------------------------------------------------------------------------------------------------
def test_the_search_is_posted_and_answers_a_fragment_to_htmx(as_user, kari, ada):
    client = as_user(kari)
    page = client.post("/pasienter/", {"q": "ada"}).content.decode()
    assert "<html" in page
    assert "Ada Alm" in page
    fragment = client.post("/pasienter/", {"q": "ada", "choose": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert f'value="{ada.uid}"' in fragment
    assert "Ada Alm" not in client.get("/pasienter/?q=ada").content.decode(), "names do not go into addresses"


def test_the_wider_search_asks_for_the_reason_at_its_field(as_user, kari, ada):
    answer = as_user(kari).post("/pasienter/", {"q": "ada", "wide": "1", "reason": "x"})
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.content.decode()


def test_a_patient_found_widely_is_opened_for_the_unit_with_the_reason(as_user, kari, ada, night_patrol):
    kari.memberships.update(unit=night_patrol)
    client = as_user(kari)
    assert client.get(f"/pasienter/{ada.uid}/").status_code == 404
    page = client.post("/pasienter/", {"q": "ada", "wide": "1", "reason": "Called us about her wound"}).content.decode()
    assert f"/pasienter/{ada.uid}/apne/" in page
    answer = client.post(f"/pasienter/{ada.uid}/apne/", {"reason": "Called us about her wound"})
    assert answer["Location"] == f"/pasienter/{ada.uid}/"
    assert client.get(f"/pasienter/{ada.uid}/").status_code == 200
    assert AccessRecord.objects.filter(patient_uid=ada.uid, what="care-relation", reason__startswith="Called").exists()


def test_nobody_opens_a_record_without_a_reason_or_across_organisations(as_user, kari, lie, ada, night_patrol):
    kari.memberships.update(unit=night_patrol)
    as_user(kari).post(f"/pasienter/{ada.uid}/apne/", {"reason": ""})
    assert as_user(lie).post(f"/pasienter/{ada.uid}/apne/", {"reason": "Called us about her wound"}).status_code == 404
    assert CareRelation.objects.filter(patient=ada).count() == 1


def test_every_look_at_the_card_is_in_the_patients_log(as_user, kari, ada):
    client = as_user(kari)
    page = client.get(f"/pasienter/{ada.uid}/").content.decode()
    assert "Ada Alm" in page
    assert "Ada" not in page[: page.index("</title>")], "no names in titles"
    client.get(f"/pasienter/{ada.uid}/")
    assert AccessRecord.objects.filter(patient_uid=ada.uid, action=Action.READ, actor_id=kari.pk).count() == 2
    assert "Kari Kvist" in client.get(f"/pasienter/{ada.uid}/innsyn/").content.decode()


@pytest.mark.parametrize("page", ["", "endre/", "innsyn/", "timer/"])
def test_a_stranger_meets_404_on_every_page_of_a_patient(as_user, lie, amina, ada, page):
    for stranger in (lie, amina):
        assert as_user(stranger).get(f"/pasienter/{ada.uid}/{page}").status_code == 404


def test_a_stranger_changes_nothing(as_user, lie, ada):
    client = as_user(lie)
    assert client.post(f"/pasienter/{ada.uid}/endre/", contact()).status_code == 404
    assert client.post(f"/pasienter/{ada.uid}/parorende/", {"name": "X", "relation": "y"}).status_code == 404


def contact(**typed):
    given = {
        "phone": "00 01 00 07",
        "email": "",
        "address": "Elveveien 3",
        "language": "pol",
        "interpreter_mode": "phone",
    }
    return given | {"channel": "sms", "protection": "open"} | typed


def test_a_protected_address_is_shown_nowhere_and_stays_until_another_is_written(as_user, kari, ada):
    Patient.objects.filter(pk=ada.pk).update(address="Hemmelig vei 1", protection="strictly_confidential")
    client, page = as_user(kari), f"/pasienter/{ada.uid}/endre/"
    asked = client.get(page).content.decode()
    assert "Hemmelig vei" not in asked
    assert "Adressen er beskyttet og vises ikke" in asked
    assert AccessRecord.objects.filter(patient_uid=ada.uid, action=Action.READ, what="patient").count() == 1
    assert client.post(page, contact(address="", protection="strictly_confidential")).status_code == 302
    ada.refresh_from_db()
    assert (ada.address, ada.phone) == ("Hemmelig vei 1", "+4700010007")
    client.post(page, contact(address="Ny vei 2", protection="strictly_confidential"))
    ada.refresh_from_db()
    assert ada.address == "Ny vei 2"
    wrong = client.post(page, contact(address="", phone="12", protection="strictly_confidential")).content.decode()
    assert "Ny vei" not in wrong


def test_kari_changes_how_ada_is_reached(as_user, kari, ada):
    client = as_user(kari)
    assert client.get(f"/pasienter/{ada.uid}/endre/").status_code == 200
    assert client.post(f"/pasienter/{ada.uid}/endre/", contact(interpreter_needed="on")).status_code == 302
    ada.refresh_from_db()
    assert (ada.phone, ada.language, ada.interpreter_needed, ada.address) == ("+4700010007", "pol", True, "Elveveien 3")
    assert ada.contact_changed_at is not None
    record = AccessRecord.objects.get(patient_uid=ada.uid, action=Action.CHANGE)
    assert "phone" in record.what_reference
    assert "0007" not in record.what_reference, "which fields, not what they hold"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"phone": "12"}, "Skriv et telefonnummer"),
        ({"phone": ""}, "Skriv mobilnummeret"),
        ({"phone": "1" * 40}, "Skriv et telefonnummer"),
        ({"email": "x"}, "Skriv en e-postadresse"),
        ({"channel": "email"}, "Skriv e-postadressen"),
        ({"channel": "next_of_kin"}, "Legg først til en pårørende"),
        ({"language": "klingon"}, "Velg et språk"),
        ({"address": "a\u202eb"}, "Skriv bokstaver"),
        ({"phone": "22225555"}, "fasttelefon"),
    ],
)
def test_wrong_contact_details_are_answered_at_the_field_and_kept_as_typed(as_user, kari, ada, typed, words):
    answer = as_user(kari).post(f"/pasienter/{ada.uid}/endre/", contact(**typed))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Elveveien 3" in page or "address" in typed
    ada.refresh_from_db()
    assert ada.phone == "+4700010001"


def new(**typed):
    return contact() | {"national_id": NEW_ID, "birth_date": "", "given_name": "Eva", "family_name": "Eik"} | typed


def test_a_new_patient_needs_little(as_user, kari):
    assert as_user(kari).post("/pasienter/ny/", new()).status_code == 302
    eva = Patient.objects.get()
    assert (eva.name, eva.birth_date, eva.identifier_kind) == ("Eva Eik", date(1968, 3, 13), "FNR")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"national_id": "1383681026"}, "har elleve sifre"),
        ({"national_id": "13836810266"}, "et siffer er feil"),
        ({"national_id": "x" * 30}, "har elleve sifre"),
        ({"national_id": ""}, "Skriv fødselsdatoen"),
        ({"birth_date": "31.02.1968"}, "dag, måned og år"),
        ({"birth_date": "01.01.2999"}, "mellom 1900 og i dag"),
        ({"birth_date": "14.03.1968"}, "Nummeret sier 13.03.1968"),
        ({"given_name": ""}, "Skriv fornavnet"),
        ({"family_name": ""}, "Skriv etternavnet"),
        ({"family_name": "E" * 81}, "80"),
        ({"given_name": "Eva\u202e"}, "Skriv bokstaver"),
    ],
)
def test_a_wrong_new_patient_is_answered_at_the_field(as_user, kari, typed, words):
    answer = as_user(kari).post("/pasienter/ny/", new(**typed))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'value="Eik"' in page or "family_name" in typed
    assert not Patient.objects.exists()


def test_what_the_number_says_of_the_birth_date_is_only_a_hint(as_user, kari):
    client = as_user(kari)
    page = client.post("/pasienter/ny/", new(birth_date="14.03.1968")).content.decode()
    assert 'type="checkbox" name="checked"' in page
    assert client.post("/pasienter/ny/", new(birth_date="14.03.1968", checked="on")).status_code == 302
    assert Patient.objects.get().birth_date == date(1968, 3, 14)


def test_next_of_kin_are_added_and_removed(as_user, kari, ada):
    client = as_user(kari)
    wrong = client.post(f"/pasienter/{ada.uid}/parorende/", {"name": "", "relation": "datter", "kin_phone": "1"})
    assert wrong.status_code == 422
    assert 'value="datter"' in wrong.content.decode()
    client.post(
        f"/pasienter/{ada.uid}/parorende/",
        {"name": "Siv Alm", "relation": "datter", "kin_phone": "00 01 11 11", "acts_for_patient": "on"},
    )
    kin = ada.next_of_kin.get()
    assert (kin.name, kin.phone) == ("Siv Alm", "+4700011111")
    assert "Siv Alm" in client.get(f"/pasienter/{ada.uid}/").content.decode()
    services.update_contact(patient=ada, actor=kari, now=timezone.now(), channel="next_of_kin")
    client.post(f"/pasienter/{ada.uid}/parorende/{kin.pk}/fjern/")
    assert ada.next_of_kin.exists(), "messages go through her"
    services.update_contact(patient=ada, actor=kari, now=timezone.now(), channel="sms")
    client.post(f"/pasienter/{ada.uid}/parorende/{kin.pk}/fjern/")
    assert not ada.next_of_kin.exists()


def test_a_protected_address_is_shown_nowhere(as_user, kari, ada):
    services.update_contact(
        patient=ada, actor=kari, now=timezone.now(), address="Elveveien 3", protection="strictly_confidential"
    )
    client = as_user(kari)
    for page in (client.get(f"/pasienter/{ada.uid}/"), client.post("/pasienter/", {"q": "ada"})):
        assert "Elveveien" not in page.content.decode()
        assert "trengt fortrolig adresse" in page.content.decode()


def test_the_contact_details_of_a_change_that_changes_nothing_are_left_alone(kari, ada, now):
    services.update_contact(patient=ada, actor=kari, now=now, phone="00 01 00 01")
    ada.refresh_from_db()
    assert ada.contact_changed_at is None
    assert not AccessRecord.objects.filter(patient_uid=ada.uid).exists()


def test_a_future_reader_sees_changes_since_then(kari, ada, now):
    services.update_contact(patient=ada, actor=kari, now=now + timedelta(hours=1), phone="00 01 00 05")
    ada.refresh_from_db()
    assert ada.contact_changed_at == now + timedelta(hours=1)


def test_the_way_to_the_patients_stands_in_the_menu_of_those_who_may_see_them(as_user, kari, amina):
    assert 'href="/pasienter/"' in as_user(kari).get("/profil/").content.decode()
    assert 'href="/pasienter/"' not in as_user(amina).get("/profil/").content.decode()
