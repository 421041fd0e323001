"""Giving access: shapes here, rules in `services`."""

from datetime import date
from typing import Any, Final

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.dates import TYPED
from apps.common.plain_text import longest_in, plain_line

from .models import Role
from .queries import Staff, units_managed

ADDRESS: Final = _("Write the e-mail address at work, for example kari@kommune.example.")


def _name(name: str, label: Any, **more: Any) -> forms.CharField:
    text = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, max_length=longest_in(User, name), validators=[plain_line], widget=text, **more)


class AccessForm(forms.Form):
    """Who gets access, to what, and until when."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        error_messages={"required": ADDRESS, "invalid": ADDRESS, "max_length": ADDRESS},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    given_name = _name("given_name", _("Given name"), error_messages={"required": _("Write the given name.")})
    family_name = _name("family_name", _("Family name"), error_messages={"required": _("Write the family name.")})
    title = _name(
        "title", _("Title"), required=False, help_text=_("As colleagues and patients see it, for example nurse.")
    )
    unit: Any = forms.ModelChoiceField(
        queryset=None,
        to_field_name="uid",
        label=_("Unit"),
        empty_label=None,
        error_messages={
            "invalid_choice": _("Choose a unit from the list."),
            "required": _("Choose a unit from the list."),
        },
    )
    role = forms.ChoiceField(
        label=_("Role"),
        error_messages={
            "invalid_choice": _("Choose a role from the list."),
            "required": _("Choose a role from the list."),
        },
    )
    valid_to = forms.DateField(
        label=_("Last day"),
        required=False,
        input_formats=TYPED,
        help_text=_("Leave it empty for somebody who is to stay."),
        error_messages={"invalid": _("Write the last day as day, month and year, for example 31.12.2026.")},
        widget=forms.DateInput(format="%d.%m.%Y", attrs={"inputmode": "numeric", "autocomplete": "off", "size": 12}),
    )

    def __init__(self, *args: Any, staff: Staff, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        fields: dict[str, Any] = self.fields
        fields["unit"].queryset = units_managed(staff)
        fields["role"].choices = [(role, capfirst(label)) for role, label in Role.choices if role in staff.may_give]
        fields["valid_to"].width = "short"

    def clean_valid_to(self) -> date | None:
        day: date | None = self.cleaned_data["valid_to"]
        if day is not None and day < self.today:
            raise forms.ValidationError(_("This day has passed. Choose today or a later day."))
        return day
