"""Telephone numbers as people type them, kept as +47… (E.164)."""

from typing import Final

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .errors import DomainError

MADE_UP: Final = "+4700"
"""Numbers that cannot exist; the demo's people have them."""


class WrongPhone(DomainError):
    code = "wrong-phone"
    message = _("Write a telephone number with eight digits, or with + and the country code.")
    field = "phone"


def normalise_phone(text: str) -> str:
    """Return the number as +47…; raises WrongPhone."""
    if any(character not in "+0123456789 ()-./\u00a0\u2009\u202f" for character in text):
        raise WrongPhone
    try:
        number = phonenumbers.parse(text, "NO")
    except phonenumbers.NumberParseException as fault:
        raise WrongPhone from fault
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if settings.DEMO and is_made_up(text):
        return MADE_UP + "".join(text.split())[-6:]
    if not phonenumbers.is_valid_number(number):
        raise WrongPhone
    return written


def is_made_up(text: str) -> bool:
    compact = "".join(text.split()).removeprefix("+47").removeprefix("0047")
    return len(compact) == 8 and compact.isascii() and compact.isdigit() and compact.startswith("00")


def takes_messages(number: str) -> bool:
    """Say whether text messages can reach the number: not a Norwegian land line."""
    if number.startswith(MADE_UP):
        return True
    kind = phonenumbers.number_type(phonenumbers.parse(number, "NO"))
    return kind not in {phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.UAN}
