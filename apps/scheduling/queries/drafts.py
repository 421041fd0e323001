"""What the pages of a booking under way need to know."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from psycopg.types.numeric import Int8

from apps.accounts.models import User
from apps.catalogue import questionnaire
from apps.catalogue.models import ServiceType
from apps.common.prepared import Prepared
from apps.common.rows import rows_of
from apps.organisations.models import Unit
from apps.patients.models import SEALED, CareRelation, Patient
from apps.patients.queries import patients_open_to, visible_patients

from ..models import (
    Appointment,
    BookingDraft,
    FormAnswers,
    Hold,
    Need,
    Participant,
    ParticipantRole,
    Photo,
    Schedule,
    ScheduleKind,
)
from .request import BookingRequest, Needed, Person

RECENT: Final = 6
ME, ALONE = "me", "alone"


_NEEDED = """
SELECT need.id, need.role, need.source, coalesce(nullif(need.label, ''), team.name, one.name, '') AS label,
       one.id, one.name, one.title
  FROM scheduling_need need
  LEFT JOIN scheduling_team team ON team.id = need.team_id
  LEFT JOIN LATERAL (
       SELECT named.id, named.name, named.title FROM scheduling_schedule named WHERE named.id = need.schedule_id
       UNION ALL
       SELECT beside.id, beside.name, beside.title
         FROM scheduling_teammember member
         JOIN scheduling_schedule beside ON beside.id = member.schedule_id AND beside.active
        WHERE member.team_id = need.team_id
  ) one ON true
 WHERE need.service_type_id = %(service_type)s::bigint AND need.source <> 'patient'
 ORDER BY need.position, need.id, one.name, one.id
"""


def drafts_of(user: User, unit: Unit) -> QuerySet[BookingDraft]:
    return _whole(_drafts(user.pk, unit.pk)).select_related("unit__organisation", "user")


def _drafts(user_id: Any, unit_id: Any) -> QuerySet[BookingDraft]:
    photos = Photo.objects.filter(draft=OuterRef("pk")).values("draft").values(count=Count("pk"))
    return (
        BookingDraft.objects.filter(user=user_id, unit=unit_id)
        .select_related("service_type", "patient", "hold")
        .annotate(
            own=Subquery(Schedule.objects.filter(user=OuterRef("user")).values("pk")),
            pictures=Coalesce(Subquery(photos), 0),
            usual=ArraySubquery(
                _performers_last_time(
                    OuterRef(OuterRef("patient__person_index")), OuterRef(OuterRef("service_type"))
                ).values("schedule_id")
            ),
        )
    )


def _whole(drafts: QuerySet[BookingDraft]) -> QuerySet[BookingDraft]:
    return drafts.select_related("service_type__scenario", "service_type__unit__organisation")


def draft_of(user: User, unit: Unit, uid: UUID, *, whole: bool = True) -> BookingDraft | None:
    """Return one of them; if not `whole`, without what the page of the times does not show."""
    draft = (_WHOLE_DRAFT if whole else _DRAFT).first(user_id=user.pk, unit_id=unit.pk, uid=uid)
    if draft is not None:
        draft.user, draft.unit = user, unit
    return draft


def hold_of(draft: BookingDraft) -> Hold | None:
    """Return the time that is held for a draft, also when it ran out."""
    return getattr(draft, "hold", None)


def photos_in(draft: BookingDraft) -> int:
    """Return how many pictures a draft had when it was read."""
    return int(draft.pictures)  # type: ignore[attr-defined]


def recent_patients(user: User, unit: Unit) -> list[Patient]:
    """Return the unit's patients, those last booked for first: a known patient is one tap away."""
    last = (
        Appointment.objects.filter(patient=OuterRef("pk"), requester_unit=unit)
        .order_by("-booked_at")
        .values("booked_at")
    )
    return list(
        visible_patients(user)
        .filter(Exists(CareRelation.objects.filter(patient=OuterRef("pk"), unit=unit)))
        .annotate(last_booked=Subquery(last[:1]))
        .order_by(F("last_booked").desc(nulls_last=True), "-created_at")[:RECENT]
    )


def needed(service_type_id: int) -> list[Needed]:
    """Return who must come, the patient left out: one query, since every page of a booking names them."""
    rows = rows_of(_NEEDED, {"service_type": Int8(service_type_id)})
    return [
        Needed.called(
            label,
            need_id=need_id,
            role=role,
            source=source,
            people=tuple(Person(*row[4:]) for row in of_need if row[4] is not None),
        )
        for (need_id, role, source, label), of_need in groupby(rows, key=itemgetter(0, 1, 2, 3))
    ]


def performers_of(service: ServiceType) -> QuerySet[Schedule]:
    """Return who performs a service, by name or in a team: whom one may ask for."""
    needs = Need.objects.filter(service_type=service, role=ParticipantRole.PERFORMER)
    named, teams = needs.filter(schedule=OuterRef("pk")), needs.filter(team__schedules=OuterRef("pk"))
    return Schedule.objects.filter(Exists(named) | Exists(teams), active=True)


def colleagues_schedules(unit: Unit, *, but: User) -> list[Schedule]:
    """Return the schedules of others in the unit who may be with the patient instead."""
    return list(
        Schedule.objects.filter(unit=unit, kind=ScheduleKind.CLINICIAN, active=True).exclude(user=but).order_by("name")
    )


