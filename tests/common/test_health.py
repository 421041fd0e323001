"""What an orchestrator asks, and what it learns: nothing but yes, no and which part."""

import socket

import pytest
from django.db import DatabaseError, connection
from redis.exceptions import ConnectionError as ValkeyGone

from apps.common import caching, health
from apps.common.postgres.base import DatabaseWrapper


def test_the_process_answers_without_a_database(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db
def test_ready_when_database_and_valkey_answer(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "faults": {}})


@pytest.mark.django_db
def test_not_ready_without_valkey(client, monkeypatch):
    def gone(*args, **kwargs):
        raise ValkeyGone("no route to 10.0.0.7")

    monkeypatch.setattr(caching, "ping", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["faults"] == {"valkey": "does not answer"}


@pytest.mark.django_db
def test_not_ready_without_the_database(client, monkeypatch):
    def gone():
        raise DatabaseError("password authentication failed for user videotime")

    monkeypatch.setattr(connection, "ensure_connection", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["faults"] == {"database": "does not answer"}


@pytest.mark.django_db
def test_a_database_that_takes_the_connection_and_says_nothing_is_not_waited_for(client, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 2)
    monkeypatch.setattr(DatabaseWrapper, "away_until", 0.0)  # it is seen that this one is away, and not the next one
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", str(silent.getsockname()[1]))
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["faults"] == {"database": "does not answer"}


@pytest.mark.django_db
def test_not_ready_while_migrations_are_owed(client, monkeypatch):
    monkeypatch.setattr(health, "_seen_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'patients'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["faults"] == {"migrations": "not all are applied"}
