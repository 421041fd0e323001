"""Invitations and private feeds."""

import hashlib
import uuid
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext, override

from apps.accounts.models import User
from apps.common.codes import derive, digest_of
from apps.scheduling.models import Appointment

from . import ics, queries
from .models import FeedToken

REQUEST, CANCEL = "REQUEST", "CANCEL"
USE_IS_NOTED_EVERY: Final = timedelta(hours=1)


def invitation(*, appointment: Appointment, address: str, method: str, language: str, now: datetime) -> str:
    """Write the calendar part of a mail to one attendee: an invitation (also to a new time), or its withdrawal.

    Nothing about the patient, the service or the other people stands in it.
    """
    _name, organizer = parseaddr(settings.DEFAULT_FROM_EMAIL)
    session = queries.session_of(appointment, language=language, changed_at=now)
    if method == CANCEL and not session.cancelled:  # one person is let go from a session that takes place
        session = session._replace(cancelled=True)
    return ics.invitation(session, method=method, organizer=organizer, attendee=address, stamp=now)


def entry(*, appointment: Appointment, url: str, language: str, now: datetime) -> str:
    """Write an entry for somebody who comes in by a link of her own: the time, a neutral title and her link."""
    session = queries.session_of(appointment, language=language, changed_at=now)
    return ics.entry(session._replace(url=url, description=f"{session.join_label}: {url}"))


@transaction.atomic
def open_feed(*, user: User, now: datetime) -> FeedToken:
    """Give a person a feed; the one she has goes on."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    token = queries.live_token(user)
    if token is None:
        nonce = uuid.uuid4()
        token = FeedToken.objects.create(user=user, nonce=nonce, digest=digest_of(_code(nonce)), created_at=now)
    return token


@transaction.atomic
def replace_feed(*, user: User, now: datetime) -> FeedToken:
    """Give a new address; the old one stops at once."""
    close_feed(user=user, now=now)
    return open_feed(user=user, now=now)


def close_feed(*, user: User, now: datetime) -> None:
    FeedToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=now)


def feed_url(token: FeedToken) -> str:
    """Return the address to subscribe to. It can be shown again, though the database does not hold it."""
    return f"{settings.PUBLIC_URL}/feeds/{_code(token.nonce)}.ics"


class Feed(NamedTuple):
    text: str
    tag: str
    """The same as long as the text is."""


def note_use(*, token: FeedToken, now: datetime) -> None:
    """Note now and then that somebody asked."""
    if token.last_used_at is None or now - token.last_used_at >= USE_IS_NOTED_EVERY:
        FeedToken.objects.filter(pk=token.pk).update(last_used_at=now)


def read_feed(*, token: FeedToken, now: datetime) -> Feed:
    """Return the person's sessions as a calendar."""
    sessions, state = queries.sessions_of(token.user, now=now)
    return Feed(_feed(token.user, sessions), _tag(token.user, state))


def feed_tag(*, token: FeedToken, now: datetime) -> str:
    """Return the tag that the feed has now, without writing it."""
    return _tag(token.user, queries.state_of_sessions(token.user, now=now))


def _feed(user: User, sessions: list[ics.Session]) -> str:
    with override(user.language):
        return ics.feed(sessions, name=gettext("Video sessions"))


def _tag(user: User, state: bytes) -> str:
    """Make it of the sessions' state and of how a feed is written: its words, addresses and form."""
    written = _feed(user, queries.made_up_sessions(user.language))
    return hashlib.sha256(state + written.encode()).hexdigest()[:32]


def _code(nonce: uuid.UUID) -> str:
    return derive(nonce, purpose="calendar feed")
