"""Whose time can be taken, when it is open, and the rows that take it."""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _


class ParticipantRole(models.TextChoices):
    """What somebody is in an appointment (FHIR Appointment.participant.type)."""

    PERFORMER = "performer", _("specialist")
    REQUESTER = "requester", _("with the patient")
    INTERPRETER = "interpreter", _("interpreter")
    PATIENT = "patient", _("patient")
    NEXT_OF_KIN = "next_of_kin", _("next of kin")
    GUEST = "guest", _("guest")
    EQUIPMENT = "equipment", _("equipment")


class ScheduleKind(models.TextChoices):
    CLINICIAN = "clinician", _("clinician")
    INTERPRETER = "interpreter", _("interpreter")
    PATIENT = "patient", _("patient")
    KIT = "kit", _("equipment")
    PLACE = "place", _("place")


class Schedule(models.Model):
    """Anything whose time can be taken (FHIR Schedule): clinician, interpreter, patient, kit, place.

    A patient's schedule belongs to the person (`person_index`), not to one organisation's record
    of her. `always_open` has no opening rules: patients and kit.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=ScheduleKind)
    name = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=80, blank=True)
    unit = models.ForeignKey(
        "organisations.Unit", models.PROTECT, null=True, blank=True, related_name="schedules", db_index=False
    )
    user = models.OneToOneField("accounts.User", models.PROTECT, null=True, blank=True, related_name="schedule")
    person_index = models.BinaryField(max_length=32, null=True, unique=True)
    languages = ArrayField(models.CharField(max_length=3), default=list, blank=True, help_text="ISO 639-3")
    interpreter_number = models.CharField(max_length=12, blank=True)
    always_open = models.BooleanField(default=False)
    works_on_holidays = models.BooleanField(default=False)
    hours_kept_here = models.BooleanField(
        default=False, db_default=False, help_text="people have changed its openings: the set-up file leaves them alone"
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(name="schedule_kind_known", condition=Q(kind__in=ScheduleKind.values)),
            models.CheckConstraint(
                name="schedule_of_a_patient_has_only_the_person",
                condition=(Q(kind=ScheduleKind.PATIENT, person_index__isnull=False, name="", user__isnull=True))
                | (~Q(kind=ScheduleKind.PATIENT) & Q(person_index__isnull=True)),
            ),
        ]
        indexes = [models.Index(name="schedule_by_unit_and_kind", fields=["unit", "kind"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Opening(models.Model):
    """When a schedule takes appointments (FHIR Slot free; RFC 7953 AVAILABLE).

    Wall time in Europe/Oslo: weekly (`weekday`, 0 is Monday, with validity) or on one date (`on`).
    One that ends before it starts ends on the day after: a night, or until midnight.
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="openings")
    weekday = models.PositiveSmallIntegerField(null=True, blank=True)
    on = models.DateField(null=True, blank=True)
    starts = models.TimeField()
    ends = models.TimeField()
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["schedule_id", "weekday", "on", "starts"]
        constraints = [
            models.CheckConstraint(name="opening_takes_time", condition=~Q(ends=F("starts"))),
            models.CheckConstraint(
                name="opening_is_weekly_or_on_a_date",
                condition=Q(weekday__isnull=False, weekday__lte=6, on__isnull=True)
                | Q(weekday__isnull=True, on__isnull=False, valid_from__isnull=True, valid_to__isnull=True),
            ),
            models.CheckConstraint(
                name="opening_valid_to_not_before_valid_from",
                condition=Q(valid_to__isnull=True) | Q(valid_from__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.weekday if self.on is None else self.on}"


class Absence(models.Model):
    """When a schedule is away (FHIR Slot busy-unavailable). Nobody is told why."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="absences", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(name="absence_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))),
        ]
        indexes = [models.Index(name="absence_by_schedule", fields=["schedule", "starts_at", "ends_at"])]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.starts_at:%Y-%m-%d}"


class TeamOrder(models.TextChoices):
    ORDERED = "ordered", _("in order")
    FAIR = "fair", _("shared fairly")


class Team(models.Model):
    """A pool of schedules, any one of which will do."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="teams")
    name = models.CharField(max_length=120)
    order = models.CharField(max_length=8, choices=TeamOrder, default=TeamOrder.FAIR)
    schedules = models.ManyToManyField(Schedule, through="TeamMember", related_name="teams")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(name="team_name_is_one_in_its_unit", fields=["unit", "name"]),
            models.CheckConstraint(name="team_order_known", condition=Q(order__in=TeamOrder.values)),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    team = models.ForeignKey(Team, models.CASCADE, related_name="members")
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="team_memberships")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(name="team_member_is_in_once", fields=["team", "schedule"]),
        ]

    def __str__(self) -> str:
        return f"{self.team_id} {self.schedule_id}"


