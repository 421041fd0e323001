"""Sessions stand in the database; Valkey has copies that are a minute old at most.

So staff work on while Valkey is away, and a session that was ended meanwhile does not come back with it.
"""

from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends import cached_db
from django.core.cache import caches

A_MINUTE: Final = 60
KEY_LENGTH: Final = 32


class SessionStore(cached_db.SessionStore):
    """Django's own, with short-lived copies. Signing out ends both at once."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache: Any = _Brief(caches[settings.SESSION_CACHE_ALIAS])

    def _validate_session_key(self, key: str | None) -> bool:
        """Look up nothing that is not shaped as Django makes its keys: else it would stand in a warning."""
        return key is not None and len(key) == KEY_LENGTH and key.isascii() and key.isalnum()


class _Brief:
    """A cache that keeps nothing longer than a minute."""

    def __init__(self, cache: Any) -> None:
        self._inner = cache

    def get(self, key: str) -> Any:
        return self._inner.get(key)

    def set(self, key: str, value: Any, timeout: int) -> None:
        self._inner.set(key, value, min(timeout, A_MINUTE))

    def delete(self, key: str) -> None:
        self._inner.delete(key)

    def __contains__(self, key: str) -> bool:
        return key in self._inner
