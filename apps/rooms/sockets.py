"""Sockets of waiting rooms and calls: who is where, who comes in, and signalling between those who are in.

The database says what is true. A socket looks there when it is nudged and every few seconds besides, and
tells its page what has changed; so a lost nudge, a lost message or a restart loses nothing.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import WebsocketDenier
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http.request import split_domain_port, validate_host
from django.urls import path, re_path
from django.utils import timezone, translation
from pydantic import ValidationError

from apps.accounts.models import User
from apps.common.errors import DomainError
from apps.organisations.sessions import SessionStore

from . import errors, messages, queries, services, turn
from .announce import group_of
from .models import Seat, SeatState
from .tickets import Ticket, read_ticket

LOG = logging.getLogger(__name__)

LARGEST: Final = 65_536
BURST, A_SECOND = 60, 20
HELLO_WITHIN: Final = 10.0
LOOK_EVERY: Final = 4.0
PATIENCE: Final = 3
"""Who had to stand in line for a look looks more seldom, so that those who come are let through."""

SEEN_EVERY: Final = 15.0
TELL_EVERY: Final = 60.0

MALFORMED, UNKNOWN, NOT_ALLOWED, TOO_FAST, ELSEWHERE = 4400, 4401, 4403, 4408, 4409


class Allowance:
    """So many messages a second, with some to spare for the beginning."""

    def __init__(self) -> None:
        self.left, self.at = float(BURST), time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.left = min(float(BURST), self.left + (now - self.at) * A_SECOND)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class RoomSocket(AsyncWebsocketConsumer):
    """One page's connection. Nothing is said before the page has shown its ticket."""

    seat: Seat | None = None
    ticket: Ticket | None = None
    user: User | None = None
    place = "waiting"
    group = ""
    greeted = False
    moving = False
    told = ""
    last_seen = 0.0

    async def connect(self) -> None:
        self.allowance = Allowance()
        self.work = asyncio.create_task(self.watch())
        await self.accept()

    async def disconnect(self, code: int) -> None:
        self.work.cancel()
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)
        if self.seat is not None:
            with suppress(Seat.DoesNotExist):
                await database_sync_to_async(services.disconnect)(
                    seat=self.seat, channel=self.channel_name, clean=self.moving, now=timezone.now()
                )

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data.encode()) > LARGEST:
            await self.close(MALFORMED)
        elif not self.allowance.take():
            await self.close(TOO_FAST)
        else:
            try:
                message = messages.MESSAGES.validate_json(text_data)
            except ValidationError:
                await self.close(MALFORMED)
            else:
                await self.answer(message)

    async def answer(self, message: messages.AnyMessage) -> None:
        if isinstance(message, messages.Hello):
            first, self.greeted = not self.greeted, True
            await (self.hello(message) if first else self.close(MALFORMED))
        elif self.seat is None:
            await self.close(UNKNOWN)
        else:
            try:
                await self.handlers[type(message)](self, message)
            except DomainError as refusal:
                await self.refuse(refusal)
            except Seat.DoesNotExist:
                await self.close(NOT_ALLOWED)

    # Coming and going
    async def hello(self, message: messages.Hello) -> None:
        ticket = read_ticket(message.ticket)
        found = await self.find(ticket) if ticket is not None else None
        if ticket is None or found is None:
            await self.close(UNKNOWN)
            return
        self.ticket, (self.seat, self.user) = ticket, found
        self.place = message.place
        translation.activate(self.seat.language or settings.LANGUAGE_CODE)
        try:
            await self.sit()
        except DomainError as refusal:
            await self.refuse(refusal)
            await self.close(NOT_ALLOWED)
            return
        self.group = group_of(self.seat.appointment.uid)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.look(say=True)

    @database_sync_to_async
    def find(self, ticket: Ticket) -> tuple[Seat, User | None] | None:
        """Return the seat of a ticket that still holds: the device or the user is checked anew."""
        seat = queries.seat_by_uid(ticket.seat)
        if seat is None:
            return None
        user = None
        if ticket.user_id is not None:
            user = self.signed_in(ticket.user_id)
            if user is None:
                return None
        if not queries.may_still_sit(seat, user, ticket.device, now=timezone.now()):
            return None
        return seat, user

    def signed_in(self, user_id: int) -> User | None:
        """Return the user if the browser is still signed in as her: signing out ends the call's socket too."""
        key = self.scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME, "")
        session = SessionStore(key)
        said = session.load().get(SESSION_KEY)
        return session.whose if session.whose is not None and said == str(user_id) == str(session.whose.pk) else None

    async def sit(self) -> None:
        assert self.seat is not None
        assert self.ticket is not None
        self.seat = await database_sync_to_async(services.connect)(
            seat=self.seat,
            channel=self.channel_name,
            place=self.place,
            waits=self.ticket.waits,
            user=self.user,
            now=timezone.now(),
        )
        if self.seat.state == SeatState.HERE:
            ice = await database_sync_to_async(turn.ice_configuration)(self.seat.appointment, now=timezone.now())
            await self.say({"type": "welcome", "seat": str(self.seat.uid), "ice": ice})

    async def enter(self, message: messages.Message) -> None:
        self.place = "room"
        await self.sit()
        await self.look(say=True)

    async def seen(self, message: messages.Message) -> None:
        await self.look(say=False)

    async def on_moving(self, message: messages.Message) -> None:
        self.moving = True

    async def leave(self, message: messages.Message) -> None:
        assert self.seat is not None
        self.moving = True
        await database_sync_to_async(services.leave)(seat=self.seat, now=timezone.now())
        await self.close(1000)

    # What the host does
    @database_sync_to_async
    def as_host(self, message: messages.Message) -> None:
        """Do what the host asks, with her own seat as it is now. What she may do is checked by the service."""
        assert self.seat is not None
        host, user, now = queries.seat_by_uid(self.seat.uid), self.user, timezone.now()
        if host is None or user is None:
            raise errors.NotHost
        if isinstance(message, messages.Late):
            services.say_running_late(host=host, minutes=message.minutes, now=now)
        elif isinstance(message, messages.End):
            services.end_for_all(host=host, now=now, by=user)
        elif isinstance(message, messages.Admit | messages.Decline):
            seat = queries.seat_by_uid(message.seat)
            if seat is None:
                raise errors.NotWaiting
            if isinstance(message, messages.Admit):
                services.admit(seat=seat, host=host, by=user, arrival=message.arrival, now=now)
            else:
                services.decline(seat=seat, host=host, now=now)

    # Signalling
    async def signal(self, message: messages.Signal) -> None:
        """Pass it on between two who are both in the call, and to nobody else."""
        assert self.seat is not None
        channel = await self.channel_in_call(message.to)
        if channel is None:
            return
        if message.candidate is not None and not turn.may_pass(message.candidate.candidate):
            return
        passed = message.model_dump(exclude_none=True, exclude={"type", "to"})
        if message.description is not None:
            passed["description"]["sdp"] = turn.without_addresses(message.description.sdp)
        await self.channel_layer.send(
            channel, {"type": "relay", "signal": {"type": "signal", "from": str(self.seat.uid), **passed}}
        )

    @database_sync_to_async
    def channel_in_call(self, to: Any) -> str | None:
        assert self.seat is not None
        here = {
            seat.uid: seat
            for seat in Seat.objects.filter(
                appointment_id=self.seat.appointment_id, uid__in=[to, self.seat.uid], state=SeatState.HERE
            )
        }
        mine, other = here.get(self.seat.uid), here.get(to)
        if mine is None or other is None or mine.channel != self.channel_name or not other.channel or mine == other:
            return None
        return other.channel

    async def relay(self, event: dict[str, Any]) -> None:
        await self.say(event["signal"])

    # Looking
    async def look_again(self, event: dict[str, Any]) -> None:
        with suppress(Seat.DoesNotExist):
            await self.look(say=False)

    async def watch(self) -> None:
        """Look every few seconds, whatever nudges were lost; who shows no ticket is not waited for long.

        Who has shown it waits for us: when many come at once, to be turned away would only bring her back.
        """
        late, took = time.monotonic() + HELLO_WITHIN, 0.0
        while True:
            await asyncio.sleep(LOOK_EVERY + PATIENCE * took)
            began = time.monotonic()
            if self.group:
                try:
                    await self.look(say=False)
                except Exception:
                    # The database may be away for a moment: the socket stays, and looks again.
                    LOG.exception("a room socket could not look at its seat")
                took = time.monotonic() - began
            elif not self.greeted and began >= late:
                await self.stand_in_line()
                if not self.greeted:
                    await self.close(UNKNOWN)
                    return

    @database_sync_to_async
    def stand_in_line(self) -> None:
        """Wait for the database as all messages do: a ticket that has come already is read before this returns."""

    async def look(self, *, say: bool) -> None:
        verdict, told = await self.look_up()
        with suppress(OSError):  # how ASGI says that the browser has gone meanwhile; `disconnect` follows
            if verdict is not None:
                await self.say(told)
                await self.close(verdict)
                return
            text = json.dumps(told)
            if say or text != self.told:
                self.told = text
                await self.send(text_data=text)

    @database_sync_to_async
    def look_up(self) -> tuple[int | None, dict[str, Any]]:
        assert self.seat is not None
        assert self.ticket is not None
        now = timezone.now()
        seat = queries.seat_by_uid(self.seat.uid)
        if seat is None:
            return NOT_ALLOWED, {"type": "closed", "why": "gone"}
        with translation.override(seat.language or settings.LANGUAGE_CODE):
            told = queries.snapshot(seat, now=now)
        if told["over"]:
            return None, told
        user = self.signed_in(self.user.pk) if self.user is not None else None
        gone = self.user is not None and user is None
        if gone or not queries.may_still_sit(seat, user, self.ticket.device, now=now):
            taken_over = self.ticket.device is not None and seat.device is not None
            return NOT_ALLOWED, {"type": "closed", "why": "other_device" if taken_over else "gone"}
        if seat.channel != self.channel_name:
            return ELSEWHERE, {"type": "closed", "why": "other_window"}
        if time.monotonic() - self.last_seen > SEEN_EVERY:
            self.last_seen = time.monotonic()
            services.note_seen(seat=seat, now=now)
        return None, told

    async def refuse(self, refusal: DomainError) -> None:
        await self.say({"type": "refused", "code": refusal.code, "message": str(refusal)})

    async def say(self, what: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(what))

    handlers: dict[type[messages.Message], Callable[..., Awaitable[None]]] = {
        messages.Seen: seen,
        messages.Enter: enter,
        messages.Moving: on_moving,
        messages.Leave: leave,
        messages.Admit: as_host,
        messages.Decline: as_host,
        messages.Late: as_host,
        messages.End: as_host,
        messages.Signal: signal,
    }


