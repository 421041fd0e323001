"""A demo that runs lends manage.py its surroundings, so that both work on the same database with the same keys."""

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

FILE = "surroundings.json"
SECRETS = ("SECRET_KEY", "FIELD_KEYS", "INDEX_KEY", "LINK_KEY", "RECEIPT_SECRET", "TURN_SECRET")
LENT = (*SECRETS, "DEMO", "PUBLIC_URL", "SOCKETS_URL", "VAR", "DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL")
DECIDES = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL")  # whoever gives one of these has an installation of their own


def lend(env: Mapping[str, str], run: Path) -> None:
    """Leave what the product reads where only the same person finds it, until the demo ends."""
    note = run / FILE
    note.touch(mode=0o600)
    note.write_text(json.dumps({name: env[name] for name in LENT if name in env}))


def take_back(run: Path) -> None:
    (run / FILE).unlink(missing_ok=True)


def borrow(var: Path) -> bool:
    """Take the surroundings of the demo that runs with this state folder, unless some were given; say if so."""
    if any(name in os.environ or f"{name}_FILE" in os.environ for name in DECIDES):
        return False
    with suppress(OSError, ValueError):
        if _runs(var / "run" / "lock"):
            lent: dict[str, str] = json.loads((var / "run" / FILE).read_text())
            os.environ.update(lent)
            return True
    return False


def _runs(lock: Path) -> bool:
    """Say whether a start holds the state folder; a note that a killed one left is worth nothing."""
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
