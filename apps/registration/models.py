"""What the clerk types into DIPS for each held session, by rule, and that it was done."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CodeRule(models.Model):
    """Which codes a session gets: dated, versioned, editable per organisation (null: the house default).

    The most specific rule wins: organisation before default, scenario before family before any.
    Every value carries how sure it is (`certainty`), from the sources named in `data/code_rules.yaml`.
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
        ]

    def __str__(self) -> str:
        return f"{self.scenario or self.family or 'any'} v{self.version}"


class RegistrationState(models.TextChoices):
    NOT_HELD = "not_held", _("not held yet")
    AWAITING = "awaiting", _("awaits registration")
    REGISTERED = "registered", _("registered")
    NOT_NEEDED = "not_needed", _("is not registered")


class Registration(models.Model):
    """The registration of one session (FHIR Encounter to be): its sheet, and what DIPS answered."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    appointment = models.OneToOneField("scheduling.Appointment", models.CASCADE, related_name="registration")
    state = models.CharField(max_length=12, choices=RegistrationState, default=RegistrationState.NOT_HELD)
    rule = models.ForeignKey(CodeRule, models.PROTECT, null=True, related_name="+")
    sheet = models.JSONField(default=list)
    held_at = models.DateTimeField(null=True)
    dips_contact_id = models.CharField(max_length=40, blank=True)
    registered_at = models.DateTimeField(null=True)
    registered_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    not_needed_reason = models.CharField(max_length=120, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="registration_registered_has_a_time",
                condition=~Q(state=RegistrationState.REGISTERED)
                | Q(registered_at__isnull=False, registered_by__isnull=False),
            ),
            models.UniqueConstraint(
                name="registration_dips_contact_is_one_sessions",
                fields=["dips_contact_id"],
                condition=~Q(dips_contact_id=""),
            ),
            models.CheckConstraint(name="registration_state_known", condition=Q(state__in=RegistrationState.values)),
        ]
        indexes = [models.Index(name="registration_by_state", fields=["state", "held_at"])]

    def __str__(self) -> str:
        return str(self.uid)
