"""A prepared queryset gives what the queryset gives, whatever the values."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from apps.accounts.models import User
from apps.common.prepared import AnyOf, Prepared
from apps.organisations.models import Membership, Role
from apps.organisations.services import give_role
from apps.patients.models import Patient
from tests.conftest import LONG_AGO

pytestmark = pytest.mark.django_db


def memberships(user_id: int, today: date):
    return (
        Membership.objects.valid_on(today)
        .with_role([Role.BOOKER, Role.CLERK])
        .filter(user=user_id)
        .select_related("unit__organisation", "user")
        .order_by("-id")
    )


def test_rows_and_what_is_fetched_along_are_the_same(kari, tor, wound_clinic, django_assert_num_queries):
    give_role(user=kari, unit=wound_clinic, role=Role.CLERK, valid_from=LONG_AGO, valid_to=date(2026, 3, 2))
    prepared = Prepared(memberships, user_id=int, today=date)
    for user in (kari, tor):
        for today in (date(2026, 3, 2), date(2026, 3, 3), LONG_AGO - timedelta(days=1)):
            with django_assert_num_queries(1):
                found = [
                    (one.pk, one.role, one.user.email, one.unit.name, one.unit.organisation.name, one.valid_to)
                    for one in prepared(user_id=user.pk, today=today)
                ]
            wanted = [
                (one.pk, one.role, one.user.email, one.unit.name, one.unit.organisation.name, one.valid_to)
                for one in memberships(user.pk, today)
            ]
            assert found == wanted


def test_encrypted_columns_are_opened(ada, bo):
    by_uid = Prepared(lambda uid: Patient.objects.filter(uid=uid), uid=UUID)
    by_index = Prepared(lambda index: Patient.objects.filter(person_index=index), index=bytes)
    for patient in (ada, bo):
        assert by_uid.first(uid=patient.uid).national_id == patient.national_id
        assert by_index.first(index=bytes(patient.person_index)).phone == patient.phone
    assert by_uid.first(uid=uuid4()) is None


def test_what_is_fetched_can_be_changed_and_saved(ada):
    by_uid = Prepared(lambda uid: Patient.objects.filter(uid=uid), uid=UUID)
    found = by_uid.first(uid=ada.uid)
    found.given_name = "Ida"
    found.save(update_fields=["given_name"])
    ada.refresh_from_db()
    assert ada.given_name == "Ida"


def test_a_value_is_bound_and_never_written_into_the_text(ada):
    by_name = Prepared(lambda name: Patient.objects.filter(given_name=name), name=str)
    assert by_name(name="Ada") == [ada]
    assert by_name(name="' OR 1=1 --") == []


def test_a_value_that_the_queryset_loses_is_found_at_once(db):
    with pytest.raises(AssertionError, match="lost"):
        Prepared(lambda name: Patient.objects.all(), name=str)(name="Ada")


def test_what_the_queryset_prefetches_comes_along(kari, tor, django_assert_num_queries):
    by_id = Prepared(lambda pk: User.objects.filter(pk=pk).prefetch_related("memberships__unit"), pk=int)
    for user in (kari, tor):
        with django_assert_num_queries(3):
            units = [one.unit.name for one in by_id.first(pk=user.pk).memberships.all()]
        assert units == [one.unit.name for one in user.memberships.select_related("unit")]


def test_words_that_are_always_the_same_are_written_in_whatever_they_hold(kari):
    odd = r"it's 100%s \ $1"
    prepared = Prepared(lambda user_id: User.objects.filter(pk=user_id).exclude(given_name=odd), user_id=int)
    assert prepared.first(user_id=kari.pk) == kari
    User.objects.filter(pk=kari.pk).update(given_name=odd)
    assert prepared.first(user_id=kari.pk) is None


def test_what_rows_share_is_one_object_and_what_is_missing_is_none(kari, tor, home_care, wound_clinic):
    give_role(user=kari, unit=home_care, role=Role.CLERK, valid_from=LONG_AGO)
    give_role(user=kari, unit=wound_clinic, role=Role.CLERK, valid_from=LONG_AGO)
    first, second, third = Prepared(memberships, user_id=int, today=date)(user_id=kari.pk, today=date(2026, 3, 3))
    assert first.user is second.user is third.user
    assert [one.unit for one in (first, second, third)] == [wound_clinic, home_care, home_care]
    assert second.unit is third.unit
    assert first.unit is not second.unit
    with_record = Prepared(lambda pk: User.objects.filter(pk=pk).select_related("schedule"), pk=int)
    assert not hasattr(with_record.first(pk=kari.pk), "schedule")


def test_a_list_may_hold_any_number_of_numbers(kari, tor, django_assert_num_queries):
    some = Prepared(lambda users: User.objects.filter(AnyOf("id", users)).order_by("id"), users=list)
    for users in ([], [kari], [kari, tor]):
        with django_assert_num_queries(1):
            assert some(users=[one.pk for one in users]) == users
