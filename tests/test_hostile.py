"""Whatever is sent, and whoever sends it: an answer in words, nothing half-done, nothing typed in the log.

Addresses come from the door table, so a new one is knocked at without anybody remembering it here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import lxml.html
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.catalogue.models import ServiceType
from apps.organisations.models import Unit
from apps.patients.models import Patient
from apps.scheduling.models import Appointment, BookingDraft
from apps.scheduling.services import mark_held, react_to_events

from .doors import TABLE, VISITORS
from .test_doors import address_of, visit, world  # noqa: F401  (`world` is a fixture)

pytestmark = pytest.mark.django_db

SECRET = "Zinnober-Quastenflosser"
"""Stands in everything that is typed here; no log line may hold it."""

NUL = f"{SECRET}\0'; DROP TABLE patients; --"
LONG = f"{SECRET} " + "æ" * 100_000
BIDI = f"{SECRET}\u202e\u2066gpj.exe\u200f\ufeff"
TEXTS = [
    NUL,
    LONG,
    BIDI,
    f"<script>alert('{SECRET}')</script>{{{{ 7*7 }}}}{{% debug %}}",
    "-1",
    "9" * 40,
    "1e999",
    "NaN",
    "٣",  # a digit to Python, not to anybody who typed a number here
    "²",
    "2026-02-30",
    "2026-13-45T99:99:99Z",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00-14:00",
    "00000000-0000-0000-0000-000000000000",
    "../../../etc/passwd",
    "//evil.example/",
    "\r\nSet-Cookie: a=b",
    "💥" * 50,
]
SOME = [NUL, "9" * 40, "0001-01-01T00:00:00-14:00", "9999-12-31T23:59:59+14:00", BIDI + "٣²"]
"""Those that fit into an address."""

QUERY = [
    "dag",
    "visning",
    "time",
    "start",
    "end",
    "step",
    "service",
    "from",
    "panel",
    "til",
    "fra",
    "side",
    "view",
    "unit",
    "period",
    "search",
    "page",
    "lang",
    "type",
    "id",
    "to",
    "next",
    "reserve",
    "q",
    "fravaer",
]
FIELDS = [
    "step",
    "service",
    "patient",
    "q",
    "starts_at",
    "only",
    "length",
    "interpreter",
    "by_phone",
    "remove_photo",
    "version",
    "reason",
    "how",
    "name",
    "relation",
    "phone",
    "email",
    "unit",
    "next",
    "user",
    "language",
    "code",
    "login",
    "password",
    "camera",
    "microphone",
    "day",
    "month",
    "year",
    "dips_contact_id",
    "row",
    "do",
    "wide",
    "choose",
    "national_id",
    "given_name",
    "family_name",
    "birth_date",
    "kin_phone",
    "participant",
    "who",
    "first_day",
    "from_clock",
    "last_day",
    "to_clock",
]
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND")
HEADERS: list[dict[str, str]] = [
    {
        "Accept-Language": "xx-" + "y" * 5000 + ";q=NaN, *;q=-1, nb;;q",
        "HX-Current-URL": "http://[::1/\\evil" + "z" * 3000,
        "HX-Request": "true",
        "HX-Target": "\x01" + "t" * 3000,
        "If-None-Match": 'W/"' + "x" * 3000,
        "Referer": "http://[",
    },
    {
        "Accept-Language": "\xff\xfe",
        "HX-Request": "true",
        "HX-Current-URL": "javascript:alert(1)",
        "HX-Target": "steg",
        "Cookie": "session=\x00\xff; csrftoken=x; language=../../etc; guest=" + "x" * 2000,
        "Range": "bytes=-1-",
    },
    {"Accept": "application/json;q=x", "X-Forwarded-For": "not an address, ::1::2", "Origin": "null", "Expect": "wat"},
]
BODIES: list[tuple[str, bytes]] = [
    ("application/json", b'{"a": [' * 200),
    ("application/json", b"\xff\xfe\x00"),
    ("multipart/form-data", b"no boundary"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="photo"; filename="\x00"\r\n\r\n',
    ),
    ("application/x-www-form-urlencoded; charset=utf-99", b"a=b"),
    ("application/x-www-form-urlencoded", b"%ff%fe=%00&step=%00&" + b"a=b&" * 300),
    ("application/x-www-form-urlencoded", b"a=b&" * 1000),
    ("text/plain", b"hello" * 1000),
]


# The witnesses --------------------------------------------------------------------------------------------------------
MAY_CHANGE = {
    "audit_accessrecord",  # who tried is written down
    "django_session",
    "usersessions_usersession",
    "accounts_authenticator",  # counts wrong codes
    "otp_static_staticdevice",
    "rooms_joinlink",  # counts wrong proofs
    "scheduling_bookingdraft",  # keeps what is typed, right or wrong
    "scheduling_hold",  # let go when its time is refused
    "scheduling_occupancy",
    "scheduling_schedule",  # somebody's own diary is made when she first needs one; it is empty
}


def fingerprint() -> dict[str, str]:
    """Return what every table holds, shortened, so that the smallest change shows."""
    tables = [name for name in connection.introspection.table_names() if name not in MAY_CHANGE]
    sql = " UNION ALL ".join(
        f"SELECT '{name}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{name}\" t"
        for name in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(cursor.fetchall())


def writes() -> int:
    """Return how many rows this transaction has written so far, also those it took back: as good as nothing to ask.

    Where the number has not moved, no table has changed, and their fingerprint need not be taken.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables WHERE relname <> ALL(%s)",
            [sorted(MAY_CHANGE)],
        )
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw without the test client's notes: it keeps a copy of each context of each part of a page. Nobody reads them here."""

    def draw(template: Template, context: Context) -> str:
        return template.nodelist.render(context)

    monkeypatch.setattr(Template, "_render", draw)


