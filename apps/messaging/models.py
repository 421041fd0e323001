"""The outbox: a written message to an address, kept until it is delivered or given up."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.common.crypto import EncryptedTextField


class Channel(models.TextChoices):
    SMS = "sms", _("text message")
    EMAIL = "email", _("e-mail")


class OutboxState(models.TextChoices):
    """FHIR Communication.status in the supplier's finer steps."""

    STANDBY = "standby", _("in reserve")
    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("not delivered")
    WITHDRAWN = "withdrawn", _("withdrawn")


OPEN_STATES = [OutboxState.STANDBY, OutboxState.WAITING, OutboxState.SENDING]
GONE_OUT = [OutboxState.SENDING, OutboxState.SENT, OutboxState.DELIVERED]


class OutboxMessageQuerySet(models.QuerySet["OutboxMessage"]):
    def due(self, now: datetime) -> Self:
        """Return what waits and is due, in the order of its index."""
        return self.filter(state=OutboxState.WAITING, due_at__lte=now).order_by("due_at")

    def abandoned(self, now: datetime) -> Self:
        """Return what a worker took and never finished: its lease is over."""
        return self.filter(state=OutboxState.SENDING, leased_until__lte=now).order_by("leased_until")

    def about_appointment(self, uid: uuid.UUID) -> Self:
        return self.filter(about=uid)


class OutboxMessage(models.Model):
    """One message to one address (FHIR Communication).

    `about` + `about_version` + `recipient` + `purpose` + `channel` is unique: the same thing is said once
    about an appointment; what is about none (a link to a new password) may be said again. `reference` goes to the carrier as idempotency key. A reminder is a message not yet due. A message
    in reserve stands by for the one that it is `instead_of`, and goes when that one has failed for good.
    `address_index` counts what one address gets in a day. `failure` is a code, never a carrier's own words.
    With `forgotten_at`, what it said and to which address has had its time; that it was sent stays.
    """

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    about = models.UUIDField(null=True)
    about_version = models.PositiveIntegerField(default=0)
    recipient = models.CharField(max_length=80)
    purpose = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, choices=Channel)
    language = models.CharField(max_length=8, default="nb")
    sender = models.CharField(max_length=80, blank=True)
    address = EncryptedTextField()
    address_index = models.BinaryField(max_length=32)
    subject = models.CharField(max_length=200, blank=True)
    body = EncryptedTextField()
    calendar = EncryptedTextField(null=True, blank=True)
    calendar_method = models.CharField(max_length=16, blank=True)
    organisation_id = models.BigIntegerField(null=True)
    at_any_hour = models.BooleanField(default=False)
    instead_of = models.OneToOneField("self", models.CASCADE, null=True, related_name="reserve")

    state = models.CharField(max_length=12, choices=OutboxState, default=OutboxState.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    not_after = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    carrier = models.CharField(max_length=20, blank=True)
    carrier_id = models.CharField(max_length=100, blank=True)
    failure = models.CharField(max_length=60, blank=True)
    forgotten_at = models.DateTimeField(null=True)

    objects = OutboxMessageQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            models.UniqueConstraint(
                name="outbox_says_the_same_thing_once",
                fields=["about", "about_version", "recipient", "purpose", "channel"],
            ),
            models.CheckConstraint(name="outbox_channel_known", condition=Q(channel__in=Channel.values)),
            models.CheckConstraint(name="outbox_state_known", condition=Q(state__in=OutboxState.values)),
            models.CheckConstraint(
                name="outbox_sending_has_a_lease",
                condition=~Q(state=OutboxState.SENDING) | Q(leased_until__isnull=False),
            ),
            models.CheckConstraint(
                name="outbox_sent_has_a_time",
                condition=~Q(state__in=[OutboxState.SENT, OutboxState.DELIVERED]) | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="outbox_in_reserve_for_another",
                condition=~Q(state=OutboxState.STANDBY) | Q(instead_of__isnull=False),
            ),
            models.CheckConstraint(
                name="outbox_due_before_it_is_too_late",
                condition=Q(not_after__isnull=True) | Q(not_after__gt=F("created_at")),
            ),
        ]
        indexes = [
            models.Index(name="outbox_waiting_by_due", fields=["due_at"], condition=Q(state=OutboxState.WAITING)),
            models.Index(name="outbox_leases", fields=["leased_until"], condition=Q(state=OutboxState.SENDING)),
            models.Index(name="outbox_about", fields=["about"]),
            models.Index(name="outbox_contents", fields=["created_at"], condition=Q(forgotten_at__isnull=True)),
            models.Index(name="outbox_by_address", fields=["address_index", "sent_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.channel} {self.reference}"


class MessageReceipt(models.Model):
    """What a carrier said about a message, as it came; the same receipt counts once."""

    message = models.ForeignKey(OutboxMessage, models.CASCADE, related_name="receipts")
    said = models.CharField(max_length=20)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["received_at", "id"]
        constraints = [
            models.UniqueConstraint(name="receipt_counts_once", fields=["message", "said"]),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.said}"