# The door ------------------------------------------------------------------------------------------------------------
class OwnPagesOnly:
    """Open sockets for our own pages only: an Origin of the same host (the port may differ), and a known Host."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.told_at = -TELL_EVERY

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> Any:
        headers = {name.lower(): value for name, value in scope.get("headers", [])}
        origin = headers.get(b"origin", b"").decode("latin1")
        host = headers.get(b"host", b"").decode("latin1")
        if own_page(origin, host):
            return await self.application(scope, receive, send)
        if time.monotonic() - self.told_at >= TELL_EVERY:  # strangers who knock do not fill the log
            self.told_at = time.monotonic()
            LOG.warning(
                "a socket was refused: its page is not ours. If all are, the proxy does not pass Host on for /ws/"
            )
        return await WebsocketDenier()(scope, receive, send)


def own_page(origin: str, host: str) -> bool:
    domain, _port = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    try:
        parts = urlsplit(origin)
        hostname = parts.hostname or ""
    except ValueError:
        return False
    if origin == settings.PUBLIC_URL:
        return True
    scheme = "https" if settings.SECURE else "http"
    return parts.scheme == scheme and bool(hostname) and hostname == domain.strip("[]")


def guarded(application: Any) -> Any:
    return OwnPagesOnly(CookieMiddleware(application))


socket_urls = [path("ws/rom/", RoomSocket.as_asgi()), re_path("", WebsocketDenier.as_asgi())]