@pytest.fixture
def at_the_door(clock: Callable[[str], Any], world: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """The world ten minutes before the appointment, when the most can be done with it."""
    clock("2026-03-03 09.50")
    return world


@pytest.fixture
def browser_of(
    kari: User, berg: User, tor: User, amina: User, lie: User, ola: User, at_the_door: dict[str, Any]
) -> Callable[[str], Client]:
    people = {"kari": kari, "berg": berg, "tor": tor, "amina": amina, "lie": lie, "ola": ola}

    def open_browser(visitor: str) -> Client:
        if visitor == "ada":
            client = Client()
            answer = client.post(f"/j/{at_the_door['code']}/inn/", {"day": "13", "month": "3", "year": "1968"})
            assert answer.status_code == 302
        else:
            client = visit(visitor, people)
        client.raise_request_exception = False
        return client

    return open_browser


NOTHING_DONE = {403, 404, 405, 410}
"""Answers of doors that stayed closed."""


class Faults(list[str]):
    """What went wrong, all of it: one run shows every hole."""

    before: dict[str, str] | None = None
    written = -1

    def knock(self, said: str, send: Callable[[], HttpResponse]) -> HttpResponse:
        """Send something, look at the answer and at what it left behind, and take it back."""
        if self.before is None:
            self.before, self.written = fingerprint(), writes()
        with transaction.atomic():
            answer = send()
            if answer.status_code >= 500:
                fault = getattr(answer, "exc_info", None)
                self.append(f"{said[:200]}: {answer.status_code} {fault[1]!r:.300}" if fault else said[:200])
            elif answer.status_code >= 400 and answer.status_code not in NOTHING_DONE:
                self.check(said, answer)
            transaction.set_rollback(True)
        return answer

    def check(self, said: str, answer: HttpResponse) -> None:
        """Note it if what was refused has left something behind."""
        written, self.written = self.written, writes()
        if written == self.written or self.before is None:
            return
        after = fingerprint()
        left = [table for table in after if after[table] != self.before[table]]
        if left:
            self.append(f"{said[:200]}: answered {answer.status_code} and changed {left}")


def short(text: str) -> str:
    return text.replace(SECRET, "…")[:24]


def who_tries_hardest(name: str) -> str:
    """Return the one visitor who sends an address everything; the others send it a little."""
    if name.startswith("rooms:") and TABLE[name].expected()["nobody"] == "o":
        return "ada"
    if name == "registration:sheet_pdf":
        return ""  # a second's work to draw; its page beside it reads the same
    opens = [visitor for visitor, answer in TABLE[name].expected().items() if answer == "o"]
    return next((visitor for visitor in ("kari", "tor") if visitor in opens), opens[0] if opens else "kari")


# Every address --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("visitor", [*VISITORS, "ada"])
def test_no_address_breaks_whatever_is_sent_to_it(visitor, at_the_door, browser_of, log):
    client, faults = browser_of(visitor), Faults()
    kept = dict(client.cookies)
    for name in TABLE:
        address = address_of(name, at_the_door)
        thorough = visitor == who_tries_hardest(name)

        def send(method: str, path: str, name: str = name, **more: Any) -> None:
            faults.knock(f"{method} {name} {more}", lambda: client.generic(method, path, **more))
            client.cookies.clear()
            client.cookies.update(kept)

        for method in METHODS if thorough else ("POST", "PUT"):
            send(method, address)
        for headers in HEADERS if thorough else HEADERS[:1]:
            send(TABLE[name].method, address, headers=headers)
        for content_type, body in BODIES if thorough else BODIES[5:6]:
            send("POST", address, data=body, content_type=content_type)
        for text in SOME if thorough else SOME[:1]:
            send("GET", f"{address}?" + "&".join(f"{key}={quote(text)}" for key in QUERY))
            sent = "&".join(f"{key}={quote(text)}&{key}[]=1&{key}=2" for key in FIELDS)
            send("POST", address, data=sent, content_type="application/x-www-form-urlencoded")
    assert not faults, "\n".join(faults)
    assert SECRET not in log()


PLACES = [
    "/timer/{}/", "/timer/{}/bestilt/", "/timer/{}/flytt/", "/timer/{}/avlys/", "/timer/{}/meldinger/", "/rom/{}/",
    "/rom/{}/billett/", "/rom/{}/hvem/", "/j/{}/", "/j/{}/inn/", "/j/{}/kode/", "/feeds/{}.ics", "/hooks/kannel/{}/",
    "/profil/enheter/{}/logg-ut/", "/pasienter/{}/", "/mote/{}/", "/{}", "/static/{}", "/api/v1/{}",
    "/api/v1/appointments/{}",
]  # fmt: skip
PARTS = ["VT-%00%00", "%ff%fe", "9" * 40, "-1", "x" * 3000, "%E2%80%AE..%2f..%0d%0aX:y", "٣٣٣", "İ" * 20]


@pytest.mark.parametrize("visitor", ["nobody", "kari", "ada"])
def test_no_part_of_an_address_breaks_anything(visitor, browser_of):
    client, faults = browser_of(visitor), Faults()
    for place in PLACES:
        for part in PARTS:
            path = place.format(part)
            for method in ("GET", "POST"):
                answer = faults.knock(f"{method} {path}", partial(client.generic, method, path))
                if answer.status_code == 200 and not place.startswith(("/healthz", "/j/")):
                    faults.append(f"{method} {path[:100]}: opened")
    assert not faults, "\n".join(faults)


# Every form -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Form:
    """A form, filled in rightly by the one who may; `shown` are the fields that the page shows again."""

    name: str
    who: str
    right: dict[str, Any]
    shown: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    when: str = "2026-03-02 09.50"
    before: Callable[[dict[str, Any]], None] = lambda place: None
    refused: bool = False
    """Right in its shape, but refused for what it asks: a wrong code, another unit, a session not yet registered."""


def chosen(place: dict[str, Any]) -> None:
    """Let Kari's draft have come to its details."""
    draft = BookingDraft.objects.get(uid=place["draft"])
    draft.patient = Patient.objects.get(uid=place["patient"])
    draft.save(update_fields=["patient"])


def held(place: dict[str, Any]) -> None:
    """Let the session be over, and wait for its registration."""
    appointment = Appointment.objects.get(reference=place["reference"])
    mark_held(appointment=appointment, actor=appointment.booked_by, now=timezone.now())
    react_to_events(now=timezone.now())


CONTACT = {
    "phone": "00 01 00 01",
    "email": "ada@post.example",
    "address": "Bakken 1",
    "language": "nob",
    "interpreter_mode": "screen",
    "channel": "sms",
    "protection": "open",
}
WRITTEN = ("phone", "email", "address")
WOUND = {
    "step": "details",
    "form-wound_type": "venous",
    "form-location": "leg_outer",
    "form-side": "left",
    "form-duration_weeks": "6",
    "form-length_mm": "28",
    "form-width_mm": "19",
    "form-tissue_fibrin": "40",
    "form-tissue_granulation": "60",
    "form-infection_signs": "redness",
    "form-exudate": "moderate",
    "form-pain": "4",
    "form-dressing": "Skum, hver tredje dag",
    "form-question": "Bør vi bytte bandasje?",
    "people-companion": "me",
    "people-place": "home",
    "people-name": "Siv Alm",
    "people-relation": "datter",
    "people-phone": "00 01 00 91",
    "people-email": "siv@post.example",
}
FORMS = [
    Form(
        "account_login",
        "nobody",
        {"login": "kari.kvist@staff.example", "password": "x"},
        ("login",),
        ("password",),
        refused=True,
    ),
    Form("accounts:second_factor", "half", {"code": "000000"}, refused=True),
    Form("accounts:language", "kari", {"language": "nn", "next": "/i-dag/"}),
    Form("organisations:switch_unit", "kari", {"unit": "", "next": "/i-dag/"}, refused=True),
    Form("patients:search", "kari", {"q": "Ada", "wide": "1", "reason": "Pasienten er henvist hit."}, ("q", "reason")),
    Form(
        "patients:new_patient",
        "kari",
        {"national_id": "", "given_name": "Eli", "family_name": "Eng", "birth_date": "12.05.1943", **CONTACT},
        ("national_id", "given_name", "family_name", "birth_date", *WRITTEN),
    ),
    Form("patients:edit_contact", "kari", CONTACT, WRITTEN),
    Form(
        "patients:add_next_of_kin",
        "kari",
        {"name": "Dag Alm", "relation": "sønn", "kin_phone": "00 01 00 92"},
        ("name", "relation", "kin_phone"),
    ),
    Form("patients:join_care", "kari", {"reason": "Pasienten er henvist hit."}),
    Form(
        "scheduling:add_guest",
        "kari",
        {"name": "Siv Alm", "relation": "datter", "phone": "00 01 00 91", "email": "siv@post.example"},
        ("name", "relation", "phone", "email"),
    ),
    Form("scheduling:move", "kari", {"starts_at": "2026-03-04T09:00Z", "version": "1"}),
    Form("scheduling:cancel", "kari", {"reason": "ill", "version": "1"}),
    Form("scheduling:mark", "kari", {"how": "held"}, when="2026-03-03 10.05"),
    Form("scheduling:booking_start", "kari", {"step": "service", "service": ""}),
    Form(
        "scheduling:booking",
        "kari",
        WOUND,
        tuple(f"form-{one}" for one in ("duration_weeks", "length_mm", "width_mm", "dressing", "question"))
        + tuple(f"people-{one}" for one in ("name", "relation", "phone", "email")),
        before=chosen,
    ),
    Form(
        "scheduling:booking",
        "kari",
        {
            "step": "new_patient",
            "national_id": "",
            "given_name": "Eli",
            "family_name": "Eng",
            "birth_date": "12.05.1943",
            "phone": "00 01 00 93",
            "language": "nob",
        },
        ("national_id", "given_name", "family_name", "birth_date", "phone"),
    ),
    Form("scheduling:booking", "kari", {"step": "search", "q": "Ada"}),
    Form("scheduling:booking", "kari", {"step": "wish", "only": "1", "length": "15"}, before=chosen),
    Form("scheduling:keep_draft", "kari", WOUND, before=chosen),
    Form(
        "rooms:identify", "nobody", {"day": "12", "month": "3", "year": "1968"}, ("day", "month", "year"), refused=True
    ),
    Form("rooms:waiting", "ada", {"camera": "yes", "microphone": "no"}, when="2026-03-03 09.50"),
    Form("rooms:patient_move", "ada", {"starts_at": "2026-03-04T09:00:00+00:00", "version": "1"}),
    Form("rooms:patient_cancel", "ada", {"version": "1"}),
    Form(
        "registration:mark_registered",
        "tor",
        {"version": "1", "dips_contact_id": "30412886"},
        ("dips_contact_id",),
        when="2026-03-03 10.35",
        before=held,
    ),
    Form(
        "registration:mark_not_needed",
        "tor",
        {"version": "1", "reason": "elsewhere"},
        when="2026-03-03 10.35",
        before=held,
    ),
    Form(
        "registration:write_back",
        "tor",
        {"version": "1", "dips_contact_id": "1"},
        when="2026-03-03 10.35",
        before=held,
        refused=True,
    ),
    Form("registration:undo", "tor", {"version": "1"}, when="2026-03-03 10.35", before=held, refused=True),
    Form(
        "scheduling:absences",
        "kari",
        {"first_day": "09.03.2026", "from_clock": "08.30", "last_day": "13.03.2026", "to_clock": "12.00"},
        ("first_day", "from_clock", "last_day", "to_clock"),
    ),
    Form("scheduling:remove_absence", "kari", {}),
    Form(
        "scheduling:openings",
        "kari",
        {
            "do": "weekly",
            "weekly-weekdays": "6",
            "weekly-from_clock": "01.00",
            "weekly-to_clock": "02.00",
            "weekly-first_day": "09.03.2026",
            "weekly-last_day": "",
        },
        ("weekly-from_clock", "weekly-to_clock", "weekly-first_day", "weekly-last_day"),
    ),
    Form(
        "scheduling:openings",
        "kari",
        {"do": "once", "once-day": "08.03.2026", "once-from_clock": "01.00", "once-to_clock": "02.00"},
        ("once-day", "once-from_clock", "once-to_clock"),
    ),
    Form("scheduling:close_opening", "kari", {"from_day": "09.03.2026"}, ("from_day",)),
    Form("calendars:subscription", "kari", {"do": "make"}),
    Form(
        "organisations:give_access",
        "ola",
        {
            "email": "eli@kommune.example",
            "given_name": "Eli",
            "family_name": "Eng",
            "title": "Sykepleier",
            "unit": "Hjemmetjenesten sør",
            "role": "booker",
            "valid_to": "31.12.2099",
        },
        ("email", "given_name", "family_name", "title", "valid_to"),
    ),
    Form("organisations:end_access", "ola", {}),
    Form("organisations:invite_again", "ola", {}),
    Form("notices:send_again", "kari", {"next": "/i-dag/"}),
]


def controls_of(answer: HttpResponse) -> dict[str, list[Any]]:
    """Return what stands on the page to be filled in, by name."""
    page = lxml.html.document_fromstring(answer.content, parser=lxml.html.HTMLParser(encoding="utf-8"))
    found: dict[str, list[Any]] = {}
    for one in page.iter("*"):
        if one.tag in {"input", "textarea", "select"} and one.get("name"):
            found.setdefault(one.get("name"), []).append(one)
        if one.get("id"):
            found.setdefault("#" + one.get("id"), []).append(one)
    return found


MANY = 12
"""Fields from which on each gets some of the texts: its kinds of field have been tried elsewhere."""


def stands_in(control: Any) -> str:
    return "".join(control.itertext()) if control.tag == "textarea" else control.get("value") or ""


def as_kept(text: str) -> str:
    """Return how a page may give a text back: without NUL, which no page can hold, and within reason long."""
    return " ".join(text.replace("\0", "").replace("\ufffd", "").split())[:80]


def unexplained(page: dict[str, list[Any]], name: str) -> str:
    """Say what is missing of an error at its field: marked as wrong, and by words that are there."""
    wrong = [one for one in page.get(name, []) if one.get("aria-invalid") == "true"]
    if not wrong:
        return "is not marked as wrong"
    words = [
        "".join(page[f"#{uid}"][0].itertext()).strip()
        for one in wrong
        for uid in (one.get("aria-describedby") or "").split()
        if f"#{uid}" in page
    ]
    return "" if any(words) else "has no words about what is wrong"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.name}-{next(iter(form.right.values()), '')}"[:50])
