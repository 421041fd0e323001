"""Timing and how it is told."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")
RUNS = 3


class Times(NamedTuple):
    """Median and 99th percentile in ms, and the processor time of one call, ours and PostgreSQL's together."""

    half: float
    tail: float
    processor: float


def times_of(work: Callable[[T], object], inputs: Sequence[T], server_pid: int) -> Times:
    """Time all inputs three times over, and take the median of each figure."""
    runs = []
    for _ in range(RUNS):
        taken = []
        spent = processor_ms(server_pid)
        for one in inputs:
            begin = time.perf_counter()
            work(one)
            taken.append((time.perf_counter() - begin) * 1000)
        spent = (processor_ms(server_pid) - spent) / len(inputs)
        runs.append(Times(statistics.median(taken), percentile(taken, 99), spent))
    return Times(*(statistics.median(figures) for figures in zip(*runs, strict=True)))


def processor_ms(server_pid: int) -> float:
    """Return the processor time of this process and of the database's, if that runs on this machine.

    It hardly changes when others use the machine too, as the time on the clock does.
    """
    schedule = Path(f"/proc/{server_pid}/schedstat")
    server = int(schedule.read_text().split()[0]) / 1e6 if schedule.exists() else 0.0
    return time.process_time() * 1000 + server


def percentile(values: Iterable[float], part: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)]


def row(*cells: object) -> None:
    first, *others = cells
    print(f"{first!s:<46}" + "".join(f"{cell!s:>14}" for cell in others), flush=True)


def ms(value: float) -> str:
    return f"{value:.2f} ms"
