"""Who sits where: the waiting room, being let in, other devices, and the way out."""

import json
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.accounts.models import User
from apps.organisations.services import give_role
from apps.rooms import errors, queries, services
from apps.rooms.models import JoinLink, Room, RoomState, Seat, SeatState
from apps.scheduling.models import Appointment, AppointmentStatus, Participant
from tests.conftest import LONG_AGO

from .conftest import BORN

pytestmark = pytest.mark.django_db


def seat(participant) -> Seat:
    return Seat.objects.select_related("appointment", "participant").get(participant=participant)


def arrival(participant) -> str:
    since = seat(participant).waiting_since
    return since.isoformat() if since else ""


def connect(who: Seat, channel: str, now, *, place="room", user=None, waits=False) -> Seat:
    return services.connect(seat=who, channel=channel, place=place, waits=waits, user=user, now=now)


def test_ada_tests_waits_and_is_let_in(ada_enters, ada_in, berg_seat, berg, now):
    client = ada_enters()
    uid = ada_in.uid
    assert client.get(f"/mote/{uid}/").headers["Location"].endswith("/kamera/")
    answer = client.post(f"/mote/{uid}/venterom/", {"camera": "yes", "microphone": "yes"})
    assert client.get(answer.headers["Location"]).status_code == 200
    assert seat(ada_in).state == SeatState.WAITING
    assert client.get(f"/mote/{uid}/rom/").headers["Location"] == f"/mote/{uid}/"
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    assert client.get(f"/mote/{uid}/").headers["Location"].endswith("/rom/")
    assert client.get(f"/mote/{uid}/rom/").status_code == 200


@pytest.mark.parametrize(("language", "separator"), [("nb", "."), ("en", ":")])
def test_the_clock_of_the_waiting_room_is_norways_whatever_the_phone_says(ada_enters, ada_in, language, separator, now):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    page = client.get(f"/mote/{ada_in.uid}/venterom/?lang={language}").content.decode()
    setup = json.loads(re.search(r'id="waiting-setup" type="application/json">(.*?)</script>', page)[1])
    wall = now.astimezone(ZoneInfo("Europe/Oslo"))
    assert setup["clock"] == {"seconds": wall.hour * 3600 + wall.minute * 60 + wall.second, "separator": separator}


