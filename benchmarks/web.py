"""Pages and the API over HTTP, from the product's own web server: python -m benchmarks.web [seconds]

Everything is compared with a page of one query on the same server, in the same round. The booking clients send complete
bookings of free times with keys of their own; eight at once. Every figure is the median of three rounds.

Beside them stands a bare Django site (benchmarks/floor.py). The goals were set on a machine that gave `REFERENCE` of its
pages a second: what the product takes of the processors, divided by what that page takes, tells what it gives there.
"""

import json
import random
import statistics
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import cycle, islice
from pathlib import Path
from urllib.error import URLError

from benchmarks.environment import ready, told_conditions

ready()

import os  # noqa: E402

import psutil  # noqa: E402
from allauth.usersessions.models import UserSession  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_otp import DEVICE_ID_SESSION_KEY  # noqa: E402

from apps.accounts.models import Authenticator, User  # noqa: E402
from apps.accounts.services import create_api_key  # noqa: E402
from apps.catalogue.models import ServiceType  # noqa: E402
from apps.common.errors import DomainError  # noqa: E402
from apps.organisations.models import Membership, Role  # noqa: E402
from apps.organisations.sessions import SessionStore  # noqa: E402
from apps.patients.models import CareRelation, Patient  # noqa: E402
from apps.scheduling.models import BookingDraft  # noqa: E402
from apps.scheduling.queries import BookingRequest, OpenTime, open_times  # noqa: E402
from apps.scheduling.services import book_appointment  # noqa: E402
from benchmarks.data import JOINT_SERVICES, filled, fresh_copy  # noqa: E402
from benchmarks.load import ONLY_FOUND, in_turns, together, written  # noqa: E402
from benchmarks.measure import ms, percentile, row  # noqa: E402
from portal.launch import processes, programs, servers  # noqa: E402

BOOKINGS = 100_000
SECONDS = 5.0
CLIENTS = 8
ROUNDS = 3
HISTORY = 500
TURNS = 15
PATIENTS = 2_000
TRIVIAL = "trivial page (one query)"
PAGE = "booking: first times, whole page"
UNDRAWN = "booking: first times, not drawn"
SIGNED_IN = "trivial page, signed in"
DRAWN = "trivial page, signed in, drawing that page"
TIMES = "API: first 20 times, joint of 3"
BOOKING = "API: complete booking of a free time"
HTMX = {"HX-Request": "true", "HX-Target": "steg"}
WORKERS = 2
FLOOR = "a bare Django's page (one query)"
REFERENCE = 2_733  # bare pages a second: granian over WSGI, two workers, two cores, the database beside it

Wish = tuple[ServiceType, datetime]
Server = tuple[int, int]  # its port, and its process


@dataclass
class Figures:
    """What one kind of request came to, a value for each round."""

    half: list[float] = field(default_factory=list)
    tail: list[float] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)


def main(seconds: float) -> int:
    call_command("collectstatic", "--no-input", verbosity=0)
    fresh_copy(filled(BOOKINGS))
    user = booker()
    services = list(ServiceType.objects.select_related("unit", "scenario").order_by("pk")[:JOINT_SERVICES])
    _, key = create_api_key(user=user, name="benchmark", now=timezone.now())
    patients = known_patients(user)
    cookie, booking_page = session_of(user), draft_of(user, services[0])
    signed_in, times = {"Cookie": cookie}, times_of_api(key, services)
    pages: dict[str, list[bytes]] = {
        TRIVIAL: page("/trivial/"),
        SIGNED_IN: page("/trivial/", **signed_in),
        TIMES: times,
        "booking: first times, fragment": page(booking_page, **signed_in, **HTMX),
        PAGE: page(booking_page, **signed_in),
        UNDRAWN: page(booking_page, **signed_in, **{ONLY_FOUND: "1"}),
        DRAWN: page(booking_page.replace("/bestill/", "/drawn/"), **signed_in),
    }
    wishes = wishes_of(services)
    book_some(user, islice(wishes, HISTORY), patients)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself once it has run for a while
    asked: dict[str, Iterator[bytes]] = {name: cycle(requests) for name, requests in pages.items()}
    asked[BOOKING] = bookings_of(key, wishes, patients)
    connection.close()
    figures = {name: Figures() for name in asked}
    figures[FLOOR] = Figures()
    with server() as product, server("benchmarks.floor:application", asked_for="/page") as bare:
        served = {name: (product, requests) for name, requests in asked.items()}
        served[FLOOR] = bare, cycle(page("/page"))
        for _ in range(ROUNDS):
            measured_alone(figures, served)
            for name, (server_of, requests) in served.items():
                measured_together(figures[name], server_of, requests, seconds)
    row(f"granian, {WORKERS} workers", "p50", "p99", "x trivial", f"{CLIENTS} clients/s", "processor", "answers")
    for name, found in figures.items():
        told(name, found)
    compared(figures)
    answers = sum((found.answers for name, found in figures.items() if name != BOOKING), Counter[int]())
    return 0 if set(answers) == {200} and set(figures[BOOKING].answers) <= {201, 409} else 1


