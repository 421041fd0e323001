import pytest
from django.urls import reverse


@pytest.fixture
def arrived(queue, deliver_all, settings):
    """Two messages have come out: an SMS to Ada and an invitation to Dr Berg."""
    settings.SMS_CARRIERS, settings.EMAIL_CARRIER = ["inbox"], "inbox"
    sms = queue(body="Hei. Bli med: http://127.0.0.1:8000/j/abc/. <b>Ring</b> 00 00 10 20")
    mail = queue(
        recipient="berg",
        channel="email",
        address="berit.berg@staff.example",
        subject="Videosesjon",
        body="Hei.\n\nBli med: http://127.0.0.1:8000/rom/VT-7K3M-92QX/",
        calendar="BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",
        calendar_method="REQUEST",
    )
    deliver_all()
    return sms, mail


def test_each_message_stands_there_as_a_phone_would_show_it(client, arrived):
    page = client.get("/demo/inbox/").content.decode()
    assert '<a class="ds-link" href="http://127.0.0.1:8000/j/abc/">http://127.0.0.1:8000/j/abc/</a>' in page
    assert "&lt;b&gt;Ring&lt;/b&gt;" in page
    assert "Videosesjon" in page
    assert "1 SMS" in page


def test_the_json_has_what_a_test_from_outside_needs(client, arrived):
    messages = client.get("/demo/inbox.json").json()["messages"]
    sms = next(message for message in messages if message["channel"] == "sms")
    assert sms["to"] == "+4700010001"
    assert sms["links"] == ["http://127.0.0.1:8000/j/abc/"]
    assert sms["purpose"] == "booked"
    assert sms["at"].startswith("2026-03-02T07:00:00")
    mail = next(message for message in messages if message["channel"] == "email")
    assert (mail["subject"], mail["calendar_method"]) == ("Videosesjon", "REQUEST")


@pytest.mark.parametrize("to", ["+4700010001", " 4700010001", "+47 000 10 001"])
def test_it_can_be_read_for_one_recipient(client, arrived, to):
    assert len(client.get("/demo/inbox.json", {"to": to}).json()["messages"]) == 1


def test_what_waits_or_failed_is_not_in_anybodys_inbox(client, queue, now):
    queue()
    assert client.get("/demo/inbox.json").json() == {"messages": []}
    assert client.get("/demo/inbox/").status_code == 200


def test_the_newest_comes_first(client, queue, deliver_all, now, settings):
    from datetime import timedelta

    settings.SMS_CARRIERS = ["inbox"]
    for number in range(3):
        queue(recipient=f"r{number}", body=f"nr {number}")
        deliver_all(now + timedelta(minutes=number))
    assert [message["body"] for message in client.get("/demo/inbox.json").json()["messages"]] == [
        "nr 2",
        "nr 1",
        "nr 0",
    ]


def test_the_invitation_can_be_opened(client, arrived):
    _sms, mail = arrived
    answer = client.get(f"/demo/inbox/{mail.reference}.ics")
    assert answer["Content-Type"].startswith("text/calendar")
    assert answer.content.startswith(b"BEGIN:VCALENDAR")


@pytest.mark.parametrize("address", ["/demo/inbox/", "/demo/inbox.json"])
def test_outside_the_demo_there_is_no_inbox(client, arrived, settings, address):
    _sms, mail = arrived
    settings.DEMO = False
    assert client.get(address).status_code == 404
    assert client.get(reverse("demo:inbox_attachment", args=[mail.reference])).status_code == 404


@pytest.mark.parametrize("to", ["\0", "'", "x" * 5000, "%", "æøå"])
def test_a_strange_filter_finds_nothing(client, arrived, to):
    assert client.get("/demo/inbox.json", {"to": to}).status_code == 200
    assert client.get("/demo/inbox/", {"to": to}).status_code == 200
