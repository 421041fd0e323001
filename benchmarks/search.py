"""How long a search takes, as the pages call it: python -m benchmarks.search [bookings ...]"""

import sys
from collections.abc import Callable
from functools import partial

from benchmarks.environment import ready, told_conditions

ready()

from django.db import connection  # noqa: E402

from apps.catalogue.models import ServiceType  # noqa: E402
from apps.scheduling.queries import BookingRequest, OpenTime, open_times, time_is_open, why_no_time  # noqa: E402
from benchmarks.data import JOINT_SERVICES, filled  # noqa: E402
from benchmarks.measure import ms, row, times_of  # noqa: E402

SIZES = (100_000, 1_000_000)
GOALS = {  # p50 in ms (issue 2, item 14)
    (100_000, "joint of 3, first 20"): 0.6,
    (1_000_000, "joint of 3, first 20"): 2.0,
    (1_000_000, "any of 50 + one + any of 20, first 20"): 6.0,
}


def main(sizes: list[int]) -> None:
    row("search over six weeks", "bookings", "p50", "p99", "processor", "queries", "x floor", "goal p50")
    for size in sizes:
        measure(size)


def measure(size: int) -> None:
    now = filled(size).now
    requests = [
        BookingRequest(service, requester_unit=service.unit)
        for service in ServiceType.objects.select_related("unit").order_by("pk")
    ]
    joint, pools = requests[:JOINT_SERVICES], requests[JOINT_SERVICES:]
    first = {id(request): open_times(request, now=now, limit=1)[0] for request in joint}

    def is_open(request: BookingRequest) -> OpenTime | None:
        return time_is_open(request, first[id(request)].starts_at, now=now)

    def floor(_: BookingRequest) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()

    cases: dict[str, tuple[Callable[[BookingRequest], object], list[BookingRequest]]] = {
        "trivial query (the floor)": (floor, joint),
        "joint of 3, first 20": (partial(open_times, now=now, limit=20), joint),
        "joint of 3, all": (partial(open_times, now=now, limit=None), joint),
        "any of 50 + one + any of 20, first 20": (partial(open_times, now=now, limit=20), pools),
        "is this time open? (joint of 3)": (is_open, joint),
        "why no time? (joint of 3; there is one)": (partial(why_no_time, now=now), joint),
    }
    least = 0.0
    for name, (work, inputs) in cases.items():
        for one in inputs:  # caches and plans, as in a server that has run for a while
            work(one)
        times = times_of(work, inputs, connection.connection.info.backend_pid)
        least = least or times.half
        goal = GOALS.get((size, name))
        row(
            name,
            f"{size:,}",
            ms(times.half),
            ms(times.tail),
            ms(times.processor),
            queries(work, inputs[0]),
            f"{times.half / least:.1f}",
            ms(goal) if goal else "",
        )


def queries(work: Callable[[BookingRequest], object], request: BookingRequest) -> int:
    count = 0

    def counted(execute: Callable[..., object], *args: object) -> object:
        nonlocal count
        count += 1
        return execute(*args)

    with connection.execute_wrapper(counted):
        work(request)
    return count


if __name__ == "__main__":
    told_conditions()
    main([int(size.replace("_", "")) for size in sys.argv[1:]] or list(SIZES))
