"""When a patient is reached in another way, her coming appointments are told so."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from .. import events
from ..models import Appointment, AppointmentEvent, AppointmentStatus, EventKind, ParticipantRole

SAYS_IT_ALL = [EventKind.BOOKED, EventKind.MOVED, EventKind.CONTACT_CHANGED]
"""After these the patient was written to as she was reached then."""


def note_contact_changes(*, now: datetime) -> int:
    """Write an event for every coming appointment of a patient whose contact details changed since she was written to.

    What waits for the old number is withdrawn with it, and she is told at the new one. Returns how many.
    """
    told = AppointmentEvent.objects.filter(
        appointment=OuterRef("pk"), kind__in=SAYS_IT_ALL, at__gte=OuterRef("patient__contact_changed_at")
    )
    stale = Appointment.objects.filter(
        ~Exists(told),
        patient_present=True,
        status=AppointmentStatus.BOOKED,
        starts_at__gt=now,
        patient__contact_changed_at__isnull=False,
    ).order_by("id")
    return sum(_note(pk, now) for pk in stale.values_list("pk", flat=True)[:500])


@transaction.atomic
def _note(pk: int, now: datetime) -> bool:
    """Of two sweepers at once, the second finds it told."""
    appointment = Appointment.objects.select_for_update(of=("self",), no_key=True).select_related("patient").get(pk=pk)
    if appointment.patient is None or not appointment.is_open:
        return False
    if appointment.events.filter(kind__in=SAYS_IT_ALL, at__gte=appointment.patient.contact_changed_at).exists():
        return False
    patient = appointment.participants.filter(role=ParticipantRole.PATIENT).first()
    if patient is None:
        return False
    events.record(appointment, EventKind.CONTACT_CHANGED, now=now, participant_uid=patient.uid)
    return True
