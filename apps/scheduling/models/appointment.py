"""The agreed time, who takes part, and its history."""

import uuid
from datetime import date, datetime, timedelta
from typing import Final, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalogue.models import LONGEST_MINUTES
from apps.common.codes import new_reference, normalise_reference
from apps.common.crypto import EncryptedBytesField, EncryptedJSONField, EncryptedTextField
from apps.organisations.models import MAY_SEE_PATIENTS, Membership

from .schedule import ParticipantRole

LONGEST: Final = timedelta(minutes=LONGEST_MINUTES)
LONGEST_TYPED: Final = 40


class AppointmentStatus(models.TextChoices):
    """FHIR R4 Appointment.status, so that registration needs no translation."""

    BOOKED = "booked", _("booked")
    ARRIVED = "arrived", _("under way")
    FULFILLED = "fulfilled", _("completed")
    NO_SHOW = "noshow", _("did not attend")
    CANCELLED = "cancelled", _("cancelled")
    ENTERED_IN_ERROR = "entered-in-error", _("entered in error")


DEAD: Final = (AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR)


class CancelReason(models.TextChoices):
    PATIENT = "patient", _("the patient asked for it")
    CLINICIAN = "clinician", _("the specialist cannot come")
    INTERPRETER = "interpreter", _("the interpreter cannot come")
    NOT_NEEDED = "not_needed", _("no longer needed")
    ILL = "ill", _("the patient is too ill")
    OTHER = "other", _("another reason")


class PlaceOfPatient(models.TextChoices):
    HOME = "home", _("at home")
    NURSING_HOME = "nursing_home", _("nursing home")
    HEALTH_HOUSE = "health_house", _("health house")
    WARD = "ward", _("hospital ward")
    OTHER = "other", _("somewhere else")


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, user: User, *, now: datetime | None = None) -> Self:
        """Return what this user's units take part in, or what she takes part in herself. The one door.

        Who works nowhere any more sees nothing, not even what she took part in.
        """
        return self.open_to(user.pk, timezone.localdate(now)) if user.is_active else self.none()

    def open_to(self, user_id: int, today: date) -> Self:
        """Return what `visible_to` lets an active user see, for look-ups that are written out once."""
        works = Membership.objects.valid_on(today).filter(user=user_id)
        units = works.with_role(MAY_SEE_PATIENTS).values("unit_id")
        takes_part = Participant.objects.filter(
            Q(schedule__user=user_id) | Q(schedule__unit__in=units), appointment=OuterRef("pk")
        )
        return self.filter(
            Exists(works), Q(requester_unit__in=units) | Q(performer_unit__in=units) | Exists(takes_part)
        )

    def known_to(self, user: User, *, now: datetime | None = None) -> Self:
        """Return those whose patient, form and pictures this user may know, and which she may change.

        To interpret, or to work where the interpreters do, shows that there is an appointment and no more.
        `queries.knows_patient` says the same of one that is at hand.
        """
        if not user.is_active:
            return self.none()
        units = Membership.objects.valid_on(timezone.localdate(now)).with_role(MAY_SEE_PATIENTS).filter(user=user)
        takes_part = Participant.objects.filter(
            Q(schedule__user=user) | Q(schedule__unit__in=units.values("unit_id")), appointment=OuterRef("pk")
        ).exclude(role=ParticipantRole.INTERPRETER)
        return self.filter(
            Exists(units),
            Q(requester_unit__in=units.values("unit_id"))
            | Q(performer_unit__in=units.values("unit_id"))
            | Exists(takes_part),
        )

    def called(self, typed: str) -> Self:
        """Return the one with this reference, as people write it; none for what is no reference."""
        written = normalise_reference(typed[:LONGEST_TYPED])
        return self.filter(reference=written) if written else self.none()

    def not_over(self, moment: datetime) -> Self:
        """Return what ends after the moment. The bound on the start lets an index leave the years before it alone."""
        return self.filter(ends_at__gt=moment, starts_at__gt=moment - LONGEST)

    def overlapping(self, start: datetime, end: datetime) -> Self:
        return self.not_over(start).filter(starts_at__lt=end)

    def live(self) -> Self:
        return self.exclude(status__in=DEAD)

    def with_names(self) -> Self:
        """Fetch along what every list shows."""
        return self.select_related(
            "service_type__scenario", "patient", "requester_unit", "performer_unit"
        ).prefetch_related(models.Prefetch("participants", Participant.objects.select_related("schedule__unit")))


