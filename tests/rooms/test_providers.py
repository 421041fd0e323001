"""Every provider keeps the same contract; and a room that one of them cannot make is made by the next."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError

from apps.catalogue.models import Provider, ServiceType
from apps.rooms import errors, queries, services, tasks
from apps.rooms.checks import standing_room_has_an_address
from apps.rooms.models import AbandonedRoom, Room, RoomState, Seat, SeatState
from apps.rooms.providers.base import Guest, ProviderRefused, ProviderUnavailable, RoomProvider
from apps.rooms.providers.builtin import Builtin
from apps.rooms.providers.fake import FakeProvider
from apps.rooms.providers.fixed_link import FixedLink
from apps.rooms.providers.registry import PROVIDERS
from apps.rooms.services import plan
from apps.scheduling.models import Participant
from tests.meeting import make_due_rooms

STANDING = "https://video.example/rom/elvebygd"


@pytest.mark.parametrize(
    "provider", [Builtin(), FakeProvider(), FixedLink(STANDING)], ids=lambda one: type(one).__name__
)
class TestContract:
    def test_the_same_reference_opens_one_room(self, provider: RoomProvider, now):
        first = provider.open_room("a", now, now + timedelta(minutes=30))
        assert first
        assert provider.open_room("a", now + timedelta(days=1), now + timedelta(days=1, minutes=30)) == first

    def test_a_room_outside_has_a_safe_address_for_each_guest(self, provider: RoomProvider, now):
        room = provider.open_room("a", now, now + timedelta(minutes=30))
        address = provider.join_url(room, Guest(reference="g"))
        assert address.startswith("https://") if provider.outside else address == ""

    def test_a_room_that_is_gone_is_closed(self, provider: RoomProvider, now):
        room = provider.open_room("a", now, now + timedelta(minutes=30))
        provider.close_room(room)
        provider.close_room(room)


@pytest.mark.parametrize("address", ["", "http://video.example/rom", "javascript:alert(1)", "https://"])
def test_a_standing_room_without_a_safe_address_is_refused(address: str, now):
    with pytest.raises(ProviderRefused):
        FixedLink(address).open_room("a", now, now)


@pytest.fixture
def outside() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def with_providers():
    """Let rooms be made by these, some of which the product does not know."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda *names: patch.setattr(plan, "providers_of", lambda appointment: list(names))


def test_there_is_a_provider_for_each_name_that_a_service_may_have():
    assert set(PROVIDERS) == set(Provider.values)


