"""What is asked when somebody is away: who, from when, until when. Never why."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.dates import TYPED, TYPED_CLOCK, moment_at

from .models import Schedule

YEARS: Final = range(2000, 2200)
FIRST: Final = _("Write the first day like this: 09.03.2026.")
LAST: Final = _("Write the last day like this: 13.03.2026.")
CLOCK: Final = _("Write the time like this: 08.30, or nothing for the whole day.")


def _day(label: Any, wrong: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=TYPED,
        error_messages={"required": wrong, "invalid": wrong},
        widget=forms.DateInput(format="%d.%m.%Y", attrs={"inputmode": "numeric", "autocomplete": "off", "size": 12}),
    )


def _clock(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        input_formats=TYPED_CLOCK,
        error_messages={"invalid": CLOCK},
        widget=forms.TimeInput(format="%H.%M", attrs={"inputmode": "numeric", "autocomplete": "off", "size": 6}),
    )


class AbsenceForm(forms.Form):
    """Days from midnight to midnight, or from and to a time on the wall in Norway."""

    use_required_attribute = False

    who = forms.ChoiceField(
        label=_("Who"),
        error_messages={
            "required": _("Choose who is away."),
            "invalid_choice": _("Choose from the list."),
        },
    )
    first_day = _day(_("First day"), FIRST)
    from_clock = _clock(_("From time"))
    last_day = _day(_("Last day"), LAST)
    to_clock = _clock(_("To time"))

    def __init__(self, *args: Any, diaries: Sequence[Schedule], user: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self._diaries = {str(one.uid): one for one in diaries}
        for name in ("first_day", "last_day", "from_clock", "to_clock"):
            self.fields[name].width = "short"  # type: ignore[attr-defined]
        if len(self._diaries) < 2:
            del self.fields["who"]
            return
        own = [uid for uid, one in self._diaries.items() if one.user_id == user.pk]
        choices = [(uid, _said(one)) for uid, one in self._diaries.items()]
        self.fields["who"].choices = choices if own else [("", gettext("Choose")), *choices]  # type: ignore[attr-defined]
        self.fields["who"].initial = next(iter(own), "")

    @property
    def diary(self) -> Schedule:
        """Return whose absence it is; asked only where there are several."""
        return self._diaries[self.cleaned_data["who"]] if "who" in self.fields else next(iter(self._diaries.values()))

    def stretch(self) -> dict[str, datetime]:
        """Return from when until when, for `note_absence`."""
        typed = self.cleaned_data
        first, last, from_clock, to_clock = (
            typed[name] for name in ("first_day", "last_day", "from_clock", "to_clock")
        )
        end = moment_at(last + timedelta(days=1), time()) if to_clock is None else moment_at(last, to_clock, last=True)
        return {"starts_at": moment_at(first, from_clock or time()), "ends_at": end}

    def clean_first_day(self) -> date:
        return self._thinkable("first_day", FIRST)

    def clean_last_day(self) -> date:
        return self._thinkable("last_day", LAST)

    def _thinkable(self, name: str, wrong: Any) -> date:
        day: date = self.cleaned_data[name]
        if day.year not in YEARS:
            raise forms.ValidationError(wrong)
        return day


def _said(diary: Schedule) -> str:
    return ", ".join(filter(None, [diary.name, diary.title.lower()]))
