from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from apps.accounts.models import User


@pytest.fixture
def signed_in(clock: Callable[[str], datetime], as_user: Callable[[User], Client]) -> Callable[..., Client]:
    """Give a client of one's own at a given time: `signed_in(kari, "2026-03-03 09.50")`."""

    def sign_in_at(user: User, text: str = "2026-03-03 09.50") -> Client:
        clock(text)
        return as_user(user)

    return sign_in_at
