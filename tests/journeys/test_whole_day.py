"""The whole day with real parts: four people's browsers, worker and beat, an SMS gateway, a mail server, media.

Time is real here, since six processes share it. So the diaries are open at all hours and the service takes bookings
without notice: the first joint time begins within minutes and its waiting room is open at once. Nothing is shifted in
the database; only the night's quiet is off (tests/awake_settings.py), or the day could not be walked at night.
"""

import io
import os
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from django_otp.oath import totp
from PIL import Image
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.catalogue.models import ServiceType
from apps.messaging.models import OutboxMessage, OutboxState
from apps.patients.models import Patient
from apps.registration.models import RegistrationState
from apps.registration.services import load_code_rules
from apps.scheduling.models import Appointment, AppointmentStatus, Schedule
from apps.scheduling.queries import BookingRequest, open_times
from apps.scheduling.services import book_appointment
from portal.launch import programs
from tests.conftest import PASSWORD
from tests.journeys.conftest import Live, _database_url, until
from tests.journeys.test_booking import Thumb
from tests.journeys.test_rooms import prove, see_and_hear
from tests.messaging.gateway import Gateway, Kannel
from tests.messaging.mail import Mailbox, mail_server  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
MOST_TAPS = 12


# Around the product ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Kannel(tmp_path_factory.mktemp("kannel")) as running:
        yield running


@pytest.fixture
def workers(live: Live, gateway: Gateway, mail_server: Mailbox, settings: Any) -> Iterator[Path]:  # noqa: F811
    """Worker, delivery and beat with its real table, as in production, sending through the real gateway; yields the folder of their logs."""
    env = {
        **os.environ,
        "DATABASE_URL": _database_url(),
        "REDIS_URL": django_settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "tests.awake_settings",
        "PUBLIC_URL": live.url,
        "SOCKETS_URL": live.sockets,
        "SMS_CARRIERS": "kannel",
        "KANNEL_URL": gateway.url,
        "KANNEL_USERNAME": "videotime",
        "KANNEL_PASSWORD": "made-up",
        "RECEIPT_SECRET": "made-up-secret",
        "EMAIL_CARRIER": "smtp",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(settings.EMAIL_PORT),
        "LOG_LEVEL": "INFO",
    }
    with tempfile.TemporaryDirectory(prefix="videotime-workers-") as folder:
        commands = {
            "worker": programs.worker(programs.SWEEPS, pool="solo", concurrency=1),
            "delivery": programs.worker(programs.DELIVERY, pool="solo", concurrency=1),
            "beat": programs.beat(schedule=Path(folder, "beat")),
        }
        children = []
        try:
            for name, command in commands.items():
                with Path(folder, f"{name}.log").open("w") as log:
                    children.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT))
            yield Path(folder)
        finally:
            for child in children:
                child.terminate()
            for child in children:
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def texts_to(gateway: Gateway, number: str) -> list[str]:
    """Put together what a telephone got, one text a message, long ones from their parts."""
    texts: list[str] = []
    parts: dict[bytes, dict[int, bytes]] = {}
    with gateway.phones.news:
        lines = list(gateway.phones.lines)
    for line in lines:
        _sender, to, kind, *rest = line.rstrip(b"\n").split(b" ", 3)
        if to.decode() != number:
            continue
        if kind == b"text":
            texts.append(rest[0].decode())
        elif kind == b"ucs-2":
            texts.append(unquote_to_bytes(rest[0].replace(b"+", b" ")).decode("utf-16-be"))
        elif kind == b"udh":
            head, _kind, body = rest[0].split(b" ", 2)
            header = unquote_to_bytes(head)
            parts.setdefault(header[3:4], {})[header[5]] = unquote_to_bytes(body.replace(b"+", b" "))
            got = parts[header[3:4]]
            if len(got) == header[4]:
                texts.append(b"".join(got[one] for one in sorted(got)).decode(errors="replace"))
    return texts


def link_in(text: str, live: Live) -> str:
    found = re.search(r"/j/[a-z2-9]{26}", text)
    assert found, text
    return f"{live.url}{found[0]}/"


