"""Every address stands in the table of doors.py, and each visitor meets there what the table says."""

import uuid
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.patients.models import NextOfKin, Patient
from apps.scheduling.models import Absence, Appointment, BookingDraft, Opening, Photo
from apps.scheduling.services import GuestInput

from .conftest import sign_in
from .doors import TABLE, VISITORS

pytestmark = pytest.mark.django_db

NOT_OURS = {"api-1"}
"""The API has a door table of its own: tests/api/test_doors.py."""


def named_addresses() -> Iterator[str]:
    def walk(resolver: URLResolver, space: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            if isinstance(entry, URLResolver):
                if entry.namespace not in NOT_OURS:
                    yield from walk(entry, f"{space}{entry.namespace}:" if entry.namespace else space)
            elif isinstance(entry, URLPattern):
                yield f"{space}{entry.name}"

    return walk(get_resolver(), "")


def test_every_address_is_in_the_table():
    assert set(named_addresses()) == set(TABLE)


@pytest.fixture
def world(
    book: Callable[..., Appointment],
    react: Callable[..., int],
    ada: Patient,
    kari: User,
    berg: User,
    tor: User,
    amina: User,
    lie: User,
    ola: User,
    wound_review: Any,
) -> dict[str, Any]:
    """One of everything: Kari's booking for Ada with Dr Berg and Amina, its photo, guest and registration, and a draft."""
    from apps.rooms.services import link_for

    appointment = book(
        ada,
        "2026-03-03 10.00",
        interpreter_language="som",
        guests=[GuestInput(name="Dina", relation="datter", phone="+4700010009")],
        answers={"question": "Hva nå?"},
    )
    react()
    photo = Photo.objects.create(
        appointment=appointment,
        image=b"jpeg",
        thumbnail=b"jpeg",
        width=1,
        height=1,
        uploaded_by=kari,
        uploaded_at=appointment.booked_at,
    )
    draft = BookingDraft.objects.create(user=kari, unit=appointment.requester_unit, service_type=wound_review)
    draft_photo = Photo.objects.create(
        draft=draft, image=b"j", thumbnail=b"j", width=1, height=1, uploaded_by=kari, uploaded_at=appointment.booked_at
    )
    patient_seat = appointment.participants.get(role="patient")
    guest = appointment.participants.get(role="next_of_kin")
    return {
        "reference": appointment.reference,
        "appointment": appointment,
        "patient": ada.uid,
        "kin_id": NextOfKin.objects.create(patient=ada, name="Dina", relation="datter").pk,
        "absence": Absence.objects.create(
            schedule=kari.schedule,
            starts_at=timezone.now() + timedelta(days=90),
            ends_at=timezone.now() + timedelta(days=91),
        ).pk,
        "opening": Opening.objects.create(schedule=kari.schedule, weekday=6, starts=time(3), ends=time(4)).pk,
        "photo": photo.uid,
        "draft": draft.uid,
        "draft_photo": draft_photo.uid,
        "registration": appointment.registration.uid,
        "participant": patient_seat.uid,
        "guest": guest.uid,
        "membership": kari.memberships.get().pk,
        "code": link_for(patient_seat, now=appointment.booked_at).rstrip("/").rsplit("/", 1)[-1],
    }


def address_of(name: str, world: dict[str, Any]) -> str:
    """Fill in an address with what belongs to it in this world."""
    given: dict[str, Any] = {
        "reference": world["reference"],
        "code": world["code"],
        "session_id": 0,
        "kin_id": world["kin_id"],
        "membership": world["membership"],
        "absence": world["absence"],
        "opening": world["opening"],
        "secret": "wrong",
        "uidb36": "1",
        "key": "wrong",
    }
    special = {
        "patients": world["patient"],
        "registration": world["registration"],
        "scheduling:appointments_of": world["patient"],
        "scheduling:photo": world["photo"],
        "scheduling:photo_thumbnail": world["photo"],
        "scheduling:remove_guest": world["guest"],
        "rooms": world["participant"],
    }
    space = name.split(":", maxsplit=1)[0]
    for pattern in ("uid", "draft", "photo", "participant", "patient"):
        given[pattern] = world.get(pattern, special.get(name, special.get(space)))
    given["uid"] = special.get(name, special.get(space))
    if name.startswith("scheduling:booking"):
        given["uid"], given["photo"] = world["draft"], world["draft_photo"]
    if space == "demo":
        given["reference"] = uuid.uuid4()
    names = _arguments(name)
    return reverse(name, kwargs={key: given[key] for key in names})


def _arguments(name: str) -> list[str]:
    space, _, last = name.rpartition(":")
    resolver = get_resolver()
    if space:
        return list(resolver.namespace_dict[space][1].reverse_dict.getlist(last)[0][0][0][1])
    return list(resolver.reverse_dict.getlist(last)[0][0][0][1])


def visit(visitor: str, people: dict[str, User]) -> Client:
    client = Client(raise_request_exception=True)
    if visitor == "half":
        client.force_login(people["kari"])
    elif visitor != "nobody":
        sign_in(client, people[visitor])
    return client


def met(response: HttpResponse) -> str:
    """Return the table's letter for an answer; a fault in the house has no letter."""
    if response.status_code in {302, 303} and response.headers["Location"].startswith("/logg-inn/"):
        return "s"
    if response.status_code == 401:
        return "s"
    if response.status_code in {403, 404}:
        return "c"
    assert response.status_code < 500
    assert response.status_code != 405, "the table names a method that this address does not take"
    return "o"


@pytest.mark.parametrize("visitor", VISITORS)
def test_each_visitor_meets_what_the_table_says(visitor, world, kari, berg, tor, amina, lie, ola):
    people = {"kari": kari, "berg": berg, "tor": tor, "amina": amina, "lie": lie, "ola": ola}
    found = {}
    for name, door in TABLE.items():
        address = address_of(name, world)
        with transaction.atomic():
            client = visit(visitor, people)
            found[name] = met(client.get(address) if door.method == "GET" else client.post(address))
            transaction.set_rollback(True)
    assert found == {name: door.expected()[visitor] for name, door in TABLE.items()}
