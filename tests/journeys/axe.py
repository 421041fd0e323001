"""Every page passes axe (WCAG A and AA up to 2.2, best practice), light, dark and on a phone."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, ViewportSize

AXE: Final = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only what is wrong is written out, not where everything is right.
ASKED: Final = {"runOnly": RULES, "resultTypes": ["violations"]}
# In the dark a page has other colours, and nothing else is another.
COLOURS: Final = {**ASKED, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
DESKTOP: Final = ViewportSize(width=1280, height=900)
PHONE: Final = ViewportSize(width=390, height=844)


@cache
def _source() -> str:
    return AXE.read_text()


def assert_accessible(page: Page) -> None:
    """Check the page as it stands at three settings, and that nothing scrolls sideways; then put it back."""
    before = page.viewport_size or DESKTOP
    found = []
    for name, size, scheme in [("light", DESKTOP, "light"), ("dark", DESKTOP, "dark"), ("phone", PHONE, "light")]:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{name}: the page scrolls sideways")
        found += [f"{name}: {line}" for line in _violations(page, COLOURS if scheme == "dark" else ASKED)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)
    assert not found, f"{page.url}\n" + "\n".join(found)


def _violations(page: Page, asked: dict[str, Any]) -> list[str]:
    """Run axe from outside the page, whose policy allows no script but its own, on its whole height.

    A bar that sticks to the foot of the window hides nothing for good: one can scroll. So the window is made as
    tall as the page, or axe takes what lies under the bar for unreachable.
    """
    size = page.viewport_size or DESKTOP
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(int(height), size["height"])})
    # A colour half-way through a fade is nobody's colour; what turns for ever is let be.
    page.evaluate(
        """Promise.all(document.getAnimations()
             .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
             .map((one) => one.finished.catch(() => null)))"""
    )
    session = page.context.new_cdp_session(page)
    loaded = session.send("Runtime.evaluate", {"expression": "typeof axe"})["result"]["value"] == "object"
    if not loaded:
        session.send("Runtime.evaluate", {"expression": _source()})
    answer = session.send(
        "Runtime.evaluate",
        {
            "expression": f"axe.run(document, {json.dumps(asked)}).then((r) => JSON.stringify(r.violations))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    session.detach()
    return [
        f"{one['id']} ({one['help']}): {node['html'][:160]}"
        for one in json.loads(answer["result"]["value"])
        for node in one["nodes"]
    ]
