"""Registering a patient and changing how she is reached: shapes here, rules in `services` and `identifiers`."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.dates import TYPED, local_date
from apps.common.errors import DomainError
from apps.common.languages import LANGUAGES
from apps.common.phones import WrongPhone, normalise_phone
from apps.common.plain_text import plain_line

from . import services
from .identifiers import Identifier, InvalidIdentifier, accept_identifier
from .models import ContactChannel, InterpreterMode, Protection


def language_choices() -> list[tuple[str, Any]]:
    """Norwegian first, the rest by name in the active language."""
    first = ["nob", "nno", "sme"]
    rest = sorted((code for code in LANGUAGES if code not in first), key=lambda code: str(LANGUAGES[code]))
    return [(code, LANGUAGES[code]) for code in [*first, *rest]]


def add_refusal(form: forms.Form, refusal: DomainError) -> None:
    """Show a service's refusal at the field it belongs to, or above the form."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


class PhoneField(forms.CharField):
    """A telephone number, kept as +47…"""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 30)
        kwargs.setdefault("widget", forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}))
        super().__init__(**kwargs)
        self.error_messages["max_length"] = WrongPhone.message

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return normalise_phone(text) if text else ""
        except WrongPhone as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from refusal


class BirthDateField(forms.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=TYPED,
            widget=forms.DateInput(
                format="%d.%m.%Y", attrs={"inputmode": "numeric", "autocomplete": "off", "size": 12}
            ),
            error_messages={"invalid": _("Write the date of birth as day, month and year, for example 12.05.1943.")},
            **kwargs,
        )
        self.width = "short"


class ContactForm(forms.Form):
    """How a patient is reached, and in which language."""

    phone = PhoneField(label=_("Mobile number"), required=False)
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        max_length=254,
        error_messages={"invalid": _("Write an e-mail address, for example ada@post.example.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=200,
        validators=[plain_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=language_choices,
        initial="nob",
        error_messages={
            "required": _("Choose a language from the list."),
            "invalid_choice": _("Choose a language from the list."),
        },
    )
    interpreter_needed = forms.BooleanField(label=_("Needs an interpreter"), required=False)
    interpreter_mode = forms.ChoiceField(
        label=_("The interpreter takes part"),
        choices=InterpreterMode.choices,
        initial=InterpreterMode.SCREEN,
        required=False,
    )
    channel = forms.ChoiceField(
        label=_("Messages go by"),
        choices=ContactChannel.choices,
        initial=ContactChannel.SMS,
        error_messages={"required": _("Choose how the patient is written to.")},
    )
    reserved = forms.BooleanField(
        label=_("Has declined digital messages"),
        help_text=_("The patient then gets a letter or a call. Nothing is sent to her telephone."),
        required=False,
    )
    protection = forms.ChoiceField(label=_("Address protection"), choices=Protection.choices, initial=Protection.OPEN)

    def clean_interpreter_mode(self) -> str:
        return str(self.cleaned_data["interpreter_mode"] or InterpreterMode.SCREEN)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("reserved") or self.errors.get("phone") or self.errors.get("email"):
            return found
        if found.get("channel") == ContactChannel.SMS and not found.get("phone"):
            self.add_error("phone", _("Write the mobile number that the text messages go to, or choose another way."))
        if found.get("channel") == ContactChannel.EMAIL and not found.get("email"):
            self.add_error("email", _("Write the e-mail address that the messages go to, or choose another way."))
        return found


class AskingToCheck(forms.Form):
    """What a number says is a hint: ask once where it looks wrong, then believe the one who has looked.

    The form has `national_id` and `birth_date`, and calls `ask_to_check` once both are read.
    """

    checked = forms.BooleanField(label=_("I have checked that it is right"), required=False, widget=forms.HiddenInput)
    identifier: Identifier | None = None

    def clean_national_id(self) -> str:
        text = self.cleaned_data["national_id"]
        try:
            self.identifier = accept_identifier(text, synthetic_allowed=settings.DEMO) if text else None
        except InvalidIdentifier as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from refusal
        return self.identifier.value if self.identifier else ""

    def ask_to_check(self, found: dict[str, Any]) -> None:
        """Add what is doubtful to the form's errors."""
        if found.get("checked") or self.errors.get("national_id") or self.errors.get("birth_date"):
            return
        doubts = services.doubts(self.identifier, found.get("birth_date"), now=timezone.now())
        for doubt in doubts:
            self.add_error(doubt.field, str(doubt))
        if doubts:
            self.fields["checked"].widget = forms.CheckboxInput()


class NewPatientForm(AskingToCheck, ContactForm):
    """A patient whom the organisation does not know yet, or knows by the same number."""

    national_id = forms.CharField(
        label=_("National identity number"),
        help_text=_("Eleven digits. A D-number, H-number or common help number will do. Leave it empty if unknown."),
        required=False,
        max_length=20,
        error_messages={"max_length": _("A national identity number has eleven digits.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 14}),
    )
    birth_date = BirthDateField(
        label=_("Date of birth"),
        help_text=_("The patient proves it when she joins. Empty: as the number says."),
        required=False,
    )
    given_name = forms.CharField(
        label=_("Given name"),
        max_length=80,
        validators=[plain_line],
        error_messages={"required": _("Write the given name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    family_name = forms.CharField(
        label=_("Family name"),
        max_length=80,
        validators=[plain_line],
        error_messages={"required": _("Write the family name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ["national_id", "birth_date", "checked", "given_name", "family_name"]

    def clean_birth_date(self) -> date | None:
        born: date | None = self.cleaned_data["birth_date"]
        if born is not None and not date(1900, 1, 1) <= born <= local_date(timezone.now()):
            raise ValidationError(_("The date of birth must lie between 1900 and today."), code="wrong-birth-date")
        return born

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if not self.errors.get("national_id") and not self.errors.get("birth_date"):
            found["birth_date"] = found.get("birth_date") or (self.identifier.birth_date if self.identifier else None)
            if found["birth_date"] is None:
                self.add_error("birth_date", _("Write the date of birth, for example 12.05.1943."))
        self.ask_to_check(found)
        return found


class NextOfKinForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[plain_line],
        error_messages={"required": _("Write the name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    relation = forms.CharField(
        label=_("Relation"),
        max_length=40,
        validators=[plain_line],
        error_messages={"required": _("Write the relation in a few words, for example daughter.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kin_phone = PhoneField(label=_("Mobile number"), required=False)
    acts_for_patient = forms.BooleanField(label=_("May act for the patient"), required=False)


class SearchForm(forms.Form):
    """Posted, never in an address: what is typed here names people."""

    q = forms.CharField(
        label=_("Find patient"),
        max_length=100,
        required=False,
        error_messages={"max_length": _("Write a name, a date of birth or a national identity number.")},
    )
    wide = forms.BooleanField(required=False)
    reason = forms.CharField(
        label=_("Why do you need to find this patient?"),
        required=False,
        max_length=300,
        validators=[plain_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
