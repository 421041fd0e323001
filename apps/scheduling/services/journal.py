"""The patient's log of an appointment and what belongs to it (pasientjournalforskriften § 14).

What is opened is noted: an appointment, its form, pictures, messages and links. A list of a unit's own work, by name and
time, is not: it would fill every log each time a page is drawn.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import transaction

from apps.audit.models import Action
from apps.audit.services import Actor, record_access, record_readings
from apps.common.retry import retry_on_deadlock

from ..models import Appointment

R = TypeVar("R")


def note_access(
    appointment: Appointment,
    action: Action,
    *,
    actor: Actor,
    what: str = "appointment",
    reason: str = "",
    knows_patient: bool = True,
) -> None:
    """Note that somebody read or changed it; who does not know the patient has not seen anything of hers."""
    patient = appointment.patient if knows_patient else None
    record_access(
        actor=actor,
        action=action,
        what=what,
        what_reference=appointment.reference,
        patient_uid=patient.uid if patient else None,
        reason=reason,
    )


def note_readings(appointments: Iterable[Appointment], *, actor: Actor, what: str) -> None:
    """Note that each of these was read, in one statement: of a list that shows more than names and times."""
    record_readings(actor, what, [(one.reference, one.patient.uid if one.patient else None) for one in appointments])


@retry_on_deadlock
@transaction.atomic
def change_and_note(appointment: Appointment, work: Callable[[], R], *, actor: Actor, what: str = "appointment") -> R:
    """Do a change and note it, both or neither; return what the change returns, and raise what it raises."""
    done = work()
    note_access(appointment, Action.CHANGE, actor=actor, what=what)
    return done
