"""Kannel's smsbox over HTTP (user's guide 1.4.5, "Using Kannel to send SMS messages")."""

import logging
import re
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

import httpx
from django.conf import settings
from django.utils import timezone

from apps.messaging.sms import needs_ucs2, plain

from .base import Accepted, Outgoing, Refused, Unavailable

# httpx writes each address to its log at level INFO, and here the address holds the text and the number.
logging.getLogger("httpx").setLevel(logging.WARNING)

NUMBER: Final = re.compile(r"\+\d{8,15}")
GSM_7, UCS_2 = 0, 2
ALL_REPORTS: Final = 31


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(10, connect=3), trust_env=False, follow_redirects=False)


class Kannel:
    name = "kannel"
    wakes_people = True

    def send(self, message: Outgoing) -> Accepted:
        """Ask smsbox to send it. It returns no id, so ours stands in the address that it fetches with each report.

        https://www.kannel.org/download/1.4.5/userguide-1.4.5/userguide.html
        """
        if not NUMBER.fullmatch(message.address):
            raise Refused("bad-number")
        text = plain(message.body)
        if not text:
            raise Refused("empty")  # smsbox takes an empty text and says nothing
        query = {
            "username": settings.KANNEL_USERNAME,
            "password": settings.KANNEL_PASSWORD,
            "from": message.sender,
            "to": message.address,
            "text": text,
            "charset": "UTF-8",
            "coding": UCS_2 if needs_ucs2(text) else GSM_7,
            "dlr-mask": ALL_REPORTS,
            "dlr-url": self._report_url(message.key),
        }
        if message.not_after:
            query["validity"] = _minutes_until(message.not_after)
        answer = self._get(f"{settings.KANNEL_URL.rstrip('/')}/cgi-bin/sendsms?{urlencode(query)}")
        self._judge(answer.status_code, answer.text)
        return Accepted()

    def _report_url(self, key: str) -> str:
        return f"{settings.PUBLIC_URL}/hooks/kannel/{settings.RECEIPT_SECRET}/?id={key}&type=%d"

    def _get(self, url: str) -> httpx.Response:
        try:
            return _client().get(url)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise Unavailable("unreachable") from None  # the cause would carry the address, text included
        except httpx.HTTPError:
            raise Unavailable("no-answer", maybe_taken=True) from None

    def _judge(self, status: int, text: str) -> None:
        """202 for taken and for queued; 403 is about our own account, so the message is kept.

        So is 400, unless it is the number that smsbox does not like: a sender that is missing gets the same answer.
        """
        if status == 202:
            return
        if status == 400 and text.startswith("Number(s)"):
            raise Refused("bad-number")
        raise Unavailable("not-let-in" if status == 403 else "out-of-order")


def _minutes_until(moment: datetime) -> int:
    return max(1, int((moment - timezone.now()).total_seconds() // 60))
