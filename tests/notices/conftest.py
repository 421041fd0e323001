from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from apps.messaging.models import OutboxMessage, OutboxState
from apps.messaging.services import deliver_next_message
from tests.messaging.mail import mail_server  # noqa: F401


@pytest.fixture
def outbox(db: None) -> Callable[..., list[OutboxMessage]]:
    """What lies in the outbox: `outbox(purpose="booked")`, in the order of sending."""

    def read(**only: Any) -> list[OutboxMessage]:
        only.setdefault("state", OutboxState.WAITING)
        return list(OutboxMessage.objects.filter(**only).order_by("due_at", "id"))

    return read


@pytest.fixture
def send(now: datetime, settings: Any) -> Callable[..., None]:
    """Send what is due, into the demo's inbox."""
    settings.SMS_CARRIERS, settings.EMAIL_CARRIER = ["inbox"], "inbox"

    def run(moment: datetime | None = None) -> None:
        while deliver_next_message(now=moment or now):
            pass

    return run


@pytest.fixture
def at() -> Callable[[str], datetime]:
    from tests.scheduling_cast import at

    return at
