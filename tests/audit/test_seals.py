"""The access log takes inserts only, and its seals find what was changed behind its back."""

import ast
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.audit import services
from apps.audit.models import WHAT, AccessRecord, Action, AuditSeal
from apps.audit.queries import access_log_check
from apps.audit.services import Actor, record_access, seal_records

pytestmark = pytest.mark.django_db


def write(count: int) -> None:
    for number in range(count):
        record_access(actor=Actor(id=7, label="Kari Kvist"), action=Action.READ, what="patient", reason=str(number))


def sealed() -> int:
    """Seal what is there without waiting for clocks that could be set back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "MARGIN", timedelta(0))
        return seal_records(now=timezone.now())


def behind_the_back(statement: str) -> None:
    """Change rows as somebody with the database's password could, past the trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_accessrecord DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_accessrecord ENABLE TRIGGER USER")


def test_a_record_cannot_be_changed():
    write(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AccessRecord.objects.update(actor_label="somebody else")


@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id + 1", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["audit_accessrecord", "audit_auditseal"])
def test_neither_records_nor_seals_are_changed_or_removed(table, statement):
    write(1)
    sealed()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL videotime.retention = 'off'")
        with pytest.raises(DatabaseError, match=f"{table} is append-only"), transaction.atomic():
            cursor.execute(statement.format(table))


def test_sealed_records_are_counted_and_hold():
    write(3)
    assert sealed() == 3
    write(2)
    found = access_log_check()
    assert (found.holds, found.sealed, found.unsealed) == (True, 3, 2)


def test_sealing_again_goes_on_from_the_last_seal():
    write(2)
    sealed()
    write(2)
    assert sealed() == 2
    assert sealed() == 0
    assert AuditSeal.objects.count() == 2
    assert access_log_check().holds


def test_fresh_records_wait_until_no_open_transaction_can_slip_one_in_between():
    write(2)
    assert seal_records(now=timezone.now()) == 0


@pytest.fixture
def elsewhere(transactional_db):
    """Another connection to the same database."""
    other = connection.copy()
    yield other
    other.close()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_writer_whose_clock_is_behind_does_not_make_the_log_look_tampered_with(elsewhere, monkeypatch):
    write(1)
    with elsewhere.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "INSERT INTO audit_accessrecord (at, actor_label, role, unit_label, action, what, what_reference, reason)"
            " VALUES (now(), '', '', '', 'read', 'patient', '', 'between')"
        )
        behind = timezone.now() - timedelta(minutes=5)
        monkeypatch.setattr(timezone, "now", lambda: behind)
        write(1)
        assert sealed() == 1, "what was written before the transaction that is still open"
        cursor.execute("COMMIT")
    assert sealed() == 2
    assert access_log_check().holds


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_forgot_its_transaction_is_ended_and_sealing_goes_on(elsewhere):
    with elsewhere.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
        cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
        cursor.execute("BEGIN")
        write(1)
        assert sealed() == 0
        time.sleep(0.5)
        assert sealed() == 1
        with pytest.raises(DatabaseError):
            cursor.execute("COMMIT")


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_accessrecord SET reason = 'none' WHERE id = (SELECT min(id) + 1 FROM audit_accessrecord)",
        "UPDATE audit_accessrecord SET at = at - interval '1 day' WHERE id = (SELECT max(id) FROM audit_accessrecord)",
        "DELETE FROM audit_accessrecord WHERE id = (SELECT min(id) + 1 FROM audit_accessrecord)",
        "DELETE FROM audit_accessrecord WHERE id = (SELECT max(id) FROM audit_accessrecord)",
        "DELETE FROM audit_accessrecord",
    ],
)
def test_tampering_with_a_sealed_record_is_found(tampering):
    write(4)
    sealed()
    behind_the_back(tampering)
    found = access_log_check()
    assert not found.holds
    with pytest.raises(CommandError, match="was changed"):
        call_command("verify_access_log")


def test_the_command_says_that_the_log_is_whole():
    write(2)
    sealed()
    out = StringIO()
    call_command("verify_access_log", stdout=out)
    assert "2 sealed records, 0 not sealed yet" in out.getvalue()


def test_whatever_is_recorded_is_named_in_the_readers_language():
    """A code that `WHAT` does not know would stand in the log as it is, in English."""
    recorded = set()
    for path in Path("apps").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            said = [word.value for word in call.keywords if word.arg == "what"]
            said += [
                after
                for before, after in zip(call.args, call.args[1:], strict=False)
                if isinstance(before, ast.Attribute) and ast.unparse(before).startswith("Action.")
            ]
            recorded |= {one.value for one in said if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    assert {"form", "photos", "patient"} <= recorded
    assert recorded <= set(WHAT)
