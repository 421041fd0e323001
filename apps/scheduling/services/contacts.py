"""When a patient is reached in another way, her coming appointments are told so."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.patients.models import Patient

from .. import events
from ..models import Appointment, AppointmentEvent, AppointmentStatus, EventKind, Participant, ParticipantRole

SAYS_IT_ALL = [EventKind.BOOKED, EventKind.MOVED, EventKind.CONTACT_CHANGED]
"""After these the patient was written to as she was reached then."""


def note_contact_changes(*, now: datetime) -> int:
    """Write an event for every coming appointment of a patient whose contact details changed since she was written to.

    What waits for the old number is withdrawn with it, and she is told at the new one. Returns how many. Mostly
    nobody's have changed, and then it is one look into an index that is empty.
    """
    if not Patient.objects.filter(contact_changed_at__isnull=False).exists():
        return 0
    noted = sum(_note(pk, now) for pk in _stale(now).order_by("id").values_list("pk", flat=True)[:500])
    _forget_the_told(now)
    return noted


def _stale(now: datetime) -> QuerySet[Appointment]:
    told = AppointmentEvent.objects.filter(
        appointment=OuterRef("pk"), kind__in=SAYS_IT_ALL, at__gte=OuterRef("patient__contact_changed_at")
    )
    present = Participant.objects.filter(appointment=OuterRef("pk"), role=ParticipantRole.PATIENT)
    return Appointment.objects.filter(
        ~Exists(told),
        Exists(present),
        patient_present=True,
        status=AppointmentStatus.BOOKED,
        starts_at__gt=now,
        patient__contact_changed_at__isnull=False,
    )


@transaction.atomic
def _forget_the_told(now: datetime) -> None:
    """Take the mark off who has nothing coming that is still to be told.

    One whose details are being changed at this moment is locked, and one marked anew since it was read has another mark.
    What is being booked is written to by its own reaction, which begins after the commit and reads how she is reached
    by then.
    """
    told = Patient.objects.filter(~Exists(_stale(now).filter(patient=OuterRef("pk"))), contact_changed_at__isnull=False)
    marked = dict(told.order_by("pk").values_list("pk", "contact_changed_at")[:1000])
    locked = Patient.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=marked).order_by("pk")
    same = [pk for pk, changed_at in locked.values_list("pk", "contact_changed_at") if changed_at == marked[pk]]
    Patient.objects.filter(pk__in=same).update(contact_changed_at=None)


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