class Appointment(models.Model):
    """The agreed time (FHIR Appointment; iCalendar VEVENT with UID `uid` and SEQUENCE `version`)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(max_length=12, default=new_reference, editable=False)
    service_type = models.ForeignKey("catalogue.ServiceType", models.PROTECT, related_name="appointments")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, null=True, blank=True, related_name="appointments")
    requester_unit = models.ForeignKey(
        "organisations.Unit", models.PROTECT, related_name="requested_appointments", db_index=False
    )
    performer_unit = models.ForeignKey(
        "organisations.Unit", models.PROTECT, related_name="performed_appointments", db_index=False
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=AppointmentStatus, default=AppointmentStatus.BOOKED)
    version = models.PositiveIntegerField(default=0)
    patient_present = models.BooleanField(default=True)
    patient_joins_alone = models.BooleanField(default=False)
    place = models.CharField(max_length=16, choices=PlaceOfPatient, default=PlaceOfPatient.HOME)
    interpreter_language = models.CharField(max_length=3, blank=True, help_text="ISO 639-3")
    interpreter_by_phone = models.BooleanField(default=False)
    booked_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="booked_appointments")
    booked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=12, choices=CancelReason, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.UniqueConstraint(name="appointment_reference_names_one", fields=["reference"]),
            models.CheckConstraint(name="appointment_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="appointment_takes_at_most_eight_hours", condition=Q(ends_at__lte=F("starts_at") + LONGEST)
            ),
            models.CheckConstraint(name="appointment_place_known", condition=Q(place__in=PlaceOfPatient.values)),
            models.CheckConstraint(name="appointment_status_known", condition=Q(status__in=AppointmentStatus.values)),
            models.CheckConstraint(
                name="appointment_cancelled_has_time_and_reason",
                condition=(Q(status=AppointmentStatus.CANCELLED, cancelled_at__isnull=False) & ~Q(cancel_reason=""))
                | (~Q(status=AppointmentStatus.CANCELLED) & Q(cancelled_at__isnull=True, cancel_reason="")),
            ),
            models.CheckConstraint(
                name="appointment_with_patient_present_has_a_patient",
                condition=Q(patient_present=False) | Q(patient__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="appointment_by_requester", fields=["requester_unit", "starts_at"]),
            models.Index(name="appointment_by_performer", fields=["performer_unit", "starts_at"]),
            models.Index(name="appointment_by_start", fields=["starts_at"]),
            models.Index(
                name="appointment_under_way", fields=["ends_at"], condition=Q(status=AppointmentStatus.ARRIVED)
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @cached_property
    def coming(self) -> "list[Participant]":
        """The participants as they are when first looked at; who books or lists has them at hand already."""
        return list(self.participants.all())

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at

    @property
    def stands(self) -> bool:
        """Say what `live` asks for: it was neither cancelled nor entered in error."""
        return self.status not in DEAD

    @property
    def is_open(self) -> bool:
        """Say whether it can still be moved or cancelled."""
        return self.status == AppointmentStatus.BOOKED

    @property
    def is_to_come(self) -> bool:
        """Say whether it has not been held yet, nor cancelled: what belongs to it can still be written."""
        return self.status in {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED}

    def is_still_on(self, now: datetime) -> bool:
        """Say whether somebody may still come, late or not: until its end it makes sense to send her the link."""
        return self.is_to_come and now < self.ends_at

    def changeable_by_patient(self, now: datetime) -> bool:
        return self.is_open and now <= self.starts_at - self.service_type.patient_change_notice


class Answer(models.TextChoices):
    """iCalendar PARTSTAT; FHIR Appointment.participant.status."""

    NEEDS_ACTION = "needs-action", _("not answered")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    TENTATIVE = "tentative", _("tentative")


class Participant(models.Model):
    """Somebody who takes part: a schedule (its person) or a guest by name."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="participants")
    role = models.CharField(max_length=12, choices=ParticipantRole)
    schedule = models.ForeignKey(
        "scheduling.Schedule", models.PROTECT, null=True, blank=True, related_name="participations"
    )
    guest_name = EncryptedTextField(null=True, blank=True)
    guest_relation = models.CharField(max_length=40, blank=True)
    guest_phone = EncryptedTextField(null=True, blank=True)
    guest_email = EncryptedTextField(null=True, blank=True)
    required = models.BooleanField(default=True)
    answer = models.CharField(max_length=14, choices=Answer, default=Answer.NEEDS_ACTION)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                name="participant_schedule_is_in_once",
                fields=["appointment", "schedule"],
                condition=Q(schedule__isnull=False),
            ),
            models.CheckConstraint(name="participant_role_known", condition=Q(role__in=ParticipantRole.values)),
            models.CheckConstraint(name="participant_answer_known", condition=Q(answer__in=Answer.values)),
            models.CheckConstraint(
                name="participant_is_a_schedule_or_a_named_guest",
                condition=Q(schedule__isnull=False) | Q(guest_name__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appointment_id} {self.role}"


class EventKind(models.TextChoices):
    BOOKED = "booked", _("booked")
    MOVED = "moved", _("moved")
    CANCELLED = "cancelled", _("cancelled")
    PARTICIPANT_ADDED = "participant_added", _("participant added")
    PARTICIPANT_REMOVED = "participant_removed", _("participant removed")
    CONTACT_CHANGED = "contact_changed", _("contact details changed")
    LINK_RENEWED = "link_renewed", _("new link given")
    LINK_REVOKED = "link_revoked", _("link taken back")
    STARTED = "started", _("started")
    ENDED = "ended", _("ended")
    NO_SHOW = "noshow", _("did not attend")


class AppointmentEvent(models.Model):
    """What happened to an appointment: append-only, and the source of all that follows.

    `portal/reactions.py` says what follows. What happened never changes; only how far its reactions have come does
    (`reacted_at`, `retry_at`, `attempts`).
    """

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20, choices=EventKind)
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    by_patient = models.BooleanField(default=False)
    old_starts_at = models.DateTimeField(null=True, blank=True)
    participant_uid = models.UUIDField(null=True, blank=True)
    reacted_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="appointment_event_kind_known", condition=Q(kind__in=EventKind.values)),
        ]
        indexes = [
            models.Index(name="appointment_event_not_reacted", fields=["id"], condition=Q(reacted_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.appointment_id} {self.kind} {self.version}"


class Reaction(models.Model):
    """A reaction that has taken effect for an event: once each, however often the sweeper runs."""

    event = models.ForeignKey(AppointmentEvent, models.CASCADE, related_name="reactions")
    name = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="reaction_takes_effect_once", fields=["event", "name"]),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.name}"


