"""A nudge after the commit: one waits at a time, and none is missed."""

import os
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import OperationalError, transaction

from apps.common.nudge import sweeper, wake

TASK = f"tests.nothing.{os.getpid()}"  # test workers share one Valkey


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    cache.delete(f"nudge:{TASK}")
    names: list[str] = []
    monkeypatch.setattr(current_app._get_current_object(), "send_task", lambda name, **_rest: names.append(name))
    return names


@pytest.mark.django_db(transaction=True)
def test_a_nudge_leaves_after_the_commit_and_not_before(sent: list[str]) -> None:
    with transaction.atomic():
        wake(TASK)
        assert sent == []
    assert sent == [TASK]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_nudges_nobody(sent: list[str]) -> None:
    with transaction.atomic():
        wake(TASK)
        transaction.set_rollback(True)
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_one_nudge_waits_at_a_time_until_the_sweeper_begins(sent: list[str]) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(sent))

    task: Any = sweeper(TASK)(look)
    for _commit in range(5):
        wake(TASK)
    assert sent == [TASK]
    task()
    wake(TASK)
    assert (sent, seen) == ([TASK, TASK], [1])


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.delete(f"nudge:{TASK}")

    def away(name: str, **_rest: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(current_app._get_current_object(), "send_task", away)
    with transaction.atomic():
        wake(TASK)


@pytest.mark.django_db
def test_a_sweep_that_came_through_leaves_its_time(settings: Any, tmp_path: Path) -> None:
    def nothing() -> None:
        pass

    settings.SWEPT_FILE = str(tmp_path / "swept")
    task: Any = sweeper(f"{TASK}.through")(nothing)
    task()
    assert (tmp_path / "swept").exists()


@pytest.mark.django_db
def test_a_sweep_that_failed_leaves_none(settings: Any, tmp_path: Path) -> None:
    def fail() -> None:
        raise OperationalError

    settings.SWEPT_FILE = str(tmp_path / "swept")
    task: Any = sweeper(f"{TASK}.failed")(fail)
    with pytest.raises(OperationalError):
        task()
    assert not (tmp_path / "swept").exists()
