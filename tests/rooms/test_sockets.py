"""Sockets: own pages only, nothing before a ticket, nothing between people who are not both in the call."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import connections
from django.test import RequestFactory
from django.utils import timezone

from apps.rooms import queries, services, sockets, turn
from apps.rooms.models import Seat, SeatState
from apps.rooms.tickets import new_ticket
from apps.rooms.views.guest import socket_address
from portal.asgi import application
from portal.env import socket_sources
from tests import conftest as cast
from tests.meeting import meet

from .communicator import Socket


def run(talk: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Run a conversation in a thread of its own: this one may hold the event loop of a browser's driver."""

    def do(*args: Any) -> Any:
        async def whole() -> Any:
            try:
                return await talk(*args)
            finally:
                await sync_to_async(connections.close_all)()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, whole()).result(timeout=60)

    return do


ORIGIN = b"http://127.0.0.1:8000"


def own_socket(
    origin: bytes | None = ORIGIN, cookie: str = "", host: bytes = b"127.0.0.1:8001", path: str = "/ws/rom/"
) -> Socket:
    headers = [(b"host", host)]
    if origin is not None:
        headers.append((b"origin", origin))
    if cookie:
        headers.append((b"cookie", f"{django_settings.SESSION_COOKIE_NAME}={cookie}".encode()))
    return Socket(application, path, headers=headers)


