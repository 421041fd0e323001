import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateSyntaxError
from django.template.loader import get_template
from django.urls import URLResolver, get_resolver

_URL_TAG = re.compile(r"{%\s*url\s+['\"]([\w:-]+)['\"]")
_STATIC_TAG = re.compile(r"{%\s*static\s+['\"]([^'\"{]+)['\"]")
_COMMENT = re.compile(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}|<!--.*?-->", re.DOTALL)
_HANDLER = re.compile(r"\son[a-z]+=[\"']", re.IGNORECASE)
_STYLE = re.compile(r"\sstyle=[\"']", re.IGNORECASE)
_SCRIPT = re.compile(r"<(script|style)\b([^>]*)>", re.IGNORECASE)


class Command(BaseCommand):
    help = (
        "Check that every template compiles, links to pages and files that exist, and holds nothing that CSP forbids."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        pages = set(_url_names(get_resolver()))
        count = 0
        faults: list[str] = []
        for folder in (root / "templates", *sorted((root / "apps").glob("*/templates"))):
            for path in sorted(path for path in folder.rglob("*") if path.suffix in {".html", ".txt", ".xml"}):
                count += 1
                name = str(path.relative_to(folder))
                faults += (f"{name}: {fault}" for fault in _faults(name, path.read_text(encoding="utf-8"), pages))
        if faults:
            raise CommandError("\n".join([*faults, f"{len(faults)} faults in the templates"]))
        self.stdout.write(f"Templates: {count} are sound")


def _faults(name: str, text: str, pages: set[str]) -> Iterator[str]:
    try:
        get_template(name)
    except TemplateSyntaxError as fault:
        yield str(fault)
    text = _COMMENT.sub("", text)
    yield from (f"no page is called {page}" for page in sorted(set(_URL_TAG.findall(text)) - pages))
    for file in sorted(set(_STATIC_TAG.findall(text))):
        if finders.find(file) is None:
            yield f"there is no static file {file}"
    if _HANDLER.search(text):
        yield "an event handler as an attribute (CSP forbids it)"
    if _STYLE.search(text) and "/pdf/" not in f"/{name}":
        yield "a style attribute (CSP forbids it)"
    for tag, attributes in _SCRIPT.findall(text):
        allowed = ("src=", "nonce=", 'type="application/json"', "href=") if tag.lower() == "script" else ("nonce=",)
        if not any(word in attributes for word in allowed) and "/pdf/" not in f"/{name}":
            yield f"a <{tag}> without src or nonce (CSP forbids it)"


def _url_names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _url_names(pattern, inner)
        elif pattern.name:
            yield f"{namespace}{pattern.name}"
