"""What is said while the time moves, is cancelled, or somebody is taken off: never of what is no more."""

from threading import Event

import pytest

from apps.common.errors import DomainError
from apps.messaging.models import OPEN_STATES, OutboxMessage, OutboxState
from apps.notices import reactions, services
from apps.rooms.services import revoke_link
from apps.scheduling import events
from apps.scheduling.models import EventKind, Participant
from apps.scheduling.services import (
    GuestInput,
    cancel_appointment,
    move_appointment,
    react_to_events,
    remove_participant,
)
from tests.scheduling_cast import at
from tests.together import together

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

FRIDAY, MONDAY = "2026-03-06 10.00", "2026-03-09 11.00"
NILS = GuestInput(name="Nils Alm", relation="bror", phone="+4700010077")


@pytest.fixture(params=["move", "cancel"])
def change(request, kari, now):
    """Do it and say what may still be said of the appointment: its version, or nothing."""

    def move(appointment):
        move_appointment(appointment=appointment, starts_at=at(MONDAY), actor=kari, now=now)
        return {1}

    def cancel(appointment):
        cancel_appointment(appointment=appointment, reason="ill", actor=kari, now=now)
        return set()

    return {"move": move, "cancel": cancel}[request.param]


def waiting():
    return OutboxMessage.objects.filter(state__in=OPEN_STATES)


def versions():
    return set(waiting().values_list("about_version", flat=True))


def named(name, work):
    work.__name__, work.__module__ = name, "apps.notices"
    return work


def test_a_change_that_comes_before_the_sweeper_writes_is_known_to_it(book, ada, now, change, monkeypatch):
    """The event is taken, then the time changes, then its reaction begins."""
    appointment = book(ada, FRIDAY)
    taken, changed, left = Event(), Event(), []

    def later(event, *, now):
        taken.set()
        assert changed.wait(10)
        reactions.plan_messages(event, now=now)

    def meanwhile():
        assert taken.wait(10)
        left.append(change(appointment))
        changed.set()

    monkeypatch.setitem(events._then, EventKind.BOOKED, [named("plan_messages", later)])
    together(lambda: react_to_events(now=now), meanwhile)
    react_to_events(now=now)
    assert [versions()] == left


@pytest.mark.parametrize("how", ["plan", "queue"])
def test_a_change_that_comes_while_the_sweeper_writes_waits_and_withdraws(book, ada, now, change, monkeypatch, how):
    appointment = book(ada, FRIDAY)
    left = interrupted(monkeypatch, how, lambda: react_to_events(now=now), lambda: change(appointment))
    react_to_events(now=now)
    assert [versions()] == left


@pytest.mark.parametrize("says", ["send_again", "send_newest_link"])
def test_what_is_sent_again_while_the_time_changes_is_withdrawn_too(
    book, ada, now, kari, change, react, send, monkeypatch, says
):
    appointment = book(ada, FRIDAY)
    react()
    send()
    patient = appointment.participants.select_related("appointment").get(role="patient")
    OutboxMessage.objects.update(created_at=now - services.A_WHILE * 2)

    def again():
        if says == "send_again":
            return services.send_again(appointment=appointment, uid=patient.uid, actor=kari, now=now)
        return services.send_newest_link(participant=patient, now=now)

    left = interrupted(monkeypatch, "plan", again, lambda: change(appointment))
    react_to_events(now=now)
    assert versions() - {1} == set()
    if left == [{1}]:
        assert waiting().filter(purpose="moved", channel="sms").exists()
    else:
        assert set(waiting().values_list("purpose", flat=True)) == {"cancelled"}


def test_what_is_over_by_the_time_it_would_be_sent_again_is_not(book, ada, now, kari, react):
    appointment = book(ada, FRIDAY)
    react()
    patient = appointment.participants.select_related("appointment").get(role="patient")
    cancel_appointment(appointment=appointment, reason="ill", actor=kari, now=now)
    with pytest.raises(DomainError):
        services.send_again(appointment=appointment, uid=patient.uid, actor=kari, now=now)
    assert not services.send_newest_link(participant=patient, now=now)
    assert not waiting().exists()


def test_a_guest_who_is_taken_off_while_the_sweeper_writes_gets_nothing(book, ada, now, kari, monkeypatch):
    appointment = book(ada, FRIDAY, guests=[NILS])
    nils = Participant.objects.get(appointment=appointment, guest_phone__isnull=False)
    interrupted(
        monkeypatch,
        "plan",
        lambda: react_to_events(now=now),
        lambda: remove_participant(participant=nils, actor=kari, now=now),
    )
    react_to_events(now=now)
    assert not waiting().filter(recipient=str(nils.uid)).exists()
    assert waiting().filter(channel="sms", purpose="booked").count() == 1


def test_what_an_earlier_version_left_waiting_goes_with_the_next_reaction(book, ada, now, react, change):
    appointment = book(ada, FRIDAY)
    react()
    missed = OutboxMessage.objects.filter(purpose="reminder_2_hours")
    left = change(appointment)
    missed.update(state=OutboxState.WAITING, withdrawn_at=None, done_at=None)
    react()
    assert versions() == left


def interrupted(monkeypatch, at_step, work, other):
    """Let the other begin while this is at a step, and go on once the other is through or has been waiting a while."""
    begun, through, left = Event(), Event(), []
    step = getattr(services, {"plan": "plan", "queue": "queue_message"}[at_step])

    def slowly(*args, **kwargs):
        if not begun.is_set():
            begun.set()
            through.wait(0.5)
        return step(*args, **kwargs)

    def meanwhile():
        assert begun.wait(10)
        left.append(other())
        through.set()

    monkeypatch.setattr(services, step.__name__, slowly)
    together(work, meanwhile)
    return left


@pytest.mark.parametrize("how", ["plan", "queue"])
def test_a_link_that_is_taken_back_while_the_sweeper_writes_is_not_sent(
    book, ada, now, kari, react, send, monkeypatch, how
):
    appointment = book(ada, FRIDAY)
    react()
    send()
    move_appointment(appointment=appointment, starts_at=at(MONDAY), actor=kari, now=now)
    patient = appointment.participants.select_related("appointment").get(role="patient")
    interrupted(
        monkeypatch,
        how,
        lambda: react_to_events(now=now),
        lambda: revoke_link(patient, now=now, actor=kari),
    )
    react_to_events(now=now)
    assert OutboxMessage.objects.filter(purpose="moved", recipient=str(patient.uid)).exists()
    assert not waiting().filter(recipient=str(patient.uid)).exists()
