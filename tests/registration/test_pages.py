"""The DIPS list as a clerk meets it, and as others do not."""

import io
import re
from datetime import date, timedelta
from uuid import uuid4

import pypdf
import pytest

from apps.audit.models import AccessRecord
from apps.organisations.models import Role
from apps.organisations.services import give_role
from apps.patients.models import Patient
from apps.registration import paper
from apps.registration.models import Registration
from tests.conftest import _user
from tests.scheduling_cast import at

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    """It is Tuesday 3 March 2026, noon."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: at("2026-03-03 12.00"))


@pytest.fixture
def session(held, ada):
    return held(ada, "2026-03-03 10.00", interpreter_language="som")


def url(registration, page=""):
    return f"/dips/{registration.uid}/{page}"


def test_the_day_tells_the_clerk_how_many_wait(as_user, tor, kari, session):
    assert 'hx-get="/dips/venter/"' in as_user(tor).get("/i-dag/").content.decode()
    assert "/dips/venter/" not in as_user(kari).get("/i-dag/").content.decode()
    line = as_user(tor).get("/dips/venter/", headers=HTMX).content.decode()
    assert "1 videotime venter på registrering i DIPS" in line
    assert 'href="/dips/"' in line
    assert as_user(tor).get("/dips/venter/")["Location"] == "/dips/", "without script it is a plain link"
    Registration.objects.all().delete()
    assert "Ingen videotimer venter" in as_user(tor).get("/dips/venter/", headers=HTMX).content.decode()


def test_the_clerk_sees_what_awaits(as_user, tor, session):
    text = as_user(tor).get("/dips/").content.decode()
    assert "Ada Alm" in text
    assert session.appointment.reference in text
    assert "1 videotime venter på registrering." in text
    assert "<title>DIPS-liste – Videotime</title>" in text


def test_the_list_says_the_agreed_time_as_the_drawer_and_the_sheet_do(as_user, tor, session, held, bo):
    following = held(bo, "2026-03-03 11.00")
    for one in (session, following):
        Registration.objects.filter(pk=one.pk).update(held_at=one.held_at + timedelta(minutes=3))
    client = as_user(tor)
    assert "kl. 10.00" in client.get("/dips/").content.decode()
    for page in (client.get("/dips/"), client.get(url(session), headers=HTMX)):
        assert "10.03" not in page.content.decode()
        assert "11.03" not in page.content.decode()


def test_the_drawer_shows_whose_it_is_and_every_code_to_copy(as_user, tor, session, ada):
    response = as_user(tor).get(url(session), headers=HTMX)
    text = response.content.decode()
    assert text.lstrip().startswith("<dialog")
    assert f"{ada.national_id[:6]} {ada.national_id[6:]}" in text
    copied = re.findall(r'<li>.*?data-copy="([^"]*)"', text, re.DOTALL)
    assert copied[:4] == ["3", "6", "3", "050"]
    assert session.appointment.reference in copied
    assert "mulig kode" in text
    assert "avklares lokalt" in text


def test_every_reading_is_in_the_patients_log(as_user, tor, session, ada):
    client = as_user(tor)
    client.get("/dips/")
    client.get(url(session))
    client.get(url(session, "ark/"))
    client.get(url(session, "ark.pdf"))
    seen = AccessRecord.objects.filter(patient_uid=ada.uid, actor_id=tor.pk).order_by("id")
    assert [(record.action, record.what) for record in seen] == [
        ("read", "dips-list"),
        ("read", "dips-registration"),
        ("read", "dips-sheet"),
        ("export", "dips-sheet"),
    ]
    assert {record.what_reference for record in seen} == {session.appointment.reference}


PAGES = ["", "ark/", "ark.pdf"]
DEEDS = ["registrer/", "dips-id/", "registreres-ikke/", "angre/"]


@pytest.mark.parametrize("page", PAGES)
def test_strangers_and_colleagues_of_other_trades_meet_a_404(as_user, session, lie, kari, berg, page):
    for user in [lie, kari, berg]:
        assert as_user(user).get(url(session, page)).status_code == 404


@pytest.mark.parametrize("deed", DEEDS)
def test_strangers_can_do_nothing(as_user, session, lie, kari, berg, deed):
    for user in [lie, kari, berg]:
        assert as_user(user).post(url(session, deed), {"version": session.version}).status_code == 404
    session.refresh_from_db()
    assert session.state == "awaiting"


def test_a_clerk_elsewhere_sees_an_empty_list_and_a_404(as_user, session, other_clinic):
    clerk = _user("Siv", "Selje", "Helsesekretær")
    give_role(user=clerk, unit=other_clinic, role=Role.CLERK, valid_from=date(2020, 1, 1))
    client = as_user(clerk)
    text = client.get("/dips/?view=all").content.decode()
    assert "Ada" not in text
    assert client.get(f"/dips/?search={session.appointment.reference}").content.decode().count("Ada Alm") == 0
    assert client.get(url(session)).status_code == 404
    assert client.get("/dips/neste/").headers["Location"] == "/dips/"


def test_a_clerk_whose_time_is_over_is_out(as_user, session, tor):
    tor.memberships.update(valid_to=date(2026, 3, 2))
    assert as_user(tor).get("/dips/").status_code == 404
    assert as_user(tor).get(url(session)).status_code == 404


def test_without_the_second_factor_there_is_only_the_way_in(client, session, tor):
    client.force_login(tor)
    for page in ["/dips/", "/dips/mangler/", url(session), url(session, "ark.pdf")]:
        response = client.get(page)
        assert response.status_code == 302
        assert "Ada" not in response.content.decode()


def test_a_session_nobody_knows_is_a_404(as_user, tor):
    assert as_user(tor).get(f"/dips/{uuid4()}/").status_code == 404


def test_the_row_swaps_itself_and_keeps_the_way_back(as_user, tor, session):
    client = as_user(tor)
    response = client.post(url(session, "registrer/"), {"version": session.version, "row": "1"}, headers=HTMX)
    text = response.content.decode().strip()
    assert text.startswith(f'<tr id="row-{session.uid}"')
    assert "Registrert" in text
    assert "Angre" in text
    session.refresh_from_db()
    text = client.post(url(session, "angre/"), {"version": session.version, "row": "1"}, headers=HTMX).content.decode()
    assert "Merk registrert" in text
    session.refresh_from_db()
    assert session.state == "awaiting"


def counted(text: str) -> dict[str, str]:
    """Read the counts that an answer brings to the list behind."""
    return dict(
        re.findall(
            r'<hx-partial hx-target="#(count-[a-z-]+|list-status)"[^>]*>\s*(?:{#.*#})?\s*(.*?)\s*</hx-partial>',
            text,
            re.DOTALL,
        )
    )


@pytest.mark.parametrize("what", [{"row": "1"}, {}])
def test_the_counts_of_the_list_behind_follow(as_user, tor, session, held, bo, what: dict[str, str]):
    held(bo, "2026-03-03 11.00")
    headers = {**HTMX, "HX-Current-URL": "http://testserver/dips/?view=awaiting&period="}
    client = as_user(tor)
    text = client.post(
        url(session, "registrer/"), {"version": session.version, **what}, headers=headers
    ).content.decode()
    found = counted(text)
    assert {name: found[name] for name in found if name != "list-status"} == {
        "count-awaiting": "1",
        "count-registered": "1",
        "count-not-needed": "0",
        "count-all": "2",
    }
    assert "1 videotime venter" in found["list-status"]


def test_the_counts_follow_within_what_the_list_shows(as_user, tor, session, held, bo):
    other = held(bo, "2026-03-03 11.00")
    headers = {**HTMX, "HX-Current-URL": f"http://testserver/dips/?search={other.appointment.reference}"}
    form = {"version": session.version, "row": "1"}
    found = counted(as_user(tor).post(url(session, "registrer/"), form, headers=headers).content.decode())
    assert (found["count-awaiting"], found["count-registered"]) == ("1", "0")
    assert "list-status" not in found


@pytest.mark.parametrize(
    "address", ["", "http://testserver/i-dag/", "http://[::1/dips/", "\x00", "http://testserver/dips/mangler/"]
)
def test_where_no_list_is_behind_nothing_is_counted(as_user, tor, session, address: str):
    form = {"version": session.version, "row": "1"}
    response = as_user(tor).post(url(session, "registrer/"), form, headers={**HTMX, "HX-Current-URL": address})
    assert response.status_code == 200
    assert counted(response.content.decode()) == {}


def test_registering_from_the_drawer_opens_the_next(as_user, tor, session, held, bo):
    following = held(bo, "2026-03-03 11.00")
    response = as_user(tor).post(
        url(session, "registrer/"), {"version": session.version, "dips_contact_id": "3041 2886"}, headers=HTMX
    )
    text = response.content.decode()
    assert "Bo Bjørk" in text
    assert url(following, "registrer/") in text
    assert f'hx-target="#row-{session.uid}"' in text
    session.refresh_from_db()
    assert session.dips_contact_id == "30412886"


def test_the_last_one_says_that_all_is_done(as_user, tor, session):
    response = as_user(tor).post(url(session, "registrer/"), {"version": session.version}, headers=HTMX)
    assert "Alt er registrert" in response.content.decode()


def test_without_script_the_same_forms_lead_on(as_user, tor, session, held, bo):
    following = held(bo, "2026-03-03 11.00")
    client = as_user(tor)
    assert client.get("/dips/neste/").headers["Location"] == url(session)
    assert client.get(url(session)).content.decode().lstrip().startswith("<!doctype html>")
    response = client.post(url(session, "registrer/"), {"version": session.version, "dips_contact_id": "1"})
    assert response.headers["Location"] == url(following)
    response = client.post(url(following, "registreres-ikke/"), {"version": following.version, "reason": "by_phone"})
    assert response.headers["Location"] == "/dips/"


@pytest.mark.parametrize("typed", ["abc", "<script>alert(1)</script>", "9" * 41, "1.5", "٣", "12\x00"])
def test_a_wrong_contact_id_is_answered_at_the_field_and_kept(as_user, tor, session, typed):
    data = {"version": session.version, "dips_contact_id": typed}
    response = as_user(tor).post(url(session, "registrer/"), data, headers=HTMX)
    text = response.content.decode()
    assert response.status_code == 422
    assert "ds-validation-message" in text
    assert "<script>alert" not in text
    if typed == "abc":
        assert 'value="abc"' in text
        assert "bare tall" in text
    session.refresh_from_db()
    assert session.state == "awaiting"


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999", "1e9", "null"])
def test_a_hostile_version_changes_nothing(as_user, tor, session, version):
    client = as_user(tor)
    for deed in DEEDS:
        for extra in [{}, {"row": "1"}]:
            data = {"version": version, "reason": "by_phone", "dips_contact_id": "1", **extra}
            assert client.post(url(session, deed), data, headers=HTMX).status_code == 422
            assert client.post(url(session, deed), data).status_code == 422
    session.refresh_from_db()
    assert session.state == "awaiting"


def test_a_taken_contact_id_is_said_at_the_field(as_user, tor, session, held, mark, bo):
    mark(held(bo, "2026-03-03 11.00"), tor, "777")
    data = {"version": session.version, "dips_contact_id": "777"}
    response = as_user(tor).post(url(session, "registrer/"), data, headers=HTMX)
    assert response.status_code == 409
    assert "En annen time har allerede denne kontakt-id-en" in response.content.decode()
    assert 'value="777"' in response.content.decode()


def test_the_clerk_who_comes_second_sees_who_was_first(as_user, tor, session, mark, wound_clinic):
    other = _user("Vår", "Vier", "Helsesekretær")
    give_role(user=other, unit=wound_clinic, role=Role.CLERK, valid_from=date(2020, 1, 1))
    seen = session.version
    mark(session, tor, "111")
    response = as_user(other).post(url(session, "registrer/"), {"version": seen, "row": "1"}, headers=HTMX)
    text = response.content.decode()
    assert response.status_code == 409
    assert "En annen har registrert denne timen" in text
    assert "Tor Tang" in text


def test_a_reason_must_be_chosen(as_user, tor, session):
    for reason in ["", "cancelled", "<b>"]:
        data = {"version": session.version, "reason": reason}
        response = as_user(tor).post(url(session, "registreres-ikke/"), data, headers=HTMX)
        assert response.status_code == 422
        assert "ds-validation-message" in response.content.decode()


def test_the_list_is_filtered_by_state_unit_period_and_searched_by_reference(
    as_user, tor, session, held, mark, bo, wound_clinic
):
    done = mark(held(bo, "2026-03-03 11.00"), tor, "30412886")
    client = as_user(tor)

    def found(query):
        text = client.get(f"/dips/?{query}", headers=HTMX).content.decode()
        assert "<html" not in text
        return {name for name in ["Ada Alm", "Bo Bjørk"] if name in text}

    assert found("") == {"Ada Alm"}
    assert found("view=registered") == {"Bo Bjørk"}
    assert found("view=all") == {"Ada Alm", "Bo Bjørk"}
    assert found("view=not_needed") == set()
    assert found(f"search={done.appointment.reference}") == {"Bo Bjørk"}
    assert found(f"search={done.appointment.reference[3:].lower()}") == {"Bo Bjørk"}
    assert found("search=30412886") == {"Bo Bjørk"}
    assert found("search=Ada") == set()
    assert found(f"unit={wound_clinic.uid}&view=all") == {"Ada Alm", "Bo Bjørk"}
    Registration.objects.filter(pk=session.pk).update(held_at=at("2026-01-03 10.00"))
    assert found("period=30") == set()
    assert found("period=90") == {"Ada Alm"}


@pytest.mark.parametrize(
    "query",
    [
        "view=x",
        "unit=x",
        "unit=5f0c1d52-6f2c-4c83-9a51-0a4a1f4f5d11",
        "period=-1",
        "period=x",
        "page=x",
        "page=999",
        "search=%00",
        "a=b&" * 50,
    ],
)
def test_an_address_that_makes_no_sense_still_gives_a_list(as_user, tor, session, query):
    assert as_user(tor).get(f"/dips/?{query}").status_code == 200


def test_the_coordinator_sees_what_is_missing_by_unit(as_user, tor, session, mark, held, bo):
    mark(held(bo, "2026-03-03 11.00"), tor)
    Registration.objects.filter(pk=session.pk).update(held_at=at("2026-02-03 10.00"))
    text = as_user(tor).get("/dips/mangler/").content.decode()
    cells = re.findall(r'<td class="vt-num"[^>]*>(\d+)</td>', text)
    assert cells == ["1", "1", "1"]
    assert "Sårpoliklinikken" in text


# On paper ------------------------------------------------------------------------------------------------------------
def pdf_of(client, registration):
    response = client.get(url(registration, "ark.pdf"))
    assert response.headers["Content-Type"] == "application/pdf"
    return pypdf.PdfReader(io.BytesIO(response.content))


def test_the_sheet_prints_on_one_page_with_all_that_is_typed(as_user, tor, session, ada):
    pdf = pdf_of(as_user(tor), session)
    assert len(pdf.pages) == 1
    text = " ".join(pdf.pages[0].extract_text().split())
    for wanted in ["Ada Alm", session.appointment.reference, "6 Videokonsultasjon", "ZWUU40", "Ja, somali, på video"]:
        assert wanted in text
    assert f"{ada.national_id[:6]} {ada.national_id[6:]}" in text


def test_the_log_does_not_tell_of_every_font_of_every_sheet(as_user, tor, session, log):
    pdf_of(as_user(tor), session)
    assert "fontTools" not in log()


def test_the_longest_sheet_still_prints_on_one_page(as_user, tor, session, kari_diary, berg_diary):
    """A discharge meeting has the most rows; names may be long and in other scripts."""
    Patient.objects.filter(pk=session.appointment.patient_id).update(
        given_name="Žofia Ćwierćżyto " * 3, family_name="Łęgowska-Brzęczyszczykiewicz-Fjellmarihånd"
    )
    from apps.registration.house_rules import house_rules
    from apps.registration.sheet import draw_up

    rows = next(rule.rows for rule in house_rules().rules if rule.family == "discharge")
    session.sheet = draw_up(
        rows,
        organisation_kind="hospital_trust",
        speciality="",
        speciality_text="",
        interpreter_language="nsl",
        interpreter_by_phone=False,
        video_url="https://videotime.helseforetaket.example/rom/VT-7K3M-92QX/",
        reference="VT-7K3M-92QX",
    )
    session.save()
    pdf = pdf_of(as_user(tor), session)
    assert len(pdf.pages) == 1
    text = pdf.pages[0].extract_text()
    assert "Side 1 av 1" in text
    assert "Brzęczyszczykiewicz" in text


def test_a_name_that_looks_like_markup_is_only_a_name(as_user, tor, session):
    Patient.objects.filter(pk=session.appointment.patient_id).update(given_name="<img src=http://127.0.0.1:9/x>")
    client = as_user(tor)
    for page in ["/dips/", url(session), url(session, "ark/")]:
        assert "<img src=http" not in client.get(page).content.decode()
    assert "<img" in pdf_of(client, session).pages[0].extract_text()


def test_the_files_name_and_the_pages_title_name_nobody(as_user, tor, session):
    client = as_user(tor)
    response = client.get(url(session, "ark.pdf"))
    assert response.headers["Content-Disposition"] == f'inline; filename="{session.appointment.reference}.pdf"'
    assert response.headers["Cache-Control"] == "no-store"
    for page in ["/dips/", url(session), url(session, "ark/")]:
        title = re.search(r"<title>(.*?)</title>", client.get(page).content.decode(), re.DOTALL)
        assert title
        assert "Ada" not in title.group(1)


def test_where_no_pdf_can_be_drawn_the_page_prints_from_the_browser(as_user, tor, session, monkeypatch):
    def cannot(*args, **kwargs):
        raise paper.CannotDraw

    monkeypatch.setattr(paper, "sheet_pdf", cannot)
    response = as_user(tor).get(url(session, "ark.pdf"))
    assert (response.status_code, response.headers["Location"]) == (302, url(session, "ark/"))
