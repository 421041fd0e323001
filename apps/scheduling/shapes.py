"""What the API takes and gives about times and appointments."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt
from pydantic.types import Strict as OfThisType

from apps.catalogue.models import LONGEST_MINUTES
from apps.common.api import (
    Code,
    Found,
    LanguageOrNone,
    Line,
    Moment,
    Name,
    PageQuery,
    Problem,
    Shown,
    Strict,
    UnitQuery,
)

from .models import AppointmentStatus, CancelReason, ParticipantRole, PlaceOfPatient

Length = Annotated[int, Field(ge=5, le=LONGEST_MINUTES)]
Limit = Annotated[int, Field(ge=1, le=100)]
AS_WRITTEN: Final = OfThisType()
"""JSON says itself what is a number; in an address all is text."""


class Wanted(Strict):
    """What is to be booked. Without `interpreter_language` an interpreter comes if the patient needs one; empty: none.

    `performers` are schedules, as open times name them: nobody but these.
    """

    service_type: UUID
    patient: UUID | None = None
    interpreter_language: LanguageOrNone | None = None
    interpreter_by_phone: StrictBool = False
    length_minutes: Annotated[Length, AS_WRITTEN] | None = None
    patient_joins_alone: StrictBool | None = None
    place: PlaceOfPatient = PlaceOfPatient.HOME
    performers: list[UUID] = Field([], max_length=20)


class OpenTimesIn(Wanted):
    start: Moment | None = None
    end: Moment | None = None
    limit: Annotated[Limit, AS_WRITTEN] = 20


class OpenTimesQuery(OpenTimesIn, UnitQuery):
    """The same, in the address, where all is text."""

    interpreter_by_phone: bool = False
    length_minutes: Length | None = None
    patient_joins_alone: bool | None = None
    limit: Limit = 20


class WhoOut(Shown):
    role: str
    schedule: UUID
    name: str
    title: str


class OpenTimeOut(Shown):
    starts_at: datetime
    ends_at: datetime
    who: list[WhoOut]


class BlockingOut(Shown):
    role: str
    label: str
    reason: str
    free_from: datetime | None


class SuggestionOut(Shown):
    kind: str
    role: str
    count: int
    length_minutes: int | None
    first: OpenTimeOut


class NoTimeOut(Shown):
    reason: str
    blocking: list[BlockingOut]
    suggestions: list[SuggestionOut]


class OpenTimesOut(Shown):
    items: list[OpenTimeOut]
    no_time: NoTimeOut | None = None


class GuestIn(Strict):
    name: Name = Field(min_length=1)
    relation: Code = ""
    phone: Code = ""
    email: Line = ""
    role: ParticipantRole = ParticipantRole.NEXT_OF_KIN


class BookingIn(Wanted):
    starts_at: Moment
    guests: list[GuestIn] = Field([], max_length=10)
    answers: dict[str, Any] | None = None


class MoveIn(Strict):
    starts_at: Moment
    version: StrictInt | None = None


class CancelIn(Strict):
    reason: CancelReason
    version: StrictInt | None = None


class ParticipantOut(Shown):
    uid: UUID
    role: str
    name: str
    title: str
    guest: bool
    required: bool
    answer: str


class PatientShort(Shown):
    uid: UUID
    given_name: str
    family_name: str


class AppointmentShort(Shown):
    uid: UUID
    reference: str
    status: str
    version: int
    service_type: UUID
    service_name: str
    starts_at: datetime
    ends_at: datetime
    requester_unit: UUID
    performer_unit: UUID


class AppointmentOut(AppointmentShort):
    patient: PatientShort | None
    patient_present: bool
    patient_joins_alone: bool
    place: str
    interpreter_language: str
    interpreter_by_phone: bool
    booked_at: datetime
    cancelled_at: datetime | None
    cancel_reason: str
    participants: list[ParticipantOut]


class AppointmentsOut(Found):
    items: list[AppointmentShort]


class ParticipantsOut(Shown):
    items: list[ParticipantOut]


class AppointmentsQuery(PageQuery):
    start: Moment | None = None
    end: Moment | None = None
    status: AppointmentStatus | None = None
    service_type: UUID | None = None
    patient: UUID | None = None


class Conflict(Problem):
    """Why it cannot be booked: `reason` is the rule or `time-taken`, `role` who is missing."""

    reason: str
    role: str = ""
    alternatives: list[OpenTimeOut] = []
