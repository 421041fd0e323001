"""Ada's link: made, found, proved, locked, taken back; and what a bare link tells a stranger."""

import re
from datetime import datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.catalogue.models import Identification
from apps.messaging.models import OutboxMessage
from apps.notices.people import patient_person
from apps.patients.models import Patient
from apps.rooms import queries, services
from apps.rooms.models import EntryCode, JoinLink, Seat, SeatState
from apps.scheduling.models import Appointment, AppointmentStatus, Participant
from apps.scheduling.services import cancel_appointment

from .conftest import BORN

pytestmark = pytest.mark.django_db


def rows() -> list[list[dict[str, object]]]:
    return [list(model.objects.order_by("pk").values()) for model in (JoinLink, Seat, EntryCode, Appointment)]


def test_a_participant_keeps_one_link_and_only_its_digest_is_stored(ada_in: Participant, now: datetime):
    address = services.link_for(ada_in, now=now)
    assert services.link_for(ada_in, now=now + timedelta(days=1)) == address
    code = address.rstrip("/").rsplit("/", 1)[1]
    link = JoinLink.objects.get(participant=ada_in)
    assert len(code) == 26
    assert code.encode() not in bytes(link.digest)
    assert queries.link_by_code(code) == link


def test_a_code_may_be_typed_with_capitals_and_gaps(ada_in: Participant, code_for):
    code = code_for(ada_in)
    typed = f" {code[:6].upper()} {code[6:12]}-{code[12:]} "
    assert queries.link_by_code(typed) is not None


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_a_link_changes_nothing(review, ada_in: Participant, code_for, clock, method: str):
    code = code_for(ada_in)
    before = rows()
    for _scanner in range(20):
        assert getattr(Client(), method)(f"/j/{code}/").status_code == 200
        assert getattr(Client(), method)(f"/j/{code}/inn/").status_code == 302
        assert getattr(Client(), method)(f"/j/{code}/kode/").status_code == 302
    assert rows() == before


@pytest.mark.parametrize("answered", ["inn", "kode", "ny"])
def test_a_language_chosen_on_an_answer_leads_to_the_link_in_that_language(ada_in, code_for, clock, answered: str):
    client, code = Client(), code_for(ada_in)
    answer = client.get(f"/j/{code}/{answered}/?lang=en")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/j/{code}/")
    assert '<html lang="en"' in client.get(answer.headers["Location"]).content.decode()


def test_a_bare_link_tells_the_sender_and_the_time_and_nothing_else(ada_in: Participant, code_for, clock):
    code = code_for(ada_in)
    answer = Client().get(f"/j/{code}/")
    page = answer.content.decode()
    assert "Elvebygd sykehus" in page
    assert "08.05" in page
    # by chance a code or a token can spell a name
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(code, "")
    for secret in ("Ada", "Alm", "Berg", "Sår", "Kari", "hjemmetjeneste", ada_in.appointment.reference):
        assert secret.lower() not in page.lower(), secret
    assert answer.headers["Referrer-Policy"] == "strict-origin"  # the code in the address goes nowhere
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "htmx" not in page
    assert len(answer.content) < 50_000


def test_the_birth_date_opens_the_way_without_the_code_in_the_address(ada_in: Participant, code_for, clock):
    client = Client()
    code = code_for(ada_in)
    answer = client.post(f"/j/{code}/inn/", BORN)
    assert answer.status_code == 302
    assert code not in answer.headers["Location"]
    page = client.get(answer.headers["Location"], follow=True)
    assert page.status_code == 200
    assert Seat.objects.get(participant=ada_in).state == SeatState.TESTING


@pytest.mark.parametrize(
    "written",
    [
        {"day": "13", "month": "03", "year": "1968"},
        {"day": "13.", "month": "mars", "year": "68"},
        {"day": "13.03.1968", "month": "", "year": ""},
        {"day": "13/3-68", "month": "", "year": ""},
        {"day": "130368", "month": "", "year": ""},
        {"day": "1968-03-13", "month": "", "year": ""},
        {"day": "13", "month": "njukčamánnu", "year": "1968"},
    ],
)
def test_a_birth_date_may_be_written_in_any_usual_way(ada_in: Participant, code_for, clock, written):
    assert Client().post(f"/j/{code_for(ada_in)}/inn/", written).status_code == 302


@pytest.mark.parametrize(
    "written",
    [
        {"day": "", "month": "", "year": ""},
        {"day": "31", "month": "2", "year": "1968"},
        {"day": "9" * 20, "month": "3", "year": "1968"},
        {"day": "13", "month": "9" * 20, "year": "1968"},
    ],
)
def test_what_is_no_date_is_no_try(ada_in: Participant, code_for, clock, written):
    answer = Client().post(f"/j/{code_for(ada_in)}/inn/", written)
    assert answer.status_code == 422
    assert "for eksempel" in answer.content.decode()
    assert JoinLink.objects.get(participant=ada_in).wrong_tries == 0


