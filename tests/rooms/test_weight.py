"""What a patient's telephone has to fetch before the video starts: at most 120 kB (ui, section 17)."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import find

from apps.rooms import services
from apps.rooms.models import Seat

from .conftest import BORN

pytestmark = pytest.mark.django_db

LIMIT = 120_000
LATIN = "vendor/files/inter-latin-wght-normal.woff2"
"""The typeface comes for every page; its further alphabets where they are written."""


def of_file(name):
    found = find(name)
    assert found, name
    return Path(found).read_bytes()


@pytest.fixture
def pages(ada_in, code_for, clock, client):
    """Her pages on the way in, and the one that says that it is too late to cancel."""
    code = code_for(ada_in)
    found = [client.get(f"/j/{code}/")]
    assert client.post(f"/j/{code}/inn/", BORN).status_code == 302
    found += [client.get(f"/mote/{ada_in.uid}/{step}/") for step in ("kamera", "avlys")]
    client.post(f"/mote/{ada_in.uid}/venterom/", {"camera": "yes", "microphone": "yes"})
    found.append(client.get(f"/mote/{ada_in.uid}/venterom/"))
    assert [answer.status_code for answer in found] == [200, 200, 403, 200]
    return [answer.content.decode() for answer in found]


def test_nothing_weighs_too_much_for_an_old_telephone(pages):
    for page in pages:
        files = set(re.findall(r'(?:src|href|data-icons)="/static/([^"#]+)', page)) | {LATIN}
        weight = len(gzip.compress(page.encode())) + sum(len(gzip.compress(of_file(name))) for name in files)
        assert weight <= LIMIT, {name: len(gzip.compress(of_file(name))) for name in files}


def test_the_icons_come_from_the_small_sprite_and_are_all_in_it(pages):
    sprite = of_file("vendor/aksel-icons-guests.svg").decode()
    for page in pages:
        named = re.findall(r"aksel-icons([-a-z]*)\.svg#(\w+)", page)
        assert named
        for which, name in named:
            assert which == "-guests", name
            assert f'id="{name}"' in sprite


def test_a_guest_in_the_call_sees_every_icon_of_its_buttons(ada_in, berg, berg_seat, code_for, clock, client, now):
    client.post(f"/j/{code_for(ada_in)}/inn/", BORN)
    client.post(f"/mote/{ada_in.uid}/venterom/", {"camera": "yes", "microphone": "yes"})
    waiting = Seat.objects.get(participant=ada_in)
    services.admit(seat=waiting, host=berg_seat, by=berg, arrival=waiting.waiting_since.isoformat(), now=now)
    page = client.get(f"/mote/{ada_in.uid}/rom/").content.decode()
    named = re.findall(r'href="/static/(vendor/[-\w]+\.svg)#(\w+)', page)
    assert {"Leave", "PersonGroup"} <= {name for _file, name in named}
    assert [name for file, name in named if f'id="{name}"' not in of_file(file).decode()] == []
