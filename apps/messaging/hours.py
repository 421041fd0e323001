"""Quiet hours: no text message at night. Wall time in Europe/Oslo."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.utils import timezone


def is_quiet(moment: datetime) -> bool:
    hour = timezone.localtime(moment).hour
    return hour >= settings.QUIET_FROM_HOUR or hour < settings.QUIET_TO_HOUR


def after_quiet(moment: datetime) -> datetime:
    """Return the moment itself, or the first morning hour after it when it is quiet."""
    if not is_quiet(moment):
        return moment
    local = timezone.localtime(moment)
    day = local.date() + timedelta(days=1 if local.hour >= settings.QUIET_FROM_HOUR else 0)
    return wall(datetime.combine(day, time(settings.QUIET_TO_HOUR)))


def day_begins(moment: datetime) -> datetime:
    return wall(datetime.combine(timezone.localdate(moment), time.min))


def day_ends(moment: datetime) -> datetime:
    return wall(datetime.combine(timezone.localdate(moment) + timedelta(days=1), time.min))


def wall(local: datetime) -> datetime:
    """Read a wall time of Europe/Oslo; in UTC, where one can calculate."""
    return local.replace(tzinfo=timezone.get_default_timezone()).astimezone(UTC)
