"""Kari books a wound review for Ada in a browser without script, and with htmx."""

import lxml.html
import pytest

from apps.scheduling.models import BookingDraft, Team, TeamMember

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
def monday(clock):
    """Monday 2 March 2026, 08.00."""
    return clock("2026-03-02 08.00")


def times_on(answer):
    """Return the buttons of the times on a page: value, and what stands on it."""
    page = lxml.html.document_fromstring(answer.content)
    return [(one.get("value"), one.text_content()) for one in page.iterfind(".//button[@name='starts_at']")]


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
        return [value for value, _said in times_on(self.page("time"))]

    def hold(self, slot=None):
        self.send({"step": "time", "starts_at": slot or self.slots()[0]})
        return self

    def page(self, step=""):
        return self.client.get(self.url + (f"?step={step}" if step else ""))


@pytest.fixture
def booker(monday, as_user, kari, kari_diary, wound_review):
    return Booker(as_user(kari), wound_review)


@pytest.fixture
def municipal_team(home_care, kari_diary):
    """Those in the municipality who take part in discharge meetings."""
    team = Team.objects.create(unit=home_care, name="Tildelingskontoret")
    TeamMember.objects.create(team=team, schedule=kari_diary)
    return team
