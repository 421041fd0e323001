"""A database that was started anew costs nobody a page: the connections that it ended are opened again."""

import psycopg
import pytest
from django.db import connection
from django.db.utils import OperationalError

from apps.accounts.models import User
from apps.common.prepared import Prepared
from apps.common.rows import rows_of

ANYONE = Prepared(lambda pk: User.objects.filter(pk=pk), pk=int)


@pytest.fixture
def asked(transactional_db):
    """What is asked of the server on this connection, in order."""
    connection.ensure_connection()
    yield connection
    connection.close()


def ended_by_the_server(connection):
    with psycopg.connect(
        connection.connection.info.dsn, autocommit=True, password=connection.connection.info.password
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])


def begin_request(connection):
    """Do what Django does when a request begins."""
    connection.close_if_unusable_or_obsolete()


@pytest.mark.parametrize(
    "ask",
    [lambda: rows_of("SELECT 1", {}), lambda: ANYONE(pk=1), lambda: User.objects.filter(pk=1).first()],
    ids=["rows", "prepared", "queryset"],
)
def test_a_request_after_the_server_ended_the_connection_is_answered(asked, ask):
    ask()
    ended_by_the_server(asked)
    begin_request(asked)
    ask()


def test_within_a_request_the_loss_is_an_error(asked):
    """What was done before it is gone: to go on as if nothing had happened would be wrong."""
    begin_request(asked)
    rows_of("SELECT 1", {})
    ended_by_the_server(asked)
    with pytest.raises(OperationalError):
        rows_of("SELECT 1", {})


def test_a_connection_that_stands_is_not_asked_about(asked):
    begin_request(asked)
    before = asked.connection
    with psycopg.connect(before.info.dsn, autocommit=True, password=before.info.password) as other:
        rows_of("SELECT 'mine'", {})
        begin_request(asked)
        assert asked.is_usable()
        last = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [before.info.backend_pid]).fetchone()
    assert last == ("SELECT 'mine'",)
    assert asked.connection is before


def test_a_connection_on_which_something_waits_is_asked_about(asked):
    """A notice that came between two requests is no loss."""
    with asked.cursor() as cursor:
        cursor.execute("LISTEN something")
    before = asked.connection
    with psycopg.connect(before.info.dsn, autocommit=True, password=before.info.password) as other:
        other.execute("NOTIFY something")
    begin_request(asked)
    assert rows_of("SELECT 1", {}) == [(1,)]
    assert asked.connection is before
