"""What belongs to an appointment besides its time: guests, form answers, pictures, imported busy time."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from apps.accounts.models import User
from apps.common.images import clean_photo

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
from .booking import GuestInput, guest_participant

MOST_PHOTOS: Final = 10


@transaction.atomic
def add_guest(*, appointment: Appointment, guest: GuestInput, actor: User, now: datetime) -> Participant:
    """Invite somebody by name; the invitation follows. Raises NotOpenAnyMore."""
    if not appointment.is_open:
        raise errors.NotOpenAnyMore
    participant = guest_participant(appointment, guest)
    participant.save()
    events.record(appointment, EventKind.PARTICIPANT_ADDED, now=now, actor=actor, participant_uid=participant.uid)
    return participant


@transaction.atomic
def remove_participant(*, participant: Participant, actor: User, now: datetime) -> None:
    """Take a guest off the appointment; her link stops working. Raises NotOpenAnyMore for those who are needed."""
    if participant.schedule_id is not None or not participant.appointment.is_open:
        raise errors.NotOpenAnyMore
    appointment, uid = participant.appointment, participant.uid
    participant.delete()
    events.record(appointment, EventKind.PARTICIPANT_REMOVED, now=now, actor=actor, participant_uid=uid)


@transaction.atomic
def save_answers(
    *, appointment: Appointment, form: str, form_version: int, answers: Mapping[str, Any], actor: User, now: datetime
) -> FormAnswers:
    """Write the requester's form for an appointment, or write it anew."""
    saved, _made = FormAnswers.objects.update_or_create(
        appointment=appointment,
        defaults={"form": form, "form_version": form_version, "answers": dict(answers), "updated_at": now},
    )
    return saved


@transaction.atomic
def add_photo(
    *,
    upload: bytes,
    user: User,
    now: datetime,
    draft: BookingDraft | None = None,
    appointment: Appointment | None = None,
    description: str = "",
) -> Photo:
    """Keep a picture, drawn anew without metadata. Raises TooManyPhotos, and what `clean_photo` raises."""
    kept = Photo.objects.filter(draft=draft, appointment=appointment)
    if kept.count() >= MOST_PHOTOS:
        raise errors.TooManyPhotos
    clean = clean_photo(upload)
    return Photo.objects.create(
        draft=draft,
        appointment=appointment,
        image=clean.image,
        thumbnail=clean.thumbnail,
        width=clean.width,
        height=clean.height,
        description=description,
        uploaded_by=user,
        uploaded_at=now,
    )


def remove_photo(photo: Photo) -> None:
    photo.delete()


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
