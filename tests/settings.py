"""The project's settings with what the tests change: servers of their own, and a hasher that costs nothing."""

from tests.servers import start_missing

start_missing()  # before the project's settings read the environment

from portal.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
