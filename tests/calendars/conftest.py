"""Appointments made straight from the models: what a calendar shows does not depend on how they were booked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalogue.models import PortalUse, Scenario, ServiceType
from apps.organisations.models import Unit
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, AppointmentEvent, EventKind, Participant, Schedule, ScheduleKind


@pytest.fixture
def wound_review(wound_clinic: Unit) -> ServiceType:
    names = {"nb": "Sårvurdering", "nn": "Sårvurdering", "en": "Wound review"}
    scenario = Scenario.objects.create(
        code="wound",
        names=names,
        family="wound",
        kind="video",
        priority=1,
        portal_use=PortalUse.BOOK,
        form="wound",
        defaults={},
    )
    return ServiceType.objects.create(unit=wound_clinic, scenario=scenario, names=names, form="wound")


Session = Callable[..., Appointment]


@pytest.fixture
def session(wound_review: ServiceType, home_care: Unit, kari: User, berg: User, ada: Patient, now: datetime) -> Session:
    """Kari and Dr Berg meet Ada: `session(now + timedelta(days=1))`."""

    def make(starts_at: datetime, *, performer: User = berg, **changes: Any) -> Appointment:
        appointment = Appointment.objects.create(
            **{
                "service_type": wound_review,
                "patient": ada,
                "requester_unit": home_care,
                "performer_unit": wound_review.unit,
                "starts_at": starts_at,
                "ends_at": starts_at + timedelta(minutes=30),
                "booked_by": kari,
                "booked_at": now,
                **changes,
            }
        )
        for role, user in (("requester", kari), ("performer", performer)):
            schedule, _made = Schedule.objects.get_or_create(
                user=user, defaults={"kind": ScheduleKind.CLINICIAN, "name": user.name}
            )
            Participant.objects.create(appointment=appointment, role=role, schedule=schedule)
        AppointmentEvent.objects.create(
            appointment=appointment, kind=EventKind.BOOKED, version=appointment.version, at=now, actor=kari
        )
        return appointment

    return make
