"""Signing in: password, second factor, backup codes, idling, and the demo's one tap."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice

from apps.accounts import services
from apps.accounts.middleware import SEEN
from apps.accounts.models import Authenticator, User
from apps.audit.models import AccessRecord
from tests.conftest import PASSWORD
from tests.together import together

pytestmark = pytest.mark.django_db


def code_of(device: Authenticator, steps: int = 0) -> str:
    return f"{totp(device.bin_key, step=30, t0=-steps * 30):06d}"


def wrong_code(device: Authenticator) -> str:
    near = {code_of(device, step) for step in range(-3, 4)}
    return next(
        code for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666") if code not in near
    )


def give_password(client: Client, user: User, password: str = PASSWORD, **extra):
    return client.post("/logg-inn/", {"login": user.email, "password": password, **extra})


def test_kari_signs_in_with_password_and_code(kari):
    client = Client()
    answer = give_password(client, kari, next="/profil/")
    assert (answer.status_code, answer["Location"]) == (302, "/profil/")
    answer = client.get("/profil/")
    assert answer["Location"] == "/logg-inn/kode/?next=%2Fprofil%2F"
    page = client.get(answer["Location"])
    assert "Skriv inn koden" in page.content.decode()
    answer = client.post("/logg-inn/kode/", {"code": code_of(kari.authenticator_set.get()), "next": "/profil/"})
    assert answer["Location"] == "/profil/"
    assert client.get("/profil/").status_code == 200


def test_the_session_key_changes_with_each_step(kari):
    client = Client()
    give_password(client, kari)
    after_password = client.session.session_key
    client.post("/logg-inn/kode/", {"code": code_of(kari.authenticator_set.get())})
    assert client.session.session_key != after_password


def test_a_code_works_once(kari):
    code = code_of(kari.authenticator_set.get())
    first, second = Client(), Client()
    give_password(first, kari)
    give_password(second, kari)
    assert first.post("/logg-inn/kode/", {"code": code}).status_code == 302
    assert second.post("/logg-inn/kode/", {"code": code}).status_code == 422


def test_a_wrong_code_is_answered_at_the_field_and_slows_the_next(kari):
    client, device = Client(), kari.authenticator_set.get()
    give_password(client, kari)
    answer = client.post("/logg-inn/kode/", {"code": wrong_code(device)})
    assert answer.status_code == 422
    assert "Koden stemmer ikke" in answer.content.decode()
    for _try in range(3):
        answer = client.post("/logg-inn/kode/", {"code": wrong_code(device)})
    answer = client.post("/logg-inn/kode/", {"code": code_of(device)})
    assert answer.status_code == 422, "even the right code waits after several wrong ones"
    assert client.get("/profil/").status_code == 302


@pytest.mark.parametrize("typed", ["", " ", "12", "abcdef", "٣٤٥٦٧٨", "1" * 21, "<script>", "\x00"])
def test_nonsense_as_a_code_is_refused_kindly(kari, typed):
    client = Client()
    give_password(client, kari)
    answer = client.post("/logg-inn/kode/", {"code": typed})
    assert answer.status_code == 422
    assert "ds-validation-message" in answer.content.decode()


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("", ""),
        ("not an address", "x"),
        ("nobody@staff.example", "x"),
        ("kari.kvist@staff.example", "wrong"),
        ("a" * 300, "b" * 300),
        ("k@x.example\x00", "x"),
    ],
)
def test_a_wrong_sign_in_is_refused_and_keeps_the_address(kari, login, password):
    answer = Client().post("/logg-inn/", {"login": login, "password": password})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "ds-validation-message" in page or 'role="alert"' in page
    if login == "nobody@staff.example":
        assert login in page
    assert "wrong" not in page.replace("wrong-", "")


def test_a_known_and_an_unknown_address_get_the_same_answer(kari):
    def words(page: str) -> str:
        return re.sub(r'value="[^"]*"', "", page)

    known = give_password(Client(), kari, "wrong password")
    unknown = Client().post("/logg-inn/", {"login": "nobody@staff.example", "password": "wrong password"})
    csrf = re.compile(r"[A-Za-z0-9]{64}")
    assert csrf.sub("", words(known.content.decode())) == csrf.sub("", words(unknown.content.decode()))


def test_guessing_passwords_is_stopped_even_for_the_right_one(kari):
    for _try in range(5):
        assert give_password(Client(), kari, "wrong password").status_code == 422
    answer = give_password(Client(), kari)
    assert answer.status_code == 422
    assert "For mange forsøk" in answer.content.decode()


def test_other_people_are_not_stopped_by_it(kari, berg):
    for _try in range(5):
        give_password(Client(), kari, "wrong password")
    assert give_password(Client(), berg).status_code == 302


def test_a_shift_that_signs_in_from_one_address_gets_in_though_some_mistype(kari):
    for number in range(12):
        Client().post("/logg-inn/", {"login": f"nobody.{number}@staff.example", "password": "wrong password"})
    assert {give_password(Client(), kari).status_code for _colleague in range(40)} == {302}


def test_a_flood_of_guesses_from_one_address_is_stopped(kari, berg):
    for number in range(60):
        Client().post("/logg-inn/", {"login": f"nobody.{number}@staff.example", "password": "wrong password"})
    assert "For mange forsøk" in give_password(Client(), kari).content.decode()
    elsewhere = give_password(Client(REMOTE_ADDR="192.0.2.7"), berg)
    assert elsewhere.status_code == 302


def test_a_closed_account_stays_out(kari):
    kari.is_active = False
    kari.save()
    assert give_password(Client(), kari).status_code == 422


def test_nobody_signs_up_or_resets_by_herself():
    for address in ("/accounts/signup/", "/signup/", "/logg-inn/signup/", "/accounts/login/", "/admin/"):
        assert Client().get(address).status_code == 404


def test_signing_in_leads_only_into_the_portal(kari):
    assert give_password(Client(), kari, next="https://evil.example/")["Location"] == "/i-dag/"
    assert give_password(Client(), kari, next="//evil.example")["Location"] == "/i-dag/"


def test_the_first_time_kari_sets_up_the_app_and_gets_backup_codes(kari):
    Authenticator.objects.all().delete()
    client = Client()
    give_password(client, kari)
    answer = client.get("/logg-inn/kode/")
    assert answer["Location"] == "/logg-inn/ny-kode/"
    page = client.get("/logg-inn/ny-kode/").content.decode()
    device = Authenticator.objects.get(user=kari)
    assert "data:image/svg+xml" in page
    assert services.authenticator_secret(device)[:4] in page
    assert 'href="/profil/"' not in page, "the first time there is no way around it"
    assert not device.confirmed
    assert client.post("/logg-inn/ny-kode/", {"code": wrong_code(device)}).status_code == 422
    Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    done = client.post("/logg-inn/ny-kode/", {"code": code_of(device)})
    assert len(re.findall(r'<li class="vt-code">', done.content.decode())) == 10
    assert 'name="language"' not in done.content.decode(), "in another language the codes would be gone"
    assert client.get("/profil/").status_code == 200


def test_showing_the_setup_page_twice_keeps_one_key(kari):
    Authenticator.objects.all().delete()
    client = Client()
    give_password(client, kari)
    client.get("/logg-inn/ny-kode/")
    client.get("/logg-inn/ny-kode/")
    assert Authenticator.objects.filter(user=kari).count() == 1


def test_a_thief_with_the_password_cannot_set_up_an_app_of_her_own(kari):
    client = Client()
    give_password(client, kari)
    answer = client.get("/logg-inn/ny-kode/")
    assert answer["Location"] == "/logg-inn/kode/"
    assert Authenticator.objects.filter(user=kari).count() == 1


def test_a_new_telephone_replaces_the_old_one(as_user, kari):
    old, client = kari.authenticator_set.get(), as_user(kari)
    assert 'href="/profil/"' in client.get("/logg-inn/ny-kode/").content.decode(), "she may keep the old one"
    new = Authenticator.objects.get(user=kari, confirmed=False)
    assert client.post("/logg-inn/ny-kode/", {"code": code_of(new)}).status_code == 200
    assert [device.pk for device in Authenticator.objects.filter(user=kari)] == [new.pk] != [old.pk]
    assert client.get("/profil/").status_code == 200


def test_a_backup_code_lets_kari_in_once(kari):
    code = services.new_backup_codes(user=kari)[3]
    client = Client()
    give_password(client, kari)
    assert client.post("/logg-inn/kode/?reserve=1", {"code": code.upper().replace("-", " ")}).status_code == 302
    assert client.get("/profil/").status_code == 200
    again = Client()
    give_password(again, kari)
    assert again.post("/logg-inn/kode/?reserve=1", {"code": code}).status_code == 422


def test_backup_codes_are_not_stored_as_they_are(kari):
    from django_otp.plugins.otp_static.models import StaticToken

    codes = {code.replace("-", "") for code in services.new_backup_codes(user=kari)}
    assert len(codes) == 10
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert not any(code in token.lower() for code in codes for token in stored)


def test_another_users_backup_code_is_worth_nothing(kari, berg):
    code = services.new_backup_codes(user=berg)[0]
    services.new_backup_codes(user=kari)
    assert services.verify_second_factor(user=kari, typed=code) is None


def test_a_session_ends_when_nobody_uses_it(as_user, kari, settings):
    client = as_user(kari)
    assert client.get("/profil/").status_code == 200
    session = client.session
    session[SEEN] = int(time.time()) - settings.STAFF_IDLE_MINUTES * 60 + 5
    session.save()
    assert client.get("/profil/").status_code == 200
    session = client.session
    session[SEEN] = int(time.time()) - settings.STAFF_IDLE_MINUTES * 60
    session.save()
    assert client.get("/profil/")["Location"].startswith("/logg-inn/")


def test_use_keeps_the_session_but_writes_it_seldom(as_user, kari):
    client = as_user(kari)
    client.get("/profil/")
    first = client.session[SEEN]
    client.get("/profil/")
    assert client.session[SEEN] == first
    session = client.session
    session[SEEN] = first - 60
    session.save()
    client.get("/profil/")
    assert client.session[SEEN] >= first


def test_a_page_that_polls_by_itself_keeps_nobody_signed_in(as_user, kari):
    client = as_user(kari)
    client.get("/profil/")
    session = client.session
    session[SEEN] -= 120
    session.save()
    seen = session[SEEN]
    client.get("/i-dag/neste/")
    assert client.session[SEEN] == seen


def test_signing_out_needs_a_post_and_ends_the_session(as_user, kari):
    client = as_user(kari)
    assert client.get("/logg-ut/").status_code == 200
    assert client.get("/profil/").status_code == 200
    assert client.post("/logg-ut/")["Location"] == "/logg-inn/"
    assert client.get("/profil/").status_code == 302


def test_kari_signs_out_a_device_she_left_behind(kari):
    left, here = Client(), Client()
    device = kari.authenticator_set.get()
    give_password(left, kari)
    left.post("/logg-inn/kode/", {"code": code_of(device)})
    Authenticator.objects.update(last_step=-1)
    give_password(here, kari)
    here.post("/logg-inn/kode/", {"code": code_of(device)})
    page = here.get("/profil/").content.decode()
    sessions = re.findall(r"/profil/enheter/(\d+)/logg-ut/", page)
    assert len(sessions) == 2
    from allauth.usersessions.models import UserSession

    other = UserSession.objects.get(session_key=left.session.session_key)
    assert here.post(f"/profil/enheter/{other.pk}/logg-ut/").status_code == 302
    assert left.get("/profil/").status_code == 302
    assert here.get("/profil/").status_code == 200


def test_nobody_signs_out_somebody_elses_device(as_user, kari, lie):
    from allauth.usersessions.models import UserSession

    client = Client()
    give_password(client, kari)
    session = UserSession.objects.get(user=kari)
    assert as_user(lie).post(f"/profil/enheter/{session.pk}/logg-ut/").status_code == 404
    assert UserSession.objects.filter(pk=session.pk).exists()


def test_signing_in_and_out_is_in_the_access_log(kari):
    client = Client()
    give_password(client, kari, "wrong password")
    give_password(client, kari)
    client.post("/logg-ut/")
    rows = list(AccessRecord.objects.order_by("id").values_list("action", "actor_id", "what"))
    assert rows == [("refused", None, "session"), ("sign_in", kari.pk, "session"), ("sign_out", kari.pk, "session")]


def test_pages_are_in_bokmaal_until_somebody_chooses(kari, as_user):
    assert "Logg inn" in Client().get("/logg-inn/", headers={"Accept-Language": "en"}).content.decode()
    client = Client()
    answer = client.post("/sprak/", {"language": "en", "next": "/logg-inn/"})
    assert answer["Location"] == "/logg-inn/"
    assert "Sign in" in client.get("/logg-inn/").content.decode()
    client = as_user(kari)
    client.post("/sprak/", {"language": "nn", "next": "/profil/"})
    kari.refresh_from_db()
    assert kari.language == "nn"
    assert "Profilen din" in client.get("/profil/").content.decode()


def test_who_chooses_a_language_before_she_signs_in_goes_on_in_it(kari, tor):
    client = Client()
    client.post("/sprak/", {"language": "en", "next": "/logg-inn/"})
    give_password(client, kari)
    kari.refresh_from_db()
    assert kari.language == "en"
    client.post("/logg-ut/")
    give_password(client, tor)
    tor.refresh_from_db()
    assert tor.language == "nb", "it was not his choice"


@pytest.mark.parametrize("language", ["", "xx", "nb; DROP", "n" * 500])
def test_an_unknown_language_changes_nothing(as_user, kari, language):
    assert as_user(kari).post("/sprak/", {"language": language}).status_code == 302
    kari.refresh_from_db()
    assert kari.language == "nb"


def demo_user() -> User:
    return services.add_user(
        email="maja@demo.videotime.example", given_name="Maja", family_name="Myrull", title="Sykepleier"
    )


def test_the_demo_signs_in_with_one_tap(settings, kari):
    settings.DEMO = True
    maja = demo_user()
    assert "Maja Myrull" in Client().get("/logg-inn/").content.decode()
    client = Client()
    answer = client.post("/logg-inn/demo/", {"user": maja.uid, "next": "/profil/"})
    assert answer["Location"] == "/profil/"
    assert client.get("/profil/").status_code == 200
    assert Client().post("/logg-inn/demo/", {"user": kari.uid}).status_code == 404
    assert Client().post("/logg-inn/demo/", {"user": "x"}).status_code == 404


def test_outside_the_demo_there_is_no_one_tap(settings):
    settings.DEMO = False
    maja = demo_user()
    assert "Maja Myrull" not in Client().get("/logg-inn/").content.decode()
    assert Client().post("/logg-inn/demo/", {"user": maja.uid}).status_code == 404


def test_the_demos_tap_uses_the_authenticator_that_is_there(settings):
    settings.DEMO = True
    maja = demo_user()
    services.new_backup_codes(user=maja)
    device = services.add_authenticator(user=maja)
    client = Client()
    client.post("/logg-inn/demo/", {"user": maja.uid})
    assert Authenticator.objects.filter(user=maja).count() == 1
    assert client.session["otp_device_id"] == device.persistent_id


def test_an_api_key_is_shown_once_and_kept_as_a_digest(kari, now):
    key, plain = services.create_api_key(user=kari, name="Journal", now=now, days=30)
    assert plain.startswith("vt_")
    assert len(plain) > 40
    assert plain.encode() not in bytes(key.digest)
    assert key.expires_at == now + timedelta(days=30)


def test_the_command_prints_a_key_and_refuses_strangers(kari):
    from io import StringIO

    from django.core.management import CommandError, call_command

    out = StringIO()
    call_command("create_api_key", user=kari.email.upper(), name="Journal", stdout=out)
    from apps.accounts.queries import live_key

    key = live_key(services.key_digest(out.getvalue().strip()), datetime.now(UTC))
    assert key is not None
    assert key.user == kari
    with pytest.raises(CommandError, match=r"No active user .* invite_user"):
        call_command("create_api_key", user="nobody@staff.example")
    for days in (0, 99_999_999_999):
        with pytest.raises(CommandError, match="from 1 to"):
            call_command("create_api_key", user=kari.email, days=days)
    for name in ("", "x" * 81, "two\nlines"):
        with pytest.raises(CommandError, match="one line"):
            call_command("create_api_key", user=kari.email, name=name)


def test_a_key_is_taken_back_by_its_beginning_or_with_all_of_its_users(kari, lie):
    from io import StringIO

    from django.core.management import CommandError, call_command

    from apps.accounts.models import ApiKey

    now = timezone.now()
    (first, plain), (second, _plain) = (services.create_api_key(user=kari, name=name, now=now) for name in ("A", "B"))
    others, _plain = services.create_api_key(user=lie, name="C", now=now)

    def told(*args, **options):
        out = StringIO()
        call_command("revoke_api_key", *args, stdout=out, **options)
        return out.getvalue()

    listed = told(user=kari.email)
    assert first.prefix in listed
    assert others.prefix not in listed
    assert plain not in listed
    for wrong in (["vt_"], ["vt_wrong1"], [plain[:-1] + "-"], []):
        with pytest.raises(CommandError):
            told(*wrong)
    assert ApiKey.objects.live(now).count() == 3
    assert told(f"{second.prefix}…").startswith("Revoked")
    told(plain)
    assert list(ApiKey.objects.live(now)) == [others]
    told(user=lie.email, all=True)
    assert not ApiKey.objects.live(now).exists()
    for again in ({}, {"all": True}):
        assert told(user=lie.email, **again).startswith("No key of this user")


def test_the_key_of_an_app_is_not_readable_in_the_database(kari):
    from django.db import connection

    device = kari.authenticator_set.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM accounts_authenticator WHERE id = %s", [device.pk])
        kept = bytes(cursor.fetchone()[0])
    assert device.key.encode() not in kept
    assert device.bin_key not in kept


def test_of_two_requests_with_the_same_code_one_gets_in(kari):
    device = kari.authenticator_set.get()
    code, seen_at_once = code_of(device), Authenticator.objects.get(pk=device.pk)
    assert device.verify_token(code)
    assert not seen_at_once.verify_token(code)


def at_once(user: User, *codes: str) -> list[object]:
    return together(*[lambda code=code: services.verify_second_factor(user=user, typed=code) for code in codes])


def forget_tries() -> None:
    for devices in (Authenticator.objects, StaticDevice.objects):
        devices.update(throttling_failure_count=0, throttling_failure_timestamp=None)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_backup_code_that_several_type_at_once_lets_one_in(kari):
    for code in services.new_backup_codes(user=kari)[:4]:
        answers = at_once(kari, *[code] * 4)
        assert len([device for device in answers if device is not None]) == 1
        forget_tries()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_wrong_code_at_the_same_moment_does_not_bring_a_used_one_back(kari):
    device = kari.authenticator_set.get()
    right, wrong = code_of(device), wrong_code(device)
    for _round in range(8):
        taken, _refused = at_once(kari, right, wrong)
        forget_tries()
        again = services.verify_second_factor(user=kari, typed=right)
        assert (again is None) == (taken is not None)
        forget_tries()
        Authenticator.objects.update(last_step=-1)