# The world ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def open_all_hours(
    wound_review: ServiceType, kari_diary: Schedule, berg_diary: Schedule, amina_diary: Schedule, interpreters: object
) -> ServiceType:
    Schedule.objects.update(always_open=True, works_on_holidays=True)
    wound_review.shortest_notice_minutes, wound_review.start_grid_minutes = 0, 5
    wound_review.save()
    load_code_rules(today=timezone.localdate())
    return wound_review


@pytest.fixture
def photo() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (900, 700), "firebrick").save(out, "JPEG")
    return {"name": "sar.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def sign_in_with_password(page: Page, user: User) -> None:
    """The password, then the code that the app on her telephone shows."""
    page.goto("/logg-inn/")
    page.get_by_label("E-post").fill(user.email)
    page.get_by_label("Passord").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn", exact=True).click()
    device = user.authenticator_set.get()
    page.get_by_label("Engangskode").fill(f"{totp(device.bin_key):06d}")
    page.get_by_role("button", name="Logg inn", exact=True).click()
    page.wait_for_url("**/i-dag/")


def book_by_thumb(page: Page, photo: dict[str, Any]) -> str:
    """Book for Ada, who needs an interpreter; return the reference."""
    hand = Thumb(page)
    hand.tap(page.get_by_role("link", name="Bestill", exact=True).locator("visible=true"))
    hand.tap(page.get_by_role("button", name="Sårvurdering"))
    hand.tap(page.get_by_role("button", name="Ada Alm"))
    hand.choose("Hva slags sår er det?", "Venøst leggsår")
    hand.choose("Hvor sitter såret?", "Legg, utside")
    hand.pill("Side", "Venstre")
    hand.write(duration_weeks="6", length_mm="28", width_mm="19", tissue_fibrin="40", tissue_granulation="60")
    hand.pill("Tegn til infeksjon", "Rødme")
    hand.pill("Væske fra såret", "Moderat")
    hand.pill("Smerte, fra 0 til 10", "4")
    hand.write(dressing="Skum, hver tredje dag", question="Bør vi bytte bandasje?")
    page.set_input_files("[name=photo]", [photo])  # the picture is no tap of the form's
    expect(page.locator(".vt-photo img")).to_have_count(1)
    hand.tap(page.get_by_role("button", name="Finn felles tid"))
    hand.tap(page.get_by_role("button", name="Tidligst"))
    expect(page.get_by_text("Tiden er holdt av for deg")).to_be_visible()
    hand.tap(page.get_by_role("button", name="Bestill videotimen"))
    expect(page.get_by_role("heading", name="Videotimen er bestilt")).to_be_visible()
    assert hand.taps <= MOST_TAPS, hand.taps
    reference = Appointment.objects.get().reference
    expect(page.get_by_text(reference).first).to_be_visible()
    return reference


# The day --------------------------------------------------------------------------------------------------------------
def test_from_the_nurses_wish_to_the_clerks_registration(
    window: Callable[..., Page],
    live: Live,
    workers: Path,
    gateway: Gateway,
    mail_server: Mailbox,  # noqa: F811
    open_all_hours: ServiceType,
    sign_in: Callable[[Page, User], Page],
    kari: User,
    berg: User,
    tor: User,
    ada: Patient,
    photo: dict[str, Any],
) -> None:
    Patient.objects.filter(pk=ada.pk).update(language="som", interpreter_needed=True)

    # The home nurse books.
    nurse = window(390, 844, has_touch=True, is_mobile=True)
    sign_in_with_password(nurse, kari)
    reference = book_by_thumb(nurse, photo)
    appointment = Appointment.objects.get(reference=reference)
    assert {one.role for one in appointment.participants.all()} >= {"performer", "requester", "patient", "interpreter"}
    assert appointment.photos.count() == 1

    # Worker and gateway bring the link to the patient, the mail server the invitation to the specialist.
    text = until(lambda: next((one for one in texts_to(gateway, ada.phone) if "/j/" in one), ""), "the patient's SMS")
    for word in ("Ada", "Alm", "sår", "Sår", reference):
        assert word not in text
    invitation = until(lambda: mail_to(mail_server, berg.email, "REQUEST"), "the specialist's invitation")
    assert f"/rom/{reference}/" in invitation
    assert "Ada" not in invitation

    # The specialist has a private feed, and opens the appointment.
    doctor = sign_in(window(), berg)
    doctor.goto("/kalender/abonnement/")
    doctor.get_by_role("button", name="Lag en adresse").click()
    feed = doctor.get_by_label("Adresse", exact=True).input_value()
    with urllib.request.urlopen(feed) as answer:
        calendar = answer.read().decode()
    assert wall(appointment.starts_at) in calendar
    assert "Ada" not in calendar
    doctor.goto(f"/timer/{reference}/")
    expect(doctor.get_by_text("Bør vi bytte bandasje?")).to_be_visible()
    expect(doctor.locator("img[src*='/bilder/']").first).to_be_visible()

    # The patient opens the link on her telephone.
    patient = window(390, 844, has_touch=True, is_mobile=True)
    link = link_in(text, live)
    for language, heading in [
        ("en", "You have an appointment on video"),
        ("nn", "Du har time på video"),
        ("se", "Dus lea videodiibmu"),
        ("nb", "Du har time på video"),
    ]:
        patient.goto(f"{link}?lang={language}")
        expect(patient.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))
        if language != "se":
            expect(patient.get_by_role("heading", level=1)).to_have_text(heading)
    prove(patient, link, day="12")
    expect(patient.get_by_role("alert")).to_contain_text("4 ganger")
    prove(patient, link)
    expect(patient.locator("#check-camera .vt-check__meta")).to_have_text("Virker")
    patient.get_by_role("button", name="Gå til venterommet").click()
    expect(patient.get_by_role("heading", name="Du er i venterommet")).to_be_visible()
    assert "/j/" not in patient.url

    # The specialist sees who waits, joins from the appointment, and lets her in.
    doctor.goto("/i-dag/")
    expect(doctor.get_by_text("venter", exact=False).first).to_be_visible()
    doctor.goto(f"/timer/{reference}/")
    doctor.get_by_role("link", name="Bli med").first.click()
    doctor.locator("#ready-join").click()
    expect(doctor.locator(".vt-admit")).to_contain_text("Ada Alm")
    doctor.locator(".vt-admit").get_by_role("button", name="Slipp inn").click()
    patient.wait_for_url("**/rom/")
    see_and_hear(patient, 1)
    see_and_hear(doctor, 1)
    doctor.locator("#ctl-leave").click()
    doctor.get_by_role("button", name="Avslutt for alle").click()
    expect(patient.get_by_role("heading", name="Timen er over")).to_be_visible()
    appointment.refresh_from_db()
    assert appointment.status == AppointmentStatus.FULFILLED

    # The clerk registers it.
    registration = appointment.registration
    until(lambda: fresh(registration).state == RegistrationState.AWAITING, "the session on the DIPS list")
    clerk = sign_in(window(), tor)
    clerk.goto("/dips/")
    clerk.get_by_role("link", name="Ada Alm").click()
    expect(clerk.locator("#codes li").first).to_be_visible()
    with clerk.expect_response("**/registrer/"):
        clerk.locator("[name=dips_contact_id]").fill("30412886")
        clerk.get_by_role("button", name=re.compile("^Merk registrert")).last.click()
    expect(clerk.locator("#count-awaiting")).to_have_text("0")
    expect(clerk.locator("#count-registered")).to_have_text("1")
    clerk.keyboard.press("Escape")
    expect(clerk.get_by_role("link", name="Ada Alm")).to_be_focused()  # the row is another now
    assert fresh(registration).state == RegistrationState.REGISTERED
    assert registration.dips_contact_id == "30412886"
    sheet = clerk.request.get(f"/dips/{registration.uid}/ark.pdf")
    assert sheet.body().startswith(b"%PDF")

    assert sum("/j/" in one for one in texts_to(gateway, ada.phone)) == 1, "the booking SMS goes out once"
    logs = "".join(path.read_text() for path in workers.glob("*.log"))
    for word in ("Ada", "Alm", ada.phone, ada.phone[3:], link.rsplit("/", 2)[1], "Traceback"):
        assert word not in logs


