"""Changing a password, and choosing a new one by a link in a mail."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts import passwords, services
from apps.accounts.models import User
from apps.audit.models import AccessRecord
from apps.messaging.models import OutboxMessage, OutboxState
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "seven swans swim south"
ASKED = {"password1": NEW, "password2": NEW}


def ask(email: str, client: Client | None = None):
    return (client or Client()).post("/glemt-passord/", {"email": email})


def link() -> str:
    """Return the newest link that was sent, as a path."""
    body = OutboxMessage.objects.order_by("-pk")[0].body
    found = re.search(r"https?://[^/\s]+(/nytt-passord/\S+)", body)
    assert found
    return found[1]


def form_of(path: str, client: Client) -> str:
    """Open the link and follow it to the form, which stands at an address without the token."""
    answer = client.get(path)
    assert answer.status_code == 302
    assert path.rstrip("/").rsplit("-", 1)[-1] not in answer["Location"]
    assert client.get(answer["Location"]).status_code == 200
    return answer["Location"]


# By a link -----------------------------------------------------------------------------------------------------------
def test_kari_chooses_a_new_password_by_the_link_and_then_gives_her_code(kari):
    answer = ask("Kari.Kvist@staff.example")
    assert (answer.status_code, answer["Location"]) == (302, "/glemt-passord/sendt/")
    assert "Sjekk e-posten" in Client().get("/glemt-passord/sendt/").content.decode()
    client = Client()
    answer = client.post(form_of(link(), client), ASKED)
    assert answer.status_code == 302
    kari.refresh_from_db()
    assert kari.check_password(NEW)
    answer = client.get("/profil/")
    assert answer["Location"].startswith("/logg-inn/kode/"), "the second factor still comes"


def test_the_mail_goes_by_the_outbox_and_names_nobody(kari):
    ask(kari.email)
    mail = OutboxMessage.objects.get()
    assert (mail.purpose, mail.channel, mail.address, mail.state) == (
        "password",
        "email",
        kari.email,
        OutboxState.WAITING,
    )
    assert mail.not_after - mail.created_at == timedelta(hours=1)
    for personal in (kari.given_name, kari.family_name, kari.email):
        assert personal not in mail.subject + mail.body


def test_the_link_leads_to_our_own_address_whatever_host_was_asked(kari, settings):
    settings.ALLOWED_HOSTS = ["*"]
    Client(headers={"host": "evil.example"}).post("/glemt-passord/", {"email": kari.email})
    assert "evil.example" not in OutboxMessage.objects.get().body
    assert settings.PUBLIC_URL in OutboxMessage.objects.get().body


def test_nobody_learns_who_has_an_account(kari):
    known, unknown = Client(), Client()
    answers = [ask(kari.email, known), ask("nobody@staff.example", unknown)]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    assert OutboxMessage.objects.count() == 1, "and a stranger's address gets no mail"


def test_looking_up_a_stranger_costs_what_finding_kari_does(kari):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    now = timezone.now()
    with CaptureQueriesContext(connection) as found:
        passwords.ask_for_link(email=kari.email, now=now)
    with CaptureQueriesContext(connection) as stranger:
        passwords.ask_for_link(email="nobody@staff.example", now=now)

    def written(queries: CaptureQueriesContext) -> int:
        return sum("INSERT" in query["sql"] for query in queries.captured_queries)

    assert written(found) == written(stranger) == 1


def test_a_link_works_once(kari):
    ask(kari.email)
    path, first, second = link(), Client(), Client()
    address = form_of(path, second)
    first.post(form_of(path, first), ASKED)
    answer = second.post(address, {"password1": "another long password", "password2": "another long password"})
    assert answer.status_code == 410
    assert "virker ikke lenger" in answer.content.decode()
    kari.refresh_from_db()
    assert kari.check_password(NEW)


def test_opening_the_link_changes_nothing(kari):
    ask(kari.email)
    path = link()
    for _look in range(3):
        Client().get(path, follow=True)
        Client().head(path)
    form_of(path, Client())


def test_a_link_is_old_after_an_hour(kari, monkeypatch):
    ask(kari.email)
    sent = datetime.now()  # noqa: DTZ005  (the tokens count in local time)
    for minutes, status in ((58, 302), (62, 410)):
        monkeypatch.setattr(passwords.PasswordLinks, "_now", lambda self, late=minutes: sent + timedelta(minutes=late))
        assert Client().get(link()).status_code == status


@pytest.mark.parametrize(
    "path", ["/nytt-passord/1-x/", "/nytt-passord/zzzzzzzzzzzzz-cx-0/", "/nytt-passord/0-set-password/"]
)
def test_made_up_links_are_refused(kari, path):
    answer = Client().get(path)
    assert answer.status_code == 410
    assert "virker ikke lenger" in answer.content.decode()


def test_a_link_to_a_closed_account_is_refused(kari):
    ask(kari.email)
    User.objects.filter(pk=kari.pk).update(is_active=False)
    assert Client().get(link()).status_code == 410
    OutboxMessage.objects.all().delete()
    ask(kari.email)
    assert not OutboxMessage.objects.exists()


def test_asking_again_and_again_is_stopped_for_that_address_only(kari, berg):
    answers = [ask(kari.email).status_code for _try in range(4)]
    assert answers == [302, 302, 302, 429]
    assert OutboxMessage.objects.count() == 3
    assert ask(berg.email).status_code == 302


@pytest.mark.parametrize("typed", ["", " ", "no address", "a" * 300 + "@x.example", "k\x00@x.example", "<b>@x"])
def test_nonsense_as_an_address_is_refused_kindly(typed):
    answer = ask(typed)
    assert answer.status_code == 422
    assert "Skriv e-postadressen din" in answer.content.decode()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("", "", "Skriv et nytt passord"),
        ("short", "short", "minst tolv tegn"),
        ("1q2w3e4r5t6y", "1q2w3e4r5t6y", "Mange bruker"),
        ("kari.kvist@staff", "kari.kvist@staff", "ligner for mye"),
        (NEW, NEW + "!", "ikke like"),
        ("x" * 300, "x" * 300, "256"),
    ],
)
def test_a_weak_or_mistyped_password_is_told_at_the_field(kari, first, second, words):
    ask(kari.email)
    client = Client()
    answer = client.post(form_of(link(), client), {"password1": first, "password2": second})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    kari.refresh_from_db()
    assert kari.check_password(PASSWORD)


def test_somebody_elses_session_does_not_end_up_in_karis_account(kari, berg, as_user):
    ask(kari.email)
    client = as_user(berg)
    answer = client.get(link(), follow=True)
    assert answer.status_code == 200
    assert client.get("/profil/")["Location"].startswith("/logg-inn/"), "Berg is signed out before Kari's form is shown"


# By the profile ------------------------------------------------------------------------------------------------------
def test_kari_changes_her_password_and_her_other_devices_are_signed_out(kari, as_user):
    here, there = as_user(kari), as_user(kari)
    assert there.get("/profil/").status_code == 200
    answer = here.post("/profil/passord/", {"old_password": PASSWORD, **ASKED})
    assert (answer.status_code, answer["Location"]) == (302, "/profil/")
    page = here.get("/profil/")
    assert page.status_code == 200
    assert "Passordet er byttet" in page.content.decode()
    assert there.get("/profil/")["Location"].startswith("/logg-inn/")
    kari.refresh_from_db()
    assert kari.check_password(NEW)
    assert "byttet" in OutboxMessage.objects.get(recipient=str(kari.uid)).subject
    assert list(AccessRecord.objects.filter(what="password").values_list("action", "actor_id")) == [("change", kari.pk)]


def test_the_old_password_is_needed_and_cannot_be_guessed(kari, as_user):
    client = as_user(kari)
    for _try in range(5):
        answer = client.post("/profil/passord/", {"old_password": "wrong", **ASKED})
        assert answer.status_code == 422
        assert "ikke passordet du har nå" in answer.content.decode()
        assert NEW not in answer.content.decode()
    assert client.post("/profil/passord/", {"old_password": PASSWORD, **ASKED}).status_code == 429
    kari.refresh_from_db()
    assert kari.check_password(PASSWORD)


def test_who_never_had_a_password_gets_a_link_instead(as_user, home_care):
    from apps.organisations.services import give_role

    eli = services.add_user(email="eli@staff.example", given_name="Eli", family_name="Eng")
    services.add_authenticator(user=eli)
    give_role(user=eli, unit=home_care, role="booker", valid_from=timezone.localdate())
    assert as_user(eli).get("/profil/passord/")["Location"] == "/glemt-passord/"
