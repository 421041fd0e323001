"""E-mail by SMTP; a calendar part as iMIP wants it (RFC 6047)."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from email.utils import formataddr, parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email

from .base import Accepted, Outgoing, Refused, Unavailable

MOST_ON_A_LINE: Final = 100
"""Mail servers let go of who hands over too many mails on one connection."""

OURS: Final = {503, 530, 535, 538}
"""A connection that went out of step, and a sign-in that is missing or wrong: never about the address."""

_line: ContextVar["_Line | None"] = ContextVar("line", default=None)


@contextmanager
def one_line() -> Iterator[None]:
    """Hand over all mails of a sweep on one connection instead of one each, with a greeting and a key exchange."""
    line = _Line()
    before = _line.set(line)
    try:
        yield
    finally:
        _line.reset(before)
        line.hang_up()


class _Line:
    """A connection to the mail server that is opened when it is needed, and anew when the server has let go of it."""

    def __init__(self) -> None:
        self._backend: Any = None
        self._left = 0

    def ready(self) -> Any:
        """Return it open: nothing of a mail has been said when a server turns out to be gone."""
        if self._backend is None or not self._left or not self._answers():
            self.hang_up()
            self._backend, self._left = get_connection(), MOST_ON_A_LINE
            self._backend.open()
        self._left -= 1
        return self._backend

    def hang_up(self) -> None:
        if self._backend is not None:
            with suppress(OSError):  # smtplib's are such too
                self._backend.close()
            self._backend = None

    def _answers(self) -> bool:
        server = getattr(self._backend, "connection", None)
        try:
            return server is not None and server.noop()[0] == 250
        except OSError:
            return False


class Smtp:
    name = "smtp"
    wakes_people = False

    def send(self, message: Outgoing) -> Accepted:
        """Hand it to the mail server. The Message-ID is made of the key: the same at every try."""
        mail = self._mail(message)
        try:
            if (line := _line.get()) is not None:
                mail.connection = line.ready()
            mail.send()
        except smtplib.SMTPRecipientsRefused as refusal:
            self._judge(*max(refusal.recipients.values(), default=(451, b"")))
        except smtplib.SMTPDataError as refusal:
            self._judge(refusal.smtp_code, refusal.smtp_error)
        except smtplib.SMTPResponseException as refusal:  # the connection, the greeting, the sign-in, the sender
            raise Unavailable("not-let-in" if refusal.smtp_code >= 500 else "out-of-order") from None
        except (smtplib.SMTPServerDisconnected, TimeoutError):
            raise Unavailable("no-answer", maybe_taken=True) from None
        except (smtplib.SMTPException, OSError):
            raise Unavailable("unreachable") from None
        return Accepted(carrier_id=mail.extra_headers["Message-ID"].strip("<>"))

    def _mail(self, message: Outgoing) -> EmailMultiAlternatives:
        if "\n" in message.subject or "\r" in message.subject:
            raise Refused("bad-header")
        try:
            validate_email(message.address)
        except ValidationError:
            raise Refused("bad-address") from None
        _name, mailbox = parseaddr(settings.DEFAULT_FROM_EMAIL)
        mail = EmailMultiAlternatives(
            subject=message.subject,
            body=message.body,
            from_email=formataddr((message.sender, mailbox)) if message.sender else settings.DEFAULT_FROM_EMAIL,
            to=[message.address],
            headers={
                "Message-ID": f"<{message.key}@{mailbox.rpartition('@')[2]}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        if message.calendar:
            # Outlook shows its buttons only for this part, last among the alternatives, with the method
            # of the calendar itself. Django adds the charset; one more of our own would make two.
            mail.attach_alternative(message.calendar, f"text/calendar; method={message.calendar_method}")
        return mail

    def _judge(self, code: int, text: bytes | str) -> None:
        """Tell what is wrong with this mail from what is wrong with us: who may send is X.7 (RFC 3463)."""
        said = text if isinstance(text, str) else text.decode("ascii", "replace")
        if code in OURS or (code >= 500 and said.startswith("5.7.")):
            raise Unavailable("not-let-in") from None
        if code >= 500:
            raise Refused("bad-address" if code in {550, 551, 553} else "refused") from None
        raise Unavailable("out-of-order") from None
