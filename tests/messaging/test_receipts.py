"""What the gateway reports: in any order, more than once, and from anybody who knows the secret."""

import itertools
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from apps.messaging import services
from apps.messaging.carriers import Unavailable
from apps.messaging.models import MessageReceipt, OutboxState

SECRET = "a-long-secret-of-this-gateway"


@pytest.fixture
def report(client, settings):
    settings.RECEIPT_SECRET = SECRET

    def make(reference, kind, secret=SECRET):
        return client.get(f"/hooks/kannel/{secret}/", {"id": str(reference), "type": kind})

    return make


@pytest.fixture
def sent(queue, carrier, deliver_all):
    carrier()
    message = queue()
    deliver_all()
    return message


@pytest.mark.parametrize("order", list(itertools.permutations(["8", "4", "1"])))
def test_reports_in_any_order_end_in_delivered(sent, report, order):
    for kind in order:
        assert report(sent.reference, kind).status_code == 202
    sent.refresh_from_db()
    assert sent.state == OutboxState.DELIVERED


def test_the_same_report_counts_once(sent, report):
    for _copy in range(5):
        assert report(sent.reference, "1").status_code == 202
    assert MessageReceipt.objects.count() == 1


@pytest.mark.parametrize("kind", ["2", "16"])
def test_a_message_that_did_not_come_through_is_failed_without_a_word_against_the_number(sent, report, kind):
    report(sent.reference, kind)
    sent.refresh_from_db()
    assert (sent.state, sent.failure) == (OutboxState.FAILED, "not-reached")


@pytest.mark.parametrize(
    ("kinds", "end"),
    [(["1", "2"], OutboxState.DELIVERED), (["2", "1"], OutboxState.FAILED), (["16", "8"], OutboxState.FAILED)],
)
def test_an_end_is_never_taken_back(sent, report, kinds, end):
    for kind in kinds:
        report(sent.reference, kind)
    sent.refresh_from_db()
    assert sent.state == end


def test_a_failed_message_lets_the_one_in_reserve_go(queue, carrier, deliver_all, mailoutbox, settings, now):
    settings.EMAIL_CARRIER = "smtp"
    carrier()
    first = queue()
    queue(channel="email", address="ada@patient.example", subject="Time på video", instead_of=first)
    deliver_all()
    assert len(mailoutbox) == 0
    services.record_receipt(reference=first.reference, said=services.FAILED, now=now)
    deliver_all()
    assert [mail.to for mail in mailoutbox] == [["ada@patient.example"]]


def test_a_report_may_come_before_the_answer(queue, carrier, report, now):
    gateway = carrier()
    message = queue()
    send = gateway.send

    def report_first(outgoing):
        report(outgoing.key, "1")
        return send(outgoing)

    gateway.send = report_first
    services.deliver_next_message(now=now)
    message.refresh_from_db()
    assert (message.state, message.carrier) == (OutboxState.DELIVERED, "carrier0")


def test_a_message_whose_answer_was_lost_is_not_sent_again(queue, carrier, report, deliver_all, now):
    gateway = carrier(Unavailable("no-answer", maybe_taken=True))
    message = queue()
    services.deliver_next_message(now=now)
    report(message.reference, "8")
    deliver_all(now + timedelta(hours=1))
    message.refresh_from_db()
    assert (message.state, len(gateway.got)) == (OutboxState.SENT, 1)


@pytest.mark.parametrize("kind", ["8", "4"])
def test_what_the_gateway_took_before_the_worker_died_is_not_sent_again(queue, carrier, report, now, kind):
    class KilledError(BaseException):
        pass

    gateway = carrier()
    taken = gateway.send

    def die(outgoing):
        taken(outgoing)
        raise KilledError

    gateway.send = die
    message = queue()
    with pytest.raises(KilledError):
        services.deliver_next_message(now=now)
    gateway.send = taken
    report(message.reference, kind)
    assert not services.deliver_next_message(now=now + services.LEASE)
    message.refresh_from_db()
    assert (message.state, len(gateway.got)) == (OutboxState.SENT, 1)


def test_a_message_whose_answer_was_lost_waits_for_its_receipt(queue, carrier, now):
    gateway = carrier(Unavailable("no-answer", maybe_taken=True))
    queue()
    services.deliver_next_message(now=now)
    assert not services.deliver_next_message(now=now + services.RECEIPT_WITHIN - timedelta(seconds=1))
    assert services.deliver_next_message(now=now + services.RECEIPT_WITHIN)
    assert len(gateway.got) == 2


def test_a_code_that_somebody_waits_for_does_not_wait_for_a_receipt(queue, carrier, now):
    """A second text with the same code does no harm."""
    gateway = carrier(Unavailable("no-answer", maybe_taken=True))
    queue(at_any_hour=True)
    services.deliver_next_message(now=now)
    assert services.deliver_next_message(now=now)
    assert len(gateway.got) == 2


def test_what_was_given_up_without_an_answer_may_still_turn_out_delivered(queue, carrier, report, now):
    carrier(Unavailable("no-answer", maybe_taken=True))
    message = queue(not_after=now + timedelta(minutes=5))
    services.deliver_next_message(now=now)
    services.deliver_next_message(now=now + timedelta(minutes=5))
    message.refresh_from_db()
    assert message.state == OutboxState.FAILED
    report(message.reference, "1")
    message.refresh_from_db()
    assert message.state == OutboxState.DELIVERED


def test_a_message_that_never_left_cannot_be_delivered(queue, report, now):
    message = queue(due_at=now + timedelta(hours=1))
    assert report(message.reference, "1").status_code == 202
    message.refresh_from_db()
    assert message.state == OutboxState.WAITING


@pytest.mark.parametrize("secret", ["wrong", SECRET + "x", SECRET.upper(), "æøå"])
def test_nobody_without_the_secret_reports_anything(sent, report, secret):
    assert report(sent.reference, "1", secret).status_code == 404
    sent.refresh_from_db()
    assert sent.state == OutboxState.SENT


def test_without_a_secret_there_is_no_hook(sent, client, settings):
    settings.RECEIPT_SECRET = ""
    assert client.get("/hooks/kannel/%20/", {"id": str(sent.reference), "type": "1"}).status_code == 404


@pytest.mark.parametrize("reference", [uuid.uuid4(), "", "no-uuid", "\0", "9" * 4000])
def test_an_unknown_reference_is_dropped_without_a_word(sent, report, reference):
    assert report(reference, "1").status_code == 202


@pytest.mark.parametrize("kind", ["", "3", "0", "1; drop", "\0"])
def test_an_unknown_kind_changes_nothing(sent, report, kind):
    assert report(sent.reference, kind).status_code == 202
    assert not MessageReceipt.objects.exists()


def test_the_address_of_the_hook_is_the_one_the_carrier_gives(settings):
    from apps.messaging.carriers.kannel import Kannel

    settings.RECEIPT_SECRET = SECRET
    assert (
        Kannel()
        ._report_url("x")
        .startswith(settings.PUBLIC_URL + reverse("messaging:kannel_receipt", kwargs={"secret": SECRET}) + "?id=x")
    )
