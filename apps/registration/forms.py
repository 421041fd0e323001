"""What a clerk fills in: the list's filters, DIPS's contact id, and why a session is not registered."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.codes import normalise_reference
from apps.common.errors import DomainError
from apps.organisations.models import Unit

from .models import NotNeededReason, RegistrationQuerySet, RegistrationState
from .services import BY_PERSON, clean_contact_id

LARGEST_VERSION = 2_000_000_000
SELECT = forms.Select(attrs={"class": "ds-input"})


class Filters(forms.Form):
    """What the list shows. A value that is not known counts as not chosen: an old address still works."""

    VIEWS = (
        ("awaiting", _("To do")),
        ("registered", _("Registered")),
        ("not_needed", _("Not registered")),
        ("all", pgettext_lazy("sessions", "All")),
    )
    PERIODS = (
        ("", _("The whole time")),
        ("7", _("The last 7 days")),
        ("30", _("The last 30 days")),
        ("90", _("The last 90 days")),
    )

    view = forms.ChoiceField(choices=VIEWS, required=False, widget=forms.HiddenInput)
    unit = forms.ChoiceField(label=_("Unit"), required=False, widget=SELECT)
    period = forms.ChoiceField(label=_("Period"), choices=PERIODS, required=False, widget=SELECT)
    search = forms.CharField(label=_("Reference or DIPS contact id"), required=False, max_length=60)

    def __init__(self, data: Any, *, units: list[Unit]) -> None:
        super().__init__(data, auto_id="filter-%s")
        field = self.fields["unit"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("All my units")), *((str(unit.uid), unit.name) for unit in units)]
        self.full_clean()

    @property
    def chosen_view(self) -> str:
        return self.cleaned_data.get("view") or "awaiting"

    @property
    def typed(self) -> str:
        return str(self.cleaned_data.get("search") or "").strip()

    def within(self, registrations: RegistrationQuerySet, now: datetime) -> RegistrationQuerySet:
        """Narrow to the unit and the period, or to what was searched for."""
        if self.cleaned_data.get("unit"):
            registrations = registrations.filter(unit__uid=self.cleaned_data["unit"])
        if self.typed:
            reference = normalise_reference(self.typed)
            if reference:
                return registrations.filter(appointment__reference=reference)
            compact = "".join(self.typed.split())
            if compact.isascii() and compact.isdigit():
                return registrations.filter(dips_contact_id=compact)
            return registrations.none()
        if self.cleaned_data.get("period"):
            return registrations.filter(held_at__gte=now - timedelta(days=int(self.cleaned_data["period"])))
        return registrations

    def in_view(self, registrations: RegistrationQuerySet) -> RegistrationQuerySet:
        if self.typed or self.chosen_view == "all":
            return registrations.order_by("-held_at", "-pk")
        if self.chosen_view == "awaiting":
            return registrations.filter(state=RegistrationState.AWAITING).order_by("held_at", "pk")
        return registrations.filter(state=self.chosen_view).order_by("-held_at", "-pk")


class VersionForm(forms.Form):
    """The version that the clerk saw."""

    version = forms.IntegerField(min_value=0, max_value=LARGEST_VERSION, widget=forms.HiddenInput)


class RegisterForm(VersionForm):
    dips_contact_id = forms.CharField(
        label=_("DIPS contact id"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def clean_dips_contact_id(self) -> str:
        try:
            return clean_contact_id(self.cleaned_data["dips_contact_id"])
        except DomainError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class NotNeededForm(VersionForm):
    reason = forms.ChoiceField(
        label=_("Why is the session not registered?"),
        choices=[(reason.value, reason.label) for reason in map(NotNeededReason, BY_PERSON)],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why the session is not registered.")},
    )
