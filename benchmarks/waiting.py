"""A full waiting room: python -m benchmarks.waiting [patients]

So many patients, all from one address, open their links within forty seconds. Each proves her birth date, has her
camera tried and waits; her host, who has sat in the call for a while, sees her come and lets her in after a moment.
Five people of the unit reload its day all the while. Web server and socket server are the product's own, the sockets
real ones; clients, servers and database share the processors.

First come ten patients one after the other, each alone in the portal with her host: what the rush costs stands as a
ratio to that. Nobody may be turned away: an answer that is not the expected one, or a socket that is closed, fails the
run.
"""

import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.environment import ready, told_conditions

ready()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from websockets.asyncio.client import ClientConnection, connect  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402

from apps.accounts.models import Authenticator, User  # noqa: E402
from apps.catalogue.models import ServiceType  # noqa: E402
from apps.organisations.models import Membership, Role  # noqa: E402
from apps.patients.models import Patient  # noqa: E402
from apps.rooms.services import link_for  # noqa: E402
from apps.scheduling.models import Appointment, Participant, ParticipantRole, Schedule  # noqa: E402
from apps.scheduling.services import schedule_for_patient  # noqa: E402
from benchmarks.data import filled, fresh_copy  # noqa: E402
from benchmarks.load import END_OF_HEAD, written  # noqa: E402
from benchmarks.measure import ms, percentile, row  # noqa: E402
from benchmarks.web import booker, known_patients, running, server, session_of  # noqa: E402
from portal.launch import programs, servers  # noqa: E402

BOOKINGS: Final = 100_000
PATIENTS: Final = 100
ALONE: Final = 10
WITHIN: Final = 40.0
HOST_TAKES: Final = 3.0
RELOADING: Final = 5
RELOAD_EVERY: Final = 2.0
PATIENCE: Final = 180.0

LINK = "link page"
PROOF = "proof of birth date"
WORD = "first word on the socket"
HEARD = "let in, until the patient hears it"
DAY = "the unit's day, reloaded"
KINDS: Final = (LINK, PROOF, WORD, HEARD, DAY)


@dataclass
class Visit:
    """A patient who comes, and her host."""

    link: str
    participant: str
    reference: str
    host: str
    """The cookie of the host's session."""
    let_in: float = 0.0


@dataclass
class Found:
    """What was measured, in ms, and who was turned away by what."""

    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    turned_away: Counter[str] = field(default_factory=Counter)


class TurnedAway(Exception):
    """The reason, in a few words."""


class Browser:
    """Asks for one page after the other, each on a connection of its own, as they come from a proxy."""

    def __init__(self, ports: "Ports", cookies: str = "") -> None:
        self.ports = ports
        self.cookies = SimpleCookie(cookies)

    async def get(self, path: str, *, expected: int = 200) -> bytes:
        return await self._ask("GET", path, "", expected)

    async def post(self, path: str, **typed: str) -> None:
        body = urlencode({**typed, "csrfmiddlewaretoken": self.cookies["csrftoken"].value})
        await self._ask("POST", path, body, 302)

    async def ticket(self, path: str) -> str:
        return str(json.loads(await self.get(path))["ticket"])

    def socket(self) -> connect:
        return connect(
            f"ws://127.0.0.1:{self.ports.sockets}/ws/rom/",
            origin=f"http://127.0.0.1:{self.ports.web}",  # type: ignore[arg-type]
            additional_headers={"Cookie": self._cookie()},
            open_timeout=PATIENCE,
            ping_interval=None,
        )

    async def _ask(self, method: str, path: str, body: str, expected: int) -> bytes:
        headers = {"Connection": "close", "Cookie": self._cookie()}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports.web)
        try:
            writer.write(written(method, path, body, headers=headers))
            head, _, content = (await reader.read()).partition(END_OF_HEAD)
        finally:
            writer.close()
        status = int(head[9:12] or 0)
        if status != expected:
            raise TurnedAway(f"{method} {path.split('/')[1]}: {status}")
        for line in head.decode("latin1").split("\r\n"):
            if line.lower().startswith("set-cookie:"):
                self.cookies.load(line.partition(":")[2].strip())
        return content

    def _cookie(self) -> str:
        return "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())