def test_a_host_who_begins_lets_nobody_in(ada_enters, ada_in, berg_seat, berg, now):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    connect(berg_seat, "berg", now, user=berg)
    assert seat(ada_in).state == SeatState.WAITING
    with pytest.raises(errors.NotAdmitted):
        connect(seat(ada_in), "ada", now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Seat.objects.filter(participant=ada_in).update(state=SeatState.HERE)


def test_who_is_not_let_in_learns_nothing_about_the_others(ada_enters, ada_in, berg_seat, berg, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    connect(berg_seat, "berg", now, user=berg)
    told = queries.snapshot(seat(ada_in), now=now)
    assert set(told) == {"type", "you", "late", "over"}
    assert "Berg" not in str(told)


def with_interpreter(review, amina_diary):
    return Participant.objects.create(appointment=review, role="interpreter", schedule=amina_diary)


def listed(told: dict[str, object]) -> list[tuple[str, str]]:
    return [(one["name"], one["state_label"]) for one in told["others"]]


def test_the_host_sees_everybody_who_is_expected_in_order_and_where_they_are(
    review, berg, berg_seat, amina_diary, daughter, now, ada_enters, ada_in
):
    with_interpreter(review, amina_diary)
    connect(berg_seat, "berg", now, user=berg)
    told = queries.snapshot(queries.seat_by_uid(berg_seat.uid), now=now)
    assert [one["name"] for one in told["people"]] == ["Berit Berg"]
    assert listed(told) == [
        ("Kari Kvist", "ikke kommet"),
        ("Amina Ask", "ikke kommet"),
        ("Ada Alm", "sammen med Kari Kvist"),
        ("Ida Alm", "ikke kommet"),
    ]
    assert queries.snapshot(queries.seat_by_uid(berg_seat.uid), now=now) == told, "the same is not said twice"
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    told = queries.snapshot(queries.seat_by_uid(berg_seat.uid), now=now)
    assert [one["name"] for one in told["waiting"]] == ["Ada Alm"]
    assert "Ada Alm" not in dict(listed(told))


def test_a_patient_who_comes_alone_is_expected_like_the_others(review, berg_seat, now):
    Appointment.objects.filter(pk=review.pk).update(patient_joins_alone=True)
    told = queries.snapshot(queries.seat_by_uid(berg_seat.uid), now=now)
    assert ("Ada Alm", "ikke kommet") in listed(told)


def test_those_in_the_call_see_who_is_expected_but_not_whom_the_host_put_out(
    review, kari, amina, amina_diary, daughter, ada_enters, ada_in, berg_seat, now
):
    with_interpreter(review, amina_diary)
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    services.decline(seat=seat(ada_in), host=berg_seat, now=now)
    nurse, interpreter = (
        connect(
            services.seat_for_user(
                appointment=review,
                user=user,
                entry=queries.entry_for(user, review, now=now),
                language="nb",
                now=now,
            ),
            user.given_name,
            now,
            user=user,
        )
        for user in (kari, amina)
    )
    told = queries.snapshot(queries.seat_by_uid(nurse.uid), now=now)
    assert listed(told) == [("Berit Berg", "ikke kommet"), ("Ada Alm", "ikke kommet"), ("Ida Alm", "ikke kommet")]
    assert "waiting" not in told
    told = queries.snapshot(queries.seat_by_uid(interpreter.uid), now=now)
    assert listed(told) == [("Berit Berg", "ikke kommet"), ("Pasienten", "ikke kommet"), ("Pårørende", "ikke kommet")]
    assert "Ada" not in str(told)


def test_those_in_the_call_see_who_waits_outside(review, kari, ada_enters, ada_in, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    entry = queries.entry_for(kari, review, now=now)
    nurse = services.seat_for_user(appointment=review, user=kari, entry=entry, language="nb", now=now)
    connect(nurse, "kari", now, user=kari)
    told = queries.snapshot(queries.seat_by_uid(nurse.uid), now=now)
    assert ("Ada Alm", str(SeatState.WAITING.label)) in listed(told)


def test_the_today_page_says_where_everybody_is(
    review, kari, amina, berg, berg_seat, amina_diary, ada_enters, ada_in, as_user, now
):
    with_interpreter(review, amina_diary)
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/", {"camera": "yes", "microphone": "yes"})
    connect(berg_seat, "berg", now, user=berg)
    page = as_user(kari).get(f"/rom/{review.reference}/hvem/").content.decode()
    assert "1 i venterommet" in page
    assert "sammen med" not in page
    assert "kamera og lyd virker" in page
    assert page.index("Berit Berg") < page.index("Amina Ask") < page.index("Ada Alm")
    assert "Kari" not in page, "she knows where she is herself"
    assert "ikke kommet" in page
    assert "i samtalen" in page
    assert "Ada" not in as_user(amina).get(f"/rom/{review.reference}/hvem/").content.decode()


def test_whose_link_is_locked_is_told_by_name_only_to_who_knows_the_patient(
    review, kari, berg, amina, amina_diary, ada_in, daughter, as_user, clock, now
):
    with_interpreter(review, amina_diary)
    for participant in (ada_in, daughter):
        services.link_for(participant, now=now)
    JoinLink.objects.update(locked_at=now)

    def page(user) -> str:
        return as_user(user).get(f"/rom/{review.reference}/hvem/").content.decode()

    for user in (kari, berg):
        assert "Lenken til Ada Alm er låst" in page(user)
    assert "Lenken til Pasienten er låst" in page(amina)
    assert "Lenken til Pårørende er låst" in page(amina)
    assert "Alm" not in page(amina)


def test_nobody_but_the_host_lets_people_in(ada_enters, ada_in, review, kari, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    entry = queries.entry_for(kari, review, now=now)
    nurse = services.seat_for_user(appointment=review, user=kari, entry=entry, language="nb", now=now)
    assert not nurse.host
    with pytest.raises(errors.NotHost):
        services.admit(seat=seat(ada_in), host=nurse, by=kari, arrival=arrival(ada_in), now=now)
    with pytest.raises(errors.NotHost):
        services.end_for_all(host=nurse, now=now, by=kari)


def test_a_host_of_another_room_is_no_host_here(ada_enters, ada_in, meeting, berg, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    other = meeting(now + timedelta(minutes=10))
    entry = queries.entry_for(berg, other, now=now)
    elsewhere = services.seat_for_user(appointment=other, user=berg, entry=entry, language="nb", now=now)
    with pytest.raises(errors.NotHost):
        services.admit(seat=seat(ada_in), host=elsewhere, by=berg, arrival=arrival(ada_in), now=now)


def test_a_second_device_waits_again_and_the_host_sees_it(ada_enters, ada_in, berg_seat, berg, now, code_for):
    first = ada_enters()
    first.post(f"/mote/{ada_in.uid}/venterom/")
    seen = arrival(ada_in)
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=seen, now=now)
    connect(seat(ada_in), "first", now)
    second = Client()
    assert second.post(f"/j/{code_for(ada_in)}/inn/", BORN).status_code == 302
    assert seat(ada_in).admitted_at is None
    assert first.get(f"/mote/{ada_in.uid}/rom/").status_code == 409
    second.post(f"/mote/{ada_in.uid}/venterom/")
    told = queries.snapshot(berg_seat, now=now)
    assert "ny enhet" in told["waiting"][0]["facts"]
    assert second.get(f"/mote/{ada_in.uid}/rom/").status_code == 302


def test_an_admission_that_was_meant_for_the_first_device_does_not_let_in_the_second(
    ada_enters, ada_in, berg_seat, berg, now, code_for, clock
):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    seen = arrival(ada_in)
    clock(now + timedelta(seconds=3))
    second = Client()
    second.post(f"/j/{code_for(ada_in)}/inn/", BORN)
    second.post(f"/mote/{ada_in.uid}/venterom/")
    with pytest.raises(errors.NotWaiting):
        services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=seen, now=now)


def test_who_asks_again_to_be_let_in_has_waited_since_she_came(ada_enters, ada_in, now):
    ada_enters()
    came, later = now + timedelta(minutes=1), now + timedelta(minutes=2)
    for moment in (came, later):
        assert services.enter_waiting_room(seat=seat(ada_in), now=moment).waiting_since == came
    services.leave(seat=seat(ada_in), now=later)
    assert services.enter_waiting_room(seat=seat(ada_in), now=later).waiting_since == later


def test_the_same_browser_may_open_the_link_again(ada_enters, ada_in, berg_seat, berg, now):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    ada_enters(client)
    assert seat(ada_in).admitted_at is not None
    assert not seat(ada_in).new_device


def test_a_device_that_was_put_out_comes_back_as_another_one(ada_enters, ada_in, berg_seat, berg, now):
    first, second = ada_enters(), ada_enters()
    second.post(f"/mote/{ada_in.uid}/venterom/")
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    ada_enters(first)
    assert seat(ada_in).admitted_at is None, "the host let in the second"
    assert second.get(f"/mote/{ada_in.uid}/rom/").status_code == 409


def test_a_seat_that_no_device_has_taken_is_nobodys(review, ada_in, now):
    services.link_for(ada_in, now=now)
    assert not queries.may_still_sit(seat(ada_in), None, None, now=now)


def test_a_cookie_that_was_planted_before_does_not_sit_in_the_seat(ada_enters, ada_in, code_for):
    thief = ada_enters()
    planted = thief.cookies["guest"].value
    victim = Client()
    victim.cookies["guest"] = planted
    thief_device = seat(ada_in).device
    other = ada_enters()
    assert seat(ada_in).device != thief_device
    assert victim.get(f"/mote/{ada_in.uid}/kamera/").status_code == 409
    assert other.get(f"/mote/{ada_in.uid}/kamera/").status_code == 200
    victim.cookies["guest"] = planted[:-3] + "abc"
    assert victim.get(f"/mote/{ada_in.uid}/kamera/").status_code == 410


def test_one_guests_cookie_does_not_open_anothers_pages(ada_enters, ada_in, daughter):
    client = ada_enters()
    assert client.get(f"/mote/{daughter.uid}/").status_code == 410


def test_who_is_declined_stays_outside_until_the_host_thinks_better(ada_enters, ada_in, berg_seat, berg, now):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    services.decline(seat=seat(ada_in), host=berg_seat, now=now)
    assert "ikke sluppet inn" in client.get(f"/mote/{ada_in.uid}/").content.decode()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    assert seat(ada_in).state == SeatState.DECLINED
    with pytest.raises(errors.NotAdmitted):
        connect(seat(ada_in), "ada", now)
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    assert connect(seat(ada_in), "ada", now).state == SeatState.HERE


def test_the_nurse_reads_that_the_patient_is_with_her(review, kari, berg, as_user, clock):
    assert "sammen med deg" in as_user(kari).get(f"/rom/{review.reference}/hvem/").content.decode()
    assert "sammen med Kari Kvist" in as_user(berg).get(f"/rom/{review.reference}/hvem/").content.decode()


def test_who_waits_after_the_start_is_not_told_to_wait_for_it(ada_enters, ada_in, review, clock):
    client = ada_enters()
    waiting = f"/mote/{ada_in.uid}/venterom/"
    assert "når timen starter" in client.post(waiting, follow=True).content.decode()
    clock(review.starts_at + timedelta(minutes=3))
    assert "så snart de er klare" in client.get(waiting).content.decode()


def test_an_early_guest_waits_outside_the_waiting_room(meeting, now, clock, code_for):
    early = meeting(now + timedelta(hours=2))
    ada = early.participants.get(role="patient")
    client = Client()
    client.post(f"/j/{code_for(ada)}/inn/", BORN)
    page = client.get(f"/mote/{ada.uid}/").content.decode()
    assert "09.30" in page
    assert "Åpne den samme lenken da" in page
    assert client.get(f"/mote/{ada.uid}/kamera/").status_code == 200, "the camera may be tested at any time"
    client.post(f"/mote/{ada.uid}/venterom/")
    assert seat(ada).state == SeatState.AWAY
    clock(now + timedelta(minutes=45))
    assert "La siden stå åpen" in client.get(f"/mote/{ada.uid}/").content.decode()
    clock(now + timedelta(hours=1, minutes=31))
    client.post(f"/mote/{ada.uid}/venterom/")
    assert seat(ada).state == SeatState.WAITING


def test_the_nurse_who_has_signed_in_enters_and_the_appointment_begins_when_host_and_guest_meet(
    review, kari, berg, berg_seat, meeting, now
):
    other = meeting(now + timedelta(minutes=10)).participants.get(role="performer")
    Seat.objects.create(appointment=other.appointment, participant=other, state=SeatState.HERE, host=True)
    entry = queries.entry_for(kari, review, now=now)
    nurse = services.seat_for_user(appointment=review, user=kari, entry=entry, language="nb", now=now)
    assert connect(nurse, "kari", now, user=kari).state == SeatState.HERE
    review.refresh_from_db()
    assert review.status == AppointmentStatus.BOOKED
    connect(berg_seat, "berg", now, user=berg)
    review.refresh_from_db()
    assert review.status == AppointmentStatus.ARRIVED
    assert review.started_at == now


def test_the_host_ends_for_everybody(review, kari, berg, berg_seat, now, ada_enters, ada_in):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    connect(berg_seat, "berg", now, user=berg)
    connect(seat(ada_in), "ada", now)
    services.end_for_all(host=queries.seat_by_uid(berg_seat.uid), now=now + timedelta(minutes=20), by=berg)
    review.refresh_from_db()
    assert review.status == AppointmentStatus.FULFILLED
    assert Room.objects.get(appointment=review).state == RoomState.CLOSED
    assert seat(ada_in).state == SeatState.LEFT
    assert set(queries.snapshot(queries.seat_by_uid(berg_seat.uid), now=now)) == {"type", "you", "late", "over"}
    assert "over" in client.get(f"/mote/{ada_in.uid}/").content.decode()


def test_a_host_who_leaves_an_empty_room_leaves_it_open(review, berg, berg_seat, now):
    connect(berg_seat, "berg", now, user=berg)
    services.end_for_all(host=queries.seat_by_uid(berg_seat.uid), now=now, by=berg)
    review.refresh_from_db()
    assert review.status == AppointmentStatus.BOOKED
    assert not queries.room_closed(review)


def test_a_lost_connection_comes_back_to_where_it_was(ada_enters, ada_in, berg_seat, berg, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    connect(seat(ada_in), "one", now)
    services.disconnect(seat=seat(ada_in), channel="one", clean=False, now=now)
    assert seat(ada_in).state == SeatState.LOST
    assert connect(seat(ada_in), "two", now).state == SeatState.HERE
    services.disconnect(seat=seat(ada_in), channel="one", clean=False, now=now)
    assert seat(ada_in).state == SeatState.HERE, "the old socket's end means nothing any more"


def test_who_goes_from_one_page_to_the_next_has_not_lost_her_connection(ada_enters, ada_in, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    connect(seat(ada_in), "one", now, place="waiting")
    services.disconnect(seat=seat(ada_in), channel="one", clean=True, now=now)
    assert seat(ada_in).state == SeatState.WAITING


def test_who_leaves_waits_again_when_she_comes_back(ada_enters, ada_in, berg_seat, berg, now):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    connect(seat(ada_in), "one", now)
    client.post(f"/mote/{ada_in.uid}/forlat/")
    assert seat(ada_in).state == SeatState.LEFT
    client.post(f"/mote/{ada_in.uid}/venterom/")
    assert seat(ada_in).state == SeatState.WAITING
    assert client.get(f"/mote/{ada_in.uid}/rom/").status_code == 302


def test_those_who_wait_are_told_that_it_is_late(ada_enters, ada_in, berg_seat, now):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    services.say_running_late(host=berg_seat, minutes=10, now=now)
    assert client.post(f"/mote/{ada_in.uid}/tilstand/").json()["late"] == 10
    assert "10 minutter" in client.get(f"/mote/{ada_in.uid}/venterom/").content.decode()


def test_who_is_heard_of_again_waits_again(ada_enters, ada_in, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    connect(seat(ada_in), "one", now, place="waiting")
    services.disconnect(seat=seat(ada_in), channel="one", clean=False, now=now)
    services.note_seen(seat=seat(ada_in), now=now + timedelta(seconds=20))
    assert (seat(ada_in).state, seat(ada_in).seen_at) == (SeatState.WAITING, now + timedelta(seconds=20))
    services.disconnect(seat=seat(ada_in), channel="one", clean=False, now=now)
    assert seat(ada_in).state == SeatState.WAITING, "that socket had closed before"
    Seat.objects.update(state=SeatState.LOST)
    assert connect(seat(ada_in), "two", now, place="waiting").state == SeatState.WAITING


def test_opening_the_link_again_lets_nobody_back_in(ada_enters, ada_in, berg_seat, now):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/")
    client.post(f"/mote/{ada_in.uid}/forlat/")
    ada_enters(client)
    assert seat(ada_in).state == SeatState.TESTING, "she had left"
    services.decline(seat=seat(ada_in), host=berg_seat, now=now)
    ada_enters(client)
    ada_enters()
    assert seat(ada_in).state == SeatState.DECLINED, "not on another device either"
    connect(seat(ada_in), "ada", now, place="waiting")
    services.disconnect(seat=seat(ada_in), channel="ada", clean=False, now=now)
    services.note_seen(seat=seat(ada_in), now=now)
    assert seat(ada_in).state == SeatState.DECLINED, "nor with another connection"


def test_only_the_host_says_that_it_is_late(ada_enters, ada_in, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    with pytest.raises(errors.NotHost):
        services.say_running_late(host=seat(ada_in), minutes=10, now=now)


def test_a_seat_that_falls_silent_has_lost_its_connection(ada_enters, ada_in, now):
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    assert queries.waits(seat(ada_in), now=now)
    assert not queries.waits(seat(ada_in), now=now + timedelta(minutes=2))


def test_a_reissued_link_puts_the_old_one_out(ada_enters, ada_in, now):
    client = ada_enters()
    services.reissue_link(ada_in, now=now)
    assert client.get(f"/mote/{ada_in.uid}/").status_code == 409


# Those who sign in ---------------------------------------------------------------------------------------------------
def test_a_stranger_meets_a_404(review, lie, tor, as_user, clock):
    for stranger in (lie, tor):
        for page in ("", "billett/", "hvem/"):
            assert as_user(stranger).get(f"/rom/{review.reference}/{page}").status_code == 404
    assert as_user(lie).get("/rom/VT-2222-2222/").status_code == 404


def test_the_interpreter_takes_part_without_reading_the_case(review, amina, amina_diary, as_user, clock):
    Participant.objects.create(appointment=review, role="interpreter", schedule=amina_diary)
    page = as_user(amina).get(f"/rom/{review.reference}/").content.decode()
    assert "Ada" not in page
    assert "Sårvurdering" not in page


def test_the_host_calls_an_interpreter_who_comes_by_telephone(review, berg, kari, amina_diary, as_user, clock):
    def page(user) -> str:
        return as_user(user).get(f"/rom/{review.reference}/").content.decode()

    number = 'href="tel:+4700002090"'
    Appointment.objects.filter(pk=review.pk).update(interpreter_language="som")
    assert number not in page(berg), "she comes by video"
    Appointment.objects.filter(pk=review.pk).update(interpreter_by_phone=True)
    assert number in page(berg)
    assert "Tolk på telefon, somali" in page(berg)
    assert number not in page(kari)
    Appointment.objects.filter(pk=review.pk).update(interpreter_language="pol")
    assert number not in page(berg), "none of them speaks it"


def test_a_colleague_of_the_specialist_may_be_the_host_instead(review, kari, tor, wound_clinic, now):
    assert not queries.entry_for(kari, review, now=now).host
    assert queries.entry_for(tor, review, now=now) is None, "a clerk is no clinician"
    give_role(user=tor, unit=wound_clinic, role="clinician", valid_from=LONG_AGO)
    assert queries.entry_for(tor, review, now=now) == queries.Entry(None, host=True, waits=False)
    tor.is_active = False
    assert queries.entry_for(tor, review, now=now) is None


def test_a_colleague_of_the_nurse_waits_like_a_guest(review, kari, home_care, now):
    colleague = User.objects.create_user("c@staff.example", given_name="Cato", family_name="Dahl")
    give_role(user=colleague, unit=home_care, role="booker", valid_from=LONG_AGO)
    entry = queries.entry_for(colleague, review, now=now)
    assert entry is not None
    assert entry.waits
    sits = services.seat_for_user(appointment=review, user=colleague, entry=entry, language="nb", now=now)
    waiting = connect(sits, "cato", now, user=colleague, waits=True)
    assert (waiting.state, waiting.waiting_since) == (SeatState.WAITING, now)
    assert "logget inn, ikke på listen" in queries.arrival_facts(waiting)
    assert queries.may_still_sit(waiting, colleague, None, now=now)
    assert not queries.may_still_sit(waiting, kari, None, now=now), "it is his seat"
    give_role(user=colleague, unit=review.performer_unit, role="clinician", valid_from=LONG_AGO)
    assert not queries.may_still_sit(waiting, colleague, None, now=now), "a host comes in anew"
    colleague.memberships.all().delete()
    assert not queries.may_still_sit(waiting, colleague, None, now=now)


@pytest.mark.parametrize(
    ("camera", "microphone", "fact"),
    [
        (True, True, "kamera og lyd virker"),
        (False, True, "uten kamera"),
        (False, False, "uten kamera og lyd"),
        (True, False, ""),
        (None, True, ""),
    ],
)
def test_the_host_reads_how_the_test_of_the_device_went(review, ada_in, camera, microphone, fact):
    tested = Seat(appointment=review, participant=ada_in, camera_ok=camera, microphone_ok=microphone)
    assert queries.arrival_facts(tested) == ["pasient", *filter(None, [fact])]


@pytest.mark.parametrize(("language", "facts"), [("nb", []), ("nn", []), ("en", ["engelsk"]), ("se", ["nordsamisk"])])
def test_the_host_reads_which_language_a_guest_reads(review, ada_in, language, facts):
    assert queries.arrival_facts(Seat(appointment=review, participant=ada_in, language=language))[1:] == facts


def test_a_room_is_open_from_half_an_hour_before_until_half_an_hour_after(review, berg, berg_seat, ada_in, now):
    services.link_for(ada_in, now=now)
    opens, closes = review.starts_at - timedelta(minutes=30), review.ends_at + timedelta(minutes=30)
    moment = timedelta(seconds=1)
    for inside in (opens, closes - moment):
        connect(berg_seat, "berg", inside, user=berg)
        services.enter_waiting_room(seat=seat(ada_in), now=inside)
    for outside, refusal in ((opens - moment, errors.NotOpenYet), (closes, errors.RoomClosed)):
        with pytest.raises(refusal):
            connect(berg_seat, "berg", outside, user=berg)
        with pytest.raises(refusal):
            services.enter_waiting_room(seat=seat(ada_in), now=outside)


def test_who_works_nowhere_any_more_has_no_seat_though_she_was_to_take_part(review, kari, now):
    assert queries.entry_for(kari, review, now=now) is not None
    kari.memberships.update(valid_to=(now - timedelta(days=1)).date())
    assert queries.entry_for(kari, review, now=now) is None


def test_the_fifth_finds_no_room(review, meeting, berg_seat, berg, now, ada_in, ada_enters):
    for number in range(4):
        guest = Participant.objects.create(appointment=review, role="guest", guest_name=f"Guest {number}")
        Seat.objects.create(appointment=review, participant=guest, state=SeatState.HERE, admitted_at=now)
    ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
    with pytest.raises(errors.RoomFull):
        connect(berg_seat, "berg", now, user=berg)
    with pytest.raises(errors.RoomFull):
        services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    Seat.objects.filter(state=SeatState.HERE).update(appointment=meeting(now + timedelta(hours=1)))
    services.admit(seat=seat(ada_in), host=berg_seat, by=berg, arrival=arrival(ada_in), now=now)
    assert connect(seat(ada_in), "ada", now).state == SeatState.HERE, (
        "who is in another room takes no place in this one"
    )
