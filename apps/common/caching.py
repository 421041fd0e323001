"""Django's cache on Valkey: its clients are kept, and while it is away it is empty.

Nothing that must be true stands in it (sessions, links and messages are in PostgreSQL). So a restart of Valkey costs
some counts of tries and a nudge or two, and no page.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

LOG = logging.getLogger(__name__)

AWAY_FOR: Final = 5.0
"""Seconds for which a Valkey that did not answer is not asked again: a page asks several times."""

PATIENCE: Final[dict[str, Any]] = {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": Retry(NoBackoff(), 1)}
"""It answers within a millisecond; the second try is for connections that a restart has cut."""


class KeptClient(RedisCacheClient):
    """Threads and forks may share a client: each call takes a connection from its pool.

    Django makes one for every call, which takes as long as the call.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[bool, Any] = {}
        self.away_until = 0.0

    @property
    def away(self) -> bool:
        return time.monotonic() < self.away_until

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        return bool(self._or_empty(True, super().add, key, value, timeout))

    def get(self, key: Any, default: Any) -> Any:
        return self._or_empty(default, super().get, key, default)

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        self._or_empty(None, super().set, key, value, timeout)

    def delete(self, key: Any) -> bool:
        return bool(self._or_empty(False, super().delete, key))

    def has_key(self, key: Any) -> bool:
        return bool(self._or_empty(False, super().has_key, key))

    def incr(self, key: Any, delta: int) -> int:
        found = self._or_empty(None, super().incr, key, delta)
        if found is None:
            raise ValueError(key)  # as Django says that a key is not there
        return int(found)

    def _or_empty(self, empty: Any, ask: Callable[..., Any], *args: Any) -> Any:
        """Answer as an empty cache would, while there is none."""
        if self.away:
            return empty
        try:
            return ask(*args)
        except (OSError, RedisError) as fault:
            self.away_until = time.monotonic() + AWAY_FOR
            LOG.warning("Valkey does not answer: %s", type(fault).__name__)
            return empty


class ValkeyCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": {**PATIENCE, **params.get("OPTIONS", {})}})
        self._class = KeptClient


def client() -> KeptClient:
    """Return this thread's client of the cache that the settings name."""
    cache: Any = caches[DEFAULT_CACHE_ALIAS]
    kept: KeptClient = cache._cache
    return kept


def is_away() -> bool:
    """Say whether Valkey has just failed to answer."""
    return client().away


def ping() -> None:
    """Ask whether Valkey is there. Raises RedisError or OSError."""
    client().get_client().ping()
