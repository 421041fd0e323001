"""Giving and ending access on the pages: who may, what follows, and what is told."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import add_authenticator, add_user
from apps.audit.models import AccessRecord
from apps.messaging.models import OutboxMessage
from apps.organisations.models import Membership, Role
from apps.organisations.services import end_role, give_role
from apps.scheduling.queries import still_with
from apps.scheduling.services import cancel_appointment
from tests.conftest import LONG_AGO

pytestmark = pytest.mark.django_db

ELI = {"email": "eli.eng@staff.example", "given_name": "Eli", "family_name": "Eng", "title": "Sykepleier"}


@pytest.fixture
def signe(home_care):
    """The manager of Kari's unit."""
    user = add_user(email="signe@staff.example", given_name="Signe", family_name="Siv")
    add_authenticator(user=user)
    give_role(user=user, unit=home_care, role=Role.UNIT_MANAGER, valid_from=LONG_AGO)
    return user


@pytest.fixture
def page(as_user, ola):
    return as_user(ola)


def text(answer):
    return answer.content.decode()


def given(unit, **change):
    return ELI | {"unit": str(unit.uid), "role": Role.BOOKER} | change


def ended(user):
    return f"/tilganger/{user.memberships.get().pk}/avslutt/"


def test_an_administrator_lets_a_nurse_in_and_she_is_invited(page, ola, home_care):
    answer = page.post("/tilganger/ny/", given(home_care, valid_to="31.12.2099"), follow=True)
    assert "Eli Eng har fått tilgang. En invitasjon er på vei på e-post." in text(answer)
    eli = User.objects.get(email="eli.eng@staff.example")
    (membership,) = eli.memberships.all()
    assert (membership.unit, membership.role, membership.valid_to) == (home_care, Role.BOOKER, date(2099, 12, 31))
    assert membership.valid_from == timezone.localdate()
    assert OutboxMessage.objects.get().address == eli.email
    record = AccessRecord.objects.get(what="membership")
    assert (record.actor_id, record.action, record.what_reference) == (ola.pk, "create", str(eli.uid))
    assert record.reason == f"booker, {home_care.name}"


def test_who_works_elsewhere_already_signs_in_as_before(page, berg, home_care):
    berg.set_password("blue kettle over stone")
    berg.save()
    answer = page.post("/tilganger/ny/", given(home_care, email=berg.email.upper()), follow=True)
    assert f"{berg.name} har fått tilgang, og logger inn som før." in text(answer)
    assert not OutboxMessage.objects.exists()
    assert berg.memberships.count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email": "kari@"}, "Skriv e-postadressen på jobb"),
        ({"given_name": ""}, "Skriv fornavnet"),
        ({"family_name": "Eng\u202e"}, "Skriv bokstaver, tall og vanlige tegn"),
        ({"role": "boss"}, "Velg en rolle fra listen."),
        ({"unit": "11111111-1111-4111-8111-111111111111"}, "Velg en enhet fra listen."),
        ({"valid_to": "31.2.2099"}, "Skriv siste dag som dag"),
        ({"valid_to": "1.1.2020"}, "Denne dagen er over."),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_lost(page, home_care, change, words):
    answer = page.post("/tilganger/ny/", given(home_care) | change)
    assert answer.status_code == 422
    assert words in text(answer)
    assert "eli.eng@staff.example" in text(answer) or "email" in change
    assert not User.objects.filter(email="eli.eng@staff.example").exists()


def test_a_closed_account_is_said_at_the_address(page, kari, home_care):
    kari.is_active = False
    kari.save()
    answer = page.post("/tilganger/ny/", given(home_care, email=kari.email))
    assert answer.status_code == 422
    assert "id_email-error" in text(answer)


def test_access_that_is_ended_ends_at_once_and_stands_in_the_log(page, as_user, ola, kari):
    hers = as_user(kari)
    assert hers.get("/i-dag/").status_code == 200
    assert kari.name in text(page.get(ended(kari)))
    answer = page.post(ended(kari), follow=True)
    assert f"{kari.name} har ikke lenger denne tilgangen." in text(answer)
    assert kari.email not in text(page.get("/tilganger/"))
    assert hers.get("/bestill/").status_code == 404
    assert AccessRecord.objects.get(what="membership").action == "change"


def test_nobody_ends_her_own(page, ola):
    answer = page.post(ended(ola), follow=True)
    assert "Du kan ikke avslutte din egen tilgang." in text(answer)
    assert ola.memberships.get().valid_to is None
    assert ended(ola) not in text(page.get("/tilganger/"))


