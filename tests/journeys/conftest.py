"""A real Chromium against a real server; pages that break the content security policy or their scripts fail the test."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from apps.accounts.models import User

# The browser's driver keeps an event loop in this thread, where Django would otherwise refuse its database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, live_server: object, as_user: Callable[[User], Client]) -> Iterator[Callable[..., Page]]:
    """Open a window for somebody who is signed in, or for nobody: `page = visit(kari); page.goto("/i-dag/")`."""
    opened, complaints = [], []

    def open_window(user: User | None = None, *, width: int = 1280) -> Page:
        context = browser.new_context(
            base_url=str(live_server),
            viewport={"width": width, "height": 900},
            timezone_id="Europe/Oslo",
            locale="nb-NO",
        )
        opened.append(context)
        if user is not None:
            cookie = as_user(user).cookies["session"].value
            context.add_cookies([{"name": "session", "value": cookie, "url": str(live_server)}])
        page = context.new_page()
        page.on("pageerror", lambda fault: complaints.append(f"{page.url}: {fault}"))
        page.on(
            "console",
            lambda said: (
                complaints.append(f"{page.url}: {said.text}") if "Content Security Policy" in said.text else None
            ),
        )
        return page

    yield open_window
    for context in opened:
        context.close()
    assert not complaints, complaints
