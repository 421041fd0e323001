"""Pages and the API over HTTP, from the product's own web server: python -m benchmarks.web [seconds]

Everything is compared with a page of one query on the same server. The booking clients send complete bookings of free
times with keys of their own; eight at once.
"""

import json
import multiprocessing
import random
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.error import URLError

from benchmarks.environment import ready, told_conditions

ready()

import os  # noqa: E402

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.cached_db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_otp import DEVICE_ID_SESSION_KEY  # noqa: E402

from apps.accounts.models import Authenticator, User  # noqa: E402
from apps.accounts.services import create_api_key  # noqa: E402
from apps.catalogue.models import ServiceType  # noqa: E402
from apps.organisations.models import Membership, Role  # noqa: E402
from apps.patients.models import CareRelation, Patient  # noqa: E402
from apps.scheduling.models import BookingDraft  # noqa: E402
from apps.scheduling.queries import BookingRequest, open_times  # noqa: E402
from apps.scheduling.views import booking  # noqa: E402
from benchmarks.data import JOINT_SERVICES, filled, fresh_copy  # noqa: E402
from benchmarks.measure import ms, percentile, row  # noqa: E402
from portal.launch import processes, programs, servers  # noqa: E402

BOOKINGS = 100_000
SECONDS = 5.0
CLIENTS = 8
ROUNDS = 300
PATIENTS = 450
TRIVIAL = "trivial page (one query)"
PAGE = "booking: first times, whole page"
WORKERS = 2

Ask = Callable[[HTTPConnection], int]


def main(seconds: float) -> int:
    call_command("collectstatic", "--no-input", verbosity=0)
    fresh_copy(filled(BOOKINGS))
    user = booker()
    services = list(ServiceType.objects.select_related("unit", "scenario").order_by("pk")[:JOINT_SERVICES])
    _, key = create_api_key(user=user, name="benchmark", now=timezone.now())
    patients = known_patients(user)
    cookie, booking_page = session_of(user), draft_of(user, services[0])
    pages = {
        TRIVIAL: page("/trivial/", ""),
        "API: first 20 times, joint of 3": times_of_api(key, services),
        "booking: first times, fragment": page(booking_page, cookie, fragment=True),
        PAGE: page(booking_page, cookie),
    }
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself once it has run for a while
    drawing = drawing_of(booking_page, cookie)
    wishes = [
        (str(service.uid), free.starts_at.isoformat())
        for service in services
        for free in open_times(BookingRequest(service, requester_unit=service.unit), now=timezone.now(), limit=None)
    ]
    random.Random(5).shuffle(wishes)
    connection.close()
    with server() as port:
        row(f"granian, {WORKERS} workers", "p50", "p99", "x trivial", f"{CLIENTS} clients/s", "answers")
        least, answers, half = 0.0, Counter[int](), 0.0
        for name, ask in pages.items():
            alone = timed(port, ask)
            half = percentile(alone, 50)
            least = least or half
            counts = together(port, [ask] * CLIENTS, seconds)
            told(name, alone, least, counts, seconds)
            answers += counts
        print(
            f"    of which drawing the page (in process): {ms(drawing)}; without it: {(half - drawing) / least:.1f} x trivial"
        )
        one = bookings_of(key, wishes[:: CLIENTS + 1], patients[:: CLIENTS + 1])
        alone = timed(port, one)
        wishes = [wish for number, wish in enumerate(wishes) if number % (CLIENTS + 1)]
        askers = [
            bookings_of(key, wishes[number::CLIENTS], patients[number + 1 :: CLIENTS + 1]) for number in range(CLIENTS)
        ]
        counts = together(port, askers, seconds)
        told("API: complete booking of a free time", alone, least, counts, seconds)
    return 0 if set(answers) == {200} and set(counts) <= {201, 409} else 1


