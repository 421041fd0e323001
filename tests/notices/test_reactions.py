"""What is said when something happens, from the booking service to the phone."""

from datetime import timedelta

import pytest
from django.urls import reverse
from icalendar import Calendar

from apps.messaging.carriers import Refused
from apps.messaging.models import OutboxMessage, OutboxState
from apps.messaging.queries import address_index
from apps.messaging.services import FAILED, record_receipt
from apps.notices import services
from apps.rooms.models import JoinLink
from apps.rooms.queries import live_link
from apps.rooms.services import link_for, reissue_link, revoke_link
from apps.scheduling import events
from apps.scheduling.models import EventKind, Participant
from apps.scheduling.services import (
    GuestInput,
    add_guest,
    cancel_appointment,
    move_appointment,
    remove_participant,
    start_appointment,
)

FRIDAY = "2026-03-06 10.00"


@pytest.fixture
def booked(book, ada, react):
    """Kari has booked Ada for Friday; everything that follows has followed."""
    appointment = book(ada, FRIDAY)
    react()
    return appointment


def said(messages):
    return sorted((message.purpose, message.channel, message.address) for message in messages)


ADA, BERG = "+4700010001", "berit.berg@staff.example"


def test_a_booking_tells_ada_by_sms_and_dr_berg_by_invitation_and_not_kari_who_did_it(booked, outbox):
    assert said(outbox()) == [
        ("booked", "email", BERG),
        ("booked", "sms", ADA),
        ("reminder_2_days", "sms", ADA),
        ("reminder_2_hours", "sms", ADA),
    ]


def test_the_patient_gets_her_own_link_and_no_word_about_the_service_or_the_specialist(booked, outbox):
    patient = booked.participants.get(role="patient")
    [message] = outbox(purpose="booked", channel="sms")
    assert link_for(patient, now=message.created_at) in message.body
    assert (message.sender, message.subject) == ("Elvebygd", "")
    for secret in ("Ada", "Alm", "Berg", "Sår", "sår", "Kvist"):
        assert secret not in message.body


def test_dr_bergs_invitation_fits_the_appointment_and_has_no_patient_data(booked, outbox, settings):
    [message] = outbox(purpose="booked", channel="email")
    [event] = Calendar.from_ical(message.calendar).walk("VEVENT")
    assert message.calendar_method == Calendar.from_ical(message.calendar)["METHOD"] == "REQUEST"
    assert (event["UID"], event["SEQUENCE"]) == (str(booked.uid), 0)
    assert event["DTSTART"].dt == booked.starts_at
    assert str(event["ATTENDEE"]) == f"mailto:{BERG}"
    assert f"{settings.PUBLIC_URL}/rom/{booked.reference}/" in message.body
    for secret in ("Ada", "Alm", "Sår", "138368", "00010001"):
        assert secret not in message.body + message.subject + message.calendar


def test_everything_is_said_once_however_often_the_sweepers_run(booked, react, send, at):
    for _turn in range(3):
        react()
        send()
        send(at(FRIDAY) - timedelta(days=2))
        send(at(FRIDAY) - timedelta(hours=2))
    assert OutboxMessage.objects.filter(state=OutboxState.DELIVERED).count() == 4
    assert OutboxMessage.objects.count() == 4


def test_the_interpreter_is_booked_without_the_patients_name(book, ada, amina_diary, react, outbox, amina):
    book(ada, FRIDAY, interpreter_language="som")
    react()
    mails = {row.address: row for row in outbox(purpose="booked", channel="email")}
    assert set(mails) == {amina.email, BERG}
    body = mails[amina.email].body
    assert "satt opp som tolk på video fredag 6. mars kl. 10.00" in body
    assert "Språk: somali" in body
    for secret in ("Ada", "Alm", "Sår", "sår", "Berg"):
        assert secret not in body + mails[amina.email].subject + mails[amina.email].calendar


