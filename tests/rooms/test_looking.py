"""What an open socket asks the database every few seconds: few questions, each written out and planned once."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.rooms import queries, sockets
from apps.rooms.models import Seat

pytestmark = pytest.mark.django_db

LOOK = sockets.RoomSocket.__dict__["look_up"].func


def look(seat, client, user=None):
    """Look as the socket of this seat does; return what it finds, and what it asked."""
    socket = sockets.RoomSocket()
    socket.scope = {"cookies": {name: morsel.value for name, morsel in client.cookies.items()}}
    socket.seat, socket.user, socket.channel_name = queries.seat_by_uid(seat.uid), user, seat.channel
    socket.ticket = SimpleNamespace(device=seat.device)
    LOOK(socket)  # notes that the seat was seen, which is not done at every look
    with CaptureQueriesContext(connection) as asked:
        verdict, told = LOOK(socket)
    return verdict, told, len(asked)


@pytest.fixture
def waiting(ada_enters, ada_in):
    client = ada_enters()
    client.post(f"/mote/{ada_in.uid}/venterom/", {"camera": "yes", "microphone": "yes"})
    return client


def test_a_patient_who_waits_costs_three_questions(waiting, ada_in):
    verdict, told, asked = look(Seat.objects.get(participant=ada_in), waiting)
    assert (verdict, told["you"]["state"], asked) == (None, "waiting", 3)


def test_a_host_costs_six_however_many_there_are(waiting, berg, as_user, review):
    client = as_user(berg)
    client.get(f"/rom/{review.reference}/")
    verdict, told, asked = look(Seat.objects.get(host=True), client, berg)
    assert (verdict, len(told["waiting"]), asked) == (None, 1, 6)


def test_how_a_patient_is_reached_and_her_number_stay_sealed(waiting, ada_in):
    seat = queries.seat_by_uid(Seat.objects.get(participant=ada_in).uid)
    for patient in (seat.appointment.patient, queries.seats_of(seat.appointment)[0].participant.appointment.patient):
        assert {"national_id", "phone", "email", "address"} <= patient.get_deferred_fields()


def test_who_is_signed_in_as_somebody_else_meanwhile_is_out(waiting, berg, tor, as_user, review):
    as_user(berg).get(f"/rom/{review.reference}/")
    verdict, told, _asked = look(Seat.objects.get(host=True), as_user(tor), berg)
    assert (verdict, told["why"]) == (sockets.NOT_ALLOWED, "gone")
