"""iCalendar as text (RFC 5545, 5546, 7986). Written from a template: a feed of 500 sessions takes milliseconds.

Nothing that a user has typed ever comes in here; control characters are refused all the same.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from apps.common.dates import OSLO

PRODUCT: Final = "-//Videotime//Videotime//NO"
CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
NOT_IN_ADDRESS: Final = re.compile(f'{CONTROL.pattern}|[ "<>\n]')
MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")

# By rules and not by a list of dates: Outlook reads no other.
TIMEZONE: Final = """BEGIN:VTIMEZONE
TZID:Europe/Oslo
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE""".splitlines()

CONFIRMED: Final = "STATUS:CONFIRMED\r\nCLASS:PRIVATE\r\nTRANSP:OPAQUE"
CANCELLED: Final = "STATUS:CANCELLED\r\nCLASS:PRIVATE\r\nTRANSP:TRANSPARENT"


class UnsafeText(ValueError):
    """A text holds what could end its line and begin another."""


class Session(NamedTuple):
    """One video session as a calendar shows it: no patient, no service, no other people."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    title: str
    description: str
    url: str
    join_label: str
    cancelled: bool = False


def text(value: str) -> str:
    """Escape a TEXT value (RFC 5545, 3.3.11)."""
    if CONTROL.search(value):
        raise UnsafeText("control character")
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def uri(value: str) -> str:
    if NOT_IN_ADDRESS.search(value):
        raise UnsafeText("not an address")
    return value


def mailbox(value: str) -> str:
    """Write an e-mail address as `mailto:`."""
    if not MAILBOX.fullmatch(value):
        raise UnsafeText("not a mailbox")
    return f"mailto:{value}"


def parameter(value: str) -> str:
    """Write a parameter's value in quotes (RFC 5545, 3.2)."""
    if CONTROL.search(value) or '"' in value or "\n" in value:
        raise UnsafeText("not a parameter")
    return f'"{value}"'


def during(starts_at: datetime, ends_at: datetime) -> str:
    """Return when it is: on Oslo's wall clock, but in UTC where that shows one of the ends twice that night.

    A wall time does not say whether it is the first or the second half past two; and both ends are of one kind.
    """
    start, end = starts_at.astimezone(OSLO), ends_at.astimezone(OSLO)
    if _comes_twice(start) or _comes_twice(end):
        return f"DTSTART:{utc(starts_at)}\r\nDTEND:{utc(ends_at)}"
    return f"DTSTART;TZID=Europe/Oslo:{_written(start)}\r\nDTEND;TZID=Europe/Oslo:{_written(end)}"


def _comes_twice(wall: datetime) -> bool:
    return wall.fold == 1 or wall.utcoffset() != wall.replace(fold=1).utcoffset()


def utc(moment: datetime) -> str:
    return f"{_written(moment.astimezone(UTC))}Z"


def _written(moment: datetime) -> str:
    """Write it without its zone; half the time of strftime."""
    return moment.isoformat()[:19].replace("-", "").replace(":", "")


def fold(line: str) -> str:
    """Break a line after at most 75 octets, never inside a character."""
    if len(line) <= 75 and line.isascii():
        return line
    raw = line.encode()
    if len(raw) <= 75:
        return line
    pieces, start, room = [], 0, 75
    while start < len(raw):
        end = min(start + room, len(raw))
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(raw[start:end].decode())
        start, room = end, 74  # the blank that begins the next line counts too
    return "\r\n ".join(pieces)


def event(session: Session, *, stamp: datetime | None = None, people: Iterable[str] = ()) -> str:
    """Return one VEVENT; `people` are its ORGANIZER and ATTENDEE lines. Only what can become long is folded."""
    url, changed = uri(session.url), utc(session.changed_at)
    lines = [
        f"BEGIN:VEVENT\r\nUID:{text(session.uid)}\r\nSEQUENCE:{session.sequence}",
        f"DTSTAMP:{utc(stamp) if stamp else changed}\r\nLAST-MODIFIED:{changed}",
        during(session.starts_at, session.ends_at),
        fold(f"SUMMARY:{text(session.title)}"),
        fold(f"DESCRIPTION:{text(session.description)}"),
        fold(f"LOCATION:{text(url)}"),
        fold(f"URL:{url}"),
        fold(f"CONFERENCE;VALUE=URI;FEATURE=VIDEO,AUDIO;LABEL={parameter(session.join_label)}:{url}"),
        CANCELLED if session.cancelled else CONFIRMED,
        *map(fold, people),
        "END:VEVENT",
    ]
    return "\r\n".join(lines)


def invitation(session: Session, *, method: str, organizer: str, attendee: str, stamp: datetime) -> str:
    """Return the iTIP object for one attendee (RFC 5546). For CANCEL only she is meant."""
    guest = (
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:"
        if method == "REQUEST"
        else "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT:"
    )
    people = [f"ORGANIZER;CN=Videotime:{mailbox(organizer)}", guest + mailbox(attendee)]
    return _calendar([f"METHOD:{method}"], [event(session, stamp=stamp, people=people)])


def feed(sessions: Iterable[Session], *, name: str) -> str:
    """Return a calendar to subscribe to (RFC 7986). The stamps are those of the changes, so that the
    same sessions always give the same bytes."""
    head = [
        "METHOD:PUBLISH",
        f"NAME:{text(name)}",
        f"X-WR-CALNAME:{text(name)}",
        "X-WR-TIMEZONE:Europe/Oslo",
        "REFRESH-INTERVAL;VALUE=DURATION:PT30M",
        "X-PUBLISHED-TTL:PT30M",
    ]
    return _calendar(head, map(event, sessions))


def entry(session: Session) -> str:
    """Return one session to put into a calendar by hand; the same again when it has moved takes its place."""
    return _calendar(["METHOD:PUBLISH"], [event(session)])


def _calendar(head: Iterable[str], events: Iterable[str]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", *head, *TIMEZONE]
    return "\r\n".join([*map(fold, lines), *events, "END:VCALENDAR", ""])
