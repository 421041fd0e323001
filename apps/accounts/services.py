"""Making users, their second factor, and the keys of their programs."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import quote, urlencode

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from apps.common.crypto import blind_index
from apps.common.errors import DomainError, breach_raises
from apps.common.rows import rows_of
from apps.common.writing import insert

from .models import ApiKey, Authenticator, KeptAnswer, User

BACKUP_CODES: Final = 10
CODE_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
KEY_MARK: Final = "vt_"
KEY_BEGINS: Final = len(KEY_MARK) + 6
"""So much of a key is kept readable, for people to tell it by."""

ANSWERS_KEPT: Final = timedelta(days=7)
SIGNING_IN: Final = timedelta(hours=1)
"""A device's line may be there a moment before its session is."""


class EmailTaken(DomainError):
    code = "e-mail-taken"
    message = _("Somebody has this e-mail address already.")
    field = "email"


def add_user(
    *,
    email: str,
    given_name: str,
    family_name: str,
    password: str | None = None,
    title: str = "",
    language: str = "nb",
    hpr_number: str = "",
) -> User:
    """Add somebody who may sign in; without a password only another way in will do."""
    if password is not None:
        validate_password(password)
    with breach_raises(user_email_is_one_persons=EmailTaken, accounts_user_email_key=EmailTaken):
        return User.objects.create_user(
            email,
            password,
            given_name=given_name,
            family_name=family_name,
            title=title,
            language=language,
            hpr_number=hpr_number,
        )


CHOSEN_LANGUAGE: Final = "chosen_language"
"""What was chosen in a session before anybody signed in to it: it is hers then."""


def set_language(*, user: User, language: str) -> None:
    user.language = language
    user.save(update_fields=["language"])


# The second factor ---------------------------------------------------------------------------------------------------
def pending_authenticator(user: User) -> Authenticator:
    """Return the authenticator that the user is setting up; it counts only once a code from it has been given."""
    device: Authenticator
    device, _created = Authenticator.objects.get_or_create(user=user, confirmed=False, defaults={"name": "app"})
    return device


def confirm_authenticator(*, user: User, device: Authenticator, code: str) -> list[str] | None:
    """Take the authenticator into use if the code is right; return fresh backup codes, else None.

    It replaces the one before it: a lost telephone lets nobody in.
    """
    if not device.verify_token(code):
        return None
    with transaction.atomic():
        Authenticator.objects.filter(user=user, confirmed=True).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        return new_backup_codes(user=user)


def add_authenticator(*, user: User, key: str | None = None) -> Authenticator:
    """Add an authenticator that is in use at once (demo and acceptance users); `key` is hexadecimal."""
    fields = {"key": key} if key else {}
    device: Authenticator = Authenticator.objects.create(user=user, name="app", confirmed=True, **fields)
    return device


def authenticator_secret(device: Authenticator) -> str:
    """Return the key as authenticator apps take it typed."""
    return base64.b32encode(device.bin_key).decode().rstrip("=")


def authenticator_address(device: Authenticator) -> str:
    """Return the otpauth address that the QR code shows."""
    label = f"{settings.OTP_TOTP_ISSUER}:{device.user.email}"
    query = urlencode({"secret": authenticator_secret(device), "issuer": settings.OTP_TOTP_ISSUER})
    return f"otpauth://totp/{quote(label)}?{query}"


