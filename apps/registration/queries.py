"""Which rule a session gets, and the clerks' lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.common.prepared import Prepared
from apps.organisations.models import MAY_REGISTER, Membership, Unit
from apps.scheduling.models import Appointment, ParticipantRole

from .house_rules import house_rules
from .models import CodeRule, Registration, RegistrationState
from .sheet import StoredRow, draw_up


class Rules:
    """The code rules in force, read once, to choose from for one session or for many."""

    def __init__(self, rules: Iterable[CodeRule] | None = None) -> None:
        self.rules = list(CodeRule.objects.all() if rules is None else rules)

    def choose(
        self, *, organisation_id: int, family: str, scenario: str, patient_present: bool, on: date
    ) -> CodeRule | None:
        """Return the most specific rule of that day: organisation before house, scenario before family before any."""
        fitting = [
            rule
            for rule in self.rules
            if rule.patient_present == patient_present
            and rule.organisation_id in {None, organisation_id}
            and rule.scenario in {"", scenario}
            and rule.family in {"", family}
            and rule.valid_from <= on
            and (rule.valid_to is None or rule.valid_to >= on)
        ]
        return max(fitting, key=_how_specific, default=None)

    def for_session(self, appointment: Appointment, unit: Unit) -> CodeRule | None:
        scenario = appointment.service_type.scenario
        return self.choose(
            organisation_id=unit.organisation_id,
            family=scenario.family,
            scenario=scenario.code,
            patient_present=appointment.patient_present,
            on=timezone.localdate(appointment.starts_at),
        )


def _how_specific(rule: CodeRule) -> tuple[bool, bool, bool, int]:
    return rule.organisation_id is not None, rule.scenario != "", rule.family != "", rule.version


def sheet_for(appointment: Appointment, *, unit: Unit, rule: CodeRule | None) -> list[StoredRow]:
    """Draw up the sheet of a session by a rule. It holds no patient data."""
    speciality = appointment.service_type.speciality
    return draw_up(
        rule.codes if rule else [],
        organisation_kind=unit.organisation.kind,
        speciality=speciality,
        speciality_text=house_rules().specialities.get(speciality, ""),
        interpreter_language=appointment.interpreter_language,
        interpreter_by_phone=appointment.interpreter_by_phone,
        video_url=video_url(appointment),
        reference=appointment.reference,
    )


def video_url(appointment: Appointment) -> str:
    """Return the text for DIPS's VideoUrl: the session's stable address for staff; it holds no secret."""
    return f"{settings.PUBLIC_URL}/rom/{appointment.reference}/"


def registered_before(moment: datetime) -> QuerySet[Appointment]:
    """Return the sessions that stand in DIPS since before."""
    settled = Registration.objects.filter(state=RegistrationState.REGISTERED, settled_at__lte=moment)
    return Appointment.objects.filter(pk__in=settled.values("appointment"))


def units_to_register_for(user: User, *, now: datetime) -> list[Unit]:
    memberships = Membership.objects.valid_on(timezone.localdate(now)).with_role(MAY_REGISTER).filter(user=user)
    return list(Unit.objects.filter(pk__in=memberships.values("unit_id")).select_related("organisation"))


@dataclass(frozen=True)
class Counts:
    awaiting: int
    registered: int
    not_needed: int
    oldest: datetime | None

    @property
    def total(self) -> int:
        return self.awaiting + self.registered + self.not_needed


def counts(registrations: QuerySet[Registration]) -> Counts:
    awaiting = Q(state=RegistrationState.AWAITING)
    found = registrations.order_by().aggregate(
        awaiting=Count("pk", filter=awaiting),
        registered=Count("pk", filter=Q(state=RegistrationState.REGISTERED)),
        not_needed=Count("pk", filter=Q(state=RegistrationState.NOT_NEEDED)),
        oldest=Min("held_at", filter=awaiting),
    )
    return Counts(**found)


def visible_registration(user: User, uid: UUID, *, now: datetime) -> Registration | None:
    """Return one that the user may register, with what its drawer shows."""
    return _VISIBLE.first(user_id=user.pk, today=timezone.localdate(now), uid=uid) if user.is_active else None


_VISIBLE = Prepared(
    lambda user_id, today, uid: Registration.objects.open_to(user_id, today).with_names().filter(uid=uid),
    user_id=int,
    today=date,
    uid=UUID,
)


def awaiting(user: User, *, now: datetime) -> int:
    """Return how many sessions wait for this user to register them."""
    return Registration.objects.visible_to(user, now=now).filter(state=RegistrationState.AWAITING).count()


def next_awaiting(user: User, *, now: datetime, after: Registration | None = None) -> Registration | None:
    """Return the session to register next: the oldest after this one, else the oldest of all."""
    waiting = Registration.objects.visible_to(user, now=now).filter(state=RegistrationState.AWAITING)
    waiting = waiting.order_by("held_at", "pk")
    if after is None:
        return waiting.first()
    waiting = waiting.exclude(pk=after.pk)
    if after.held_at is None:
        return waiting.first()
    later = waiting.filter(Q(held_at__gt=after.held_at) | Q(held_at=after.held_at, pk__gt=after.pk))
    return later.first() or waiting.first()


@dataclass(frozen=True)
class UnitBacklog:
    """What a unit has not registered yet."""

    unit: Unit
    awaiting: int
    oldest: datetime | None
    over_a_week: int
    without_contact_id: int


def backlog(user: User, *, now: datetime) -> list[UnitBacklog]:
    """Return what is missing in each unit that this user registers for, the longest waiting first."""
    units = units_to_register_for(user, now=now)
    week_ago = now - timedelta(days=7)
    awaiting = Q(state=RegistrationState.AWAITING)
    counted = (
        Registration.objects.filter(unit__in=units)
        .order_by()
        .values("unit_id")
        .annotate(
            awaiting=Count("pk", filter=awaiting),
            oldest=Min("held_at", filter=awaiting),
            over_a_week=Count("pk", filter=awaiting & Q(held_at__lt=week_ago)),
            without_contact_id=Count("pk", filter=Q(state=RegistrationState.REGISTERED, dips_contact_id="")),
        )
        .values_list("unit_id", "awaiting", "oldest", "over_a_week", "without_contact_id")
    )
    by_unit = {unit_id: rest for unit_id, *rest in counted}
    found = [UnitBacklog(unit, *by_unit.get(unit.pk, (0, None, 0, 0))) for unit in units]
    return sorted(found, key=lambda each: (each.oldest is None, each.oldest or now, each.unit.name))


@dataclass(frozen=True)
class Party:
    """Somebody who took part, as a clerk sees her."""

    role: str
    name: str
    title: str
    unit: str

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.name, self.title, self.unit]))


def parties(appointment: Appointment) -> list[Party]:
    """Return who took part besides the patient, the specialist first."""
    order = list(ParticipantRole.values)
    people = []
    for participant in appointment.participants.all():
        if participant.role == ParticipantRole.PATIENT:
            continue
        schedule = participant.schedule
        unit = schedule.unit if schedule else None
        people.append(
            Party(
                role=participant.role,
                name=(schedule.name if schedule else participant.guest_name) or "",
                title=schedule.title.lower() if schedule else participant.guest_relation,
                unit=", ".join(dict.fromkeys([unit.name, unit.organisation.name])) if unit else "",
            )
        )
    return sorted(people, key=lambda party: order.index(party.role))
