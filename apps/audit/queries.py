"""Reading the access log, and checking that nobody has changed it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from .models import AccessRecord, AuditSeal

COLUMNS: Final = (
    "id",
    "actor_id",
    "actor_label",
    "role",
    "unit_id",
    "unit_label",
    "patient_uid",
    "action",
    "what",
    "what_reference",
    "reason",
    "origin",
)


def chain_digest(previous: bytes, records: Iterable[AccessRecord]) -> bytes:
    """Return the next link: SHA-256 over the link before it and every column of every record."""
    digest = hashlib.sha256(previous)
    for record in records:
        values: list[str | None] = [record.at.astimezone(UTC).isoformat(timespec="microseconds")]
        values += [None if (value := getattr(record, name)) is None else str(value) for name in COLUMNS]
        digest.update(json.dumps(values, ensure_ascii=False).encode() + b"\n")
    return digest.digest()


@dataclass(frozen=True)
class LogCheck:
    """What a check of the access log found; `broken` names the first sealed range that does not hold."""

    sealed: int
    unsealed: int
    broken: tuple[int, int] | None = None

    @property
    def holds(self) -> bool:
        return self.broken is None


def access_log_check() -> LogCheck:
    """Walk the whole chain: every sealed record is there, unchanged, and nothing was put in between."""
    previous, reached, sealed = b"", 0, 0
    for seal in AuditSeal.objects.order_by("id").iterator():
        records = list(
            AccessRecord.objects.filter(id__gt=reached, id__lte=seal.last_record_id).order_by("id").iterator()
        )
        digest = chain_digest(previous, records)
        if not records or records[0].pk != seal.first_record_id or digest != bytes(seal.digest):
            return LogCheck(sealed, 0, (seal.first_record_id, seal.last_record_id))
        previous, reached, sealed = digest, seal.last_record_id, sealed + len(records)
    return LogCheck(sealed, AccessRecord.objects.filter(id__gt=reached).count())


def accesses_to(patient_uid: UUID) -> QuerySet[AccessRecord]:
    """Return who has read or changed this patient's data, newest first."""
    return AccessRecord.objects.filter(patient_uid=patient_uid).order_by("-id")