class TestMoving:
    def test_the_old_reminders_are_gone_with_the_move_itself(self, booked, now, kari, at, outbox):
        move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), actor=kari, now=now)
        assert outbox() == []
        assert {row.state for row in OutboxMessage.objects.all()} == {OutboxState.WITHDRAWN}

    def test_who_had_heard_is_told_the_new_time(self, booked, now, kari, at, outbox, react, send):
        send()
        move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), actor=kari, now=now)
        react()
        assert said(outbox()) == [
            ("moved", "email", BERG),
            ("moved", "sms", ADA),
            ("reminder_2_days", "sms", ADA),
            ("reminder_2_hours", "sms", ADA),
        ]
        [mail] = outbox(purpose="moved", channel="email")
        [event] = Calendar.from_ical(mail.calendar).walk("VEVENT")
        assert (event["UID"], event["SEQUENCE"]) == (str(booked.uid), 1)
        [sms] = outbox(purpose="moved", channel="sms")
        assert "flyttet til mandag 9. mars kl. 11.00" in sms.body

    def test_who_had_not_heard_gets_a_plain_invitation(self, booked, now, kari, at, outbox, react):
        move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), actor=kari, now=now)
        react()
        assert [message.purpose for message in outbox(channel="sms")][:1] == ["booked"]
        assert outbox(purpose="moved") == []

    def test_the_link_stays_the_same(self, booked, now, kari, at, outbox, react, send):
        [first] = outbox(purpose="booked", channel="sms")
        link = next(word for word in first.body.split() if "/j/" in word)
        send()
        move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), actor=kari, now=now)
        react()
        assert link in outbox(purpose="moved", channel="sms")[0].body

    def test_moved_twice_before_the_sweeper_came_is_told_once(self, booked, now, kari, at, outbox, react, send):
        send()
        again = move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), actor=kari, now=now)
        move_appointment(appointment=again, starts_at=at("2026-03-10 12.00"), actor=kari, now=now)
        react()
        [message] = outbox(purpose="moved", channel="sms")
        assert "tirsdag 10. mars kl. 12.00" in message.body

    def test_when_the_patient_moves_it_kari_is_told(self, booked, now, at, outbox, react, send, kari):
        send()
        move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), by_patient=True, now=now)
        react()
        [mail] = [row for row in outbox(channel="email") if row.address == kari.email]
        assert (mail.purpose, mail.subject) == ("moved", "Flyttet: videosesjon mandag 9. mars kl. 11.00")

    @pytest.fixture
    def by_tor(self, booked, tor, send, now, at, react):
        """Tor has booked it and does not take part; he was told when Ada moved it."""
        booked.booked_by = tor
        booked.save()
        send()
        moved = move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), by_patient=True, now=now)
        react()
        send()
        return moved

    def test_whoever_booked_it_and_was_told_of_one_move_is_told_of_the_next(
        self, by_tor, now, at, outbox, react, send, kari, tor
    ):
        again = move_appointment(appointment=by_tor, starts_at=at("2026-03-10 12.00"), actor=kari, now=now)
        react()
        assert said(outbox(address_index=address_index(tor.email))) == [("moved", "email", tor.email)]
        send()
        cancel_appointment(appointment=again, reason="ill", actor=kari, now=now)
        react()
        assert said(outbox(address_index=address_index(tor.email))) == [("cancelled", "email", tor.email)]

    def test_whoever_booked_it_is_not_told_of_his_own_move(self, by_tor, now, at, outbox, react, tor):
        move_appointment(appointment=by_tor, starts_at=at("2026-03-10 12.00"), actor=tor, now=now)
        react()
        assert outbox(address_index=address_index(tor.email)) == []

    def test_whoever_booked_it_and_has_left_since_is_told_nothing(self, by_tor, now, at, outbox, react, kari, tor):
        tor.is_active = False
        tor.save()
        move_appointment(appointment=by_tor, starts_at=at("2026-03-10 12.00"), actor=kari, now=now)
        react()
        assert outbox(address_index=address_index(tor.email)) == []

    def test_a_specialist_who_no_longer_comes_is_told_that_the_old_time_is_off(
        self, booked, now, kari, at, outbox, react, send, berg_diary, holm_diary
    ):
        from apps.scheduling.models import Absence

        send()
        Absence.objects.create(schedule=berg_diary, starts_at=at("2026-03-09 08.00"), ends_at=at("2026-03-09 16.00"))
        move_appointment(appointment=booked, starts_at=at("2026-03-09 11.00"), actor=kari, now=now)
        react()
        [mail] = outbox(channel="email", purpose="cancelled")
        [event] = Calendar.from_ical(mail.calendar).walk("VEVENT")
        assert (mail.address, mail.calendar_method, event["STATUS"]) == (BERG, "CANCEL", "CANCELLED")
        assert "fredag 6. mars kl. 10.00" in mail.body
        assert event["DTSTART"].dt == at(FRIDAY)


