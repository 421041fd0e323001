"""Whatever fails, the person gets a page in words, and the page needs nothing that may have failed too."""

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from apps.common import views
from apps.rooms import queries as rooms


@pytest.mark.parametrize(
    ("view", "status"),
    [(views.bad_request, 400), (views.forbidden, 403), (views.not_found, 404), (views.csrf_failure, 403)],
)
def test_each_error_has_a_page_for_people(view, status):
    answer = view(RequestFactory().get("/"), Exception("inner words"))
    assert answer.status_code == status
    assert "<h1" in answer.content.decode()
    assert "inner words" not in answer.content.decode()


def test_the_page_for_our_own_faults_asks_nobody_anything():
    answer = views.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "<h1" in answer.content.decode()
    assert 'href=""' in answer.content.decode(), "a patient whose link failed tries it again, and has no use for today"
    sent = views.server_error(RequestFactory().post("/")).content.decode()
    assert 'href=""' not in sent, "an address that takes what a form sends opens nothing by itself"


@pytest.mark.parametrize("language", ["nb", "nn", "se", "en"])
def test_while_the_database_is_away_the_page_says_so_to_who_sends_people_on_too(language, monkeypatch):
    """A proxy that reads 503 may try elsewhere, and a monitor knows an outage from a fault in the code."""

    def away(*args, **kwargs):
        raise OperationalError("the server does not answer")

    monkeypatch.setattr(rooms, "link_by_code", away)
    client = Client(raise_request_exception=False)
    client.cookies["language"] = language
    answer = client.get("/j/abc/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert f'lang="{language}"' in answer.content.decode()
    assert "<h1" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "heading"),
    [
        ("nb", "Denne adressen kan ikke åpnes alene"),
        ("nn", "Denne adressa kan ikkje opnast åleine"),
        ("se", "Dán čujuhusa ii sáhte rahpat okto"),
        ("en", "This address cannot be opened by itself"),
    ],
)
def test_opening_an_address_that_takes_forms_only_gives_a_page_in_words(language, heading):
    client = Client()
    client.cookies["language"] = language
    answer = client.get("/sprak/")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert f"{heading}</h1>" in answer.content.decode()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_programs_keep_the_short_answer_for_a_wrong_method(client):
    answer = client.put("/sprak/")
    assert (answer.status_code, answer.headers["Allow"], answer.content) == (405, "POST", b"")


@pytest.mark.django_db
def test_browsers_that_ask_for_an_icon_get_the_mark(client):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/static/img/mark-192")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
