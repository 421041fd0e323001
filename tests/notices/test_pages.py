"""What staff see of messages: the unit's page, an appointment's time line, the preview before booking."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AccessRecord
from apps.messaging.models import OutboxMessage, OutboxState
from apps.messaging.sms import size
from apps.patients.models import ContactChannel, NextOfKin
from apps.rooms.queries import address_of, live_link
from apps.scheduling.models import BookingDraft
from apps.scheduling.services import GuestInput, add_guest, remove_participant

PAGE = "/meldinger/"


@pytest.fixture
def clock(now, monkeypatch):
    """Let the pages read the same clock as the tests."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    return now


@pytest.fixture
def booked(book, ada, react, clock):
    appointment = book(ada, "2026-03-06 10.00")
    react()
    return appointment


def timeline_of(appointment):
    return f"/timer/{appointment.reference}/meldinger/"


def fail(appointment, why="bad-number", **which):
    rows = OutboxMessage.objects.filter(about=appointment.uid, **which)
    rows.update(state=OutboxState.FAILED, failure=why, done_at=appointment.booked_at)


class TestTheUnitsPage:
    def test_a_message_that_was_not_sent_stands_first_with_the_next_step(self, as_user, kari, booked):
        fail(booked, channel="sms", purpose="booked")
        page = as_user(kari).get(PAGE).content.decode()
        assert page.index("Trenger deg") < page.index("Skal sendes")
        assert "Ikke sendt" in page
        assert "Nummeret kan ikke ta imot SMS. Ring, eller rett nummeret." in page
        assert 'href="tel:+4700010001"' in page
        assert "Send på nytt" in page

    def test_a_guest_is_called_at_his_own_number(self, as_user, kari, booked, now, react):
        nils = add_guest(
            appointment=booked, guest=GuestInput(name="Nils Alm", phone="+4700010077"), actor=kari, now=now
        )
        react()
        fail(booked, recipient=str(nils.uid), purpose="booked")
        page = as_user(kari).get(PAGE).content.decode()
        assert 'href="tel:+4700010077"' in page
        assert 'href="tel:+4700010001"' not in page
        remove_participant(participant=nils, actor=kari, now=now)
        assert as_user(kari).get(PAGE).status_code == 200, "what was said to him is still there, he is not"

    def test_a_later_message_that_arrived_settles_it(self, as_user, kari, booked, send):
        fail(booked, channel="sms", purpose="booked")
        OutboxMessage.objects.filter(purpose="reminder_2_days").update(
            state=OutboxState.DELIVERED, sent_at=booked.booked_at
        )
        assert "Trenger deg" not in as_user(kari).get(PAGE).content.decode()

    def test_a_patient_whom_no_message_reaches_is_listed_to_be_called(self, as_user, kari, booked, ada):
        ada.reserved = True
        ada.save()
        page = as_user(kari).get(PAGE).content.decode()
        assert "Har reservert seg mot digitale meldinger. Ring eller send brev." in page
        fail(booked, channel="sms", purpose="booked")
        page = as_user(kari).get(PAGE).content.decode()
        assert "Har reservert seg" not in page, "she is to be called, and stands there once"

    def test_what_was_sent_and_what_will_be(self, as_user, kari, booked, send):
        send()
        page = as_user(kari).get(PAGE).content.decode()
        assert "Levert" in page
        assert "Påminnelse to dager før" in page
        assert "Alle har fått beskjed, eller får det" in page

    def test_what_was_taken_back_or_only_stands_by_is_not_listed(self, as_user, kari, booked):
        shown = as_user(kari).get(PAGE).content.decode().count("Påminnelse to dager før")
        assert shown
        reminders = OutboxMessage.objects.filter(purpose="reminder_2_days")
        reminders.update(state=OutboxState.WITHDRAWN)
        assert "Påminnelse to dager før" not in as_user(kari).get(PAGE).content.decode()

    def test_no_text_and_no_link_of_a_message_is_shown(self, as_user, kari, booked, send):
        send()
        page = as_user(kari).get(PAGE).content.decode()
        assert "/j/" not in page
        assert "Du har time" not in page

    def test_a_stranger_sees_none_of_it(self, as_user, lie, booked):
        page = as_user(lie).get(PAGE).content.decode()
        assert "Ada" not in page
        assert booked.reference not in page

    def test_an_interpreter_has_no_such_page(self, as_user, amina, booked):
        assert as_user(amina).get(PAGE).status_code == 404

    def test_the_page_takes_the_same_number_of_queries_for_many(self, as_user, kari, ada, bo, book, react, clock):
        def out_of_reach(patient, **how):
            for name, value in how.items():
                setattr(patient, name, value)
            patient.save()

        out_of_reach(ada, channel=ContactChannel.NEXT_OF_KIN)
        NextOfKin.objects.create(patient=ada, name="Nils Alm", relation="bror", phone="+4700010077")
        book(ada, "2026-03-04 10.00")
        react()
        client = as_user(kari)
        client.get(PAGE)
        with CaptureQueriesContext(connection) as for_one:
            client.get(PAGE)
        out_of_reach(bo, reserved=True)
        for day in (3, 4, 5):
            book(bo, f"2026-03-0{day} 12.00")
            book(ada, f"2026-03-0{day} 14.00")
        react()
        with CaptureQueriesContext(connection) as for_seven:
            page = client.get(PAGE).content.decode()
        reads = [sum(str(one["sql"]).startswith("SELECT") for one in seen) for seen in (for_one, for_seven)]
        assert reads[0] == reads[1], "what grows with the list are the lines in the patients' logs"
        assert page.count("Ring eller send brev") == 7

    def test_a_next_of_kin_with_a_land_line_reaches_nobody_and_the_one_with_a_mobile_is_told(
        self, as_user, kari, ada, book, react, outbox, clock
    ):
        ada.channel = ContactChannel.NEXT_OF_KIN
        ada.save()
        NextOfKin.objects.create(
            patient=ada, name="Nils Alm", relation="bror", phone="+4722345678", acts_for_patient=True
        )
        book(ada, "2026-03-06 10.00")
        react()
        assert outbox(channel="sms") == []
        assert "Mangler mobilnummer og e-postadresse." in as_user(kari).get(PAGE).content.decode()
        NextOfKin.objects.create(
            patient=ada, name="Nora Alm", relation="datter", phone="+4700010078", acts_for_patient=True
        )
        assert "Mangler mobilnummer" not in as_user(kari).get(PAGE).content.decode()
        book(ada, "2026-03-06 12.00")
        react()
        assert {row.address for row in outbox(channel="sms")} == {"+4700010078"}

    def test_a_patient_whose_only_number_is_a_land_line_is_listed_to_be_called(self, as_user, kari, ada, booked):
        ada.phone = "+4722345678"
        ada.save()
        page = as_user(kari).get(PAGE).content.decode()
        assert "Mangler mobilnummer og e-postadresse." in page
        assert 'href="tel:+4722345678"' in page


