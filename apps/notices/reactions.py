"""What is said when something happens to an appointment. Rows only: the outbox's sweeper sends them.

What is said later, by the sweeper of events, is said with the appointment held: a change that comes meanwhile waits,
and then withdraws it; one that came before is known.
"""

from datetime import datetime

from apps.messaging import services as messaging
from apps.scheduling.models import AppointmentEvent, AppointmentStatus

from . import services


def plan_messages(event: AppointmentEvent, *, now: datetime) -> None:
    """On a booking: tell everybody, and plan the reminders."""
    _hold(event)
    if _is_latest(event) and event.appointment.is_open:
        services.tell_booked(appointment=event.appointment, done_by=event.actor_id, now=now)


def withdraw_messages(event: AppointmentEvent, *, now: datetime) -> None:
    """At once, with the change itself: nothing that is no longer true may leave."""
    messaging.withdraw_messages(about=event.appointment.uid, now=now)


def replan_messages(event: AppointmentEvent, *, now: datetime) -> None:
    """On a move: tell the new time."""
    _hold(event)
    _withdraw_what_was_before(event, now)
    if _is_latest(event) and event.appointment.is_open:
        services.tell_moved(event=event, now=now)


def tell_cancelled(event: AppointmentEvent, *, now: datetime) -> None:
    _hold(event)
    _withdraw_what_was_before(event, now)
    if event.appointment.status == AppointmentStatus.CANCELLED:
        services.tell_cancelled(event=event, now=now)


def tell_participant(event: AppointmentEvent, *, now: datetime) -> None:
    """On a new participant, new contact details or a new link: invite that one."""
    _hold(event)
    if event.appointment.is_open:
        services.tell_participant(event=event, now=now)


def withdraw_from_participant(event: AppointmentEvent, *, now: datetime) -> None:
    """At once, when somebody is taken off: nothing more to her."""
    if event.participant_uid is not None:
        messaging.withdraw_messages(about=event.appointment.uid, now=now, recipient=str(event.participant_uid))


def withdraw_old_link(event: AppointmentEvent, *, now: datetime) -> None:
    """At once, when a link stops working: nothing that would lead to it."""
    if event.appointment.is_to_come:
        services.withdraw_old_link(appointment=event.appointment, uid=event.participant_uid, now=now)


def tell_removed(event: AppointmentEvent, *, now: datetime) -> None:
    """Tell somebody who was taken off, if she had been invited. Where all was cancelled since, nobody else tells her."""
    _hold(event)
    still = event.appointment.is_open or event.appointment.status == AppointmentStatus.CANCELLED
    if event.participant_uid is not None and still:
        services.tell_gone(appointment=event.appointment, uid=event.participant_uid, now=now)


def _hold(event: AppointmentEvent) -> None:
    event.appointment = services.hold(event.appointment)


def _is_latest(event: AppointmentEvent) -> bool:
    """A change that came later has an event of its own, which says what is true by then."""
    return event.version == event.appointment.version


def _withdraw_what_was_before(event: AppointmentEvent, now: datetime) -> None:
    """The change itself did so; once more costs little, and what it missed would go to a patient."""
    messaging.withdraw_messages(about=event.appointment.uid, now=now, before_version=event.version)
