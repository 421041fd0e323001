"""The way through a booking, without script and with htmx: nothing is lost, and every mistake gets an answer."""

import io
import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from PIL import Image

from apps.audit.models import AccessRecord
from apps.catalogue.models import Scenario, ServiceType
from apps.catalogue.services import load_scenarios, offer_service
from apps.organisations.models import Organisation
from apps.patients.models import NextOfKin, Patient
from apps.scheduling import services
from apps.scheduling.forms import read_slot, slot_people, slot_time
from apps.scheduling.models import Appointment, BookingDraft, Hold, Need, Occupancy, ParticipantRole, Photo
from apps.scheduling.queries import open_times
from apps.scheduling.queries.drafts import draft_of, request_of_draft, requester_schedule
from portal import retention
from tests.scheduling.booking.conftest import Booker, times_on
from tests.scheduling_cast import at

pytestmark = pytest.mark.django_db


def text(answer):
    return answer.content.decode()


def picture(kind="JPEG"):
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "firebrick").save(out, kind)
    out.name = "sar.jpg"
    out.seek(0)
    return out


# The whole way -------------------------------------------------------------------------------------------------------
def test_kari_books_a_wound_review_for_ada(booker, ada, wound_form, kari):
    booker.begin().choose(ada).fill(wound_form).hold()
    answer = booker.send({"step": "summary"})
    appointment = Appointment.objects.get()
    assert answer.headers["Location"] == f"/timer/{appointment.reference}/bestilt/"
    assert (appointment.patient, appointment.booked_by) == (ada, kari)
    assert appointment.form_answers.answers["width_mm"] == 19
    assert appointment.participants.count() == 3
    assert not BookingDraft.objects.exists()
    assert appointment.reference in text(booker.client.get(answer.headers["Location"]))
    assert AccessRecord.objects.filter(action="create", what_reference=appointment.reference).exists()


def test_with_htmx_each_step_answers_with_the_steps_and_the_order(booker, ada, wound_form):
    booker.begin()
    answer = booker.send({"patient": str(ada.uid)}, htmx=True)
    assert answer.status_code == 200
    assert "Om såret" in text(answer)
    assert 'id="order" hx-swap-oob="true"' in text(answer)
    assert "<html" not in text(answer)
    answer = booker.send({"step": "details", **wound_form}, htmx=True)
    assert "Første felles ledige tider" in text(answer)
    answer = booker.send({"step": "time", "starts_at": booker.slots()[0]}, htmx=True)
    assert "Bestill videotimen" in text(answer)
    answer = booker.send({"step": "summary"}, htmx=True)
    assert answer.headers["HX-Redirect"].endswith("/bestilt/")


def test_the_ward_books_the_municipality_for_a_discharge(
    clock, as_user, hospital, municipality, home_care, wound_clinic, berg, berg_diary, kari_diary, municipal_team
):
    """Dr Berg's clinic stands for the ward here: the hospital asks, and the municipality performs."""
    from apps.catalogue.models import Scenario
    from apps.catalogue.services import agree
    from apps.patients.services import register_patient
    from tests.catalogue.test_questionnaire import complete

    now = clock("2026-03-02 08.00")
    load_scenarios()
    service = offer_service(unit=home_care, scenario=Scenario.objects.get(code="geriatric-discharge"))
    agree(service_type=service, organisation=hospital)
    Need.objects.create(service_type=service, role="performer", source="team", team=municipal_team)
    Need.objects.create(service_type=service, role="requester", source="requester")
    patient = register_patient(
        organisation=hospital,
        unit=wound_clinic,
        actor=berg,
        now=now,
        given_name="Dag",
        family_name="Dahl",
        birth_date=now.date() - timedelta(days=30000),
    )
    booker = Booker(as_user(berg), service).begin().choose(patient)
    assert "Om utskrivningen" in text(booker.page())
    typed = {f"form-{slug}": values for slug, values in complete("discharge_planning").items()}
    booker.fill({**typed, "people-companion": "me", "people-place": "ward"}).hold()
    booker.send({"step": "summary"})
    appointment = Appointment.objects.get()
    assert (appointment.requester_unit, appointment.performer_unit) == (wound_clinic, home_care)
    assert appointment.form_answers.form == "discharge_planning"


def test_every_bookable_kind_of_session_can_be_filled_in(booker, home_care, ada):
    from apps.catalogue.models import PortalUse

    load_scenarios()
    for scenario in Scenario.objects.exclude(portal_use=PortalUse.NOT_OFFERED).exclude(code="wound-care-home"):
        booker.service = offer_service(unit=home_care, scenario=scenario)
        booker.begin().choose(ada)
        page = booker.page()
        assert page.status_code == 200, scenario.code
        assert "Finn felles tid" in text(page), scenario.code


