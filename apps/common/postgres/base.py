"""Django's PostgreSQL, which sees a lost connection without asking the server.

`CONN_HEALTH_CHECKS` asks `SELECT 1` before the first query of every request: a journey more, where most pages make
three. A server that ends a connection says so on it; where nothing is waiting to be read, there is nothing to ask.
"""

import select

from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus, TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Say whether the connection still stands; a network that lost it silently is found out by keepalives."""
        lines = self.connection and self.connection.pgconn
        if lines and lines.status == ConnStatus.OK and lines.transaction_status == TransactionStatus.IDLE:
            waiting = select.poll()
            waiting.register(lines.socket, select.POLLIN | select.POLLPRI)
            if not waiting.poll(0):
                return True
        return bool(super().is_usable())
