from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from apps.calendars import services
from apps.calendars.models import FeedToken
from apps.scheduling.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    CancelReason,
    EventKind,
    Participant,
)


@pytest.fixture
def clock(now, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    return now


@pytest.fixture
def bergs_feed(berg, clock):
    url = services.feed_url(services.open_feed(user=berg, now=clock))
    return "/feeds/" + url.rpartition("/")[2]


def events(answer):
    assert answer.status_code == 200, answer
    return Calendar.from_ical(answer.content).walk("VEVENT")


def test_dr_berg_sees_her_sessions_without_a_word_about_the_patient(client, bergs_feed, session, now, settings):
    appointment = session(now + timedelta(days=1))
    answer = client.get(bergs_feed)
    [event] = events(answer)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert event["UID"] == str(appointment.uid)
    assert event["SUMMARY"] == "Videosesjon"
    assert event["URL"] == f"{settings.PUBLIC_URL}/rom/{appointment.reference}/"
    text = answer.content.decode()
    for secret in ("Ada", "Alm", "Sår", "Kvist", "138368", "00010001", "Elvebygd"):
        assert secret not in text


def test_only_the_sessions_one_takes_part_in(client, bergs_feed, session, now, tor):
    session(now + timedelta(days=1))
    session(now + timedelta(days=2), performer=tor)
    assert len(events(client.get(bergs_feed))) == 1


def test_the_past_month_and_the_coming_year(client, bergs_feed, session, now):
    for days in (-31, -29, 0, 399, 401):
        session(now + timedelta(days=days, hours=1))
    assert len(events(client.get(bergs_feed))) == 3


@pytest.mark.parametrize("start", ["2026-03-29T00:45:00Z", "2026-10-25T00:45:00Z", "2026-10-25T01:45:00Z"])
def test_a_session_over_the_change_of_the_clocks_lasts_as_long_as_it_does(client, bergs_feed, session, start):
    appointment = session(datetime.fromisoformat(start))
    [event] = events(client.get(bergs_feed))
    assert event["DTSTART"].dt.astimezone(UTC) == appointment.starts_at
    assert event["DTEND"].dt.astimezone(UTC) == appointment.ends_at


def test_a_moved_session_has_a_higher_sequence(client, bergs_feed, session, now):
    appointment = session(now + timedelta(days=1))
    Appointment.objects.filter(pk=appointment.pk).update(version=4)
    assert events(client.get(bergs_feed))[0]["SEQUENCE"] == 4


@pytest.mark.parametrize(("days", "shown"), [(1, 1), (29, 1), (31, 0)])
def test_a_cancelled_session_stays_for_a_month_as_cancelled(client, bergs_feed, session, now, days, shown):
    session(
        now + timedelta(days=1),
        status=AppointmentStatus.CANCELLED,
        cancelled_at=now - timedelta(days=days),
        cancel_reason=CancelReason.ILL,
    )
    found = events(client.get(bergs_feed))
    assert len(found) == shown
    assert all(event["STATUS"] == "CANCELLED" for event in found)


def test_an_unchanged_feed_is_not_sent_again(client, bergs_feed, session, now):
    appointment = session(now + timedelta(days=1))
    first = client.get(bergs_feed)
    again = client.get(bergs_feed, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    AppointmentEvent.objects.create(
        appointment=appointment, kind=EventKind.MOVED, version=1, at=now + timedelta(minutes=1)
    )
    changed = client.get(bergs_feed, headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_the_tag_is_the_same_before_and_after_the_text_is_written_and_changes_with_all_that_it_says(
    bergs_feed, berg, session, now, settings
):
    token = FeedToken.objects.select_related("user").get()
    tags = []

    def changed() -> bool:
        tags.append(services.feed_tag(token=token, now=now))
        assert services.read_feed(token=token, now=now).tag == tags[-1]
        return len(set(tags)) == len(tags)

    assert changed()
    appointment = session(now + timedelta(days=1))
    assert changed()
    other = session(now + timedelta(days=1))
    assert changed()
    assert not changed()
    tags.pop()
    mine = Appointment.objects.filter(pk=appointment.pk)
    for change in (
        {"version": 4},
        {"starts_at": now + timedelta(days=2), "ends_at": now + timedelta(days=2, minutes=30)},
        {"ends_at": now + timedelta(days=2, minutes=45)},
        {"status": AppointmentStatus.CANCELLED, "cancelled_at": now, "cancel_reason": CancelReason.ILL},
    ):
        mine.update(**change)
        assert changed(), change
    other.participants.all().delete()
    assert changed()
    token.user.language = "en"
    assert changed()
    settings.PUBLIC_URL = "https://elsewhere.example"
    assert changed()


def test_an_unchanged_feed_takes_two_queries_however_many_sessions(
    client, bergs_feed, session, now, settings, django_assert_num_queries
):
    session(now + timedelta(days=1))
    known = {"if-none-match": client.get(bergs_feed)["ETag"]}
    with django_assert_num_queries(2):
        assert client.get(bergs_feed, headers=known).status_code == 304


def test_a_feed_of_five_hundred_takes_at_most_three_queries(
    client, bergs_feed, session, now, django_assert_max_num_queries
):
    one = session(now + timedelta(days=1))
    berg = one.participants.get(role="performer").schedule
    copies = Appointment.objects.bulk_create(
        Appointment(
            service_type=one.service_type,
            patient=one.patient,
            requester_unit=one.requester_unit,
            performer_unit=one.performer_unit,
            starts_at=one.starts_at + timedelta(hours=number),
            ends_at=one.ends_at + timedelta(hours=number),
            booked_by=one.booked_by,
            booked_at=now,
        )
        for number in range(1, 500)
    )
    Participant.objects.bulk_create(Participant(appointment=copy, role="performer", schedule=berg) for copy in copies)
    with django_assert_max_num_queries(3):
        answer = client.get(bergs_feed)
    assert len(events(answer)) == 500


def test_the_code_is_derived_and_not_stored(berg, now):
    token = services.open_feed(user=berg, now=now)
    code = services.feed_url(token).rpartition("/")[2].removesuffix(".ics")
    assert len(code) == 26
    assert code.encode() not in bytes(FeedToken.objects.get().digest)


def test_replacing_stops_the_old_address_at_once(client, bergs_feed, berg, now):
    assert client.get(bergs_feed).status_code == 200
    fresh = services.replace_feed(user=berg, now=now)
    assert client.get(bergs_feed).status_code == 404
    assert client.get("/feeds/" + services.feed_url(fresh).rpartition("/")[2]).status_code == 200
    assert FeedToken.objects.filter(user=berg, revoked_at__isnull=True).count() == 1


def test_removing_and_leaving_close_the_feed(client, bergs_feed, berg, now):
    berg.is_active = False
    berg.save()
    assert client.get(bergs_feed).status_code == 404
    berg.is_active = True
    berg.save()
    services.close_feed(user=berg, now=now)
    assert client.get(bergs_feed).status_code == 404


def test_who_works_nowhere_any_more_has_no_feed(client, bergs_feed, berg, now):
    berg.memberships.update(valid_to=now.date() - timedelta(days=1))
    assert client.get(bergs_feed).status_code == 404


@pytest.mark.parametrize("code", ["a" * 26, "A" * 26, "x", "æøå", "a" * 500, "..%2f..", "%00"])
def test_a_guessed_address_is_nobodys(client, bergs_feed, code):
    assert client.get(f"/feeds/{code}.ics").status_code == 404


def test_when_it_was_used_is_noted_once_an_hour(client, bergs_feed, now, django_assert_num_queries):
    client.get(bergs_feed)
    assert FeedToken.objects.get().last_used_at == now
    with django_assert_num_queries(2):
        client.get(bergs_feed)


class TestThePage:
    PAGE = "/kalender/abonnement/"

    def test_kari_makes_copies_replaces_and_removes_her_feed(self, as_user, kari):
        page = as_user(kari)
        assert "Lag en adresse" in page.get(self.PAGE).content.decode()
        page.post(self.PAGE, {"do": "make"})
        first = services.feed_url(FeedToken.objects.get(revoked_at__isnull=True))
        shown = page.get(self.PAGE).content.decode()
        assert f'data-copy="{first}"' in shown
        assert f'href="{first.replace("http://", "webcal://")}"' in shown
        assert "<svg" in shown
        page.post(self.PAGE, {"do": "replace"})
        second = services.feed_url(FeedToken.objects.get(revoked_at__isnull=True))
        assert second != first
        assert first not in page.get(self.PAGE).content.decode()
        page.post(self.PAGE, {"do": "remove"})
        assert not FeedToken.objects.filter(revoked_at__isnull=True).exists()

    def test_each_sees_her_own(self, as_user, kari, berg, now):
        bergs = services.feed_url(services.open_feed(user=berg, now=now))
        assert bergs not in as_user(kari).get(self.PAGE).content.decode()

    def test_an_unknown_wish_changes_nothing(self, as_user, kari):
        assert as_user(kari).post(self.PAGE, {"do": "\0"}).status_code == 302
        assert not FeedToken.objects.exists()

    def test_a_visitor_is_asked_to_sign_in(self, client, db):
        assert client.get(self.PAGE).status_code == 302


def test_the_invitation_of_a_session_has_its_uid_version_and_nothing_else(session, now, settings):
    settings.DEFAULT_FROM_EMAIL = "Videotime <videotime@elvebygd.example>"
    appointment = session(now + timedelta(days=1), version=3)
    text = services.invitation(
        appointment=appointment, address="berit.berg@staff.example", method="REQUEST", language="en", now=now
    )
    [event] = Calendar.from_ical(text).walk("VEVENT")
    assert (event["UID"], event["SEQUENCE"], event["SUMMARY"]) == (str(appointment.uid), 3, "Video session")
    for secret in ("Ada", "Alm", "Sår", "Wound", "138368"):
        assert secret not in text


def test_one_person_is_let_go_from_a_session_that_takes_place(session, now):
    appointment = session(now + timedelta(days=1))
    text = services.invitation(
        appointment=appointment, address="berit.berg@staff.example", method="CANCEL", language="nb", now=now
    )
    assert Calendar.from_ical(text).walk("VEVENT")[0]["STATUS"] == "CANCELLED"