def requester_schedule(draft: BookingDraft) -> Schedule | None:
    """Return whose time is taken to be with the patient; None when she is alone, or nobody has a schedule yet."""
    companion = draft.choices.get("companion", ALONE if draft.service_type.patient_joins_alone else ME)
    if companion == ALONE:
        return None
    if companion == ME:
        return _schedule_of(draft.user_id, draft.own)  # type: ignore[attr-defined]
    return Schedule.objects.filter(pk=companion, unit=draft.unit, kind=ScheduleKind.CLINICIAN, active=True).first()


def usual_for(draft: BookingDraft) -> tuple[int, ...]:
    """Return the same for a draft as it was read."""
    return tuple(draft.usual)  # type: ignore[attr-defined]


def own_schedule(user: User) -> Schedule | None:
    """Return the user's own schedule, if she has one."""
    return _OWN.first(user_id=user.pk)


def patient_with_usual(
    user: User, uid: UUID, service_type_id: int
) -> tuple[Patient | None, Schedule | None, tuple[int, ...]]:
    """Return a patient whom the user may see, the user's own schedule, and whom the patient met last time: one query.

    Nobody and nothing where she may not see the patient.
    """
    today = timezone.localdate()
    found = _PATIENT.first(user_id=user.pk, today=today, uid=uid, service_type_id=service_type_id)
    if found is None or not user.is_active:
        return None, None, ()
    return found, _schedule_of(user.pk, found.own), tuple(found.usual)  # type: ignore[attr-defined]


def _schedule_of(user_id: int, own: int | None) -> Schedule | None:
    return Schedule.from_db(DEFAULT_DB_ALIAS, ["id", "user_id"], [own, user_id]) if own else None


def _performers_last_time(person_index: Any, service_type_id: Any) -> QuerySet[Participant]:
    last = (
        Appointment.objects.live()
        .filter(patient__person_index=person_index, service_type=service_type_id)
        .order_by("-starts_at")
        .values("pk")[:1]
    )
    return Participant.objects.filter(appointment=last, role=ParticipantRole.PERFORMER, schedule__isnull=False)


def _with_usual(patients: QuerySet[Patient], user_id: int, service_type_id: int) -> QuerySet[Patient]:
    met = _performers_last_time(OuterRef(OuterRef("person_index")), service_type_id)
    return patients.annotate(
        own=Subquery(Schedule.objects.filter(user=user_id).values("pk")),
        usual=ArraySubquery(met.values("schedule_id")),
    )


def _draft(user_id: Any, unit_id: Any, uid: Any) -> QuerySet[BookingDraft]:
    return _drafts(user_id, unit_id).filter(uid=uid).order_by()


# How a patient is reached and her number stay sealed where times are looked at.
_UNUSED: Final = [f"patient__{name}" for name in (*SEALED, "contact_changed_at", "created_at", "updated_at")]
_DRAFT = Prepared(lambda **by: _draft(**by).defer(*_UNUSED), user_id=int, unit_id=int, uid=UUID)
_WHOLE_DRAFT = Prepared(lambda **by: _whole(_draft(**by)), user_id=int, unit_id=int, uid=UUID)
_OWN = Prepared(lambda user_id: Schedule.objects.filter(user=user_id), user_id=int)
_PATIENT = Prepared(
    lambda user_id, today, uid, service_type_id: _with_usual(
        patients_open_to(user_id, today).filter(uid=uid), user_id, service_type_id
    ),
    user_id=int,
    today=date,
    uid=UUID,
    service_type_id=int,
)


def request_of_draft(draft: BookingDraft, requester: Schedule | None) -> BookingRequest:
    choices = draft.choices
    return BookingRequest(
        service_type=draft.service_type,
        requester_unit=draft.unit,
        patient=draft.patient,
        requester=requester,
        interpreter_language=choices.get("interpreter", ""),
        interpreter_by_phone=bool(choices.get("by_phone")),
        prefer=usual_for(draft),
        only=(choices["only"],) if choices.get("only") else (),
        length_minutes=choices.get("length"),
        patient_joins_alone=choices.get("companion") == ALONE if "companion" in choices else None,
        place=choices.get("place", "home"),
    )


def last_answers(user: User, patient: Patient, form: str) -> FormAnswers | None:
    """Return the patient's latest answers to a form, among the appointments whose forms she may read."""
    return (
        FormAnswers.objects.filter(
            form=form, appointment__in=Appointment.objects.known_to(user).filter(patient=patient)
        )
        .select_related("appointment")
        .order_by("-appointment__starts_at")
        .first()
    )


def carried_over(user: User, draft: BookingDraft) -> tuple[dict[str, list[str]], datetime | None]:
    """Return what of the last form still holds, as typed, and when that was; nothing is asked twice."""
    form = draft.service_type.form
    if draft.patient is None or not questionnaire.has_form(form):
        return {}, None
    last = last_answers(user, draft.patient, form)
    if last is None or last.form_version != questionnaire.version(form):
        return {}, None
    lasting: Iterable[str] = questionnaire.lasting(form)
    stable: dict[str, Any] = {slug: last.answers[slug] for slug in lasting if slug in last.answers}
    if not stable:
        return {}, None
    return questionnaire.written(form, stable), last.appointment.starts_at