def test_the_form_can_be_left_for_later_and_what_was_written_stays(booker, ada, wound_form):
    few = {"form-width_mm": "19", "people-companion": "me", "people-place": "home", "later": "1"}
    answer = booker.begin().choose(ada).send({"step": "details", **few}, htmx=True)
    assert "Første felles ledige tider" in text(answer)
    assert "Skjemaet fylles ut senere" in text(answer)
    booker.hold()
    assert "Skjemaet er ikke helt utfylt." in text(booker.page())
    where = booker.send({"step": "summary"}).headers["Location"]
    saved = Appointment.objects.get().form_answers
    assert (saved.complete, saved.answers) == (False, {"width_mm": 19})
    assert "Fyll ut skjemaet" in text(booker.client.get(where))


def test_a_form_left_for_later_is_still_read_and_a_wrong_number_told(booker, ada):
    people = {"people-companion": "me", "people-place": "home", "later": "1"}
    answer = booker.begin().choose(ada).send({"step": "details", "form-width_mm": "nitten", **people})
    assert answer.status_code == 422
    assert "Skriv bredden i mm, for eksempel 19." in text(answer)
    assert "Skriv kort hva du vil ha svar på." not in text(answer)


def test_who_comes_back_and_fills_in_the_whole_form_has_no_form_missing(booker, ada, wound_form):
    people = {"people-companion": "me", "people-place": "home", "later": "1"}
    booker.begin().choose(ada).fill(people).fill(wound_form).hold()
    booker.send({"step": "summary"})
    assert Appointment.objects.get().form_answers.complete


def test_from_the_patients_card_only_the_service_is_asked_for(booker, ada):
    start = booker.client.get(f"/bestill/?pasient={ada.uid}")
    assert "For Ada Alm" in text(start)
    answer = booker.send(
        {"step": "service", "service": str(booker.service.uid), "about": str(ada.uid)}, url="/bestill/"
    )
    booker.url = answer.headers["Location"]
    assert booker.draft.patient == ada
    assert "Om såret" in text(booker.page())


@pytest.mark.parametrize("uid", ["x", "0" * 36, "\0", "00000000-0000-4000-8000-000000000000"])
def test_a_patient_whom_she_may_not_see_is_not_taken_from_the_address(booker, ada, uid):
    assert "Ada" not in text(booker.client.get("/bestill/", {"pasient": uid}))


def test_a_patient_of_another_unit_is_found_for_a_reason_that_stands_in_her_log(booker, ada, municipality, kari, now):
    from apps.organisations.services import add_unit
    from apps.patients.services import register_patient

    north = add_unit(organisation=municipality, name="Hjemmetjenesten nord", kind="home_care", phone="+4700300011")
    nils = register_patient(
        organisation=municipality, unit=north, actor=kari, now=now, given_name="Nils", family_name="Nes",
        birth_date=now.date() - timedelta(days=20000),
    )  # fmt: skip
    booker.begin()
    assert "Søk bredere" in text(booker.send({"step": "search", "q": "Nes"}))
    refused = booker.send({"step": "wide", "q": "Nes", "reason": " "})
    assert refused.status_code == 422
    assert 'value="Nes"' in text(refused)
    assert "Nils" not in text(refused)
    reason = "Overtatt fra nord i dag"
    found = text(booker.send({"step": "wide", "q": "Nes", "reason": reason}))
    assert "Nils Nes" in found
    assert reason in found
    booker.send({"patient": str(nils.uid), "reason": reason})
    assert booker.draft.patient is None  # a reason opens the record only where the wide search has been made
    booker.send({"patient": str(nils.uid), "reason": reason, "wide": "1"})
    assert booker.draft.patient == nils
    assert set(AccessRecord.objects.filter(patient_uid=nils.uid, reason=reason).values_list("what", flat=True)) == {
        "patient-search",
        "care-relation",
    }


def test_another_organisations_patient_is_not_opened_by_any_reason(
    booker, lie, other_municipality, other_home_care, now
):
    from apps.patients.services import register_patient

    stranger = register_patient(
        organisation=other_municipality, unit=other_home_care, actor=lie, now=now, given_name="Siv", family_name="Sund",
        birth_date=now.date() - timedelta(days=20000),
    )  # fmt: skip
    booker.begin()
    answer = booker.send({"patient": str(stranger.uid), "reason": "Trenger hjelp i dag", "wide": "1"})
    assert answer.status_code == 422
    assert booker.draft.patient is None


def test_a_new_patient_who_has_declined_messages_is_registered_so_from_the_booking(booker):
    booker.begin()
    booker.send({"step": "new_patient", "given_name": "Rita", "family_name": "Rød", "birth_date": "01.02.1950",
                 "language": "nob", "reserved": "on"})  # fmt: skip
    assert Patient.objects.get(given_name="Rita").reserved


