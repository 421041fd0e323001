"""An installation from one file: made once, changed by the file, and its faults told with their lines."""

from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import User
from apps.catalogue.models import Agreement, ServiceType
from apps.messaging.models import OutboxMessage
from apps.organisations.models import Membership, Organisation, Unit
from apps.patients.services import register_patient
from apps.scheduling import queries
from apps.scheduling.models import Need, Opening, Schedule, Team
from apps.scheduling.queries.request import BookingRequest

pytestmark = pytest.mark.django_db
EXAMPLE = Path(configured.BASE_DIR) / "docs" / "example-region.yaml"
ALL = (User, Organisation, Unit, Membership, ServiceType, Agreement, Need, Team, Schedule, Opening, OutboxMessage)


@pytest.fixture(autouse=True)
def made_up_numbers(settings):
    settings.DEMO = True


@pytest.fixture
def written(tmp_path):
    """Write the example with some words changed."""

    def write(*changes: tuple[str, str]) -> Path:
        text = EXAMPLE.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "region.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def set_up(path: Path, **options) -> str:
    out = StringIO()
    call_command("set_up", path, stdout=out, **options)
    return out.getvalue()


def faults(path: Path) -> list[str]:
    err = StringIO()
    with pytest.raises(CommandError, match="Nothing was done"):
        call_command("set_up", path, stderr=err)
    return err.getvalue().splitlines()


def counts() -> list[int]:
    return [model.objects.count() for model in ALL]


def line_of(path: Path, words: str) -> int:
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if words in line)


def test_the_example_makes_a_region_in_which_a_time_is_found():
    assert "invited: odd.vassarve@elvebygd.example" in set_up(EXAMPLE)
    assert [mail.address for mail in OutboxMessage.objects.all()] == ["odd.vassarve@elvebygd.example"]
    maja = User.objects.get(given_name="Maja")
    unit = Unit.objects.get(name="Hjemmetjenesten sør")
    now = timezone.make_aware(datetime(2026, 3, 2, 8))
    ada = register_patient(
        organisation=unit.organisation,
        unit=unit,
        actor=maja,
        now=now,
        given_name="Ada",
        family_name="Alm",
        national_id="13836810184",
        phone="+4700010001",
    )
    request = BookingRequest(
        service_type=ServiceType.objects.get(), requester_unit=unit, patient=ada, requester=maja.schedule,
        interpreter_language="pol",
    )  # fmt: skip
    first = queries.open_times(request, now=now)[0]
    assert {who.name for who in first.who} >= {"Henrik Sølvpil", "Ewa Granskog", "Maja Myrull"}


def test_a_second_run_changes_nothing_and_mails_nobody():
    set_up(EXAMPLE)
    before = counts()
    needs = list(Need.objects.values_list("pk", flat=True))
    assert "nothing, all is so" in set_up(EXAMPLE)
    assert counts() == before
    assert list(Need.objects.values_list("pk", flat=True)) == needs


def test_checking_does_nothing():
    assert "Would be done: 2 organisations made" in set_up(EXAMPLE, check=True)
    assert counts() == [0] * len(ALL)


def test_a_changed_file_changes_what_it_names(written):
    set_up(EXAMPLE)
    told = set_up(
        written(
            ("length_minutes: 30", "length_minutes: 45"),
            ("fri: [08.00-11.30]", "fri: [09.00-11.30]"),
            ('phone: "+4700002010"', 'phone: "+4700002011"'),
            ("mode: direct", "mode: on_request"),
        )
    )
    assert told == "Done: 1 units changed; 1 diaries changed; 1 services changed.\n"
    assert ServiceType.objects.get().length_minutes == 45
    assert Agreement.objects.get().mode == "on_request"
    assert Unit.objects.get(name="Sårpoliklinikken").phone == "+4700002011"


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("kind: hospital_trust", "kind: palace", "organisations[0].kind", "hospital_trust"),
        ('number: "310000019"', 'number: "310000018"', "organisations[0].number", "no organisation number"),
        ('phone: "+4700002010"', "phone: ring", "organisations[0].units[0].phone", "no telephone number"),
        ("sms_sender: Elvebygd #", "sms_sender: Elvebygd sykehus #", "organisations[0].sms_sender", "match"),
        ("  - email: maja", "  - mail: x\n    email: maja", "people[4].mail", "spelt right"),
        ("[organisation_admin]", "[boss]", "people[0].roles.IKT og e-helse[0]", "organisation_admin"),
        ("{Hjemmetjenesten sør: [booker]}", "{Nowhere: [booker]}", "people[4].roles.Nowhere", "No unit"),
        ("mon-thu:", "man-tor:", "people[1].diary.hours.man-tor", "mon-fri"),
        ("fri: [08.00-11.30]", "fri: [8-11]", "people[1].diary.hours.fri[0]", "08.00-15.30"),
        ("[pol, ukr]", "[polish]", "people[3].diary.languages[0]", "pol"),
        ("members: [henrik.solvpil@", "members: [tuva.lerkespor@", "teams[0].members[0]", "has no diary"),
        ("{role: performer, team: Sårteamet}", "{role: performer}", "services[0].needs[0]", "team or the person"),
        ("team: Tolkene}", "team: Tolken}", "services[0].needs[2].team", "No team"),
        ("scenario: wound-care", "scenario: wounds", "services[0].scenario", "It has: "),
        ("length_minutes: 30", "length_minutes: 31", "services[0].length_minutes", "multiple of 5"),
        ("length_minutes: 30", "providers: [whereby]", "services[0].providers[0]", "one of: builtin, fixed_link"),
        ("organisation: Elvebygd kommune,", "organisation: Fjell,", "services[0].agreements[0].organisation", "No org"),
        ("    title: Overlege\n", "    title: Overlege\n    title: Lege\n", "people[1].title", "twice"),
        ("    title: Overlege\n", '    title: "Over\\u202elege"\n', "people[1].title", "ordinary signs"),
        ("length_minutes: 30", "length_minutes: 2026-13-45", "services[0].length_minutes", "no date or number"),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_place(written, old, new, place, words):
    path = written((old, new))
    (told,) = faults(path)
    line = line_of(path, new.strip().splitlines()[-1].split(" #")[0] if "twice" in words else _mark(new))
    assert told.startswith(f"region.yaml, line {line}: {place}: ")
    assert words in told
    assert counts() == [0] * len(ALL)


def _mark(new: str) -> str:
    return new.strip().splitlines()[0].removeprefix("- ")


def test_every_fault_is_told_at_once(written):
    path = written(("kind: hospital_trust", "kind: palace"), ("fri: [08.00-11.30]", "fri: [8-11]"))
    assert len(faults(path)) == 2


@pytest.mark.parametrize(
    "text", ["", "organisations: [", "- a\n- b", "organisations: 3", "a: *b", "\x00", "a: &a [*a]", "[" * 3000]
)
def test_what_is_no_description_is_refused(tmp_path, text):
    path = tmp_path / "region.yaml"
    path.write_text(text)
    assert all(line.startswith("region.yaml, line ") for line in faults(path))


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        set_up(tmp_path / "nowhere.yaml")
