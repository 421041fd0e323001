"""Patients, how to reach them, and which units care for them."""

import uuid
from datetime import datetime
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.crypto import EncryptedTextField
from apps.common.languages import language_name


class IdentifierKind(models.TextChoices):
    """Identifier types as in Volven 8116; FHIR system urn:oid:2.16.578.1.12.4.1.4.x."""

    FNR = "FNR", _("national identity number")
    DNR = "DNR", _("D-number")
    HNR = "HNR", _("local help number")
    FHN = "FHN", _("common help number")
    NONE = "", _("none")


class Protection(models.TextChoices):
    """Address protection (Folkeregisteret adressebeskyttelse)."""

    OPEN = "open", _("open address")
    CONFIDENTIAL = "confidential", _("confidential address")
    STRICTLY = "strictly_confidential", _("strictly confidential address")


class ContactChannel(models.TextChoices):
    SMS = "sms", _("text message")
    EMAIL = "email", _("e-mail")
    NEXT_OF_KIN = "next_of_kin", _("next of kin")
    NONE = "none", _("no digital messages")


class InterpreterMode(models.TextChoices):
    SCREEN = "screen", _("by video")
    PHONE = "phone", _("by telephone")
    SIGN = "sign", _("sign language")


SEALED: Final = ("national_id", "phone", "phone_index", "email", "address")
"""The fields of a patient that tell her number and how she is reached: what does not show them does not read them."""


class Patient(models.Model):
    """A person who receives care (FHIR Patient), as one organisation knows her.

    Two organisations keep a record each; `person_index` is the same in both, so that she is
    never booked twice at one time, without either seeing the other's record.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey("organisations.Organisation", models.PROTECT, related_name="patients")
    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80)
    birth_date = models.DateField(_("date of birth"))
    identifier_kind = models.CharField(max_length=4, choices=IdentifierKind, blank=True, default=IdentifierKind.NONE)
    national_id = EncryptedTextField(null=True, blank=True)
    person_index = models.BinaryField(max_length=32)
    phone = EncryptedTextField(null=True, blank=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    email = EncryptedTextField(null=True, blank=True)
    address = EncryptedTextField(null=True, blank=True)
    language = models.CharField(_("language"), max_length=3, default="nob", help_text="ISO 639-3")
    interpreter_needed = models.BooleanField(default=False)
    interpreter_mode = models.CharField(max_length=8, choices=InterpreterMode, default=InterpreterMode.SCREEN)
    channel = models.CharField(max_length=12, choices=ContactChannel, default=ContactChannel.SMS)
    reserved = models.BooleanField(_("reserved against digital messages"), default=False)
    protection = models.CharField(max_length=24, choices=Protection, default=Protection.OPEN)
    contact_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="what was written before it is stale; empty when all is told"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["family_name", "given_name", "id"]
        constraints = [
            models.UniqueConstraint(
                name="patient_is_one_record_in_an_organisation", fields=["organisation", "person_index"]
            ),
            models.CheckConstraint(name="patient_channel_known", condition=Q(channel__in=ContactChannel.values)),
            models.CheckConstraint(name="patient_protection_known", condition=Q(protection__in=Protection.values)),
            models.CheckConstraint(
                name="patient_identifier_kind_known", condition=Q(identifier_kind__in=IdentifierKind.values)
            ),
            models.CheckConstraint(
                name="patient_identifier_has_a_kind",
                condition=Q(identifier_kind="", national_id__isnull=True)
                | (~Q(identifier_kind="") & Q(national_id__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="patient_by_birth_date", fields=["birth_date"]),
            models.Index(name="patient_by_person", fields=["person_index"]),
            models.Index(
                name="patient_to_be_told_anew",
                fields=["contact_changed_at"],
                condition=Q(contact_changed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    def known_before(self, now: datetime) -> bool:
        """Say whether she was registered before this moment: by the same number one person is registered once."""
        return self.created_at < now

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def identifier_spaced(self) -> str:
        """The number as people read it: six and five digits."""
        return f"{self.national_id[:6]} {self.national_id[6:]}" if self.national_id else ""

    @property
    def spoken_language(self) -> str:
        return language_name(self.language)

    @property
    def address_shown(self) -> str:
        """The address, where showing it puts nobody in danger."""
        return (self.address or "") if self.protection == Protection.OPEN else ""


class NextOfKin(models.Model):
    """Somebody close to the patient (FHIR RelatedPerson)."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="next_of_kin")
    name = EncryptedTextField()
    relation = models.CharField(_("relation"), max_length=40)
    phone = EncryptedTextField(null=True, blank=True)
    acts_for_patient = models.BooleanField(_("may act for the patient"), default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.relation}"


class CareRelation(models.Model):
    """A unit cares for a patient; who works there may see her (FHIR CareTeam)."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="care_relations")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="care_relations")
    since = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="care_relation_is_one_per_unit", fields=["patient", "unit"]),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.unit_id}"
