"""One contract for every way out. Kannel and the mail server are real ones on loopback."""

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from apps.messaging import tasks
from apps.messaging.carriers import CARRIERS, Carrier, Outgoing, Refused, Unavailable, one_line, smtp

from .gateway import Gateway, Kannel, free_ports
from .mail import Mailbox

INVITATION = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


@pytest.fixture(scope="session")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Kannel(tmp_path_factory.mktemp("kannel")) as gateway:
        yield gateway


OURS = [
    ("GREETING", "554 5.7.1 You are not welcome here"),
    ("EHLO", "550 5.7.1 Not from your address"),
    ("AUTH", "554 5.7.8 The account is closed"),
    ("MAIL", "550 5.1.8 The sender is blocked"),
    ("RCPT", "554 5.7.1 Relay access denied"),
]
"""How a mail server says no to us, whoever the mail is for."""


def shut_out(mailbox: Mailbox, verb: str, answer: str, settings: Any) -> None:
    mailbox.says = {verb: answer}
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = ("videotime", "made-up") if verb == "AUTH" else ("", "")


@dataclass
class Way:
    """A carrier, an address that it reaches, one that it never will, how to put it out of order, and the ways in which
    it says no to us and not to the address."""

    carrier: Carrier
    good: str
    bad: str
    arrived: Callable[[Outgoing], bool]
    break_it: Callable[[], None] | None
    shut_us_out: dict[str, Callable[[], None]] = field(default_factory=dict)


@pytest.fixture(params=sorted(CARRIERS))
def way(request: pytest.FixtureRequest, settings: Any) -> Way:
    name = request.param
    if name == "kannel":
        gateway: Gateway = request.getfixturevalue("kannel")
        use(gateway, settings)
        return Way(
            CARRIERS[name],
            "+4700010001",
            "not a number",
            lambda out: gateway.phones.wait_for(out.body.encode()) is not None,
            lambda: setattr(settings, "KANNEL_URL", f"http://127.0.0.1:{free_ports(1)[0]}"),
            {"a wrong password": lambda: setattr(settings, "KANNEL_PASSWORD", "wrong")},
        )
    if name == "smtp":
        mailbox: Mailbox = request.getfixturevalue("mail_server")
        return Way(
            CARRIERS[name],
            "ada@patient.example",
            "nobody@patient.example",
            lambda out: out.body in mailbox.mails[-1][1].get_body(("plain",)).get_content(),
            lambda: setattr(settings, "EMAIL_PORT", free_ports(1)[0]),
            {verb: lambda verb=verb, answer=answer: shut_out(mailbox, verb, answer, settings) for verb, answer in OURS},
        )
    return Way(CARRIERS[name], "+4700010001", "", lambda out: True, None)


def use(gateway: Gateway, settings: Any) -> None:
    settings.KANNEL_URL, settings.KANNEL_USERNAME, settings.KANNEL_PASSWORD = gateway.url, "videotime", "made-up"
    settings.RECEIPT_SECRET = "made-up-secret"


def outgoing(address: str, body: str = "", **more: Any) -> Outgoing:
    key = str(uuid.uuid4())
    return Outgoing(
        key=key, sender="Elvebygd", address=address, subject="Videosesjon", body=body or f"Hei {key}", **more
    )


class TestEveryCarrier:
    def test_takes_a_message_and_brings_it_there(self, way):
        message = outgoing(way.good)
        accepted = way.carrier.send(message)
        assert isinstance(accepted.carrier_id, str)
        assert way.arrived(message)

    def test_refuses_an_address_that_cannot_be(self, way):
        with pytest.raises(Refused):
            way.carrier.send(outgoing(way.bad))

    def test_says_why_with_a_code_without_the_address_or_the_text(self, way):
        with pytest.raises(Refused) as refusal:
            way.carrier.send(outgoing(way.bad))
        assert str(refusal.value).replace("-", "").isalpha()
        assert len(str(refusal.value)) <= 60

    def test_is_unavailable_when_nobody_answers(self, way):
        if way.break_it is None:
            assert way.carrier.send(outgoing(way.good)).delivered  # nothing between it and the reader can break
            return
        way.break_it()
        with pytest.raises(Unavailable) as outage:
            way.carrier.send(outgoing(way.good))
        assert not outage.value.maybe_taken
        assert outage.value.__cause__ is None

    @pytest.mark.parametrize("on_one_line", [False, True])
    def test_keeps_the_message_when_it_is_we_who_are_refused(self, way, on_one_line):
        for how, shut_us_out in way.shut_us_out.items():
            shut_us_out()
            with pytest.raises(Unavailable) as outage, one_line() if on_one_line else nullcontext():
                way.carrier.send(outgoing(way.good))
            assert (str(outage.value), outage.value.maybe_taken) == ("not-let-in", False), how


