"""What the clerk types into DIPS for each held session, by rule, and that it was done."""

import uuid
from datetime import date, datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.organisations.models import MAY_REGISTER, Membership
from apps.scheduling.models import Appointment, Participant


class CodeRule(models.Model):
    """Which codes a session gets: dated, versioned, editable per organisation (null: the house default).

    The most specific rule wins: organisation before default, scenario before family before any.
    `codes` holds the sheet's rows that do not depend on the session, each with how sure it is
    (`certainty`) and where it comes from; house rules are loaded from `data/code_rules.yaml`.
    """

    organisation = models.ForeignKey(
        "organisations.Organisation", models.CASCADE, null=True, blank=True, related_name="code_rules"
    )
    family = models.SlugField(max_length=32, blank=True)
    scenario = models.SlugField(max_length=60, blank=True)
    patient_present = models.BooleanField()
    version = models.PositiveIntegerField(default=1)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    codes = models.JSONField()

    class Meta:
        ordering = ["family", "scenario", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                name="code_rule_is_one_per_case_and_version",
                fields=["organisation", "family", "scenario", "patient_present", "version"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="code_rule_valid_to_not_before_valid_from",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scenario or self.family or 'any'} v{self.version}"


class RegistrationState(models.TextChoices):
    NOT_HELD = "not_held", _("not held yet")
    AWAITING = "awaiting", _("awaits registration")
    REGISTERED = "registered", _("registered")
    NOT_NEEDED = "not_needed", _("is not registered")


class NotNeededReason(models.TextChoices):
    """Why a session is not registered: a list, so that nothing about a patient is typed here."""

    CANCELLED = "cancelled", _("The appointment was cancelled")
    NO_SHOW = "noshow", _("The patient did not attend")
    NOT_HELD = "not_held", _("The session was not held")
    IN_PERSON = "in_person", _("It was held with the patient in the room")
    BY_PHONE = "by_phone", _("It was held by telephone")
    ELSEWHERE = "elsewhere", _("It is registered in another system")
    TWICE = "twice", _("It is registered with another session")


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, user: User, *, now: datetime) -> Self:
        """Return what this user may register: sessions of the units where she is clerk or coordinator. The one door."""
        return self.open_to(user.pk, timezone.localdate(now)) if user.is_active else self.none()

    def open_to(self, user_id: int, today: date) -> Self:
        """Return what `visible_to` lets an active user see, for look-ups that are written out once."""
        clerk = Membership.objects.valid_on(today).with_role(MAY_REGISTER).filter(user=user_id)
        return self.filter(unit__in=clerk.values("unit_id"))

    def open(self) -> Self:
        """Return what nobody has settled yet."""
        return self.filter(state__in=[RegistrationState.NOT_HELD, RegistrationState.AWAITING])

    def with_names(self) -> Self:
        """Fetch along what the list and the sheet show.

        The appointments are a query of their own: eleven tables in one are more than PostgreSQL puts in order
        (`join_collapse_limit`), so that it joined all sessions there are before it looked whose they are.
        """
        appointments = Appointment.objects.select_related(
            "service_type__scenario", "patient", "performer_unit", "requester_unit__organisation"
        )
        participants = Participant.objects.select_related("schedule__unit__organisation")
        return self.select_related("unit__organisation", "settled_by").prefetch_related(
            models.Prefetch("appointment", appointments), models.Prefetch("appointment__participants", participants)
        )


class Registration(models.Model):
    """The registration of one session (FHIR Encounter to be): its sheet, and what DIPS answered.

    `unit` is the unit whose clerks register it; its organisation stands in `organisation` too, because
    a DIPS contact id is one session's within an organisation. `sheet` follows the code rules until the
    session is settled, then it stays as it was.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    appointment = models.OneToOneField("scheduling.Appointment", models.CASCADE, related_name="registration")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="registrations")
    organisation = models.ForeignKey("organisations.Organisation", models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=12, choices=RegistrationState, default=RegistrationState.NOT_HELD)
    rule = models.ForeignKey(CodeRule, models.PROTECT, null=True, related_name="+")
    sheet = models.JSONField(default=list)
    held_at = models.DateTimeField(null=True)
    dips_contact_id = models.CharField(max_length=20, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    not_needed_reason = models.CharField(max_length=12, choices=NotNeededReason, blank=True)
    version = models.PositiveIntegerField(default=0)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["held_at", "id"]
        constraints = [
            models.CheckConstraint(name="registration_state_known", condition=Q(state__in=RegistrationState.values)),
            models.CheckConstraint(
                name="registration_registered_has_a_time_and_a_person",
                condition=~Q(state=RegistrationState.REGISTERED)
                | Q(settled_at__isnull=False, settled_by__isnull=False),
            ),
            models.CheckConstraint(
                name="registration_not_needed_has_a_reason",
                condition=Q(state=RegistrationState.NOT_NEEDED, not_needed_reason__in=NotNeededReason.values)
                | (~Q(state=RegistrationState.NOT_NEEDED) & Q(not_needed_reason="")),
            ),
            models.CheckConstraint(
                name="registration_awaiting_was_held",
                condition=~Q(state__in=[RegistrationState.AWAITING, RegistrationState.REGISTERED])
                | Q(held_at__isnull=False),
            ),
            models.CheckConstraint(
                name="registration_dips_contact_is_digits",
                condition=Q(dips_contact_id="")
                | Q(dips_contact_id__regex=r"^[0-9]+$", state=RegistrationState.REGISTERED),
            ),
            models.UniqueConstraint(
                name="registration_dips_contact_is_one_sessions",
                fields=["organisation", "dips_contact_id"],
                condition=~Q(dips_contact_id=""),
            ),
        ]
        indexes = [models.Index(name="registration_by_unit", fields=["unit", "state", "held_at"])]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def is_settled(self) -> bool:
        return self.state in {RegistrationState.REGISTERED, RegistrationState.NOT_NEEDED}

    def undoable(self, now: datetime) -> bool:
        """Say whether it was settled by a person today: what was written then can still be taken back."""
        return (
            self.is_settled
            and self.settled_by_id is not None
            and self.settled_at is not None
            and timezone.localdate(self.settled_at) == timezone.localdate(now)
        )
