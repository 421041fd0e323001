"""PostgreSQL and Valkey for the tests, where DATABASE_URL and REDIS_URL do not name others.

The settings call this before they read the environment. Workers of pytest-xdist inherit the addresses, so the servers
are started once, by the process that starts the workers, and end with it.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit


def start_missing() -> None:
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        return
    from portal.launch import processes, servers

    folder = Path(tempfile.mkdtemp(prefix="videotime-tests-"))
    folder.chmod(0o711)
    started: list[processes.Child] = []

    def end() -> None:
        processes.stop(started)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    if "DATABASE_URL" not in os.environ:
        postgres = servers.start_postgres(folder / "postgres", throwaway=True)
        started.append(postgres.child)
        os.environ["DATABASE_URL"] = postgres.owner_url
    if "REDIS_URL" not in os.environ:
        valkey = servers.start_valkey(folder / "valkey")
        started.append(valkey.child)
        os.environ["REDIS_URL"] = valkey.url


def count_apart() -> None:
    """Give each test worker a database of its own in Valkey.

    Tries to sign in are counted by address, and everybody in the tests comes from one: the wrong passwords of one
    worker's tests would shut out whom another's signs in.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker:
        os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{worker}").geturl()
