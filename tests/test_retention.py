"""What has had its time is forgotten, and what is the hospital's stays."""

import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.audit.models import AccessRecord
from apps.audit.services import Actor
from apps.common.batches import in_batches
from apps.messaging.models import Channel, OutboxMessage, OutboxState
from apps.messaging.services import queue_message
from apps.registration import services as registration
from apps.registration.models import Registration, RegistrationState
from apps.rooms.models import EntryCode, JoinLink
from apps.rooms.services import link_for
from apps.scheduling.models import FormAnswers, Photo
from portal import retention
from portal.celery import app as celery
from tests.scheduling_cast import at

pytestmark = pytest.mark.django_db


def message(*, age, not_after=None, state=OutboxState.SENT):
    sent = timezone.now() - timedelta(days=age)
    made = queue_message(
        about=uuid.uuid4(),
        about_version=0,
        recipient="somebody",
        purpose="booked",
        channel=Channel.SMS,
        language="nb",
        address="+4700010001",
        subject="",
        body="Lenke: https://videotime.example/j/abcd/",
        sender="Elvebygd",
        due_at=sent,
        not_after=not_after,
        organisation_id=None,
        now=sent,
        calendar="BEGIN:VCALENDAR",
    )
    done = {"sent_at": sent} if state == OutboxState.SENT else {}
    OutboxMessage.objects.filter(pk=made.pk).update(state=state, **done)
    return made


def test_what_a_message_said_and_to_whom_is_forgotten_and_that_it_was_sent_stays():
    old, lately = message(age=91), message(age=89)
    assert retention.forget(now=timezone.now())["texts and addresses of messages"] == 1
    old.refresh_from_db()
    assert (old.body, old.address, old.calendar, bytes(old.address_index)) == ("", "", None, b"")
    assert (old.state, old.sent_at is not None, old.purpose) == (OutboxState.SENT, True, "booked")
    lately.refresh_from_db()
    assert "abcd" in lately.body
    assert retention.forget(now=timezone.now())["texts and addresses of messages"] == 0


def test_a_message_about_a_session_to_come_or_that_waits_is_kept_however_old():
    kept = [
        message(age=300, not_after=timezone.now() + timedelta(days=1)),
        message(age=300, not_after=timezone.now() - timedelta(days=89)),
        message(age=300, state=OutboxState.WAITING),
    ]
    assert retention.forget(now=timezone.now())["texts and addresses of messages"] == 0
    assert all(OutboxMessage.objects.get(pk=one.pk).body for one in kept)


def test_messages_stay_for_good_where_the_owner_says_so(settings):
    settings.MESSAGES_KEPT_DAYS = 0
    old = message(age=4000)
    assert "texts and addresses of messages" not in retention.forget(now=timezone.now())
    assert OutboxMessage.objects.get(pk=old.pk).body


def test_a_code_typed_at_the_door_is_gone_an_hour_after_it_ran_out(book, ada, now):
    link_for(book(ada, "2026-03-03 10.00").participants.get(role="patient"), now=now)
    code = {"link": JoinLink.objects.get(), "digest": b"x", "sent_at": now}
    EntryCode.objects.create(expires_at=now - timedelta(minutes=61), **code)
    lately = EntryCode.objects.create(expires_at=now - timedelta(minutes=59), **code)
    assert retention.forget(now=now)["codes typed at the door"] == 1
    assert EntryCode.objects.get() == lately


@pytest.fixture
def registered(book, ada, kari, tor, now):
    """A session with a form and a picture that was registered a while ago."""
    registration.load_code_rules(today=now.date())
    appointment = book(ada, "2026-03-03 10.00")
    FormAnswers.objects.create(appointment=appointment, form="wound", answers={"a": 1}, updated_at=now)
    Photo.objects.create(
        appointment=appointment, image=b"x", thumbnail=b"x", width=1, height=1, uploaded_by=kari, uploaded_at=now
    )
    row = registration.plan_registration(appointment=appointment)
    registration.queue_registration(appointment=appointment)
    row.refresh_from_db()
    actor = Actor(id=tor.pk, label=tor.name)
    registration.mark_registered(registration=row, version=row.version, actor=actor, now=at("2026-03-03 12.00"))
    return appointment


def test_pictures_and_answers_stay_unless_the_owner_sets_a_time(registered):
    assert "pictures of sessions" not in retention.forget(now=at("2046-03-03 12.00"))
    assert Photo.objects.exists()


def test_pictures_go_that_long_after_the_session_was_registered_and_the_patients_log_says_so(registered, ada, settings):
    settings.PHOTOS_KEPT_DAYS = 30
    assert retention.forget(now=at("2026-04-02 11.59"))["pictures of sessions"] == 0
    assert retention.forget(now=at("2026-04-02 12.01"))["pictures of sessions"] == 1
    assert not Photo.objects.exists()
    assert FormAnswers.objects.exists()
    record = AccessRecord.objects.get(what="photos")
    assert (record.patient_uid, record.what_reference, record.actor_id) == (ada.uid, registered.reference, None)


def test_pictures_of_a_session_that_is_not_registered_stay(registered, settings):
    settings.PHOTOS_KEPT_DAYS = 1
    Registration.objects.update(state=RegistrationState.AWAITING, settled_at=None, settled_by=None)
    assert retention.forget(now=at("2046-03-03 12.00"))["pictures of sessions"] == 0


def test_a_dry_run_says_what_would_go_and_touches_nothing(settings):
    old, out = message(age=91), StringIO()
    call_command("forget", "--dry-run", stdout=out)
    assert "texts and addresses of messages: 1 (90 days after" in out.getvalue()
    assert "pictures of sessions: stay." in out.getvalue()
    assert OutboxMessage.objects.get(pk=old.pk).body
    out = StringIO()
    call_command("forget", stdout=out)
    assert "texts and addresses of messages: 1 (90 days after" in out.getvalue()
    assert not OutboxMessage.objects.get(pk=old.pk).body


def test_one_kind_that_fails_does_not_keep_the_others(monkeypatch):
    def broken(rows):
        raise RuntimeError

    message(age=91)
    first = retention.KINDS[0]
    monkeypatch.setattr(retention, "KINDS", [type(first)(**{**vars(first), "forget": broken}), *retention.KINDS[1:]])
    done = retention.forget(now=timezone.now())
    assert first.what not in done
    assert done["texts and addresses of messages"] == 1


def test_a_row_that_cannot_be_changed_is_met_once_and_the_rest_comes_batch_by_batch():
    for age in range(91, 96):
        message(age=age)
    seen = []

    def change(rows):
        seen.append(list(rows.values_list("pk", flat=True)))
        return 0

    in_batches(OutboxMessage.objects.all(), change, size=2)
    assert [len(batch) for batch in seen] == [2, 2, 1]


def test_the_clock_calls_it():
    assert "portal.forget" in {entry["task"] for entry in celery.conf.beat_schedule.values()}
    celery.loader.import_default_modules()
    assert "portal.forget" in celery.tasks


def test_the_documents_name_every_kind():
    said = (Path(__file__).parent.parent / "docs/production.md").read_text()
    missing = [kind.what for kind in retention.KINDS if f"| {kind.what} |" not in said]
    assert not missing
