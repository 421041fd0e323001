"""The product's settings with a quick hasher and made-up keys. Servers: tests/servers.py."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only-" + "k" * 40)
os.environ.setdefault("FIELD_KEYS", "dGVzdHMtb25seS1maWVsZC1rZXktMzItYnl0ZXMhISE=")
os.environ.setdefault("INDEX_KEY", "dGVzdHMtb25seS1pbmRleC1rZXktMzItYnl0ZXMhISE=")
os.environ.setdefault("LINK_KEY", "dGVzdHMtb25seS1saW5rLS1rZXktMzItYnl0ZXMhISE=")
os.environ.setdefault("DEMO", "1")
os.environ.setdefault("VAR", "/tmp/videotime-tests")

from tests.servers import count_apart, start_missing

start_missing()  # their addresses must stand in the environment before the settings read it
count_apart()

from portal.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests"]  # noqa: F405  (its command flush stands in for Django's)
ALLOWED_HOSTS = ["*"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_TASK_ALWAYS_EAGER = False
# Transactional tests empty every table, the append-only ones too: the same switch as retention.
DATABASES["default"]["OPTIONS"]["options"] += " -c videotime.retention=on"  # noqa: F405
