"""A person's and a unit's agenda: what the door shows of it, and no more than it needs is read."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.organisations.models import Role, Unit
from apps.organisations.services import give_role
from apps.patients.models import SEALED, Patient
from apps.scheduling.models import Appointment, CancelReason, Schedule
from apps.scheduling.queries import agenda_of, next_start, of_unit, own_agenda_of, takes_part
from apps.scheduling.services import cancel_appointment
from tests.conftest import LONG_AGO
from tests.scheduling_cast import at

pytestmark = pytest.mark.django_db
Book = Callable[..., Appointment]
START, END = at("2026-03-03 00.00"), at("2026-03-04 00.00")


@pytest.fixture
def sessions(
    clock: Callable[[str], datetime],
    ada: Patient,
    bo: Patient,
    kari_diary: Schedule,
    amina_diary: Schedule,
    book: Book,
) -> list[Appointment]:
    clock("2026-03-02 09.00")
    return [
        book(bo, "2026-03-03 12.00", interpreter_language="som"),
        book(ada, "2026-03-03 10.00", requester=kari_diary),
        book(ada, "2026-03-04 10.00"),
        book(bo, "2026-03-02 10.00"),
    ]


def test_the_agenda_is_what_the_door_shows_of_hers_and_her_units(
    kari: User,
    berg: User,
    tor: User,
    amina: User,
    lie: User,
    home_care: Unit,
    wound_clinic: Unit,
    sessions: list[Appointment],
) -> None:
    units = [home_care, wound_clinic, amina.memberships.get().unit, None]
    listed = 0
    for user in (kari, berg, tor, amina, lie):
        seen = Appointment.objects.visible_to(user).overlapping(START, END).order_by("starts_at", "id")
        for unit in units:
            wanted = [one for one in seen if takes_part(one, user) or (unit is not None and of_unit(one, unit))]
            assert agenda_of(user, unit, START, END) == wanted
            listed += len(wanted)
        wanted = [one for one in seen if takes_part(one, user) or one.booked_by_id == user.pk]
        assert own_agenda_of(user, START, END) == wanted
        listed += len(wanted)
    assert listed > len(sessions)


def test_who_works_in_two_units_sees_the_one_that_she_is_in(
    tor: User, wound_clinic: Unit, other_home_care: Unit, sessions: list[Appointment]
) -> None:
    give_role(user=tor, unit=other_home_care, role=Role.CLERK, valid_from=LONG_AGO)
    assert agenda_of(tor, wound_clinic, START, END) == [sessions[1], sessions[0]]
    assert agenda_of(tor, other_home_care, START, END) == []


def test_a_session_that_reaches_over_midnight_is_on_both_days(
    kari: User, home_care: Unit, sessions: list[Appointment]
) -> None:
    late = sessions[1]
    Appointment.objects.filter(pk=late.pk).update(
        starts_at=END - timedelta(minutes=20), ends_at=END + timedelta(minutes=20)
    )
    assert late in agenda_of(kari, home_care, START, END)
    assert late in agenda_of(kari, home_care, END, END + timedelta(days=1))
    assert late not in agenda_of(kari, home_care, END + timedelta(minutes=20), END + timedelta(days=1))


def test_who_has_left_has_no_agenda(kari: User, home_care: Unit, sessions: list[Appointment]) -> None:
    assert agenda_of(kari, home_care, START, END)
    kari.is_active = False
    assert agenda_of(kari, home_care, START, END) == own_agenda_of(kari, START, END) == []
    assert next_start(kari, home_care, START, END) is None


def test_the_next_is_the_first_that_stands(kari: User, home_care: Unit, lie: User, sessions: list[Appointment]) -> None:
    assert next_start(kari, home_care, START, END) == at("2026-03-03 10.00")
    cancel_appointment(appointment=sessions[1], reason=CancelReason.NOT_NEEDED, actor=kari, now=at("2026-03-02 09.00"))
    assert next_start(kari, home_care, START, END) == at("2026-03-03 12.00")
    assert next_start(lie, lie.memberships.get().unit, START, END) is None


def test_a_list_brings_its_people_and_opens_nobodys_number(
    kari: User,
    home_care: Unit,
    sessions: list[Appointment],
    django_assert_num_queries: Callable[[int], object],
) -> None:
    with django_assert_num_queries(2):
        listed = agenda_of(kari, home_care, START, END)
        assert [len(one.coming) for one in listed] == [3, 4]
        assert {person.appointment.patient for one in listed for person in one.coming} == {
            one.patient for one in listed
        }
        assert [one.form_filled for one in listed] == [False, False]
    assert listed[0].service_type is listed[1].service_type, "what sessions share is read once"
    assert listed[0].patient is not None
    assert set(SEALED) - listed[0].patient.get_deferred_fields() == {"address"}
