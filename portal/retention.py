"""What is kept how long: one table. What is not in it stays (docs/production.md says what, and why)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet

from apps.accounts import services as accounts
from apps.common.batches import delete_in_batches, in_batches
from apps.messaging import services as messaging
from apps.registration.queries import registered_before
from apps.rooms import services as rooms
from apps.scheduling import services as scheduling
from apps.scheduling.models import Photo
from apps.scheduling.services import drafts

logger = logging.getLogger(__name__)
PHOTOS_AT_ONCE: Final = 20


@dataclass(frozen=True)
class Kind:
    """Something that is forgotten: how long after what, and why no longer.

    `owed` returns the rows whose time had come before a moment; where no time is set (None), they stay.
    """

    what: str
    kept: Callable[[], timedelta | None]
    since: str
    why: str
    owed: Callable[[datetime], QuerySet[Any]]
    forget: Callable[[QuerySet[Any]], int] = delete_in_batches

    def due(self, now: datetime) -> QuerySet[Any] | None:
        kept = self.kept()
        return None if kept is None else self.owed(now - kept)


KINDS: Final = [
    Kind(
        "sign-in sessions",
        lambda: timedelta(0),
        "they ended",
        "nobody comes back to them",
        accounts.sessions_over,
    ),
    Kind(
        "addresses and browsers of devices",
        lambda: accounts.SIGNING_IN,
        "they were last seen, without a session",
        "they say where somebody works",
        accounts.devices_without_session,
    ),
    Kind(
        "answers to repeated requests",
        lambda: accounts.ANSWERS_KEPT,
        "they were given",
        "a program asks again within days (docs/api.md)",
        accounts.answers_given,
    ),
    Kind(
        "drafts of bookings, with their pictures",
        lambda: drafts.DRAFTS_KEPT,
        "they were last touched",
        "they hold health data of a session that nobody booked",
        drafts.drafts_untouched,
    ),
    Kind(
        "codes typed at the door",
        lambda: timedelta(hours=1),
        "they ran out",
        "what is typed to join serves nothing after it",
        rooms.entry_codes_over,
    ),
    Kind(
        "texts and addresses of messages",
        lambda: _days(settings.MESSAGES_KEPT_DAYS),
        "they were sent or given up, and of no more use",
        "they hold numbers and links; that they were sent, when and how, stays",
        messaging.messages_of_no_more_use,
        lambda rows: in_batches(rows, messaging.forget_contents),
    ),
    Kind(
        "pictures of sessions",
        lambda: _days(settings.PHOTOS_KEPT_DAYS),
        "the session was registered in DIPS",
        "the hospital's journal holds what is to be kept",
        lambda before: Photo.objects.filter(appointment__in=registered_before(before)),
        lambda rows: in_batches(rows, scheduling.forget_photos, size=PHOTOS_AT_ONCE),
    ),
]


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None


def forget(*, now: datetime) -> dict[str, int]:
    """Forget what has had its time; return how much of each kind. One that fails does not keep the others."""
    done = {}
    for kind in KINDS:
        due = kind.due(now)
        if due is None:
            continue
        try:
            done[kind.what] = kind.forget(due)
        except Exception:
            logger.exception("not forgotten: %s", kind.what)
        else:
            if done[kind.what]:
                logger.info("forgotten: %s %s", done[kind.what], kind.what)
    return done
