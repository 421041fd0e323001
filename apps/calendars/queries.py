"""What a person's calendar holds."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext, override

from apps.accounts.models import User
from apps.common.codes import digest_of, normalise_link
from apps.common.prepared import Prepared
from apps.common.rows import rows_of_raw
from apps.organisations.models import Membership
from apps.scheduling.models import Appointment, AppointmentStatus

from .ics import Session
from .models import FeedToken

LOOKS_BACK: Final = timedelta(days=30)
LOOKS_AHEAD: Final = timedelta(days=400)
KEEPS_CANCELLED: Final = timedelta(days=30)
LONGEST_CODE: Final = 64
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
COMES_TWICE: Final = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""Half past two in a night when the clocks are put back, which is written in its own way."""


def feed_token(code: str, *, now: datetime) -> FeedToken | None:
    """Return the live token with this code, its person along. Who works nowhere any more has no feed."""
    if len(code) > LONGEST_CODE or normalise_link(code) != code:
        return None
    return _TOKEN.first(digest=digest_of(code), today=timezone.localdate(now))


_TOKEN = Prepared(
    lambda digest, today: FeedToken.objects.select_related("user").filter(
        Exists(Membership.objects.valid_on(today).filter(user=OuterRef("user"))),
        digest=digest,
        revoked_at__isnull=True,
        user__is_active=True,
    ),
    digest=bytes,
    today=date,
)


def live_token(user: User) -> FeedToken | None:
    return FeedToken.objects.filter(user=user, revoked_at__isnull=True).first()


def session_of(appointment: Appointment, *, language: str, changed_at: datetime) -> Session:
    """Say what a calendar may say about an appointment."""
    cancelled = appointment.status == AppointmentStatus.CANCELLED
    times = appointment.starts_at, appointment.ends_at
    with override(language):
        return _session(
            _Words(), appointment.uid, appointment.reference, appointment.version, cancelled, *times, changed_at
        )


class _Words:
    """The few words of a calendar entry, looked up once for a whole feed."""

    def __init__(self) -> None:
        self.title, self.reference, self.join = gettext("Video session"), gettext("Reference"), gettext("Join")
        self.rooms = f"{settings.PUBLIC_URL}/rom/"


def _session(
    words: _Words,
    uid: UUID,
    reference: str,
    version: int,
    cancelled: bool,
    starts_at: datetime,
    ends_at: datetime,
    changed_at: datetime,
) -> Session:
    url = f"{words.rooms}{reference}/"
    return Session(
        uid=str(uid),
        sequence=version,
        changed_at=changed_at,
        starts_at=starts_at,
        ends_at=ends_at,
        title=words.title,
        description=f"{words.reference}: {reference}\n{words.join}: {url}",
        url=url,
        join_label=words.join,
        cancelled=cancelled,
    )


def made_up_sessions(language: str) -> list[Session]:
    """Return sessions of nobody: what stands in them is what stands in every session of a feed."""
    with override(language):
        words = _Words()
        return [_session(words, UUID(int=0), "", 0, False, at, at, at) for at in (BEGINNING, COMES_TWICE)]


def sessions_of(user: User, *, now: datetime) -> tuple[list[Session], bytes]:
    """Return the sessions that she takes part in and their state: the last month, the next year; one query.

    A cancelled one stays for a month, marked as cancelled, so that every calendar hears of it.
    """
    rows = rows_of_raw(_SESSIONS, _asked(user, now))
    with override(user.language):
        words = _Words()
    state = hashlib.sha256("\n".join([row[-1] for row in rows]).encode()).digest()
    return [_session(words, *row[:-1]) for row in rows], state


def state_of_sessions(user: User, *, now: datetime) -> bytes:
    """Return the state alone, a digest of all that a feed says of them, without fetching any."""
    ((state,),) = rows_of_raw(_STATE, _asked(user, now))
    return bytes(state)


def _asked(user: User, now: datetime) -> list[int | datetime]:
    return [user.pk, now - LOOKS_BACK, now + LOOKS_AHEAD, now - KEEPS_CANCELLED]


# A feed holds hundreds of rows, and calendar programs ask for it all day long; mostly nothing has changed.
_SHOWN: Final = """
WITH session AS (
SELECT shown.uid, shown.reference, shown.version, shown.status = 'cancelled' AS cancelled, shown.starts_at, shown.ends_at,
       coalesce((SELECT max(event.at) FROM scheduling_appointmentevent AS event WHERE event.appointment_id = shown.id),
                shown.booked_at) AS changed_at
  FROM scheduling_appointment AS shown
 WHERE shown.id IN (
         SELECT participant.appointment_id FROM scheduling_participant AS participant
           JOIN scheduling_schedule AS schedule ON schedule.id = participant.schedule_id
          WHERE schedule.user_id = $1::bigint)
   AND shown.starts_at >= $2::timestamptz AND shown.starts_at < $3::timestamptz
   AND (shown.status IN ('booked', 'arrived', 'fulfilled', 'noshow')
        OR shown.status = 'cancelled' AND shown.cancelled_at > $4::timestamptz))
"""
_SESSIONS: Final = _SHOWN + "SELECT session.*, session::text FROM session ORDER BY starts_at, uid"  # noqa: S608 a constant
_STATE: Final = _SHOWN + (  # noqa: S608 a constant
    r"SELECT sha256(convert_to(coalesce(string_agg(session::text, E'\n' ORDER BY starts_at, uid), ''), 'UTF8')) FROM session"
)