def test_a_manager_sees_and_changes_her_own_unit_alone(as_user, signe, kari, ola, home_care, berg, lie):
    page = as_user(signe)
    shown = text(page.get("/tilganger/"))
    assert kari.email in shown
    for stranger in (ola, berg, lie):
        assert stranger.email not in shown
        assert page.post(ended(stranger)).status_code == 404
    assert page.post("/tilganger/ny/", given(ola.memberships.get().unit)).status_code == 422
    assert page.post("/tilganger/ny/", given(home_care)).status_code == 302


@pytest.mark.parametrize("role", [Role.ORGANISATION_ADMIN, Role.UNIT_MANAGER, Role.DIPS_COORDINATOR, Role.SYSTEM_OWNER])
def test_a_manager_makes_no_administrators_and_ends_none(as_user, signe, kari, home_care, role):
    page = as_user(signe)
    assert page.post("/tilganger/ny/", given(home_care, role=role)).status_code == 422
    assert not User.objects.filter(email="eli.eng@staff.example").exists()
    above = give_role(user=kari, unit=home_care, role=role, valid_from=LONG_AGO)
    answer = page.post(f"/tilganger/{above.pk}/avslutt/", follow=True)
    assert "Spør administratoren" in text(answer)
    above.refresh_from_db()
    assert above.valid_to is None
    assert f"/tilganger/{above.pk}/avslutt/" not in text(page.get("/tilganger/"))


@pytest.mark.parametrize("role", [Role.SYSTEM_OWNER, Role.ROLLOUT_LEAD])
def test_who_only_reads_sees_the_organisation_and_no_button(as_user, ola, kari, lie, role):
    ola.memberships.update(role=role)
    page = as_user(ola)
    shown = text(page.get("/tilganger/"))
    assert kari.email in shown
    assert lie.email not in shown
    assert "/avslutt/" not in shown
    assert page.get("/tilganger/ny/").status_code == page.post(ended(kari)).status_code == 404


def test_to_see_more_is_not_to_manage_more(as_user, signe, ola, home_care, kari):
    """A manager who also leads the rollout reads about the whole organisation, and changes her own unit."""
    give_role(user=signe, unit=home_care, role=Role.ROLLOUT_LEAD, valid_from=LONG_AGO)
    elsewhere = give_role(user=kari, unit=ola.memberships.get().unit, role=Role.BOOKER, valid_from=LONG_AGO)
    page = as_user(signe)
    shown = text(page.get("/tilganger/"))
    assert ola.email in shown
    assert f"/tilganger/{elsewhere.pk}/avslutt/" not in shown
    assert page.post("/tilganger/ny/", given(elsewhere.unit)).status_code == 422
    page.post(f"/tilganger/{elsewhere.pk}/avslutt/")
    elsewhere.refresh_from_db()
    assert elsewhere.valid_to is None
    assert page.post("/tilganger/ny/", given(home_care)).status_code == 302


def test_who_has_not_chosen_a_password_is_invited_again(page, home_care, kari):
    page.post("/tilganger/ny/", given(home_care))
    eli = User.objects.get(email="eli.eng@staff.example").memberships.get()
    again = f"/tilganger/{eli.pk}/invitasjon/"
    assert again in text(page.get("/tilganger/"))
    assert "En ny invitasjon er på vei til Eli Eng." in text(page.post(again, follow=True))
    assert OutboxMessage.objects.count() == 2
    eli.user.set_password("blue kettle over stone")
    eli.user.save()
    assert again not in text(page.get("/tilganger/"))
    assert "har alt valgt et passord" in text(page.post(again, follow=True))
    assert OutboxMessage.objects.count() == 2


def test_the_list_is_found_in_by_name_and_unit_and_says_who_has_never_been_here(page, kari, ola, home_care):
    kari.last_login = None
    kari.save()
    assert "aldri" in text(page.get("/tilganger/", {"search": "kvist kari"}))
    found = text(page.get("/tilganger/", {"search": "kvist", "unit": ola.memberships.get().unit.uid}))
    assert kari.email not in found
    assert "Ingen treff" in found
    for nonsense in ("nonsense", "\x00", "1" * 80):
        assert page.get("/tilganger/", dict.fromkeys(("unit", "page", "search"), nonsense)).status_code == 200