def measured_alone(figures: dict[str, Figures], served: Mapping[str, tuple[Server, Iterator[bytes]]]) -> None:
    """Let one client ask for one kind after the other, in short turns."""
    taken = in_turns({name: (port, asked) for name, ((port, _), asked) in served.items()}, turns=TURNS)
    least = statistics.median(taken[TRIVIAL])
    for name, times in taken.items():
        found = figures[name]
        found.half.append(statistics.median(times))
        found.tail.append(percentile(times, 99))
        found.ratio.append(found.half[-1] / least)


def measured_together(found: Figures, server: Server, requests: Iterator[bytes], seconds: float) -> None:
    """Let eight clients ask for one kind at once."""
    port, pid = server
    spent = processor_ms_of(pid)
    counts, took = together(port, requests, clients=CLIENTS, seconds=seconds)
    found.spent.append((processor_ms_of(pid) - spent) / sum(counts.values()))
    found.rate.append(sum(count for status, count in counts.items() if status < 300) / took)
    found.answers += counts


def compared(figures: Mapping[str, Figures]) -> None:
    """Say what the goals are about: ratios, which carry over from machine to machine."""
    beside, without = [], []
    for trivial, trivial_signed_in, drawn, whole in zip(
        *(figures[name].half for name in (TRIVIAL, SIGNED_IN, DRAWN, PAGE)), strict=True
    ):
        drawing = drawn - trivial_signed_in
        beside.append(whole / (trivial + drawing))
        without.append((whole - drawing) / trivial)
    undrawn, trivial_page = figures[UNDRAWN], figures[TRIVIAL]
    spent = [found / least for found, least in zip(undrawn.spent, trivial_page.spent, strict=True)]
    print(
        f"    the booking page is {statistics.median(beside):.1f} x (the trivial page + its drawing);"
        f" without its drawing {statistics.median(undrawn.ratio):.2f} x the trivial page, measured so"
        f" ({statistics.median(spent):.2f} x its processor time), and {statistics.median(without):.2f} x by subtraction"
    )
    bare_page = statistics.median(figures[FLOOR].spent)
    for name in (TIMES, BOOKING):
        times = statistics.median(figures[name].spent) / bare_page
        print(
            f"    {name}: {times:.1f} x a bare page's processor time; where that gives {REFERENCE:,}/s, {REFERENCE / times:,.0f}/s"
        )


def told(name: str, found: Figures) -> None:
    row(
        name,
        ms(statistics.median(found.half)),
        ms(statistics.median(found.tail)),
        f"{statistics.median(found.ratio):.1f}",
        f"{statistics.median(found.rate):,.0f}",
        ms(statistics.median(found.spent)),
        " ".join(f"{status}:{count}" for status, count in sorted(found.answers.items())),
    )


def booker() -> User:
    user = User.objects.create(email="benchmark@videotime.example")
    unit = ServiceType.objects.order_by("pk").values_list("unit", flat=True)[0]
    Membership.objects.create(user=user, unit_id=unit, role=Role.BOOKER, valid_from=timezone.localdate())
    Authenticator.objects.create(user=user, name="benchmark", confirmed=True)
    return user


