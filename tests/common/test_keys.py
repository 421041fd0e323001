"""A new key of FIELD_KEYS takes over all that is stored, so that the old one can be taken out."""

import base64
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts.models import Authenticator
from apps.common import health, keys
from apps.common.crypto import key_ids
from apps.patients.models import Patient

OLD = base64.urlsafe_b64encode(b"tests-only-field-key-32-bytes!!!").decode()
NEW = base64.urlsafe_b64encode(b"tests-only-the-new-key-32-bytes!").decode()
LOST = base64.urlsafe_b64encode(b"tests-only-a-lost-key-32-bytes!!").decode()

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(settings, ada, bo, kari):
    """Two patients and an authenticator under the old key, which is no longer the first."""
    assert settings.FIELD_KEYS == [OLD]
    settings.FIELD_KEYS = [NEW, OLD]
    return [ada, bo]


def reencrypt(*arguments):
    out = StringIO()
    call_command("reencrypt", *arguments, stdout=out)
    return out.getvalue()


def column(name):
    return next(field for field in keys.encrypted_columns() if keys.name_of(field) == name)


def test_everything_is_written_under_the_first_key_and_the_old_one_can_go(stored, settings, kari):
    before = Authenticator.objects.get(user=kari).key
    said = reencrypt()
    assert "patients_patient.phone: 2 written anew." in said
    assert "Key 2 of FIELD_KEYS is not needed for anything stored: it can be taken out." in said
    settings.FIELD_KEYS = [NEW]
    assert {patient.phone for patient in Patient.objects.all()} == {patient.phone for patient in stored}
    assert Authenticator.objects.get(user=kari).key == before


def test_what_is_said_tells_nothing_of_what_is_stored(stored):
    said = reencrypt()
    for secret in (stored[0].phone, stored[0].national_id, NEW, OLD):
        assert secret not in said


def test_counting_writes_nothing(stored):
    said = reencrypt("--count")
    assert "written anew" not in said
    assert "Key 2 of FIELD_KEYS opens" in said
    assert set(keys.used(column("patients_patient.phone"))) == {key_ids()[1]}


def test_every_encrypted_column_is_among_them():
    names = {keys.name_of(field) for field in keys.encrypted_columns()}
    assert {
        "patients_patient.national_id",
        "scheduling_photo.image",
        "scheduling_formanswers.answers",
        "messaging_outboxmessage.body",
        "accounts_authenticator.key",
        "accounts_keptanswer.answer",
    } <= names


def test_cut_off_it_goes_on_where_it_was(stored, monkeypatch):
    monkeypatch.setattr(keys, "BATCH", 1)
    phone = column("patients_patient.phone")
    assert next(keys.write_anew(phone)) == 1
    assert sorted(keys.used(phone).values()) == [1, 1]
    assert sum(keys.write_anew(phone)) == 1
    assert set(keys.used(phone)) == {key_ids()[0]}


def test_a_value_under_a_key_that_is_lost_is_counted_and_stays(stored, settings, bo):
    settings.FIELD_KEYS = [LOST]
    Patient.objects.filter(pk=bo.pk).update(phone="+4700010009")
    settings.FIELD_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=r"No key of FIELD_KEYS opens these values: 1 in patients_patient\.phone\."):
        reencrypt()
    settings.FIELD_KEYS = [LOST, NEW]
    assert Patient.objects.get(pk=bo.pk).phone == "+4700010009"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_is_writing_is_not_waited_for_and_not_overwritten(settings, ada, bo):
    other = connection.copy()
    settings.FIELD_KEYS = [NEW, OLD]
    phone = column("patients_patient.phone")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE patients_patient SET phone = NULL WHERE id = %s", [ada.pk])
            assert sum(keys.write_anew(phone)) == 1
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert sum(keys.write_anew(phone)) == 0
    assert Patient.objects.get(pk=ada.pk).phone is None
    assert Patient.objects.get(pk=bo.pk).phone == bo.phone


def test_a_process_whose_keys_open_nothing_is_not_ready(client, kari, settings, monkeypatch):
    monkeypatch.setattr(health, "_seen_opened", False)
    settings.FIELD_KEYS = [NEW]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["faults"]) == (503, {"keys": "FIELD_KEYS open nothing that is stored"})
    settings.FIELD_KEYS = [NEW, OLD]
    assert client.get("/readyz").status_code == 200


def test_an_empty_database_needs_no_key(client, settings, monkeypatch):
    monkeypatch.setattr(health, "_seen_opened", False)
    settings.FIELD_KEYS = [NEW]
    assert client.get("/readyz").status_code == 200


def test_a_start_with_the_keys_of_another_installation_is_stopped(kari, settings):
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(CommandError, match="open nothing that is stored"):
        call_command("prepare", verbosity=0)


def test_a_start_with_another_index_key_is_stopped_before_patients_are_made_anew(ada, settings):
    call_command("prepare", verbosity=0)
    settings.INDEX_KEY = base64.urlsafe_b64encode(b"another installation's index key").decode()
    with pytest.raises(CommandError, match="INDEX_KEY finds no patient"):
        call_command("prepare", verbosity=0)
