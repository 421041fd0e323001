"""What must never stand in an SMS, a subject line or a calendar title."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Any, Final

from apps.common.data_files import read_yaml

from . import texts

WORD: Final = re.compile(r"[^\W\d_]+")
NATIONAL_ID: Final = re.compile(r"(?<!\d)\d{6}[ .-]?\d{5}(?!\d)")
TWO_NAMES: Final = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-ZÆØÅČĐŊŠŽÁ][\w-]+ [A-ZÆØÅČĐŊŠŽÁ][\w-]+")
"""Two words with capitals in the middle of a sentence: a name, in all our languages."""


@dataclass(frozen=True)
class Finding:
    what: str
    found: str


@lru_cache(maxsize=1)
def _health_words() -> tuple[str, ...]:
    loaded: dict[str, list[str]] = read_yaml(texts.DATA / "words.yaml")
    return tuple(word for words in loaded.values() for word in words)


def lint(text: str, *, names: Iterable[str] = ()) -> list[Finding]:
    """Return what is wrong with a text that strangers may read over somebody's shoulder.

    `names` are names that are known here (patient, specialist, service, unit) and must not stand in it.
    """
    return list(_findings(text, names))


def _findings(text: str, names: Iterable[str]) -> Iterator[Finding]:
    visible = re.sub(r"https?://\S+", " ", text)
    for word in WORD.findall(visible.casefold()):
        if any(word.startswith(bad) for bad in _health_words()):
            yield Finding("health-word", word)
    for number in NATIONAL_ID.findall(visible):
        yield Finding("national-id", number)
    for pair in TWO_NAMES.findall(visible):
        yield Finding("name", pair)
    words = set(WORD.findall(visible.casefold()))
    for name in names:
        parts = WORD.findall(name.casefold())
        if parts and words.issuperset(parts):
            yield Finding("name", name)


def lint_template(template: str, *, names: Iterable[str] = ()) -> list[Finding]:
    """Check a text before it is filled in: only words of the closed list may stand in braces."""
    unknown = [
        Finding("variable", name or "")
        for _literal, name, form, conversion in Formatter().parse(template)
        if name is not None and (name not in texts.VARIABLES or form or conversion)
    ]
    return unknown + lint(re.sub(r"\{\w*\}", " 0 ", template), names=names)


def lint_all() -> list[tuple[str, Finding]]:
    """Check every text of the data file; return where and what."""
    return [(where, finding) for where, text in public_texts(texts.data()) for finding in lint_template(text)]


def public_texts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Walk over all that comes into an SMS, a subject line, or a mail to somebody who is not staff."""
    for audience in texts.BY_LINK:
        yield from _leaves(f"say.{audience}", data["say"][audience])
    yield from _leaves("sms", data["sms"])
    for part in ("subject", "staff_subject", "with_link", "without_link"):
        yield from _leaves(f"email.{part}", data["email"][part])


def _leaves(where: str, node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(f"{where}.{key}", value)
    else:
        yield where, str(node)
