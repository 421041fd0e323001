"""Timing and how it is told."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
RUNS = 3


def times_of(work: Callable[[T], object], inputs: Sequence[T]) -> tuple[float, float]:
    """Return median and 99th percentile in ms: of each, the median of three runs over all inputs."""
    halves, tails = [], []
    for _ in range(RUNS):
        taken = []
        for one in inputs:
            begin = time.perf_counter()
            work(one)
            taken.append((time.perf_counter() - begin) * 1000)
        halves.append(statistics.median(taken))
        tails.append(percentile(taken, 99))
    return statistics.median(halves), statistics.median(tails)


def percentile(values: Iterable[float], part: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)]


def row(*cells: object) -> None:
    first, *others = cells
    print(f"{first!s:<46}" + "".join(f"{cell!s:>14}" for cell in others), flush=True)


def ms(value: float) -> str:
    return f"{value:.2f} ms"
