"""Doing what follows from events: each reaction once, in a transaction of its own."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from .. import events
from ..models import AppointmentEvent, Reaction

LOG = logging.getLogger(__name__)
LEASE: Final = timedelta(seconds=60)
LONGEST_WAIT: Final = timedelta(minutes=30)

CLAIM = """
UPDATE scheduling_appointmentevent SET retry_at = %(lease)s, attempts = attempts + 1
WHERE id = (
  SELECT event.id FROM scheduling_appointmentevent AS event
  WHERE event.reacted_at IS NULL AND (event.retry_at IS NULL OR event.retry_at <= %(now)s)
    AND NOT EXISTS (
      SELECT FROM scheduling_appointmentevent AS earlier
      WHERE earlier.appointment_id = event.appointment_id AND earlier.id < event.id AND earlier.reacted_at IS NULL)
  ORDER BY event.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def react_to_events(*, now: datetime) -> int:
    """Do what is owed at this moment for every event; return how many events were seen to."""
    done = 0
    while react_to_next_event(now=now):
        done += 1
    return done


def react_to_next_event(*, now: datetime) -> bool:
    """Do what is owed for the earliest event; say whether there was one.

    A reaction that fails is tried again later and does not stop the others; events of one
    appointment keep their order.
    """
    event = _claim_next(now)
    if event is None:
        return False
    _react(event, now)
    return True


def _claim_next(now: datetime) -> AppointmentEvent | None:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"now": now, "lease": now + LEASE})
        row = cursor.fetchone()
    if row is None:
        return None
    return AppointmentEvent.objects.select_related(
        "appointment__service_type__scenario",
        "appointment__patient",
        "appointment__requester_unit__organisation",
        "appointment__performer_unit__organisation",
    ).get(pk=row[0])


def _react(event: AppointmentEvent, now: datetime) -> None:
    failed = False
    for reaction in events.following(event.kind):
        name = events.reaction_name(reaction)
        try:
            with transaction.atomic():
                _kept, first = Reaction.objects.get_or_create(event=event, name=name, defaults={"at": now})
                if first:
                    reaction(event, now=now)
        except Exception:
            # One reaction must not keep the others from happening: it is logged by name and tried again.
            LOG.exception("reaction %s failed for event %s", name, event.pk)
            failed = True
    if failed:
        event.retry_at = now + min(LONGEST_WAIT, timedelta(seconds=10) * 2 ** min(event.attempts, 10))
        event.save(update_fields=["retry_at"])
    else:
        event.reacted_at, event.retry_at = now, None
        event.save(update_fields=["reacted_at", "retry_at"])
