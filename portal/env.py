"""Typed reading of environment variables; a secret may come as NAME or as NAME_FILE."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from psycopg import OperationalError, ProgrammingError
from psycopg.conninfo import make_conninfo
from psycopg.errors import UndefinedColumn, UndefinedTable

SHAPE = "must look like postgres://user:password@host:5432/name"


# Who begins a transaction and then says nothing holds its locks, keeps the access log from being sealed, and dead rows.
OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "timezone=UTC",
        "lock_timeout=5s",
        "statement_timeout=30s",
        "idle_in_transaction_session_timeout=60s",
        "plan_cache_mode=force_generic_plan",
    )
)
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Misconfigured(Exception):
    """An environment variable is missing or unusable; the message is one line that says what to do."""


def advice_on(fault: Exception) -> str:
    """Say in one line what to do about a database that is away or is not made yet; nothing for any other fault."""
    cause = fault.__cause__
    if isinstance(cause, OperationalError) and cause.sqlstate is None:
        said = " ".join(str(cause).split())
        return f"DATABASE_URL leads to no database: {said} Look whether it runs, and whether the address is right."
    if isinstance(cause, UndefinedTable | UndefinedColumn):
        return "The database is empty, or older than this program. Bring it up to date with manage.py prepare."
    return ""


def env(name: str, default: str | None = None) -> str:
    value = os.environ.get(name)
    if not value and (path := os.environ.get(f"{name}_FILE")):
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as fault:
            raise Misconfigured(f"{name}_FILE cannot be read: {fault.strerror}.") from fault
    if value is None:
        if default is None:
            raise Misconfigured(f"Set {name} (or {name}_FILE).")
        return default
    return value


def env_bool(name: str, *, default: bool = False) -> bool:
    value = env(name, "1" if default else "0").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise Misconfigured(f"{name} must be 1 or 0.")


def env_int(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    value = env(name, "") or str(default)
    try:
        number = int(value)
    except ValueError as fault:
        raise Misconfigured(f"{name} must be a whole number.") from fault
    if number < least or (most is not None and number > most):
        raise Misconfigured(
            f"{name} must be {least} or more." if most is None else f"{name} must be {least} to {most}."
        )
    return number


def env_url(name: str, default: str | None = None) -> str:
    """Read an address; one that cannot be taken apart is no use to anybody."""
    value = env(name, default).rstrip("/")
    try:
        urlsplit(value).port  # noqa: B018  (reading it is the test)
    except ValueError as fault:
        raise Misconfigured(f"{name} is no address that can be read.") from fault
    return value


def env_level(name: str, default: str) -> str:
    value = env(name, default).upper()
    if value not in LEVELS:
        raise Misconfigured(f"{name} must be one of {', '.join(LEVELS)}.")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def socket_sources(url: str, loopback: set[str]) -> list[str]:
    """Return what pages may open sockets to: the address itself, and on one machine the same port by its other name."""
    parts = urlsplit(url)
    if parts.hostname in loopback and parts.port:
        return [f"{parts.scheme}://{name}:{parts.port}" for name in sorted(loopback)]
    return [url] if url else []


def database(name: str) -> dict[str, object]:
    """Read `postgres://user:password@host:port/name` from a variable; `?host=/run/socket` names a socket folder.

    A password that is not in the address is in the variable of the same name with PASSWORD for URL, if there is one.
    `?prepare=off` is for a pooler that shares connections between transactions and knows no prepared statements.
    What is prepared is planned once (apps/common/rows.py): for those queries planning costs more than a better plan saves.
    """
    try:
        parts = urlsplit(env(name))
        port = parts.port
    except ValueError as fault:
        raise Misconfigured(f"{name} {SHAPE}.") from fault
    if parts.scheme not in {"postgres", "postgresql"} or len(parts.path) < 2:
        raise Misconfigured(f"{name} {SHAPE}.")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    try:
        make_conninfo("", **{name: value for name, value in query.items() if name != "prepare"})
    except ProgrammingError as fault:
        raise Misconfigured(f"{name} {SHAPE}; what follows a ? must be a setting of libpq, such as sslmode.") from fault
    prepare_after = None if query.pop("prepare", "on") == "off" else 0  # the first time: the plan does not get better
    return {
        "ENGINE": "apps.common.postgres",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or "") or env(name.replace("_URL", "_PASSWORD"), ""),
        "HOST": unquote(query.pop("host", parts.hostname or "")),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": OPTIONS,
            "prepare_threshold": prepare_after,
            # a server that is gone without a word is given up, not waited for as long as TCP would
            "connect_timeout": 5,
            "tcp_user_timeout": 20_000,
            "keepalives_idle": 20,
            **query,
        },
    }
