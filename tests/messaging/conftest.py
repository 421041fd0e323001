from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.messaging import carriers
from apps.messaging.carriers import Accepted, Outgoing
from apps.messaging.models import OutboxMessage
from apps.messaging.services import deliver_next_message, queue_message

from .mail import mail_server  # noqa: F401

APPOINTMENT = UUID("00000000-0000-4000-8000-000000000001")
ADAS_PHONE, BOS_PHONE = "+4700010001", "+4700010002"

Queue = Callable[..., OutboxMessage | None]


class Scripted:
    """A carrier that keeps what it gets and answers what it was told to; at the end of the script it takes all."""

    def __init__(self, name: str, *answers: Accepted | Exception) -> None:
        self.name, self.answers, self.got = name, list(answers), []
        self.in_transaction: list[bool] = []
        self.wakes_people = True

    def send(self, message: Outgoing) -> Accepted:
        self.got.append(message)
        self.in_transaction.append(connection.in_atomic_block)
        answer = self.answers.pop(0) if self.answers else Accepted()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def carrier(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    """Put a carrier of SMS after those there are."""
    settings.SMS_CARRIERS = []

    def make(*answers: Accepted | Exception) -> Scripted:
        one = Scripted(f"carrier{len(settings.SMS_CARRIERS)}", *answers)
        monkeypatch.setitem(carriers.CARRIERS, one.name, one)
        settings.SMS_CARRIERS = [*settings.SMS_CARRIERS, one.name]
        return one

    return make


@pytest.fixture
def queue(db: None, now: datetime) -> Queue:
    def make(**changes: Any) -> OutboxMessage | None:
        said = {
            "about": APPOINTMENT,
            "about_version": 0,
            "recipient": "ada",
            "purpose": "booked",
            "channel": "sms",
            "language": "nb",
            "address": ADAS_PHONE,
            "subject": "",
            "body": "Hei. Du har time på video.",
            "sender": "Elvebygd",
            "due_at": now,
            "not_after": now + timedelta(days=2),
            "organisation_id": None,
            "now": now,
        }
        return queue_message(**{**said, **changes})

    return make


@pytest.fixture
def deliver_all(now: datetime) -> Callable[..., int]:
    """Let the sweeper run until nothing is due; say how many it took."""

    def run(at: datetime | None = None) -> int:
        for count in range(500):
            if not deliver_next_message(now=at or now):
                return count
        raise AssertionError("the sweeper never comes to an end")

    return run
