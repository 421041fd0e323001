"""Schedules of people: made when they are first needed."""

from apps.accounts.models import User
from apps.common.prepared import Prepared
from apps.common.writing import insert_unless_there
from apps.organisations.models import Unit
from apps.patients.models import Patient

from ..models import Schedule, ScheduleKind


def schedule_for_user(user: User, *, unit: Unit | None) -> Schedule:
    """Return the user's own schedule; one without opening rules is made for somebody who had none."""
    if (known := _OF_USER.first(user_id=user.pk)) is not None:
        return known
    schedule, _made = Schedule.objects.get_or_create(
        user=user,
        defaults={
            "kind": ScheduleKind.CLINICIAN,
            "name": user.name,
            "title": user.title,
            "unit": unit,
            "always_open": True,
        },
    )
    return schedule


def schedule_for_patient(patient: Patient) -> Schedule:
    """Return the person's schedule, the same in every organisation that knows her; it is made where there is none."""
    schedule = Schedule(person_index=patient.person_index, kind=ScheduleKind.PATIENT, always_open=True)
    if insert_unless_there(schedule):
        return schedule
    return Schedule.objects.get(person_index=patient.person_index)


_OF_USER = Prepared(lambda user_id: Schedule.objects.filter(user=user_id), user_id=int)
