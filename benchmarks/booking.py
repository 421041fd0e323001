"""A storm of bookings by eight clients: python -m benchmarks.booking [seconds]

hot    everybody wants the same six people within the same 96 half-hours, which move on every quarter of a second
free   three of a thousand people on any of 250 days: nearly every attempt succeeds
whole  complete bookings through the service: rules, search, appointment, participants, history, and the time taken

The first two do what the service does about time: look whether it is free, and if so take it in a transaction. Where
several still want the same, the database refuses all but one: those have lost. Afterwards every row is compared with
its neighbours: an overlap, a deadlock or an error fails the run.
"""

import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.environment import ready, told_conditions

ready()

import psycopg  # noqa: E402
from django.db import DatabaseError, connection, transaction  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.catalogue.models import ServiceType  # noqa: E402
from apps.common.errors import DomainError  # noqa: E402
from apps.scheduling.models import Hold, Schedule  # noqa: E402
from apps.scheduling.queries import BookingRequest, OpenTime, open_times, schedules_taken  # noqa: E402
from apps.scheduling.services import book_appointment  # noqa: E402
from apps.scheduling.services.taking import take_time  # noqa: E402
from benchmarks.data import JOINT_SERVICES, Filled, filled, fresh_copy  # noqa: E402
from benchmarks.measure import ms, percentile, row  # noqa: E402

CLIENTS = 8
BOOKINGS = 100_000
SECONDS = 5.0
HOT_PEOPLE = 6
HOT_SPELL = 0.25
FAR = datetime(2090, 1, 2, tzinfo=UTC)  # a Monday, away from the bookings of the generator
HOLDS_EACH = 8_000
ACTOR = "benchmark@videotime.example"

BOOKED, REFUSED, LOST, DEADLOCK, FAULT = "booked", "refused", "lost", "deadlocks", "errors"

Attempt = Callable[[], str]


@dataclass(frozen=True)
class Storm:
    counts: Counter[str]
    taken: list[float]
    seconds: float


def main(seconds: float) -> int:
    base = filled(BOOKINGS)
    kinds = {"hot, 3 people": hot, "free times, 3 people": free, "complete booking of a free time": whole}
    row(
        f"{CLIENTS} clients, {seconds:.0f} s",
        "attempts/s",
        "booked/s",
        "lost",
        "p50",
        "p99",
        "max",
        "overlaps",
        "deadlocks",
        "errors",
    )
    faults = 0
    for name, kind in kinds.items():
        prepare(base)
        storm = blow(kind, base.now, seconds)
        found = overlaps()
        counts, taken = storm.counts, storm.taken
        faults += found + counts[DEADLOCK] + counts[FAULT]
        row(
            name,
            f"{len(taken) / storm.seconds:,.0f}",
            f"{counts[BOOKED] / storm.seconds:,.0f}",
            counts[LOST],
            ms(percentile(taken, 50)),
            ms(percentile(taken, 99)),
            ms(max(taken)),
            found,
            counts[DEADLOCK],
            counts[FAULT],
        )
    return 1 if faults else 0


def prepare(base: Filled) -> None:
    """Begin with a fresh copy, and with rows that holds can stand on."""
    fresh_copy(base)
    user = User.objects.create(email=ACTOR)
    Hold.objects.bulk_create(
        Hold(user=user, starts_at=FAR, ends_at=FAR + timedelta(days=1), expires_at=FAR + timedelta(days=999))
        for _ in range(CLIENTS * HOLDS_EACH)
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def blow(kind: Callable[[int, datetime, float], Attempt], now: datetime, seconds: float) -> Storm:
    """Let all clients begin at once and collect what happened to them."""
    context = multiprocessing.get_context("fork")
    begin = context.Barrier(CLIENTS)
    results = context.SimpleQueue()

    def client(number: int) -> None:
        random.seed(number)
        try:
            attempt = kind(number, now, time.time())
            outcome(attempt)  # what is loaded and planned at the first call is not measured
        except Exception:
            begin.abort()
            results.put(None)
            raise
        counts: Counter[str] = Counter()
        taken: list[float] = []
        begin.wait()
        start = time.perf_counter()
        while time.perf_counter() < start + seconds:
            tried = time.perf_counter()
            counts[outcome(attempt)] += 1
            taken.append((time.perf_counter() - tried) * 1000)
        results.put((counts, taken))

    clients = [context.Process(target=client, args=(number,)) for number in range(CLIENTS)]
    for process in clients:
        process.start()
    total: Counter[str] = Counter()
    every: list[float] = []
    for _ in clients:
        result = results.get()
        if result is None:
            sys.exit("A client could not begin.")
        counts, taken = result
        total += counts
        every += taken
    for process in clients:
        process.join()
    return Storm(total, every, seconds)


def outcome(attempt: Attempt) -> str:
    try:
        return attempt()
    except DomainError:
        return REFUSED
    except DatabaseError as fault:
        return DEADLOCK if isinstance(fault.__cause__, psycopg.errors.DeadlockDetected) else FAULT


def hot(number: int, now: datetime, begun: float) -> Attempt:
    people = list(Schedule.objects.order_by("pk").values_list("pk", flat=True)[:HOT_PEOPLE])

    def wish() -> tuple[list[int], datetime, datetime]:
        day = int((time.time() - begun) / HOT_SPELL) * 2 + random.randrange(2)
        return random.sample(people, 3), *cells(day)

    return taking(number, wish, now)


def free(number: int, now: datetime, begun: float) -> Attempt:
    people = list(Schedule.objects.order_by("pk").values_list("pk", flat=True))

    def wish() -> tuple[list[int], datetime, datetime]:
        return random.sample(people, 3), *cells(random.randrange(250))

    return taking(number, wish, now)


def cells(day: int) -> tuple[datetime, datetime]:
    start = FAR + timedelta(days=day, hours=8, minutes=30 * random.randrange(16))
    return start, start + timedelta(minutes=30 * random.randint(1, 3))


def taking(number: int, wish: Callable[[], tuple[list[int], datetime, datetime]], now: datetime) -> Attempt:
    holds: Iterator[int] = iter(list(Hold.objects.order_by("pk").values_list("pk", flat=True)[number::CLIENTS]))
    hold = next(holds)

    def attempt() -> str:
        nonlocal hold
        people, start, end = wish()
        stretches = [(one, start, end) for one in people]
        if schedules_taken(stretches, now=now):
            return REFUSED
        with transaction.atomic():
            if not take_time(stretches, now=now, hold_id=hold, expires_at=FAR):
                transaction.set_rollback(True)
                return LOST
        hold = next(holds)
        return BOOKED

    return attempt


def whole(number: int, now: datetime, begun: float) -> Attempt:
    actor = User.objects.get(email=ACTOR)
    services = ServiceType.objects.select_related("unit", "scenario").order_by("pk")[:JOINT_SERVICES]
    wishes: list[tuple[BookingRequest, OpenTime]] = []
    for service in services[number::CLIENTS]:
        request = BookingRequest(service, requester_unit=service.unit)
        wishes += [(request, free) for free in open_times(request, now=now, limit=None)]
    random.shuffle(wishes)

    def attempt() -> str:
        request, free = wishes.pop()
        book_appointment(request=request, starts_at=free.starts_at, actor=actor, now=now)
        return BOOKED

    return attempt


def overlaps() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT lower(during) < lag(upper(during)) OVER"
            " (PARTITION BY schedule_id ORDER BY lower(during), upper(during)) AS over FROM scheduling_occupancy) o WHERE over"
        )
        found = int(cursor.fetchone()[0])
    connection.close()
    return found


if __name__ == "__main__":
    told_conditions()
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
