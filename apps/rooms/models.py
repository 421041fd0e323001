"""Where they meet: a room for each appointment, a stable link and a seat for each participant."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RoomState(models.TextChoices):
    PLANNED = "planned", _("planned")
    READY = "ready", _("ready")
    FAILED = "failed", _("could not be made")
    CLOSED = "closed", _("closed")


class Room(models.Model):
    """A video room for an appointment (FHIR R5 Appointment.virtualService), made at a provider."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    appointment = models.OneToOneField("scheduling.Appointment", models.CASCADE, related_name="room")
    provider = models.CharField(max_length=20)
    provider_room_id = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=RoomState, default=RoomState.PLANNED)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    running_late_minutes = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="room_state_known", condition=Q(state__in=RoomState.values)),
            models.CheckConstraint(
                name="room_ready_has_an_id", condition=~Q(state=RoomState.READY) | ~Q(provider_room_id="")
            ),
        ]
        indexes = [models.Index(name="room_owed", fields=["due_at"], condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return str(self.uid)


class AbandonedRoom(models.Model):
    """A room at a provider that no appointment meets in any more: closing it there is still owed. Closed, it is gone."""

    provider = models.CharField(max_length=20)
    provider_room_id = models.CharField(max_length=200)
    due_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(name="abandoned_room_owed", fields=["due_at"], condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.provider} {self.pk}"


class JoinLink(models.Model):
    """A participant's own stable link `/j/<code>`: survives moving the time and changing the provider.

    The code is derived from `nonce` with a key that the database does not hold; only its
    digest is stored, so that a copy of the tables opens no door, and the portal can still
    print the link again.
    """

    participant = models.ForeignKey("scheduling.Participant", models.CASCADE, related_name="links")
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    first_opened_at = models.DateTimeField(null=True)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    locked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="join_link_live_is_one_per_participant",
                fields=["participant"],
                condition=Q(revoked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.created_at:%Y-%m-%d}"


class SeatState(models.TextChoices):
    AWAY = "away", _("not here yet")
    TESTING = "testing", _("testing the camera")
    WAITING = "waiting", _("in the waiting room")
    HERE = "here", _("in the call")
    LOST = "lost", _("lost the connection")
    LEFT = "left", _("has left")
    DECLINED = "declined", _("was not let in")


class Seat(models.Model):
    """A place in the room: a guest is here only after the host has let her in.

    It belongs to a participant or, for a colleague who steps in, to a user. `device` is the one
    browser that sits in a guest's seat; `channel` is its open socket, where there is one.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    appointment = models.ForeignKey("scheduling.Appointment", models.CASCADE, related_name="seats")
    participant = models.OneToOneField("scheduling.Participant", models.CASCADE, null=True, related_name="seat")
    user = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=SeatState, default=SeatState.AWAY)
    host = models.BooleanField(default=False)
    device = models.UUIDField(null=True)
    new_device = models.BooleanField(default=False)
    channel = models.CharField(max_length=120, blank=True)
    identified_by = models.CharField(max_length=12, blank=True)
    camera_ok = models.BooleanField(null=True)
    microphone_ok = models.BooleanField(null=True)
    language = models.CharField(max_length=8, blank=True)
    waiting_since = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField(null=True)
    admitted_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="seat_state_known", condition=Q(state__in=SeatState.values)),
            models.CheckConstraint(
                name="seat_guest_is_here_only_when_admitted",
                condition=~Q(state=SeatState.HERE) | Q(host=True) | Q(admitted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="seat_is_a_participants_or_a_users",
                condition=Q(participant__isnull=False, user__isnull=True)
                | Q(participant__isnull=True, user__isnull=False),
            ),
            models.UniqueConstraint(
                name="seat_of_a_user_is_one_in_a_room",
                fields=["appointment", "user"],
                condition=Q(user__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.uid} {self.state}"

    @property
    def may_enter(self) -> bool:
        return self.host or self.admitted_at is not None


class EntryCode(models.Model):
    """A one-time code sent by text message to the number on the appointment; only its keyed digest is kept."""

    link = models.ForeignKey(JoinLink, models.CASCADE, related_name="entry_codes")
    digest = models.BinaryField(max_length=32)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-sent_at", "-id"]

    def __str__(self) -> str:
        return f"{self.link_id} {self.sent_at:%Y-%m-%d}"
