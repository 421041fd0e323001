"""A real mail server on loopback."""

import asyncio
import email
import email.policy
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP

from .gateway import free_ports


class Mailbox:
    """What a mail server took, and on which connections.

    Addresses that begin with `nobody` are unknown, with `later` put off; after `goodbye` it lets go of the connection.
    What it `says` to a command is its answer to everybody: `says["MAIL"] = "550 …"`; `GREETING` is how it opens.
    """

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        self.mails: list[tuple[list[str], email.message.EmailMessage]] = []
        self.lines: list[Any] = []

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [self.says["EHLO"]] if "EHLO" in self.says else answers

    async def handle_HELO(self, server: Any, session: Any, envelope: Any, hostname: str) -> str:
        return self.says.get("EHLO", "250 OK")

    async def handle_AUTH(self, server: Any, session: Any, envelope: Any, args: Any) -> Any:
        return self.says.get("AUTH", MISSING)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if "RCPT" in self.says:
            return self.says["RCPT"]
        if address.startswith("nobody"):
            return "550 5.1.1 No such user"
        if address.startswith("later"):
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.says:
            return self.says["DATA"]
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, parsed))
        self.lines.append(session.peer)
        if envelope.rcpt_tos[0].startswith("goodbye"):
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        return "250 OK"


class Greeting(SMTP):
    """aiosmtpd lets everything be answered but the connection itself."""

    async def push(self, status: Any) -> None:
        if isinstance(status, str) and status.startswith("220 "):
            status = self.event_handler.says.get("GREETING", status)
        await super().push(status)


class Server(Controller):
    def factory(self) -> SMTP:
        return Greeting(self.handler, **self.SMTP_kwargs)


@pytest.fixture
def mail_server(settings: Any) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = Server(mailbox, hostname="127.0.0.1", port=free_ports(1)[0], auth_require_tls=False)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.DEFAULT_FROM_EMAIL = "Videotime <videotime@elvebygd.example>"
    yield mailbox
    controller.stop()