class TestKannel:
    @pytest.fixture(autouse=True)
    def _use(self, kannel, settings):
        use(kannel, settings)

    def test_norwegian_letters_arrive_as_they_are(self, kannel):
        CARRIERS["kannel"].send(outgoing("+4700010001", "Æ øl å 5 € [x] & 100 %"))
        line = kannel.phones.wait_for("Æ øl å".encode())
        assert line == "Elvebygd +4700010001 text Æ øl å 5 € [x] & 100 %\n".encode()

    def test_sami_letters_arrive_as_ucs_2(self, kannel):
        CARRIERS["kannel"].send(outgoing("+4700010002", "Bures čáŋ"))
        assert b"%01%0D%00%E1%01K" in kannel.phones.wait_for(b"+4700010002 ucs-2")

    def test_a_long_text_comes_in_parts_that_belong_together(self, kannel):
        CARRIERS["kannel"].send(outgoing("+4700010003", "lang tekst " * 20))
        first = kannel.phones.wait_for(b"+4700010003 udh")
        assert b"%05%00%03" in first

    def test_an_empty_text_is_refused_because_kannel_would_take_it(self):
        with pytest.raises(Refused):
            CARRIERS["kannel"].send(Outgoing(key="x", sender="Elvebygd", address="+4700010001", subject="", body=""))

    def test_a_wrong_password_of_ours_keeps_the_message(self, settings):
        settings.KANNEL_PASSWORD = "wrong"
        with pytest.raises(Unavailable, match="not-let-in"):
            CARRIERS["kannel"].send(outgoing("+4700010001"))

    def test_a_request_of_ours_that_is_wrong_is_not_the_numbers_fault(self):
        with pytest.raises(Unavailable, match="out-of-order"):
            CARRIERS["kannel"].send(
                Outgoing(key="x", sender="", address="+4700010001", subject="", body="Hei")  # nobody signs it
            )

    def test_a_number_that_the_gateway_denies_is_refused(self, monkeypatch):
        monkeypatch.setattr("apps.messaging.carriers.kannel.NUMBER", re.compile(".*"))
        with pytest.raises(Refused, match="bad-number"):
            CARRIERS["kannel"].send(outgoing("ring meg"))

    def test_nothing_of_a_message_is_logged(self, caplog):
        with caplog.at_level("INFO"):
            CARRIERS["kannel"].send(outgoing("+4700010001", "Hemmelig"))
        assert "Hemmelig" not in caplog.text
        assert "00010001" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_report_of_a_real_gateway_comes_back_through_the_hook(queue, deliver_all, kannel, live_server, settings):
    from apps.messaging.models import MessageReceipt, OutboxState

    use(kannel, settings)
    settings.SMS_CARRIERS, settings.PUBLIC_URL = ["kannel"], live_server.url
    message = queue(address="+4700010009", body="Hei. Du har time på video.")
    deliver_all()
    kannel.phones.wait_for(b"+4700010009")
    reported = threading.Event()
    for _turn in range(150):
        message.refresh_from_db()
        if message.state == OutboxState.DELIVERED:
            break
        reported.wait(0.1)
    assert message.state == OutboxState.DELIVERED
    assert "delivered" in MessageReceipt.objects.filter(message=message).values_list("said", flat=True)


