"""The programs that the product is made of, and how each is started: said once, for the demo and for the image."""

import sys
from pathlib import Path

Command = list[str | Path]

SWEEPS, DELIVERY = "celery", "delivery"
"""The queues: what talks to gateways and mail servers waits for them, and nothing else waits with it."""

WORKER_STARTS_WITHIN = 20
"""Seconds. On SIGHUP each worker is replaced by one with the code of now, and told to stop so long after that began."""


def web(*, host: str, port: int, workers: int = 1, threads: int = 4) -> Command:
    """Pages and the API, over WSGI."""
    command: Command = [sys.executable, "-m", "granian", "--interface=wsgi", "portal.wsgi:application", "--no-ws"]
    command += [f"--host={host}", f"--port={port}", f"--workers={workers}", f"--blocking-threads={threads}"]
    command += ["--backlog=1024", f"--respawn-interval={WORKER_STARTS_WITHIN}"]
    return [*command, "--workers-kill-timeout=5", "--log-level=warning"]


def sockets(*, host: str, port: int) -> Command:
    """Waiting room and signalling, over ASGI."""
    command: Command = [sys.executable, "-m", "uvicorn", "portal.asgi:application", f"--host={host}", f"--port={port}"]
    command += ["--ws-max-size=65536"]  # signalling is small; the default of 16 MiB invites floods
    return [*command, "--lifespan=off", "--log-level=warning", "--no-access-log", "--timeout-graceful-shutdown=3"]


def worker(*queues: str, pool: str, concurrency: int) -> Command:
    """The sweepers' work, of these queues."""
    command: Command = [sys.executable, "-m", "celery", "--app=portal", "--quiet", "worker", f"--pool={pool}"]
    command += [f"--queues={','.join(queues)}", f"--concurrency={concurrency}"]
    return [*command, "--loglevel=INFO", "--without-mingle", "--without-gossip"]


def beat(*, schedule: Path) -> Command:
    """The clock that calls the sweepers: one of it, not more."""
    command: Command = [sys.executable, "-m", "celery", "--app=portal", "--quiet", "beat"]
    return [*command, "--loglevel=INFO", f"--schedule={schedule}", "--pidfile="]
