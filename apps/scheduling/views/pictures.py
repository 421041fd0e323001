"""Pictures in a form that is being filled in, of a booking under way or of what is booked."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from apps.catalogue.questionnaire import clean_text
from apps.common.errors import DomainError
from apps.common.images import CleanPhoto, PhotoTooLarge, clean_photo
from apps.organisations.doors import StaffRequest

from .. import services
from ..models import Appointment, BookingDraft, Photo

MOST_AT_ONCE: Final = 10
SAID: Final = "said-"


def photos_of(owner: BookingDraft | Appointment) -> QuerySet[Photo]:
    return owner.photos.defer("image", "thumbnail")


@dataclass
class Sent:
    """The pictures of a request, drawn anew up to the first that cannot be, and what is said of that."""

    photos: list[CleanPhoto] = field(default_factory=list)
    refusal: str = ""


def sent_photos(request: StaffRequest, owner: BookingDraft | Appointment) -> Sent:
    """Draw the pictures sent anew: before anything is locked, since it takes seconds."""
    sent = Sent()
    if not owner.service_type.photo_upload:
        return sent
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
        sent.refusal = str(PhotoTooLarge.message)  # Django has left the files out without a word
    try:
        for upload in request.FILES.getlist("photo")[:MOST_AT_ONCE]:
            sent.photos.append(clean_photo(upload.read()))
    except DomainError as refusal:
        sent.refusal = str(refusal)
    return sent


def change_photos(
    request: StaffRequest,
    sent: Sent,
    *,
    now: datetime,
    draft: BookingDraft | None = None,
    appointment: Appointment | None = None,
) -> str:
    """Take away the one named and keep those sent; return the first refusal in words."""
    owner = draft or appointment
    if owner is None or not owner.service_type.photo_upload:
        return ""
    try:
        if uid := request.POST.get("remove_photo", ""):
            unwanted = next((one for one in photos_of(owner) if str(one.uid) == uid), None)
            if unwanted is not None:
                services.remove_photo(unwanted)
        for photo in sent.photos:
            services.keep_photo(photo=photo, user=request.user, now=now, draft=draft, appointment=appointment)
    except DomainError as refusal:
        return str(refusal)
    return sent.refusal


def describe_photos(request: StaffRequest, owner: BookingDraft | Appointment) -> None:
    """Keep what is written beneath the pictures."""
    said = {
        key.removeprefix(SAID): clean_text(request.POST.get(key, ""))[:200]
        for key in request.POST
        if key.startswith(SAID)
    }
    if said:
        services.describe_photos(photos=photos_of(owner), descriptions=said)
