"""Organisations, their units, and who works where as what."""

import uuid
from collections.abc import Collection
from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class OrganisationKind(models.TextChoices):
    MUNICIPALITY = "municipality", _("municipality")
    HOSPITAL_TRUST = "hospital_trust", _("hospital trust")
    GP_OFFICE = "gp_office", _("GP office")
    INTERPRETER_AGENCY = "interpreter_agency", _("interpreter agency")


class UnitKind(models.TextChoices):
    HOME_CARE = "home_care", _("home care")
    NURSING_HOME = "nursing_home", _("nursing home")
    HEALTH_HOUSE = "health_house", _("health house")
    WARD = "ward", _("hospital ward")
    OUTPATIENT_CLINIC = "outpatient_clinic", _("outpatient clinic")
    GP_OFFICE = "gp_office", _("GP office")
    INTERPRETER_SERVICE = "interpreter_service", _("interpreter service")
    ADMINISTRATION = "administration", _("administration")


class Organisation(models.Model):
    """Who runs it (FHIR Organization): municipality, hospital trust, GP office, interpreter agency."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=24, choices=OrganisationKind)
    number = models.CharField(_("organisation number"), max_length=9, unique=True)
    sms_sender = models.CharField(max_length=11, default="Videotime")
    phone = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="organisation_kind_known", condition=Q(kind__in=OrganisationKind.values)),
        ]

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A part of an organisation where people work (FHIR Organization, partOf).

    `public_name` and `phone` are what a patient is told before she has proved who she is:
    never a name that betrays an illness.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="units")
    name = models.CharField(max_length=120)
    public_name = models.CharField(max_length=60)
    kind = models.CharField(max_length=24, choices=UnitKind)
    phone = models.CharField(max_length=20)
    address = models.CharField(max_length=160, blank=True)
    resh_id = models.CharField("RESH-id", max_length=10, blank=True)
    her_id = models.CharField("HER-id", max_length=10, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(name="unit_name_is_one_in_its_organisation", fields=["organisation", "name"]),
            models.CheckConstraint(name="unit_kind_known", condition=Q(kind__in=UnitKind.values)),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    BOOKER = "booker", _("booker")
    CLINICIAN = "clinician", _("clinician")
    INTERPRETER = "interpreter", _("interpreter")
    CLERK = "clerk", _("clerk")
    SUPER_USER = "super_user", _("super user")
    DIPS_COORDINATOR = "dips_coordinator", _("DIPS coordinator")
    ROLLOUT_LEAD = "rollout_lead", _("rollout lead")
    UNIT_MANAGER = "unit_manager", _("unit manager")
    ORGANISATION_ADMIN = "organisation_admin", _("organisation administrator")
    SYSTEM_OWNER = "system_owner", _("system owner")


MAY_BOOK: frozenset[str] = frozenset({Role.BOOKER, Role.CLINICIAN, Role.SUPER_USER, Role.UNIT_MANAGER})
MAY_SEE_PATIENTS: frozenset[str] = MAY_BOOK | {Role.CLERK, Role.DIPS_COORDINATOR}
MAY_REGISTER: frozenset[str] = frozenset({Role.CLERK, Role.DIPS_COORDINATOR, Role.SUPER_USER})

MAY_KEEP_DIARIES: frozenset[str] = frozenset({Role.SUPER_USER, Role.UNIT_MANAGER})
"""Who says for others of her unit when they are away."""

MAY_SEE_ACCESS: frozenset[str] = frozenset(
    {Role.UNIT_MANAGER, Role.ORGANISATION_ADMIN, Role.ROLLOUT_LEAD, Role.SYSTEM_OWNER}
)
MAY_GIVE: dict[str, frozenset[str]] = {
    Role.UNIT_MANAGER: frozenset({Role.BOOKER, Role.CLINICIAN, Role.INTERPRETER, Role.CLERK, Role.SUPER_USER}),
    Role.ORGANISATION_ADMIN: frozenset(Role.values),
}
"""Which roles each may give and end: in her unit a manager, in all the organisation's an administrator."""


class MembershipQuerySet(models.QuerySet["Membership"]):
    def valid_on(self, day: date) -> Self:
        return self.not_over(day).filter(valid_from__lte=day)

    def not_over(self, day: date) -> Self:
        """Leave out what had its last day before this one; what is yet to begin stays."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=day))

    def with_role(self, roles: Collection[str]) -> Self:
        return self.filter(role__in=roles)


class Membership(models.Model):
    """A user works in a unit as something, for a time (FHIR PractitionerRole). Days in Europe/Oslo."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="memberships")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=24, choices=Role)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["unit_id", "role"]
        constraints = [
            models.UniqueConstraint(name="membership_given_once", fields=["user", "unit", "role"]),
            models.CheckConstraint(name="membership_role_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(
                name="membership_ends_after_it_begins",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.unit_id}"
