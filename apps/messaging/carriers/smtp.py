"""E-mail by SMTP; a calendar part as iMIP wants it (RFC 6047)."""

import smtplib
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

from .base import Accepted, Outgoing, Refused, Unavailable


class Smtp:
    name = "smtp"
    wakes_people = False

    def send(self, message: Outgoing) -> Accepted:
        """Hand it to the mail server. The Message-ID is made of the key: the same at every try."""
        mail = self._mail(message)
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as refusal:
            self._judge(max((code for code, _text in refusal.recipients.values()), default=451))
        except smtplib.SMTPResponseException as refusal:
            self._judge(refusal.smtp_code)
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

    def _judge(self, code: int) -> None:
        if 500 <= code < 600 and code not in {530, 535, 538}:  # those three are about our own account
            raise Refused("bad-address" if code in {550, 551, 553} else "refused") from None
        raise Unavailable("out-of-order") from None
