"""What registration does when something happens to an appointment (listed in `portal/reactions.py`)."""

from datetime import datetime

from apps.scheduling.models import AppointmentEvent

from . import services


def plan_registration(event: AppointmentEvent, *, now: datetime) -> None:
    services.plan_registration(appointment=event.appointment)


def move_registration(event: AppointmentEvent, *, now: datetime) -> None:
    services.move_registration(appointment=event.appointment)


def withdraw_registration(event: AppointmentEvent, *, now: datetime) -> None:
    services.withdraw_registration(appointment=event.appointment)


def queue_registration(event: AppointmentEvent, *, now: datetime) -> None:
    services.queue_registration(appointment=event.appointment)


def drop_registration(event: AppointmentEvent, *, now: datetime) -> None:
    services.drop_registration(appointment=event.appointment)
