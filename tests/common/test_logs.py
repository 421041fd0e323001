"""What is logged tells no secret, and takes no time worth asking for."""

import logging
import time

import pytest
from celery import current_app
from django.db import DatabaseError, IntegrityError, transaction

from apps.common.logs import hide

ROW = "Failing row contains (7, Ada Alm, Elveveien 4)."
CODE = "ynvykakg7yseceymga9kzvsg5n"


@pytest.mark.parametrize(
    "path",
    [
        f"/j/{CODE}/",
        f"/j//{CODE}/inn/",
        f"/J/{CODE.upper()}/",
        f"/j/{CODE[:9]} {CODE[9:18]} {CODE[18:]}/inn/",
        f'/j/"{CODE}"/',
        f"/j/../{CODE}/",
        f"/mote/{CODE}/",
        f"/feeds//{CODE}.ics",
        f"/hooks//kannel//{CODE}/",
        f"/nytt-passord/1-{CODE}/",
    ],
)
def test_an_address_that_is_mistyped_gives_no_code_away(path):
    said = hide(f"Not Found: {path}")
    assert not any(part in said.lower() for part in (CODE, CODE[:9], CODE[9:18], CODE[18:]))


def test_what_is_nobodys_secret_stays_readable():
    said = "Not Found: /timer/VT-4YBN-GBAY/x.css, SynchronousOnlyOperation in 054d10a0-47d5-4b3d-b70a-f464b5087860"
    assert hide(said) == said


@pytest.mark.parametrize("text", ["kari.nurse@kommune.example", "<kari@a.b>", "x,kari+vakt@kommune.example,y"])
def test_addresses_are_hidden(text):
    assert hide(text) in {"[e-mail]", "<[e-mail]>", "x,[e-mail],y"}


@pytest.mark.parametrize("piece", ["a", "a@", "a.", "a@b", "/j/", "//", "/hooks/", "0", "+4", "ab2@c.d-", "é"])
def test_the_longest_address_a_stranger_can_ask_for_is_read_at_once(piece):
    began = time.perf_counter()
    hide("/" + piece * (60_000 // len(piece)))
    assert time.perf_counter() - began < 1


def test_of_what_a_task_did_not_catch_the_log_says_the_class_and_the_place(log):
    @current_app.task(name="tests.fails")
    def fail():
        raise IntegrityError(f'null value in column "phone"\nDETAIL:  {ROW}')

    fail.apply()
    said = log()
    assert "Task tests.fails" in said
    assert "IntegrityError" in said
    assert "test_logs.py" in said
    assert not any(word in said for word in ("Ada", "Alm", "Elveveien", "Failing row"))


@pytest.mark.django_db(transaction=True)
def test_of_what_fails_after_a_commit_too(log):
    def fail():
        raise IntegrityError(ROW)

    transaction.on_commit(fail, robust=True)
    with transaction.atomic():
        transaction.on_commit(fail, robust=True)
    assert log().count("IntegrityError).") == 2
    assert "Ada" not in log()


def test_of_a_failed_request_too(log, client, monkeypatch):
    def fail(*args, **kwargs):
        raise IntegrityError(ROW)

    client.raise_request_exception = False
    monkeypatch.setattr("django.core.handlers.base.BaseHandler.resolve_request", fail)
    assert client.get("/").status_code == 500
    assert "Internal Server Error: /" in log()
    assert "IntegrityError" in log()
    assert "Ada" not in log()


def test_an_error_that_is_only_an_argument_keeps_its_code_but_not_the_databases_words(log):
    logging.getLogger("tests").warning("%s and %s", DatabaseError(ROW), ValueError("out-of-order"))
    assert "DatabaseError and out-of-order" in log()
    assert "Ada" not in log()
