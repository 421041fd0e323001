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
    example,
    one_of,
)

from .engine.explain import ChangeKind, Reason
from .models import Answer, AppointmentStatus, CancelReason, ParticipantRole, PlaceOfPatient

Length = Annotated[int, Field(ge=5, le=LONGEST_MINUTES)]
Limit = Annotated[int, Field(ge=1, le=100)]
REASONS: Final = [reason.value for reason in Reason]
A_WISH: Final = {
    "service_type": "7d444840-9dc0-4a1b-8a4e-3f7c2a1b5c6d",
    "patient": "1b671a64-40d5-491e-99b0-da01ff1f3341",
}
AS_WRITTEN: Final = OfThisType()
"""JSON says itself what is a number; in an address all is text."""


class Wanted(Strict):
    """What is to be booked. Without `interpreter_language` an interpreter comes if the patient needs one; empty: none.

    `performers` are schedules, as open times name them: nobody but these. `length_minutes` is a multiple of five.
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
    model_config = example(**A_WISH, start="2026-03-17T00:00:00+01:00", limit=3)

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
    role: str = Field(json_schema_extra=one_of(ParticipantRole))
    schedule: UUID
    name: str
    title: str


class OpenTimeOut(Shown):
    starts_at: datetime
    ends_at: datetime
    who: list[WhoOut]


class BlockingOut(Shown):
    """A role that stands in the way: `free_from` is when the first who may fill it is free again."""

    role: str = Field(json_schema_extra=one_of(["", *ParticipantRole]))
    label: str
    reason: str = Field(json_schema_extra=one_of(REASONS))
    free_from: datetime | None


class SuggestionOut(Shown):
    """A change that opens times, the smallest first: how many they would be, and the first of them."""

    kind: str = Field(json_schema_extra=one_of(kind.value for kind in ChangeKind))
    role: str = Field(json_schema_extra=one_of(["", *ParticipantRole]))
    count: int
    length_minutes: int | None
    first: OpenTimeOut


class NoTimeOut(Shown):
    """Why there is no time, which role stands in the way, and what could be changed."""

    reason: str = Field(json_schema_extra=one_of(REASONS))
    blocking: list[BlockingOut]
    suggestions: list[SuggestionOut]


class OpenTimesOut(Shown):
    items: list[OpenTimeOut]
    no_time: NoTimeOut | None = None


class GuestIn(Strict):
    model_config = example(name="Siv Alm", relation="datter", phone="+4700011111")

    name: Name = Field(min_length=1)
    relation: Code = ""
    phone: Code = ""
    email: Line = ""
    role: ParticipantRole = Field(ParticipantRole.NEXT_OF_KIN, description="`next_of_kin` or `guest`")


class BookingIn(Wanted):
    """`answers` are to the questions of the service's form, each under its name; without them the form can wait."""

    model_config = example(**A_WISH, starts_at="2026-03-17T10:30:00+01:00", guests=[{"name": "Siv Alm"}])

    starts_at: Moment
    guests: list[GuestIn] = Field([], max_length=10)
    answers: dict[str, Any] | None = None


class MoveIn(Strict):
    """With `version`, as it was read, only if nobody changed the appointment since."""

    model_config = example(starts_at="2026-03-18T09:00:00+01:00", version=0)

    starts_at: Moment
    version: StrictInt | None = None


class CancelIn(Strict):
    """With `version`, as it was read, only if nobody changed the appointment since."""

    model_config = example(reason="patient", version=0)

    reason: CancelReason
    version: StrictInt | None = None


class ParticipantOut(Shown):
    """Somebody who takes part; `answer` is iCalendar's PARTSTAT in small letters."""

    uid: UUID
    role: str = Field(json_schema_extra=one_of(ParticipantRole))
    name: str
    title: str
    guest: bool
    required: bool
    answer: str = Field(json_schema_extra=one_of(Answer))


class PatientShort(Shown):
    uid: UUID
    given_name: str
    family_name: str


class AppointmentShort(Shown):
    """`requester_unit` booked it, `performer_unit` gives the service. People write and read the reference aloud."""

    uid: UUID
    reference: str = Field(examples=["VT-KFVJ-CT99"])
    status: str = Field(json_schema_extra=one_of(AppointmentStatus))
    version: int = Field(description="Counts the changes; send it along to change only what nobody else changed.")
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
    place: str = Field(json_schema_extra=one_of(PlaceOfPatient))
    interpreter_language: str
    interpreter_by_phone: bool
    booked_at: datetime
    cancelled_at: datetime | None
    cancel_reason: str = Field(json_schema_extra=one_of(["", *CancelReason]))
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
    """Why it cannot be booked or moved: `reason` is the rule or `time-taken`, `role` who is missing. `alternatives` are
    the nearest three times, where another time helps; each can be booked."""

    reason: str
    role: str = ""
    alternatives: list[OpenTimeOut] = []
