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
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import URLError

from benchmarks.environment import ready

ready()

import os  # noqa: E402

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.cached_db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_otp import DEVICE_ID_SESSION_KEY  # noqa: E402

from apps.accounts.models import Authenticator, User  # noqa: E402
from apps.accounts.services import create_api_key  # noqa: E402
from apps.catalogue.models import ServiceType  # noqa: E402
from apps.organisations.models import Membership, Role  # noqa: E402
from apps.scheduling.models import BookingDraft  # noqa: E402
from apps.scheduling.queries import BookingRequest, open_times  # noqa: E402
from benchmarks.data import JOINT_SERVICES, filled, fresh_copy  # noqa: E402
from benchmarks.measure import ms, percentile, row  # noqa: E402
from portal.launch import processes, programs, servers  # noqa: E402

BOOKINGS = 100_000
CLIENTS = 8
ROUNDS = 300
WORKERS = 2

Ask = Callable[[HTTPConnection], int]


def main(seconds: float) -> int:
    call_command("collectstatic", "--no-input", verbosity=0)
    fresh_copy(filled(BOOKINGS))
    user = booker()
    services = list(ServiceType.objects.select_related("unit", "scenario").order_by("pk")[:JOINT_SERVICES])
    _, key = create_api_key(user=user, name="benchmark", now=timezone.now())
    pages = {
        "trivial page (one query)": page("/trivial/", ""),
        "API: first 20 times, joint of 3": times_of_api(key, services),
        "booking page: first times, joint of 3": page(draft_of(user, services[0]), session_of(user)),
    }
    wishes = [
        (str(service.uid), free.starts_at.isoformat())
        for service in services
        for free in open_times(BookingRequest(service, requester_unit=service.unit), now=timezone.now(), limit=None)
    ]
    random.Random(5).shuffle(wishes)
    connection.close()
    with server() as port:
        row(f"granian, {WORKERS} workers", "p50", "p99", "x trivial", f"{CLIENTS} clients/s", "answers")
        least, answers = 0.0, Counter[int]()
        for name, ask in pages.items():
            alone = timed(port, ask)
            least = least or percentile(alone, 50)
            counts = together(port, [ask] * CLIENTS, seconds)
            told(name, alone, least, counts, seconds)
            answers += counts
        askers = [bookings_of(key, wishes[number::CLIENTS]) for number in range(CLIENTS)]
        counts = together(port, askers, seconds)
        told("API: complete booking of a free time", [], least, counts, seconds)
    return 0 if set(answers) == {200} and set(counts) <= {201, 409} else 1


def told(name: str, alone: list[float], least: float, counts: Counter[int], seconds: float) -> None:
    half = percentile(alone, 50) if alone else 0.0
    row(
        name,
        ms(half) if alone else "",
        ms(percentile(alone, 99)) if alone else "",
        f"{half / least:.1f}" if alone else "",
        f"{sum(counts.values()) / seconds:,.0f}",
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


def page(path: str, cookie: str) -> Ask:
    def ask(client: HTTPConnection) -> int:
        return sent(client, "GET", path, headers={"Cookie": cookie})

    return ask


def times_of_api(key: str, services: list[ServiceType]) -> Ask:
    bodies = [json.dumps({"service_type": str(service.uid), "limit": 20}) for service in services]

    def ask(client: HTTPConnection) -> int:
        return sent(client, "POST", "/api/v1/open-times", random.choice(bodies), headers=with_key(key))

    return ask


def bookings_of(key: str, wishes: list[tuple[str, str]]) -> Ask:
    def ask(client: HTTPConnection) -> int:
        service, starts_at = wishes.pop()
        body = json.dumps({"service_type": service, "starts_at": starts_at})
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
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0))
