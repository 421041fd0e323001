"""The requester's form after the booking: filled in later, changed until the session is held, and never lost."""

import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from apps.accounts.models import User
from apps.audit.models import AccessRecord
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, AppointmentStatus, FormAnswers
from apps.scheduling.services import add_photo, details, save_answers
from apps.scheduling.views import pictures
from tests.catalogue.test_questionnaire import complete
from tests.scheduling_cast import at

Book = Callable[..., Appointment]
SignedIn = Callable[..., Client]
FORM = "wound_assessment"
WHOLE = {f"form-{slug}": values for slug, values in complete(FORM).items()}


def address(appointment: Appointment, end: str = "skjema/") -> str:
    return f"/timer/{appointment.reference}/{end}"


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def picture() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG")
    return SimpleUploadedFile("sar.jpg", out.getvalue(), "image/jpeg")


@pytest.fixture
def unfinished(ada: Patient, book: Book) -> Appointment:
    """Kari has booked with the width of the wound only."""
    return book(ada, "2026-03-03 10.00", answers={"width_mm": 19}, form_complete=False)


def test_the_missing_form_shows_to_all_and_its_button_to_those_who_asked(
    kari: User, berg: User, unfinished: Appointment, signed_in: SignedIn
) -> None:
    for path in [address(unfinished, ""), address(unfinished, "?panel=1"), "/i-dag/"]:
        page = text(signed_in(kari).get(path))
        assert "Skjema mangler" in page, path
        assert "Fyll ut skjemaet" in page, path
        seen_by_berg = text(signed_in(berg).get(path))
        assert "Skjema mangler" in seen_by_berg, path
        assert "Fyll ut skjemaet" not in seen_by_berg, path
    assert "19 mm" in text(signed_in(berg).get(address(unfinished, "")))


def test_kari_fills_in_the_rest_and_it_is_written_down(
    kari: User, ada: Patient, unfinished: Appointment, signed_in: SignedIn
) -> None:
    client = signed_in(kari)
    page = client.get(address(unfinished))
    assert 'value="19"' in text(page)
    answer = client.post(address(unfinished), {**WHOLE, "form-width_mm": "21", "revision": "1"})
    assert answer.headers["Location"] == address(unfinished, "")
    saved = FormAnswers.objects.get(appointment=unfinished)
    assert (saved.complete, saved.answers["width_mm"], saved.revision) == (True, 21, 2)
    shown = text(client.get(address(unfinished, "")))
    assert "Skjema mangler" not in shown
    assert "Endre skjemaet" in shown
    record = AccessRecord.objects.get(what="form", action="change")
    assert (record.actor_id, record.patient_uid, record.what_reference) == (kari.pk, ada.uid, unfinished.reference)


def test_what_is_missing_or_wrong_is_told_at_the_field_and_nothing_typed_is_lost(
    kari: User, unfinished: Appointment, signed_in: SignedIn
) -> None:
    answer = signed_in(kari).post(
        address(unfinished), {"form-width_mm": "nitten", "form-dressing": "Skum", "revision": "1"}
    )
    assert answer.status_code == 422
    for said in ["Skriv bredden i mm, for eksempel 19.", 'value="nitten"', 'value="Skum"', "Skriv kort hva du vil ha"]:
        assert said in text(answer)
    assert FormAnswers.objects.get().answers == {"width_mm": 19}


def test_half_a_form_can_be_saved_but_not_a_wrong_number(
    kari: User, unfinished: Appointment, signed_in: SignedIn
) -> None:
    client, later = signed_in(kari), {"later": "1", "revision": "1"}
    wrong = client.post(address(unfinished), {"form-width_mm": "nitten", **later})
    assert wrong.status_code == 422
    assert "Skriv bredden" in text(wrong)
    assert "Skriv kort hva du vil ha" not in text(wrong)
    client.post(address(unfinished), {"form-width_mm": "22", "form-tissue_fibrin": "40", **later})
    saved = FormAnswers.objects.get()
    assert (saved.complete, saved.answers) == (False, {"width_mm": 22, "tissue_fibrin": 40})


def test_a_form_that_was_given_up_half_way_but_is_whole_counts_as_whole(
    kari: User, unfinished: Appointment, signed_in: SignedIn
) -> None:
    signed_in(kari).post(address(unfinished), {**WHOLE, "later": "1", "revision": "1"})
    assert FormAnswers.objects.get().complete


def test_of_two_who_write_at_once_the_second_sees_what_the_first_wrote_and_decides(
    kari: User, unfinished: Appointment, signed_in: SignedIn
) -> None:
    client = signed_in(kari)
    save_answers(
        appointment=unfinished,
        answers={"dressing": "Alginat"},
        complete=False,
        seen=1,
        now=at("2026-03-03 09.00"),
    )
    answer = client.post(address(unfinished), {**WHOLE, "form-dressing": "Skum", "revision": "1"})
    assert answer.status_code == 409
    assert "Alginat" in text(answer)
    assert 'value="Skum"' in text(answer)
    assert FormAnswers.objects.get().answers["dressing"] == "Alginat"
    client.post(address(unfinished), {**WHOLE, "form-dressing": "Skum", "revision": "2"})
    assert FormAnswers.objects.get().answers["dressing"] == "Skum"


