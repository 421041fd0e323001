"""What is asked for, and what is answered: the values that list, hold and booking share."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

from apps.catalogue.models import ServiceType
from apps.organisations.models import Unit
from apps.patients.models import Patient

from ..models import Appointment, ParticipantRole, Schedule

HOLD_LENGTH: Final = timedelta(minutes=10)
"""How long a time is held while the rest of a booking is filled in."""


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """A session that somebody wants: the service, for whom, and with whom.

    `requester` is whose time the requester's need takes (None: nobody has to be with the patient).
    `interpreter_language` is ISO 639-3, empty for none. `prefer` and `only` are ids of performers'
    schedules: the usual specialist first, or nobody but these.
    """

    service_type: ServiceType
    requester_unit: Unit
    patient: Patient | None = None
    requester: Schedule | None = None
    interpreter_language: str = ""
    interpreter_by_phone: bool = False
    prefer: tuple[int, ...] = ()
    only: tuple[int, ...] = ()
    length_minutes: int | None = None
    patient_joins_alone: bool | None = None
    place: str = "home"

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.length_minutes or self.service_type.length_minutes)

    @property
    def joins_alone(self) -> bool:
        chosen = self.patient_joins_alone
        return self.service_type.patient_joins_alone if chosen is None else chosen


@dataclass(frozen=True, slots=True)
class Who:
    """A schedule that would fill a need. `need_id` is None for the patient, who needs no rule to be needed."""

    need_id: int | None
    role: str
    schedule_id: int
    name: str
    title: str = ""
    schedule_uid: UUID | None = None


class OpenTime(NamedTuple):
    """A start that can be booked, and who would come; stored nowhere until it is held or booked."""

    starts_at: datetime
    ends_at: datetime
    who: tuple[Who, ...]

    def named(self, role: str) -> list[Who]:
        return [one for one in self.who if one.role == role]

    @property
    def performer(self) -> Who | None:
        return next(iter(self.named(ParticipantRole.PERFORMER)), None)


class Person(NamedTuple):
    """Somebody who may fill a role; `pk` is her schedule's."""

    pk: int
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Needed:
    """A role in a service, the patient's left out, and who may fill it, by name."""

    need_id: int
    role: str
    source: str
    label: str
    people: tuple[Person, ...]

    @classmethod
    def called(cls, label: str, *, need_id: int, role: str, source: str, people: tuple[Person, ...]) -> Self:
        """Name a role by its label, else by what it is."""
        return cls(need_id, role, source, label or str(ParticipantRole(role).label), people)

    @property
    def count(self) -> int:
        return len(self.people)


@dataclass(frozen=True, slots=True)
class Ignoring:
    """What does not count as taken: one's own hold, or the appointment that is being moved, which `starts_at`."""

    hold_id: int | None = None
    appointment_id: int | None = None
    starts_at: datetime | None = None


def request_of(appointment: Appointment) -> BookingRequest:
    """Return what would have to be asked to book this appointment again, the same people first."""
    people = list(appointment.participants.all())
    by_role = {person.role: person for person in people if person.schedule_id}
    requester = by_role.get(ParticipantRole.REQUESTER)
    return BookingRequest(
        service_type=appointment.service_type,
        requester_unit=appointment.requester_unit,
        patient=appointment.patient,
        requester=requester.schedule if requester else None,
        interpreter_language=appointment.interpreter_language,
        interpreter_by_phone=appointment.interpreter_by_phone,
        prefer=tuple(
            person.schedule_id
            for person in people
            if person.schedule_id and person.role in {ParticipantRole.PERFORMER, ParticipantRole.INTERPRETER}
        ),
        length_minutes=int(appointment.length.total_seconds() // 60),
        patient_joins_alone=appointment.patient_joins_alone,
        place=appointment.place,
    )
