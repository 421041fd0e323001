"""Pages that show sessions, when there are years of them: python -m benchmarks.pages [sessions]

150 units have shared the sessions for 700 days. Time is this process's, with the product's middleware and templates; what
of it passes in the database stands beside it, and should not grow with the years. Each figure is a median.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from benchmarks.environment import ready, told_conditions

ready()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.catalogue.models import ServiceType  # noqa: E402
from apps.organisations.models import Membership, Role  # noqa: E402
from apps.scheduling.models import Appointment  # noqa: E402
from benchmarks.data import filled, fresh_copy  # noqa: E402
from benchmarks.measure import ms, row  # noqa: E402
from benchmarks.web import book_some, booker, known_patients, session_of, wishes_of  # noqa: E402

SIZES: Final = (10_000, 100_000)
BOOKINGS: Final = 100_000
ROUNDS: Final = 30

# Rows are made from one that was booked, with other values where they differ.
_SESSIONS: Final = """
UPDATE scheduling_schedule SET unit_id = 1 + id %% 150 WHERE kind <> 'patient';
INSERT INTO scheduling_appointment
SELECT made.* FROM scheduling_appointment booked, generate_series(1, %(sessions)s) AS n,
       LATERAL (SELECT now() + (20 - n / 150 %% 700) * interval '1 day' AS starts) AS at,
       LATERAL jsonb_populate_record(booked, jsonb_build_object(
           'id', nextval(pg_get_serial_sequence('scheduling_appointment', 'id')), 'uid', gen_random_uuid(),
           'reference', 'X' || n, 'performer_unit_id', 1 + n %% 150, 'requester_unit_id', 1 + (n + 1 + n %% 7) %% 150,
           'starts_at', at.starts, 'ends_at', at.starts + interval '30 minutes',
           'status', CASE WHEN at.starts < now() THEN 'fulfilled' ELSE 'booked' END)) AS made
 WHERE booked.id = (SELECT min(id) FROM scheduling_appointment);
ANALYZE scheduling_appointment;
WITH who AS MATERIALIZED (
    SELECT unit_id, min(id) AS id FROM scheduling_schedule WHERE kind <> 'patient' GROUP BY unit_id
)
INSERT INTO scheduling_participant
SELECT made.* FROM scheduling_participant coming, scheduling_appointment session
  JOIN who ON who.unit_id IN (session.performer_unit_id, session.requester_unit_id),
       LATERAL jsonb_populate_record(coming, jsonb_build_object(
           'id', nextval(pg_get_serial_sequence('scheduling_participant', 'id')), 'uid', gen_random_uuid(),
           'appointment_id', session.id, 'schedule_id', who.id)) AS made
 WHERE coming.id = (SELECT min(id) FROM scheduling_participant WHERE role = 'performer')
   AND session.reference LIKE 'X%%';
INSERT INTO registration_registration (uid, appointment_id, unit_id, organisation_id, state, sheet, held_at,
                                       dips_contact_id, settled_at, settled_by_id, not_needed_reason, version)
SELECT gen_random_uuid(), session.id, unit.id, unit.organisation_id, CASE WHEN waits THEN 'awaiting' ELSE 'registered' END,
       '[]', session.starts_at, '', CASE WHEN NOT waits THEN session.ends_at END, CASE WHEN NOT waits THEN %(user)s END, '', 0
  FROM scheduling_appointment session
  JOIN organisations_unit unit ON unit.id = session.performer_unit_id,
       LATERAL (SELECT session.starts_at > now() - interval '10 days' AS waits) AS fresh
 WHERE session.status = 'fulfilled';
"""


@dataclass
class Asked:
    """What a page asked of the database."""

    queries: int = 0
    taken: float = 0.0


def main(sizes: list[int]) -> int:
    call_command("collectstatic", "--no-input", verbosity=0)
    row("page", "sessions", "p50", "database", "queries", "answer")
    wrong = 0
    for size in sizes:
        user, reference = years_of(size)
        client = Client(headers={"Cookie": session_of(user)})
        for name, path in {
            "the day": "/i-dag/",
            "the week, as a list": "/kalender/?visning=liste",
            "one appointment": f"/timer/{reference}/",
            "DIPS: to do": "/dips/",
            "DIPS: registered": "/dips/?view=registered",
            "DIPS: all": "/dips/?view=all",
            "DIPS: by unit": "/dips/mangler/",
        }.items():
            wrong += measured(name, size, client, path)
        connection.close()
    return wrong


def years_of(sessions: int) -> tuple[User, str]:
    """Fill a copy with sessions; return who works in one of the units, and the reference of her appointment."""
    fresh_copy(filled(BOOKINGS))
    user = booker()
    service = ServiceType.objects.select_related("unit", "scenario").order_by("pk")[0]
    book_some(user, islice(wishes_of([service]), 3), known_patients(user))
    for role in (Role.CLINICIAN, Role.CLERK, Role.DIPS_COORDINATOR):
        Membership.objects.create(user=user, unit=service.unit, role=role, valid_from=timezone.localdate())
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(_SESSIONS, {"sessions": sessions, "user": user.pk})
        cursor.execute("VACUUM ANALYZE")
    return user, Appointment.objects.earliest("pk").reference


def measured(name: str, sessions: int, client: Client, path: str) -> int:
    taken, within, status = [], [], 0
    for _ in range(ROUNDS):
        with watched() as asked:
            begin = time.perf_counter()
            status = client.get(path).status_code
            taken.append((time.perf_counter() - begin) * 1000)
        within.append(asked.taken)
    row(name, f"{sessions:,}", ms(statistics.median(taken)), ms(statistics.median(within)), asked.queries, status)
    return status != 200


@contextmanager
def watched() -> Iterator[Asked]:
    asked = Asked()

    def noted(execute: Callable[..., Any], *statement: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            asked.queries += 1
            asked.taken += (time.perf_counter() - begin) * 1000

    with connection.execute_wrapper(noted):
        yield asked


if __name__ == "__main__":
    told_conditions()
    sys.exit(main([int(size) for size in sys.argv[1:]] or list(SIZES)))
