"""The tests' settings for a worker that may write to people at whatever hour the tests are run."""

from tests.settings import *  # noqa: F403

QUIET_FROM_HOUR, QUIET_TO_HOUR = 24, 0
