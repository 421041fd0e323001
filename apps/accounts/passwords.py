"""Links by which people choose a password, and the mails that carry them."""

from datetime import datetime, timedelta
from typing import Final

from allauth.account.utils import user_pk_to_url_str
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.urls import reverse
from django.utils.http import base36_to_int
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.common.nudge import wake
from apps.messaging.models import Channel
from apps.messaging.services import queue_message

from .models import User

LINK_LASTS: Final = timedelta(hours=1)
INVITATION_LASTS: Final = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
PURPOSE: Final = "password"


class PasswordLinks(PasswordResetTokenGenerator):
    """Tokens that die with the password that they replace, and soon in any case.

    Somebody who never had a password was invited: she has some days.
    """

    def check_token(self, user: User | None, token: str | None) -> bool:
        if user is None or not token or not user.is_active or not super().check_token(user, token):
            return False
        lasts = LINK_LASTS if user.has_usable_password() else INVITATION_LASTS
        age = self._num_seconds(self._now()) - base36_to_int(token.split("-")[0])
        return bool(age <= lasts.total_seconds())


def ask_for_link(*, email: str, now: datetime) -> None:
    """Send a link to whoever has this address.

    For an address that nobody has, the same is done and taken back: the time it takes tells nothing.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    with transaction.atomic():
        _send_link(user or _nobody(email), now)
        if user is None:
            transaction.set_rollback(True)
    if user is None:
        wake("messaging.deliver_due")


def invite(*, user: User, now: datetime) -> None:
    """Tell somebody that she has an account, with the link by which she chooses her password."""
    with override(user.language):
        _queue(
            user,
            subject=_("You are invited to Videotime"),
            body=_(
                "Hello.\n\nAn account has been made for you in Videotime, where video appointments are booked. "
                "Open this link within three days and choose a password:\n\n%(link)s\n\n"
                "Keep your telephone at hand: the next step sets up an app that shows one-time codes."
            )
            % {"link": _link(user)},
            not_after=now + INVITATION_LASTS,
            now=now,
        )


@transaction.atomic
def set_password(*, user: User, password: str, now: datetime, keep_session: str | None = None) -> None:
    """Change the password, sign the user out everywhere (but in `keep_session`), and tell her that it happened."""
    had_one = user.has_usable_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    for session in UserSession.objects.filter(user=user).exclude(session_key=keep_session or ""):
        session.end()
    if had_one:
        with override(user.language):
            _queue(
                user,
                subject=_("Your password in Videotime is changed"),
                body=_(
                    "Hello.\n\nThe password of your account in Videotime was changed just now, and your other devices "
                    "are signed out.\n\nWas it not you? Choose a new password at once, and tell your super user:\n\n"
                    "%(link)s"
                )
                % {"link": settings.PUBLIC_URL + reverse("account_reset_password")},
                not_after=None,
                now=now,
            )


def _send_link(user: User, now: datetime) -> None:
    with override(user.language):
        _queue(
            user,
            subject=_("New password in Videotime"),
            body=_(
                "Hello.\n\nOpen this link within an hour to choose a new password in Videotime:\n\n%(link)s\n\n"
                "The link works once. If you did not ask for it, there is nothing you need to do: "
                "your password is as it was."
            )
            % {"link": _link(user)},
            not_after=now + LINK_LASTS,
            now=now,
        )


def _queue(user: User, *, subject: str, body: str, not_after: datetime | None, now: datetime) -> None:
    queue_message(
        about=None,
        about_version=0,
        recipient=str(user.uid),
        purpose=PURPOSE,
        channel=Channel.EMAIL,
        language=user.language,
        address=user.email,
        subject=subject,
        body=body,
        sender="Videotime",
        due_at=now,
        not_after=not_after,
        organisation_id=None,
        now=now,
        at_any_hour=True,
    )


def _link(user: User) -> str:
    """Return the link; its host is ours, whatever host the request was sent to."""
    named = {"uidb36": user_pk_to_url_str(user), "key": PasswordLinks().make_token(user)}
    return settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs=named)


def _nobody(email: str) -> User:
    user = User(pk=0, email=email)
    user.set_unusable_password()
    return user
