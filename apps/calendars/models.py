"""Calendars out: a private feed for each person."""

import uuid

from django.db import models
from django.db.models import Q


class FeedToken(models.Model):
    """The secret address of a person's calendar feed. The code is derived from `nonce`; only its digest is stored."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="feed_tokens")
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="feed_token_live_is_one_per_person", fields=["user"], condition=Q(revoked_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d}"