class TestTheTimeline:
    def test_what_was_said_what_was_opened_and_what_will_come(self, as_user, kari, booked, send, now):
        from apps.rooms.models import JoinLink

        send()
        JoinLink.objects.filter(participant__role="patient").update(first_opened_at=now + timedelta(minutes=3))
        page = as_user(kari).get(timeline_of(booked)).content.decode()
        order = ["Innkalling", "Ada Alm åpnet lenken", "Påminnelse to dager før", "Venterommet åpner", "Timen starter"]
        assert [page.index(words) for words in order] == sorted(page.index(words) for words in order)

    def test_the_panel_is_a_fragment(self, as_user, kari, booked):
        answer = as_user(kari).get(timeline_of(booked), headers={"hx-request": "true"})
        assert b"<html" not in answer.content
        assert b'id="message-timeline"' in answer.content

    def test_a_link_is_taken_back_once_it_is_asked(self, as_user, kari, booked, outbox):
        client, ada = as_user(kari), booked.participants.get(role="patient")
        address = f"{timeline_of(booked)}{ada.uid}/lenke/"
        assert address in client.get(f"/timer/{booked.reference}/").content.decode()
        page = client.get(address).content.decode()
        assert "Ta tilbake lenken?" in page
        assert live_link(ada) is not None, "looking changes nothing"
        answer = client.post(address, follow=True).content.decode()
        assert "Lenken virker ikke lenger." in answer
        assert "Lenke trukket tilbake av Kari" in answer
        assert live_link(ada) is None
        assert outbox(channel="sms") == []
        record = AccessRecord.objects.get(what="link")
        assert (record.actor_id, record.patient_uid) == (kari.pk, booked.patient.uid)
        assert "Det er ingen lenke å ta tilbake." in client.get(address, follow=True).content.decode()

    def test_a_new_link_takes_the_place_of_one_that_went_astray(self, as_user, kari, booked, outbox, send, react):
        send()
        ada = booked.participants.get(role="patient")
        old = address_of(live_link(ada))
        page = as_user(kari).post(f"{timeline_of(booked)}{ada.uid}/lenke/", {"then": "send"}, follow=True)
        assert "En ny lenke er på vei. Den gamle virker ikke lenger." in page.content.decode()
        react()
        [invitation] = outbox(purpose__startswith="booked", channel="sms")
        new = address_of(live_link(ada))
        assert new != old
        assert new in invitation.body

    def test_who_lost_her_link_is_sent_a_new_one(self, as_user, kari, booked, outbox, react):
        client, ada = as_user(kari), booked.participants.get(role="patient")
        client.post(f"{timeline_of(booked)}{ada.uid}/lenke/")
        answer = client.post(
            f"{timeline_of(booked)}{ada.uid}/send/", {"next": f"/timer/{booked.reference}/"}, follow=True
        )
        assert "En ny lenke er på vei." in answer.content.decode()
        assert "Ny lenke gitt av Kari" in answer.content.decode()
        react()
        assert len(outbox(purpose__startswith="booked", channel="sms")) == 1

    def test_who_cannot_be_reached_is_promised_no_new_link(self, as_user, kari, booked, ada):
        ada.phone, ada.channel = "", "none"
        ada.save()
        patient = booked.participants.get(role="patient")
        client, address = as_user(kari), f"{timeline_of(booked)}{patient.uid}/lenke/"
        page = client.get(address).content.decode()
        assert "Det er ikke noe nummer" in page
        assert 'value="send"' not in page
        client.post(address, {"then": "send"})
        assert live_link(patient) is not None, "no new one can be sent: the old one stays"

    def test_who_signs_in_has_no_link_that_could_be_taken_back(self, as_user, kari, amina, booked):
        berg, ada = booked.participants.get(role="performer"), booked.participants.get(role="patient")
        assert as_user(kari).get(f"{timeline_of(booked)}{berg.uid}/lenke/").status_code == 404
        assert as_user(amina).post(f"{timeline_of(booked)}{ada.uid}/lenke/").status_code in {403, 404}
        assert live_link(ada) is not None

    def test_send_again_sends_again(self, as_user, kari, booked, send):
        send()
        fail(booked, channel="sms", purpose="booked")
        patient = booked.participants.get(role="patient")
        answer = as_user(kari).post(f"{timeline_of(booked)}{patient.uid}/send/", headers={"hx-request": "true"})
        assert answer.status_code == 200
        assert OutboxMessage.objects.filter(purpose__startswith="booked:", state=OutboxState.WAITING).count() == 1

    def test_a_refusal_is_told_in_words(self, as_user, kari, booked, ada):
        ada.reserved = True
        ada.save()
        patient = booked.participants.get(role="patient")
        answer = as_user(kari).post(f"{timeline_of(booked)}{patient.uid}/send/", headers={"hx-request": "true"})
        assert answer.status_code == 409
        assert "Ring i stedet" in answer.content.decode()

    def test_without_script_it_comes_back_to_where_it_was(self, as_user, kari, booked):
        patient = booked.participants.get(role="patient")
        url = f"{timeline_of(booked)}{patient.uid}/send/"
        assert as_user(kari).post(url, {"next": PAGE})["Location"] == PAGE
        assert as_user(kari).post(url, {"next": "https://evil.example/"})["Location"] == timeline_of(booked)

    @pytest.mark.parametrize("who", ["lie", "amina"])
    def test_strangers_are_told_that_there_is_no_such_appointment(self, as_user, request, booked, who):
        client = as_user(request.getfixturevalue(who))
        patient = booked.participants.get(role="patient")
        assert client.get(timeline_of(booked)).status_code == 404
        assert client.post(f"{timeline_of(booked)}{patient.uid}/send/").status_code == 404

    @pytest.mark.parametrize("reference", ["VT-0000-0000", "x", "VT-7K3M-92QX%00", "æøå"])
    def test_a_reference_that_is_none_is_not_found(self, as_user, kari, reference):
        assert as_user(kari).get(f"/timer/{reference}/meldinger/").status_code == 404


