"""A real mail server on loopback."""

import asyncio
import email
import email.policy
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from .gateway import free_ports


class Mailbox:
    """What a mail server took, and on which connections.

    Addresses that begin with `nobody` are unknown, with `later` put off; after `goodbye` it lets go of the connection.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], email.message.EmailMessage]] = []
        self.lines: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 No such user"
        if address.startswith("later"):
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, parsed))
        self.lines.append(session.peer)
        if envelope.rcpt_tos[0].startswith("goodbye"):
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        return "250 OK"


@pytest.fixture
def mail_server(settings: Any) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.DEFAULT_FROM_EMAIL = "Videotime <videotime@elvebygd.example>"
    yield mailbox
    controller.stop()