class BookingDraft(models.Model):
    """A booking under way: saved at every step, so that nothing typed is lost. Gone when booked."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="drafts")
    unit = models.ForeignKey("organisations.Unit", models.CASCADE, related_name="+")
    service_type = models.ForeignKey("catalogue.ServiceType", models.CASCADE, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.CASCADE, null=True, blank=True, related_name="+")
    answers = EncryptedJSONField(default=dict)
    choices = models.JSONField(default=dict)
    starts_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        return str(self.uid)


class Hold(models.Model):
    """A time held while somebody decides (FHIR status pending). Its occupancies carry the expiry."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="holds")
    draft = models.OneToOneField(BookingDraft, models.CASCADE, null=True, blank=True, related_name="hold")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="hold_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class FormAnswers(models.Model):
    """The requester's structured form for an appointment (FHIR QuestionnaireResponse).

    A form that is not `complete` is filled in later. `revision` counts how often it was written.
    """

    appointment = models.OneToOneField(Appointment, models.CASCADE, related_name="form_answers")
    form = models.SlugField(max_length=40)
    form_version = models.PositiveSmallIntegerField(default=1)
    answers = EncryptedJSONField(default=dict)
    complete = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.appointment_id} {self.form}"


class Photo(models.Model):
    """A picture for an appointment: re-encoded without metadata, encrypted, shown by an authorised view only."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(BookingDraft, models.CASCADE, null=True, blank=True, related_name="photos")
    appointment = models.ForeignKey(Appointment, models.CASCADE, null=True, blank=True, related_name="photos")
    image = EncryptedBytesField()
    thumbnail = EncryptedBytesField()
    description = EncryptedTextField(default="")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    uploaded_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="photo_belongs_to_a_draft_or_an_appointment",
                condition=Q(draft__isnull=False, appointment__isnull=True)
                | Q(draft__isnull=True, appointment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)
