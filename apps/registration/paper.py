"""The registration sheet on A4: one page, drawn by WeasyPrint from the same template as the browser's."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from . import queries
from .models import Registration
from .sheet import shown

logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns of every rule that is for screens only

FONTS: Final = {
    "Sheet": "vendor/files/inter-latin-wght-normal.woff2",
    "Sheet Extended": "vendor/files/inter-latin-ext-wght-normal.woff2",
    "Sheet Cyrillic": "vendor/files/inter-cyrillic-wght-normal.woff2",
}
"""WeasyPrint knows no `unicode-range`: each script is a family of its own, tried in turn."""


class CannotDraw(Exception):
    """The system libraries that WeasyPrint draws with are not on this machine."""


def sheet_context(registration: Registration, *, now: datetime) -> dict[str, Any]:
    return {
        "registration": registration,
        "appointment": registration.appointment,
        "rows": shown(registration.sheet),
        "parties": queries.parties(registration.appointment),
        "now": now,
    }


def sheet_pdf(registration: Registration, *, now: datetime) -> bytes:
    """Draw the sheet. The text fetches nothing; the style sheet fetches our own files."""
    try:  # here and not above: everything else works without those libraries
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher
    except OSError as missing:
        raise CannotDraw from missing
    text = render_to_string("registration/sheet.html", {**sheet_context(registration, now=now), "on_paper": True})
    fonts = FontConfiguration()
    style = CSS(string=_style(), font_config=fonts, url_fetcher=URLFetcher(allowed_protocols=["file"]))
    page = HTML(string=text, url_fetcher=URLFetcher(allowed_protocols=[]))
    return bytes(page.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1"))


def _style() -> str:
    families = ", ".join(f'"{family}"' for family in FONTS)
    faces = [
        f'@font-face {{ font-family: "{family}"; src: url("{_file(name).as_uri()}") }}'
        for family, name in FONTS.items()
    ]
    own = f"body {{ font-family: {families}, sans-serif }}"
    return "\n".join([*faces, _file("css/videotime-papir.css").read_text(encoding="utf-8"), own])


def _file(name: str) -> Path:
    found = finders.find(name)
    if found is None:
        raise FileNotFoundError(name)
    return Path(found)
