"""The refusals that scheduling can give."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError

from .queries.request import OpenTime


class Refusal(DomainError):
    """A time that cannot be given; `alternatives` are the nearest that can."""

    def __init__(self, message: Any = None, *, alternatives: Sequence[OpenTime] = (), field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.alternatives = list(alternatives)


class TimeTaken(Refusal):
    code = "time-taken"
    message = _("That time was just taken by somebody else. Choose another.")
    field = "starts_at"

    def __init__(self, *, role: str = "", alternatives: Sequence[OpenTime] = ()) -> None:
        super().__init__(alternatives=alternatives)
        self.role = role


class NotOpen(Refusal):
    """Nobody who may fill this role is free then; `role` says which."""

    code = "not-open"
    message = _("That time cannot be booked: not everyone who is needed is free then. Choose another.")
    field = "starts_at"

    def __init__(self, *, role: str = "", alternatives: Sequence[OpenTime] = ()) -> None:
        super().__init__(alternatives=alternatives)
        self.role = role


class TooSoon(Refusal):
    code = "too-soon"
    message = _("That is too soon for this service. Choose a later time.")
    field = "starts_at"


class TooFar(Refusal):
    code = "too-far"
    message = _("That is further ahead than this service can be booked. Choose an earlier time.")
    field = "starts_at"


class OffTheGrid(Refusal):
    code = "off-the-grid"
    message = _("That is not a time at which this service can start. Choose one of the times shown.")
    field = "starts_at"


class NotOffered(Refusal):
    code = "not-offered"
    message = _("This service cannot be booked here. Choose another service, or phone the unit.")
    field = "service_type"


class OnRequestOnly(Refusal):
    code = "on-request"
    message = _("This service is booked on request. Phone the unit that offers it.")
    field = "service_type"


class NoAgreement(Refusal):
    code = "no-agreement"
    message = _("Your organisation has no agreement about this service. Ask your super user.")
    field = "service_type"


class PatientMissing(Refusal):
    code = "patient-missing"
    message = _("This service is for a patient. Choose the patient first.")
    field = "patient"


class PatientElsewhere(Refusal):
    code = "patient-elsewhere"
    message = _("This patient is not one of your unit's patients. Register her in your unit first.")
    field = "patient"


class InterpreterNotPossible(Refusal):
    code = "interpreter-not-possible"
    message = _("This service cannot be booked with an interpreter. Phone the interpreter service.")
    field = "interpreter_language"


class LanguageUnknown(Refusal):
    code = "unknown-language"
    message = _("Choose a language from the list.")
    field = "interpreter_language"


class LengthNotPossible(Refusal):
    code = "length-not-possible"
    message = _("Give a length between 5 and 480 minutes, in steps of 5.")
    field = "length_minutes"


class NotOpenAnyMore(DomainError):
    code = "not-open-any-more"
    message = _("This appointment can no longer be changed: it has begun, is over or is cancelled.")


class StillNeeded(DomainError):
    code = "still-needed"
    message = _("Only guests can be taken off. Without the others the appointment must be moved or cancelled.")


class TooManyGuests(DomainError):
    code = "too-many-guests"
    message = _("There can be at most ten guests. Take one off first.")


class PatientMayNot(DomainError):
    code = "patient-may-not"
    message = _("It is too late to change this online. Phone us, and we will help you.")


class HoldOver(DomainError):
    code = "hold-over"
    message = _("The time was held for ten minutes, and they are over. Choose a time again.")
    field = "starts_at"


class TooManyPhotos(DomainError):
    code = "too-many-photos"
    message = _("There can be at most ten pictures. Remove one first.")
    field = "photos"


class DraftGone(DomainError):
    code = "draft-gone"
    message = _("This booking is finished or thrown away. Look at the day's list, or begin a new one.")


class AbsenceEndsFirst(DomainError):
    code = "absence-ends-first"
    message = _("The end must be after the start. Change one of them.")
    field = "last_day"


class AbsencePast(DomainError):
    code = "absence-past"
    message = _("That is over already. Choose a later day or time.")
    field = "last_day"


class AbsenceTooLong(DomainError):
    code = "absence-too-long"
    message = _("An absence can be noted for at most a year at a time. Choose an earlier last day.")
    field = "last_day"


class OpeningTakesNoTime(DomainError):
    code = "opening-takes-no-time"
    message = _("It opens and closes at the same time. Change one of them.")
    field = "to_clock"


class OpeningPast(DomainError):
    code = "opening-past"
    message = _("That day is over. Choose today or a later day.")
    field = "first_day"


class OpeningTooFar(DomainError):
    code = "opening-too-far"
    message = _("That is more than five years ahead. Choose an earlier day.")
    field = "first_day"


class OpeningEndsFirst(DomainError):
    code = "opening-ends-first"
    message = _("The last day must not be before the first day.")
    field = "last_day"


class OpeningOverlaps(DomainError):
    code = "opening-overlaps"
    message = _("The diary is open in a part of that time already. Change the time, or close the other first.")
    field = "from_clock"


class AbsenceTooFar(DomainError):
    code = "absence-too-far"
    message = _("That is more than five years ahead. Choose an earlier day.")
    field = "first_day"
