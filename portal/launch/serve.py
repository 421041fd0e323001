"""Runs one part of the product in production, after looking whether the set-up is complete.

python -m portal.launch.serve web | sockets | worker | delivery | beat | prepare | check | health | swept
"""

import os
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from portal.env import Misconfigured, env_int, env_list
from portal.launch import programs

# Without these the settings cannot even be read; what stands here is only for looking at the rest.
FIRST = {"SECRET_KEY": "-", "DATABASE_URL": "postgres://-@-/-", "REDIS_URL": "redis://-"}
PARTS = ("web", "sockets", "worker", "delivery", "beat", "prepare", "check", "health", "swept")
EVERYDAY = {"web", "sockets", "worker", "delivery", "beat"}
LATELY = 180.0  # seconds; the longest sweep may take two minutes


def main() -> int:
    part = sys.argv[1] if len(sys.argv) == 2 else ""
    if part not in PARTS:
        print(f"Say which part: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if part == "health":
        return 0 if is_ready() else 1
    if part == "swept":
        return 0 if has_swept() else 1
    if faults := what_is_missing(part):
        print("\n".join(faults), file=sys.stderr)
        print(f"Not started: {len(faults)} fault{'s' * (len(faults) > 1)} in the set-up.", file=sys.stderr)
        return 1
    if part != "check":
        try:
            words = [str(word) for word in command(part)]
        except Misconfigured as fault:
            print(f"{fault}\nNot started: 1 fault in the set-up.", file=sys.stderr)
            return 1
        os.execv(words[0], words)  # noqa: S606  (the program takes this process's place, and its signals)
    return 0


def command(part: str) -> programs.Command:
    host = os.environ.get("HOST") or "0.0.0.0"  # noqa: S104  (inside a container)
    port, workers = env_int("PORT", 8000, least=1, most=65535), env_int("WORKERS", 2, least=1, most=1000)
    if part == "web":
        threads = env_int("THREADS", 4, least=1, most=1000)
        return programs.web(host=host, port=port, workers=workers, threads=threads)
    if part == "sockets":
        return programs.sockets(host=host, port=port)
    if part == "worker":
        return programs.worker(programs.SWEEPS, pool="prefork", concurrency=workers)
    if part == "delivery":
        return programs.worker(programs.DELIVERY, pool="prefork", concurrency=workers)
    if part == "beat":
        return programs.beat(schedule=Path(os.environ.get("VAR") or "var") / "beat")
    return [sys.executable, "manage.py", "prepare"]


def is_ready() -> bool:
    """Ask as the proxy would: under a host name that is allowed, over what counts as TLS."""
    host = [*env_list("ALLOWED_HOSTS"), "127.0.0.1"][0]
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=4)
    try:
        connection.request("GET", "/readyz", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except OSError:
        return False


def has_swept() -> bool:
    """Say whether the worker was lately through with a sweep: the clock sends one several times a minute."""
    try:
        return time.time() - Path(os.environ["SWEPT_FILE"]).stat().st_mtime < LATELY
    except (KeyError, OSError):
        return False


def what_is_missing(part: str) -> list[str]:
    """One line for each fault of the set-up, all of them at once."""
    absent = [name for name in FIRST if not (os.environ.get(name) or os.environ.get(f"{name}_FILE"))]
    faults = [f"{name} is missing: set it, or {name}_FILE to the file that holds it." for name in absent]
    os.environ.update({name: FIRST[name] for name in absent})

    try:
        import django
        from django.conf import settings
        from django.core import checks

        django.setup()
    except Misconfigured as fault:
        return [*faults, str(fault)]
    found = checks.run_checks(tags=["production"])
    if part == "web" and not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        faults.append("STATIC_ROOT holds no static files: set it to where they are, or run manage.py prepare --files.")
    if part in EVERYDAY and "owner" in settings.DATABASES:
        faults.append(f"OWNER_DATABASE_URL is for prepare alone: take it away from {part}.")
    told = {f"videotime.{name.lower()}" for name in absent}
    return [*faults, *(str(message.msg) for message in found if message.is_serious() and message.id not in told)]


if __name__ == "__main__":
    sys.exit(main())