def test_no_form_breaks_and_what_was_typed_stays(form, at_the_door, browser_of, clock, log):
    clock(form.when)
    client, faults = browser_of(form.who), Faults()
    form.before(at_the_door)
    address = address_of(form.name, at_the_door)
    given = form.right
    if "version" in given and not form.name.startswith("registration"):
        given = given | {"version": str(Appointment.objects.get(reference=at_the_door["reference"]).version)}
    right = given | ({"service": str(ServiceType.objects.get().uid)} if "service" in form.right else {})
    if form.right.get("unit"):
        right["unit"] = str(Unit.objects.get(name=form.right["unit"]).uid)

    def send(said: str, data: dict[str, Any]) -> HttpResponse:
        return faults.knock(f"{form.name}: {said}", lambda: client.post(address, data))

    rightly = send("as it should be", right)
    assert (rightly.status_code < 400) == (not form.refused), rightly.status_code
    send("nothing", {})
    send("lists", {name: [value, SECRET, value] for name, value in right.items()})
    for place, name in enumerate(right):
        send(f"without {name}", {key: value for key, value in right.items() if key != name})
        for text in TEXTS if len(right) < MANY else [*SOME, LONG][place % 3 :: 3]:  # each text in every third field
            answer = send(f"{name}={text[:20]!r}", right | {name: text})
            if answer.status_code != 422 or not form.shown or name == "step":
                continue
            page = controls_of(answer)
            for other in form.shown:
                typed = text if other == name else right[other]
                if not any(as_kept(stands_in(one)) == as_kept(typed) for one in page.get(other, [])):
                    found = [stands_in(one)[:60] for one in page.get(other, [])]
                    faults.append(f"{form.name}: {name}={text[:20]!r}: what was typed in {other} is lost: {found}")
            if name in form.shown and (missing := unexplained(page, name)):
                faults.append(f"{form.name}: {name}={text[:20]!r}: {missing}")
            for hidden in form.secret:
                if any(stands_in(one) for one in page.get(hidden, [])):
                    faults.append(f"{form.name}: {hidden} comes back")
    assert not faults, "\n".join(faults[:40])
    assert SECRET not in log()


PICTURES = {
    "empty": b"",
    "a text": b"hello",
    "an image cut off": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "a drawing with script": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "a page": b"<html><script>alert(1)</script>",
    "a bomb": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x02\x00\x00\x00" + b"\0" * 64,
    "too large": b"\xff\xd8\xff" + b"\0" * (17 * 1024 * 1024),
}


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_what_is_no_picture_is_refused_in_words_and_not_kept(content, at_the_door, browser_of, log):
    chosen(at_the_door)
    client, faults = browser_of("kari"), Faults()
    for name in [f"{SECRET}.jpg", "../../x.svg", "x" * 400 + ".jpg", "a\u202egpj.exe"]:
        upload = SimpleUploadedFile(name, content, content_type="image/jpeg")
        address = address_of("scheduling:draft_photos", at_the_door)
        answer = faults.knock(name, partial(client.post, address, {"photo": upload}))
        assert answer.status_code in {200, 302, 400, 413, 422}
        if content:
            assert answer.status_code not in {200, 302}
    assert not faults, "\n".join(faults)
    assert SECRET not in log()
