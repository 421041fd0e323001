"""A booking under way: every step is kept, so that nothing typed is lost, and used up when it is booked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.audit.services import Actor
from apps.catalogue import questionnaire
from apps.catalogue.models import ServiceType
from apps.organisations.models import Unit
from apps.patients.models import Patient

from .. import errors
from ..models import Appointment, BookingDraft, Hold
from ..queries import BookingRequest
from .booking import GuestInput, book_appointment, hold_time

DRAFTS_KEPT: Final = timedelta(days=14)
OF_THE_PATIENT: Final = (
    "companion",
    "place",
    "interpreter",
    "left_out_interpreter",
    "by_phone",
    "kin",
    "only",
    "length",
    "details_done",
)


def start_draft(*, user: User, unit: Unit, service_type: ServiceType) -> BookingDraft:
    """Begin a booking, or go on with one of the same service in which nothing has been chosen yet."""
    untouched = BookingDraft.objects.filter(
        user=user, unit=unit, service_type=service_type, patient=None, starts_at=None, choices={}
    ).first()
    return untouched or BookingDraft.objects.create(user=user, unit=unit, service_type=service_type)


@transaction.atomic
def choose_service(*, draft: BookingDraft, service_type: ServiceType) -> None:
    if draft.service_type_id == service_type.pk:
        return
    draft.service_type = service_type
    draft.choices = {
        key: value for key, value in draft.choices.items() if key not in {"only", "length", "details_done"}
    }
    let_go_of_time(draft=draft)
    draft.save(update_fields=["service_type", "choices", "updated_at"])


@transaction.atomic
def choose_patient(*, draft: BookingDraft, patient: Patient | None) -> None:
    """Choose whom it is about; None: nobody, where the service allows it. Another patient's answers do not follow."""
    if patient is not None and draft.patient_id == patient.pk:
        return
    if draft.patient_id is not None:
        draft.answers = {}
        draft.photos.all().delete()
    draft.patient = patient
    draft.choices = {key: value for key, value in draft.choices.items() if key not in OF_THE_PATIENT}
    draft.choices["no_patient"] = patient is None
    let_go_of_time(draft=draft)
    draft.save(update_fields=["patient", "choices", "answers", "updated_at"])


@transaction.atomic
def keep_typed(
    *,
    draft: BookingDraft,
    form: str,
    typed: Mapping[str, Sequence[str]],
    people: Mapping[str, Any],
    sent: int | None = None,
) -> bool:
    """Keep what stands in the form, right or wrong, and say whether it was kept.

    `sent` is how often the form had been sent when the page was drawn. What a page kept on its way while its form was
    being sent may arrive later than the form: it is older, and must not replace it. None: this is the form itself.
    """
    fresh = BookingDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    draft.answers, draft.choices = fresh.answers, fresh.choices
    so_far = draft.choices.get("sent", 0)
    if sent is not None and sent != so_far:
        return False
    kept = dict(draft.answers.get("typed", {}))
    if form:
        kept[form] = {slug: list(values) for slug, values in typed.items()}
    draft.answers = {**draft.answers, "typed": kept, "people": dict(people)}
    draft.choices = {**draft.choices, "details_done": False, "sent": so_far if sent is not None else so_far + 1}
    draft.save(update_fields=["answers", "choices", "updated_at"])
    return True


@transaction.atomic
def keep_details(
    *,
    draft: BookingDraft,
    answers: Mapping[str, Any],
    guests: Sequence[GuestInput],
    choices: Mapping[str, Any],
    complete: bool = True,
) -> None:
    """Keep the answered form and who comes; a held time is let go when others are needed than before.

    A form that is not `complete` is filled in when the time is booked.
    """
    before = {key: draft.choices.get(key) for key in choices}
    draft.answers = {
        **draft.answers,
        "answers": dict(answers),
        "guests": [
            {"name": one.name, "relation": one.relation, "phone": one.phone, "email": one.email, "role": one.role}
            for one in guests
        ],
    }
    draft.choices = {**draft.choices, **choices, "details_done": True, "form_later": not complete}
    needed = ("companion", "interpreter", "by_phone", "length")
    if any(before.get(key) != choices.get(key) for key in needed if key in choices):
        let_go_of_time(draft=draft)
    draft.save(update_fields=["answers", "choices", "updated_at"])


@transaction.atomic
def wish(*, draft: BookingDraft, **wishes: Any) -> None:
    """Change what times are looked for: only one specialist, shorter, without an interpreter on the screen."""
    draft.choices = {**draft.choices, **wishes}
    let_go_of_time(draft=draft)
    draft.save(update_fields=["choices", "updated_at"])


@transaction.atomic
def hold_for_draft(
    *, draft: BookingDraft, request: BookingRequest, starts_at: datetime, who: Mapping[int, int], now: datetime
) -> Hold:
    """Hold a time for the draft; the one held before is given back. Raises what `hold_time` raises."""
    hold = hold_time(request=request, starts_at=starts_at, who=who or None, draft=draft, user=draft.user, now=now)
    draft.starts_at = hold.starts_at
    draft.choices = {**draft.choices, "who": {str(need): schedule for need, schedule in who.items()}}
    draft.save(update_fields=["starts_at", "choices", "updated_at"])
    return hold


@transaction.atomic
def book_draft(
    *, draft: BookingDraft, request: BookingRequest, now: datetime, logged_as: Actor | None = None
) -> Appointment:
    """Book what the draft holds and use it up. Raises DraftGone when it was used up meanwhile, and the refusals
    of `book_appointment`."""
    # The second of two clicks waits here, and is then told that it is done.
    if not BookingDraft.objects.select_for_update(no_key=True).filter(pk=draft.pk).exists():
        raise errors.DraftGone
    if draft.starts_at is None:
        raise errors.HoldOver
    return book_appointment(
        request=request,
        starts_at=draft.starts_at,
        actor=draft.user,
        now=now,
        who={int(need): schedule for need, schedule in draft.choices.get("who", {}).items()} or None,
        hold=Hold.objects.filter(draft=draft).first(),
        guests=[GuestInput(**guest) for guest in draft.answers.get("guests", [])],
        answers=draft.answers.get("answers", {}) if questionnaire.has_form(draft.service_type.form) else None,
        form_complete=not draft.choices.get("form_later"),
        draft=draft,
        logged_as=logged_as,
    )


def let_go_of_time(*, draft: BookingDraft) -> None:
    """Give a held time back at once."""
    Hold.objects.filter(draft=draft).delete()
    draft.hold = None  # forgets the one that was read with the draft
    draft.starts_at = None
    draft.choices = {key: value for key, value in draft.choices.items() if key != "who"}
    draft.save(update_fields=["starts_at", "choices", "updated_at"])


def discard_draft(*, draft: BookingDraft) -> None:
    """Throw a draft away, with its pictures and the time it holds."""
    draft.delete()


def drafts_untouched(before: datetime) -> QuerySet[BookingDraft]:
    """Return drafts that nobody has touched since: they are forgotten (portal/retention.py)."""
    return BookingDraft.objects.filter(updated_at__lt=before)