class NeedSource(models.TextChoices):
    """Where the schedule that fills a need comes from."""

    TEAM = "team", _("any one of a team")
    SCHEDULE = "schedule", _("a named schedule")
    REQUESTER = "requester", _("the one who books, or a colleague she names")
    PATIENT = "patient", _("the patient")
    INTERPRETER = "interpreter", _("one of a team of interpreters, in the patient's language")


class Need(models.Model):
    """A role that must be present in a service, and who may fill it.

    An interpreter need counts only when an interpreter is asked for, and only for those of its
    team who speak the language. The team may be an agency's: it says whom this service may call.
    """

    service_type = models.ForeignKey("catalogue.ServiceType", models.CASCADE, related_name="needs")
    role = models.CharField(max_length=12, choices=ParticipantRole)
    source = models.CharField(max_length=12, choices=NeedSource)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="needs")
    schedule = models.ForeignKey(Schedule, models.PROTECT, null=True, blank=True, related_name="needs")
    label = models.CharField(max_length=60, blank=True)
    required = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["service_type_id", "position", "id"]
        constraints = [
            models.CheckConstraint(name="need_role_known", condition=Q(role__in=ParticipantRole.values)),
            models.CheckConstraint(
                name="need_names_what_its_source_says",
                condition=Q(
                    source__in=[NeedSource.TEAM, NeedSource.INTERPRETER], team__isnull=False, schedule__isnull=True
                )
                | Q(source=NeedSource.SCHEDULE, team__isnull=True, schedule__isnull=False)
                | Q(
                    source__in=[NeedSource.REQUESTER, NeedSource.PATIENT],
                    team__isnull=True,
                    schedule__isnull=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_type_id} {self.role}"


class OccupancyKind(models.TextChoices):
    APPOINTMENT = "appointment", _("appointment")
    HOLD = "hold", _("held")
    BUSY = "busy", _("busy elsewhere")


class Occupancy(models.Model):
    """The row that takes time: no two of one schedule overlap.

    `during` holds its start and not its end, buffers included. A row with `expires_at` in the past
    takes no time any more and is removed by whoever meets it.
    """

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="occupancies", db_index=False)
    during = DateTimeRangeField()
    kind = models.CharField(max_length=12, choices=OccupancyKind)
    appointment = models.ForeignKey(
        "scheduling.Appointment", models.CASCADE, null=True, blank=True, related_name="occupancies"
    )
    hold = models.ForeignKey("scheduling.Hold", models.CASCADE, null=True, blank=True, related_name="occupancies")
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="occupancy_schedule_is_in_one_place_at_a_time",
                expressions=[("schedule", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                name="occupancy_is_for_what_its_kind_says",
                condition=Q(
                    kind=OccupancyKind.APPOINTMENT,
                    appointment__isnull=False,
                    hold__isnull=True,
                    expires_at__isnull=True,
                )
                | Q(kind=OccupancyKind.HOLD, appointment__isnull=True, hold__isnull=False, expires_at__isnull=False)
                | Q(kind=OccupancyKind.BUSY, appointment__isnull=True, hold__isnull=True, expires_at__isnull=True),
            ),
            models.CheckConstraint(
                name="occupancy_has_both_ends_and_takes_time",
                condition=Q(during__isempty=False, during__lower_inf=False, during__upper_inf=False),
            ),
        ]
        indexes = [
            # all that the search reads: it need not look up each row, and a schedule's rows lie far apart
            models.Index(
                "schedule",
                Func("during", function="lower", output_field=models.DateTimeField()),
                include=["during", "expires_at", "hold", "appointment"],
                name="occupancy_by_schedule_and_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.kind}"
