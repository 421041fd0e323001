"""Each kind of session has its own form, and is booked with it from the first step to the last."""

from html import unescape

import pytest
from django.utils import timezone, translation

from apps.catalogue import questionnaire
from apps.scheduling.models import Appointment
from portal.demo import sessions

pytestmark = pytest.mark.django_db

AT_HOME = {"people-companion": "me", "people-place": "home"}


@pytest.fixture
def asking(booker, ada, wound_review):
    """Come to the details of a session with this form."""

    def begin(slug):
        wound_review.form = slug
        wound_review.save(update_fields=["form"])
        booker.begin().choose(ada)
        with translation.override("nb"):
            assert questionnaire.name(slug) in unescape(booker.page("details").content.decode())
        return booker

    return begin


def booked(booker, ada):
    booker.hold().send({"step": "summary"})
    return Appointment.objects.get(patient=ada)


@pytest.mark.parametrize("slug", list(sessions._answers()))
def test_it_is_filled_in_booked_and_read_by_the_specialist(slug, asking, ada, as_user, berg):
    answers = sessions._dated(sessions._answers()[slug][-1], timezone.localdate())
    typed = questionnaire.as_data(questionnaire.written(slug, answers))
    booker = asking(slug).fill({**{name: typed.getlist(name) for name in typed}, **AT_HOME})
    appointment = booked(booker, ada)
    kept = appointment.form_answers
    assert (kept.form, kept.complete) == (slug, True)
    assert {name: kept.answers.get(name) for name in answers} == answers

    page = unescape(as_user(berg).get(f"/timer/{appointment.reference}/").content.decode())
    with translation.override("nb"):
        told = [row for section in questionnaire.describe(slug, answers) for row in section.rows]
    assert len(told) >= 3
    for label, answer in told:
        assert label in page
        assert answer in page


@pytest.mark.parametrize("slug", questionnaire.slugs())
def test_it_can_be_booked_at_once_and_filled_in_later(slug, asking, ada):
    appointment = booked(asking(slug).fill({"later": "1", "form-language": "ara", **AT_HOME}), ada)
    assert not appointment.form_answers.complete
