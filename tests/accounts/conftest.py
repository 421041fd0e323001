import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def own_counters(settings):
    """Rate limits count in a cache; each test has its own."""
    settings.CACHES = {**settings.CACHES, "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
