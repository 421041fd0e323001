"""Synthetic national ids as Tenor makes them: the month plus 80, check digits that hold, and nobody's."""

from collections.abc import Iterator
from datetime import date
from typing import Final

FIRST: Final = (3, 7, 6, 1, 8, 9, 4, 5, 2)
SECOND: Final = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def synthetic_ids(born: date) -> Iterator[str]:
    """Yield every synthetic number of this birth date, one after the other."""
    serials = range(500, 1000) if born.year >= 2000 else range(500)
    for serial in serials:
        digits = [int(digit) for digit in f"{born.day:02}{born.month + 80:02}{born.year % 100:02}{serial:03}"]
        first = _check(digits, FIRST)
        second = _check([*digits, first], SECOND)
        if first < 10 and second < 10:
            yield "".join(map(str, [*digits, first, second]))


def _check(digits: list[int], weights: tuple[int, ...]) -> int:
    return -sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 11