@pytest.mark.django_db
class TestPlanning:
    def test_our_own_room_is_there_at_once(self, review, now):
        room = services.plan_room(review, now=now)
        assert room.state == RoomState.READY
        assert room.due_at is None
        assert services.plan_room(review, now=now) == room

    def test_booking_plans_moving_moves_and_cancelling_closes(self, book, ada, kari, react, now):
        from apps.scheduling.services import cancel_appointment, move_appointment
        from tests.scheduling_cast import at

        appointment = book(ada, "2026-03-03 10.00")
        react()
        room = Room.objects.get(appointment=appointment)
        assert (room.state, room.starts_at) == (RoomState.READY, at("2026-03-03 10.00"))
        move_appointment(appointment=appointment, starts_at=at("2026-03-04 11.00"), actor=kari, now=now)
        react()
        room.refresh_from_db()
        assert room.starts_at == at("2026-03-04 11.00")
        cancel_appointment(appointment=appointment, reason="other", actor=kari, now=now)
        react()
        room.refresh_from_db()
        assert room.state == RoomState.CLOSED

    def test_anothers_room_is_made_by_the_sweeper(self, review, outside, with_providers, now):
        with_providers("whereby", "builtin")
        room = services.plan_room(review, now=now)
        assert room.state == RoomState.PLANNED
        assert make_due_rooms(now=now, providers={"whereby": outside}) == 1
        room.refresh_from_db()
        assert (room.state, room.provider) == (RoomState.READY, "whereby")
        assert make_due_rooms(now=now, providers={"whereby": outside}) == 0

    def test_who_refuses_is_passed_over_at_once(self, meeting, outside, with_providers, now):
        appointment = meeting(now + timedelta(days=1))
        with_providers("whereby", "builtin")
        outside.refuses = True
        services.plan_room(appointment, now=now)
        make_due_rooms(now=now, providers={"whereby": outside})
        room = Room.objects.get(appointment=appointment)
        assert (room.state, room.provider) == (RoomState.READY, "builtin")

    def test_who_does_not_answer_is_tried_again_and_then_passed_over(self, meeting, outside, with_providers, now):
        appointment = meeting(now + timedelta(days=1))
        with_providers("whereby", "builtin")
        outside.unavailable = True
        services.plan_room(appointment, now=now)
        moment = now
        for _minute in range(60):
            make_due_rooms(now=moment, providers={"whereby": outside})
            moment += timedelta(minutes=1)
        room = Room.objects.get(appointment=appointment)
        assert (room.state, room.provider) == (RoomState.READY, "builtin")
        assert outside.asked == 4

    def test_shortly_before_the_start_nobody_waits(self, review, outside, with_providers, now):
        with_providers("whereby", "builtin")
        outside.unavailable = True
        services.plan_room(review, now=now)
        make_due_rooms(now=now, providers={"whereby": outside})
        assert Room.objects.get(appointment=review).provider == "builtin"

    def test_with_nobody_left_the_room_has_failed_and_says_so(self, review, with_providers, now):
        with_providers("nobody-knows-it")
        services.plan_room(review, now=now)
        make_due_rooms(now=now)
        room = Room.objects.get(appointment=review)
        assert room.state == RoomState.FAILED
        assert room.failure

    def test_a_worker_that_dies_leaves_the_room_to_the_next(self, meeting, outside, with_providers, now, monkeypatch):
        appointment = meeting(now + timedelta(days=1))
        with_providers("whereby", "builtin")
        services.plan_room(appointment, now=now)

        class Killed(BaseException):
            pass

        def die(*args: object) -> str:
            raise Killed

        monkeypatch.setattr(outside, "open_room", die)
        with pytest.raises(Killed):
            make_due_rooms(now=now, providers={"whereby": outside})
        monkeypatch.undo()
        assert make_due_rooms(now=now + timedelta(seconds=30), providers={"whereby": outside}) == 0
        assert make_due_rooms(now=now + timedelta(seconds=61), providers={"whereby": outside}) == 1
        assert Room.objects.get(appointment=appointment).state == RoomState.READY

    def test_a_move_while_the_provider_answers_is_owed_anew(self, meeting, outside, with_providers, now, monkeypatch):
        appointment = meeting(now + timedelta(days=1))
        with_providers("whereby")
        services.plan_room(appointment, now=now)
        really = outside.open_room

        def move_meanwhile(*args):
            appointment.starts_at += timedelta(days=1)
            appointment.ends_at += timedelta(days=1)
            appointment.save(update_fields=["starts_at", "ends_at"])
            services.move_room(appointment, now=now)
            monkeypatch.undo()
            return really(*args)

        monkeypatch.setattr(outside, "open_room", move_meanwhile)
        make_due_rooms(now=now, providers={"whereby": outside})
        room = Room.objects.get(appointment=appointment)
        assert outside.rooms[str(room.uid)] == (appointment.starts_at, appointment.ends_at)
        assert room.state == RoomState.READY

    def test_a_cancellation_while_the_provider_answers_closes_what_it_made(
        self, meeting, outside, with_providers, now, monkeypatch
    ):
        appointment = meeting(now + timedelta(days=1))
        with_providers("whereby")
        services.plan_room(appointment, now=now)
        really = outside.open_room

        def cancel_meanwhile(*args):
            services.close_room(appointment, now=now)
            return really(*args)

        monkeypatch.setattr(outside, "open_room", cancel_meanwhile)
        make_due_rooms(now=now, providers={"whereby": outside})
        assert outside.rooms == {}
        assert Room.objects.get(appointment=appointment).state == RoomState.CLOSED

    @pytest.mark.parametrize("why", ["unavailable", "other"])
    def test_a_late_answer_does_not_stand_for_the_next_providers(
        self, meeting, outside, with_providers, now, monkeypatch, why
    ):
        """The first worker's lease runs out while it asks; the second one finds nobody there and falls over."""
        appointment = meeting(now + timedelta(minutes=15))
        with_providers("whereby", "pexip")
        services.plan_room(appointment, now=now)
        second, really = FakeProvider(), outside.open_room
        lease_over = now + timedelta(seconds=61)

        def be_slow(*args):
            monkeypatch.undo()
            outside.unavailable = True
            make_due_rooms(now=lease_over, providers={"whereby": outside, "pexip": second})
            outside.unavailable = False
            if why == "other":
                raise ProviderUnavailable("after all")
            return f"whereby-{really(*args)}"

        monkeypatch.setattr(outside, "open_room", be_slow)
        services.make_next_room(now=now, providers={"whereby": outside, "pexip": second})
        room = Room.objects.get(appointment=appointment)
        assert (room.provider, room.provider_room_id, room.state) == ("pexip", str(room.uid), RoomState.READY)
        assert AbandonedRoom.objects.count() == (why == "unavailable"), "what it made is to be closed"

    def test_the_room_of_a_provider_that_cannot_move_it_is_closed_there(self, meeting, outside, with_providers, now):
        appointment = meeting(now + timedelta(days=1))
        with_providers("whereby", "builtin")
        services.plan_room(appointment, now=now)
        make_due_rooms(now=now, providers={"whereby": outside})
        assert outside.rooms
        services.move_room(appointment, now=now)
        outside.refuses = True
        services.make_next_room(now=now, providers={"whereby": outside})
        assert Room.objects.get(appointment=appointment).provider == "builtin"
        outside.refuses, outside.unavailable = False, True
        make_due_rooms(now=now, providers={"whereby": outside})
        assert outside.rooms, "it does not answer; that costs a try"
        outside.unavailable = False
        assert make_due_rooms(now=now + timedelta(minutes=2), providers={"whereby": outside}) == 1
        assert not outside.rooms
        assert not AbandonedRoom.objects.exists()

    def test_an_abandoned_room_in_which_somebody_meets_again_is_not_closed(self, review, outside, with_providers, now):
        with_providers("whereby")
        services.plan_room(review, now=now)
        make_due_rooms(now=now, providers={"whereby": outside})
        room = Room.objects.get(appointment=review)
        AbandonedRoom.objects.create(provider="whereby", provider_room_id=room.provider_room_id, due_at=now)
        assert make_due_rooms(now=now, providers={"whereby": outside}) == 1
        assert outside.rooms

    def test_a_provider_that_fails_in_a_way_of_its_own_costs_only_itself(
        self, meeting, outside, with_providers, now, monkeypatch, caplog
    ):
        first, second = meeting(now + timedelta(days=1)), meeting(now + timedelta(days=2))
        with_providers("whereby", "builtin")
        for appointment in (first, second):
            services.plan_room(appointment, now=now)

        def fail(*args: object) -> str:
            raise ValueError("Ada Alm")

        monkeypatch.setattr(outside, "open_room", fail)
        moment = now
        for _minute in range(60):
            make_due_rooms(now=moment, providers={"whereby": outside})
            moment += timedelta(minutes=1)
        assert {(room.state, room.provider) for room in Room.objects.all()} == {(RoomState.READY, "builtin")}
        assert "ValueError" in caplog.text
        assert "Ada" not in caplog.text

    def test_an_id_that_cannot_be_kept_is_no_room(self, review, outside, with_providers, now, monkeypatch):
        with_providers("whereby", "builtin")
        services.plan_room(review, now=now)
        monkeypatch.setattr(outside, "open_room", lambda *args: "x" * 201)
        make_due_rooms(now=now, providers={"whereby": outside})
        assert Room.objects.get(appointment=review).provider == "builtin"

    def test_the_sweeper_reads_the_clock_for_each_room_and_ends_after_a_shift(self, monkeypatch):
        asked, nudged, times = [], [], iter(range(0, 1000, 25))
        monkeypatch.setattr(tasks.time, "monotonic", lambda: next(times))
        monkeypatch.setattr(tasks, "wake", nudged.append)
        monkeypatch.setattr(services, "make_next_room", lambda *, now: asked.append(now) or True)
        tasks.make_due()
        assert len(set(asked)) == len(asked) == 3
        assert nudged == ["rooms.make_due"]

    def test_closing_reaches_the_provider(self, review, outside, with_providers, now):
        with_providers("whereby")
        services.plan_room(review, now=now)
        make_due_rooms(now=now, providers={"whereby": outside})
        services.close_room(review, now=now)
        make_due_rooms(now=now, providers={"whereby": outside})
        assert outside.rooms == {}
        assert Room.objects.get(appointment=review).due_at is None