@pytest.mark.parametrize("revision", ["", "-1", "x", "99999999999999", "٣"])
def test_a_form_that_does_not_say_what_it_was_drawn_from_replaces_nothing(
    kari: User, unfinished: Appointment, signed_in: SignedIn, revision: str
) -> None:
    assert signed_in(kari).post(address(unfinished), {**WHOLE, "revision": revision}).status_code == 409
    assert FormAnswers.objects.get().answers == {"width_mm": 19}


@pytest.mark.parametrize("status", [AppointmentStatus.FULFILLED, AppointmentStatus.NO_SHOW])
def test_once_held_the_form_stands_as_the_specialist_read_it(
    kari: User, unfinished: Appointment, signed_in: SignedIn, status: AppointmentStatus
) -> None:
    Appointment.objects.update(status=status)
    client = signed_in(kari)
    assert client.get(address(unfinished)).headers["Location"] == address(unfinished, "")
    answer = client.post(address(unfinished), {**WHOLE, "form-dressing": "Skum", "revision": "1"})
    assert answer.status_code == 409
    assert 'value="Skum"' in text(answer)
    assert client.post(address(unfinished, "skjema/bilder/"), {"photo": picture()}).status_code == 422
    assert FormAnswers.objects.get().answers == {"width_mm": 19}
    assert not unfinished.photos.exists()
    page = text(client.get(address(unfinished, "")))
    assert "Fyll ut skjemaet" not in page


def test_pictures_are_added_described_and_removed_and_it_is_written_down(
    kari: User, ada: Patient, unfinished: Appointment, signed_in: SignedIn
) -> None:
    client, url = signed_in(kari), address(unfinished, "skjema/bilder/")
    htmx = {"HX-Request": "true"}
    assert text(client.post(url, {"photo": [picture(), picture()]}, headers=htmx)).count("<img") == 2
    first, second = unfinished.photos.all()
    assert text(client.post(url, {"remove_photo": str(second.uid)}, headers=htmx)).count("<img") == 1
    client.post(address(unfinished), {"later": "1", "revision": "1", f"said-{first.uid}": "Med linjal"})
    assert unfinished.photos.get().description == "Med linjal"
    assert AccessRecord.objects.filter(what="photos", action="change", patient_uid=ada.uid).count() == 2


def test_without_script_a_picture_takes_no_typed_word_away(
    kari: User, unfinished: Appointment, signed_in: SignedIn
) -> None:
    answer = signed_in(kari).post(
        address(unfinished, "skjema/bilder/"), {"photo": picture(), "form-dressing": "Halvskre", "revision": "1"}
    )
    assert answer.status_code == 200
    assert 'value="Halvskre"' in text(answer)
    assert text(answer).count("<img") == 1


def test_somebody_elses_picture_stays(
    kari: User, bo: Patient, book: Book, unfinished: Appointment, signed_in: SignedIn
) -> None:
    other = book(bo, "2026-03-03 12.00")
    photo = add_photo(upload=picture().read(), user=kari, appointment=other, now=at("2026-03-02 09.00"))
    signed_in(kari).post(address(unfinished, "skjema/bilder/"), {"remove_photo": str(photo.uid)})
    assert other.photos.exists()


def test_the_language_that_the_interpreter_was_found_by_is_not_asked_again(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    from apps.catalogue.models import ServiceType

    ServiceType.objects.update(form="interpreter_request", photo_upload=False)
    appointment = book(ada, "2026-03-03 10.00", interpreter_language="som")
    whole = {f"form-{slug}": values for slug, values in complete("interpreter_request").items()}
    client = signed_in(kari)
    assert 'name="form-language"' in text(client.get(address(appointment)))
    client.post(address(appointment), {**whole, "form-language": "pol", "revision": "0"})
    assert FormAnswers.objects.get().answers["language"] == "som"


def test_a_picture_is_drawn_anew_before_the_appointment_is_locked(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    appointment, order = book(ada, "2026-03-03 14.00"), []
    client = signed_in(kari)
    draw, wait = pictures.clean_photo, details._wait_for_turn
    monkeypatch.setattr(pictures, "clean_photo", lambda raw: order.append("drawn") or draw(raw))
    monkeypatch.setattr(details, "_wait_for_turn", lambda one: order.append("locked") or wait(one))
    client.post(f"/timer/{appointment.reference}/skjema/bilder/", {"photo": [picture(), picture()]})
    assert appointment.photos.count() == 2
    assert order[:2] == ["drawn", "drawn"]
    assert "locked" in order[2:]


def test_of_several_pictures_those_before_one_that_cannot_be_read_are_kept(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    broken = SimpleUploadedFile("sår.jpg", b"no picture", content_type="image/jpeg")
    answer = signed_in(kari).post(f"/timer/{appointment.reference}/skjema/bilder/", {"photo": [picture(), broken]})
    assert answer.status_code == 422
    assert appointment.photos.count() == 1
