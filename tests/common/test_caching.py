"""Valkey comes and goes; people work on."""

import socket

import pytest
from channels_redis.core import RedisChannelLayer
from channels_redis.utils import create_pool
from django.conf import settings
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as ValkeyGone

from apps.common import caching, nudge
from apps.common.caching import CalmCache, KeptClient
from tests.conftest import PASSWORD


@pytest.fixture
def gone(monkeypatch):
    def refuse(*args, **kwargs):
        raise ValkeyGone("Error 111 connecting to 10.0.0.7:6379")

    monkeypatch.setattr(KeptClient, "get_client", refuse)
    yield
    caches["default"].client.away_until = 0.0


def unreachable() -> CalmCache:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return CalmCache(f"redis://127.0.0.1:{taken.getsockname()[1]}/0", {})


def test_while_it_is_away_the_cache_is_empty(log):
    away = unreachable()
    assert away.get("a") is None
    assert away.get("a", "else") == "else"
    assert away.add("a", 1) is True
    away.set("a", 1)
    assert away.delete("a") is False
    assert "a" not in away
    with pytest.raises(ValueError, match="a"):
        away.incr("a")
    assert away.client.away
    assert log().count("Valkey does not answer") == 1, "it is asked once, not by each of them"


def test_it_is_asked_again_once_that_time_is_over(monkeypatch, log):
    monkeypatch.setattr(caching, "AWAY_FOR", 0.0)
    away = unreachable()
    away.get("a")
    away.get("a")
    assert not away.client.away
    assert log().count("Valkey does not answer") == 2


def test_a_silent_one_is_not_waited_for():
    """It takes the connection and says nothing, as a frozen process does."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = CalmCache(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", {"OPTIONS": {"socket_timeout": 0.05}})
        assert away.get("a", "else") == "else"


@pytest.mark.django_db
def test_staff_sign_in_and_work_while_it_is_away(gone, kari, as_user, wound_review, kari_diary, clock):
    clock("2026-03-02 08.00")
    client = as_user(kari)
    for page in ["/i-dag/", "/kalender/", "/bestill/"]:
        assert client.get(page).status_code == 200
    answer = Client().post(reverse("account_login"), {"login": kari.email, "password": PASSWORD})
    assert answer.status_code == 302, "the password is taken; the second factor counts its tries in the database"


@pytest.mark.django_db
def test_no_nudge_is_sent_to_a_broker_that_is_away(gone, monkeypatch):
    monkeypatch.setattr(nudge.current_app, "send_task", lambda *args, **kwargs: pytest.fail("it would wait for it"))
    nudge._nudge("messaging.deliver_due")


def test_a_quiet_socket_outwaits_what_it_asks_valkey_for():
    layer = RedisChannelLayer(**settings.CHANNEL_LAYERS["default"]["CONFIG"])
    assert create_pool(layer.hosts[0]).connection_kwargs["socket_timeout"] > layer.brpop_timeout
