"""What belongs to an appointment besides its time: guests, form answers, pictures, imported busy time."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.audit.models import Action
from apps.audit.services import Actor, record_access
from apps.catalogue import questionnaire
from apps.common.errors import ChangedMeanwhile
from apps.common.images import CleanPhoto, clean_photo

from .. import errors, events
from ..models import (
    Appointment,
    BookingDraft,
    EventKind,
    FormAnswers,
    Occupancy,
    OccupancyKind,
    Participant,
    Photo,
    Schedule,
)
from .booking import GuestInput, guest_participant, lock_open

MOST_PHOTOS: Final = 10
MOST_GUESTS: Final = 10


@transaction.atomic
def add_guest(*, appointment: Appointment, guest: GuestInput, actor: User, now: datetime) -> Participant:
    """Invite somebody by name; the invitation follows. Raises NotOpenAnyMore and TooManyGuests."""
    locked = lock_open(appointment, None)
    if not locked.is_still_on(now):
        raise errors.NotOpenAnyMore
    if locked.participants.filter(schedule__isnull=True).count() >= MOST_GUESTS:
        raise errors.TooManyGuests
    participant = guest_participant(appointment, guest)
    participant.save()
    events.record(appointment, EventKind.PARTICIPANT_ADDED, now=now, actor=actor, participant_uid=participant.uid)
    return participant


@transaction.atomic
def remove_participant(*, participant: Participant, actor: User, now: datetime) -> None:
    """Take a guest off the appointment; her link stops working. Raises StillNeeded, and NotOpenAnyMore."""
    if participant.schedule_id is not None:
        raise errors.StillNeeded
    appointment, uid = participant.appointment, participant.uid
    lock_open(appointment, None)
    gone, _by_model = Participant.objects.filter(pk=participant.pk).delete()
    if not gone:
        return  # somebody else took her off at the same moment
    events.record(appointment, EventKind.PARTICIPANT_REMOVED, now=now, actor=actor, participant_uid=uid)


@transaction.atomic
def save_answers(
    *,
    appointment: Appointment,
    answers: Mapping[str, Any],
    complete: bool,
    now: datetime,
    seen: int | None = None,
) -> FormAnswers:
    """Write the answers to the service's form for a session that has not been held, or write them anew.

    `seen` is the revision that the writer had before her (0: no form yet); None writes whatever stands.
    Raises NotOpenAnyMore, and ChangedMeanwhile when somebody has written since.
    """
    _wait_for_turn(appointment)
    form = appointment.service_type.form
    stands = FormAnswers.objects.filter(appointment=appointment).first()
    revision = stands.revision if stands is not None else 0
    if seen is not None and seen != revision:
        raise ChangedMeanwhile
    saved, _made = FormAnswers.objects.update_or_create(
        appointment=appointment,
        defaults={
            "form": form,
            "form_version": questionnaire.version(form),
            "answers": dict(answers),
            "complete": complete,
            "revision": revision + 1,
            "updated_at": now,
        },
    )
    return saved


def add_photo(*, upload: bytes, **about: Any) -> Photo:
    """Draw a picture anew without metadata, and keep it; `about` as in `keep_photo`.

    Raises what `clean_photo` and `keep_photo` raise.
    """
    return keep_photo(photo=clean_photo(upload), **about)


@transaction.atomic
def keep_photo(
    *,
    photo: CleanPhoto,
    user: User,
    now: datetime,
    draft: BookingDraft | None = None,
    appointment: Appointment | None = None,
    description: str = "",
) -> Photo:
    """Keep a picture that is drawn anew already: that takes seconds, in which nobody is to wait for the appointment.

    Raises NotOpenAnyMore for a session that has been held, and TooManyPhotos.
    """
    if appointment is not None:
        _wait_for_turn(appointment)
    kept = Photo.objects.filter(draft=draft, appointment=appointment)
    if kept.count() >= MOST_PHOTOS:
        raise errors.TooManyPhotos
    return Photo.objects.create(
        draft=draft,
        appointment=appointment,
        image=photo.image,
        thumbnail=photo.thumbnail,
        width=photo.width,
        height=photo.height,
        description=description,
        uploaded_by=user,
        uploaded_at=now,
    )


@transaction.atomic
def remove_photo(photo: Photo) -> None:
    """Raises NotOpenAnyMore for a session that has been held: what the specialist saw stays."""
    if photo.appointment is not None:
        _wait_for_turn(photo.appointment)
    photo.delete()


def forget_photos(photos: QuerySet[Photo]) -> int:
    """Delete pictures that have had their time (portal/retention.py); the patient's log says so."""
    appointments = Appointment.objects.filter(photos__in=photos).select_related("patient").distinct()
    for appointment in appointments:
        record_access(
            actor=Actor(label="Videotime"),
            action=Action.CHANGE,
            what="photos",
            what_reference=appointment.reference,
            patient_uid=appointment.patient.uid if appointment.patient else None,
            reason="deleted after registration",
        )
    _all, by_model = photos.delete()
    return by_model.get("scheduling.Photo", 0)


def describe_photos(*, photos: Iterable[Photo], descriptions: Mapping[str, str]) -> None:
    """Write what pictures show, by their uid."""
    for photo in photos:
        said = descriptions.get(str(photo.uid))
        if said is not None and said != photo.description:
            Photo.objects.filter(pk=photo.pk).update(description=said)


def _wait_for_turn(appointment: Appointment) -> None:
    """Lock the appointment, so that writers come one by one. Raises NotOpenAnyMore once it has been held."""
    locked = Appointment.objects.select_for_update(of=("self",), no_key=True).get(pk=appointment.pk)
    if not locked.is_to_come:
        raise errors.NotOpenAnyMore


@transaction.atomic
def replace_busy_time(
    *, schedule: Schedule, busy: Collection[tuple[datetime, datetime]], window: tuple[datetime, datetime]
) -> int:
    """Take over another calendar's busy time within the window; return how many stretches it became.

    Where an appointment or a hold stands already, the imported time gives way to it.
    """
    start, end = window
    Occupancy.objects.filter(
        schedule=schedule, kind=OccupancyKind.BUSY, during__startswith__gte=start, during__endswith__lte=end
    ).delete()
    taken = sorted(
        (row.lower, row.upper)
        for row in Occupancy.objects.filter(schedule=schedule, during__overlap=DateTimeTZRange(start, end)).values_list(
            "during", flat=True
        )
    )
    rows = [
        Occupancy(schedule=schedule, kind=OccupancyKind.BUSY, during=DateTimeTZRange(left, right))
        for left, right in _subtract(_merged(busy, start, end), taken)
    ]
    return len(Occupancy.objects.bulk_create(rows))


Times = list[tuple[datetime, datetime]]


def _merged(busy: Collection[tuple[datetime, datetime]], start: datetime, end: datetime) -> Times:
    merged: Times = []
    for left, right in sorted((max(left, start), min(right, end)) for left, right in busy):
        if left >= right:
            continue
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def _subtract(busy: Times, taken: Times) -> Times:
    free: Times = []
    for left, right in busy:
        for begin, stop in taken:
            if stop <= left or begin >= right:
                continue
            if begin > left:
                free.append((left, begin))
            left = max(left, stop)
        if left < right:
            free.append((left, right))
    return free