@dataclass(frozen=True)
class Ports:
    web: int
    sockets: int


def main(patients: int) -> int:
    call_command("collectstatic", "--no-input", verbosity=0)
    fresh_copy(filled(BOOKINGS))
    colleague = booker()
    visits = visits_of(colleague, ALONE + patients)
    day = session_of(colleague)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    sockets = servers.free_port()
    command = programs.sockets(host="127.0.0.1", port=sockets)
    with server() as (web, _pid), running("sockets", command, lambda: not servers.port_is_free(sockets)):
        ports = Ports(web, sockets)
        alone = asyncio.run(one_by_one(ports, visits[:ALONE], day))
        rush = asyncio.run(all_at_once(ports, visits[ALONE:], day))
    row(f"{patients} patients within {WITHIN:.0f} s", "alone, p50", "p50", "p95", "p99", "p50 x alone")
    for kind in KINDS:
        told(kind, alone.taken[kind], rush.taken[kind])
    away = alone.turned_away + rush.turned_away
    print(f"    turned away: {away.total()} of {ALONE + patients} {dict(away) if away else ''}".rstrip())
    return 1 if away else 0


def told(kind: str, alone: list[float], rush: list[float]) -> None:
    if not alone or not rush:
        row(kind, "nobody")
        return
    half = statistics.median(rush)
    row(
        kind,
        ms(statistics.median(alone)),
        ms(half),
        ms(percentile(rush, 95)),
        ms(percentile(rush, 99)),
        f"{half / statistics.median(alone):.1f}",
    )


def visits_of(colleague: User, count: int) -> list[Visit]:
    """Let so many patients have an appointment now, each with a host of her own in one unit."""
    now = timezone.now()
    service = ServiceType.objects.select_related("unit").order_by("pk")[0]
    diaries = list(Schedule.objects.filter(user=None, kind="clinician").order_by("pk")[:count])
    people = zip(known_patients(colleague), diaries, strict=False)
    return [_visit(service, colleague, patient, diary, now) for patient, diary in people]


def _visit(service: ServiceType, colleague: User, patient: Patient, diary: Schedule, now: Any) -> Visit:
    host = User.objects.create(email=f"host-{diary.pk}@videotime.example")
    Membership.objects.create(user=host, unit=service.unit, role=Role.CLINICIAN, valid_from=timezone.localdate(now))
    Authenticator.objects.create(user=host, name="benchmark", confirmed=True)
    diary.user = host
    diary.save(update_fields=["user"])
    appointment = Appointment.objects.create(
        service_type=service,
        patient=patient,
        requester_unit=service.unit,
        performer_unit=service.unit,
        starts_at=now,
        ends_at=now + timedelta(minutes=30),
        booked_by=colleague,
        booked_at=now - timedelta(days=3),
        patient_joins_alone=True,
    )
    Participant.objects.create(appointment=appointment, role=ParticipantRole.PERFORMER, schedule=diary)
    guest = Participant.objects.create(
        appointment=appointment, role=ParticipantRole.PATIENT, schedule=schedule_for_patient(patient)
    )
    code = link_for(guest, now=now).rstrip("/").rpartition("/")[2]
    return Visit(f"/j/{code}/", str(guest.uid), appointment.reference, session_of(host))


async def one_by_one(ports: Ports, visits: list[Visit], day: str) -> Found:
    found = Found()
    await served(ports, visits[0], Found())  # what is loaded and planned at the first call is not measured
    colleague = Browser(ports, day)
    for visit in visits[1:]:
        await served(ports, visit, found)
        await reloaded(colleague, found)
    return found


async def all_at_once(ports: Ports, visits: list[Visit], day: str) -> Found:
    found, chance = Found(), random.Random(8)
    hosts = []
    for visit in visits:  # they have come a while before
        sits = asyncio.Event()
        hosts.append(asyncio.create_task(expected(host(ports, visit, sits), found)))
        with suppress(TimeoutError):
            await asyncio.wait_for(sits.wait(), HOST_TAKES)
    days = [asyncio.create_task(reloading(ports, day, found)) for _ in range(RELOADING)]
    moments = sorted(chance.uniform(0, WITHIN) for _ in visits)
    await asyncio.gather(
        *(
            expected(patient(ports, one, found, after=moment), found)
            for one, moment in zip(visits, moments, strict=True)
        )
    )
    await ended([*days, *hosts])
    return found


