"""What staff open and change through the pages stands in the patient's log, and a change never without its line."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.audit.models import AccessRecord
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, AppointmentEvent
from tests.scheduling_cast import at

Book = Callable[..., Appointment]
SignedIn = Callable[..., Client]


def lines_about(patient: Patient) -> list[tuple[str, str]]:
    found = AccessRecord.objects.filter(patient_uid=patient.uid).order_by("id").values_list("action", "what")
    return [(action, what) for action, what in found]


def changes(appointment: Appointment, starts_at: str) -> list[tuple[str, dict[str, object], str]]:
    """Return each change that a page offers: where it is sent, what, and how its line is called."""
    return [
        ("gjester/", {"name": "Siv Alm", "relation": "datter", "phone": "00 01 00 90"}, "appointment"),
        ("flytt/", {"starts_at": starts_at, "version": 0}, "appointment-time"),
        ("avlys/", {"reason": "not_needed", "version": 1}, "appointment-cancelled"),
    ]


def test_each_change_of_a_page_has_its_line(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client, page = signed_in(kari), f"/timer/{appointment.reference}/"
    for path, typed, what in changes(appointment, f"{at('2026-03-04 14.00').astimezone():%Y-%m-%dT%H:%MZ}"):
        before = len(lines_about(ada))
        answer = client.post(page + path, typed)
        assert answer.status_code == 302, (path, answer.content.decode()[:2000])
        assert lines_about(ada)[before:] == [("change", what)], path


def test_a_guest_who_is_taken_off_and_how_it_went_have_theirs(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client, page = signed_in(kari), f"/timer/{appointment.reference}/"
    client.post(f"{page}gjester/", {"name": "Siv Alm", "relation": "datter", "phone": "00 01 00 90"})
    guest = appointment.participants.get(schedule__isnull=True, role="next_of_kin")
    client.post(f"{page}gjester/{guest.uid}/fjern/")
    signed_in(kari, "2026-03-03 15.00").post(f"{page}utfall/", {"how": "held"})
    assert lines_about(ada) == [("change", "appointment")] * 3


def test_a_change_that_is_refused_has_none(kari: User, ada: Patient, book: Book, signed_in: SignedIn) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client = signed_in(kari)
    assert client.post(f"/timer/{appointment.reference}/avlys/", {"reason": "ill", "version": 7}).status_code == 409
    assert lines_about(ada) == []


@pytest.mark.parametrize("path", ["gjester/", "flytt/", "avlys/"])
def test_a_change_whose_line_cannot_be_written_is_not_made(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    appointment = book(ada, "2026-03-03 14.00")
    client = signed_in(kari)
    client.raise_request_exception = False
    asked = {where: typed for where, typed, _what in changes(appointment, "2026-03-04T13:00Z")}[path]
    if path == "avlys/":
        asked["version"] = 0
    monkeypatch.setattr("apps.audit.services.insert", lambda row: 1 / 0)
    assert client.post(f"/timer/{appointment.reference}/{path}", asked).status_code == 500
    assert AppointmentEvent.objects.filter(appointment=appointment).count() == 1, "booked, and nothing since"


def test_messages_and_numbers_that_are_shown_are_noted(
    kari: User, ada: Patient, book: Book, signed_in: SignedIn
) -> None:
    Patient.objects.filter(pk=ada.pk).update(reserved=True)
    appointment = book(ada, "2026-03-04 14.00")
    client = signed_in(kari)
    client.get(f"/timer/{appointment.reference}/meldinger/")
    assert lines_about(ada) == [("read", "messages")]
    page = client.get("/meldinger/").content.decode()
    assert ("tel:+4700010001" in page) == (len(lines_about(ada)) == 2)
    assert len(lines_about(ada)) == 2


def test_a_search_is_noted_for_each_patient_shown_and_also_when_nobody_is(
    kari: User, ada: Patient, bo: Patient, signed_in: SignedIn
) -> None:
    client = signed_in(kari)
    client.post("/pasienter/", {"q": "ada"})
    assert lines_about(ada) == [("read", "patient-search")]
    assert lines_about(bo) == []
    client.post("/pasienter/", {"q": "finnes ikke"})
    assert AccessRecord.objects.filter(what="patient-search", patient_uid=None).count() == 2
