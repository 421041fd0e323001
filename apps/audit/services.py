"""Writing access records and sealing them into a hash chain; seals are checked in `queries`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.common.writing import insert

from .models import AccessRecord, Action, AuditSeal
from .queries import chain_digest

SEAL_LOCK: Final = 0x5EA1
BATCH: Final = 5000
MARGIN: Final = timedelta(seconds=10)
"""By which the database's clock may be set back without anything being sealed too early."""


@dataclass(frozen=True)
class Actor:
    """Who did it, as values: an access record outlives the user, the unit and the role."""

    id: int | None = None
    label: str = ""
    role: str = ""
    unit_id: int | None = None
    unit_label: str = ""
    origin: str | None = None


def record_access(
    *,
    actor: Actor,
    action: str | Action,
    what: str,
    what_reference: str = "",
    patient_uid: UUID | None = None,
    reason: str = "",
) -> None:
    """Write down that somebody read or changed something, in the caller's transaction."""
    insert(access_record(actor, action, what, what_reference=what_reference, patient_uid=patient_uid, reason=reason))


def record_readings(actor: Actor, what: str, read: Iterable[tuple[str, UUID | None]], *, reason: str = "") -> None:
    """Write down each reference, and whose it is, that somebody read at once: one statement."""
    AccessRecord.objects.bulk_create(
        access_record(actor, Action.READ, what, what_reference=reference, patient_uid=patient_uid, reason=reason)
        for reference, patient_uid in read
    )


def access_record(
    actor: Actor,
    action: str | Action,
    what: str,
    *,
    what_reference: str = "",
    patient_uid: UUID | None = None,
    reason: str = "",
) -> AccessRecord:
    """Return the same as a row that is yet to be written, with what it is about."""
    return AccessRecord(
        at=timezone.now(),
        actor_id=actor.id,
        actor_label=actor.label[:200],
        role=actor.role[:40],
        unit_id=actor.unit_id,
        unit_label=actor.unit_label[:200],
        patient_uid=patient_uid,
        action=action,
        what=what,
        what_reference=what_reference[:64],
        reason=reason[:300],
        origin=actor.origin,
    )


def seal_records(*, now: datetime) -> int:
    """Seal what has been written since the last seal; return the number of records sealed.

    A record takes its id before its transaction commits. So only records older than every
    transaction still open are sealed: no record can appear later inside a sealed range. How old
    they are says the database's clock alone, whatever the clocks of those who write.
    """
    sealed = 0
    while count := _seal_batch(now=now):
        sealed += count
    return sealed


@transaction.atomic
def _seal_batch(*, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            "SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        before = cursor.fetchone()[0] - MARGIN
    last = AuditSeal.objects.order_by("-id").first()
    unsealed = AccessRecord.objects.filter(id__gt=last.last_record_id if last else 0).order_by("id")
    late = unsealed.filter(written_at__gt=before).values_list("id", flat=True).first()
    if late is not None:
        unsealed = unsealed.filter(id__lt=late)
    records = list(unsealed[:BATCH])
    if not records:
        return 0
    AuditSeal.objects.create(
        first_record_id=records[0].pk,
        last_record_id=records[-1].pk,
        digest=chain_digest(bytes(last.digest) if last else b"", records),
        sealed_at=now,
    )
    return len(records)
