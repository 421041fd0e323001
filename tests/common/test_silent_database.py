"""A database that has stopped without a word: pages are told so, and no thread waits for it without end."""

import select
import socket
import threading
import time
from contextlib import suppress

import psycopg
import pytest
from django.db import connection
from django.db.utils import OperationalError

from apps.common.postgres import base
from apps.common.rows import rows_of


class Gate:
    """Stands between the product and its server. Closed, it takes what is sent as a stopped server's machine does."""

    def __init__(self, folder, target):
        self.open = threading.Event()
        self.open.set()
        self.target = target
        self.visitors = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{folder}/.s.PGSQL.5432")
        self.listener.listen()
        threading.Thread(target=self.let_in, daemon=True).start()

    def let_in(self):
        while True:
            try:
                inner, _address = self.listener.accept()
            except OSError:
                return
            self.visitors.append(inner)
            outer = socket.socket(socket.AF_UNIX)
            outer.connect(self.target)
            for here, there in ((inner, outer), (outer, inner)):
                threading.Thread(target=self.carry, args=(here, there), daemon=True).start()

    def carry(self, here, there):
        with suppress(OSError):
            while data := here.recv(65536):
                self.open.wait()
                there.sendall(data)
        with suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)

    def still_open(self):
        """Count those who have not hung up."""
        watch = select.poll()
        for visitor in self.visitors:
            watch.register(visitor, 0)
        return len(self.visitors) - len(watch.poll(0))


@pytest.fixture
def gate(transactional_db, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(base, "LONG", 0.2)
    monkeypatch.setattr(base, "KNOCK", 2)  # libpq's least
    monkeypatch.setattr(base.DatabaseWrapper, "away_until", 0.0)
    before = dict(connection.settings_dict)
    if not before["HOST"].startswith("/"):
        pytest.skip("the server of these tests is not reached by a socket in a folder")
    folder = tmp_path_factory.mktemp("gate")
    gate = Gate(folder, f"{before['HOST']}/.s.PGSQL.5432")
    connection.close()
    connection.settings_dict["HOST"] = str(folder)
    connection.ensure_connection()
    yield gate
    connection.close()
    connection.settings_dict["HOST"] = before["HOST"]
    gate.open.set()
    gate.listener.close()
    base.DatabaseWrapper.away_until = 0.0


def begin_request():
    connection.close_if_unusable_or_obsolete()


def test_nobody_waits_for_a_server_that_has_stopped(gate):
    gate.open.clear()
    began = time.monotonic()
    with pytest.raises(OperationalError):
        rows_of("SELECT 1", {})
    assert time.monotonic() - began < 5


def test_once_it_is_known_everybody_is_told_at_once(gate):
    gate.open.clear()
    with pytest.raises(OperationalError):
        rows_of("SELECT 1", {})
    for _request in range(3):
        began = time.monotonic()
        begin_request()
        with pytest.raises(OperationalError):
            rows_of("SELECT 1", {})
        assert time.monotonic() - began < 0.5


def test_an_open_connection_is_not_used_while_the_server_is_known_to_have_stopped(gate, monkeypatch):
    monkeypatch.setattr(base.DatabaseWrapper, "away_until", time.monotonic() + 60)
    begin_request()
    with pytest.raises(OperationalError):
        rows_of("SELECT 1", {})


def test_what_was_opened_half_is_closed_again(gate, monkeypatch):
    """A server that goes on after an hour would else find itself full of people who left long ago."""
    monkeypatch.setattr(base, "AWAY_FOR", 0.0)
    gate.open.clear()
    for _request in range(2):
        with pytest.raises(OperationalError):
            rows_of("SELECT 1", {})
        begin_request()
    assert gate.still_open() == 0


def test_all_is_well_when_the_server_goes_on(gate, monkeypatch):
    monkeypatch.setattr(base, "AWAY_FOR", 0.0)
    gate.open.clear()
    with pytest.raises(OperationalError):
        rows_of("SELECT 1", {})
    gate.open.set()
    begin_request()
    assert rows_of("SELECT 1", {}) == [(1,)]


def test_what_merely_takes_long_is_waited_for(gate):
    before = len(gate.visitors)
    assert rows_of("SELECT 1 FROM pg_sleep(0.7)", {}) == [(1,)]
    assert len(gate.visitors) >= before + 2


def test_a_server_that_is_full_is_there(gate, monkeypatch):
    def full(*_args, **_named):
        raise psycopg.OperationalError("sorry, too many clients already")

    monkeypatch.setattr(psycopg, "connect", full)
    assert rows_of("SELECT 1 FROM pg_sleep(0.5)", {}) == [(1,)]