def told(name: str, alone: list[float], least: float, counts: Counter[int], seconds: float) -> None:
    half = percentile(alone, 50) if alone else 0.0
    row(
        name,
        ms(half) if alone else "",
        ms(percentile(alone, 99)) if alone else "",
        f"{half / least:.1f}" if alone else "",
        f"{sum(count for status, count in counts.items() if status < 300) / seconds:,.0f}",
        " ".join(f"{status}:{count}" for status, count in sorted(counts.items())),
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
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def draft_of(user: User, service: ServiceType) -> str:
    unit = Membership.objects.get(user=user).unit
    draft = BookingDraft.objects.create(
        user=user, unit=unit, service_type=service, choices={"no_patient": True, "details_done": True}
    )
    return f"/bestill/{draft.uid}/?step=time"


def known_patients(user: User) -> list[str]:
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
    return [str(patient.uid) for patient in patients]


def drawing_of(path: str, cookie: str) -> float:
    """Return the median of what the templates take of a page, in this process."""
    taken = []

    def timed_render(*args: Any, **kwargs: Any) -> HttpResponse:
        begin = time.perf_counter()
        response = render(*args, **kwargs)
        taken.append((time.perf_counter() - begin) * 1000)
        return response

    client = Client(headers={"Cookie": cookie})
    with patch.object(booking, "render", timed_render):
        for _ in range(ROUNDS):
            client.get(path)
    connection.close()
    return percentile(taken[50:], 50)


def page(path: str, cookie: str, *, fragment: bool = False) -> Ask:
    htmx = {"HX-Request": "true", "HX-Target": "steg"} if fragment else {}

    def ask(client: HTTPConnection) -> int:
        return sent(client, "GET", path, headers={"Cookie": cookie, **htmx})

    return ask


def times_of_api(key: str, services: list[ServiceType]) -> Ask:
    bodies = [json.dumps({"service_type": str(service.uid), "limit": 20}) for service in services]

    def ask(client: HTTPConnection) -> int:
        return sent(client, "POST", "/api/v1/open-times", random.choice(bodies), headers=with_key(key))

    return ask


def bookings_of(key: str, wishes: list[tuple[str, str]], patients: list[str]) -> Ask:
    def ask(client: HTTPConnection) -> int:
        service, starts_at = wishes.pop()
        body = json.dumps({"service_type": service, "starts_at": starts_at, "patient": random.choice(patients)})
        headers = {**with_key(key), "Idempotency-Key": f"{random.getrandbits(128):032x}"}
        return sent(client, "POST", "/api/v1/appointments", body, headers=headers)

    return ask


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def sent(client: HTTPConnection, method: str, path: str, body: str | None = None, *, headers: dict[str, str]) -> int:
    client.request(method, path, body, headers)
    response = client.getresponse()
    response.read()
    return response.status


def timed(port: int, ask: Ask) -> list[float]:
    client = HTTPConnection("127.0.0.1", port)
    taken = []
    for n in range(ROUNDS + 50):
        begin = time.perf_counter()
        ask(client)
        if n >= 50:
            taken.append((time.perf_counter() - begin) * 1000)
    return taken


def together(port: int, asks: list[Ask], seconds: float) -> Counter[int]:
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    begin = time.time() + 1

    def client(number: int, ask: Ask) -> None:
        random.seed(number)
        connected = HTTPConnection("127.0.0.1", port)
        counts: Counter[int] = Counter()
        time.sleep(max(0.0, begin - time.time()))
        with suppress(IndexError):  # every wish came true
            while time.time() < begin + seconds:
                counts[ask(connected)] += 1
        results.put(counts)

    clients = [context.Process(target=client, args=(number, ask)) for number, ask in enumerate(asks)]
    for process in clients:
        process.start()
    total: Counter[int] = Counter()
    for _ in clients:
        total += results.get()
    for process in clients:
        process.join()
    return total


@contextmanager
def server() -> Iterator[int]:
    """Run the web server as in production, on a free port."""
    port = servers.free_port()
    log = Path(os.environ["VAR"]) / "log" / "benchmark-web.log"
    child = processes.start("web", programs.web(host="127.0.0.1", port=port, workers=WORKERS), log=log, env=os.environ)
    try:
        for _ in range(200):
            time.sleep(0.1)
            if child.ended():
                sys.exit(child.obituary())
            with suppress(URLError, ConnectionError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"):
                break
        yield port
    finally:
        processes.stop([child])


if __name__ == "__main__":
    told_conditions()
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
