"""What a person's calendar holds."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext, override

from apps.accounts.models import User
from apps.common.codes import normalise_link
from apps.organisations.models import Membership
from apps.scheduling.models import Appointment, AppointmentStatus

from .ics import Session
from .models import FeedToken

LOOKS_BACK: Final = timedelta(days=30)
LOOKS_AHEAD: Final = timedelta(days=400)
KEEPS_CANCELLED: Final = timedelta(days=30)
LONGEST_CODE: Final = 64


def digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def feed_token(code: str, *, now: datetime) -> FeedToken | None:
    """Return the live token with this code, its person along. Who works nowhere any more has no feed."""
    if len(code) > LONGEST_CODE or normalise_link(code) != code:
        return None
    works = Membership.objects.valid_on(timezone.localdate(now)).filter(user=OuterRef("user"))
    return (
        FeedToken.objects.select_related("user")
        .filter(Exists(works), digest=digest(code), revoked_at__isnull=True, user__is_active=True)
        .first()
    )


def live_token(user: User) -> FeedToken | None:
    return FeedToken.objects.filter(user=user, revoked_at__isnull=True).first()


def session_of(appointment: Appointment, *, language: str, changed_at: datetime) -> Session:
    """Say what a calendar may say about an appointment."""
    with override(language):
        return _session(appointment, changed_at, _Words())


class _Words:
    """The few words of a calendar entry, looked up once for a whole feed."""

    def __init__(self) -> None:
        self.title, self.reference, self.join = gettext("Video session"), gettext("Reference"), gettext("Join")


def _session(appointment: Appointment, changed_at: datetime, words: _Words) -> Session:
    url = f"{settings.PUBLIC_URL}/rom/{appointment.reference}/"
    return Session(
        uid=str(appointment.uid),
        sequence=appointment.version,
        changed_at=changed_at,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        title=words.title,
        description=f"{words.reference}: {appointment.reference}\n{words.join}: {url}",
        url=url,
        join_label=words.join,
        cancelled=appointment.status == AppointmentStatus.CANCELLED,
    )


def sessions_of(user: User, *, now: datetime) -> list[Session]:
    """Return the sessions that she takes part in: the last month, the next year; one query.

    A cancelled one stays for a month, marked as cancelled, so that every calendar hears of it.
    """
    rows: Iterable[Appointment] = (
        Appointment.objects.filter(
            Q(status__in=[AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED])
            | Q(status__in=[AppointmentStatus.FULFILLED, AppointmentStatus.NO_SHOW])
            | Q(status=AppointmentStatus.CANCELLED, cancelled_at__gt=now - KEEPS_CANCELLED),
            participants__schedule__user=user,
            starts_at__gte=now - LOOKS_BACK,
            starts_at__lt=now + LOOKS_AHEAD,
        )
        .annotate(changed_at=Coalesce(Max("events__at"), F("booked_at")))
        .order_by("starts_at", "id")
        .only("uid", "reference", "version", "status", "starts_at", "ends_at")
    )
    with override(user.language):
        words = _Words()
    return [_session(row, row.changed_at, words) for row in rows]  # type: ignore[attr-defined]
