"""Pages in a real Chromium against a server in this process, whose clock a test can set."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from apps.accounts.models import User


@pytest.fixture
def visit(browser: Browser, live_server: object, as_user: Callable[[User], Client]) -> Iterator[Callable[..., Page]]:
    """Open a window for somebody who is signed in, or for nobody: `page = visit(kari); page.goto("/i-dag/")`.

    A script that fails, or anything that the content security policy stops, fails the test.
    """
    opened: list[BrowserContext] = []
    complaints: list[str] = []

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
