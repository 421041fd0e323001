"""A production that is only half set up does not start: one line for each thing that is missing."""

import base64
import binascii
import re
from collections.abc import Iterator
from email.utils import parseaddr
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

PRODUCTION = "production"
WEB = {"http", "https"}
SENDSMS = "/sendsms"
SHORTEST = 20
URL_SAFE = re.compile(r"[\w-]+=*", re.ASCII)


@register(PRODUCTION)
def production_is_complete(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Look at the settings."""
    if not in_production():
        return []
    found = [*_secrets(), *_addresses(), *_mail(), *_sms(), *_rooms()]
    return [Error(line, id=f"videotime.{name.lower()}") for name, line in found]


def in_production() -> bool:
    """Nothing is asked of the demo, nor of a developer's server on this machine."""
    return not (settings.DEMO or (settings.DEBUG and not settings.SECURE))


Fault = tuple[str, str]


def _secrets() -> Iterator[Fault]:
    if (
        len(settings.SECRET_KEY) < 50
        or len(set(settings.SECRET_KEY)) < 10
        or settings.SECRET_KEY.startswith(("django-insecure", "dev-only", "tests-only"))
    ):
        yield "SECRET_KEY", "SECRET_KEY must be 50 random characters or more, made for this installation."
    if not settings.FIELD_KEYS:
        yield "FIELD_KEYS", "FIELD_KEYS is missing: one or more keys of 32 random bytes in base64, the newest first."
    elif not all(map(_is_key, settings.FIELD_KEYS)):
        yield "FIELD_KEYS", "FIELD_KEYS must hold keys of 32 bytes in URL-safe base64, with commas between."
    for name in ("INDEX_KEY", "LINK_KEY"):
        if not _is_key(getattr(settings, name)):
            yield name, f"{name} must be 32 random bytes in URL-safe base64."
    keys = [*settings.FIELD_KEYS, settings.INDEX_KEY, settings.LINK_KEY]
    if all(keys) and len(set(keys)) < len(keys):
        yield "FIELD_KEYS", "FIELD_KEYS, INDEX_KEY and LINK_KEY must all be different keys."


def _is_key(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text)) == 32
    except (binascii.Error, ValueError):
        return False


def is_an_address(sender: str) -> bool:
    """Say whether mail can come from it: `video@kommune.no` or `Videotime <video@kommune.no>`."""
    try:
        validate_email(parseaddr(sender)[1])
    except ValidationError:
        return False
    return True


def is_on_this_machine(host: str) -> bool:
    """Say whether what is sent there stays here: a loopback address, or a name without dots, as in compose.yaml."""
    address = _ip(host)
    return address.is_loopback if address else bool(host) and "." not in host


def is_on_this_network(host: str) -> bool:
    """Say whether it is here or at a private address; a name with dots may lead anywhere."""
    address = _ip(host)
    return is_on_this_machine(host) or (address is not None and address.is_private)


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _addresses() -> Iterator[Fault]:
    if settings.DEBUG:
        yield "DEBUG", "DEBUG must be 0: error pages with DEBUG show what patients have entrusted to us."
    if not settings.SECURE:
        yield "PUBLIC_URL", "PUBLIC_URL must be the https address under which people reach the portal."
    elif not settings.SECURE_PROXY_SSL_HEADER:
        yield (
            "TRUSTED_PROXY_COUNT",
            "TRUSTED_PROXY_COUNT must be the number of proxies in front (1 or more): one of them ends TLS.",
        )
    public = urlsplit(settings.PUBLIC_URL)
    if public.path or public.query or public.fragment:
        yield "PUBLIC_URL", "PUBLIC_URL must end with the host: the portal has a host name to itself."
    host = public.hostname or ""
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS", "ALLOWED_HOSTS must name the portal's host names, with commas between, and not *."
    elif not any(host == name or (name.startswith(".") and host.endswith(name)) for name in settings.ALLOWED_HOSTS):
        yield "ALLOWED_HOSTS", "ALLOWED_HOSTS must hold the host name of PUBLIC_URL."
    if urlsplit(settings.REDIS_URL).scheme not in {"redis", "rediss"}:
        yield "REDIS_URL", "REDIS_URL must look like redis://host:6379/0 (rediss:// with TLS)."
    if settings.SOCKETS_URL and not settings.SOCKETS_URL.startswith("wss://"):
        yield (
            "SOCKETS_URL",
            "SOCKETS_URL must be a wss address, or be left out where the proxy sends /ws/ to the sockets.",
        )


def _mail() -> Iterator[Fault]:
    if settings.EMAIL_CARRIER != "smtp":
        yield "EMAIL_CARRIER", "EMAIL_CARRIER must be smtp: the inbox is for the demo."
    elif not settings.EMAIL_HOST:
        yield "EMAIL_HOST", "EMAIL_HOST is missing: the mail server that takes the portal's mail."
    elif not settings.EMAIL_USE_TLS and not is_on_this_machine(settings.EMAIL_HOST):
        yield "EMAIL_USE_TLS", "EMAIL_USE_TLS must be 1: join links would go to EMAIL_HOST where others can read them."
    if not is_an_address(settings.DEFAULT_FROM_EMAIL) or settings.DEFAULT_FROM_EMAIL.rstrip(">").endswith(".example"):
        yield "DEFAULT_FROM_EMAIL", "DEFAULT_FROM_EMAIL is missing: the address that the portal's mail comes from."


def _sms() -> Iterator[Fault]:
    if not settings.SMS_CARRIERS:
        yield "SMS_CARRIERS", "SMS_CARRIERS is missing: the carriers of SMS in the order to try them, such as kannel."
    if "inbox" in settings.SMS_CARRIERS:
        yield "SMS_CARRIERS", "SMS_CARRIERS must not hold inbox: that is for the demo."
    if "kannel" in settings.SMS_CARRIERS:
        for name in ("KANNEL_URL", "KANNEL_USERNAME", "KANNEL_PASSWORD", "RECEIPT_SECRET"):
            if not getattr(settings, name):
                yield name, f"{name} is missing: SMS_CARRIERS holds kannel."
        kannel = urlsplit(settings.KANNEL_URL)
        if settings.KANNEL_URL and (kannel.scheme not in WEB or not kannel.hostname or kannel.path.endswith(SENDSMS)):
            yield "KANNEL_URL", "KANNEL_URL must be smsbox's address, as http://kannel:13013, without /cgi-bin/sendsms."
        elif kannel.scheme == "http" and not is_on_this_network(kannel.hostname or ""):
            yield (
                "KANNEL_URL",
                "KANNEL_URL must be https where smsbox is on another network: numbers and texts stand in what is asked.",
            )
        if not URL_SAFE.fullmatch(settings.RECEIPT_SECRET or "-"):
            yield (
                "RECEIPT_SECRET",
                "RECEIPT_SECRET stands in an address: letters, digits, - and _ only, with = at the end.",
            )
        elif 0 < len(settings.RECEIPT_SECRET) < SHORTEST:
            yield (
                "RECEIPT_SECRET",
                f"RECEIPT_SECRET must be {SHORTEST} random characters or more: who knows it can report.",
            )


def _rooms() -> Iterator[Fault]:
    if not settings.TURN_URLS or not settings.TURN_SECRET:
        yield (
            "TURN_URLS",
            "TURN_URLS and TURN_SECRET are missing: without a TURN server, video fails behind many firewalls.",
        )
    if not all(url.startswith(("turn:", "turns:")) for url in settings.TURN_URLS):
        yield "TURN_URLS", "TURN_URLS must hold addresses such as turn:turn.kommune.no:3478, with commas between."
