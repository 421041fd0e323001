"""Sessions on their way into DIPS."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.audit.services import Actor
from apps.patients.models import Patient
from apps.registration import services
from apps.registration.models import Registration
from apps.scheduling.models import Appointment, AppointmentStatus
from tests.scheduling_cast import at


@pytest.fixture
def rules(db: None) -> None:
    services.load_code_rules(today=at("2026-01-05 08.00").date())


@pytest.fixture
def planned(book: Callable[..., Appointment], rules: None) -> Callable[..., Registration]:
    """Book a session and draw up its sheet."""

    def do(patient: Patient, start: str, **wishes: object) -> Registration:
        registration = services.plan_registration(appointment=book(patient, start, **wishes))
        assert registration is not None
        return registration

    return do


@pytest.fixture
def held(planned: Callable[..., Registration]) -> Callable[..., Registration]:
    """Book a session and let it be held: it awaits registration."""

    def do(patient: Patient, start: str, **wishes: object) -> Registration:
        registration = planned(patient, start, **wishes)
        appointment = registration.appointment
        appointment.status, appointment.started_at = AppointmentStatus.FULFILLED, appointment.starts_at
        appointment.ended_at = appointment.starts_at + timedelta(minutes=28)
        appointment.save()
        services.queue_registration(appointment=appointment)
        registration.refresh_from_db()
        return registration

    return do


@pytest.fixture
def as_actor() -> Callable[[User], Actor]:
    return lambda user: Actor(id=user.pk, label=user.name)


@pytest.fixture
def mark(as_actor: Callable[[User], Actor]) -> Callable[..., Registration]:
    """Mark a session registered: `mark(registration, tor, "30412886")`."""

    def do(
        registration: Registration, user: User, contact_id: str = "", *, when: datetime | None = None
    ) -> Registration:
        return services.mark_registered(
            registration=registration,
            version=registration.version,
            dips_contact_id=contact_id,
            actor=as_actor(user),
            now=when or at("2026-03-03 12.00"),
        )

    return do