def test_five_wrong_dates_lock_the_link_and_the_booker_is_told(ada_in, code_for, clock, as_user, kari, review, now):
    code, wrong = code_for(ada_in), {**BORN, "day": "12"}
    for left in (4, 3, 2, 1):
        answer = Client().post(f"/j/{code}/inn/", wrong)
        assert answer.status_code == 422
        assert str(left) in answer.content.decode()
        assert 'value="12"' in answer.content.decode()
    assert Client().post(f"/j/{code}/inn/", wrong).status_code == 403
    assert Client().post(f"/j/{code}/inn/", BORN).status_code == 403, "the right date opens nothing any more"
    assert "Ada Alm" in as_user(kari).get(f"/rom/{review.reference}/hvem/").content.decode()
    address = services.reissue_link(ada_in, now=now)
    fresh = address.rstrip("/").rsplit("/", 1)[1]
    assert Client().post(f"/j/{fresh}/inn/", BORN).status_code == 302
    assert Client().get(f"/j/{code}/").status_code == 410


def test_unknown_revoked_mistaken_and_long_over_look_the_same(ada_in, daughter, code_for, clock, now, review):
    revoked = code_for(daughter)
    services.revoke_link(daughter, now=now)
    over = code_for(ada_in)
    pages = [Client().get(f"/j/{revoked}/"), Client().get("/j/abcdefghijkmnpqrstuvwxyz23/")]
    Appointment.objects.filter(pk=review.pk).update(status=AppointmentStatus.ENTERED_IN_ERROR)
    pages.append(Client().get(f"/j/{over}/"))
    Appointment.objects.filter(pk=review.pk).update(status=AppointmentStatus.BOOKED)
    clock(review.ends_at + timedelta(hours=1))
    pages.append(Client().get(f"/j/{over}/"))
    assert {page.status_code for page in pages} == {410}
    assert len({without_marks(page) for page in pages}) == 1


def without_marks(page: HttpResponse) -> str:
    """Take out what is everybody's own: the code in the address that she asked for, and the form's token."""
    return re.sub(r'(/j/[0-9a-z]{26}/ny/|name="csrfmiddlewaretoken" value="[^"]+")', "", page.content.decode())


class TestANewLink:
    """Who holds a link that does not work any more asks for the one that does."""

    @pytest.fixture
    def replaced(self, meeting, now: datetime, clock, code_for) -> tuple[str, str]:
        ada = meeting(now + timedelta(days=3)).participants.get(role="patient")
        old = code_for(ada)
        return old, services.reissue_link(ada, now=now)

    def sent(self) -> list[tuple[str, str]]:
        said = OutboxMessage.objects.filter(purpose__startswith="booked").order_by("pk")
        return [(one.address, one.body) for one in said]

    def ask(self, code: str) -> HttpResponse:
        return Client().post(f"/j/{code}/ny/", {"phone": "+4700099999"})

    def test_the_newest_link_goes_to_the_number_on_the_appointment(self, replaced):
        old, newest = replaced
        page = Client().get(f"/j/{old}/")
        assert page.status_code == 410
        assert f'action="/j/{old}/ny/"' in page.content.decode()
        assert self.ask(old).status_code == 200
        ((address, body),) = self.sent()
        assert address == "+4700010001"
        assert newest in body

    def test_everybody_gets_the_same_answer(self, replaced, daughter, code_for, now):
        revoked = code_for(daughter)
        services.revoke_link(daughter, now=now)
        answers = [self.ask(code) for code in (replaced[0], revoked, "abcdefghijkmnpqrstuvwxyz23")]
        assert {answer.status_code for answer in answers} == {200}
        assert len({without_marks(answer) for answer in answers}) == 1
        assert len(self.sent()) == 1, "what was taken back stays taken back"
        assert not JoinLink.objects.filter(participant=daughter, revoked_at__isnull=True).exists()

    def test_asking_again_and_again_sends_no_flood(self, replaced, clock, now):
        for minutes in (0, 1, 14):
            clock(now + timedelta(minutes=minutes))
            self.ask(replaced[0])
        assert len(self.sent()) == 1
        for hours in range(1, 9):
            clock(now + timedelta(hours=hours))
            self.ask(replaced[0])
        assert len(self.sent()) == 4

    def test_an_old_appointments_link_leads_to_the_next_one(self, ada_in, code_for, meeting, clock, now, review):
        old = code_for(ada_in)
        later = meeting(now + timedelta(days=9)).participants.get(role="patient")
        newest = services.link_for(later, now=now)
        clock(review.ends_at + timedelta(days=1))
        self.ask(old)
        ((_address, body),) = self.sent()
        assert newest in body

    def test_nobody_is_written_to_who_is_not_to_come(self, ada_in, daughter, code_for, clock, review, kari, now):
        codes = [code_for(ada_in), code_for(daughter)]
        clock(review.ends_at + timedelta(days=1))
        for code in codes:
            assert self.ask(code).status_code == 200
        assert self.sent() == []

    def test_a_locked_link_stays_locked_and_a_reserved_patient_is_not_written_to(self, replaced, ada, now):
        JoinLink.objects.filter(revoked_at__isnull=True).update(locked_at=now)
        self.ask(replaced[0])
        JoinLink.objects.update(locked_at=None)
        type(ada).objects.filter(pk=ada.pk).update(reserved=True)
        self.ask(replaced[0])
        assert self.sent() == []

    def test_looking_sends_nothing(self, replaced):
        answer = Client().get(f"/j/{replaced[0]}/ny/")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/j/{replaced[0]}/")
        assert self.sent() == []


