"""Settings and servers to measure with. Call `ready` before anything of Django is imported."""

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

_original = ""


def ready() -> None:
    """Start what DATABASE_URL and REDIS_URL do not name, and set up Django."""
    global _original  # noqa: PLW0603 once, at the start
    if _original:
        return
    os.environ.setdefault("SECRET_KEY", "benchmarks-only-" + "k" * 40)
    os.environ.setdefault("FIELD_KEYS", "dGVzdHMtb25seS1maWVsZC1rZXktMzItYnl0ZXMhISE=")
    os.environ.setdefault("INDEX_KEY", "dGVzdHMtb25seS1pbmRleC1rZXktMzItYnl0ZXMhISE=")
    os.environ.setdefault("LINK_KEY", "dGVzdHMtb25seS1saW5rLS1rZXktMzItYnl0ZXMhISE=")
    os.environ.setdefault("VAR", str(Path(tempfile.gettempdir()) / "videotime-benchmarks"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    _start_missing()
    _original = os.environ["DATABASE_URL"]
    import django

    django.setup()


def _start_missing() -> None:
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        return
    from portal.launch import processes, servers

    folder = Path(tempfile.mkdtemp(prefix="videotime-benchmarks-"))
    folder.chmod(0o711)
    started = []

    def end() -> None:
        processes.stop(started)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    if "DATABASE_URL" not in os.environ:
        postgres = servers.start_postgres(folder / "postgres")
        started.append(postgres.child)
        os.environ["DATABASE_URL"] = postgres.owner_url
        # A booking counts when it is on the disk. The demo's server waits less; a role's setting goes before that.
        with psycopg.connect(postgres.owner_url, autocommit=True) as server:
            server.execute("ALTER ROLE postgres SET synchronous_commit = on")
    if "REDIS_URL" not in os.environ:
        valkey = servers.start_valkey(folder / "valkey")
        started.append(valkey.child)
        os.environ["REDIS_URL"] = valkey.url


def bench_name(suffix: str) -> str:
    return f"{urlsplit(_original).path[1:]}_bench_{suffix}"


def server_url(name: str) -> str:
    """Return the address of another database on the same server."""
    parts = urlsplit(_original)
    return urlunsplit(parts._replace(path=f"/{name}"))


def told_conditions() -> None:
    """Say on what the figures that follow were measured."""
    with psycopg.connect(server_url("postgres")) as server:
        names = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"]
        settings = [f"{name} {server.execute(f'SHOW {name}').fetchone()[0]}" for name in names]  # type: ignore[index]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"PostgreSQL: {', '.join(settings)}. Processors: {os.cpu_count()}, pace {pace_ms():.0f} ms. Load before: {load}.",
        flush=True,
    )


def pace_ms() -> float:
    """Return what a million additions take in Python: virtual processors are not equally fast at all hours."""
    begin = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number
    return (time.process_time() - begin) * 1000
