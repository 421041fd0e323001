"""What staff fill in on an appointment's pages."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.common.phones import WrongPhone, normalise_phone
from apps.common.plain_text import plain_line

from .models import CancelReason, ParticipantRole
from .services import GuestInput


class GuestForm(forms.Form):
    """Somebody else who is to come; the link goes to the phone, or else to the e-mail."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[plain_line],
        error_messages={"required": _("Write the guest's name.")},
    )
    relation = forms.CharField(
        label=_("Who is it?"),
        max_length=40,
        validators=[plain_line],
        required=False,
        help_text=_("For example daughter, guardian, GP"),
    )
    phone = forms.CharField(
        label=_("Mobile number"),
        max_length=24,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=120,
        required=False,
        error_messages={"invalid": _("Write the whole address, for example name@example.no.")},
    )

    def clean_phone(self) -> str:
        typed: str = self.cleaned_data["phone"]
        if not typed:
            return ""
        try:
            return normalise_phone(typed)
        except WrongPhone as refusal:
            raise forms.ValidationError(_("Write eight digits, or a foreign number with + in front.")) from refusal

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not cleaned.get("phone") and not cleaned.get("email"):
            self.add_error("phone", _("Write a mobile number or an e-mail address, so that the link can be sent."))
        return cleaned

    def guest(self) -> GuestInput:
        relation = self.cleaned_data["relation"]
        return GuestInput(
            name=self.cleaned_data["name"],
            relation=relation,
            phone=self.cleaned_data["phone"],
            email=self.cleaned_data["email"],
            role=ParticipantRole.NEXT_OF_KIN if relation else ParticipantRole.GUEST,
        )


class CancelForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why is it cancelled?"),
        choices=lambda: [(value, capfirst(str(label))) for value, label in CancelReason.choices],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class MoveForm(forms.Form):
    starts_at = forms.DateTimeField(widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%MZ"])
    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean_starts_at(self) -> datetime:
        """Refuse the ends of the calendar, where a time cannot be written in another zone."""
        starts_at: datetime = self.cleaned_data["starts_at"]
        if not 2000 <= starts_at.year <= 2200:
            raise forms.ValidationError(_("Choose a time."))
        return starts_at
