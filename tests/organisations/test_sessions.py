"""A session, whose it is, her second factor and her work: one look-up, and true at every request."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Authenticator, User
from apps.organisations.models import Membership
from apps.organisations.sessions import SessionStore
from portal import retention
from tests.conftest import PASSWORD, sign_in

pytestmark = pytest.mark.django_db

TODAY = "/i-dag/"


@pytest.fixture
def client(kari):
    return sign_in(Client(), kari)


def opens(client) -> bool:
    return client.get(TODAY).status_code == 200


def test_all_of_it_is_one_query(client, django_assert_num_queries):
    opens(client)
    session = SessionStore(client.session.session_key)
    with django_assert_num_queries(1):
        assert session.load()
    assert session.whose.at_work.memberships
    assert session.whose.authenticators


def test_what_was_written_is_read(client):
    session = client.session
    session["step"] = "code"
    session.save()
    assert SessionStore(session.session_key)["step"] == "code"


def test_before_anybody_has_signed_in_a_session_is_nobodys():
    session = SessionStore()
    session["step"] = "password"
    session.create()
    again = SessionStore(session.session_key)
    assert again["step"] == "password"
    assert again.whose is None


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda user: Session.objects.all().delete(), id="the session is ended"),
        pytest.param(lambda user: Session.objects.update(expire_date=timezone.now()), id="it is over"),
        pytest.param(lambda user: Session.objects.update(session_data="made up"), id="it was written by somebody else"),
        pytest.param(lambda user: User.objects.update(is_active=False), id="she has left"),
        pytest.param(lambda user: User.objects.update(password="another"), id="her password is another"),
        pytest.param(lambda user: Authenticator.objects.all().delete(), id="her second factor is gone"),
        pytest.param(lambda user: Authenticator.objects.update(confirmed=False), id="it was never confirmed"),
    ],
)
def test_a_session_ends_at_once_when(client, kari, end):
    assert opens(client)
    end(kari)
    assert not opens(client)


def test_a_role_that_ends_closes_its_doors_at_once(client, kari):
    assert opens(client)
    Membership.objects.filter(user=kari).update(valid_to=timezone.localdate() - timedelta(days=1))
    assert client.get(TODAY).status_code == 404


def test_a_session_without_its_line_among_the_devices_works_as_well(client):
    UserSession.objects.all().delete()
    assert opens(client)


def test_another_ones_line_gives_nobody_her_rights(client, kari, berg):
    """What the session itself says counts, and Django checks it."""
    UserSession.objects.update(user=berg)
    assert client.get(TODAY).context["request"].user == kari


def test_another_ones_second_factor_is_not_hers(client, kari, berg):
    session = client.session
    session["otp_device_id"] = berg.authenticator_set.get().persistent_id
    session.save()
    assert not opens(client)


def test_sessions_that_are_over_are_removed_with_the_lines_of_their_devices(client, kari, berg):
    there = sign_in(Client(), berg)
    now = timezone.now()
    assert retention.forget(now=now)["sign-in sessions"] == 0
    Session.objects.filter(session_key=client.session.session_key).update(expire_date=now - timedelta(seconds=1))
    UserSession.objects.update(last_seen_at=now - timedelta(hours=2))
    assert retention.forget(now=now)["sign-in sessions"] == 1
    assert not UserSession.objects.filter(user=kari).exists()
    assert UserSession.objects.filter(user=berg).exists()
    assert opens(there)


def test_signing_out_ends_the_session(client):
    key = client.session.session_key
    client.post(reverse("account_logout"))
    client.cookies["session"] = key
    assert not opens(client)


def test_signing_in_writes_the_line_that_the_look_up_goes_by(kari):
    client = Client()
    client.post(reverse("account_login"), {"login": kari.email, "password": PASSWORD})
    session = SessionStore(client.session.session_key)
    session.load()
    assert session.whose == kari


@pytest.mark.parametrize("key", ["", "x", "å" * 32, "../" * 11, "0" * 32, "0" * 4000, "' OR 1=1 --"])
def test_a_made_up_session_key_is_nobodys(key: str, settings):
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not opens(client)
