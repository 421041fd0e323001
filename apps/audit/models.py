"""Who saw or changed what: append-only, values only, so that it outlives what it names."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    READ = "read", _("read")
    CREATE = "create", _("created")
    CHANGE = "change", _("changed")
    EXPORT = "export", _("exported")
    REFUSED = "refused", _("was refused")
    SIGN_IN = "sign_in", _("signed in")
    SIGN_OUT = "sign_out", _("signed out")


WHAT: Final[dict[str, Promise]] = {
    "access-log": _("access log"),
    "appointment": _("appointment"),
    "appointment-cancelled": _("the appointment was cancelled"),
    "appointment-time": _("time of the appointment"),
    "care-relation": _("care relation"),
    "booking": _("booking"),
    "dips-list": _("DIPS list"),
    "dips-registration": _("registration"),
    "dips-sheet": _("registration sheet"),
    "form": _("form"),
    "link": _("link"),
    "membership": _("access"),
    "messages": _("messages"),
    "next-of-kin": _("next of kin"),
    "password": _("password"),
    "patient": _("patient card"),
    "patient-search": _("patient search"),
    "photo": _("photo"),
    "photos": _("photos"),
    "registration": _("registration"),
    "session": _("session"),
}
"""What access records are about, as people read it; other apps' codes are shown as they are."""


class AccessRecord(models.Model):
    """One reading or change of a patient's data (pasientjournalforskriften § 14; FHIR AuditEvent).

    Ids and labels are copied as values. The table takes INSERT only (triggers of the migration
    `0002_append_only`); `AuditSeal` chains what has been written, so that tampering shows. `at` is
    the clock of the machine that wrote it; `written_at` is the database's, by which it is sealed.
    """

    at = models.DateTimeField(db_index=True)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=200)
    role = models.CharField(max_length=40, blank=True)
    unit_id = models.BigIntegerField(null=True)
    unit_label = models.CharField(max_length=200, blank=True)
    patient_uid = models.UUIDField(null=True, db_index=True)
    action = models.CharField(max_length=16, choices=Action)
    what = models.CharField(max_length=60)
    what_reference = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    origin = models.GenericIPAddressField(null=True)
    written_at = models.DateTimeField(null=True, editable=False, db_default=models.Func(function="CLOCK_TIMESTAMP"))

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="access_record_action_known", condition=Q(action__in=Action.values)),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.what}"

    @property
    def what_label(self) -> str:
        return str(WHAT.get(self.what, self.what))


class AuditSeal(models.Model):
    """The hash chain over access records: each seal covers the records after the seal before it.

    Sealing afterwards keeps bookings from queueing behind one another for the chain's end.
    """

    first_record_id = models.BigIntegerField(unique=True)
    last_record_id = models.BigIntegerField(unique=True)
    digest = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="audit_seal_covers_a_record", condition=Q(last_record_id__gte=models.F("first_record_id"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_record_id}-{self.last_record_id}"
