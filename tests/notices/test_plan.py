"""Who is told what, when and how."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.notices import texts
from apps.notices.people import Person, patient_person
from apps.notices.plan import Session, plan, reminder_due
from apps.patients.models import ContactChannel, NextOfKin, Protection
from tests.scheduling_cast import at

WAY = (("sms", "+4700010001"),)
ADA = Person(key="ada", role="patient", audience=texts.PATIENT, name="Ada Alm", language="nb", ways=WAY)


@pytest.fixture(autouse=True)
def real_phones(settings):
    settings.SMS_CARRIERS = ["kannel"]


def session(start):
    starts_at = at(start)
    return Session(starts_at, starts_at + timedelta(minutes=30), "VT-7K3M-92QX", "00 00 10 20", "Elvebygd", "Elvebygd")


def planned(start, now, person=ADA, purpose=texts.BOOKED, done_by=None):
    return plan(
        session(start), [person], purpose, now=at(now), link_of=lambda _person: "https://x.example/j/", done_by=done_by
    )


def when(made):
    return {message.purpose: message.due_at for message in made.messages}


def test_the_invitation_goes_now_and_the_reminders_two_days_and_two_hours_before():
    assert when(planned("2026-03-12 10.00", "2026-03-02 09.00")) == {
        texts.BOOKED: at("2026-03-02 09.00"),
        texts.REMINDER_2_DAYS: at("2026-03-10 10.00"),
        texts.REMINDER_2_HOURS: at("2026-03-12 08.00"),
    }


@pytest.mark.parametrize(
    ("start", "purposes"),
    [
        ("2026-03-02 12.30", {texts.BOOKED}),
        ("2026-03-02 13.30", {texts.BOOKED, texts.REMINDER_2_HOURS}),
        ("2026-03-04 15.00", {texts.BOOKED, texts.REMINDER_2_HOURS}),
        ("2026-03-05 09.00", {texts.BOOKED, texts.REMINDER_2_DAYS, texts.REMINDER_2_HOURS}),
    ],
)
def test_a_reminder_right_after_the_invitation_is_left_out(start, purposes):
    assert set(when(planned(start, "2026-03-02 09.00"))) == purposes


@pytest.mark.parametrize(
    ("start", "two_days", "two_hours"),
    [
        ("2026-03-12 10.00", "2026-03-10 10.00", "2026-03-12 08.00"),
        ("2026-03-12 09.00", "2026-03-10 09.00", "2026-03-12 08.00"),  # 07.00 is night; at eight there is still an hour
        ("2026-03-12 08.30", "2026-03-10 08.30", "2026-03-11 20.00"),  # half an hour is too little: the evening before
        ("2026-03-12 07.30", "2026-03-10 08.00", "2026-03-11 20.00"),
        ("2026-03-12 22.30", "2026-03-10 20.00", "2026-03-12 20.30"),
        ("2026-03-12 23.30", "2026-03-10 20.00", "2026-03-12 20.00"),
        ("2026-03-30 10.00", "2026-03-28 10.00", "2026-03-30 08.00"),  # the night between loses an hour
        ("2026-10-26 10.00", "2026-10-24 10.00", "2026-10-26 08.00"),
    ],
)
def test_no_reminder_comes_at_night(start, two_days, two_hours):
    assert reminder_due(texts.REMINDER_2_DAYS, at(start)) == at(two_days)
    assert reminder_due(texts.REMINDER_2_HOURS, at(start)) == at(two_hours)


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("month", [3, 10])
def test_every_reminder_is_by_day_and_before_the_start(hour, month):
    for day in range(20, 31):
        starts_at = datetime(2026, month, day, hour, 45, tzinfo=UTC)
        for purpose in texts.REMINDERS:
            due = reminder_due(purpose, starts_at)
            assert due < starts_at
            assert 8 <= due.astimezone(at("2026-03-02 09.00").tzinfo).hour < 21


def test_booked_at_night_the_patient_hears_of_it_in_the_morning():
    assert when(planned("2026-03-12 10.00", "2026-03-02 22.15"))[texts.BOOKED] == at("2026-03-03 08.00")


def test_what_could_only_be_told_at_night_is_for_the_telephone():
    made = planned("2026-03-03 07.30", "2026-03-02 22.15")
    assert [gap.why for gap in made.gaps] == ["no-time"]
    assert set(when(made)) == {texts.BOOKED}
    assert not made.messages[0].can_be_sent


def test_nothing_is_planned_to_come_after_the_start():
    assert max(when(planned("2026-03-12 10.00", "2026-03-02 09.00")).values()) < at("2026-03-12 10.00")


def test_a_delayed_link_still_helps_who_is_late_and_a_delayed_reminder_does_not():
    latest = {one.purpose: one.not_after for one in planned("2026-03-12 10.00", "2026-03-02 09.00").messages}
    assert latest == {
        texts.BOOKED: at("2026-03-12 10.30"),
        texts.REMINDER_2_DAYS: at("2026-03-11 10.00"),
        texts.REMINDER_2_HOURS: at("2026-03-12 10.00"),
    }


def test_who_is_called_late_gets_the_link_at_once():
    [message] = planned("2026-03-02 09.00", "2026-03-02 09.10").messages
    assert message.can_be_sent
    assert message.due_at == at("2026-03-02 09.10")


def test_a_link_that_would_wait_past_the_start_is_for_the_telephone():
    made = planned("2026-03-03 07.45", "2026-03-02 22.15")
    assert [gap.why for gap in made.gaps] == ["no-time"]
    assert not made.messages[0].can_be_sent


def test_a_cancellation_has_no_reminders_and_no_link():
    [message] = planned("2026-03-12 10.00", "2026-03-02 09.00", purpose=texts.CANCELLED).messages
    assert "https://" not in message.body


class TestThePatientsWish:
    @pytest.fixture
    def person(self, ada):
        def make(**wishes):
            for name, value in wishes.items():
                setattr(ada, name, value)
            ada.save()
            return patient_person(ada, key="ada")

        return make

    def test_a_text_message_and_an_e_mail_in_reserve(self, person):
        made = person(email="ada@patient.example")
        assert made.ways == (("sms", "+4700010001"), ("email", "ada@patient.example"))
        messages = planned("2026-03-12 10.00", "2026-03-02 09.00", made).messages
        assert [(one.purpose, one.channel, one.reserve.channel) for one in messages] == [
            (purpose, "sms", "email") for purpose in (texts.BOOKED, *texts.REMINDERS)
        ]
        assert all((one.due_at, one.not_after) == (one.reserve.due_at, one.reserve.not_after) for one in messages)

    def test_e_mail_first_where_she_wants_that(self, person):
        made = person(email="ada@patient.example", channel=ContactChannel.EMAIL)
        assert [channel for channel, _address in made.ways] == ["email", "sms"]

    @pytest.mark.parametrize(
        ("wishes", "why"),
        [
            ({"reserved": True}, "reserved"),
            ({"channel": ContactChannel.NONE}, "wants-none"),
            ({"phone": None}, "no-contact"),
            ({"channel": ContactChannel.NEXT_OF_KIN}, "no-contact"),
        ],
    )
    def test_who_cannot_be_told_by_message_is_told_by_telephone_or_letter(self, person, wishes, why):
        made = planned("2026-03-12 10.00", "2026-03-02 09.00", person(**wishes))
        assert made.messages == []
        assert [gap.why for gap in made.gaps] == [why]

    def test_a_next_of_kin_who_acts_for_her_is_told_instead(self, person, ada):
        NextOfKin.objects.create(patient=ada, name="Nils Alm", relation="bror", phone="+4700010077")
        NextOfKin.objects.create(
            patient=ada, name="Siri Alm", relation="datter", phone="+4700010088", acts_for_patient=True
        )
        made = person(channel=ContactChannel.NEXT_OF_KIN)
        assert made.ways == (("sms", "+4700010088"),)
        assert "Den du hjelper" in planned("2026-03-12 10.00", "2026-03-02 09.00", made).messages[0].body

    @pytest.mark.parametrize("protection", [Protection.CONFIDENTIAL, Protection.STRICTLY])
    def test_a_protected_address_is_no_reason_not_to_send_a_text_message(self, person, protection):
        assert person(protection=protection).ways == (("sms", "+4700010001"),)

    @pytest.mark.parametrize(
        ("speaks", "reads"), [("nob", "nb"), ("nno", "nn"), ("sme", "se"), ("eng", "en"), ("pol", "en")]
    )
    def test_she_is_written_to_in_her_language(self, person, speaks, reads):
        assert planned("2026-03-12 10.00", "2026-03-02 09.00", person(language=speaks)).messages[0].language == reads
