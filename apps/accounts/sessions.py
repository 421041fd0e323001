"""Sessions stand in the database; Valkey has copies, a minute old at most, and may be away.

So staff work on without it, and a session that was ended or changed meanwhile is at most a minute behind when it is back.
A write waits for a slow Valkey (the cache "sessions"): one that is given up would leave the copy from before.
"""

import logging
import time
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends import cached_db, db
from django.core.cache import caches
from redis.exceptions import RedisError

from apps.common.caching import AWAY_FOR

LOG = logging.getLogger(__name__)

A_MINUTE: Final = 60
KEY_LENGTH: Final = 32
AWAY: Final = (OSError, RedisError)


class SessionStore(cached_db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache: Any = _Copies(caches[settings.SESSION_CACHE_ALIAS])

    def _validate_session_key(self, key: str | None) -> bool:
        """Look up nothing that is not shaped as Django makes its keys: else it would stand in a warning."""
        return key is not None and len(key) == KEY_LENGTH and key.isascii() and key.isalnum()

    def exists(self, session_key: str) -> bool:
        return db.SessionStore.exists(self, session_key)


class _Copies:
    """What the store asks of its cache: for a minute, and without a fault where there is none."""

    quiet_until = 0.0  # this process's: reads are left out for a while, writes never

    def __init__(self, cache: Any) -> None:
        self._inner = cache
        self._silent = False

    def get(self, key: str) -> Any:
        if time.monotonic() >= _Copies.quiet_until:
            try:
                return self._inner.get(key)
            except AWAY as fault:
                _Copies.quiet_until = time.monotonic() + AWAY_FOR
                LOG.warning("sessions are read from the database: %s", type(fault).__name__)
        self._silent = True  # what is read from the database now need not be offered to it
        return None

    def set(self, key: str, value: Any, timeout: int) -> None:
        if self._silent:
            self._silent = False
            return
        try:
            self._inner.set(key, value, min(timeout, A_MINUTE))
        except AWAY as fault:
            LOG.warning("a session's copy was not renewed: %s", type(fault).__name__)

    def delete(self, key: str) -> None:
        try:
            self._inner.delete(key)
        except AWAY as fault:
            LOG.warning("a session's copy was not removed: %s", type(fault).__name__)
