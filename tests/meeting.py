"""An appointment at any time, also now: for tests of what happens in the room rather than of finding a time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from apps.accounts.models import User
from apps.catalogue.models import ServiceType
from apps.organisations.models import Unit
from apps.patients.models import Patient
from apps.rooms.providers.base import RoomProvider
from apps.rooms.services import make_next_room
from apps.scheduling.models import Appointment, Participant, ParticipantRole, Schedule
from apps.scheduling.services import schedule_for_patient


def meet(
    starts_at: datetime,
    *,
    service_type: ServiceType,
    requester_unit: Unit,
    booked_by: User,
    patient: Patient,
    performer: Schedule,
    requester: Schedule | None = None,
    length: timedelta = timedelta(minutes=30),
    **changes: Any,
) -> Appointment:
    appointment = Appointment.objects.create(
        service_type=service_type,
        patient=patient,
        requester_unit=requester_unit,
        performer_unit=service_type.unit,
        starts_at=starts_at,
        ends_at=starts_at + length,
        booked_by=booked_by,
        booked_at=starts_at - timedelta(days=3),
        **changes,
    )
    people = [(ParticipantRole.PERFORMER, performer), (ParticipantRole.PATIENT, schedule_for_patient(patient))]
    if requester is not None:
        people.append((ParticipantRole.REQUESTER, requester))
    for role, schedule in people:
        Participant.objects.create(appointment=appointment, role=role, schedule=schedule)
    return appointment


def make_due_rooms(*, now: datetime, providers: Mapping[str, RoomProvider] | None = None) -> int:
    """Let the sweeper see to every room that is owed at this time; return how many there were."""
    done = 0
    while make_next_room(now=now, providers=providers):
        done += 1
        assert done < 100, "the sweep has no end"
    return done
