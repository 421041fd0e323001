"""A gateway that takes the connection and says nothing: it costs its time limit a few times, and nobody else's."""

import socket
import time

import httpx
import pytest

from apps.messaging import services, tasks
from apps.messaging.carriers import Accepted, Refused, Unavailable, kannel
from apps.messaging.models import OutboxMessage, OutboxState

pytestmark = pytest.mark.django_db


@pytest.fixture
def hanging(settings, monkeypatch):
    """Kannel's port, where connections wait for an answer for ever; a tenth of a second stands for our ten."""
    impatient = httpx.Client(timeout=0.1, trust_env=False)
    monkeypatch.setattr(kannel, "_client", lambda: impatient)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        settings.KANNEL_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings.SMS_CARRIERS, settings.EMAIL_CARRIER = ["kannel"], "inbox"
        yield
    impatient.close()


@pytest.fixture
def sweep(now, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    return tasks.deliver_due


def states(channel):
    return sorted(OutboxMessage.objects.filter(channel=channel, attempts__gt=0).values_list("state", flat=True))


def test_the_mails_behind_it_go_and_the_sweep_ends_soon(queue, hanging, sweep):
    for number in range(30):
        queue(recipient=f"p{number}", address=f"+47000200{number:02}")
    for number in range(3):
        queue(recipient=f"q{number}", channel="email", address=f"q{number}@patient.example")
    began = time.monotonic()
    sweep()
    assert time.monotonic() - began < 2, "thirty time limits would be three seconds"
    assert states("sms") == [OutboxState.WAITING] * services.OUTAGES_IN_A_ROW
    assert states("email") == [OutboxState.DELIVERED] * 3


def test_the_next_sweep_tries_again_and_sends_all_once_it_answers(queue, hanging, sweep, carrier, settings):
    for number in range(5):
        queue(recipient=f"p{number}", address=f"+47000200{number:02}")
    settings.SMS_CARRIERS = ["kannel"]
    sweep()
    assert states("sms") == [OutboxState.WAITING] * 3
    settings.SMS_CARRIERS = []
    gateway = carrier()
    sweep()
    assert len(gateway.got) == 2, "those that it may have taken already wait for their receipts"


def test_both_out_of_order_end_the_sweep(queue, carrier, sweep, settings):
    carrier(*[Unavailable("unreachable")] * 30)
    settings.EMAIL_CARRIER = settings.SMS_CARRIERS[0]
    for number in range(10):
        queue(recipient=f"p{number}", address=f"+47000200{number:02}")
        queue(recipient=f"p{number}", channel="email", address=f"p{number}@patient.example")
    sweep()
    assert sum(OutboxMessage.objects.values_list("attempts", flat=True)) == 2 * services.OUTAGES_IN_A_ROW


@pytest.mark.parametrize("between", [Accepted(), Refused("bad-number")])
def test_what_fails_now_and_then_stops_nothing(queue, carrier, sweep, between):
    """An outage, an outage, then one that goes or is refused: the gateway is there."""
    out = Unavailable("out-of-order", maybe_taken=True)
    gateway = carrier(*[out, out, between] * 3)
    for number in range(12):
        queue(recipient=f"p{number}", address=f"+47000200{number:02}")
    sweep()
    assert len(gateway.got) == 12
