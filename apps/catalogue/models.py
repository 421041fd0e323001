"""What can be booked: scenarios as templates, and the service types that units have switched on."""

import uuid
from datetime import timedelta
from typing import Any, Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

LONGEST_MINUTES: Final = 480


class PortalUse(models.TextChoices):
    BOOK = "book", _("booked ahead")
    SAME_DAY = "same_day", _("set up the same day")
    NOT_OFFERED = "not_offered", _("not offered here")


class Provider(models.TextChoices):
    """Who makes the rooms; `apps/rooms/providers/registry.py` has one for each name."""

    BUILTIN = "builtin"
    FIXED_LINK = "fixed_link"


class Identification(models.TextChoices):
    """How a guest proves who she is before the waiting room (Normen, faktaark 54)."""

    LINK = "link", _("link only, recognised on video")
    BIRTH_DATE = "birth_date", _("link and birth date")
    SMS_CODE = "sms_code", _("link and code by text message")


def in_language(texts: dict[str, Any]) -> str:
    """Return the text in the active language; nn falls back to nb, anything else to en, then nb."""
    language = (get_language() or "nb")[:2]
    return str(texts.get(language) or (texts.get("en") if language not in {"nb", "nn", "se"} else None) or texts["nb"])


class Scenario(models.Model):
    """One of the catalogue's 37 kinds of video session, as loaded from `data/scenarios.yaml`.

    Codes never change once loaded. Service types are made from it and may differ.
    """

    code = models.SlugField(max_length=60, unique=True)
    names = models.JSONField()
    family = models.SlugField(max_length=32)
    kind = models.SlugField(max_length=16)
    priority = models.PositiveSmallIntegerField()
    portal_use = models.CharField(max_length=12, choices=PortalUse)
    form = models.SlugField(max_length=40)
    settings = ArrayField(models.SlugField(max_length=32), default=list)
    remote_roles = ArrayField(models.SlugField(max_length=40), default=list)
    local_roles = ArrayField(models.SlugField(max_length=40), default=list)
    defaults = models.JSONField()

    class Meta:
        ordering = ["priority", "code"]
        constraints = [
            models.CheckConstraint(name="scenario_use_known", condition=Q(portal_use__in=PortalUse.values)),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        return in_language(self.names)


class ServiceTypeQuerySet(models.QuerySet["ServiceType"]):
    def active(self) -> Self:
        return self.filter(active=True)


class ServiceType(models.Model):
    """What a unit offers (FHIR HealthcareService): a scenario switched on and tuned.

    Lengths in minutes are multiples of five. `names` may be overridden per language.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="service_types")
    scenario = models.ForeignKey(Scenario, models.PROTECT, related_name="service_types")
    names = models.JSONField()
    active = models.BooleanField(default=True)
    length_minutes = models.PositiveSmallIntegerField(default=30)
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0)
    start_grid_minutes = models.PositiveSmallIntegerField(default=15)
    shortest_notice_minutes = models.PositiveIntegerField(default=60)
    horizon_days = models.PositiveSmallIntegerField(default=42)
    patient_present = models.BooleanField(default=True)
    patient_joins_alone = models.BooleanField(default=False)
    interpreter_possible = models.BooleanField(default=True)
    photo_upload = models.BooleanField(default=False)
    identification = models.CharField(max_length=12, choices=Identification, default=Identification.BIRTH_DATE)
    patient_may_move = models.BooleanField(default=True)
    patient_may_cancel = models.BooleanField(default=True)
    patient_change_notice_hours = models.PositiveSmallIntegerField(default=24)
    form = models.SlugField(max_length=40)
    providers = ArrayField(models.CharField(max_length=20), default=list)
    speciality = models.CharField(_("fagområde (NPR episodefag)"), max_length=3, blank=True)

    objects = ServiceTypeQuerySet.as_manager()

    class Meta:
        ordering = ["scenario__priority", "id"]
        constraints = [
            models.UniqueConstraint(name="service_type_is_one_in_its_unit", fields=["unit", "scenario"]),
            models.CheckConstraint(name="service_type_horizon_is_a_day_or_more", condition=Q(horizon_days__gte=1)),
            models.CheckConstraint(
                name="service_type_length_on_the_grid",
                condition=Q(length_minutes__gte=5, length_minutes__lte=LONGEST_MINUTES)
                & Q(length_minutes=F("length_minutes") / 5 * 5),
            ),
            models.CheckConstraint(
                name="service_type_buffers_on_the_grid",
                condition=Q(
                    buffer_before_minutes=F("buffer_before_minutes") / 5 * 5,
                    buffer_after_minutes=F("buffer_after_minutes") / 5 * 5,
                    buffer_before_minutes__lte=120,
                    buffer_after_minutes__lte=120,
                ),
            ),
            models.CheckConstraint(
                name="service_type_starts_on_a_grid", condition=Q(start_grid_minutes__in=[5, 10, 15, 20, 30, 60])
            ),
            models.CheckConstraint(
                name="service_type_identification_known", condition=Q(identification__in=Identification.values)
            ),
            models.CheckConstraint(
                name="service_type_providers_known", condition=Q(providers__contained_by=Provider.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return in_language(self.names)

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.length_minutes)

    @property
    def shortest_notice(self) -> timedelta:
        return timedelta(minutes=self.shortest_notice_minutes)

    @property
    def patient_change_notice(self) -> timedelta:
        return timedelta(hours=self.patient_change_notice_hours)


class AgreementMode(models.TextChoices):
    DIRECT = "direct", _("booked directly")
    ON_REQUEST = "on_request", _("booked on request")


class Agreement(models.Model):
    """This service may be booked by that organisation. The unit's own organisation needs none."""

    service_type = models.ForeignKey(ServiceType, models.CASCADE, related_name="agreements")
    organisation = models.ForeignKey("organisations.Organisation", models.PROTECT, related_name="agreements")
    mode = models.CharField(max_length=12, choices=AgreementMode, default=AgreementMode.DIRECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="agreement_is_one_per_organisation", fields=["service_type", "organisation"]),
            models.CheckConstraint(name="agreement_mode_known", condition=Q(mode__in=AgreementMode.values)),
        ]

    def __str__(self) -> str:
        return f"{self.service_type_id} {self.organisation_id}"
