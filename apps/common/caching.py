"""Django's cache on Valkey: its clients are kept, and while Valkey is away the cache is empty.

Nothing that must be true stands in it (sessions, links and messages are in PostgreSQL). So a restart of Valkey costs
some counts of tries and a nudge or two, and no page.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final, cast

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

LOG = logging.getLogger(__name__)

AWAY_FOR: Final = 5.0
"""Seconds for which a Valkey that did not answer is not asked again: a page asks several times."""

AGAIN: Final[dict[str, Any]] = {"retry": Retry(NoBackoff(), 1, supported_errors=(exceptions.ConnectionError,))}
"""A second try, for connections that a restart has cut."""

PATIENCE: Final[dict[str, Any]] = {"socket_connect_timeout": 1, "socket_timeout": 1}
"""Seconds; it answers within a millisecond."""


class KeptClient(RedisCacheClient):
    """Threads and forks may share a client: each call takes a connection from its pool.

    Django makes one for every call, which takes as long as the call.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class CalmClient(KeptClient):
    """Answers as an empty cache would, while there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.away_until = 0.0

    @property
    def away(self) -> bool:
        return time.monotonic() < self.away_until

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
        if self.away:
            return empty
        try:
            return ask(*args)
        except (OSError, exceptions.RedisError) as fault:
            self.away_until = time.monotonic() + AWAY_FOR
            LOG.warning("Valkey does not answer: %s", type(fault).__name__)
            return empty


class CalmCache(RedisCache):
    """For what may be missing at any time: counts of tries, nudges."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": {**AGAIN, **PATIENCE, **params.get("OPTIONS", {})}})
        self._class = CalmClient

    @property
    def client(self) -> CalmClient:
        """This thread's."""
        return cast(CalmClient, self._cache)


def is_away() -> bool:
    """Say whether Valkey has just failed to answer."""
    cache = caches[DEFAULT_CACHE_ALIAS]
    return isinstance(cache, CalmCache) and cache.client.away


def ping() -> None:
    """Ask whether Valkey is there. Raises RedisError or OSError."""
    cache: Any = caches[DEFAULT_CACHE_ALIAS]
    cache.client.get_client().ping()