class TestCancelling:
    def test_the_reminders_go_at_once_and_all_who_had_heard_are_told(self, booked, now, kari, outbox, react, send):
        send()
        cancel_appointment(appointment=booked, reason="ill", actor=kari, now=now)
        assert outbox() == []
        react()
        assert said(outbox()) == [("cancelled", "email", BERG), ("cancelled", "sms", ADA)]
        [mail] = outbox(channel="email")
        [event] = Calendar.from_ical(mail.calendar).walk("VEVENT")
        assert mail.calendar_method == Calendar.from_ical(mail.calendar)["METHOD"] == "CANCEL"
        assert (event["SEQUENCE"], event["STATUS"]) == (1, "CANCELLED")

    def test_when_the_patient_cancels_whoever_booked_it_is_told(self, book, ada, now, kari, tor, outbox, react, send):
        booked = book(ada, FRIDAY)
        booked.booked_by = tor
        booked.save()
        react()
        send()
        cancel_appointment(appointment=booked, reason="patient", by_patient=True, now=now)
        react()
        mails = {row.address: row for row in outbox(channel="email", purpose="cancelled")}
        assert tor.email in mails
        assert mails[tor.email].calendar is None
        assert mails[BERG].calendar_method == "CANCEL"

    def test_nobody_hears_why(self, booked, now, kari, outbox, react, send):
        send()
        cancel_appointment(appointment=booked, reason="ill", actor=kari, now=now)
        react()
        said_now = " ".join(message.body for message in outbox(purpose="cancelled"))
        assert "avlyst" in said_now
        assert "syk" not in said_now

    def test_who_had_not_heard_of_it_hears_nothing(self, booked, now, kari, outbox, react):
        cancel_appointment(appointment=booked, reason="ill", actor=kari, now=now)
        react()
        assert outbox() == []

    def test_nothing_at_all_goes_out_when_it_is_cancelled_before_the_sweeper_came(self, book, ada, now, kari, react):
        appointment = book(ada, FRIDAY)
        cancel_appointment(appointment=appointment, reason="ill", actor=kari, now=now)
        react()
        assert not OutboxMessage.objects.exists()


