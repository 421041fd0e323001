"""The outbox, drained by the worker's own code: python -m benchmarks.outbox [messages]

claimed      taken from the table, one after the other, and nothing sent
handed over  text messages and mails through the task that beat calls, to a gateway and a mail server that answer at
             once (benchmarks/gateways.py): by one worker, and by two at the same time

The table holds 400,000 messages of earlier years and 100,000 that are not due. Afterwards the keys that came in are
compared with those that were queued: one that is missing or came twice fails the run. First stands what a sweep takes
that finds nothing due.
"""

import multiprocessing
import statistics
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from benchmarks.environment import ready, told_conditions

ready()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from apps.messaging import services, tasks  # noqa: E402
from apps.messaging.models import Channel, OutboxMessage, OutboxState  # noqa: E402
from apps.messaging.queries import address_index  # noqa: E402
from benchmarks.data import filled, fresh_copy  # noqa: E402
from benchmarks.gateways import Gateways, gateways  # noqa: E402
from benchmarks.measure import ms, row, times_of  # noqa: E402

BOOKINGS: Final = 100_000
MESSAGES: Final = 1_000
SENT: Final = 400_000
NOT_DUE: Final = 100_000
SWEEPS: Final = 300
ROUNDS: Final = 3
GOAL_SCAN: Final = 0.5
BODY: Final = (
    "Hei. Du har time på video tirsdag 1. desember kl. 10.00. Åpne lenken når det er tid: https://video.example/j/x/"
)
COPIES: Final = 20_000

# Rows are made from one that was queued, with other values where they differ.
_OTHERS: Final = """
INSERT INTO messaging_outboxmessage
SELECT made.* FROM messaging_outboxmessage queued, generate_series(%(first)s, %(last)s) AS n,
       LATERAL jsonb_populate_record(queued, jsonb_build_object(
           'id', nextval(pg_get_serial_sequence('messaging_outboxmessage', 'id')), 'reference', gen_random_uuid(),
           'recipient', 'other' || n, 'state', CASE WHEN n > %(sent)s THEN 'waiting' ELSE 'delivered' END,
           'due_at', CASE WHEN n > %(sent)s THEN now() + interval '1 day' + n * interval '1 second' ELSE now() - interval '1 year' END,
           'sent_at', CASE WHEN n > %(sent)s THEN NULL ELSE now() - interval '1 year' END)) AS made
 WHERE queued.id = (SELECT min(id) FROM messaging_outboxmessage)
"""


@dataclass(frozen=True)
class Drained:
    """What the workers came to together: seconds by the clock, and of the processor."""

    seconds: float
    processor: float
    lost: int
    twice: int


def main(messages: int) -> int:
    fresh_copy(filled(BOOKINGS))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        queue(1, Channel.SMS)
        everything = SENT + NOT_DUE
        for first in range(1, everything + 1, COPIES):
            cursor.execute(_OTHERS, {"first": first, "last": min(first + COPIES - 1, everything), "sent": SENT})
        OutboxMessage.objects.filter(recipient="new0").delete()
        cursor.execute("VACUUM ANALYZE")
    settings.QUIET_FROM_HOUR, settings.QUIET_TO_HOUR = 24, 0  # the hour of a measurement is no matter
    row(f"{SENT + NOT_DUE:,} messages, none due", "p50", "p99", "processor", "x SELECT 1", "goal p50")
    swept()
    connection.close()
    with gateways() as reached:
        settings.SMS_CARRIERS, settings.EMAIL_CARRIER = ["kannel"], "smtp"
        settings.KANNEL_URL, settings.RECEIPT_SECRET = f"http://127.0.0.1:{reached.kannel}", "made-up"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", reached.smtp
        return drained(messages, reached)