async def served(ports: Ports, visit: Visit, found: Found) -> None:
    """Let one patient come whose host sits there already."""
    sits = asyncio.Event()
    waits = asyncio.create_task(expected(host(ports, visit, sits), found))
    with suppress(TimeoutError):
        await asyncio.wait_for(sits.wait(), HOST_TAKES)
    await expected(patient(ports, visit, found), found)
    await ended([waits])


async def expected(story: Coroutine[Any, Any, None], found: Found) -> None:
    """Count whoever was turned away, and why."""
    try:
        async with asyncio.timeout(PATIENCE):
            await story
    except TurnedAway as reason:
        found.turned_away[str(reason)] += 1
    except (OSError, ConnectionClosed, TimeoutError) as fault:
        found.turned_away[f"{story.__name__}: {type(fault).__name__}"] += 1


async def ended(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def patient(ports: Ports, visit: Visit, found: Found, *, after: float = 0.0) -> None:
    await asyncio.sleep(after)
    page, mine = Browser(ports), f"/mote/{visit.participant}"
    begin = time.perf_counter()
    await page.get(visit.link)
    begin = noted(found, LINK, begin)
    await page.post(f"{visit.link}inn/", day="1", month="1", year="1950")
    noted(found, PROOF, begin)
    await page.get(f"{mine}/", expected=302)
    await page.get(f"{mine}/kamera/")
    await page.post(f"{mine}/venterom/", camera="yes", microphone="yes")
    await page.get(f"{mine}/venterom/")
    ticket = await page.ticket(f"{mine}/billett/")
    begin = time.perf_counter()
    async with page.socket() as line:
        told = await greeted(line, ticket, "waiting")
        noted(found, WORD, begin)
        while not told["you"]["admitted"]:
            told = await heard(line)
        noted(found, HEARD, visit.let_in)
        await line.send(json.dumps({"type": "moving"}))


async def host(ports: Ports, visit: Visit, sits: asyncio.Event) -> None:
    page = Browser(ports, visit.host)
    await page.get(f"/rom/{visit.reference}/")
    ticket = await page.ticket(f"/rom/{visit.reference}/billett/")
    async with page.socket() as line:
        told = await greeted(line, ticket, "room")
        sits.set()
        while True:
            for one in told.get("waiting", []):
                await asyncio.sleep(HOST_TAKES)
                visit.let_in = time.perf_counter()
                await line.send(json.dumps({"type": "admit", "seat": one["seat"], "arrival": one["arrival"]}))
            told = await heard(line)
            while visit.let_in and told.get("waiting"):  # said while she was looking
                told = await heard(line)


async def greeted(line: ClientConnection, ticket: str, place: str) -> dict[str, Any]:
    await line.send(json.dumps({"type": "hello", "ticket": ticket, "place": place}))
    return await heard(line)


async def heard(line: ClientConnection) -> dict[str, Any]:
    """Return what the socket says next about the room."""
    while True:
        told: dict[str, Any] = json.loads(await line.recv())
        if told["type"] == "state":
            return told
        if told["type"] in {"closed", "refused"}:
            raise TurnedAway(f"socket: {told.get('why') or told.get('code')}")


async def reloading(ports: Ports, day: str, found: Found) -> None:
    page = Browser(ports, day)
    while True:
        await expected(reloaded(page, found), found)
        await asyncio.sleep(RELOAD_EVERY)


async def reloaded(page: Browser, found: Found) -> None:
    begin = time.perf_counter()
    await page.get("/i-dag/")
    noted(found, DAY, begin)


def noted(found: Found, kind: str, begin: float) -> float:
    """Note what has passed since; return what time it is."""
    now = time.perf_counter()
    found.taken[kind].append((now - begin) * 1000)
    return now


if __name__ == "__main__":
    told_conditions()
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PATIENTS))