class TestGuests:
    NILS = GuestInput(name="Nils Alm", relation="bror", phone="+4700010077")

    def test_a_guest_gets_a_link_of_his_own(self, booked, now, kari, outbox, react):
        add_guest(appointment=booked, guest=self.NILS, actor=kari, now=now)
        react()
        mine = outbox(purpose="booked", channel="sms")
        links = {word for row in mine for word in row.body.split() if "/j/" in word}
        assert (len(mine), len(links)) == (2, 2)

    def test_the_others_are_not_told_again(self, booked, now, kari, outbox, react):
        before = said(outbox())
        add_guest(appointment=booked, guest=self.NILS, actor=kari, now=now)
        react()
        assert [row for row in said(outbox()) if row[2] != "+4700010077"] == before

    def test_a_guest_who_is_taken_off_is_told_and_gets_no_reminder(self, booked, now, kari, outbox, react, send):
        nils = add_guest(appointment=booked, guest=self.NILS, actor=kari, now=now)
        react()
        send()
        remove_participant(participant=nils, actor=kari, now=now)
        react()
        assert [row for row in said(outbox()) if row[2] == "+4700010077"] == [("cancelled", "sms", "+4700010077")]

    def test_who_got_no_calendar_entry_has_none_taken_away(self, booked, now, kari, outbox, react, send):
        nils = add_guest(
            appointment=booked, guest=GuestInput(name="Nils Alm", email="nils@alm.example"), actor=kari, now=now
        )
        react()
        send()
        remove_participant(participant=nils, actor=kari, now=now)
        react()
        (told,) = outbox(recipient=str(nils.uid))
        assert (told.purpose, told.calendar_method) == ("cancelled", "")

    def test_a_guest_who_is_taken_off_is_told_where_the_last_message_reached_him(
        self, booked, now, kari, outbox, react, send
    ):
        nils = add_guest(appointment=booked, guest=self.NILS, actor=kari, now=now)
        react()
        send()
        for phone in ("+4700010078", "+4700010079"):
            send(now + timedelta(minutes=1))
            Participant.objects.filter(pk=nils.pk).update(guest_phone=phone)
            services.send_again(appointment=booked, uid=nils.uid, actor=kari, now=now)
        remove_participant(participant=nils, actor=kari, now=now)
        react()
        assert [row.address for row in outbox(recipient=str(nils.uid))] == ["+4700010078"]

    def test_a_guest_who_is_taken_off_just_before_all_is_cancelled_is_told_too(
        self, booked, now, kari, outbox, react, send
    ):
        nils = add_guest(appointment=booked, guest=self.NILS, actor=kari, now=now)
        react()
        send()
        remove_participant(participant=nils, actor=kari, now=now)
        cancel_appointment(appointment=booked, reason="ill", actor=kari, now=now)
        react()
        assert [row for row in said(outbox()) if row[2] == "+4700010077"] == [("cancelled", "sms", "+4700010077")]

    def test_a_guest_who_had_not_heard_yet_is_not_told(self, booked, now, kari, outbox, react):
        nils = add_guest(appointment=booked, guest=self.NILS, actor=kari, now=now)
        react()
        remove_participant(participant=nils, actor=kari, now=now)
        react()
        assert "+4700010077" not in {row.address for row in outbox()}

    def test_a_guest_who_is_added_before_the_sweeper_came_is_invited_once(self, book, ada, now, kari, outbox, react):
        booked = book(ada, FRIDAY)
        add_guest(appointment=booked, guest=self.NILS, actor=kari, now=now)
        react()
        invited = [row for row in said(OutboxMessage.objects.all()) if row[2] == "+4700010077"]
        assert [purpose for purpose, *_way in invited if purpose.startswith("booked")] == ["booked"]


