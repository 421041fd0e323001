"""How often an address may knock with a link that nobody has. Links that exist are never limited by address."""

from typing import Final

from allauth.core.internal.httpkit import get_client_ip
from django.core.cache import cache
from django.http import HttpRequest

WINDOW: Final = 10 * 60
FROM_ONE_ADDRESS: Final = 30
FROM_ALL: Final = 2_000


def knocked_too_often(request: HttpRequest) -> bool:
    """Count a try with an unknown link; say whether there have been too many of them."""
    return _count(f"rooms.unknown.{get_client_ip(request)}") > FROM_ONE_ADDRESS or _count("rooms.unknown") > FROM_ALL


def _count(key: str) -> int:
    """Count in the cache. Without it nothing is limited: 128 random bits do not fall to guessing meanwhile."""
    try:
        cache.add(key, 0, timeout=WINDOW)
        return int(cache.incr(key))
    except ValueError:
        return 1
