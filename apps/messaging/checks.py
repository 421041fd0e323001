"""A carrier that does not exist is found at the start, not by the first message."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from apps.common.checks import PRODUCTION

from .carriers import CARRIERS


@register(PRODUCTION)
def carriers_exist(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    known = ", ".join(sorted(CARRIERS))
    named = [*(("SMS_CARRIERS", name) for name in settings.SMS_CARRIERS), ("EMAIL_CARRIER", settings.EMAIL_CARRIER)]
    return [
        Error(f"{setting} names {name}, which is none of our carriers: {known}.", id="messaging.carrier")
        for setting, name in named
        if name not in CARRIERS
    ]
