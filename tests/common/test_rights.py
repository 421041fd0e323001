"""As whom the product works from day to day: she writes rows, and can undo neither the access log nor the constraints."""

import pytest
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connection, transaction
from psycopg.errors import InsufficientPrivilege

from portal.rights import KEPT, admit

ROLE = "videotime_tests_everyday"


@pytest.fixture
def everyday(db):
    """Do what she may, as she."""
    admit(ROLE, "of / its # own", using=DEFAULT_DB_ALIAS)

    def do(statement):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {ROLE}; SET LOCAL videotime.retention = on")
            cursor.execute(statement)

    return do


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_accessrecord SET reason = ''",
        "DELETE FROM audit_accessrecord",
        "DELETE FROM audit_auditseal",
        "DELETE FROM scheduling_appointmentevent",
        "TRUNCATE audit_accessrecord CASCADE",
        "TRUNCATE patients_patient CASCADE",
        "ALTER TABLE audit_accessrecord DISABLE TRIGGER ALL",
        "ALTER TABLE scheduling_occupancy DROP CONSTRAINT occupancy_schedule_is_in_one_place_at_a_time",
        "DROP TABLE patients_patient",
        "CREATE TABLE public.mine (id int)",
        "CREATE ROLE another SUPERUSER",
        "COPY patients_patient TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
        "DELETE FROM django_migrations",
    ],
)
def test_what_must_stand_is_not_hers_to_undo(everyday, statement):
    """Not even with the switch of retention, which anybody can set."""
    with pytest.raises(ProgrammingError) as refusal:
        everyday(statement)
    assert isinstance(refusal.value.__cause__, InsufficientPrivilege)
    assert "append-only" not in str(refusal.value), "refused by a trigger, not for want of the right"


def test_she_works_with_the_rows_of_every_other_table(everyday):
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE")
    hers = " AND ".join(f"has_table_privilege('{ROLE}', oid, '{right}')" for right in rights)
    assert _found(
        f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT ({hers})"
    ) == set(KEPT)


def test_what_is_written_once_is_kept_from_her_as_well_as_by_its_trigger(db):
    watched = _found("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%append_only'")
    assert watched
    assert watched <= set(KEPT)


def test_whoever_is_let_in_again_gets_the_new_password_and_it_is_not_sent_as_it_is(everyday):
    before = _found(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ROLE}'")
    admit(ROLE, "another", using=DEFAULT_DB_ALIAS)
    after = _found(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ROLE}'")
    assert before != after
    assert all(secret.startswith("SCRAM-SHA-256$") for secret in before | after)


def test_owner_and_everyday_role_are_two(db):
    (owner,) = _found("SELECT current_user")
    with pytest.raises(CommandError, match="give each its own"):
        admit(owner, "", using=DEFAULT_DB_ALIAS)


def test_an_owner_who_may_not_make_roles_says_what_to_do(everyday):
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
    with pytest.raises(CommandError, match="CREATE ROLE nobody_yet LOGIN"):
        admit("nobody_yet", "", using=DEFAULT_DB_ALIAS)


def _found(question):
    with connection.cursor() as cursor:
        cursor.execute(question)
        return {name for (name,) in cursor.fetchall()}
