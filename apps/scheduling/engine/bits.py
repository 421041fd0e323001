"""Bit strings in Python integers; bit 0 is the first unit."""

from collections.abc import Iterator


def stretch(start: int, end: int) -> int:
    """Set the bits from start up to, not including, end."""
    return ((1 << (end - start)) - 1) << start if end > start else 0


def run_starts(free: int, length: int) -> int:
    """Keep the bits at which a run of at least this many set bits begins."""
    reach = 1
    while reach < length:
        step = min(reach, length - reach)
        free &= free >> step
        reach += step
    return free


def positions(bits: int) -> Iterator[int]:
    """List the set bits, the lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