@pytest.fixture(autouse=True)
def _no_redis(settings):
    """Redis' channel layer takes seconds to let go of a closed socket; the journeys run with it."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture
def review(transactional_db, wound_review, home_care, kari, kari_diary, berg_diary, ada):
    """These sockets read the real clock, so the review is about to begin."""
    return meet(
        timezone.now() + timedelta(minutes=5),
        service_type=wound_review,
        requester_unit=home_care,
        booked_by=kari,
        patient=ada,
        performer=berg_diary,
        requester=kari_diary,
    )


@pytest.fixture
def ada_seat(review) -> Seat:
    participant = review.participants.get(role="patient")
    services.link_for(participant, now=timezone.now())
    from apps.rooms.models import JoinLink
    from apps.rooms.services.links import Proof

    link = JoinLink.objects.select_related("participant__appointment__patient").get(participant=participant)
    proof = Proof(birth_date=review.patient.birth_date)
    seat = services.identify_guest(link=link, proof=proof, device=None, language="nb", now=timezone.now())
    return services.enter_waiting_room(seat=seat, now=timezone.now())


@pytest.fixture
def host(review, berg) -> tuple[str, str, Seat]:
    from django.test import Client

    seat = services.seat_for_user(
        appointment=review,
        user=berg,
        entry=queries.entry_for(berg, review, now=timezone.now()),
        language="nb",
        now=timezone.now(),
    )
    cookie = cast.sign_in(Client(), berg).cookies[django_settings.SESSION_COOKIE_NAME].value
    return new_ticket(seat, user_id=berg.pk), cookie, seat


async def hello(socket: Socket, ticket: str, place: str) -> list[dict[str, Any]]:
    connected = await socket.connect()
    assert connected
    await socket.say({"type": "hello", "ticket": ticket, "place": place})
    said = [await socket.hear()]
    while said[-1]["type"] != "state":
        if said[-1]["type"] in {"refused", "closed"}:
            break
        said.append(await socket.hear())
    return said


async def until(socket: Socket, kind: str) -> dict[str, Any]:
    while True:
        message = await socket.hear()
        if message["type"] == kind:
            return message


async def closed_with(socket: Socket) -> int:
    while True:
        event = await socket.receive_output(timeout=5)
        if event["type"] == "websocket.close":
            return int(event["code"])


@pytest.mark.parametrize(
    "origin",
    [
        None,
        b"",
        b"null",
        b"https://evil.example",
        b"http://127.0.0.1.evil.example",
        b"http://evil.example:8000",
        b"https://127.0.0.1:8000",
        b"file://",
        b"http://localhost.evil",
        b"http://[::1",
        b"http://user@evil.example/127.0.0.1",
    ],
)
def test_a_strange_page_gets_no_socket(origin: bytes | None):
    async def knock() -> bool:
        socket = own_socket(origin)
        connected = await socket.connect()
        await socket.disconnect()
        return connected

    assert run(knock)() is False


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/rom/more/", "/j/k7m3q9x2w8/"])
def test_an_address_without_sockets_is_refused_without_a_fault(path: str):
    async def knock() -> bool:
        socket = own_socket(path=path)
        connected = await socket.connect()
        await socket.disconnect()
        return connected

    assert run(knock)() is False


def test_an_operator_whose_proxy_forgets_the_host_is_told_so_once_a_minute(log):
    async def knock() -> None:
        door = sockets.guarded(None)
        for _ in range(3):
            socket = Socket(door, "/ws/rom/", [(b"host", b"10.0.0.4:8001"), (b"origin", b"https://portal.example")])
            assert not await socket.connect()
            await socket.disconnect()

    run(knock)()
    assert log().count("the proxy does not pass Host on") == 1
    assert "portal.example" not in log()


def test_a_page_on_another_port_of_the_same_host_is_our_own(settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    assert sockets.own_page("http://127.0.0.1:8000", "127.0.0.1:8001")
    assert not sockets.own_page("http://127.0.0.1:8000", "evil.example")
    assert not sockets.own_page("http://evil.example", "evil.example")


def test_one_machines_two_names_are_one_machine_but_not_one_page(settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    assert sockets.own_page("http://localhost:8000", "localhost:8001")
    assert not sockets.own_page("http://localhost:8000", "127.0.0.1:8001")


@pytest.mark.parametrize(
    ("sockets_url", "asked", "address"),
    [
        ("ws://127.0.0.1:8001", "127.0.0.1:8000", "ws://127.0.0.1:8001/ws/rom/"),
        ("ws://127.0.0.1:8001", "localhost:8000", "ws://localhost:8001/ws/rom/"),
        ("ws://localhost:8001", "127.0.0.1:8000", "ws://127.0.0.1:8001/ws/rom/"),
        ("ws://127.0.0.1:8001", "evil.example", "ws://127.0.0.1:8001/ws/rom/"),
        ("wss://sockets.kommune.test", "localhost", "wss://sockets.kommune.test/ws/rom/"),
        ("wss://sockets.kommune.test", "video.kommune.test", "wss://sockets.kommune.test/ws/rom/"),
        ("", "video.kommune.test", "ws://video.kommune.test/ws/rom/"),
    ],
)
def test_sockets_are_asked_for_by_the_pages_own_name_on_one_machine_only(settings, sockets_url, asked, address):
    settings.SOCKETS_URL = sockets_url
    assert socket_address(RequestFactory().get("/", headers={"host": asked})) == address


def test_the_security_policy_opens_for_the_other_name_on_one_machine_only(settings):
    local = socket_sources("ws://127.0.0.1:8001", settings.LOOPBACK)
    assert local == ["ws://127.0.0.1:8001", "ws://localhost:8001"]
    assert socket_sources("wss://sockets.kommune.test", settings.LOOPBACK) == ["wss://sockets.kommune.test"]
    assert socket_sources("", settings.LOOPBACK) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"type": "nobody-knows"}',
        '{"type": "hello"}',
        '{"type": "signal", "to": "x", "session": "y"}',
        '{"type": "late", "minutes": -5}',
        '{"type": "seen", "more": 1}',
        "x" * 70_000,
    ],
)
def test_what_is_no_message_ends_the_connection(text: str):
    async def talk() -> int:
        socket = own_socket()
        await socket.connect()
        await socket.send_text(text)
        return await closed_with(socket)

    assert run(talk)() == sockets.MALFORMED


def test_nothing_is_done_before_a_ticket_and_a_forged_one_opens_nothing(ada_seat):
    async def talk(message: dict[str, Any]) -> int:
        socket = own_socket()
        await socket.connect()
        await socket.say(message)
        return await closed_with(socket)

    ticket = new_ticket(ada_seat)
    for message in ({"type": "end"}, {"type": "hello", "ticket": ticket[:-2] + "xx", "place": "room"}):
        assert run(talk)(message) == sockets.UNKNOWN


def test_a_flood_is_cut_off(ada_seat):
    async def flood() -> int:
        socket = own_socket()
        await hello(socket, await sync_to_async(new_ticket)(ada_seat), "waiting")
        for _number in range(80):
            await socket.say({"type": "moving"})
        return await closed_with(socket)

    assert run(flood)() == sockets.TOO_FAST


def test_ada_is_told_nothing_and_signals_nobody_before_she_is_let_in(ada_seat, host):
    ticket, cookie, berg_seat = host

    async def meet_outside() -> None:
        doctor, ada = own_socket(cookie=cookie), own_socket()
        said = await hello(doctor, ticket, "room")
        assert said[0]["type"] == "welcome"
        refused = await hello(ada, await sync_to_async(new_ticket)(ada_seat), "room")
        assert refused[0]["code"] == "not-admitted"
        waiting = own_socket()
        told = await hello(waiting, await sync_to_async(new_ticket)(ada_seat), "waiting")
        assert set(told[-1]) == {"type", "you", "late", "over"}
        await waiting.say({"type": "signal", "to": str(berg_seat.uid), "session": "abcdef01", "hello": "first"})
        state = said[-1]
        assert state["waiting"][0]["name"] == "Ada Alm"
        await asyncio.sleep(0.1)
        while not doctor.output_queue.empty():
            assert (await doctor.hear())["type"] != "signal"
        await doctor.say({"type": "admit", "seat": str(ada_seat.uid), "arrival": state["waiting"][0]["arrival"]})
        told = [await until(waiting, "state")]
        while not told[-1]["you"]["admitted"]:
            told.append(await until(waiting, "state"))
        inside = own_socket()
        said = await hello(inside, await sync_to_async(new_ticket)(ada_seat), "room")
        assert said[0]["type"] == "welcome"
        await inside.say({"type": "signal", "to": str(berg_seat.uid), "session": "abcdef01", "hello": "first"})
        assert (await until(doctor, "signal"))["from"] == str(ada_seat.uid)
        for one in (doctor, inside):
            await one.disconnect()

    run(meet_outside)()
    ada_seat.refresh_from_db()
    assert ada_seat.state == SeatState.LOST


def test_a_guest_cannot_do_what_the_host_does(ada_seat):
    async def ask() -> str:
        socket = own_socket()
        await hello(socket, await sync_to_async(new_ticket)(ada_seat), "waiting")
        await socket.say({"type": "admit", "seat": str(ada_seat.uid), "arrival": ""})
        answer = await until(socket, "refused")
        await socket.disconnect()
        return str(answer["code"])

    assert run(ask)() == "not-host"


def test_a_staff_ticket_without_the_session_opens_nothing(host):
    ticket, _cookie, _seat = host

    async def ask() -> int:
        socket = own_socket()
        await socket.connect()
        await socket.say({"type": "hello", "ticket": ticket, "place": "room"})
        return await closed_with(socket)

    assert run(ask)() == sockets.UNKNOWN


@pytest.mark.parametrize("how", ["signs out", "is disabled", "leaves the unit"])
def test_who_may_no_longer_be_here_loses_the_socket(host, berg, how: str, monkeypatch):
    ticket, cookie, seat = host
    monkeypatch.setattr(sockets, "HELLO_WITHIN", 60)  # how long a ticket is waited for puts no look off
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0.1)

    def end() -> None:
        from django.contrib.sessions.models import Session

        from apps.scheduling.models import Participant

        if how == "signs out":
            Session.objects.all().delete()
        elif how == "is disabled":
            berg.is_active = False
            berg.save(update_fields=["is_active"])
        else:
            berg.memberships.update(valid_to=timezone.localdate() - timedelta(days=1))
            Participant.objects.filter(pk=seat.participant_id).update(guest_name="x")

    async def sit() -> int:
        socket = own_socket(cookie=cookie)
        await hello(socket, ticket, "room")
        await sync_to_async(end)()
        return await closed_with(socket)

    assert run(sit)() == sockets.NOT_ALLOWED


def test_who_has_shown_her_ticket_waits_when_many_come_at_once(ada_seat, monkeypatch):
    """To close on her would only bring her back, to be looked up once more."""
    monkeypatch.setattr(sockets, "HELLO_WITHIN", 0.1)
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0.01)
    find = vars(sockets.RoomSocket)["find"]

    async def find_late(self: Any, ticket: Any) -> Any:
        await asyncio.sleep(0.5)
        return await find(self, ticket)

    monkeypatch.setattr(sockets.RoomSocket, "find", find_late)

    async def come() -> str:
        socket = own_socket()
        said = await hello(socket, await sync_to_async(new_ticket)(ada_seat), "waiting")
        await socket.disconnect()
        return str(said[-1]["type"])

    assert run(come)() == "state"


def test_a_ticket_that_stands_in_the_line_to_the_database_counts(ada_seat, monkeypatch):
    monkeypatch.setattr(sockets, "HELLO_WITHIN", 0.1)

    async def come() -> str:
        socket = own_socket()
        ticket = await sync_to_async(new_ticket)(ada_seat)
        assert await socket.connect()
        line = asyncio.create_task(sync_to_async(time.sleep)(0.5))
        await asyncio.sleep(0.05)
        await socket.say({"type": "hello", "ticket": ticket, "place": "waiting"})
        said = await socket.hear()
        await line
        await socket.disconnect()
        return str(said["type"])

    assert run(come)() == "state"


def test_who_had_to_stand_in_line_looks_more_seldom(monkeypatch):
    consumer, looks = sockets.RoomSocket(), []
    consumer.seat, consumer.greeted, consumer.group = Seat(), True, "room"

    async def look(*, say: bool) -> None:
        looks.append(None)
        await asyncio.sleep(0.1)

    monkeypatch.setattr(sockets, "HELLO_WITHIN", 0)
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0)
    monkeypatch.setattr(consumer, "look", look)

    async def watch_for_a_second() -> None:
        work = asyncio.create_task(consumer.watch())
        await asyncio.sleep(1)
        work.cancel()

    run(watch_for_a_second)()
    assert 1 <= len(looks) <= 4


def test_who_shows_nothing_is_not_waited_for(db, monkeypatch):
    monkeypatch.setattr(sockets, "HELLO_WITHIN", 0.1)

    async def come() -> int:
        socket = own_socket()
        await socket.connect()
        return await closed_with(socket)

    assert run(come)() == sockets.UNKNOWN


def test_a_browser_that_has_gone_is_no_fault_of_ours(monkeypatch, log):
    class Gone(OSError):
        """What servers raise for a send to nobody (ASGI, websocket.send)."""

    consumer, looks, enough = sockets.RoomSocket(), [], asyncio.Event()
    consumer.seat, consumer.greeted, consumer.group = Seat(), True, "room"

    async def look_up() -> tuple[None, dict[str, Any]]:
        looks.append(None)
        if len(looks) == 3:
            enough.set()
        return None, {"type": "state", "looks": len(looks)}

    async def send(**sent: Any) -> None:
        raise Gone

    monkeypatch.setattr(sockets, "LOOK_EVERY", 0)
    monkeypatch.setattr(consumer, "look_up", look_up)
    monkeypatch.setattr(consumer, "send", send)

    async def watch_for_a_moment() -> None:
        work = asyncio.create_task(consumer.watch())
        await enough.wait()
        work.cancel()

    run(watch_for_a_moment)()
    assert "could not look" not in log()


def test_a_revoked_link_closes_the_socket_at_once(ada_seat):
    async def sit() -> int:
        socket = own_socket()
        await hello(socket, await sync_to_async(new_ticket)(ada_seat), "waiting")
        await sync_to_async(services.revoke_link)(ada_seat.participant, now=timezone.now())
        return await closed_with(socket)

    assert run(sit)() == sockets.NOT_ALLOWED


# The relay -----------------------------------------------------------------------------------------------------------
SDP = (
    "v=0\r\na=candidate:1 1 udp 1 10.0.0.4 5000 typ host\r\na=candidate:2 1 udp 1 10.9.9.9 6000 typ relay\r\na=end\r\n"
)


def test_relay_credentials_end_with_the_appointment_and_name_nobody(review, settings):
    now = timezone.now()
    assert turn.ice_configuration(review, now=now) == {"iceServers": []}
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:turn.example:3478"], "s3cret"
    given = turn.ice_configuration(review, now=now)
    expiry, name = given["iceServers"][0]["username"].split(":")
    assert given["iceTransportPolicy"] == "relay"
    assert now.timestamp() < int(expiry) <= (now + timedelta(hours=2)).timestamp()
    assert len(name) == 16
    assert given != turn.ice_configuration(review, now=now)


def test_addresses_of_people_do_not_pass_when_there_is_a_relay(settings):
    assert turn.without_addresses(SDP) == SDP
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:turn.example:3478"], "s3cret"
    assert "10.0.0.4" not in turn.without_addresses(SDP)
    assert "10.9.9.9" in turn.without_addresses(SDP)
    assert not turn.may_pass("candidate:1 1 udp 1 10.0.0.4 5000 typ host")
    assert turn.may_pass("candidate:2 1 udp 1 10.9.9.9 6000 typ relay")


def test_messages_fit_their_schema():
    from apps.rooms.messages import MESSAGES

    message = MESSAGES.validate_json(
        json.dumps(
            {
                "type": "signal",
                "to": "0afdaa32-152b-43d4-8b34-612f972c0768",
                "session": "abcdef01",
                "candidate": {"candidate": "", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": None},
            }
        )
    )
    assert message.type == "signal"
