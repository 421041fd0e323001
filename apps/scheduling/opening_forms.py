"""What is asked when a diary opens or closes: which days, from when to when, from which day on."""

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.common.dates import TYPED, TYPED_CLOCK, words

from .absence_forms import YEARS
from .models import Schedule

DAY: Any = _("Write the day like this: 09.03.2026.")
CLOCK: Any = _("Write the time like this: 08.30.")
LATER: Any = _("Write the last day like this: 13.03.2026, or nothing.")


class ThinkableDay(forms.DateField):
    """A day as people type it, in years that somebody may mean."""

    def __init__(self, label: Any, wrong: Any = DAY, **kwargs: Any) -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "off", "size": 12}
        super().__init__(
            label=label,
            input_formats=TYPED,
            error_messages={"required": wrong, "invalid": wrong},
            widget=forms.DateInput(format="%d.%m.%Y", attrs=attrs),
            **kwargs,
        )
        self.width = "short"

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and day.year not in YEARS:
            raise forms.ValidationError(self.error_messages["invalid"])
        return day


class Clock(forms.TimeField):
    def __init__(self, label: Any) -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "off", "size": 6}
        super().__init__(
            label=label,
            input_formats=TYPED_CLOCK,
            error_messages={"required": CLOCK, "invalid": CLOCK},
            widget=forms.TimeInput(format="%H.%M", attrs=attrs),
        )
        self.width = "short"

    def clean(self, value: Any) -> time:
        """Take midnight at the end of a day as people write it."""
        typed = str(value or "").strip()
        found: time = super().clean("00.00" if typed in {"24", "24.00", "24:00", "2400"} else value)
        return found


class _Form(forms.Form):
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class WhoForm(_Form):
    """Whose hours are shown."""

    hvem = forms.ChoiceField(label=_("Diary"))

    def __init__(self, *args: Any, diaries: Sequence[Schedule], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = [(str(one.uid), ", ".join(filter(None, [one.name, one.title.lower()]))) for one in diaries]
        self.fields["hvem"].choices = said  # type: ignore[attr-defined]


class WeeklyForm(_Form):
    weekdays = forms.MultipleChoiceField(
        label=_("Days"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose one day or more."), "invalid_choice": _("Choose from the list.")},
    )
    from_clock = Clock(_("From time"))
    to_clock = Clock(_("To time"))
    first_day = ThinkableDay(_("First day"))
    last_day = ThinkableDay(_("Last day"), LATER, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = words().weekdays
        self.fields["weekdays"].choices = [(str(n), name.capitalize()) for n, name in enumerate(names)]  # type: ignore[attr-defined]
        self.fields["weekdays"].look = "pills"  # type: ignore[attr-defined]

    def hours(self) -> dict[str, Any]:
        """Return what `open_weekly` asks for."""
        typed = self.cleaned_data
        return {
            "weekdays": {int(one) for one in typed["weekdays"]},
            "starts": typed["from_clock"],
            "ends": typed["to_clock"],
            "first_day": typed["first_day"],
            "last_day": typed["last_day"],
        }


class OnceForm(_Form):
    day = ThinkableDay(_("Day"))
    from_clock = Clock(_("From time"))
    to_clock = Clock(_("To time"))

    def hours(self) -> dict[str, Any]:
        """Return what `open_once` asks for."""
        typed = self.cleaned_data
        return {"day": typed["day"], "starts": typed["from_clock"], "ends": typed["to_clock"]}


class CloseForm(_Form):
    from_day = ThinkableDay(_("Does not hold from"))
