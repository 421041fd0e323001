"""The outbox: once, in time, and nobody stops anybody else."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.messaging import queries, services
from apps.messaging.carriers import Accepted, Refused, Unavailable
from apps.messaging.models import OutboxMessage, OutboxState

from .conftest import ADAS_PHONE, APPOINTMENT, BOS_PHONE


def test_a_due_message_is_sent_with_its_reference_as_key(queue, carrier, deliver_all, now):
    gateway = carrier()
    message = queue()
    assert deliver_all() == 1
    message.refresh_from_db()
    assert (message.state, message.sent_at, message.carrier) == (OutboxState.SENT, now, "carrier0")
    assert [(out.key, out.address, out.sender) for out in gateway.got] == [
        (str(message.reference), "+4700010001", "Elvebygd")
    ]


def test_the_same_thing_is_said_once(queue, carrier, deliver_all):
    gateway = carrier()
    assert queue() is not None
    assert queue() is None
    deliver_all()
    assert queue() is None
    deliver_all()
    assert len(gateway.got) == 1


def test_a_reminder_waits_until_it_is_due(queue, carrier, deliver_all, now):
    gateway = carrier()
    queue(due_at=now + timedelta(hours=3))
    assert deliver_all(now + timedelta(hours=3, seconds=-1)) == 0
    assert deliver_all(now + timedelta(hours=3)) == 1
    assert len(gateway.got) == 1


def test_nothing_is_queued_for_what_has_begun(queue, now):
    assert queue(not_after=now) is None
    assert not OutboxMessage.objects.exists()


def test_what_could_only_go_when_it_is_too_late_is_listed_as_not_sent_at_once(queue, now):
    later = now + timedelta(hours=1)
    message = queue(due_at=later, not_after=later)
    assert (message.state, message.failure, message.done_at) == (OutboxState.FAILED, "quiet-hours", now)


def test_nothing_is_sent_after_the_start_and_the_booker_can_see_it(queue, carrier, deliver_all, now):
    gateway = carrier()
    message = queue(not_after=now + timedelta(hours=1))
    deliver_all(now + timedelta(hours=1))
    message.refresh_from_db()
    assert gateway.got == []
    assert (message.state, message.failure) == (OutboxState.FAILED, "too-late")


def test_withdrawn_messages_are_never_sent(queue, carrier, deliver_all, now):
    gateway = carrier()
    message = queue(due_at=now + timedelta(hours=1))
    other = queue(about=None, recipient="bo", due_at=now + timedelta(hours=1))
    assert services.withdraw_messages(about=APPOINTMENT, now=now) == 1
    deliver_all(now + timedelta(hours=2))
    message.refresh_from_db()
    assert message.state == OutboxState.WITHDRAWN
    assert [out.key for out in gateway.got] == [str(other.reference)]


def test_a_message_withdrawn_while_the_gateway_is_down_is_not_tried_again(queue, carrier, deliver_all, now):
    def cancelled_meanwhile():
        services.withdraw_messages(about=APPOINTMENT, now=now)
        return Unavailable("unreachable")

    gateway = carrier()
    send = gateway.send
    gateway.send = lambda message: (_ for _ in ()).throw(cancelled_meanwhile()) if send(message) else None
    message = queue()
    deliver_all()
    deliver_all(now + timedelta(hours=1))
    message.refresh_from_db()
    assert message.state == OutboxState.WITHDRAWN
    assert len(gateway.got) == 1


def test_the_pauses_grow_from_nothing_to_a_quarter_of_an_hour(queue, carrier, now):
    gateway = carrier(*[Unavailable("unreachable")] * 9)
    message = queue()
    pauses, moment = [], now
    for _try in range(9):
        assert services.deliver_next_message(now=moment)
        message.refresh_from_db()
        pauses.append(int((message.due_at - moment).total_seconds()))
        assert not services.deliver_next_message(now=message.due_at - timedelta(seconds=1)) or pauses[-1] == 0
        moment = message.due_at
    assert pauses == [0, 10, 30, 120, 300, 600, 900, 900, 900]
    assert services.deliver_next_message(now=moment)
    message.refresh_from_db()
    assert message.state == OutboxState.SENT
    assert len({out.key for out in gateway.got}) == 1


def test_a_gateway_that_never_comes_back_ends_in_a_failure_that_is_seen(queue, carrier, now):
    carrier(*[Unavailable("unreachable")] * services.TRIES)
    message = queue(at_any_hour=True)
    moment = now
    for _try in range(services.TRIES):
        assert services.deliver_next_message(now=moment)
        message.refresh_from_db()
        moment = max(moment, message.due_at)
    assert (message.state, message.failure, message.attempts) == (OutboxState.FAILED, "unreachable", services.TRIES)
    assert not services.deliver_next_message(now=moment + timedelta(days=1))


def test_a_gateway_that_is_away_is_told_of_in_the_log_and_nothing_of_the_message(queue, carrier, caplog):
    carrier(Unavailable("unreachable"))
    message = queue(body="Hemmelig")
    services.deliver_next_message(now=message.created_at)
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line == f"carrier carrier0 does not take message {message.reference} now: unreachable"


def test_a_refused_number_fails_at_once_and_the_others_get_theirs(queue, carrier, deliver_all):
    gateway = carrier(Refused("bad-number"))
    refused, fine = queue(), queue(recipient="bo", address=BOS_PHONE)
    deliver_all()
    refused.refresh_from_db()
    fine.refresh_from_db()
    assert (refused.state, refused.failure) == (OutboxState.FAILED, "bad-number")
    assert fine.state == OutboxState.SENT
    assert len(gateway.got) == 2


def test_a_fault_in_a_carrier_stops_nobody_else(queue, carrier, deliver_all, caplog):
    carrier(KeyError("+4700010001"))
    queue(body="Hemmelig")
    fine = queue(recipient="bo", address=BOS_PHONE)
    services.deliver_next_message(now=fine.created_at)
    services.deliver_next_message(now=fine.created_at)
    assert OutboxMessage.objects.filter(state=OutboxState.SENT).count() == 1
    assert "Hemmelig" not in caplog.text


def test_the_next_carrier_takes_over_when_the_first_is_away(queue, carrier, deliver_all):
    first, second = carrier(Unavailable("unreachable")), carrier()
    message = queue()
    deliver_all()
    message.refresh_from_db()
    assert (len(first.got), len(second.got)) == (1, 1)
    assert (message.state, message.carrier) == (OutboxState.SENT, "carrier1")


def test_the_next_carrier_waits_when_the_first_may_have_taken_it(queue, carrier, now):
    first, second = carrier(Unavailable("no-answer", maybe_taken=True)), carrier()
    queue()
    services.deliver_next_message(now=now)
    assert (len(first.got), len(second.got)) == (1, 0)


def test_a_text_message_waits_for_the_morning(queue, carrier, deliver_all, now):
    gateway = carrier()
    night, morning = now.replace(hour=21), now.replace(hour=8) + timedelta(days=1)
    message = queue(due_at=now.replace(hour=20, minute=59))
    deliver_all(night)
    message.refresh_from_db()
    assert (gateway.got, message.due_at) == ([], morning)
    deliver_all(morning - timedelta(seconds=1))
    assert gateway.got == []
    deliver_all(morning)
    assert len(gateway.got) == 1


def test_a_text_that_cannot_wait_for_the_morning_is_listed_as_not_sent(queue, carrier, deliver_all, now):
    gateway = carrier()
    message = queue(due_at=now.replace(hour=22), not_after=now.replace(hour=7, minute=30) + timedelta(days=1))
    deliver_all(now.replace(hour=22))
    message.refresh_from_db()
    assert (gateway.got, message.state, message.failure) == ([], OutboxState.FAILED, "quiet-hours")


def test_mail_and_codes_go_at_night_too(queue, carrier, deliver_all, now, settings, mailoutbox):
    gateway = carrier()
    settings.EMAIL_CARRIER = "smtp"
    queue(due_at=now.replace(hour=23), at_any_hour=True)
    queue(due_at=now.replace(hour=23), channel="email", address="berit.berg@staff.example", subject="Videosesjon")
    deliver_all(now.replace(hour=23))
    assert (len(gateway.got), len(mailoutbox)) == (1, 1)


def test_nobody_gets_more_than_the_days_measure(queue, carrier, deliver_all, now, settings):
    settings.DAILY_SMS_CAP = 2
    gateway = carrier()
    for number in range(4):
        queue(recipient=f"ada{number}", not_after=now + timedelta(days=1, hours=3))
    late = queue(recipient="ada4", not_after=now + timedelta(hours=5))
    bos = queue(recipient="bo", address=BOS_PHONE)
    deliver_all()
    assert [out.address for out in gateway.got].count("+4700010001") == 2
    assert str(bos.reference) in {out.key for out in gateway.got}
    late.refresh_from_db()
    assert (late.state, late.failure) == (OutboxState.FAILED, "daily-cap")
    deliver_all(now + timedelta(days=1))
    assert [out.address for out in gateway.got].count("+4700010001") == 4


def test_a_days_measure_counts_the_text_messages_of_one_address_on_one_day(queue, carrier, deliver_all, now):
    carrier()
    yesterday = now - timedelta(days=1)
    queue(recipient="yesterday", now=yesterday, due_at=yesterday)
    deliver_all(yesterday)
    queue()
    queue(recipient="bo", address=BOS_PHONE)
    refused = queue(recipient="refused")
    deliver_all()
    services.record_receipt(reference=refused.reference, said=services.REJECTED, now=now)
    queue(recipient="ada2", due_at=now + timedelta(hours=1))
    others = [
        {"address": BOS_PHONE, "due_at": now + timedelta(hours=1)},
        {"channel": "email"},
        {"due_at": now.replace(hour=0, minute=0) + timedelta(days=1)},
        {"due_at": now + timedelta(hours=2), "not_after": now + timedelta(hours=2)},
    ]
    for number, other in enumerate(others):
        queue(recipient=f"other{number}", **other)
    assert queries.planned_on_day(ADAS_PHONE, now) == 2


def test_a_message_in_reserve_goes_only_when_the_first_has_failed(queue, carrier, deliver_all, settings, mailoutbox):
    carrier(Refused("bad-number"))
    settings.EMAIL_CARRIER = "smtp"
    first = queue()
    reserve = queue(channel="email", address="ada@patient.example", subject="Time på video", instead_of=first)
    assert reserve.state == OutboxState.STANDBY
    deliver_all()
    assert [mail.to for mail in mailoutbox] == [["ada@patient.example"]]


def test_a_message_in_reserve_for_one_that_was_too_late_from_the_start_goes_itself(
    queue, carrier, deliver_all, settings, mailoutbox, now
):
    settings.EMAIL_CARRIER = "smtp"
    later = now + timedelta(hours=1)
    first = queue(due_at=later, not_after=later)
    assert first.state == OutboxState.FAILED
    queue(channel="email", address="ada@patient.example", subject="Time på video", not_after=later, instead_of=first)
    deliver_all()
    assert [mail.to for mail in mailoutbox] == [["ada@patient.example"]]


def test_a_message_in_reserve_is_dropped_when_the_first_has_arrived(queue, carrier, deliver_all, now, mailoutbox):
    carrier(Accepted(delivered=True))
    first = queue()
    reserve = queue(channel="email", address="ada@patient.example", subject="Time på video", instead_of=first)
    deliver_all()
    reserve.refresh_from_db()
    assert reserve.state == OutboxState.WITHDRAWN
    assert len(mailoutbox) == 0


def test_withdrawing_takes_the_reserve_along(queue, carrier, deliver_all, now):
    gateway = carrier()
    first = queue()
    queue(channel="email", address="ada@patient.example", instead_of=first)
    assert services.withdraw_messages(about=APPOINTMENT, now=now) == 2
    assert deliver_all() == 0
    assert gateway.got == []


def test_texts_and_addresses_are_not_readable_in_the_table(queue):
    from django.db import connection

    queue(body="Hei. Du har time.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM messaging_outboxmessage")
        row = [bytes(value) if isinstance(value, memoryview) else str(value).encode() for value in cursor.fetchone()]
    assert not any(b"00010001" in value or b"time" in value for value in row)


@pytest.mark.parametrize("path", ["refresh", "again"])
def test_queueing_wakes_the_sweeper_after_the_commit(queue, path, django_capture_on_commit_callbacks, now):
    with django_capture_on_commit_callbacks() as callbacks:
        queue(due_at=now if path == "refresh" else now + timedelta(hours=1))
    assert len(callbacks) == (1 if path == "refresh" else 0)


def test_the_demos_inbox_wakes_nobody_and_is_never_late(queue, deliver_all, now, settings):
    settings.SMS_CARRIERS = ["inbox"]
    message = queue()
    deliver_all(now.replace(hour=23))
    message.refresh_from_db()
    assert message.state == OutboxState.DELIVERED


def test_a_carrier_that_does_not_exist_is_found_at_the_start(settings):
    from apps.messaging.checks import carriers_exist

    assert carriers_exist() == []
    settings.SMS_CARRIERS, settings.EMAIL_CARRIER = ["kannel", "pigeon"], "owl"
    assert [fault.msg.split(",")[0] for fault in carriers_exist()] == [
        "SMS_CARRIERS names pigeon",
        "EMAIL_CARRIER names owl",
    ]


@pytest.mark.parametrize(("looked_up", "index"), [("_DUE", "outbox_waiting_by_due"), ("_ABANDONED", "outbox_leases")])
def test_a_plan_that_is_made_once_goes_by_the_index_of_what_waits(db, now, looked_up, index):
    prepared = getattr(services, looked_up)
    assert prepared.first(now=now, but="") is None
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"PREPARE looked_up AS {prepared._sql}")
        cursor.execute("EXPLAIN EXECUTE looked_up (now(), '')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE looked_up")
    assert index in plan