def mail_to(mailbox: Mailbox, address: str, method: str) -> str:
    """Return the calendar part of the last mail with this method to an address, unfolded; empty before it has come."""
    for recipients, mail in reversed(mailbox.mails):
        for part in mail.walk():
            if address in recipients and part.get_content_type() == "text/calendar":
                assert part.get_param("method") in {"REQUEST", "CANCEL"}
                if part.get_param("method") == method:
                    return str(part.get_content()).replace("\r\n ", "").replace("\n ", "")
    return ""


def wall(moment: datetime) -> str:
    """Write a time as calendars hold it: Norway's wall time."""
    return f"{timezone.localtime(moment):%Y%m%dT%H%M%S}"


def fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row


def test_moved_by_the_nurse_and_cancelled_by_the_patient_everything_follows(
    window: Callable[..., Page],
    live: Live,
    workers: Path,
    gateway: Gateway,
    mail_server: Mailbox,  # noqa: F811
    open_all_hours: ServiceType,
    sign_in: Callable[[Page, User], Page],
    kari: User,
    kari_diary: Schedule,
    berg: User,
    bo: Patient,
) -> None:
    now = timezone.now()
    asked = BookingRequest(
        service_type=open_all_hours, requester_unit=kari_diary.unit, patient=bo, requester=kari_diary
    )
    first = open_times(asked, now=now, start=now + timedelta(days=3), limit=1)[0]
    appointment = book_appointment(request=asked, starts_at=first.starts_at, actor=kari, now=now)
    booked = until(lambda: next((one for one in texts_to(gateway, bo.phone) if "/j/" in one), ""), "the booking SMS")
    first_invitation = until(lambda: mail_to(mail_server, berg.email, "REQUEST"), "the invitation")
    assert "SEQUENCE:0" in first_invitation

    nurse = sign_in(window(390, 844, has_touch=True, is_mobile=True), kari)
    nurse.goto(f"/timer/{appointment.reference}/flytt/?fra={timezone.localdate(now) + timedelta(days=5)}")
    nurse.locator(".vt-slot").first.click()
    nurse.get_by_role("button", name="Flytt timen").click()
    nurse.wait_for_url(f"**/timer/{appointment.reference}/")
    moved = fresh(appointment).starts_at
    assert moved - first.starts_at >= timedelta(days=1)
    texts = until(lambda: two_or_more(texts_to(gateway, bo.phone)), "the SMS about the new time")
    invitation = until(
        lambda: (mail := mail_to(mail_server, berg.email, "REQUEST")) != first_invitation and mail, "the new invitation"
    )
    assert wall(moved) in invitation
    assert "SEQUENCE:0" not in invitation
    assert appointment.registration.state == RegistrationState.NOT_HELD

    patient = window(390, 844, has_touch=True, is_mobile=True)
    link = link_in(booked, live)
    patient.goto(f"{link}?lang=nb")
    expect(patient.get_by_text(f"{timezone.localtime(moved):%H.%M}").first).to_be_visible()
    patient.get_by_label("Dag").fill("2")
    patient.get_by_label("Måned").fill("8")
    patient.get_by_label("År").fill("1944")
    patient.get_by_role("button", name="Fortsett").click()
    patient.get_by_role("link", name="Avlys timen").click()
    patient.get_by_role("button", name="Avlys timen").click()
    expect(patient.get_by_role("heading", name="Timen er avlyst")).to_be_visible()
    until(lambda: mail_to(mail_server, berg.email, "CANCEL"), "the withdrawal to the specialist's calendar")
    until(lambda: fresh(appointment.registration).state == RegistrationState.NOT_NEEDED, "the registration to follow")
    patient.goto(f"{link}?lang=nb")
    expect(patient.get_by_role("heading", name="Timen er avlyst")).to_be_visible()
    assert fresh(appointment).status == AppointmentStatus.CANCELLED
    assert not OutboxMessage.objects.filter(state=OutboxState.WAITING, purpose__startswith="remind").exists()
    assert texts_to(gateway, bo.phone).count(booked) == 1
    assert len(set(texts)) == len(texts)


def two_or_more(texts: list[str]) -> list[str]:
    return texts if len(texts) > 1 else []
