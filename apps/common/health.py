"""Whether this process can serve: its database, its Valkey, and a database of the shape that the code expects."""

import logging

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from . import caching, keys

logger = logging.getLogger(__name__)
OLDEST_POSTGRES = 160000
PATIENCE = 3


def faults() -> dict[str, str]:
    """What is wrong, by part; empty when all is well. Nothing about where the parts are or who asks."""
    found: dict[str, str] = {}
    try:
        _knock()
        connection.ensure_connection()
        if connection.connection.info.server_version < OLDEST_POSTGRES:
            found["database"] = "PostgreSQL 16 or newer is needed"
        elif not _migrated():
            found["migrations"] = "not all are applied"
        elif not _opened():
            found["keys"] = "FIELD_KEYS open nothing that is stored"
    except DatabaseError:
        logger.exception("the database does not answer")
        found["database"] = "does not answer"
    try:
        caching.ping()
    except (RedisError, OSError):
        logger.exception("Valkey does not answer")
        found["valkey"] = "does not answer"
    return found


def _knock() -> None:
    """Open a new connection and close it: the one that is open would wait for a frozen server without end.

    Raises DatabaseError after `PATIENCE` seconds without an answer.
    """
    fresh = connection.copy()
    fresh.settings_dict["OPTIONS"] = {**fresh.settings_dict["OPTIONS"], "connect_timeout": PATIENCE}
    try:
        fresh.ensure_connection()
    finally:
        fresh.close()


_seen_migrated = False


def _migrated() -> bool:
    """Say whether every migration is applied; asked of the database until it was so once."""
    global _seen_migrated  # noqa: PLW0603  (a process that has seen its own migrations applied need not ask again)
    if not _seen_migrated:
        executor = MigrationExecutor(connection)
        _seen_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return _seen_migrated
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


_seen_opened = False


def _opened() -> bool:
    """Say whether our keys open what is stored, as after a restore with others they do not; asked until they do."""
    global _seen_opened  # noqa: PLW0603  (the keys of a process stay as they are)
    _seen_opened = _seen_opened or keys.opens_something()
    return _seen_opened