def test_all_that_is_wrong_with_a_new_patient_is_said_at_once(booker):
    booker.begin()
    wrong = {"national_id": "12345678901", "birth_date": "31.02.1950", "phone": "ring meg", "given_name": ""}
    answer = booker.send({"step": "new_patient", "family_name": "Rød", "language": "nob", **wrong})
    assert set(wrong) == set(answer.context["new_patient"].errors)
    answer = booker.send({"step": "new_patient", "language": "nob"})
    assert {"birth_date", "given_name", "family_name"} == set(answer.context["new_patient"].errors)


@pytest.mark.parametrize("htmx", [True, False])
def test_a_number_that_belongs_to_somebody_else_is_not_taken_for_a_new_patients(booker, ada, clock, htmx):
    clock("2026-03-02 08.01")
    booker.begin()
    typed = {"national_id": ada.national_id, "given_name": "Rita", "family_name": "Rød", "language": "nob"}
    answer = booker.send({"step": "new_patient", "phone": "00 01 00 03", **typed}, htmx=htmx)
    page = text(answer if htmx else booker.page())
    assert "Ada Alm er registrert fra før, og er valgt." in page
    assert booker.draft.patient == ada
    assert ada.phone == Patient.objects.get(pk=ada.pk).phone


def test_a_date_that_the_number_does_not_say_is_asked_about_once(booker):
    """She has to prove it when she joins: a slip of the finger would shut her out."""
    booker.begin()
    typed = {"national_id": "13836810184", "given_name": "Rita", "family_name": "Rød", "language": "nob"}
    answer = booker.send({"step": "new_patient", "birth_date": "14.03.1968", **typed})
    assert answer.status_code == 422
    page = text(answer)
    assert "Nummeret sier 13.03.1968. Rett datoen, eller bekreft at du har sett etter at den er riktig." in page
    assert 'type="checkbox" name="checked"' in page
    assert 'value="14.03.1968"' in page
    assert booker.draft.patient is None
    booker.send({"step": "new_patient", "birth_date": "14.03.1968", "checked": "on", **typed})
    assert booker.draft.patient.birth_date == date(1968, 3, 14)


def test_one_letter_finds_nobody_and_says_what_would(booker):
    booker.begin()
    assert "Skriv minst to bokstaver" in text(booker.send({"step": "search", "q": "A"}))
    assert "Skriv minst to bokstaver" not in text(booker.send({"step": "search", "q": "Zz"}))


# Nothing is lost -----------------------------------------------------------------------------------------------------
def test_wrong_answers_are_shown_where_they_are_and_nothing_typed_is_lost(booker, ada, wound_form):
    booker.begin().choose(ada)
    answer = booker.send({"step": "details", **wound_form, "form-width_mm": "nitten", "form-question": ""})
    assert answer.status_code == 422
    page = text(answer)
    assert "Skriv bredden i mm, for eksempel 19." in page
    assert "Skriv kort hva du vil ha svar på." in page
    assert 'value="nitten"' in page
    assert 'value="Skum, hver tredje dag"' in page
    assert 'value="nitten"' in text(booker.page()), "reloading keeps it too"


def test_what_is_typed_is_kept_while_it_is_typed(booker, ada, wound_form):
    booker.begin().choose(ada)
    answer = booker.send(
        {"form-question": "Halvskrevet", "people-place": "nursing_home", "people-name": "Siv"},
        url=booker.url + "lagre/",
        htmx=True,
    )
    assert "Utkastet ble lagret kl. 08.00" in text(answer)
    page = text(booker.page())
    assert "Halvskrevet" in page
    assert 'value="Siv"' in page
    assert '<option value="nursing_home" selected>' in page


