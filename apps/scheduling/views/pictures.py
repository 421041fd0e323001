"""Pictures in a form that is being filled in, of a booking under way or of what is booked."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from apps.catalogue.questionnaire import clean_text
from apps.common.errors import DomainError
from apps.common.images import PhotoTooLarge
from apps.organisations.doors import StaffRequest

from .. import services
from ..models import Appointment, BookingDraft, Photo

MOST_AT_ONCE: Final = 10
SAID: Final = "said-"


def photos_of(owner: BookingDraft | Appointment) -> QuerySet[Photo]:
    return owner.photos.defer("image", "thumbnail")


def change_photos(
    request: StaffRequest, *, now: datetime, draft: BookingDraft | None = None, appointment: Appointment | None = None
) -> str:
    """Take away the one named and add those sent; return the first refusal in words."""
    owner = draft or appointment
    if owner is None or not owner.service_type.photo_upload:
        return ""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
        return str(PhotoTooLarge.message)  # Django has left the files out without a word
    try:
        if uid := request.POST.get("remove_photo", ""):
            photo = next((one for one in photos_of(owner) if str(one.uid) == uid), None)
            if photo is not None:
                services.remove_photo(photo)
        for upload in request.FILES.getlist("photo")[:MOST_AT_ONCE]:
            services.add_photo(upload=upload.read(), user=request.user, now=now, draft=draft, appointment=appointment)
    except DomainError as refusal:
        return str(refusal)
    return ""


def describe_photos(request: StaffRequest, owner: BookingDraft | Appointment) -> None:
    """Keep what is written beneath the pictures."""
    said = {
        key.removeprefix(SAID): clean_text(request.POST.get(key, ""))[:200]
        for key in request.POST
        if key.startswith(SAID)
    }
    if said:
        services.describe_photos(photos=photos_of(owner), descriptions=said)