@pytest.fixture
def in_the_standing_room(settings, with_providers, review, now):
    settings.FIXED_ROOM_URL = STANDING
    with_providers("fixed_link")
    review.refresh_from_db()
    services.plan_room(review, now=now)
    make_due_rooms(now=now)


@pytest.mark.django_db
class TestElsewhere:
    """tests/journeys/test_rooms.py has two browsers meet there."""

    def test_a_guest_who_is_not_let_in_is_not_told_the_address(self, in_the_standing_room, ada_enters, ada_in):
        client = ada_enters()
        client.post(f"/mote/{ada_in.uid}/venterom/")
        for asked in (client.get, client.post):
            assert STANDING not in asked(f"/mote/{ada_in.uid}/rom/", follow=True).content.decode()
        seat = Seat.objects.get(participant=ada_in)
        with pytest.raises(errors.NotAdmitted):
            services.go_outside(seat=seat, now=seat.seen_at)
        assert seat.state == SeatState.WAITING

    def test_who_has_gone_there_is_there_though_no_page_of_ours_says_so(
        self, in_the_standing_room, ada_enters, ada_in, berg, berg_seat, now, clock
    ):
        client = ada_enters()
        client.post(f"/mote/{ada_in.uid}/venterom/")
        seat = Seat.objects.get(participant=ada_in)
        services.connect(seat=seat, channel="ada", place="waiting", waits=False, user=None, now=now)
        services.admit(seat=seat, host=berg_seat, by=berg, arrival=seat.waiting_since.isoformat(), now=now)
        asked = client.get(f"/mote/{ada_in.uid}/rom/").content.decode()
        assert "data-at-once" in asked
        page = client.post(f"/mote/{ada_in.uid}/rom/").content.decode()
        assert f'content="0; url={STANDING}"' in page
        services.disconnect(seat=seat, channel="ada", clean=False, now=now)
        seat.refresh_from_db()
        assert queries.state_now(seat, now=now + timedelta(minutes=20)) == SeatState.HERE
        again = client.get(f"/mote/{ada_in.uid}/rom/").content.decode()
        assert "data-at-once" not in again, "who comes back stays"

    def test_a_host_who_looks_who_waits_is_not_there_yet(self, in_the_standing_room, berg, berg_seat, now):
        def connect(place: str) -> Seat:
            return services.connect(seat=berg_seat, channel="berg", place=place, waits=False, user=berg, now=now)

        assert connect("waiting").state == SeatState.AWAY
        assert connect("room").state == SeatState.HERE
        services.disconnect(seat=berg_seat, channel="berg", clean=True, now=now)
        berg_seat.refresh_from_db()
        assert queries.state_now(berg_seat, now=now + timedelta(minutes=20)) == SeatState.HERE

    def test_how_many_there_is_room_for_is_the_providers_to_say(
        self, in_the_standing_room, review, ada_enters, ada_in, berg, berg_seat, now
    ):
        for number in range(4):
            guest = Participant.objects.create(appointment=review, role="guest", guest_name=f"Guest {number}")
            Seat.objects.create(appointment=review, participant=guest, state=SeatState.HERE, admitted_at=now)
        ada_enters().post(f"/mote/{ada_in.uid}/venterom/")
        seat = Seat.objects.get(participant=ada_in)
        services.admit(seat=seat, host=berg_seat, by=berg, arrival=seat.waiting_since.isoformat(), now=now)
        services.connect(seat=berg_seat, channel="b", place="room", waits=False, user=berg, now=now)
        assert services.go_outside(seat=seat, now=now).state == SeatState.HERE

    def test_the_page_waits_for_a_room_that_is_being_made(self, review, with_providers, berg, as_user, clock):
        def page() -> str:
            return as_user(berg).get(f"/rom/{review.reference}/").content.decode()

        with_providers("fixed_link")
        assert "Videorommet blir laget" in page()
        Room.objects.update(state=RoomState.FAILED)
        assert "Ring pasienten" in page()


