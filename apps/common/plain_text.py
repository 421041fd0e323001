"""One line of text as people type it: no control characters, and none that turn the reading direction."""

import unicodedata
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import CharField, Model
from django.utils.translation import gettext_lazy as _

REFUSED: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Say whether a text is safe in names, subjects and calendars; with `lines` it may hold line breaks."""
    return not any(
        (character in TURNING or unicodedata.category(character) in REFUSED) and not (lines and character in "\n\r\t")
        for character in text
    )


def plain_line(text: str) -> None:
    """Refuse a form value that is not one line of plain text."""
    if not is_plain(text):
        raise ValidationError(_("Write letters, digits and ordinary signs only, on one line."), code="not_plain")


def longest_in(model: type[Model], name: str) -> int:
    """Return how many characters a model's text field holds."""
    field = model._meta.get_field(name)
    if not isinstance(field, CharField) or field.max_length is None:
        raise TypeError(f"{model.__name__}.{name} is no text of limited length.")
    return field.max_length
