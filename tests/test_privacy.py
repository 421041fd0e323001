"""A whole booking with canaries in it: none of them sings in a log, a task, an address, a title, a message or a column."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import lxml.html
import pytest
from celery.signals import before_task_publish
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from apps.accounts.models import User
from apps.calendars.models import FeedToken
from apps.calendars.services import feed_url
from apps.catalogue.models import ServiceType
from apps.messaging.models import OutboxMessage
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, BookingDraft, Photo
from portal.celery import app as celery

from .witnesses import rows_with

pytestmark = pytest.mark.django_db(transaction=True)

GIVEN, FAMILY = "Quirinius", "Zwetschge"
NATIONAL_ID = "02884410013"
PHONE, PHONE_TYPED = "+4700019377", "00 01 93 77"
EMAIL = "zwetschge@post.example"
GUEST, GUEST_PHONE, GUEST_EMAIL = "Xantippe Ypsilon", "+4700019388", "xantippe@post.example"
QUESTION = "Kan fistelen mellom kuvertene lukkes?"
DRESSING = "Zinkpasta hver fjerde dag"
DESCRIPTION = "Kanten nederst ved malleolen"
PEOPLE = [GIVEN, FAMILY, NATIONAL_ID, PHONE, PHONE[3:], EMAIL, GUEST, GUEST_PHONE[3:], GUEST_EMAIL]
CASE = [QUESTION, DRESSING, DESCRIPTION]
HEALTH = ["sår", "wound", "bandasje", "pasient", "diagnose", "hud", "behandling"]
WOUND = {
    "form-wound_type": "venous",
    "form-location": "leg_outer",
    "form-side": "left",
    "form-duration_weeks": "6",
    "form-length_mm": "28",
    "form-width_mm": "19",
    "form-tissue_fibrin": "40",
    "form-tissue_granulation": "60",
    "form-infection_signs": "redness",
    "form-exudate": "moderate",
    "form-pain": "4",
    "form-dressing": DRESSING,
    "form-question": QUESTION,
    "people-companion": "me",
    "people-place": "home",
    "people-wants_interpreter": "on",
    "people-interpreter": "som",
    "people-by_phone": "screen",
    "people-name": GUEST,
    "people-relation": "datter",
    "people-phone": "00 01 93 88",
    "people-email": GUEST_EMAIL,
}


@dataclass
class Seen:
    """What anybody beside the right reader could see of the whole day."""

    addresses: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    feed: str = ""
    codes: list[str] = field(default_factory=list)


class Browser:
    """A client that keeps the addresses and titles of what it opens."""

    def __init__(self, client: Client, seen: Seen) -> None:
        self.client, self.seen = client, seen

    def get(self, address: str, *, expect: int = 200) -> str:
        return self._read(self.client.get(address), address, expect)

    def post(self, address: str, data: dict[str, Any], *, expect: int = 302) -> str:
        """Return where it leads, or the page."""
        answer = self.client.post(address, data)
        page = self._read(answer, address, expect)
        return answer.headers.get("Location", page)

    def _read(self, answer: HttpResponse, address: str, expect: int) -> str:
        page = answer.content.decode(errors="replace")
        assert answer.status_code == expect, (address, answer.status_code, page[-1500:])
        self.seen.addresses += [address, answer.headers.get("Location", "")]
        if answer.headers.get("Content-Type", "").startswith("text/html") and page:
            for one in lxml.html.document_fromstring(page).iter("*"):
                if one.tag == "title":
                    self.seen.titles.append(one.text or "")
                self.seen.addresses += [
                    value
                    for name, value in one.attrib.items()
                    if name in {"href", "src", "action", "hx-get", "hx-post"}
                    and not value.startswith(("tel:", "mailto:"))
                ]
        return page


@pytest.fixture
def published() -> Iterator[list[str]]:
    """Keep every task message as it goes to the broker."""
    kept: list[str] = []

    def keep(body: Any = None, headers: Any = None, **more: Any) -> None:
        kept.append(json.dumps([body, headers], default=str))

    before_task_publish.connect(keep)
    yield kept
    before_task_publish.disconnect(keep)


@pytest.fixture
def seen(
    log: Callable[[], str],
    published: list[str],
    clock: Callable[[str], Any],
    as_user: Callable[[User], Client],
    kari: User,
    berg: User,
    tor: User,
    kari_diary: object,
    wound_review: ServiceType,
) -> Seen:
    """Book, tell, meet and register, as five people do on their pages."""
    seen = Seen()
    clock("2026-03-02 09.00")
    nurse = Browser(as_user(kari), seen)
    booking = nurse.post("/bestill/", {"service": str(wound_review.uid)})
    nurse.post(booking, {"step": "search", "q": f"{GIVEN} {FAMILY}"}, expect=200)
    patient = {
        "national_id": NATIONAL_ID,
        "given_name": GIVEN,
        "family_name": FAMILY,
        "birth_date": "",
        "phone": PHONE_TYPED,
        "language": "nob",
    }
    nurse.post(booking, {"step": "new_patient", **patient, "phone": "wrong"}, expect=422)
    nurse.post(booking, {"step": "new_patient", **patient})
    nurse.post(booking, {"step": "search", "q": NATIONAL_ID}, expect=200)
    out = io.BytesIO()
    Image.effect_noise((320, 240), 90).convert("RGB").save(out, "JPEG")
    picture = SimpleUploadedFile(f"{FAMILY}.jpg", out.getvalue(), content_type="image/jpeg")
    nurse.post(booking + "bilder/", {"photo": picture, **WOUND})
    said = {f"said-{Photo.objects.get().uid}": DESCRIPTION}
    nurse.post(booking + "lagre/", {**WOUND, **said}, expect=200)
    nurse.post(booking, {"step": "details", **WOUND, **said, "form-pain": "77"}, expect=422)
    nurse.post(booking, {"step": "details", **WOUND, **said})
    times = nurse.get(booking + "?step=time")
    slots = re.findall(r'name="starts_at" value="([^"]+)"', times)
    assert rows_with(QUESTION.encode()) == set()
    nurse.post(booking, {"step": "time", "starts_at": slots[0]})
    nurse.get(booking)
    appointment_page = nurse.post(booking, {"step": "summary"})
    assert not BookingDraft.objects.exists()
    appointment = Appointment.objects.get()
    run_all_tasks()
    for page in [
        appointment_page,
        f"/timer/{appointment.reference}/",
        f"/timer/{appointment.reference}/meldinger/",
        "/i-dag/",
        "/kalender/",
        f"/pasienter/{appointment.patient.uid}/",
        "/meldinger/",
    ]:
        nurse.get(page)
    nurse.post(
        f"/timer/{appointment.reference}/flytt/", {"starts_at": "2026-03-04T09:00Z", "version": appointment.version}
    )
    run_all_tasks()
    meet_and_register(seen, appointment, clock, as_user, berg, tor)
    seen.tasks = published
    return seen


def meet_and_register(
    seen: Seen,
    appointment: Appointment,
    clock: Callable[[str], Any],
    as_user: Callable[[User], Client],
    berg: User,
    tor: User,
) -> None:
    links = {code for message in OutboxMessage.objects.all() for code in re.findall(r"/j/([a-z2-9]{26})", message.body)}
    assert len(links) >= 2, "the patient's and the guest's"
    seen.codes += sorted(links)
    clock("2026-03-04 09.50")
    run_all_tasks()
    doctor, outside = Browser(as_user(berg), seen), Seen()
    for code in sorted(links):
        guest = Browser(Client(), outside)
        asked = guest.get(f"/j/{code}/")
        if 'name="day"' in asked:
            guest.post(f"/j/{code}/inn/", {"day": "1", "month": "1", "year": "1901"}, expect=422)
            patient = guest
        guest.post(f"/j/{code}/inn/", {"day": "2", "month": "8", "year": "1944"})
    assert singing("\n".join(outside.titles), PEOPLE + CASE + seen.codes) == []
    uid = appointment.participants.get(role="patient").uid
    patient.seen = seen  # from here on no page may have the link in its address
    patient.get(f"/mote/{uid}/kamera/")
    patient.post(f"/mote/{uid}/venterom/", {"camera": "yes", "microphone": "yes"})
    patient.get(f"/mote/{uid}/venterom/")
    for page in [
        f"/rom/{appointment.reference}/",
        f"/rom/{appointment.reference}/hvem/",
        f"/timer/{appointment.reference}/",
    ]:
        doctor.get(page)
    doctor.post("/kalender/abonnement/", {"do": "make"})
    feed = feed_url(FeedToken.objects.get())
    seen.feed = Client().get(feed[feed.index("/feeds/") :]).content.decode()
    seen.codes.append(feed.rsplit("/", 1)[1].removesuffix(".ics"))
    clock("2026-03-04 11.30")
    doctor.post(f"/timer/{appointment.reference}/utfall/", {"how": "held"})
    run_all_tasks()
    clerk = Browser(as_user(tor), seen)
    registration = appointment.registration
    for page in ["/dips/?view=all", f"/dips/{registration.uid}/", f"/dips/{registration.uid}/ark/"]:
        clerk.get(page)


def run_all_tasks() -> None:
    """Do what worker and beat do, with the log that they write."""
    celery.loader.import_default_modules()
    for entry in celery.conf.beat_schedule.values():
        celery.tasks[entry["task"]].apply(throw=True)


def singing(text: str, canaries: list[str]) -> list[str]:
    return [canary for canary in canaries if canary.lower() in text.lower()]


def test_a_whole_day_leaves_nothing_readable_behind(seen, log):
    assert singing(log(), PEOPLE + CASE + seen.codes) == []
    assert seen.tasks
    assert singing("\n".join(seen.tasks), PEOPLE + CASE + seen.codes) == []
    assert singing("\n".join(seen.addresses), PEOPLE + CASE + seen.codes) == []
    assert seen.titles
    assert singing("\n".join(seen.titles), PEOPLE + CASE + seen.codes) == []
    messages_tell_nothing(seen)
    columns_are_sealed(seen)


def messages_tell_nothing(seen: Seen) -> None:
    messages = list(OutboxMessage.objects.all())
    assert {one.channel for one in messages} == {"sms", "email"}
    for one in messages:
        assert singing(one.subject, PEOPLE + CASE + HEALTH + seen.codes) == [], one.purpose
        assert singing(one.body, PEOPLE + CASE) == [], one.purpose
        if one.channel == "sms":
            assert singing(one.body, HEALTH) == [], one.purpose
        assert singing(one.calendar or "", PEOPLE + CASE + HEALTH + seen.codes) == [], one.purpose
    assert any(one.calendar for one in messages)
    assert "BEGIN:VEVENT" in seen.feed
    assert singing(seen.feed, PEOPLE + CASE + HEALTH + seen.codes) == []


def columns_are_sealed(seen: Seen) -> None:
    patient, photo = Patient.objects.get(), Photo.objects.get()
    assert (patient.national_id, patient.phone) == (NATIONAL_ID, PHONE)
    secrets = [NATIONAL_ID, PHONE, PHONE[3:], GUEST, GUEST_PHONE[3:], GUEST_EMAIL, *CASE, *seen.codes]
    secrets += [line for one in OutboxMessage.objects.all() for line in one.body.splitlines() if len(line) > 20]
    canaries = [one.encode() for one in secrets]
    for picture in (bytes(photo.image), bytes(photo.thumbnail)):
        assert len(picture) > 200
        canaries.append(picture[len(picture) // 2 :][:24])
    assert {canary: found for canary in canaries if (found := rows_with(canary))} == {}
    sessions = json.dumps([one.get_decoded() for one in Session.objects.all()])
    assert singing(sessions, PEOPLE + CASE + seen.codes) == []


def test_the_canaries_would_be_heard(ada, log):
    """Names stand readably in the patients' table, where staff search for them: the scan finds them there."""
    assert rows_with(ada.given_name.encode()) == {"patients_patient"}
    logging.getLogger("apps.anything").debug("A name: %s", ada.given_name)
    assert singing(log(), [ada.given_name]) == [ada.given_name]