class TestTheStandingRoomsAddress:
    """A start of a production looks whether the address is there before a patient finds out that it is not."""

    @pytest.fixture(autouse=True)
    def _in_production(self, settings):
        settings.DEMO = False

    def test_no_service_needs_it(self, settings, db):
        settings.FIXED_ROOM_URL = ""
        assert standing_room_has_an_address() == []

    @pytest.mark.parametrize(
        ("address", "line"),
        [
            ("", "FIXED_ROOM_URL is missing"),
            ("http://video.example/room", "FIXED_ROOM_URL must be the https address"),
            ("https://", "FIXED_ROOM_URL must be the https address"),
            ("https://[::1", "FIXED_ROOM_URL must be the https address"),
        ],
    )
    def test_a_service_needs_it(self, settings, wound_review, address, line):
        ServiceType.objects.filter(pk=wound_review.pk).update(providers=["builtin", "fixed_link"])
        settings.FIXED_ROOM_URL = address
        (fault,) = standing_room_has_an_address()
        assert fault.is_serious()
        assert fault.msg.startswith(line)
        assert "\n" not in fault.msg

    def test_it_is_there(self, settings, wound_review):
        ServiceType.objects.filter(pk=wound_review.pk).update(providers=["fixed_link"])
        settings.FIXED_ROOM_URL = STANDING
        assert standing_room_has_an_address() == []

    def test_the_demo_may_be_without_it(self, settings):
        settings.DEMO, settings.FIXED_ROOM_URL = True, "http://video.example/room"
        assert standing_room_has_an_address() == []

    def test_before_the_first_migration_the_database_is_not_asked_for_what_it_cannot_know(
        self, settings, wound_review, monkeypatch
    ):
        settings.FIXED_ROOM_URL = ""
        with monkeypatch.context() as before:
            before.setattr(ServiceType._meta, "db_table", "not_there_yet")
            assert standing_room_has_an_address() == []
        assert ServiceType.objects.exists(), "a statement that fails ends the transaction"

    def test_a_database_that_is_not_there_yet_is_no_fault_of_the_address(self, settings, db, monkeypatch):
        settings.FIXED_ROOM_URL = ""

        def no_table(**asked: object) -> None:
            raise ProgrammingError("no such table")

        monkeypatch.setattr(ServiceType.objects, "filter", no_table)
        assert standing_room_has_an_address() == []
