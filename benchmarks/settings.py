"""The product's settings, and one page to compare with (benchmarks/urls.py)."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
ALLOWED_HOSTS = ["*"]
