"""A key, whose it is and her work: one look-up, and true at every request."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import create_api_key, key_digest, revoke_api_key
from apps.organisations.models import Membership, Role
from apps.organisations.queries import key_with_work, memberships_of
from apps.organisations.services import give_role

pytestmark = pytest.mark.django_db


def found(plain: str):
    return key_with_work(key_digest(plain), timezone.now())


def test_each_of_several_keys_is_found_with_its_own_user(kari, tor, wound_clinic, django_assert_num_queries):
    now = timezone.now()
    made = [
        create_api_key(user=user, name="Journal", now=now, days=days) for user in (kari, tor, kari) for days in (0, 9)
    ]
    for key, plain in made:
        with django_assert_num_queries(1):
            one = found(plain)
            work = memberships_of(one.user, timezone.localdate())
        assert (one.pk, one.user_id, one.user.email, one.last_used_on) == (key.pk, key.user_id, key.user.email, None)
        assert [row.pk for row in work] == list(
            Membership.objects.valid_on(timezone.localdate())
            .filter(user=one.user)
            .order_by("pk")
            .values_list("pk", flat=True)
        )


def test_several_units_and_roles_come_along(kari, wound_clinic):
    give_role(user=kari, unit=wound_clinic, role=Role.CLERK, valid_from=timezone.localdate())
    _key, plain = create_api_key(user=kari, name="Journal", now=timezone.now())
    work = memberships_of(found(plain).user, timezone.localdate())
    assert {(row.unit.name, row.role) for row in work} >= {(wound_clinic.name, Role.CLERK)}
    assert len(work) == len({row.pk for row in work}) > 1


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda key: revoke_api_key(key=key, now=timezone.now()), id="revoked"),
        pytest.param(lambda key: key.delete(), id="deleted"),
        pytest.param(lambda key: User.objects.filter(pk=key.user_id).update(is_active=False), id="the user left"),
        pytest.param(
            lambda key: Membership.objects.filter(user=key.user_id).update(valid_to=timezone.localdate() - timedelta(days=1)),
            id="she works nowhere any more",
        ),
    ],
)  # fmt: skip
def test_what_ends_a_key_or_its_work_ends_it_at_once(kari, end):
    now = timezone.now()
    key, plain = create_api_key(user=kari, name="Journal", now=now, days=30)
    create_api_key(user=kari, name="Other", now=now)
    assert found(plain) == key
    end(key)
    assert found(plain) is None


def test_a_key_that_ran_out_is_none(kari):
    _key, plain = create_api_key(user=kari, name="Journal", now=timezone.now() - timedelta(days=31), days=30)
    assert found(plain) is None
