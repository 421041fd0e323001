"""What people type to get in."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class CodeForm(forms.Form):
    """Six digits from the app, or a backup code; pasted spaces and hyphens are fine."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=20,
        error_messages={
            "required": _("Type the six digits from the app."),
            "max_length": _("The code has six digits. A backup code has ten characters."),
        },
        widget=forms.TextInput(
            attrs={
                "class": "vt-otp",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autofocus": True,
                "size": "6",
            }
        ),
    )


class BackupCodeForm(CodeForm):
    code = forms.CharField(
        label=_("Backup code"),
        max_length=20,
        error_messages={
            "required": _("Type one of your backup codes."),
            "max_length": _("A backup code has ten characters."),
        },
        widget=forms.TextInput(attrs={"class": "vt-otp", "autocomplete": "off", "autofocus": True, "size": "12"}),
    )


class LanguageForm(forms.Form):
    language = forms.ChoiceField(choices=settings.LANGUAGES)