def test_answers_changed_after_the_time_was_chosen_must_be_sent_again(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold()
    sent = {"sent": str(booker.draft.choices["sent"])}
    booker.send({**wound_form, **sent, "form-question": "Noe annet"}, url=booker.url + "lagre/")
    answer = booker.send({"step": "summary"})
    assert answer.status_code == 409
    assert "Noe annet" in text(answer)
    assert not Appointment.objects.exists()


def test_what_was_kept_on_the_way_does_not_replace_the_form_that_overtook_it(booker, ada, wound_form):
    booker.begin().choose(ada)
    on_the_way = {"sent": "0", "form-question": "Halvskrev"}
    booker.fill(wound_form)
    booker.send(on_the_way, url=booker.url + "lagre/")
    assert "Første felles ledige tider" in text(booker.page())
    assert "Bør vi bytte bandasje?" in text(booker.page("details"))


def test_a_draft_can_be_gone_on_with_from_the_start_page_and_thrown_away(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold()
    start = text(booker.client.get("/bestill/"))
    assert booker.url in start
    assert "Ada Alm" in start
    booker.send({}, url=booker.url + "forkast/")
    assert not BookingDraft.objects.exists()
    assert not Occupancy.objects.exists()
    assert booker.url not in text(booker.client.get("/bestill/"))


def test_one_can_go_back_and_change_and_come_forward_again(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold()
    assert 'value="Skum, hver tredje dag"' in text(booker.page("details"))
    assert "Hvem gjelder det?" in text(booker.page("patient"))
    assert "Bestill videotimen" in text(booker.page())
    assert "Bestill videotimen" in text(booker.page("summary"))


def test_a_step_that_is_not_reached_is_answered_with_the_one_that_is(booker):
    booker.begin()
    for step in ("summary", "time", "details", "nonsense", "<script>"):
        assert "Hvem gjelder det?" in text(booker.page(step))


def test_another_patient_does_not_get_adas_answers(booker, ada, bo, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold()
    booker.send({"photo": picture()}, url=booker.url + "bilder/")
    booker.choose(bo)
    assert "Skum" not in text(booker.page())
    assert not Photo.objects.exists()
    assert not Hold.objects.exists()


def test_what_still_holds_is_taken_from_the_last_form(booker, book, ada):
    book(
        ada,
        "2026-03-03 12.00",
        answers={"wound_type": "venous", "location": "heel", "pain": 7, "question": "Gammelt spørsmål"},
    )
    booker.begin().choose(ada)
    page = text(booker.page())
    assert "hentet fra skjemaet tirsdag 3. mars" in page
    assert '<option value="heel" selected>' in page
    assert "Gammelt spørsmål" not in page
    assert 'name="form-pain" value="7" id="id_form-pain_7" checked' not in page


# Service and patient -------------------------------------------------------------------------------------------------
def test_a_service_named_in_the_address_goes_straight_to_the_patient(booker, ada):
    page = booker.client.get(f"/bestill/?service={booker.service.uid}")
    assert "Hvem gjelder det?" in text(page)
    assert not BookingDraft.objects.exists(), "looking keeps nothing"
    answer = booker.send({"service": str(booker.service.uid), "patient": str(ada.uid)}, url="/bestill/")
    booker.url = answer.headers["Location"]
    assert "Om såret" in text(booker.page())


@pytest.mark.parametrize("uid", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "\0", "1'--"])
def test_a_service_that_is_not_there_is_told(booker, uid):
    answer = booker.send({"service": uid}, url="/bestill/")
    assert answer.status_code == 422
    assert "Hva gjelder det?" in text(answer)
    assert booker.client.get("/bestill/", {"service": uid}).status_code == 200


def test_another_service_keeps_the_patient_and_lets_go_of_the_time(booker, ada, wound_form, home_care):
    booker.begin().choose(ada).fill(wound_form).hold()
    booker.send({"step": "service", "service": str(booker.service.uid)})
    assert Hold.objects.exists(), "it is the same one"
    assert booker.send({"step": "service", "service": "nonsense"}).status_code == 422
    load_scenarios()
    other = offer_service(unit=home_care, scenario=Scenario.objects.get(code="geriatric-discharge"))
    booker.send({"step": "service", "service": str(other.uid)})
    draft = booker.draft
    assert (draft.service_type, draft.patient, draft.starts_at) == (other, ada, None)
    assert not Hold.objects.exists()
    assert "details_done" not in draft.choices, "the form is another"


def test_a_service_that_is_switched_off_meanwhile_is_told_before_a_time_is_held(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form)
    slot = booker.slots()[0]
    ServiceType.objects.update(active=False)
    answer = booker.send({"step": "time", "starts_at": slot})
    assert answer.status_code == 409
    assert "kan ikke bestilles" in text(answer)


def test_kari_finds_patients_of_her_unit_by_name_and_number_and_no_others(booker, ada, bo, other_home_care):
    from tests.conftest import _patient

    _patient(other_home_care, "Ada", "Fremmed", ada.birth_date, "13836810184", "+4700010009")
    booker.begin()
    for asked in ("alm", "Ada", "13.03.1968", "13836810184", "138368 10184"):
        page = text(booker.send({"step": "search", "q": asked}))
        assert "Ada Alm" in page, asked
        assert "Fremmed" not in page
        assert "Bo Bjørk" not in page
    page = text(booker.send({"step": "search", "q": "finnes ikke"}))
    assert "Ingen blant pasientene" in page
    assert 'value="finnes ikke"' in page


def test_the_search_answers_htmx_with_the_hits_only(booker, ada):
    booker.begin()
    answer = booker.client.post(
        booker.url, {"step": "search", "q": "alm"}, headers={"HX-Request": "true", "HX-Target": "div#hits"}
    )
    assert "Ada Alm" in text(answer)
    assert "vt-step" not in text(answer)


def test_those_last_booked_for_come_first(booker, book, ada, bo):
    book(bo, "2026-03-03 12.00")
    booker.begin()
    assert [one.given_name for one in booker.page().context["recent"]] == ["Bo", "Ada"]


@pytest.mark.parametrize("uid", ["nonsense", "00000000-0000-0000-0000-000000000000", "\0"])
def test_a_patient_who_is_not_there_is_told(booker, uid):
    booker.begin()
    answer = booker.send({"patient": uid})
    assert answer.status_code == 422
    assert "ikke lenger i listen" in text(answer)


def test_a_strangers_patient_cannot_be_chosen(booker, other_home_care, ada):
    from tests.conftest import _patient

    stranger = _patient(other_home_care, "Eva", "Fremmed", ada.birth_date, "02884410013", "+4700010009")
    booker.begin()
    assert booker.send({"patient": str(stranger.uid)}).status_code == 422
    assert booker.draft.patient is None


def test_a_new_patient_is_registered_on_the_way(booker):
    booker.begin()
    new = {"step": "new_patient", "given_name": "Cato", "family_name": "Carlsen", "language": "nob"}
    answer = booker.send({**new, "birth_date": "1. mai", "national_id": "12345678901"})
    assert answer.status_code == 422
    assert 'value="Cato"' in text(answer)
    booker.send({**new, "birth_date": "01.05.1950", "phone": "00 01 00 03"})
    patient = Patient.objects.get(given_name="Cato")
    assert booker.draft.patient == patient
    assert patient.phone == "+4700010003"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("national_id", "12345678901"),
        ("national_id", "1" * 400),
        ("birth_date", "31.02.1950"),
        ("birth_date", "01.05.2950"),
        ("phone", "ring meg"),
        ("given_name", "x" * 200),
        ("family_name", ""),
        ("language", "klingon"),
        ("given_name", "\u202eolleH"),
    ],
)
def test_a_new_patient_with_a_mistake_is_asked_for_again(booker, field, typed):
    booker.begin()
    right = {"given_name": "Cato", "family_name": "Carlsen", "birth_date": "01.05.1950", "language": "nob"}
    answer = booker.send({"step": "new_patient", **right, field: typed})
    assert answer.status_code == 422
    assert field in answer.context["new_patient"].errors
    assert not Patient.objects.filter(family_name="Carlsen").exists()


# Who comes -----------------------------------------------------------------------------------------------------------
def test_the_interpreter_is_filled_in_from_the_patient(booker, ada, wound_form, amina_diary):
    Patient.objects.filter(pk=ada.pk).update(interpreter_needed=True, language="som")
    booker.begin().choose(ada)
    page = text(booker.page())
    assert "Behovet er registrert på pasienten" in page
    form = {**wound_form, "people-wants_interpreter": "on", "people-interpreter": "som", "people-by_phone": "screen"}
    booker.fill(form).hold()
    booker.send({"step": "summary"})
    appointment = Appointment.objects.get()
    assert appointment.interpreter_language == "som"
    assert appointment.participants.filter(role=ParticipantRole.INTERPRETER, schedule=amina_diary).exists()


def test_the_order_names_the_interpreter_before_she_is_asked_about(booker, ada, interpreters):
    Patient.objects.filter(pk=ada.pk).update(interpreter_needed=True, language="som")
    order = dict(booker.begin().choose(ada).page().context["order"])
    assert order["Deltakere"].endswith("tolk, somali")


@pytest.mark.parametrize(("kind", "told"), [("hospital_trust", True), ("municipality", False)])
def test_a_line_on_the_dips_list_is_promised_to_hospitals_only(booker, ada, wound_form, wound_clinic, kind, told):
    Organisation.objects.filter(pk=wound_clinic.organisation_id).update(kind=kind)
    booker.begin().choose(ada).fill(wound_form).hold(slot_value_of(booker, "2026-03-02 10.00"))
    assert ("DIPS" in text(booker.page())) is told


def test_an_interpreter_needs_a_language(booker, ada, wound_form):
    booker.begin().choose(ada)
    answer = booker.send({"step": "details", **wound_form, "people-wants_interpreter": "on", "people-interpreter": ""})
    assert "Velg språket det skal tolkes til." in text(answer)


def test_times_without_the_interpreter_are_one_tap_away_and_back(booker, ada, wound_form, interpreters):
    form = {**wound_form, "people-wants_interpreter": "on", "people-interpreter": "som", "people-by_phone": "screen"}
    booker.begin().choose(ada).fill(form)
    assert "Se tider uten tolk" in text(booker.page())
    booker.send({"step": "wish", "interpreter": "without"})
    page = text(booker.page())
    assert "Se tider med tolk" in page
    booker.send({"step": "wish", "interpreter": "with"})
    assert booker.draft.choices["interpreter"] == "som"


def test_next_of_kin_and_one_more_are_invited(booker, ada, wound_form):
    siv = NextOfKin.objects.create(patient=ada, name="Siv Alm", relation="datter", phone="+4700010090")
    silent = NextOfKin.objects.create(patient=ada, name="Ole Alm", relation="bror")
    booker.begin().choose(ada)
    answer = booker.send({"step": "details", **wound_form, "people-kin": [str(silent.pk)]})
    assert "ikke mobilnummer" in text(answer)
    answer = booker.send({"step": "details", **wound_form, "people-name": "Verge Vik"})
    assert "Skriv et mobilnummer eller en e-postadresse" in text(answer)
    guest = {"people-name": "Verge Vik", "people-relation": "verge", "people-phone": "00 01 00 77"}
    booker.fill({**wound_form, **guest, "people-kin": [str(siv.pk)]}).hold()
    booker.send({"step": "summary"})
    guests = Appointment.objects.get().participants.filter(guest_name__isnull=False)
    assert {(one.guest_name, one.guest_phone) for one in guests} == {
        ("Siv Alm", "+4700010090"),
        ("Verge Vik", "+4700010077"),
    }


def test_somebody_elses_next_of_kin_cannot_be_invited(booker, ada, bo, wound_form):
    other = NextOfKin.objects.create(patient=bo, name="Ida Bjørk", relation="kone", phone="+4700010091")
    NextOfKin.objects.create(patient=ada, name="Siv Alm", relation="datter", phone="+4700010090")
    booker.begin().choose(ada)
    assert booker.send({"step": "details", **wound_form, "people-kin": [str(other.pk)]}).status_code == 422


def test_a_patient_alone_takes_nobodys_time(booker, ada, wound_form, kari_diary):
    booker.begin().choose(ada).fill({**wound_form, "people-companion": "alone"}).hold()
    booker.send({"step": "summary"})
    appointment = Appointment.objects.get()
    assert appointment.patient_joins_alone
    assert not appointment.participants.filter(schedule=kari_diary).exists()


@pytest.mark.parametrize("companion", ["999999", "-1", "admin", ""])
def test_only_a_colleague_can_be_with_the_patient(booker, ada, wound_form, companion):
    booker.begin().choose(ada)
    assert booker.send({"step": "details", **wound_form, "people-companion": companion}).status_code == 422


# Pictures ------------------------------------------------------------------------------------------------------------
def test_pictures_are_taken_in_described_and_removed(booker, ada, wound_form):
    booker.begin().choose(ada)
    answer = booker.send({"photo": [picture(), picture()]}, url=booker.url + "bilder/", htmx=True)
    assert text(answer).count("<img") == 2
    first, second = Photo.objects.all()
    booker.send({"remove_photo": str(second.uid)}, url=booker.url + "bilder/", htmx=True)
    booker.fill({**wound_form, f"said-{first.uid}": "Med linjal"}).hold()
    booker.send({"step": "summary"})
    photo = Appointment.objects.get().photos.get()
    assert photo.description == "Med linjal"


def test_without_script_pictures_come_with_the_form(booker, ada, wound_form):
    booker.begin().choose(ada)
    booker.send({"step": "details", **wound_form, "photo": picture("PNG")})
    assert booker.draft.photos.count() == 1
    assert booker.draft.choices["details_done"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"), (b"<svg/>", "kunne ikke leses"), (b"", "tom")],
)
def test_what_is_no_picture_is_refused_and_the_form_stays(booker, ada, wound_form, content, said):
    from django.core.files.uploadedfile import SimpleUploadedFile

    booker.begin().choose(ada)
    answer = booker.send({"step": "details", **wound_form, "photo": SimpleUploadedFile("a.jpg", content, "image/jpeg")})
    assert answer.status_code == 422
    assert said in text(answer)
    assert 'value="Skum, hver tredje dag"' in text(answer)
    assert not Photo.objects.exists()


def test_somebody_elses_picture_is_not_removed(booker, ada, book, kari, now):
    booked = book(ada, "2026-03-03 12.00")
    photo = services.add_photo(upload=picture().read(), user=kari, appointment=booked, now=now)
    booker.begin().choose(ada)
    booker.send({"remove_photo": str(photo.uid)}, url=booker.url + "bilder/")
    assert Photo.objects.filter(pk=photo.pk).exists()


# Time ----------------------------------------------------------------------------------------------------------------
def test_every_time_that_is_shown_can_be_held(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form)
    slots = booker.slots()
    assert len(slots) > 9
    for slot in slots[::9]:
        assert booker.send({"step": "time", "starts_at": slot}).status_code == 302, slot
        assert Hold.objects.count() == 1


def test_the_first_time_is_marked_and_each_names_who_comes(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form)
    page = text(booker.page())
    assert page.count("Tidligst") == 1
    assert "Berit Berg" in page
    assert "Sårteamet (2)" in page
    assert "I dag" in page


def test_the_next_week_is_a_tap_away(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form)
    page = booker.client.get(booker.url + "?step=time&from=2026-03-09")
    assert "9. mars" in text(page)
    assert "6. mars" not in text(page)
    for nonsense in ("2026-13-40", "i morgen", "9999-12-31", "0001-01-01", "2020-01-01"):
        assert booker.client.get(booker.url, {"step": "time", "from": nonsense}).status_code == 200


def test_a_week_with_very_many_times_is_shown_some_days_at_a_time_and_hides_none(
    booker, kari, home_care, ada, wound_form, wound_review, monkeypatch
):
    monkeypatch.setattr("apps.scheduling.views.wizard.MOST_TIMES", 70)
    booker.begin().choose(ada).fill(wound_form)
    draft = draft_of(kari, home_care, booker.draft.uid)
    every = open_times(request_of_draft(draft, requester_schedule(draft)), now=at("2026-03-02 08.00"), limit=None)
    of_the_week = [one.starts_at for one in every if one.starts_at < at("2026-03-09 00.00")]
    assert len(of_the_week) > 140
    seen, day = [], None
    while day is None or day < date(2026, 3, 9):
        page = booker.client.get(booker.url, {"step": "time", **({"from": day.isoformat()} if day else {})})
        shown = [read_slot(value)[0] for value, _said in times_on(page)]
        assert len(shown) <= 70
        seen += shown
        day = page.context["next_from"]
        assert f"from={day.isoformat()}" in text(page)
    assert seen == of_the_week
    assert "Vis neste uke" in text(page)


def test_one_specialist_can_be_asked_for(booker, ada, wound_form, holm_diary):
    booker.begin().choose(ada).fill(wound_form)
    booker.send({"step": "wish", "only": str(holm_diary.pk)})
    shown = times_on(booker.page())
    assert shown
    assert all("Hanne Holm" in said for _value, said in shown)
    for nonsense in ("999999", "-1", "x", "9" * 40):
        assert booker.send({"step": "wish", "only": nonsense}).status_code == 302
        assert booker.page().status_code == 200


def test_a_time_that_was_just_taken_is_told_with_a_fresh_list(booker, book, ada, bo, wound_form):
    booker.begin().choose(ada).fill(wound_form)
    slot = booker.slots()[0]
    book(bo, "2026-03-02 09.00")
    answer = booker.send({"step": "time", "starts_at": slot}, htmx=True)
    assert answer.status_code == 409
    page = text(answer)
    assert "nettopp tatt av en annen" in page
    assert 'aria-describedby="step-notice"' in page, "read with the heading that takes the focus"
    assert slot not in page
    assert "vt-slot" in page


def test_a_time_taken_while_the_hold_was_over_is_told_at_the_end(booker, book, clock, ada, bo, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold()
    clock("2026-03-02 08.11")
    Occupancy.objects.all().delete()
    book(bo, "2026-03-02 09.00")
    answer = booker.send({"step": "summary"})
    assert answer.status_code == 409
    assert "vt-slot" in text(answer)
    assert Appointment.objects.count() == 1


def test_a_hold_that_ran_out_is_no_loss_while_nobody_else_took_the_time(booker, clock, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold(slot_value_of(booker, "2026-03-02 10.00"))
    clock("2026-03-02 08.15")
    assert "ikke lenger holdt av" in text(booker.page())
    booker.send({"step": "summary"})
    assert Appointment.objects.get().starts_at == at("2026-03-02 10.00")


def slot_value_of(booker, when):
    wanted = slot_time(at(when))
    return next(one for one in booker.slots() if one.startswith(wanted))


def test_a_time_that_has_become_too_soon_is_told(booker, clock, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold()
    Hold.objects.all().delete()
    clock("2026-03-02 08.20")
    answer = booker.send({"step": "summary"})
    assert answer.status_code == 409
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("value", ["", "nonsense", "2026-13-40T99:99Z", "2026-03-02T08:00Z~1", "\0", "x" * 5000])
def test_a_time_that_is_none_is_answered(booker, ada, wound_form, value):
    booker.begin().choose(ada).fill(wound_form)
    answer = booker.send({"step": "time", "starts_at": value})
    assert answer.status_code in {409, 422}
    assert "vt-slot" in text(answer)
    assert not Hold.objects.exists()


def test_when_nothing_fits_the_smallest_change_is_one_tap_away(booker, ada, wound_form, wound_review, kari_diary):
    kari_diary.openings.all().delete()
    from datetime import time

    from apps.scheduling.models import Opening

    Opening.objects.create(schedule=kari_diary, weekday=2, starts=time(9, 0), ends=time(9, 20))
    booker.begin().choose(ada).fill(wound_form)
    page = booker.page()
    assert "Ingen tid passer for alle" in text(page)
    assert "Kalenderen din: ingen åpne tider" in text(page)
    assert "Det er lett fra mandag 2. mars til og med mandag 13. april." in text(page)
    assert "Kort ned til" in text(page)
    way = next(one for one in page.context["ways"] if one.name == "length")
    booker.send({"step": "wish", way.name: way.value})
    page = booker.page()
    assert times_on(page)
    booker.hold().send({"step": "summary"})
    assert Appointment.objects.get().length == timedelta(minutes=int(way.value))


def test_nobody_but_those_who_are_needed_can_be_put_into_a_time(booker, ada, wound_form, kari_diary):
    booker.begin().choose(ada).fill(wound_form)
    performer = Need.objects.get(role="performer")
    answer = booker.send(
        {"step": "time", "starts_at": slot_time(at("2026-03-02 10.00")) + slot_people({performer.pk: kari_diary.pk})}
    )
    assert answer.status_code == 409
    assert not Hold.objects.exists()


@pytest.mark.parametrize("minutes", ["0", "7", "-5", "9999", "x", "1e3"])
def test_a_length_that_is_none_is_left_as_it_was(booker, ada, wound_form, minutes):
    booker.begin().choose(ada).fill(wound_form)
    booker.send({"step": "wish", "length": minutes})
    assert not booker.draft.choices.get("length")


# Stale and strange ---------------------------------------------------------------------------------------------------
def test_a_second_click_leads_to_what_was_booked(booker, ada, wound_form):
    booker.begin().choose(ada).fill(wound_form).hold()
    first = booker.send({"step": "summary"})
    again = booker.send({"step": "summary"})
    assert again.headers["Location"] == first.headers["Location"]
    assert Appointment.objects.count() == 1


def test_a_draft_that_is_gone_is_told(booker):
    booker.begin()
    BookingDraft.objects.all().delete()
    for answer in (booker.page(), booker.send({"step": "summary"}), booker.send({}, url=booker.url + "lagre/")):
        assert answer.status_code == 404
        assert "fullført eller forkastet" in text(answer)


def test_somebody_elses_draft_is_not_there(booker, as_user, ada, lie, berg, wound_form):
    booker.begin().choose(ada).fill(wound_form)
    for other in (lie, berg):
        client = as_user(other)
        for path in ("", "lagre/", "bilder/"):
            answer = client.post(booker.url + path, {"step": "summary"})
            assert answer.status_code == 404
            assert "Ada" not in text(answer)
        assert client.get(booker.url).status_code == 404
        client.post(booker.url + "forkast/")
    assert BookingDraft.objects.exists()


def test_a_patient_removed_from_the_unit_meanwhile_is_told_at_the_hold(booker, ada, wound_form, other_municipality):
    booker.begin().choose(ada).fill(wound_form)
    slot = booker.slots()[0]
    Patient.objects.filter(pk=ada.pk).update(organisation=other_municipality)
    answer = booker.send({"step": "time", "starts_at": slot})
    assert answer.status_code == 409


def test_those_who_may_not_book_find_no_page(as_user, tor):
    assert as_user(tor).get("/bestill/").status_code == 404
    assert as_user(tor).get(f"/bestill/{uuid.uuid4()}/").status_code == 404


def test_a_step_that_nobody_knows_is_answered_with_where_one_is(booker):
    booker.begin()
    for step in ("", "nonsense", "details\0", "x" * 1000):
        assert booker.send({"step": step}).status_code == 302


def test_a_page_asks_the_database_little(booker, ada, wound_form, django_assert_max_num_queries):
    booker.begin().choose(ada).fill(wound_form)
    for step, most in [("patient", 5), ("details", 7), ("time", 4)]:
        with django_assert_max_num_queries(most):
            booker.page(step)
    booker.hold()
    with django_assert_max_num_queries(5):
        booker.page()


def test_drafts_that_nobody_touches_are_thrown_away(booker, ada, now):
    booker.begin().choose(ada)
    BookingDraft.objects.update(updated_at=now - timedelta(days=15))
    assert retention.forget(now=now)["drafts of bookings, with their pictures"] == 1
    assert not BookingDraft.objects.exists()


def test_the_first_joint_times_are_one_search_however_many_they_are(
    booker, ada, wound_form, django_assert_max_num_queries
):
    booker.begin().choose(ada).fill(wound_form)
    booker.page("time")
    # Who asks: user, second factor and work in one. The booking: draft with hold, pictures, her diary and the usual
    # specialists. The times, with who is needed: one search. And that it was read.
    searches = []

    def noted(execute, sql, *rest):
        if "WITH wanted" in sql:
            searches.append(sql)
        return execute(sql, *rest)

    with django_assert_max_num_queries(4), connection.execute_wrapper(noted):
        page = booker.page("time")
    assert times_on(page)
    assert len(searches) == 1
