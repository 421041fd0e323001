"""The text of a calendar, judged by the library `icalendar`."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from apps.calendars import ics

START = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
SESSION = ics.Session(
    uid="5f6f2f3e-0000-4000-8000-000000000001",
    sequence=2,
    changed_at=datetime(2026, 3, 2, 7, tzinfo=UTC),
    starts_at=START,
    ends_at=START + timedelta(minutes=30),
    title="Videosesjon",
    description="Referanse: VT-7K3M-92QX\nBli med: https://videotime.example/rom/VT-7K3M-92QX/",
    url="https://videotime.example/rom/VT-7K3M-92QX/",
    join_label="Bli med",
)


def invitation(method="REQUEST", session=SESSION):
    return ics.invitation(
        session,
        method=method,
        organizer="videotime@elvebygd.example",
        attendee="berit.berg@staff.example",
        stamp=datetime(2026, 3, 2, 7, tzinfo=UTC),
    )


def only_event(text):
    [event] = Calendar.from_ical(text).walk("VEVENT")
    return event


def test_an_invitation_says_what_outlook_and_the_others_ask_for():
    calendar = Calendar.from_ical(invitation())
    event = only_event(invitation())
    assert calendar["METHOD"] == "REQUEST"
    assert event["UID"] == SESSION.uid
    assert event["SEQUENCE"] == 2
    assert event["STATUS"] == "CONFIRMED"
    assert event["CLASS"] == "PRIVATE"
    assert event["SUMMARY"] == "Videosesjon"
    assert event["DTSTAMP"].dt == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert str(event["ORGANIZER"]) == "mailto:videotime@elvebygd.example"
    assert str(event["ATTENDEE"]) == "mailto:berit.berg@staff.example"
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"


def test_a_cancellation_has_the_same_uid_and_says_so():
    text = invitation("CANCEL", SESSION._replace(cancelled=True, sequence=3))
    event = only_event(text)
    assert Calendar.from_ical(text)["METHOD"] == "CANCEL"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (SESSION.uid, 3, "CANCELLED")
    assert "RSVP" not in event["ATTENDEE"].params


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        (datetime(2026, 3, 17, 9, 30, tzinfo=UTC), "2026-03-17T10:30:00+01:00"),
        (datetime(2026, 7, 17, 9, 30, tzinfo=UTC), "2026-07-17T11:30:00+02:00"),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "2026-03-29T01:59:00+01:00"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29T03:00:00+02:00"),
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), "2026-10-25T01:30:00+02:00"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "2026-10-25T03:00:00+01:00"),
    ],
)
def test_times_are_oslos_on_both_sides_of_the_clock_changes(utc, local):
    event = only_event(invitation(session=SESSION._replace(starts_at=utc, ends_at=utc + timedelta(minutes=29))))
    start = event["DTSTART"]
    assert start.params["TZID"] == "Europe/Oslo"
    assert start.dt.replace(tzinfo=None).isoformat() == local[:19]


NIGHTS = [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 23, tzinfo=UTC)]
AUTUMN = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)


@pytest.mark.parametrize("evening", NIGHTS, ids=["spring", "autumn"])
@pytest.mark.parametrize("length", [timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=2)], ids=str)
@pytest.mark.parametrize(
    "written",
    [
        lambda session: invitation(session=session),
        lambda session: invitation("CANCEL", session._replace(cancelled=True)),
        lambda session: ics.feed([session], name="Videosesjoner"),
        ics.entry,
    ],
    ids=["invitation", "withdrawal", "feed", "entry"],
)
def test_every_start_in_both_nights_of_the_clock_changes_is_read_back_as_the_same_moment(evening, length, written):
    for turn in range(5 * 12):
        start = evening + timedelta(minutes=5 * turn)
        event = only_event(written(SESSION._replace(starts_at=start, ends_at=start + length)))
        assert (event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)) == (start, start + length)
        assert event["DTSTART"].params.get("TZID") == event["DTEND"].params.get("TZID")


def test_only_a_wall_time_that_comes_twice_is_written_in_utc():
    event = only_event(invitation(session=SESSION._replace(starts_at=AUTUMN, ends_at=AUTUMN + timedelta(minutes=30))))
    assert event["DTSTART"].to_ical() == b"20261025T004500Z"
    assert event["DTEND"].to_ical() == b"20261025T011500Z"


def test_the_time_zone_is_told_by_rules():
    [zone] = Calendar.from_ical(invitation()).walk("VTIMEZONE")
    assert {part.name: set(part["RRULE"].to_ical().decode().split(";")) for part in zone.subcomponents} == {
        "DAYLIGHT": {"FREQ=YEARLY", "BYMONTH=3", "BYDAY=-1SU"},
        "STANDARD": {"FREQ=YEARLY", "BYMONTH=10", "BYDAY=-1SU"},
    }


def test_the_conference_has_its_features_as_a_list():
    unfolded = invitation().replace("\r\n ", "")
    assert (
        'CONFERENCE;VALUE=URI;FEATURE=VIDEO,AUDIO;LABEL="Bli med":https://videotime.example/rom/VT-7K3M-92QX/\r\n'
        in unfolded
    )
    conference = only_event(invitation())["CONFERENCE"]
    assert conference.params["FEATURE"] == ["VIDEO", "AUDIO"]
    assert str(conference) == SESSION.url


def test_a_feed_says_how_often_with_the_type_that_the_standard_asks_for():
    text = ics.feed([SESSION], name="Videosesjoner")
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT30M\r\n" in text
    assert Calendar.from_ical(text)["X-WR-CALNAME"] == "Videosesjoner"


def test_every_line_ends_properly_and_none_is_too_long():
    text = invitation(session=SESSION._replace(description="æøå " * 60, title="š" * 100))
    assert text.endswith("END:VCALENDAR\r\n")
    lines = text.split("\r\n")
    assert not any("\n" in line or "\r" in line for line in lines)
    assert max(len(line.encode()) for line in lines) <= 75
    assert only_event(text)["SUMMARY"] == "š" * 100


def test_text_cannot_bring_properties_along():
    event = only_event(invitation(session=SESSION._replace(description="a;b,c\\d\nATTENDEE:mailto:x@y.example")))
    assert event["DESCRIPTION"] == "a;b,c\\d\nATTENDEE:mailto:x@y.example"
    assert str(event["ATTENDEE"]) == "mailto:berit.berg@staff.example"


@pytest.mark.parametrize("evil", ["a\rX-EVIL:1", "a\x00b", "a\x0bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb"])
def test_control_characters_are_refused(evil):
    for field in ("title", "description", "uid"):
        with pytest.raises(ics.UnsafeText):
            invitation(session=SESSION._replace(**{field: evil}))


@pytest.mark.parametrize("evil", ["https://x.example/\nX-EVIL:1", "https://x.example/ a", 'https://x.example/"'])
def test_an_address_cannot_bring_properties_along(evil):
    with pytest.raises(ics.UnsafeText):
        invitation(session=SESSION._replace(url=evil))


@pytest.mark.parametrize("evil", ["a@b.example\r\nX-EVIL:1", "a@b.example,c@d.example", "a b@c.example", "nobody", ""])
def test_a_mailbox_is_a_mailbox(evil):
    with pytest.raises(ics.UnsafeText):
        ics.mailbox(evil)
