"""Django's PostgreSQL, which sees a lost connection without asking the server, and does not wait for a dead one.

`CONN_HEALTH_CHECKS` asks `SELECT 1` before the first query of every request: a journey more, where most pages make
three. A server that ends a connection says so on it; where nothing is waiting to be read, there is nothing to ask.

A server that has stopped says nothing: its machine still takes what is sent, so neither `statement_timeout` nor the
network's own limits end the wait. Who waits long knocks beside it; while nobody opens, everybody is told at once.
"""

import select
import time
import traceback
from typing import Any, Final, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg import IsolationLevel
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus, TransactionStatus

R = TypeVar("R")

LONG: Final = 5.0
"""Seconds without an answer after which it is asked whether the server is still there, and again."""

KNOCK: Final = 5
AWAY_FOR: Final = 5.0
"""Seconds for which a server that did not open is not asked again: its requests would take every thread there is."""


class Connection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Wait as long as the server is there: what takes too long it ends itself (`statement_timeout`)."""
        while True:
            try:
                return super().wait(gen, interval, LONG if timeout is None else timeout)
            except psycopg.OperationalError:
                still_waiting = self.pgconn.transaction_status == TransactionStatus.ACTIVE
                if timeout is not None or not still_waiting:
                    raise
                if not self.opens():
                    DatabaseWrapper.away_until = time.monotonic() + AWAY_FOR
                    self.pgconn.finish()  # nobody knows what is still to come on it
                    raise

    def opens(self) -> bool:
        """Say whether the server answers a new connection, be it with a no."""
        try:
            psycopg.connect(self.info.dsn, password=self.info.password, connect_timeout=KNOCK).close()
        except psycopg.errors.ConnectionTimeout as fault:
            _let_go(fault)
            return False
        except psycopg.OperationalError:
            return True
        return True


class DatabaseWrapper(base.DatabaseWrapper):
    away_until = 0.0
    """One for all threads of the process."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        if time.monotonic() < self.away_until:
            raise psycopg.errors.ConnectionTimeout("the server has just not answered")
        self.isolation_level = IsolationLevel.READ_COMMITTED
        try:
            return Connection.connect(**conn_params)
        except psycopg.errors.ConnectionTimeout as fault:
            _let_go(fault)
            DatabaseWrapper.away_until = time.monotonic() + AWAY_FOR
            raise

    def is_usable(self) -> bool:
        """Say whether the connection still stands; a network that lost it silently is found out by keepalives."""
        if time.monotonic() < self.away_until:
            return False
        lines = self.connection and self.connection.pgconn
        if lines and lines.status == ConnStatus.OK and lines.transaction_status == TransactionStatus.IDLE:
            waiting = select.poll()
            waiting.register(lines.socket, select.POLLIN | select.POLLPRI)
            if not waiting.poll(0):
                return True
        return bool(super().is_usable())


def _let_go(fault: psycopg.Error) -> None:
    """Close what was opened half: kept by the traceback, it would take a place at the server when that goes on."""
    traceback.clear_frames(fault.__traceback__)