class TestMail:
    def send(self, **changes: Any) -> None:
        CARRIERS["smtp"].send(outgoing("berit.berg@staff.example", "Hei. Ærlig talt.", **changes))

    def test_the_invitation_is_the_last_of_the_alternatives_with_its_method(self, mail_server):
        self.send(calendar=INVITATION, calendar_method="REQUEST")
        _to, mail = mail_server.mails[0]
        assert mail.get_content_type() == "multipart/alternative"
        last = list(mail.iter_parts())[-1]
        assert last.get_content_type() == "text/calendar"
        assert last.get_param("method") == "REQUEST"
        assert [value for name, value in last.get_params() if name == "charset"] == ["utf-8"]
        assert last.get_content().replace("\r\n", "\n") == INVITATION.replace("\r\n", "\n")

    def test_the_sender_is_ours_and_the_id_is_the_key(self, mail_server):
        message = outgoing("berit.berg@staff.example")
        CARRIERS["smtp"].send(message)
        _to, mail = mail_server.mails[0]
        assert mail["From"] == "Elvebygd <videotime@elvebygd.example>"
        assert mail["Message-ID"] == f"<{message.key}@elvebygd.example>"
        assert mail["Auto-Submitted"] == "auto-generated"

    @pytest.mark.parametrize("subject", ["Hei\nBcc: x@y.example", "Hei\r\nX: y"])
    def test_a_subject_cannot_bring_headers_along(self, mail_server, subject):
        with pytest.raises(Refused):
            CARRIERS["smtp"].send(
                Outgoing(key="x", sender="E", address="berit.berg@staff.example", subject=subject, body="x")
            )
        assert mail_server.mails == []

    @pytest.mark.parametrize("address", ["a@b.example\nBcc: x@y.example", "a@b.example, x@y.example", "a b@c.example"])
    def test_an_address_is_one_address(self, mail_server, address):
        with pytest.raises(Refused):
            CARRIERS["smtp"].send(outgoing(address))
        assert mail_server.mails == []

    def test_a_server_that_is_busy_is_tried_again(self, mail_server):
        with pytest.raises(Unavailable):
            CARRIERS["smtp"].send(outgoing("later@patient.example"))

    @pytest.mark.parametrize(
        ("verb", "answer", "why"),
        [
            ("RCPT", "550 5.1.1 No such user", "bad-address"),
            ("RCPT", "552 5.2.2 The mailbox is full", "refused"),
            ("DATA", "554 5.6.0 The content is not accepted", "refused"),
        ],
    )
    def test_what_is_about_the_address_or_the_mail_itself_is_final(self, mail_server, verb, answer, why):
        mail_server.says[verb] = answer
        with pytest.raises(Refused, match=why):
            self.send()

    def test_the_mails_of_a_sweep_go_on_one_connection_and_others_on_their_own(self, mail_server):
        with one_line():
            for _mail in range(3):
                self.send()
        assert len(set(mail_server.lines)) == 1
        self.send()
        self.send()
        assert (len(mail_server.mails), len(set(mail_server.lines))) == (5, 3)

    def test_a_connection_that_the_server_let_go_of_is_opened_anew(self, mail_server):
        with one_line():
            CARRIERS["smtp"].send(outgoing("goodbye@staff.example"))
            time.sleep(0.3)
            self.send()
            with pytest.raises(Refused):
                CARRIERS["smtp"].send(outgoing("nobody@patient.example"))
            self.send()
        assert (len(mail_server.mails), len(set(mail_server.lines))) == (3, 2)

    def test_no_connection_carries_more_mails_than_servers_take(self, mail_server, monkeypatch):
        monkeypatch.setattr(smtp, "MOST_ON_A_LINE", 2)
        with one_line():
            for _mail in range(5):
                self.send()
        assert (len(mail_server.mails), len(set(mail_server.lines))) == (5, 3)

    def test_the_task_sends_what_is_due_on_one_connection(self, queue, mail_server, settings, now, monkeypatch):
        settings.EMAIL_CARRIER = "smtp"
        monkeypatch.setattr("django.utils.timezone.now", lambda: now)
        for number in range(3):
            queue(recipient=f"p{number}", channel="email", address=f"p{number}@patient.example")
        tasks.deliver_due()
        assert (len(mail_server.mails), len(set(mail_server.lines))) == (3, 1)
