"""An appointment's page, and what staff do with it."""

import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from PIL import Image

from apps.accounts.models import User
from apps.audit.models import AccessRecord
from apps.organisations.models import Role, Unit
from apps.organisations.services import give_role
from apps.patients.models import Patient
from apps.scheduling import events
from apps.scheduling.models import Absence, Appointment, AppointmentStatus, EventKind, Photo, Schedule
from apps.scheduling.services import GuestInput, add_guest, add_photo, move_appointment
from tests.conftest import LONG_AGO
from tests.scheduling_cast import at

Book = Callable[..., Appointment]
SignedIn = Callable[..., Client]
ANSWERS = {"location": "leg_outer", "side": "left", "length_mm": 28}


def address(appointment: Appointment, end: str = "") -> str:
    return f"/timer/{appointment.reference}/{end}"


def picture(appointment: Appointment, user: User) -> Photo:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG")
    return add_photo(upload=out.getvalue(), user=user, appointment=appointment, now=at("2026-03-02 09.00"))


def test_dr_berg_reads_the_form_and_the_reading_is_written_down(
    berg: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00", answers=ANSWERS)
    page = signed_in(berg).get(address(appointment)).content.decode()
    assert "Legg, utside" in page
    assert "Ada Alm" in page
    record = AccessRecord.objects.get(what="appointment")
    assert (record.actor_id, record.patient_uid, record.what_reference) == (berg.pk, ada.uid, appointment.reference)


def test_the_interpreter_sees_neither_name_nor_form_nor_pictures(
    amina: User, amina_diary: Schedule, kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00", interpreter_language="som", answers=ANSWERS)
    photo = picture(appointment, kari)
    client = signed_in(amina)
    page = client.get(address(appointment)).content.decode()
    for word in ["Ada", "Alm", "Legg, utside", "13.03.1968", str(photo.uid)]:
        assert word not in page
    assert client.get(f"/bilder/{photo.uid}/").status_code == 404


@pytest.mark.parametrize("who", ["she manages them", "she books elsewhere", "her manager"])
def test_interpreting_tells_nobody_who_the_patient_is_whatever_else_she_does(
    who: str,
    amina: User,
    amina_diary: Schedule,
    kari: User,
    lie: User,
    other_home_care: Unit,
    ada: Patient,
    book: Book,
    signed_in: SignedIn,
) -> None:
    guests = [GuestInput(name="Ida Alm", relation="datter", phone="+4700010009")]
    appointment = book(ada, "2026-03-03 10.00", interpreter_language="som", answers=ANSWERS, guests=guests)
    photo = picture(appointment, kari)
    user = lie if who == "her manager" else amina
    unit = other_home_care if who == "she books elsewhere" else amina_diary.unit
    assert unit is not None
    give_role(user=user, unit=unit, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    client = signed_in(user)
    for each in (amina_diary.unit, unit):
        client.post("/enhet/", {"unit": str(each.uid)})  # type: ignore[union-attr]
        for end in ["", "?panel=1", "bestilt/"]:
            page = client.get(address(appointment, end))
            assert page.status_code == 200
            assert "Pårørende" in page.content.decode()
            for word in ["Ada", "Alm", "Legg, utside", "13.03.1968", str(photo.uid)]:
                assert word not in page.content.decode(), end
        for end in ["flytt/", "avlys/", "skjema/", "meldinger/"]:
            assert client.get(address(appointment, end)).status_code == 404, end
        for end in ["", "liten/"]:
            assert client.get(f"/bilder/{photo.uid}/{end}").status_code == 404
        assert client.post(address(appointment, "utfall/"), {"how": "held"}).status_code == 404


def test_who_works_for_the_clinic_may_interpret_too_and_know_its_patient(
    amina: User, amina_diary: Schedule, wound_clinic: Unit, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00", interpreter_language="som", answers=ANSWERS)
    give_role(user=amina, unit=wound_clinic, role=Role.CLINICIAN, valid_from=LONG_AGO)
    page = signed_in(amina).get(address(appointment)).content.decode()
    assert "Ada Alm" in page
    assert "Legg, utside" in page


def test_a_picture_is_shown_to_those_who_may_see_the_patient_and_kept_by_no_one(
    berg: User, kari: User, lie: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    photo = picture(book(ada, "2026-03-03 10.00"), kari)
    for end in ["", "liten/"]:
        answer = signed_in(berg).get(f"/bilder/{photo.uid}/{end}")
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content[:2] == b"\xff\xd8"
        assert signed_in(lie).get(f"/bilder/{photo.uid}/{end}").status_code == 404
    assert AccessRecord.objects.filter(what="photo", actor_id=berg.pk, patient_uid=ada.uid).count() == 1


@pytest.mark.parametrize("end", ["", "flytt/", "avlys/"])
def test_a_stranger_finds_nothing(lie: User, ada: Patient, book: Book, signed_in: SignedIn, end: str) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    assert signed_in(lie).get(address(appointment, end)).status_code == 404


@pytest.mark.parametrize("end", ["flytt/", "avlys/"])
def test_the_clerk_reads_but_does_not_change(
    tor: User, ada: Patient, book: Book, signed_in: SignedIn, end: str
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    client = signed_in(tor)
    assert client.get(address(appointment)).status_code == 200
    assert client.get(address(appointment, end)).status_code == 404


def test_a_reference_may_be_typed_in_small_letters_without_hyphens(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    typed = appointment.reference.lower().replace("-", "")
    assert signed_in(kari).get(f"/timer/{typed}/").status_code == 200


def test_kari_moves_it_in_three_steps(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client = signed_in(kari, "2026-03-03 09.50")
    times = client.get(address(appointment, "flytt/")).content.decode()
    assert "?til=2026-03-03T10:00Z" in times  # 11.00 in Oslo
    confirm = client.get(address(appointment, "flytt/") + "?til=2026-03-03T10:00Z").content.decode()
    told = confirm[confirm.index("Disse får beskjed") :]
    assert "Berit Berg" in told
    assert "Kari Kvist" not in told, "whoever moves it knows, and gets no message"
    answer = client.post(
        address(appointment, "flytt/"), {"starts_at": "2026-03-03T10:00Z", "version": "0"}, follow=True
    )
    assert "Timen er flyttet til i dag kl. 11.00." in answer.content.decode()
    assert "Flyttet fra tirsdag 3. mars kl. 14.00 av Kari Kvist" in answer.content.decode()
    appointment.refresh_from_db()
    assert appointment.starts_at == at("2026-03-03 11.00")


def test_moving_goes_on_from_the_first_day_that_was_not_shown(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    page = signed_in(kari).get(address(appointment, "flytt/"))
    (following,) = re.findall(r"\?fra=([\d-]+)", page.content.decode())
    shown = [day.date for day in page.context["days"]]
    assert (shown[-1], following) == (date(2026, 3, 6), "2026-03-09"), "the weekend has no times"
    further = signed_in(kari).get(address(appointment, "flytt/"), {"fra": following})
    assert further.context["days"][0].date == date.fromisoformat(following)


def test_the_second_of_two_who_move_is_told(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    move_appointment(appointment=appointment, starts_at=at("2026-03-03 13.00"), actor=kari, now=at("2026-03-03 09.00"))
    answer = signed_in(kari).post(address(appointment, "flytt/"), {"starts_at": "2026-03-03T10:00Z", "version": "0"})
    assert answer.status_code == 422
    assert "endret" in answer.content.decode()
    appointment.refresh_from_db()
    assert appointment.starts_at == at("2026-03-03 13.00")


def test_a_time_that_was_taken_meanwhile_is_answered_with_fresh_ones(
    kari: User, ada: Patient, bo: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    book(bo, "2026-03-03 11.00")
    client = signed_in(kari)
    for answer in [
        client.post(address(appointment, "flytt/"), {"starts_at": "2026-03-03T10:00Z", "version": "0"}),
        client.get(address(appointment, "flytt/") + "?til=2026-03-03T10:00Z"),
    ]:
        assert answer.status_code == 409
        assert "?til=2026-03-03T10:30Z" in answer.content.decode()


@pytest.mark.parametrize(
    "typed", [{}, {"starts_at": "snart", "version": "0"}, {"starts_at": "2026-03-03T10:00Z", "version": "x"}]
)
def test_senseless_input_to_moving_is_answered_with_the_times(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, typed: dict[str, str]
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    assert signed_in(kari).post(address(appointment, "flytt/"), typed).status_code == 422


def test_kari_cancels_with_a_reason(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client = signed_in(kari)
    assert "Disse får beskjed" in client.get(address(appointment, "avlys/")).content.decode()
    answer = client.post(address(appointment, "avlys/"), {"version": "0"})
    assert answer.status_code == 422
    assert "Velg en grunn." in answer.content.decode()
    page = client.post(address(appointment, "avlys/"), {"reason": "ill", "version": "0"}, follow=True).content.decode()
    assert "Timen er avlyst. Alle får beskjed." in page
    appointment.refresh_from_db()
    assert appointment.status == AppointmentStatus.CANCELLED
    again = client.post(address(appointment, "avlys/"), {"reason": "ill", "version": "1"})
    assert again.status_code == 409
    late = client.get(address(appointment, "avlys/"))
    assert (late.status_code, late.headers["Location"]) == (302, address(appointment))


def test_a_guest_is_invited_by_phone_and_taken_off_again(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client = signed_in(kari)
    page = client.post(
        address(appointment, "gjester/"), {"name": "Siv Alm", "relation": "datter", "phone": "00 01 00 90"}, follow=True
    ).content.decode()
    assert "Siv Alm" in page
    guest = appointment.participants.get(schedule__isnull=True, role="next_of_kin")
    assert guest.guest_phone == "+4700010090"
    client.post(address(appointment, f"gjester/{guest.uid}/fjern/"))
    assert not appointment.participants.filter(pk=guest.pk).exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "", "phone": "00010090"}, "Skriv navnet til gjesten."),
        ({"name": "Siv"}, "Skriv et mobilnummer eller en e-postadresse"),
        ({"name": "Siv", "phone": "12"}, "Skriv åtte sifre"),
        ({"name": "Siv", "email": "siv@"}, "Skriv hele adressen"),
        ({"name": "S" * 81, "phone": "00010090"}, "80"),
        ({"name": "Siv\u202e", "phone": "00010090"}, "Skriv bokstaver, tall og vanlige tegn"),
        ({"name": "Siv", "relation": "datter\u202e", "phone": "00010090"}, "Skriv bokstaver, tall og vanlige tegn"),
    ],
)
def test_a_wrong_invitation_is_answered_at_the_field_and_keeps_what_was_typed(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, typed: dict[str, str], said: str
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    answer = signed_in(kari).post(address(appointment, "gjester/"), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert typed["name"][:3] in page
    assert not appointment.participants.filter(guest_name__isnull=False).exists()


def test_somebody_who_is_needed_cannot_be_taken_off(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    berg = appointment.participants.get(role="performer")
    signed_in(kari).post(address(appointment, f"gjester/{berg.uid}/fjern/"))
    assert appointment.participants.filter(pk=berg.pk).exists()


def test_the_guest_of_another_appointment_is_not_found(
    kari: User, ada: Patient, bo: Patient, book: Book, signed_in: SignedIn
) -> None:
    mine, other = book(ada, "2026-03-03 14.00"), book(bo, "2026-03-03 12.00")
    guest = add_guest(appointment=other, guest=GuestInput("Siv"), actor=kari, now=at("2026-03-02 09.00"))
    assert signed_in(kari).post(address(mine, f"gjester/{guest.uid}/fjern/")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EventKind.CONTACT_CHANGED, "Pasientens kontaktopplysninger ble endret"),
        (EventKind.LINK_RENEWED, "Ny lenke gitt av Kari"),
        (EventKind.LINK_REVOKED, "Lenke trukket tilbake av Kari"),
        (EventKind.NO_SHOW, "Pasienten kom ikke"),
    ],
)
def test_the_history_says_what_happened(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, kind: EventKind, said: str
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    events.record(appointment, kind, now=appointment.booked_at, actor=kari)
    page = signed_in(kari).get(address(appointment)).content.decode()
    history = re.findall(r'vt-timeline__when">([^<]*)', page)
    assert history[0].startswith(said), history
    assert ("Pasienten kom ikke" in page) == (kind == EventKind.NO_SHOW)


@pytest.mark.parametrize(("how", "status"), [("held", "fulfilled"), ("no-show", "noshow")])
def test_the_clerk_notes_how_it_went(
    tor: User, ada: Patient, book: Book, signed_in: SignedIn, how: str, status: str
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    client = signed_in(tor, "2026-03-03 11.00")
    assert "Hvordan gikk det?" in client.get(address(appointment)).content.decode()
    client.post(address(appointment, "utfall/"), {"how": how})
    appointment.refresh_from_db()
    assert appointment.status == status


def test_how_it_went_is_not_asked_while_somebody_may_only_be_late(
    tor: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    page = signed_in(tor, "2026-03-03 10.10").get(address(appointment)).content.decode()
    assert "Hvordan gikk det?" not in page


def test_nothing_is_noted_before_the_start(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client = signed_in(kari, "2026-03-03 09.50")
    assert "Hvordan gikk det?" not in client.get(address(appointment)).content.decode()
    client.post(address(appointment, "utfall/"), {"how": "no-show"})
    appointment.refresh_from_db()
    assert appointment.status == AppointmentStatus.BOOKED


def test_a_protected_address_is_never_shown(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    ada.address = "Granveien 4"
    ada.save(update_fields=["address"])
    appointment = book(ada, "2026-03-03 10.00")
    client = signed_in(kari)
    assert "Granveien 4" in client.get(address(appointment)).content.decode()
    Patient.objects.filter(pk=ada.pk).update(protection="confidential")
    assert "Granveien" not in client.get(address(appointment)).content.decode()
    assert "Granveien" not in client.get("/i-dag/").content.decode()


def test_the_link_can_be_sent_again_until_the_end_and_the_answer_is_seen(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    patient = appointment.participants.get(role="patient")
    url = address(appointment, f"meldinger/{patient.uid}/send/")
    client = signed_in(kari, "2026-03-03 09.00")
    assert url in client.get(address(appointment)).content.decode()
    answer = client.post(url, {"next": address(appointment)}, follow=True)
    assert "Innkallingen er sendt på nytt." in answer.content.decode()
    assert url in signed_in(kari, "2026-03-03 10.20").get(address(appointment)).content.decode()
    for minute in ["10.30", "11.00"]:
        assert url not in signed_in(kari, f"2026-03-03 {minute}").get(address(appointment)).content.decode()


def test_where_no_time_suits_the_move_page_says_who_stands_in_the_way_and_when_it_opens(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, kari_diary: Schedule
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    Absence.objects.create(schedule=kari_diary, starts_at=at("2026-03-02 00.00"), ends_at=at("2026-03-30 00.00"))
    client = signed_in(kari)
    assert "vt-slot" in client.get(address(appointment, "flytt/")).content.decode()
    Absence.objects.update(ends_at=at("2026-06-08 00.00"))
    page = client.get(address(appointment, "flytt/")).content.decode()
    assert "Ingen tid passer for alle" in page
    assert "Kalenderen din: alt er opptatt" in page


def test_where_only_an_interpreter_is_missing_one_tap_leads_to_a_booking_without_one_on_the_screen(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, amina_diary: Schedule
) -> None:
    appointment = book(ada, "2026-03-03 10.00", interpreter_language="som")
    Absence.objects.create(schedule=amina_diary, starts_at=at("2026-03-02 00.00"), ends_at=at("2026-06-08 00.00"))
    client = signed_in(kari)
    page = client.get(address(appointment, "flytt/")).content.decode()
    assert "Tolk på telefon: første tid" in page
    link = f"/bestill/?service={appointment.service_type.uid}&amp;pasient={ada.uid}"
    assert link in page
    assert "Ada Alm" in client.get(link.replace("&amp;", "&")).content.decode()


def test_where_the_only_joint_time_is_the_one_it_has_the_move_page_says_so(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, kari_diary: Schedule
) -> None:
    appointment = book(ada, "2026-03-03 10.00")
    for start, end in [("2026-03-02 00.00", "2026-03-03 10.00"), ("2026-03-03 10.30", "2026-06-08 00.00")]:
        Absence.objects.create(schedule=kari_diary, starts_at=at(start), ends_at=at(end))
    page = signed_in(kari, "2026-03-02 09.00").get(address(appointment, "flytt/")).content.decode()
    assert "Bare tiden som timen har, passer for alle" in page