def swept() -> None:
    """Look for what is due where nothing is; beside it, the least that a question costs."""

    def floor(_: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()

    moments = [timezone.now()] * SWEEPS
    pid = connection_pid()
    for work in (floor, sweep):
        work(moments[0])
    least = times_of(floor, moments, pid)
    row("SELECT 1", ms(least.half), ms(least.tail), ms(least.processor), "1.0")
    found = times_of(sweep, moments, pid)
    ratio = f"{found.half / least.half:.1f}"
    row("a sweep of the outbox", ms(found.half), ms(found.tail), ms(found.processor), ratio, ms(GOAL_SCAN))


def sweep(now: datetime) -> None:
    if services.deliver_next_message(now=now):
        sys.exit("Something was due.")


def connection_pid() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def drained(messages: int, reached: Gateways) -> int:
    """Let workers take and send what is due; return how many messages were lost or came twice."""
    row(f"{messages:,} messages, {ROUNDS} rounds", "per second", "processor", "per core", "lost", "twice")
    faults = 0
    for name, channel, workers, work in (
        ("claimed, one worker", Channel.SMS, 1, claim_all),
        ("claimed, two workers", Channel.SMS, 2, claim_all),
        ("text messages handed over, one worker", Channel.SMS, 1, tasks.deliver_due),
        ("text messages handed over, two workers", Channel.SMS, 2, tasks.deliver_due),
        ("mails handed over, one worker", Channel.EMAIL, 1, tasks.deliver_due),
        ("mails handed over, two workers", Channel.EMAIL, 2, tasks.deliver_due),
    ):
        rounds = [drain(messages, channel, workers, work, reached) for _ in range(ROUNDS)]
        processor = statistics.median(one.processor for one in rounds) / messages
        lost, twice = sum(one.lost for one in rounds), sum(one.twice for one in rounds)
        row(
            name,
            f"{messages / statistics.median(one.seconds for one in rounds):,.0f}",
            ms(processor * 1000),
            f"{1 / processor:,.0f}",
            lost,
            twice,
        )
        faults += lost + twice
    return faults


def drain(messages: int, channel: Channel, workers: int, work: Callable[[], object], reached: Gateways) -> Drained:
    queued = queue(messages, channel)
    connection.close()
    context = multiprocessing.get_context("fork")
    begin, results = context.Barrier(workers + 1), context.SimpleQueue()

    def worker() -> None:
        connection.ensure_connection()
        sweep(timezone.now() - timedelta(days=900))  # finds nothing, and has then loaded and planned what there is
        begin.wait()
        spent = time.process_time()
        work()
        results.put(time.process_time() - spent)

    processes = [context.Process(target=worker) for _ in range(workers)]
    for process in processes:
        process.start()
    begin.wait()
    began = time.perf_counter()
    spent = sum(results.get() for _ in processes)
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    came = Counter(reached.came_in() if work is not claim_all else claimed(queued))
    twice = sum(count - 1 for count in came.values())
    lost = len(queued - set(came))
    unrecorded = OutboxMessage.objects.filter(reference__in=queued).exclude(state=OutboxState.SENT).count()
    OutboxMessage.objects.filter(reference__in=queued).delete()
    return Drained(seconds, spent, lost + (unrecorded if work is not claim_all else 0), twice)


def claim_all() -> None:
    now = timezone.now()
    while services._claim_next(now) is not None:
        pass


def claimed(queued: set[str]) -> list[str]:
    """Return what was claimed, each as often as it was."""
    rows = OutboxMessage.objects.filter(reference__in=queued, state=OutboxState.SENDING)
    return [str(one.reference) for one in rows.only("reference", "attempts") for _ in range(one.attempts)]


def queue(count: int, channel: Channel) -> set[str]:
    """Queue so many, each to an address of its own; return their keys."""
    now = timezone.now()
    made = []
    for number in range(count):
        address = f"+4798{number:06}" if channel == Channel.SMS else f"made.up.{number}@patients.example"
        made.append(
            OutboxMessage(
                reference=uuid.uuid4(),
                recipient=f"new{number}",
                purpose="reminder",
                channel=channel,
                address=address,
                address_index=address_index(address),
                subject="" if channel == Channel.SMS else "Time på video",
                body=BODY,
                sender="Benchmark",
                due_at=now,
                created_at=now,
            )
        )
    OutboxMessage.objects.bulk_create(made, batch_size=500)
    return {str(one.reference) for one in made}


if __name__ == "__main__":
    told_conditions()
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES) else 0)
