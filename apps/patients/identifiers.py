"""Norwegian personal identifiers: fødselsnummer (today's rule and that of 2032), D-, H- and FH-numbers.

Rules and examples: Skatteetaten's check for 2032, Volven 8116, KITH 1001 (FH-numbers), stdnum for the centuries.
A birth date read from a number is a hint and sex is never read: neither can be read from numbers issued from 2032 on.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError

from .models import IdentifierKind

FIRST_WEIGHTS: Final = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
SECOND_WEIGHTS: Final = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
RULE_2032: Final = frozenset({0, 1, 2, 3})
SEPARATORS: Final = str.maketrans("", "", " \t\u00a0\u2009\u202f-.")


class InvalidIdentifier(DomainError):
    code = "invalid-national-id"
    message = _("This is not a national identity number.")
    field = "national_id"


class NotElevenDigits(InvalidIdentifier):
    code = "national-id-not-eleven-digits"
    message = _("A national identity number has eleven digits.")


class NoSuchDate(InvalidIdentifier):
    code = "national-id-no-such-date"
    message = _("The first six digits are not a date of birth. Check that they are typed correctly.")


class WrongCheckDigits(InvalidIdentifier):
    code = "national-id-wrong-check-digits"
    message = _("The number does not add up, so a digit is wrong. Check it against the document.")


class SyntheticRefused(InvalidIdentifier):
    code = "national-id-synthetic"
    message = _("This is a test number. It belongs to nobody and cannot be used here.")


@dataclass(frozen=True)
class Identifier:
    """A number whose check digits hold. `rule_2032`: it holds only by the rule for numbers issued from 2032."""

    kind: IdentifierKind
    value: str
    birth_date: date | None
    synthetic: bool
    rule_2032: bool


def parse_identifier(text: str) -> Identifier:
    """Read a typed number, with or without spaces. Raises the subclass of InvalidIdentifier that says what is wrong.

    Made-up numbers have a month plus 80 (Skatteetaten's Tenor), 65 (NHN's test people, by word of mouth: no source
    is published) or 40 (NAV's Dolly). The last is also an H-number, and the two cannot be told apart; with a
    D-number's day it can only be Dolly's.
    """
    value = text.translate(SEPARATORS)
    if len(value) != 11 or not (value.isascii() and value.isdigit()):
        raise NotElevenDigits
    digits = [int(digit) for digit in value]
    first = _remainder(digits, FIRST_WEIGHTS)
    if first not in RULE_2032 or _remainder(digits, SECOND_WEIGHTS) != 0:
        raise WrongCheckDigits
    rule_2032 = first != 0
    if digits[0] >= 8:
        if rule_2032:
            raise WrongCheckDigits
        return Identifier(IdentifierKind.FHN, value, None, synthetic=False, rule_2032=False)

    day, month, year, serial = int(value[:2]), int(value[2:4]), int(value[4:6]), int(value[6:9])
    is_d = day > 40
    offset = next((added for added in (80, 65, 40) if month > added), 0)
    kind = IdentifierKind.DNR if is_d else IdentifierKind.HNR if offset == 40 else IdentifierKind.FNR
    synthetic = offset in {80, 65} or (is_d and offset == 40)
    birth_date = _birth_date(day - 40 if is_d else day, month - offset, year, serial, guess=not rule_2032)
    return Identifier(kind, value, birth_date, synthetic, rule_2032)


def accept_identifier(text: str, *, synthetic_allowed: bool) -> Identifier:
    """Read a typed number, and refuse made-up ones where real people are."""
    identifier = parse_identifier(text)
    if identifier.synthetic and not synthetic_allowed:
        raise SyntheticRefused
    return identifier


def _remainder(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(weight * digit for weight, digit in zip(weights, digits, strict=False)) % 11


def _birth_date(day: int, month: int, year: int, serial: int, *, guess: bool) -> date | None:
    """Return the date that the number speaks of, None where the century cannot be known.

    Raises NoSuchDate when there is no such day in any century.
    """
    possible = [born for century in (1800, 1900, 2000) if (born := _date(century + year, month, day))]
    if not possible:
        raise NoSuchDate
    century = _century(year, serial) if guess else None
    return next((born for born in possible if born.year - year == century), None)


def _century(year: int, serial: int) -> int | None:
    if serial <= 499:
        return 1900
    if year < 40:
        return 2000
    if serial <= 749 and year >= 54:
        return 1800
    return 1900 if serial >= 900 else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