def test_guessing_is_slowed_down_and_a_real_link_is_not(ada_in, code_for, clock, monkeypatch):
    monkeypatch.setattr("apps.rooms.limits.FROM_ONE_ADDRESS", 5)
    guesser = Client(REMOTE_ADDR="10.9.8.7")
    from django.core.cache import cache

    cache.delete("rooms.unknown.10.9.8.7")
    answers = [guesser.get(f"/j/guess{number}/").status_code for number in range(8)]
    assert answers == [410] * 5 + [429] * 3
    assert guesser.get(f"/j/{code_for(ada_in)}/").status_code == 200
    assert Client(REMOTE_ADDR="10.9.8.6").get("/j/guess/").status_code == 410


def test_a_moved_appointment_keeps_its_links(ada_in, code_for, clock, now, review):
    code = code_for(ada_in)
    Appointment.objects.filter(pk=review.pk).update(
        starts_at=now + timedelta(days=7), ends_at=now + timedelta(days=7, minutes=30)
    )
    assert "9. mars" in Client().get(f"/j/{code}/").content.decode()


def test_a_cancelled_appointment_says_so(ada_in, code_for, clock, now, review, kari):
    code = code_for(ada_in)
    cancel_appointment(appointment=review, reason="clinician", actor=kari, now=now)
    page = Client().get(f"/j/{code}/")
    assert page.status_code == 200
    assert "avlyst" in page.content.decode()
    assert Client().post(f"/j/{code}/inn/", BORN).status_code in {200, 302}


@pytest.mark.parametrize("language", ["nb", "nn", "se", "en"])
def test_the_pages_speak_four_languages(ada_in, code_for, clock, language: str):
    page = Client().get(f"/j/{code_for(ada_in)}/?lang={language}").content.decode()
    assert f'<html lang="{language}"' in page
    heading = {"nb": "Når er du født?", "nn": "Når er du fødd?", "en": "When were you born?"}.get(language)
    if heading:
        assert heading in page
    else:
        assert "When were you born?" not in page
        assert "Når er du født?" not in page


@pytest.mark.parametrize(
    ("spoken", "language"),
    [("pol", "en"), ("sme", "se"), ("nno", "nn"), ("nsl", "nb"), ("sma", "nb"), ("smj", "nb")],
)
def test_the_pages_begin_in_the_language_of_the_message(
    review, ada_in, daughter, code_for, clock, now, spoken: str, language: str
):
    Patient.objects.filter(pk=review.patient_id).update(language=spoken)
    for guest in (ada_in, daughter):
        assert f'<html lang="{language}"' in Client().get(f"/j/{code_for(guest)}/").content.decode()
    patient = Patient.objects.get(pk=review.patient_id)
    assert patient_person(patient, key="patient").language == language


def test_staff_who_tap_a_link_go_to_their_own_door(review, berg, code_for, clock, as_user):
    link = code_for(review.participants.get(schedule__user=berg))
    answer = Client().get(f"/j/{link}/")
    assert answer.headers["Location"] == f"/rom/{review.reference}/"
    assert "/logg-inn/" in Client().get(answer.headers["Location"]).headers["Location"]
    assert as_user(berg).get(f"/rom/{review.reference}/").status_code == 200


