"""A real Chromium before the product; pages that break the content security policy or their scripts fail the test.

`visit` opens pages of a server inside the test's own process: quick, and on the test's own clock, but without sockets.
`live` is the whole product on free ports against the tests' database, as in production; `window`, `desktop` and `phone`
open browsers before it, and `sign_in(page, user)` signs a member of staff in.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from apps.accounts.models import User
from portal.launch.servers import EVERYDAY
from portal.rights import admit
from tests import conftest as cast

# The browser's driver keeps an event loop in this thread, where Django would otherwise refuse its database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ROOT = Path(__file__).resolve().parent.parent.parent
# How long is waited for what must come: a slow machine is no fault of the product.
PATIENCE = 60.0
expect.set_options(timeout=20_000)
FAKE_DEVICES = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream=fps=5",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--auto-select-desktop-capture-source=Entire screen",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One test worker runs all that drives a browser: two browsers at once would only wait for each other."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))


@dataclass(frozen=True)
class Live:
    """Where the product answers; `restart_sockets(TURN_SECRET="...")` starts its socket process anew, as told."""

    url: str
    sockets: str
    restart_sockets: Callable[..., None]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _database_url() -> str:
    """Return the address of the tests' database for the role of every day, who may do what she may in production."""
    told = connection.settings_dict
    where = f"localhost:{told['PORT'] or 5432}/{told['NAME']}?host={told['HOST'] or 'localhost'}"
    return f"postgres://{EVERYDAY}:{EVERYDAY}@{where}"


def until(found: Callable[[], Any], what: str) -> Any:
    """Wait for something that other processes do; return what was found."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.05)
    raise AssertionError(f"not in time: {what}")


@pytest.fixture(autouse=True)
def _no_tries_yet() -> None:
    """What this worker's other tests tried within the last minute is not counted against who signs in here."""
    cache.clear()


@pytest.fixture(scope="session")
def _servers(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    """Pages over WSGI and sockets over ASGI, each in a process of its own, as in production."""
    web, sockets = _free_port(), _free_port()
    url, python = f"http://127.0.0.1:{web}", sys.executable
    with django_db_blocker.unblock():
        admit(EVERYDAY, EVERYDAY, using=DEFAULT_DB_ALIAS)
    with tempfile.TemporaryDirectory(prefix="videotime-live-") as folder:
        env = {
            **os.environ,
            "DATABASE_URL": _database_url(),
            "REDIS_URL": django_settings.REDIS_URL,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STATIC_ROOT": f"{folder}/static",
            "PUBLIC_URL": url,
            "SOCKETS_URL": f"ws://127.0.0.1:{sockets}",
        }
        subprocess.run(
            [python, "manage.py", "collectstatic", "--no-input", "--verbosity=0"], cwd=ROOT, env=env, check=True
        )
        commands = {
            "web": [
                *(python, "-m", "granian", "--interface=wsgi", "portal.wsgi:application", "--host=127.0.0.1"),
                *(f"--port={web}", "--workers=1", "--blocking-threads=4", "--no-ws", "--log-level=warning"),
            ],
            "sockets": [
                *(python, "-m", "uvicorn", "portal.asgi:application", "--host=127.0.0.1", f"--port={sockets}"),
                *("--log-level=warning", "--lifespan=off", "--ws-max-size=65536"),
            ],
        }
        children: dict[str, subprocess.Popen[bytes]] = {}

        def start(name: str, **more: str) -> None:
            with Path(folder, f"{name}.log").open("a") as log:
                children[name] = subprocess.Popen(
                    commands[name], cwd=ROOT, env={**env, **more}, stdout=log, stderr=subprocess.STDOUT
                )

        def restart_sockets(**more: str) -> None:
            _end(children["sockets"])
            start("sockets", **more)
            _wait_for(f"http://127.0.0.1:{sockets}/healthz", list(children.values()), folder)

        try:
            for name in commands:
                start(name)
            _wait_for(f"{url}/healthz", list(children.values()), folder)
            _wait_for(f"http://127.0.0.1:{sockets}/healthz", list(children.values()), folder)
            yield Live(url, env["SOCKETS_URL"], restart_sockets)
        finally:
            for child in children.values():
                child.terminate()
            for child in children.values():
                _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(5)
    child.kill()


def _wait_for(url: str, children: list[Any], folder: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            break
        with suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.05)
    logs = "\n".join(path.read_text()[-2000:] for path in Path(folder).glob("*.log"))
    raise AssertionError(f"{url} did not answer:\n{logs}")


@pytest.fixture
def live(_servers: Live, transactional_db: None, settings: Any) -> Live:
    settings.PUBLIC_URL = _servers.url
    settings.SOCKETS_URL = _servers.sockets
    return _servers


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose camera and microphone are made up: a moving picture and a beep. One test worker has one."""
    ours = tmp_path_factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    with (shared / "browser.lock").open("w") as lock, sync_playwright() as driver:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FAKE_DEVICES)
        yield chromium
        chromium.close()


def _listen(page: Page, complaints: list[str]) -> None:
    """Keep what the page's scripts or the content security policy complain about."""
    page.on("pageerror", lambda fault: complaints.append(f"{page.url}: {fault}"))
    page.on(
        "console",
        lambda said: complaints.append(f"{page.url}: {said.text}") if "Content Security Policy" in said.text else None,
    )


@pytest.fixture
def visit(browser: Browser, live_server: object, as_user: Callable[[User], Client]) -> Iterator[Callable[..., Page]]:
    """Open a window for somebody who is signed in, or for nobody: `page = visit(kari); page.goto("/i-dag/")`.

    A script that fails, or anything that the content security policy stops, fails the test.
    """
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(user: User | None = None, *, width: int = 1280, zone: str = "Europe/Oslo") -> Page:
        context = browser.new_context(
            base_url=str(live_server),
            viewport={"width": width, "height": 900},
            timezone_id=zone,
            locale="nb-NO",
        )
        opened.append(context)
        if user is not None:
            cookie = as_user(user).cookies["session"].value
            context.add_cookies([{"name": "session", "value": cookie, "url": str(live_server)}])
        page = context.new_page()
        _listen(page, complaints)
        return page

    yield open_window
    for context in opened:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def window(browser: Browser, live: Live) -> Iterator[Callable[..., Page]]:
    """Open a window that shares nothing with the others: `window(390, 844)`."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(
            base_url=live.url, viewport={"width": width, "height": height}, locale="nb-NO", **options
        )
        context.grant_permissions(["camera", "microphone"], origin=live.url)
        opened.append(context)
        page = context.new_page()
        _listen(page, complaints)
        return page

    yield open_window
    for context in opened:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def desktop(window: Callable[..., Page]) -> Page:
    return window()


@pytest.fixture
def phone(window: Callable[..., Page]) -> Page:
    return window(390, 844, has_touch=True, is_mobile=True)


@pytest.fixture
def sign_in() -> Callable[[Page, User], Page]:
    """Sign a member of staff in, the second factor given; the sign-in page has journeys of its own."""

    def do(page: Page, user: User) -> Page:
        client = cast.sign_in(Client(), user)
        cookie = client.cookies[django_settings.SESSION_COOKIE_NAME]
        page.context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": django_settings.PUBLIC_URL, "httpOnly": True}]
        )
        return page

    return do
