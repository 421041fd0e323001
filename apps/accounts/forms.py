"""What people type to get in."""

from typing import Any, Final

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import passwords
from .models import User

LONGEST_PASSWORD: Final = 256
WEAK: Final = {
    "password_too_short": _("Use at least twelve characters. A short sentence is easy to remember."),
    "password_too_common": _("Many people use this password. Choose another."),
    "password_too_similar": _("The password is too like your name or e-mail address. Choose another."),
}


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


class PasswordForgottenForm(ResetPasswordForm):
    """allauth's form; what it sends goes by our outbox."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        error_messages={
            "required": _("Type your e-mail address, for example kari@kommune.example."),
            "invalid": _("Type your e-mail address, for example kari@kommune.example."),
            "max_length": _("Type your e-mail address, for example kari@kommune.example."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        passwords.ask_for_link(email=email, now=timezone.now())
        return email


def _password_field(label: Any, autocomplete: str, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        **kwargs,
    )


class NewPasswordForm(forms.Form):
    """A password typed twice. What allauth's view gives along is the user and the link's token."""

    password1 = _password_field(
        _("New password"),
        "new-password",
        help_text=_("At least twelve characters. A short sentence is easy to remember."),
        error_messages={"required": _("Type a new password.")},
    )
    password2 = _password_field(
        _("The new password again"), "new-password", error_messages={"required": _("Type the new password once more.")}
    )

    def __init__(self, *args: Any, user: User, temp_key: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        try:
            validate_password(password, self.user)
        except ValidationError as weak:
            raise ValidationError([WEAK.get(str(fault.code), fault) for fault in weak.error_list]) from weak
        return password

    def clean_password2(self) -> str:
        again: str = self.cleaned_data["password2"]
        if "password1" in self.cleaned_data and again != self.cleaned_data["password1"]:
            raise ValidationError(_("The two passwords are not alike. Type them again."), code="not-alike")
        return again

    def save(self) -> None:
        passwords.set_password(user=self.user, password=self.cleaned_data["password1"], now=timezone.now())


class ChangePasswordForm(NewPasswordForm):
    old_password = _password_field(
        _("The password you have now"),
        "current-password",
        error_messages={"required": _("Type the password that you have now.")},
    )
    field_order = ["old_password", "password1", "password2"]

    def clean_old_password(self) -> str:
        typed: str = self.cleaned_data["old_password"]
        if not self.user.check_password(typed):
            raise ValidationError(_("This is not the password you have now. Try again."), code="wrong-password")
        return typed
