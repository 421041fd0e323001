"""The way through a booking, without script and with htmx: nothing is lost, and every mistake gets an answer."""

import pytest

from apps.scheduling.models import Appointment, BookingDraft, Hold

pytestmark = pytest.mark.django_db


def test_kari_books_a_wound_review_for_ada(booker, ada, wound_form, kari):
    booker.begin().choose(ada).fill(wound_form).hold()
    answer = booker.send({"step": "summary"})
    appointment = Appointment.objects.get()
    assert answer.headers["Location"] == f"/timer/{appointment.reference}/bestilt/"
    assert (appointment.patient, appointment.booked_by) == (ada, kari)
    assert appointment.form_answers.answers["width_mm"] == 19
    assert appointment.participants.count() == 3
    assert not BookingDraft.objects.exists()
    page = booker.client.get(answer.headers["Location"])
    assert appointment.reference in page.content.decode()
