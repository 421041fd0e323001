"""The shape and spelling of what guests type."""

from datetime import date
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        [
            "jan januar january ođđajagemánnu",
            "feb februar february guovvamánnu",
            "mar mars march njukčamánnu",
            "apr april cuoŋománnu",
            "mai may miessemánnu",
            "jun juni june geassemánnu",
            "jul juli july suoidnemánnu",
            "aug august borgemánnu",
            "sep sept september čakčamánnu",
            "okt oct oktober october golggotmánnu",
            "nov november skábmamánnu",
            "des dec desember december juovlamánnu",
        ],
        start=1,
    )
    for name in names.split()
}


def read_birth_date(day: str, month: str, year: str, *, today: date) -> date | None:
    """Read a date of birth however it is written: «3», «03.», «mars», «68», or the whole date in one box."""
    words = f"{day} {month} {year}".lower()
    for sign in ".,/-:":
        words = words.replace(sign, " ")
    parts = words.split()
    if len(parts) == 1 and parts[0].isdecimal() and len(parts[0]) in {6, 8}:
        whole = parts[0]
        parts = [whole[:2], whole[2:4], whole[4:]]
    if len(parts) != 3:
        return None
    if len(parts[0]) == 4:
        parts.reverse()
    typed_month = MONTHS.get(parts[1]) or (int(parts[1]) if parts[1].isdecimal() else 0)
    if not (parts[0].isdecimal() and parts[2].isdecimal() and len(parts[2]) in {2, 4}):
        return None
    typed_year = int(parts[2])
    if len(parts[2]) == 2:
        typed_year += 2000 if typed_year <= today.year % 100 else 1900
    try:
        return date(typed_year, typed_month, int(parts[0]))
    except (ValueError, OverflowError):
        return None


class BirthDateForm(forms.Form):
    day = forms.CharField(label=_("Day"), max_length=20, required=False)
    month = forms.CharField(label=_("Month"), max_length=20, required=False)
    year = forms.CharField(label=_("Year"), max_length=20, required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        written = [typed.get(name, "") for name in ("day", "month", "year")]
        birth_date = read_birth_date(*written, today=self.today)
        if birth_date is None or birth_date > self.today:
            raise forms.ValidationError(_("Write day, month and year, for example 13 3 1968."))
        typed["birth_date"] = birth_date
        return typed


class CodeForm(forms.Form):
    code = forms.CharField(label=_("Code"), max_length=12, required=False)

    def clean_code(self) -> str:
        digits = "".join(ch for ch in str(self.cleaned_data["code"]) if ch.isdigit())
        if len(digits) != 6:
            raise forms.ValidationError(_("Write the six digits from the text message."))
        return digits


class ReadyForm(forms.Form):
    """What the camera test found: «yes», «no», or nothing where it was not tried."""

    ANSWERS: Final = [("", ""), ("yes", "yes"), ("no", "no")]

    camera = forms.ChoiceField(choices=ANSWERS, required=False)
    microphone = forms.ChoiceField(choices=ANSWERS, required=False)

    def answer(self, name: str) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data.get(name, ""))