class TestANewLink:
    @pytest.fixture
    def ada_in(self, booked) -> Participant:
        return booked.participants.select_related("appointment").get(role="patient")

    def test_what_waits_leads_to_the_new_link_and_nothing_to_the_old_one(self, ada_in, outbox, now, kari, react, send):
        old = link_for(ada_in, now=now)
        new = reissue_link(ada_in, now=now, actor=kari)
        assert not [row for row in outbox(channel="sms") if old in row.body]
        react()
        waiting = outbox(address_index=outbox(channel="sms")[0].address_index)
        assert {row.purpose.partition(":")[0] for row in waiting} == {"booked", "reminder_2_days", "reminder_2_hours"}
        assert all(new in row.body for row in waiting)

    def test_who_was_told_already_is_sent_the_new_link(self, ada_in, outbox, now, send, react):
        send()
        new = reissue_link(ada_in, now=now)
        react()
        [invitation] = outbox(purpose__startswith="booked", channel="sms")
        assert new in invitation.body

    def test_a_link_renewed_before_the_sweeper_came_is_said_once(self, book, ada, outbox, now, react):
        booked = book(ada, FRIDAY)
        new = reissue_link(booked.participants.get(role="patient"), now=now)
        react()
        [invitation] = OutboxMessage.objects.filter(purpose__startswith="booked", channel="sms")
        assert new in invitation.body

    def test_nothing_leads_to_a_link_that_was_taken_back(self, booked, ada_in, outbox, now, react):
        assert revoke_link(ada_in, now=now)
        react()
        assert outbox(channel="sms") == []
        assert live_link(ada_in) is None
        assert [row.channel for row in outbox()] == ["email"]
        assert booked.events.last().kind == EventKind.LINK_REVOKED

    def test_staff_keep_their_messages_for_they_sign_in(self, booked, outbox, now, react):
        before = said(outbox())
        reissue_link(booked.participants.get(role="performer"), now=now)
        react()
        assert said(outbox()) == before


class TestANewNumber:
    def test_what_waits_goes_to_the_new_number(self, booked, ada, outbox, now):
        ada.phone = "+4700010099"
        ada.save()
        event = events.record(booked, EventKind.CONTACT_CHANGED, now=now)
        services.tell_participant(event=event, now=now)
        assert {row.address for row in outbox(channel="sms")} == {"+4700010099"}

    def test_the_invitation_can_be_sent_again_as_often_as_needed(self, booked, ada, outbox, now, kari, send):
        patient = booked.participants.get(role="patient")
        for _turn in range(3):
            send()
            services.send_again(appointment=booked, uid=patient.uid, actor=kari, now=now)
        assert len(outbox(purpose__startswith="booked", channel="sms")) == 1
        assert OutboxMessage.objects.filter(purpose__startswith="booked", channel="sms").count() == 4

    def test_a_locked_link_is_replaced_by_one_that_works(self, booked, now, kari, as_user, outbox, monkeypatch):
        monkeypatch.setattr("django.utils.timezone.now", lambda: now)
        patient = booked.participants.get(role="patient")
        old = link_for(patient, now=now)
        JoinLink.objects.filter(participant=patient).update(locked_at=now)
        address = reverse("notices:timeline", args=[booked.reference])
        warning = "er låst etter for mange feil forsøk"
        assert warning in as_user(kari).get(address).content.decode()
        assert services.send_again(appointment=booked, uid=patient.uid, actor=kari, now=now)
        assert live_link(patient).locked_at is None
        said_now = [row for row in outbox(channel="sms") if row.address == ADA]
        assert said_now
        assert all(link_for(patient, now=now) in row.body and old not in row.body for row in said_now)
        assert warning not in as_user(kari).get(address).content.decode()

    def test_who_is_late_gets_the_link_again_until_the_end(self, booked, kari, react):
        assert start_appointment(appointment=booked, now=booked.starts_at)
        patient = booked.participants.get(role="patient")
        late = booked.starts_at + timedelta(minutes=10)
        services.send_again(appointment=booked, uid=patient.uid, actor=kari, now=late)
        assert OutboxMessage.objects.filter(created_at=late, channel="sms", state="waiting").count() == 1
        with pytest.raises(services.NothingToTell):
            services.send_again(appointment=booked, uid=patient.uid, actor=kari, now=booked.ends_at)

    def test_to_nobody_nothing_is_sent(self, booked, ada, now, kari):
        ada.reserved = True
        ada.save()
        patient = booked.participants.get(role="patient")
        with pytest.raises(services.NobodyToTell):
            services.send_again(appointment=booked, uid=patient.uid, actor=kari, now=now)