class TestThePreview:
    @pytest.fixture
    def draft(self, kari, home_care, wound_review, ada, berg_diary, kari_diary, amina_diary, at):
        needs = {need.role: need.pk for need in wound_review.needs.all()}
        who = {"performer": berg_diary, "requester": kari_diary, "interpreter": amina_diary}
        return BookingDraft.objects.create(
            user=kari,
            unit=home_care,
            service_type=wound_review,
            patient=ada,
            starts_at=at("2026-03-06 10.00"),
            choices={"interpreter": "som", "who": {str(needs[role]): one.pk for role, one in who.items()}},
            answers={"guests": [{"name": "Nils Alm", "relation": "bror", "phone": "+4700010077", "email": ""}]},
        )

    def shown(self, as_user, user, draft):
        return as_user(user).get(f"/bestill/{draft.uid}/meldinger/")

    def test_kari_sees_the_very_text_that_ada_will_get(self, as_user, kari, draft, clock):
        page = self.shown(as_user, kari, draft).content.decode()
        assert "Hei. Du har time på video fredag 6. mars kl. 10.00. Bli med:" in page
        assert "SMS til pasienten" in page
        assert "til mobil som slutter på 001" in page
        assert "1 SMS" in page

    def test_the_link_that_is_not_made_yet_is_counted_and_not_written_out(self, as_user, kari, draft, clock):
        answer = self.shown(as_user, kari, draft)
        page = answer.content.decode()
        assert "/j/…/" in page
        assert "xxx" not in page
        assert "Lenken er personlig og lages når du bestiller." in page
        message, said, counted = answer.context["shown"].to_patient[0]
        assert counted.characters == size(message.body).characters == len(message.body) > len(said)

    def test_and_how_the_others_are_told(self, as_user, kari, draft, clock):
        page = self.shown(as_user, kari, draft).content.decode()
        assert "Berit Berg" in page
        assert "Innkalling på e-post, uten navn på pasienten" in page
        assert "Nils Alm" in page
        assert "Kontoret på Sårpoliklinikken" in page

    def test_nothing_is_written_by_looking(self, as_user, kari, draft, clock):
        from apps.rooms.models import JoinLink

        self.shown(as_user, kari, draft)
        assert not OutboxMessage.objects.exists()
        assert not JoinLink.objects.exists()

    def test_a_patient_who_is_reserved_is_to_be_called(self, as_user, kari, draft, ada, clock):
        ada.reserved = True
        ada.save()
        page = self.shown(as_user, kari, draft).content.decode()
        assert "Har reservert seg mot digitale meldinger. Ring eller send brev." in page
        assert "SMS til pasienten" not in page

    def test_before_a_time_is_chosen(self, as_user, kari, draft, clock):
        draft.starts_at = None
        draft.save()
        assert "Velg tid, så ser du" in self.shown(as_user, kari, draft).content.decode()

    def test_somebody_elses_draft_is_not_found(self, as_user, lie, draft):
        assert self.shown(as_user, lie, draft).status_code == 404