def test_what_is_over_is_not_shown_and_what_is_to_come_is(page, kari, home_care):
    today = timezone.localdate()
    give_role(user=kari, unit=home_care, role=Role.BOOKER, valid_from=LONG_AGO, valid_to=today - timedelta(days=1))
    assert kari.email not in text(page.get("/tilganger/"))
    give_role(user=kari, unit=home_care, role=Role.SUPER_USER, valid_from=today + timedelta(days=3))
    assert kari.email in text(page.get("/tilganger/"))


def test_the_page_asks_the_same_few_questions_however_many_there_are(page, home_care):
    page.get("/tilganger/")

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert page.get("/tilganger/").status_code == 200
        return len(seen)

    before = queries()
    for number in range(30):
        user = add_user(email=f"n{number}@staff.example", given_name="N", family_name=str(number))
        give_role(user=user, unit=home_care, role=Role.BOOKER, valid_from=LONG_AGO)
    assert queries() == before == 5


def test_a_role_that_runs_and_is_given_again_began_when_it_began(kari, home_care):
    today = timezone.localdate()
    again = give_role(user=kari, unit=home_care, role=Role.BOOKER, valid_from=today, valid_to=today)
    assert (again.valid_from, again.valid_to) == (LONG_AGO, today)
    end_role(membership=again, today=today)
    anew = give_role(user=kari, unit=home_care, role=Role.BOOKER, valid_from=today)
    assert (anew.valid_from, anew.valid_to) == (today, None)
    assert Membership.objects.filter(user=kari).count() == 1


def coming_with(user):
    return f"/tilganger/{user.memberships.get().pk}/timer/"


def test_who_ends_an_access_is_told_what_is_still_to_come_and_reaches_it(
    as_user, signe, kari, ada, bo, book, other_home_care, clock
):
    clock("2026-03-03 12.00")
    book(ada, "2026-03-03 10.00")
    coming, cancelled = book(ada, "2026-03-03 14.00"), book(bo, "2026-03-04 10.00")
    client = as_user(signe)
    assert f'hx-get="{coming_with(kari)}"' in text(client.get(ended(kari)))
    told = text(client.get(coming_with(kari), headers={"HX-Request": "true"}))
    assert "2 kommende videotimer er med Kari" in told
    assert f'href="{coming_with(kari)}"' in told
    cancel_appointment(appointment=cancelled, reason="other", now=timezone.now())
    assert "1 kommende videotime er med Kari" in text(client.get(coming_with(kari), headers={"HX-Request": "true"}))
    listed = text(client.get(coming_with(kari)))
    assert f'href="/timer/{coming.reference}/"' in listed
    assert cancelled.reference not in listed
    elsewhere = give_role(user=kari, unit=other_home_care, role=Role.BOOKER, valid_from=LONG_AGO)
    assert client.get(f"/tilganger/{elsewhere.pk}/timer/").status_code == 404


def test_an_administrator_who_sees_no_appointments_is_told_whom_to_call(page, kari, ada, book, clock):
    clock("2026-03-02 12.00")
    coming = book(ada, "2026-03-03 14.00")
    listed = text(page.get(coming_with(kari)))
    assert coming.reference in listed
    assert f'href="/timer/{coming.reference}/"' not in listed
    assert f'href="tel:{coming.requester_unit.phone}"' in listed
    assert "Alm" not in listed
    assert "Sårvurdering" not in listed


def test_who_lends_an_interpreter_out_is_told_of_her_appointments_too(page, amina, kari, ada, book, clock):
    clock("2026-03-02 12.00")
    give_role(user=kari, unit=amina.memberships.get().unit, role=Role.BOOKER, valid_from=LONG_AGO)
    book(ada, "2026-03-03 14.00", interpreter_language="som")
    unit = amina.memberships.get().unit
    assert still_with(amina, unit, now=timezone.now()).count() == 1
    assert still_with(kari, unit, now=timezone.now()).count() == 0, "what she does elsewhere is not this unit's"


def test_what_is_to_come_is_counted_in_one_question(page, kari, ada, book, clock):
    clock("2026-03-02 12.00")
    page.get(ended(kari))

    def queries(address, **headers):
        with CaptureQueriesContext(connection) as seen:
            assert page.get(address, headers=headers).status_code == 200
        return len(seen)

    door = queries(ended(kari))
    for hour in range(10, 15):
        book(ada, f"2026-03-03 {hour}.00")
    assert queries(coming_with(kari), **{"HX-Request": "true"}) == door + 1
    assert queries(coming_with(kari)) == door + 2, "how many, and the page's rows"