def test_ada_puts_the_time_into_her_calendar(meeting, code_for, clock, now):
    ada = meeting(now + timedelta(days=3)).participants.get(role="patient")
    code, client = code_for(ada), Client()
    page = client.post(f"/j/{code}/inn/", BORN, follow=True).content.decode()
    assert f'href="/j/{code}/videotime.ics"' in page
    answer = client.get(f"/j/{code}/videotime.ics")
    assert answer.headers["Content-Type"].startswith("text/calendar")
    text = answer.content.decode().replace("\r\n ", "")
    assert services.link_for(ada, now=now) in text
    assert "DTSTART;TZID=Europe/Oslo:20260305T080000" in text
    for secret in ("Ada", "Alm", "Berg", "Sår", "sår", "Kari", ada.appointment.reference):
        assert secret not in text, secret  # as it is written: the code and the UID are made of small letters


def test_a_link_that_does_not_work_gives_no_calendar_entry(daughter, code_for, clock, now):
    revoked = code_for(daughter)
    services.revoke_link(daughter, now=now)
    for code in (revoked, "abcdefghijkmnpqrstuvwxyz23"):
        assert Client().get(f"/j/{code}/videotime.ics").headers["Location"] == f"/j/{code}/"


# The code by text message --------------------------------------------------------------------------------------------
@pytest.fixture
def by_code(review: Appointment) -> None:
    review.service_type.identification = Identification.SMS_CODE
    review.service_type.save(update_fields=["identification"])


def sent_code() -> str:
    body = OutboxMessage.objects.filter(purpose="entry_code").latest("pk").body
    return "".join(ch for ch in body.split(".")[0] if ch.isdigit())


def test_the_code_goes_to_the_number_on_the_appointment(by_code, ada_in, code_for, clock):
    code, client = code_for(ada_in), Client()
    assert client.post(f"/j/{code}/kode/", {"phone": "+4700099999"}).status_code == 200
    message = OutboxMessage.objects.get(purpose="entry_code")
    assert message.address == "+4700010001"
    digits = sent_code()
    wrong = "000000" if digits != "000000" else "111111"
    refused = client.post(f"/j/{code}/inn/", {"code": wrong})
    assert refused.status_code == 422
    assert "Koden passer ikke" in refused.content.decode()
    assert client.post(f"/j/{code}/inn/", {"code": f"{digits[:3]} {digits[3:]}"}).status_code == 302
    assert Client().post(f"/j/{code}/inn/", {"code": digits}).status_code == 422, "a code works once"


def test_a_code_is_over_after_five_minutes_and_three_are_enough(by_code, ada_in, code_for, clock, now):
    code, client = code_for(ada_in), Client()
    client.post(f"/j/{code}/kode/")
    digits = sent_code()
    clock(now + timedelta(minutes=5, seconds=1))
    assert client.post(f"/j/{code}/inn/", {"code": digits}).status_code == 422
    assert client.post(f"/j/{code}/kode/").status_code == 200
    assert client.post(f"/j/{code}/kode/").status_code == 200
    assert client.post(f"/j/{code}/kode/").status_code == 429
    assert EntryCode.objects.count() == 3
    clock(now + timedelta(minutes=15))
    assert client.post(f"/j/{code}/kode/").status_code == 200, "the first was a quarter of an hour ago"


def test_a_locked_link_is_sent_no_code(by_code, ada_in, code_for, clock, now):
    code = code_for(ada_in)
    JoinLink.objects.update(locked_at=now)
    assert Client().post(f"/j/{code}/kode/").status_code == 429
    assert not EntryCode.objects.exists()


def test_each_link_has_a_code_of_its_own(by_code, ada_in, daughter, code_for, clock):
    Client().post(f"/j/{code_for(ada_in)}/kode/")
    hers = sent_code()
    Client().post(f"/j/{code_for(daughter)}/kode/")
    assert Client().post(f"/j/{code_for(daughter)}/inn/", {"code": hers}).status_code == 422
    assert Client().post(f"/j/{code_for(ada_in)}/inn/", {"code": hers}).status_code == 302


def test_a_new_code_takes_the_place_of_the_one_before(by_code, ada_in, code_for, clock, now):
    for _asked in range(2):
        Client().post(f"/j/{code_for(ada_in)}/kode/")
    assert EntryCode.objects.filter(expires_at__gt=now).count() == 1


def test_a_service_may_leave_it_to_the_host_to_know_her(review, ada_in, code_for, clock):
    review.service_type.identification = Identification.LINK
    review.service_type.save(update_fields=["identification"])
    assert "født" not in Client().get(f"/j/{code_for(ada_in)}/").content.decode()
    assert Client().post(f"/j/{code_for(ada_in)}/inn/").status_code == 302


def test_the_daughter_without_a_birth_date_comes_by_her_link(daughter, code_for, clock):
    page = Client().get(f"/j/{code_for(daughter)}/").content.decode()
    assert "født" not in page
    assert Client().post(f"/j/{code_for(daughter)}/inn/").status_code == 302
