"""People who sign in, and the keys by which their programs do."""

import time
import uuid
from binascii import unhexlify
from datetime import datetime
from typing import Any, ClassVar, Final

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, DeviceManager, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP
from django_otp.util import random_hex

from apps.common.crypto import EncryptedJSONField, EncryptedTextField


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # django-otp has no types
    """Somebody who signs in (FHIR Person). What they may do stands in their memberships."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80)
    title = models.CharField(_("title"), max_length=80, blank=True)
    hpr_number = models.CharField(_("HPR number"), max_length=9, blank=True)
    language = models.CharField(_("language"), max_length=8, default="nb")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    otp_device: Any = None
    authenticators: tuple[int, ...] = ()
    """The confirmed ones, where the user was looked up together with them (`Authenticator.pk`)."""

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["given_name", "family_name"]

    class Meta:
        ordering = ["family_name", "given_name"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_is_one_persons"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def initials(self) -> str:
        return (self.given_name[:1] + self.family_name[:1]).upper()

    def get_full_name(self) -> str:
        return self.name

    def is_verified(self) -> bool:
        """Say whether the second factor was given in this session (set by django-otp's middleware)."""
        return self.otp_device is not None


CODE_SECONDS: Final = 30
CODE_DIGITS: Final = 6
TOLERANCE: Final = 1
"""One code before and after the clock's own also counts (RFC 6238, 5.2)."""


def new_key() -> str:
    return str(random_hex(20))


class Authenticator(TimestampMixin, ThrottlingMixin, Device):
    """An app that shows one-time codes: django-otp's TOTP device, with its key encrypted at rest.

    `last_step` is that of the last code taken: a code counts once.
    """

    key = EncryptedTextField(default=new_key)
    last_step = models.BigIntegerField(default=-1)

    objects: ClassVar[models.Manager["Authenticator"]] = DeviceManager()

    @property
    def bin_key(self) -> bytes:
        return unhexlify(self.key)

    def verify_token(self, token: str) -> bool:
        """Take a code, once; a wrong one slows down the next."""
        allowed, _why = self.verify_is_allowed()
        if not allowed:
            return False
        if token.isascii() and token.isdigit():
            totp = TOTP(self.bin_key, CODE_SECONDS, 0, CODE_DIGITS, 0)
            totp.time = time.time()
            if totp.verify(int(token), TOLERANCE, self.last_step + 1) and self._take(totp.t()):
                return True
        self.throttle_increment(commit=True)
        return False

    def _take(self, step: int) -> bool:
        """Note this code as used; of two requests with the same code, one gets in."""
        self.last_step = step
        taken = Authenticator.objects.filter(pk=self.pk, last_step__lt=step).update(
            last_step=step,
            last_used_at=timezone.now(),
            throttling_failure_count=0,
            throttling_failure_timestamp=None,
        )
        return bool(taken)

    def get_throttle_factor(self) -> int:
        return 1


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)


class ApiKey(models.Model):
    """A bearer key for a program that acts as this user. Only its digest is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class KeptAnswer(models.Model):
    """The answer to a request that a program may repeat (`Idempotency-Key`), kept for seven days.

    `key` and `request` are digests: of the key under its user, and of what was asked, whatever the order of its JSON.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.BinaryField(max_length=32, unique=True)
    request = models.BinaryField(max_length=32)
    answer = EncryptedJSONField()
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d}"
