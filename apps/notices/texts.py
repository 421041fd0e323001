"""The texts, read from data and filled in. The words that may be filled in are a closed list."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, Final

from apps.common.data_files import read_yaml

DATA: Final = Path(__file__).parent / "data"

BOOKED, MOVED, CANCELLED = "booked", "moved", "cancelled"
REMINDER_2_DAYS, REMINDER_2_HOURS = "reminder_2_days", "reminder_2_hours"
REMINDERS: Final = (REMINDER_2_DAYS, REMINDER_2_HOURS)
PURPOSES: Final = (BOOKED, MOVED, CANCELLED, *REMINDERS)

PATIENT, KIN, GUEST, INTERPRETER, STAFF = "patient", "kin", "guest", "interpreter", "staff"
BY_LINK: Final = (PATIENT, KIN, GUEST)
"""These come in by a link of their own; the others sign in and have the session in their calendar."""

VARIABLES: Final = frozenset(
    {"say", "when", "near", "link", "phone", "sender", "reference", "minutes", "mode", "language"}
)


@dataclass(frozen=True)
class Written:
    subject: str
    body: str


@dataclass(frozen=True)
class Facts:
    """What may be filled in. None of it is about the patient, the service or another person."""

    when: str
    near: str
    link: str
    phone: str
    sender: str
    reference: str
    minutes: int
    mode: str = ""
    language: str = ""


@lru_cache(maxsize=1)
def data() -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml(DATA / "texts.yaml")
    return loaded


def languages_of(audience: str) -> tuple[str, ...]:
    """Return the languages in which this audience is written to."""
    return ("nb", "nn", "se", "en") if audience in BY_LINK else ("nb", "nn", "en")


def needs_link(purpose: str) -> bool:
    return purpose != CANCELLED


def reviewed(language: str) -> bool:
    """Say whether somebody who speaks the language has confirmed the texts in it."""
    return bool(data()["languages"][language]["reviewed"])


def mode(*, by_phone: bool, language: str) -> str:
    return str(data()["modes"]["phone" if by_phone else "video"].get(language, ""))


def write(*, audience: str, purpose: str, channel: str, language: str, facts: Facts) -> Written:
    """Write a message: subject (e-mail only) and body."""
    if language not in languages_of(audience):
        language = "nb"
    filling = dict(vars(facts))
    filling["say"] = _fill(data()["say"][audience][purpose][language], filling)
    linked = "with_link" if needs_link(purpose) else "without_link"
    if channel == "sms":
        return Written("", _fill(data()["sms"][linked][language], filling))
    mail = data()["email"]
    if audience in BY_LINK:
        return Written(mail["subject"][audience][language], _fill(mail[linked][language], filling))
    subject = _fill(mail["staff_subject"][purpose][language], filling)
    return Written(subject, _fill(mail[f"staff_{linked}"][language], filling))


def _fill(template: str, filling: dict[str, Any]) -> str:
    """Put the facts in. Plain words in braces only: no attribute, no index, no format of a value is followed."""
    pieces = []
    for literal, name, form, conversion in Formatter().parse(template):
        pieces.append(literal)
        if name is None:
            continue
        if name not in VARIABLES or form or conversion:
            raise KeyError(name)
        pieces.append(str(filling[name]))
    return "".join(pieces)
