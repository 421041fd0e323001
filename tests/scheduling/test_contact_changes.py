"""A patient with a new number is told there of what is coming, and nothing more goes to the old one."""

from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.messaging.models import OPEN_STATES, OutboxMessage
from apps.patients.models import Patient
from apps.patients.services import update_contact
from apps.scheduling.models import AppointmentEvent, EventKind
from apps.scheduling.services import cancel_appointment, note_contact_changes
from tests.together import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(book, ada, react):
    appointment = book(ada, "2026-03-10 10.00")
    react()
    return appointment


def waiting_for(address):
    return [row.purpose for row in OutboxMessage.objects.filter(state__in=OPEN_STATES) if row.address == address]


def changes():
    return AppointmentEvent.objects.filter(kind=EventKind.CONTACT_CHANGED)


def test_what_waits_goes_to_the_new_number_and_not_to_the_old(booked, ada, bo, book, kari, now, react):
    others = book(bo, "2026-03-10 12.00")
    react()
    assert waiting_for("+4700010001")
    later = now + timedelta(hours=1)
    update_contact(patient=ada, actor=kari, now=later, phone="00 01 00 55")
    assert note_contact_changes(now=later) == 1
    assert not waiting_for("+4700010001"), "withdrawn with the event, before anything follows from it"
    react(later)
    assert waiting_for("+4700010055")
    assert changes().get().appointment == booked
    assert not changes().filter(appointment=others).exists()


def test_specialists_keep_their_messages(booked, ada, kari, now, react, berg):
    before = waiting_for(berg.email) + waiting_for(kari.email)
    update_contact(patient=ada, actor=kari, now=now + timedelta(hours=1), phone="00 01 00 55")
    note_contact_changes(now=now + timedelta(hours=1))
    react(now + timedelta(hours=1))
    assert waiting_for(berg.email) + waiting_for(kari.email) == before


def test_a_patient_who_declines_digital_messages_gets_no_more(booked, ada, kari, now, react):
    later = now + timedelta(hours=1)
    update_contact(patient=ada, actor=kari, now=later, reserved=True)
    note_contact_changes(now=later)
    react(later)
    assert not waiting_for("+4700010001")


def test_it_is_told_once(booked, ada, kari, now):
    update_contact(patient=ada, actor=kari, now=now + timedelta(hours=1), phone="00 01 00 55")
    assert note_contact_changes(now=now + timedelta(hours=1)) == 1
    assert note_contact_changes(now=now + timedelta(hours=2)) == 0


def test_another_address_changes_no_messages(booked, ada, kari, now):
    update_contact(patient=ada, actor=kari, now=now + timedelta(hours=1), address="Elveveien 4")
    assert note_contact_changes(now=now + timedelta(hours=1)) == 0


def test_what_is_off_and_what_goes_on_without_her_need_not_be_told(booked, ada, book, kari, now, wound_review):
    cancel_appointment(appointment=booked, reason="ill", actor=kari, now=now)
    wound_review.patient_present = False
    wound_review.save()
    book(ada, "2026-03-11 10.00")
    update_contact(patient=ada, actor=kari, now=now + timedelta(hours=1), phone="00 01 00 55")
    assert note_contact_changes(now=now + timedelta(hours=1)) == 0


def test_what_is_over_stays_as_it_was(booked, ada, kari, now):
    after = booked.ends_at + timedelta(hours=1)
    update_contact(patient=ada, actor=kari, now=after, phone="00 01 00 55")
    assert note_contact_changes(now=after) == 0


def test_when_all_is_told_the_next_look_is_one_query(booked, ada, kari, now):
    later = now + timedelta(hours=1)
    update_contact(patient=ada, actor=kari, now=later, phone="00 01 00 55")
    note_contact_changes(now=later)
    assert Patient.objects.get(pk=ada.pk).contact_changed_at is None
    with CaptureQueriesContext(connection) as seen:
        assert note_contact_changes(now=later) == 0
    assert len(seen) == 1
    update_contact(patient=ada, actor=kari, now=later + timedelta(hours=1), phone="00 01 00 56")
    assert note_contact_changes(now=later + timedelta(hours=1)) == 1


def test_who_has_nothing_coming_is_not_looked_at_again(ada, kari, now):
    update_contact(patient=ada, actor=kari, now=now, phone="00 01 00 55")
    note_contact_changes(now=now)
    assert Patient.objects.get(pk=ada.pk).contact_changed_at is None


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_who_is_being_changed_again_at_that_moment_is_told_of_that_too(booked, ada, kari, now, react):
    first, second = now + timedelta(hours=1), now + timedelta(hours=2)
    update_contact(patient=ada, actor=kari, now=first, phone="00 01 00 55")
    in_hand, told = Event(), Event()

    def change_again():
        with transaction.atomic():
            update_contact(patient=ada, actor=kari, now=second, phone="00 01 00 56")
            in_hand.set()
            assert told.wait(10)

    def tell():
        assert in_hand.wait(10)
        assert note_contact_changes(now=first) == 1
        told.set()

    together(change_again, tell)
    assert Patient.objects.get(pk=ada.pk).contact_changed_at == second
    assert note_contact_changes(now=second) == 1
    react(second)
    assert {row.address for row in OutboxMessage.objects.filter(state__in=OPEN_STATES, channel="sms")} == {
        "+4700010056"
    }


def test_one_who_is_changed_after_she_was_found_told_keeps_her_mark(ada, kari, now):
    """Without a session to come there is nothing to be told, so each mark goes; a new one that comes meanwhile stays."""
    first, second = now + timedelta(minutes=1), now + timedelta(minutes=2)
    update_contact(patient=ada, actor=kari, now=first, phone="00 01 00 55")

    def meanwhile(execute, sql, params, many, context):
        if "FOR NO KEY UPDATE" in sql:
            Patient.objects.filter(pk=ada.pk).update(contact_changed_at=second)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        note_contact_changes(now=second)
    assert Patient.objects.get(pk=ada.pk).contact_changed_at == second
    note_contact_changes(now=second)
    assert Patient.objects.get(pk=ada.pk).contact_changed_at is None
