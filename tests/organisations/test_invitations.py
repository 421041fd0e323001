"""Inviting somebody who is to sign in."""

import re
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import totp

from apps.accounts import services
from apps.accounts.models import User
from apps.messaging.models import OutboxMessage
from apps.organisations.models import Membership, UnitKind
from apps.organisations.services import add_unit

pytestmark = pytest.mark.django_db
WORDS = "seven swans swim south"


@pytest.fixture(autouse=True)
def own_counters(settings):
    settings.CACHES = {**settings.CACHES, "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


def invite(unit, **options) -> str:
    out = StringIO()
    given = {
        "email": "eli.eng@staff.example",
        "given_name": "Eli",
        "family_name": "Eng",
        "unit": unit,
        "role": "booker",
    } | options
    call_command("invite_user", **given, stdout=out)
    return out.getvalue()


def link() -> str:
    found = re.search(r"(/nytt-passord/\S+)", OutboxMessage.objects.order_by("-pk")[0].body)
    assert found
    return found[1]


def test_eli_is_invited_chooses_a_password_sets_up_her_app_and_is_in(home_care):
    assert "on its way" in invite("hjemmetjenesten sør", title="Sykepleier", until="2099-12-31")
    eli = User.objects.get(email="eli.eng@staff.example")
    assert not eli.has_usable_password()
    role = Membership.objects.get(user=eli)
    assert (role.unit, role.role, f"{role.valid_to}") == (home_care, "booker", "2099-12-31")

    client = Client()
    form = client.get(link())["Location"]
    client.post(form, {"password1": WORDS, "password2": WORDS})
    answer = client.get("/profil/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/logg-inn/ny-kode/")
    code = f"{totp(services.pending_authenticator(eli).bin_key):06d}"
    assert client.post("/logg-inn/ny-kode/", {"code": code}).status_code == 200
    assert client.get("/profil/").status_code == 200
    assert OutboxMessage.objects.count() == 1, "a first password is no change to be told about"


def test_the_mail_names_nobody_and_no_role(home_care):
    invite(str(home_care.uid))
    mail = OutboxMessage.objects.get()
    assert (mail.purpose, mail.address) == ("password", "eli.eng@staff.example")
    for personal in ("Eli", "Eng", "Hjemmetjenesten", "booker"):
        assert personal not in mail.subject + mail.body


def test_inviting_again_sends_a_fresh_link_until_there_is_a_password(home_care):
    invite("Hjemmetjenesten sør")
    assert "Account known" in invite("Hjemmetjenesten sør")
    assert OutboxMessage.objects.count() == 2
    eli = User.objects.get(email="eli.eng@staff.example")
    eli.set_password(WORDS)
    eli.save()
    assert "nothing is mailed" in invite("Hjemmetjenesten sør", role="super_user")
    assert OutboxMessage.objects.count() == 2
    assert set(Membership.objects.filter(user=eli).values_list("role", flat=True)) == {"booker", "super_user"}


@pytest.mark.parametrize(
    "wrong", [{"given_name": " "}, {"family_name": "Eng\nBcc: x"}, {"given_name": "<script>"}, {"title": "\u202e"}]
)
def test_names_are_names(home_care, wrong):
    with pytest.raises(CommandError):
        invite("Hjemmetjenesten sør", **wrong)
    assert not User.objects.filter(email="eli.eng@staff.example").exists()


def test_an_invitation_lasts_three_days(home_care, monkeypatch):
    from datetime import datetime, timedelta

    from apps.accounts.passwords import PasswordLinks

    invite("Hjemmetjenesten sør")
    sent = datetime.now()  # noqa: DTZ005  (the tokens count in local time)
    for hours, status in ((71, 302), (73, 410)):
        monkeypatch.setattr(PasswordLinks, "_now", lambda self, late=hours: sent + timedelta(hours=late))
        assert Client().get(link()).status_code == status


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unit": "Nowhere"}, r"No unit is called Nowhere\. Use one of: Hjemmetjenesten sør"),
        ({"role": "boss"}, "No role is called boss. Use one of: booker"),
        ({"until": "tomorrow"}, "2026-12-31"),
        ({"until": "2020-01-01"}, "has passed"),
        ({"email": "nonsense"}, "not an e-mail address"),
        ({"given_name": "x" * 81}, "more than 80"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_nothing_is_made(home_care, options, words):
    with pytest.raises(CommandError, match=words) as refused:
        invite(**({"unit": "Hjemmetjenesten sør"} | options))
    assert "\n" not in str(refused.value)
    assert not User.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_name_that_two_units_have_is_asked_about(home_care, other_municipality):
    twin = add_unit(organisation=other_municipality, name=home_care.name, kind=UnitKind.HOME_CARE, phone="+4700003099")
    with pytest.raises(CommandError, match=str(twin.uid)):
        invite("Hjemmetjenesten sør")
    assert "New account" in invite(str(twin.uid))


def test_a_closed_account_stays_closed(home_care, kari):
    User.objects.filter(pk=kari.pk).update(is_active=False)
    with pytest.raises(CommandError, match=r"stengt|closed"):
        invite("Hjemmetjenesten sør", email=kari.email)
