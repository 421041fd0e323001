"""make demo: the whole product on one machine, ended as a whole.

    python -m portal.launch

PORT (8000) is the address of the pages, PORT + 1 that of the sockets; VAR (var/) holds all state. DATABASE_URL and
REDIS_URL name servers that are there already; without them, embedded ones are started.
"""

import fcntl
import hashlib
import os
import secrets
import signal
import sys
import threading
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from portal.launch import programs
from portal.launch.lending import SECRETS, lend, take_back
from portal.launch.processes import CannotStart, Child, end_leftovers, forget, record, start, stop
from portal.launch.servers import port_is_free, start_postgres, start_valkey
from portal.launch.setup import ROOT, step

PATIENCE = 60.0


class Launch:
    """One start of the product: what was started, and where."""

    def __init__(self, var: Path, port: int) -> None:
        self.began = time.monotonic()
        self.var, self.port = var, port
        self.run = var / "run"
        self.children: list[Child] = []
        self.accounts = ""
        self.stopping = threading.Event()
        self.env: dict[str, str] = {}

    def start(self) -> None:
        if ended := end_leftovers(self.run):
            print(f"  An earlier start had left {', '.join(ended)} running: ended.", flush=True)
        self.expect_free_ports()
        self.env = environment(self.var, self.port)
        with step("Starting PostgreSQL and Valkey"):
            self.start_servers()
        self.prepare()
        lend(self.env, self.run)
        self.expect_free_ports()  # the first start takes a while, and others do not wait
        told = {"LOG_LEVEL": "INFO", **self.env}  # the worker and the clock say in their logs when they are ready
        told.pop("OWNER_DATABASE_URL", None)
        for name, command in self.programs().items():
            self.add(start(name, command, log=self.var / "log" / f"{name}.log", env=told, cwd=ROOT))
        self.accounts = self.manage("Bringing the demo data up to date", "demo", "--accounts").rstrip()
        with step("Waiting for the pages, the sockets, the worker and the clock"):
            self.wait_until_ready()

    def expect_free_ports(self) -> None:
        for port in (self.port, self.port + 1):
            if not port_is_free(port):
                raise CannotStart(f"Port {port} is taken. Choose another: make demo PORT={self.port + 100}")

    def prepare(self) -> None:
        """Migrate, compile and collect, unless nothing changed since that was last done."""
        prepared = self.run / "prepared"
        state = state_of_the_code(self.env["DATABASE_URL"] if "DATABASE_URL" in os.environ else "embedded")
        if prepared.exists() and prepared.read_text() == state:
            return
        what = "Bringing the database, the catalogue, the translations and the static files up to date"
        self.manage(what, "prepare", "--files", "--verbosity=0")
        prepared.write_text(state)

    def start_servers(self) -> None:
        """Start what the environment does not name; each is up before the next thing needs it."""
        if "DATABASE_URL" not in self.env:
            if not (self.var / "postgres" / "PG_VERSION").exists():
                (self.run / "prepared").unlink(missing_ok=True)
            postgres = start_postgres(self.var / "postgres")
            self.add(postgres.child)
            self.env["DATABASE_URL"], self.env["OWNER_DATABASE_URL"] = postgres.url, postgres.owner_url
        if "REDIS_URL" not in self.env:
            valkey = start_valkey(self.var / "valkey")
            self.add(valkey.child)
            self.env["REDIS_URL"] = valkey.url

    def programs(self) -> dict[str, programs.Command]:
        return {
            "web": programs.web(host="127.0.0.1", port=self.port),
            "sockets": programs.sockets(host="127.0.0.1", port=self.port + 1),
            "worker": programs.worker(programs.SWEEPS, programs.DELIVERY, pool="threads", concurrency=2),
            "beat": programs.beat(schedule=self.run / "beat"),
        }

    def manage(self, what: str, *command: str) -> str:
        """Run a management command; what it prints is for the log unless it fails."""
        log = self.var / "log" / f"manage-{command[0]}.log"
        with step(what):
            child = start(command[0], [sys.executable, "manage.py", *command], log=log, env=self.env, cwd=ROOT)
            while not child.ended():
                if self.stopping.wait(0.05):
                    stop([child])
                    raise KeyboardInterrupt
        if child.process.returncode:
            raise CannotStart(f"manage.py {' '.join(command)} failed:\n{child.last_words(40)}")
        return log.read_text()

    def add(self, child: Child) -> None:
        self.children.append(child)
        record(child, self.run)

    def wait_until_ready(self) -> None:
        waiting: dict[str, Callable[[], bool]] = {
            "web": lambda: answers(f"http://127.0.0.1:{self.port}/healthz"),
            "sockets": lambda: not port_is_free(self.port + 1),
            "worker": lambda: self.child("worker").has_said("ready."),
            "beat": lambda: self.child("beat").has_said("Starting"),
        }
        deadline = time.monotonic() + PATIENCE
        while waiting:
            self.expect_all_running()
            waiting = {name: is_ready for name, is_ready in waiting.items() if not is_ready()}
            if time.monotonic() > deadline:
                name = next(iter(waiting))
                raise CannotStart(f"{name} was not ready within {PATIENCE:.0f} s; see {self.var / 'log' / name}.log")
            if waiting and self.stopping.wait(0.1):
                raise KeyboardInterrupt

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def expect_all_running(self) -> None:
        for child in self.children:
            if child.ended():
                raise CannotStart(child.obituary())

    def watch(self) -> None:
        """Return when somebody asks to stop; raise when a part of the product has ended."""
        while not self.stopping.wait(0.5):
            self.expect_all_running()

    def stop(self) -> None:
        """First what uses the servers, then the servers."""
        take_back(self.run)
        servers = [child for child in self.children if child.name in {"postgres", "valkey"}]
        stop([child for child in self.children if child not in servers])
        stop(servers)
        forget(self.children, self.run)


