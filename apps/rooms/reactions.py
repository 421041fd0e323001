"""What rooms do when something happens to an appointment; registered in portal/reactions.py."""

from datetime import datetime

from apps.scheduling.models import AppointmentEvent

from . import services
from .announce import announce


def plan_room(event: AppointmentEvent, *, now: datetime) -> None:
    services.plan_room(event.appointment, now=now)


def move_room(event: AppointmentEvent, *, now: datetime) -> None:
    services.move_room(event.appointment, now=now)


def close_room(event: AppointmentEvent, *, now: datetime) -> None:
    services.close_room(event.appointment, now=now)


def drop_seat(event: AppointmentEvent, *, now: datetime) -> None:
    """The seat and the link went with the participant; whoever sits there is told to look."""
    announce(event.appointment.uid)