def test_a_number_that_cannot_be_reached_falls_to_e_mail(book, ada, react, settings, monkeypatch, now):
    from apps.messaging import carriers
    from apps.messaging.services import deliver_next_message

    class NoSuchNumber:
        name = "none"
        wakes_people = True

        def send(self, message):
            raise Refused("bad-number")

    monkeypatch.setitem(carriers.CARRIERS, "none", NoSuchNumber())
    settings.SMS_CARRIERS, settings.EMAIL_CARRIER = ["none"], "inbox"
    ada.email = "ada@patient.example"
    ada.save()
    book(ada, FRIDAY)
    react()
    while deliver_next_message(now=now):
        pass
    mail = OutboxMessage.objects.get(instead_of__isnull=False, purpose="booked")
    assert (mail.address, mail.state) == ("ada@patient.example", OutboxState.DELIVERED)
    assert "/j/" in mail.body


@pytest.mark.parametrize("purpose", ["reminder_2_days", "reminder_2_hours"])
def test_a_reminder_that_cannot_be_delivered_falls_to_e_mail(purpose, book, ada, react, outbox):
    ada.email = "ada@patient.example"
    ada.save()
    book(ada, FRIDAY)
    react()
    [reminder] = outbox(purpose=purpose)
    assert reminder.channel == "sms"
    OutboxMessage.objects.filter(pk=reminder.pk).update(state=OutboxState.SENT, sent_at=reminder.due_at, attempts=1)
    assert record_receipt(reference=reminder.reference, said=FAILED, now=reminder.due_at)
    [mail] = outbox(purpose=purpose)
    assert (mail.channel, mail.address, mail.due_at) == ("email", "ada@patient.example", reminder.due_at)
    assert "/j/" in mail.body


def test_no_more_reminders_than_the_days_measure_are_planned(book, ada, react, outbox, settings, at):
    settings.DAILY_SMS_CAP = 1
    book(ada, "2026-03-12 10.00")
    book(ada, "2026-03-12 13.00")
    react()
    assert len(outbox(purpose="reminder_2_days")) == 1


def test_a_session_without_the_patient_tells_no_patient(book, ada, wound_review, react, outbox):
    wound_review.patient_present = False
    wound_review.save()
    book(ada, FRIDAY)
    react()
    assert outbox(channel="sms") == []
    assert not Participant.objects.filter(role="patient").exists()


def test_dr_bergs_mail_program_gets_an_invitation_that_it_can_answer(mail_server, booked, settings, now):
    from apps.messaging.services import deliver_next_message

    settings.SMS_CARRIERS, settings.EMAIL_CARRIER = ["inbox"], "smtp"
    while deliver_next_message(now=now):
        pass
    [(recipients, mail)] = mail_server.mails
    part = list(mail.iter_parts())[-1]
    calendar = Calendar.from_ical(part.get_content())
    [event] = calendar.walk("VEVENT")
    assert (mail.get_content_type(), part.get_content_type()) == ("multipart/alternative", "text/calendar")
    assert part.get_param("method") == calendar["METHOD"] == "REQUEST"
    assert recipients == [BERG]
    assert str(event["ATTENDEE"]) == f"mailto:{BERG}"
    assert str(event["ORGANIZER"]) == "mailto:videotime@elvebygd.example"
    assert "videotime@elvebygd.example" in mail["From"]


@pytest.mark.parametrize("phone", ["12", "+999", "ring meg", "+4799999999999999999"])
def test_a_number_that_is_none_keeps_nobody_else_from_being_told(book, ada, react, outbox, phone):
    book(ada, FRIDAY, guests=[GuestInput(name="Nils Alm", phone=phone)])
    assert react() == 1
    assert ("booked", "sms", ADA) in said(outbox())


def test_an_address_that_no_calendar_can_carry_gets_the_mail_without_it(book, ada, berg, react, outbox):
    berg.email = "berit@sykehus-ø.example"
    berg.save()
    book(ada, FRIDAY)
    react()
    [mail] = outbox(channel="email")
    assert (mail.calendar, mail.calendar_method) == (None, "")