def environment(var: Path, port: int) -> dict[str, str]:
    """What the product reads; a variable that is set already wins, and secrets are made once and kept."""
    kept = var / "secrets.env"
    if not kept.exists():
        kept.touch(mode=0o600)
        made = {name: urlsafe_b64encode(secrets.token_bytes(32)).decode() for name in SECRETS}
        kept.write_text("".join(f"{name}={value}\n" for name, value in made.items()))
    pairs = (line.split("=", 1) for line in kept.read_text().splitlines() if "=" in line)
    return {
        **dict(pairs),
        "DEMO": "1",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SOCKETS_URL": f"ws://127.0.0.1:{port + 1}",
        **os.environ,
        "VAR": str(var),
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PYTHONUNBUFFERED": "1",
    }


def state_of_the_code(database: str) -> str:
    """A digest of what this database's shape and catalogue, the translations and the static files are made of."""
    sources = [*(ROOT / "apps").glob("*/migrations/*.py"), *(ROOT / "locale").rglob("*.po")]
    sources += [*(ROOT / "apps").glob("*/data/*.yaml"), ROOT / "portal" / "rights.py"]
    sources += [path for path in (ROOT / "portal" / "static").rglob("*") if path.is_file()]
    digest = hashlib.sha256(database.encode())
    for path in sorted(sources):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  (our own address)
        return bool(response.status == 200)
    return False


def read_port() -> int:
    told = os.environ.get("PORT") or "8000"
    if not told.isdigit() or not 1024 <= int(told) <= 65534:
        raise CannotStart(f"PORT must be a number from 1024 to 65534, not {told!r}.")
    return int(told)


def state_folder() -> Path:
    var = Path(os.environ.get("VAR") or ROOT / "var").resolve()
    try:
        (var / "run").mkdir(parents=True, exist_ok=True)
        (var / "run" / "lock").touch()
    except OSError as fault:
        raise CannotStart(
            f"The state folder {var} cannot be written: {fault.strerror}. Choose another with VAR."
        ) from None
    return var


def take_lock(var: Path) -> TextIO:
    """Hold the state folder for this start; the lock goes with the process, however it ends."""
    lock = (var / "run" / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise CannotStart(f"Already running with {var} (process {lock.read().strip()}).") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def main() -> int:
    launch = None
    try:
        port = read_port()
        var = state_folder()
        with take_lock(var):
            launch = Launch(var, port)

            def ask_to_stop(signal_number: int, frame: FrameType | None) -> None:
                if launch.stopping.is_set():
                    raise KeyboardInterrupt
                launch.stopping.set()

            for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(wanted, ask_to_stop)
            try:
                launch.start()
                print(f"\nReady: http://127.0.0.1:{port}  (after {time.monotonic() - launch.began:.0f} s)")
                print(f"{launch.accounts}\nCtrl-C stops everything.", flush=True)
                launch.watch()
            except CannotStart as reason:
                print(reason, file=sys.stderr, flush=True)
                raise
            finally:
                with step("Stopping everything"):
                    launch.stop()
    except CannotStart as reason:
        if launch is None:
            print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