@transaction.atomic
def new_backup_codes(*, user: User) -> list[str]:
    """Replace the user's backup codes. Only keyed digests are kept, so they can be shown only now."""
    device, _created = StaticDevice.objects.get_or_create(user=user, name="backup", defaults={"confirmed": True})
    device.token_set.all().delete()
    codes = ["".join(secrets.choice(CODE_ALPHABET) for _index in range(10)) for _number in range(BACKUP_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_code_digest(user, code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


@transaction.atomic
def verify_second_factor(*, user: User, typed: str) -> Authenticator | StaticDevice | None:
    """Return the device that a typed code proves: six digits are the app's, anything longer a backup code.

    Several tries at once wait for one another: each meets what the one before it has left, and a code works once.
    """
    code = "".join(character for character in typed.lower() if character.isalnum())
    if code.isdigit() and len(code) <= 6:
        for device in Authenticator.objects.select_for_update(no_key=True).filter(user=user, confirmed=True):
            if device.verify_token(code):
                return device
        return None
    backup = StaticDevice.objects.select_for_update(no_key=True).filter(user=user, confirmed=True).first()
    if backup is not None and backup.verify_token(_code_digest(user, code)):
        return backup
    return None


def _code_digest(user: User, code: str) -> str:
    return base64.b32encode(blind_index(f"{user.pk}:{code}", "backup-code")[:10]).decode()


# Keys of programs ----------------------------------------------------------------------------------------------------
def create_api_key(*, user: User, name: str, now: datetime, days: int | None = None) -> tuple[ApiKey, str]:
    """Make a key by which a program acts as the user; return it in full, this once."""
    plain = KEY_MARK + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user=user,
        name=name[:80],
        prefix=plain[:KEY_BEGINS],
        digest=key_digest(plain),
        created_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    return key, plain


def key_digest(plain: str) -> bytes:
    """SHA-256 is enough here: the key is 256 random bits, not something a person made up."""
    return hashlib.sha256(plain.encode()).digest()


def revoke_api_key(*, key: ApiKey, now: datetime) -> None:
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)


def note_key_used(*, key: ApiKey, now: datetime) -> None:
    """Keep the day of the last use: one write a day, not one a request."""
    if key.last_used_on != now.date():
        ApiKey.objects.filter(pk=key.pk).update(last_used_on=now.date())


# Requests that programs repeat ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class AnswerSlot:
    """Where the answer to one request is kept: digests of its key and of what was asked."""

    user_id: int
    key: bytes
    request: bytes


class AnswerState(Enum):
    FREE = auto()
    KEPT = auto()
    UNDER_WAY = auto()
    OTHER_REQUEST = auto()


CLAIM: Final = """
SELECT pg_try_advisory_xact_lock(%(lock)s::bigint),
       EXISTS (SELECT FROM accounts_keptanswer WHERE key = %(key)s::bytea)
"""


def claim_answer(slot: AnswerSlot, *, now: datetime) -> tuple[AnswerState, dict[str, Any] | None]:
    """Take the slot for this transaction, or say how it stands; a kept answer comes along.

    The lock ends with the transaction, so a crash leaves nothing that would have to be cleared.
    """
    lock = int.from_bytes(slot.key[:8], "big", signed=True)
    ((got_lock, is_kept),) = rows_of(CLAIM, {"lock": lock, "key": slot.key})
    if not got_lock:
        return AnswerState.UNDER_WAY, None
    kept = KeptAnswer.objects.filter(key=slot.key).first() if is_kept else None
    if kept is None:
        return AnswerState.FREE, None
    if kept.created_at <= now - ANSWERS_KEPT:
        kept.delete()
        return AnswerState.FREE, None
    if bytes(kept.request) != slot.request:
        return AnswerState.OTHER_REQUEST, None
    return AnswerState.KEPT, kept.answer


def keep_answer(slot: AnswerSlot, *, answer: dict[str, Any], now: datetime) -> None:
    insert(KeptAnswer(user_id=slot.user_id, key=slot.key, request=slot.request, answer=answer, created_at=now))


# What is forgotten (portal/retention.py) -------------------------------------------------------------------------------
def sessions_over(before: datetime) -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=before)


def devices_without_session(before: datetime) -> QuerySet[UserSession]:
    """Return the devices whose session is not there: their addresses and browsers are nobody's business any more."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    alone: QuerySet[UserSession] = UserSession.objects.filter(~Exists(alive), last_seen_at__lt=before)
    return alone


def answers_given(before: datetime) -> QuerySet[KeptAnswer]:
    return KeptAnswer.objects.filter(created_at__lte=before)
