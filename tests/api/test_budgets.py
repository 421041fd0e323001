"""How many statements the requests take that programs send by the thousand. Each is a journey to the database."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.patients.models import Patient
from apps.scheduling.models import Appointment

from .conftest import Program

pytestmark = pytest.mark.django_db

KEY_AND_WORK = 1
"""The key with its user and her memberships."""
SEARCH = 4
"""The service, and the agreement about it; the patient with whom she knows, and who asks; everybody's diary."""


@pytest.fixture
def statements(api: Callable[[User], Program], kari: User) -> Callable[..., Sequence[str]]:
    program = api(kari)
    program.get("/service-types")  # the day of the key's use is noted once

    def ask(path: str, body: dict[str, Any], *, answer: int, **headers: str) -> Sequence[str]:
        seen: list[str] = []

        def noted(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(noted):
            response = program.post(path, body, **headers)
        assert response.status_code == answer, response.content
        return seen

    return ask


def test_a_first_search_is_one_query(statements: Callable[..., Sequence[str]], wish: dict[str, Any]) -> None:
    seen = statements("/open-times", wish, answer=200)
    assert len(seen) == KEY_AND_WORK + SEARCH


def test_a_booking_is_written_in_one_statement(
    statements: Callable[..., Sequence[str]],
    wish: dict[str, Any],
    ada: Patient,
    book: Callable[..., Appointment],
    first_time: Callable[..., str],
) -> None:
    book(ada, "2026-03-03 10.00")  # she is known: her schedule is there
    seen = statements("/appointments", wish | {"starts_at": first_time(1)}, answer=201, Idempotency_Key="once")
    writes = [sql for sql in seen if "INSERT INTO" in sql]
    assert ["scheduling_appointment" in sql for sql in writes] == [True, False]
    assert "scheduling_occupancy" in writes[0]
    assert "scheduling_appointmentevent" in writes[0]
    assert "audit_accessrecord" in writes[0]
    assert "accounts_keptanswer" in writes[1]
    claim = 1
    # The test's own transaction makes a savepoint of the request's.
    assert len([sql for sql in seen if "SAVEPOINT" not in sql]) == KEY_AND_WORK + claim + SEARCH + len(writes)
