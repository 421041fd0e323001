"""Several workers at once, and one that dies."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.messaging import services
from apps.messaging.carriers import Accepted, Unavailable
from apps.messaging.models import OutboxMessage, OutboxState
from tests.together import together

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_four_workers_send_each_message_once(queue, carrier, now):
    gateway = carrier()
    for number in range(80):
        queue(recipient=f"p{number}", address=f"+47000200{number:02}")

    def work():
        while services.deliver_next_message(now=now):
            pass

    together(*[work] * 4)
    keys = [out.key for out in gateway.got]
    assert len(keys) == 80
    assert len(set(keys)) == 80
    assert OutboxMessage.objects.filter(state=OutboxState.SENT).count() == 80


def test_no_transaction_is_open_while_the_gateway_answers(queue, carrier, now):
    gateway = carrier()
    queue()
    services.deliver_next_message(now=now)
    assert gateway.in_transaction == [False]
    assert not connection.in_atomic_block


def test_a_message_whose_worker_died_is_sent_again_with_the_same_key(queue, carrier, now):
    class KilledError(BaseException):
        pass

    gateway = carrier()
    taken = gateway.send

    def die(message):
        taken(message)
        raise KilledError

    message = queue()
    gateway.send = die
    with pytest.raises(KilledError):
        services.deliver_next_message(now=now)
    gateway.send = taken
    assert not services.deliver_next_message(now=now + services.LEASE - timedelta(seconds=1))
    assert services.deliver_next_message(now=now + services.LEASE)
    assert [out.key for out in gateway.got] == [str(message.reference)] * 2
    message.refresh_from_db()
    assert (message.state, message.attempts) == (OutboxState.SENT, 2)


def test_a_worker_that_comes_back_too_late_does_not_undo_what_the_next_one_did(queue, carrier, now):
    gateway = carrier()
    message = queue()
    late = services._claim_next(now)
    assert services.deliver_next_message(now=now + services.LEASE)
    services._put_back(late, Unavailable("unreachable"), now + services.LEASE)
    message.refresh_from_db()
    assert message.state == OutboxState.SENT
    assert len(gateway.got) == 1


def test_a_worker_that_comes_back_too_late_leaves_it_to_the_one_who_is_sending(queue, now):
    message = queue()
    late = services._claim_next(now)
    assert services._claim_next(now + services.LEASE) == message
    services._put_back(late, "unreachable", now + services.LEASE)
    services._give_up(late, "bad-number", now + services.LEASE)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (OutboxState.SENDING, 2)


def test_a_gateway_that_answers_too_late_only_says_who_brought_it(queue, carrier, now):
    gateway = carrier()
    message = queue()
    late = services._claim_next(now)
    assert services.deliver_next_message(now=now + services.LEASE)
    services._record_sent(late, gateway, Accepted(carrier_id="late"), now)
    message.refresh_from_db()
    assert (message.state, message.sent_at) == (OutboxState.SENT, now + services.LEASE)
    assert message.carrier_id == "late"


def test_two_workers_together_keep_the_days_measure(queue, carrier, now, settings):
    settings.DAILY_SMS_CAP = 3
    gateway = carrier()
    for number in range(12):
        queue(recipient=f"ada{number}")

    def work():
        while services.deliver_next_message(now=now):
            pass

    together(*[work] * 4)
    assert len(gateway.got) == 3


def test_a_hundred_copies_of_a_receipt_have_one_effect(queue, carrier, now):
    carrier()
    message = queue()
    services.deliver_next_message(now=now)

    def report():
        for _copy in range(25):
            services.record_receipt(reference=message.reference, said=services.DELIVERED, now=now)

    together(*[report] * 4)
    message.refresh_from_db()
    assert (message.state, message.receipts.count()) == (OutboxState.DELIVERED, 1)


def test_cancelling_while_workers_run_sends_a_message_or_withdraws_it_never_both(queue, carrier, now):
    gateway = carrier()
    for number in range(30):
        queue(recipient=f"p{number}", address=f"+47000300{number:02}")

    def work():
        while services.deliver_next_message(now=now):
            pass

    about = OutboxMessage.objects.first().about
    together(lambda: services.withdraw_messages(about=about, now=now), work, work)
    sent = {out.key for out in gateway.got}
    for message in OutboxMessage.objects.all():
        assert (message.state == OutboxState.SENT) == (str(message.reference) in sent)
        assert message.state in {OutboxState.SENT, OutboxState.WITHDRAWN}
