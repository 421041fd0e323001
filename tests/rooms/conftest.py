"""A wound review of Ada's: Dr Berg at the hospital, Kari at Ada's home or Ada by herself, and Ada's daughter Ida."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import User
from apps.catalogue.models import ServiceType
from apps.organisations.models import Unit
from apps.patients.models import Patient
from apps.rooms.models import Seat
from apps.rooms.queries import entry_for
from apps.rooms.services import link_for, seat_for_user
from apps.scheduling.models import Appointment, Participant, ParticipantRole, Schedule
from tests.meeting import meet

BORN = {"day": "13", "month": "3", "year": "1968"}


@pytest.fixture(autouse=True)
def _nobody_has_knocked() -> None:
    """The count of tries with unknown links outlives a test: it is in the cache."""
    cache.delete_many(["rooms.unknown", "rooms.unknown.127.0.0.1"])


@pytest.fixture
def meeting(
    wound_review: ServiceType, home_care: Unit, kari: User, kari_diary: Schedule, berg_diary: Schedule, ada: Patient
) -> Callable[..., Appointment]:
    """Agree on a time, wherever the diaries stand: `meeting(now + timedelta(minutes=5))`."""
    return lambda starts_at, **changes: meet(
        starts_at,
        service_type=wound_review,
        requester_unit=home_care,
        booked_by=kari,
        patient=ada,
        performer=berg_diary,
        requester=kari_diary,
        **changes,
    )


@pytest.fixture
def review(meeting: Callable[..., Appointment], now: datetime) -> Appointment:
    """A review that begins in five minutes: its waiting room is open."""
    return meeting(now + timedelta(minutes=5))


def who(appointment: Appointment, role: str) -> Participant:
    return appointment.participants.get(role=role)


@pytest.fixture
def ada_in(review: Appointment) -> Participant:
    return who(review, ParticipantRole.PATIENT)


@pytest.fixture
def daughter(review: Appointment) -> Participant:
    return Participant.objects.create(
        appointment=review,
        role=ParticipantRole.NEXT_OF_KIN,
        guest_name="Ida Alm",
        guest_relation="datter",
        guest_phone="+4700010009",
        required=False,
    )


@pytest.fixture
def code_for(now: datetime) -> Callable[[Participant], str]:
    return lambda participant: link_for(participant, now=now).rstrip("/").rsplit("/", 1)[1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Callable[[datetime], None]:
    """Set what the pages take for now; it begins at `now`."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    set_to(now)
    return set_to


@pytest.fixture
def ada_enters(clock: object, code_for: Callable[[Participant], str], ada_in: Participant) -> Callable[..., Client]:
    """Let Ada prove who she is in a browser of her own (or another one)."""

    def enter(client: Client | None = None) -> Client:
        client = client or Client()
        answer = client.post(f"/j/{code_for(ada_in)}/inn/", BORN)
        assert answer.status_code == 302, answer.content
        return client

    return enter


@pytest.fixture
def berg_seat(review: Appointment, berg: User, now: datetime) -> Seat:
    entry = entry_for(berg, review, now=now)
    assert entry is not None
    return seat_for_user(appointment=review, user=berg, entry=entry, language="nb", now=now)
