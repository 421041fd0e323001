"""Kari books a wound review for Ada in a browser without script, and with htmx."""

from datetime import datetime, time

import pytest
from django.utils import timezone

from apps.scheduling.models import BookingDraft, Opening, Schedule

WOUND = {
    "form-wound_type": "venous",
    "form-location": "leg_outer",
    "form-side": "left",
    "form-duration_weeks": "6",
    "form-length_mm": "28",
    "form-width_mm": "19",
    "form-tissue_fibrin": "40",
    "form-tissue_granulation": "60",
    "form-infection_signs": ["redness"],
    "form-exudate": "moderate",
    "form-pain": "4",
    "form-dressing": "Skum, hver tredje dag",
    "form-question": "Bør vi bytte bandasje?",
    "people-companion": "me",
    "people-place": "home",
}


@pytest.fixture
def wound_form():
    return dict(WOUND)


@pytest.fixture
def everyone_always_open(wound_review, kari_diary, berg_diary, holm_diary, amina_diary):
    """Pages ask the real clock, so that diaries are open on every day of the week and on holidays."""
    Schedule.objects.update(works_on_holidays=True)
    Opening.objects.all().delete()
    Opening.objects.bulk_create(
        Opening(schedule=diary, weekday=day, starts=time(0, 0), ends=time(23, 59))
        for diary in (kari_diary, berg_diary, holm_diary, amina_diary)
        for day in range(7)
    )


class Booker:
    """Goes through the steps as a browser would."""

    def __init__(self, client, service):
        self.client, self.service = client, service
        self.url = ""

    def send(self, data, *, htmx=False, url=None, **extra):
        headers = {"HX-Request": "true", "HX-Target": "ol#steg"} if htmx else {}
        return self.client.post(url or self.url, data, headers=headers, **extra)

    def begin(self):
        answer = self.send({"service": str(self.service.uid)}, url="/bestill/")
        self.url = answer.headers["Location"]
        return self

    @property
    def draft(self):
        return BookingDraft.objects.get(uid=self.url.split("/")[2])

    def choose(self, patient):
        self.send({"patient": str(patient.uid)})
        return self

    def fill(self, form):
        self.send({"step": "details", **form})
        return self

    def slots(self):
        page = self.client.get(self.url + "?step=time")
        return [slot.value for day in page.context["days"] for slot in [*day.slots, *day.more]]

    def hold(self, slot=None):
        self.send({"step": "time", "starts_at": slot or self.slots()[0]})
        return self

    def page(self, step=""):
        return self.client.get(self.url + (f"?step={step}" if step else ""))


@pytest.fixture
def booker(as_user, kari, wound_review, everyone_always_open):
    return Booker(as_user(kari), wound_review)


@pytest.fixture
def clock() -> datetime:
    return timezone.now()