def session_of(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[DEVICE_ID_SESSION_KEY] = Authenticator.objects.get(user=user).persistent_id
    session.create()
    UserSession.objects.create(user=user, session_key=session.session_key, ip="127.0.0.1")
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def draft_of(user: User, service: ServiceType) -> str:
    unit = Membership.objects.get(user=user).unit
    draft = BookingDraft.objects.create(
        user=user, unit=unit, service_type=service, choices={"no_patient": True, "details_done": True}
    )
    return f"/bestill/{draft.uid}/?step=time"


def known_patients(user: User) -> list[Patient]:
    """Add patients whom the user may book for, as many as a unit has."""
    unit = Membership.objects.select_related("unit").get(user=user).unit
    patients = Patient.objects.bulk_create(
        Patient(
            organisation_id=unit.organisation_id,
            given_name="Made",
            family_name=f"Up {n}",
            birth_date=date(1950, 1, 1),
            person_index=n.to_bytes(32, "big"),
        )
        for n in range(PATIENTS)
    )
    CareRelation.objects.bulk_create(
        CareRelation(patient=patient, unit=unit, since=timezone.localdate()) for patient in patients
    )
    return patients


def page(path: str, **headers: str) -> list[bytes]:
    return [written("GET", path, headers=headers)]


def times_of_api(key: str, services: list[ServiceType]) -> list[bytes]:
    bodies = [json.dumps({"service_type": str(service.uid), "limit": 20}) for service in services]
    return [written("POST", "/api/v1/open-times", body, headers=with_key(key)) for body in bodies]


def wishes_of(services: list[ServiceType]) -> Iterator[Wish]:
    """Name free times in any order; none takes another's people, so that each is still free when it is asked for."""
    wishes: list[Wish] = []
    taken: dict[int, list[OpenTime]] = defaultdict(list)
    for service in services:
        request = BookingRequest(service, requester_unit=service.unit)
        for free in open_times(request, now=timezone.now(), limit=None):
            theirs = [taken[one.schedule_id] for one in free.who]
            if any(
                free.starts_at < other.ends_at and other.starts_at < free.ends_at for some in theirs for other in some
            ):
                continue
            wishes.append((service, free.starts_at))
            for some in theirs:
                some.append(free)
    random.Random(5).shuffle(wishes)
    return iter(wishes)


def book_some(user: User, wishes: Iterable[Wish], patients: list[Patient]) -> None:
    """Give some of the patients appointments already: what is measured is no first day, with every table empty."""
    now, chance = timezone.now(), random.Random(7)
    for service, starts_at in wishes:
        request = BookingRequest(service, requester_unit=service.unit, patient=chance.choice(patients))
        with suppress(DomainError):  # this patient has something else then
            book_appointment(request=request, starts_at=starts_at, actor=user, now=now)


def bookings_of(key: str, wishes: Iterable[Wish], patients: list[Patient]) -> Iterator[bytes]:
    chance = random.Random(6)
    for service, starts_at in wishes:
        wanted = {
            "service_type": service.uid,
            "starts_at": starts_at.isoformat(),
            "patient": chance.choice(patients).uid,
        }
        body = json.dumps(wanted, default=str)
        headers = {**with_key(key), "Idempotency-Key": f"{random.getrandbits(128):032x}"}
        yield written("POST", "/api/v1/appointments", body, headers=headers)


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def processor_ms_of(pid: int) -> float:
    """Return the processor time that the web server and the database have taken so far, on this machine."""
    everyone = {psutil.Process(pid), *psutil.Process(pid).children(recursive=True)}
    everyone |= {one for one in psutil.process_iter(["name"]) if one.info["name"] == "postgres"}
    total = 0.0
    for one in everyone:
        with suppress(psutil.NoSuchProcess):
            spent = one.cpu_times()
            total += spent.user + spent.system
    return total * 1000


@contextmanager
def server(application: str = "", *, asked_for: str = "/healthz") -> Iterator[Server]:
    """Run the web server as in production, on a free port; yield that and its process."""
    port = servers.free_port()
    command = programs.web(host="127.0.0.1", port=port, workers=WORKERS)
    if application:
        command = [application if part == "portal.wsgi:application" else part for part in command]

    def answers() -> bool:
        with suppress(URLError, ConnectionError), urllib.request.urlopen(f"http://127.0.0.1:{port}{asked_for}"):
            return True
        return False

    with running("web", command, answers) as pid:
        yield port, pid


@contextmanager
def running(name: str, command: programs.Command, answers: Callable[[], bool]) -> Iterator[int]:
    """Run one of the programs until the block ends; begin the block when it answers."""
    log = Path(os.environ["VAR"]) / "log" / f"benchmark-{name}.log"
    child = processes.start(name, command, log=log, env=os.environ)
    try:
        for _ in range(200):
            time.sleep(0.1)
            if child.ended():
                sys.exit(child.obituary())
            if answers():
                break
        yield child.process.pid
    finally:
        processes.stop([child])


if __name__ == "__main__":
    told_conditions()
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
