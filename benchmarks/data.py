"""Databases to measure on: a thousand schedules, and as many bookings as asked for.

Everyone works Monday to Friday 8-16. Bookings are half-hours; at most 60 % of the six weeks from next Monday are
booked, and bookings above that are history, as in a portal that has been in use for years. The same numbers give the
same bookings.
"""

import hashlib
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from benchmarks.environment import bench_name, server_url

OSLO = ZoneInfo("Europe/Oslo")
SCHEDULES = 1000
DAYS = 42
CELLS_A_DAY = 16
CELL = timedelta(minutes=30)
FULL = 0.6
JOINT_SERVICES = 100
POOL_SERVICES = 50


@dataclass(frozen=True)
class Filled:
    """A filled database: its name, and the Monday from which is searched."""

    name: str
    bookings: int
    monday: date

    @property
    def now(self) -> datetime:
        return datetime.combine(self.monday, time(0), OSLO).astimezone(UTC)


def next_monday() -> date:
    today = datetime.now(OSLO).date()
    return today + timedelta(days=7 - today.weekday())


def filled(bookings: int) -> Filled:
    """Return the database for this many bookings; fill it unless it was filled for this week."""
    monday = next_monday()
    name = bench_name(str(bookings))
    mark = f"videotime benchmark {SCHEDULES} {bookings} {monday} {_schema()}"
    with psycopg.connect(server_url("postgres"), autocommit=True) as server:
        found = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        if found == (mark,):
            use(name)
            return Filled(name, bookings, monday)
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        use(name)
        _fill(bookings, monday)
        server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))
    return Filled(name, bookings, monday)


def _schema() -> str:
    """Return what changes when a migration does."""
    migrations = sorted(Path(__file__).parent.parent.glob("apps/*/migrations/*.py"))
    return hashlib.sha256(b"".join(one.read_bytes() for one in migrations)).hexdigest()[:12]


def fresh_copy(original: Filled) -> None:
    """Go over to a copy that may be written to; the copy of last time is dropped."""
    from django.db import connection

    name = sql.Identifier(f"{original.name}_copy")
    connection.close()
    with psycopg.connect(server_url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(original.name)))
    use(f"{original.name}_copy")


def use(name: str) -> None:
    """Let Django, and what is started from here, work on this database."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = server_url(name)


def bookings_of(schedules: list[int], bookings: int, monday: date) -> Iterator[tuple[int, datetime, datetime]]:
    """Yield schedule, start and end; no two overlap for one schedule."""
    rnd = random.Random(7)
    days = [monday + timedelta(days=n) for n in range(DAYS) if n % 7 < 5]
    ahead = min(bookings, int(len(schedules) * len(days) * CELLS_A_DAY * FULL))
    for n, schedule in enumerate(schedules):
        for cell in rnd.sample(range(len(days) * CELLS_A_DAY), ahead // len(schedules) + (n < ahead % len(schedules))):
            yield schedule, *_cell(days[cell // CELLS_A_DAY], cell % CELLS_A_DAY)
    past = bookings - ahead
    for n, schedule in enumerate(schedules):
        left, day = past // len(schedules) + (n < past % len(schedules)), monday
        while left > 0:
            day -= timedelta(days=1)
            if day.weekday() < 5:
                for cell in rnd.sample(range(CELLS_A_DAY), min(12, left)):
                    left -= 1
                    yield schedule, *_cell(day, cell)


def _cell(day: date, cell: int) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(8), OSLO).astimezone(UTC) + cell * CELL
    return start, start + CELL


def _fill(bookings: int, monday: date) -> None:
    from django.core.management import call_command
    from django.db import connection

    from apps.scheduling.models import Occupancy, OccupancyKind

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET maintenance_work_mem = '512MB'")
    schedules = _people()
    _services(schedules)
    with connection.schema_editor() as editor:  # an index is made sooner of all rows than row by row
        for constraint in Occupancy._meta.constraints:
            editor.remove_constraint(Occupancy, constraint)
        for index in Occupancy._meta.indexes:
            editor.remove_index(Occupancy, index)
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY scheduling_occupancy (schedule_id, during, kind) FROM STDIN") as copy,
    ):
        for schedule, start, end in bookings_of(schedules, bookings, monday):
            copy.write_row((schedule, f"[{start.isoformat()},{end.isoformat()})", OccupancyKind.BUSY.value))
    with connection.schema_editor() as editor:
        for constraint in Occupancy._meta.constraints:
            editor.add_constraint(Occupancy, constraint)
        for index in Occupancy._meta.indexes:
            editor.add_index(Occupancy, index)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def _people() -> list[int]:
    from apps.organisations.models import Organisation, OrganisationKind, Unit, UnitKind
    from apps.scheduling.models import Opening, Schedule, ScheduleKind

    hospital = Organisation.objects.create(name="Hospital", kind=OrganisationKind.HOSPITAL_TRUST, number="100000002")
    units = Unit.objects.bulk_create(
        Unit(organisation=hospital, name=f"Unit {n}", kind=UnitKind.OUTPATIENT_CLINIC)
        for n in range(JOINT_SERVICES + POOL_SERVICES)
    )
    schedules = Schedule.objects.bulk_create(
        Schedule(kind=ScheduleKind.CLINICIAN, name=f"Person {n}", unit=units[0]) for n in range(SCHEDULES)
    )
    Opening.objects.bulk_create(
        Opening(schedule=schedule, weekday=weekday, starts=time(8), ends=time(16))
        for schedule in schedules
        for weekday in range(5)
    )
    return [schedule.pk for schedule in schedules]


def _services(schedules: list[int]) -> None:
    """Make services of three named people each, and services of any of 50, one named, and any of 20."""
    from apps.catalogue.models import PortalUse, Scenario, ServiceType
    from apps.organisations.models import Unit
    from apps.scheduling.models import Need, NeedSource, ParticipantRole, Team, TeamMember

    rnd = random.Random(3)
    scenario = Scenario.objects.create(
        code="benchmark",
        names={"nb": "Benchmark"},
        family="general",
        kind="planned",
        priority=1,
        portal_use=PortalUse.BOOK,
        form="general",
        defaults={},
    )
    services = ServiceType.objects.bulk_create(
        ServiceType(
            unit=unit,
            scenario=scenario,
            names={"nb": "Benchmark"},
            form="general",
            shortest_notice_minutes=0,
            horizon_days=DAYS,
            patient_present=False,
        )
        for unit in Unit.objects.order_by("pk")
    )
    roles = [ParticipantRole.PERFORMER, ParticipantRole.REQUESTER, ParticipantRole.INTERPRETER]
    for service in services[:JOINT_SERVICES]:
        Need.objects.bulk_create(
            Need(service_type=service, role=role, source=NeedSource.SCHEDULE, schedule_id=schedule, position=position)
            for position, (role, schedule) in enumerate(zip(roles, rnd.sample(schedules, 3), strict=True))
        )
    for service in services[JOINT_SERVICES:]:
        people = rnd.sample(schedules, 71)
        for position, (role, pool) in enumerate(zip(roles, [people[:50], [people[50]], people[51:]], strict=True)):
            team = Team.objects.create(unit=service.unit, name=role)
            TeamMember.objects.bulk_create(
                TeamMember(team=team, schedule_id=schedule, position=place) for place, schedule in enumerate(pool)
            )
            Need.objects.create(service_type=service, role=role, source=NeedSource.TEAM, team=team, position=position)
