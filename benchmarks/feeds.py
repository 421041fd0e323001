"""What calendar programs fetch and what people see of their week: python -m benchmarks.feeds

One person takes part in 500 sessions, from three weeks ago on; 80 of them are this week's. In process: the feed's text
built from rows that are read already, and the whole of it from the database. Over HTTP, from the product's own web
server, one client in short turns: the feed, the feed when the program has it already (its ETag matches), the week as a
list and as the calendar's events. Everything is compared with a page of one query on the same server.
"""

import statistics
import sys
import urllib.request
import uuid
from datetime import datetime, timedelta
from itertools import cycle
from typing import Final
from urllib.parse import urlencode

from benchmarks.environment import ready, told_conditions

ready()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.calendars import ics, queries, services  # noqa: E402
from apps.catalogue.models import ServiceType  # noqa: E402
from apps.organisations.models import Membership, Role  # noqa: E402
from apps.scheduling.models import (  # noqa: E402
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    Participant,
    ParticipantRole,
    Schedule,
)
from apps.scheduling.services import schedule_for_patient  # noqa: E402
from benchmarks.data import OSLO, filled, fresh_copy  # noqa: E402
from benchmarks.load import in_turns  # noqa: E402
from benchmarks.measure import ms, percentile, row, times_of  # noqa: E402
from benchmarks.pages import watched  # noqa: E402
from benchmarks.web import TRIVIAL, booker, known_patients, page, server, session_of  # noqa: E402

BOOKINGS: Final = 100_000
SESSIONS: Final = 500
THIS_WEEK: Final = 80
REPEATS: Final = 50
TURNS: Final = 15
FEED = "the feed, 500 events"
MATCHES = "the feed, when the ETag matches"
WEEK = "the week as a list, 80 visits"
EVENTS = "the week as events, 80 visits"
GOALS: Final = {FEED: "3 ms", MATCHES: "1 x", WEEK: "3 ms", EVENTS: "3 ms"}
QUERIES: Final = {WEEK: 3, EVENTS: 3}


def main() -> int:
    call_command("collectstatic", "--no-input", verbosity=0)
    fresh_copy(filled(BOOKINGS))
    user = booker()
    monday = this_monday()
    sessions_for(user, monday)
    now = timezone.now()
    token = services.open_feed(user=user, now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    told_built(token.user, now)
    feed = "/feeds/" + services.feed_url(token).rpartition("/")[2]
    window = urlencode({"start": monday.isoformat(), "end": (monday + timedelta(days=7)).isoformat()})
    cookie = session_of(user)
    paths = {
        TRIVIAL: "/trivial/",
        FEED: feed,
        WEEK: "/kalender/?visning=liste",
        EVENTS: f"/kalender/hendelser.json?{window}",
    }
    signed_in: dict[str, dict[str, str]] = {WEEK: {"Cookie": cookie}, EVENTS: {"Cookie": cookie}}
    asked = {name: queries_of(path, signed_in.get(name, {})) for name, path in paths.items()}
    asked[MATCHES] = queries_of(feed, {"If-None-Match": "*"}, expected=304)
    connection.close()
    with server() as (port, _pid):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{feed}") as answer:
            etag = answer.headers["ETag"]
        requests = {name: page(path, **signed_in.get(name, {})) for name, path in paths.items()}
        requests[MATCHES] = page(feed, **{"If-None-Match": etag})
        taken = in_turns({name: (port, cycle(one)) for name, one in requests.items()}, turns=TURNS)
    row("over HTTP, one client", "p50", "p99", "x trivial", "queries", "goal", "goal, queries")
    least = statistics.median(taken[TRIVIAL])
    for name, times in taken.items():
        half = statistics.median(times)
        row(
            name,
            ms(half),
            ms(percentile(times, 99)),
            f"{half / least:.1f}",
            asked[name],
            GOALS.get(name, ""),
            QUERIES.get(name, ""),
        )
    return 0


def told_built(user: User, now: datetime) -> None:
    """Say what the feed takes in this process: its text alone, and from the database on."""
    sessions, _state = queries.sessions_of(user, now=now)
    connection.ensure_connection()
    pid = int(connection.connection.info.backend_pid)
    row("in process", "p50", "p99", "processor", "goal p50")
    for name, work in (
        ("the feed's text, 500 events", lambda _: ics.feed(sessions, name="Video sessions")),
        ("the feed read and built, 500 events", lambda _: ics.feed(queries.sessions_of(user, now=now)[0], name="V")),
    ):
        work(0)
        found = times_of(work, range(REPEATS), pid)
        row(name, ms(found.half), ms(found.tail), ms(found.processor), "3 ms")
    assert len(sessions) == SESSIONS


def queries_of(path: str, headers: dict[str, str], *, expected: int = 200) -> int:
    """Count what an address asks of the database, once it has been asked before."""
    client = Client(headers=headers)
    for _ in range(2):
        with watched() as asked:
            status = client.get(path).status_code
        if status != expected:
            sys.exit(f"{path.split('/')[1]}: {status}")
    return asked.queries


def this_monday() -> datetime:
    today = datetime.now(OSLO).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday())


def sessions_for(user: User, monday: datetime) -> None:
    """Let a person take part in sessions: 80 this week, the others in the weeks before and after."""
    service = ServiceType.objects.select_related("unit").order_by("pk")[0]
    patients = known_patients(user)[:SESSIONS]
    Membership.objects.create(user=user, unit=service.unit, role=Role.CLINICIAN, valid_from=timezone.localdate())
    diary = Schedule.objects.filter(user=None, kind="clinician").order_by("pk")[0]
    diary.user = user
    diary.save(update_fields=["user"])
    made = Appointment.objects.bulk_create(
        Appointment(
            uid=uuid.uuid4(),
            service_type=service,
            patient=patient,
            requester_unit=service.unit,
            performer_unit=service.unit,
            starts_at=(starts_at := start_of(number, monday)),
            ends_at=starts_at + timedelta(minutes=20),
            status=AppointmentStatus.BOOKED,
            booked_by=user,
            booked_at=monday - timedelta(days=30),
        )
        for number, patient in enumerate(patients)
    )
    people = ((ParticipantRole.PERFORMER, lambda _: diary), (ParticipantRole.PATIENT, schedule_for_patient))
    for role, schedule_of in people:
        Participant.objects.bulk_create(
            Participant(appointment=one, role=role, schedule=schedule_of(one.patient)) for one in made
        )
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(appointment=one, kind=EventKind.BOOKED, version=0, at=one.booked_at, actor=user)
        for one in made
    )


def start_of(number: int, monday: datetime) -> datetime:
    """Spread 16 a day over the five days of a week, half an hour from one to the next: 80 a week, three weeks back."""
    week, place = divmod(number, THIS_WEEK)
    day, turn = divmod(place, 16)
    return monday + timedelta(weeks=week if week < 4 else 3 - week, days=day, hours=8, minutes=30 * turn)


if __name__ == "__main__":
    told_conditions()
    sys.exit(main())
