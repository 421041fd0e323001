"""Between tests that commit, the database is emptied without standing in a circle with a page that is not through yet."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from apps.audit.models import AccessRecord
from apps.organisations.models import Organisation
from tests.management.commands import flush


@pytest.mark.django_db(transaction=True)
def test_a_page_under_way_is_waited_for_and_takes_its_tables_in_any_order(hospital, monkeypatch):
    refused = Event()
    sleep = flush.time.sleep

    def wait(seconds):
        refused.set()
        sleep(seconds)

    monkeypatch.setattr(flush.time, "sleep", wait)

    def empty():
        try:
            call_command("flush")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            Organisation.objects.update(phone="")  # of the tables that are locked in order of name one late,
            emptying = other.submit(empty)
            assert refused.wait(10)
            assert not AccessRecord.objects.exists()  # and the first
        emptying.result(60)
    assert not Organisation.objects.exists()
