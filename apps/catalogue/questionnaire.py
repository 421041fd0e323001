"""Structured forms from `data/forms.yaml`: Django forms to fill in, and answers as people read them.

Whatever is typed stays in the control, right or wrong: every control takes text, and the fields read it. A field with
`when` is asked for only if another field has one of the values named; otherwise its answer is left out.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django import forms
from django.forms.utils import ErrorDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext

from apps.common.data_files import read_yaml
from apps.common.dates import clock, words
from apps.common.languages import LANGUAGES, language_name

from .models import in_language

DATA: Final = Path(__file__).parent / "data" / "forms.yaml"
PILLS_UP_TO: Final = 6
LONGEST_VALUE: Final = 5000
MOST_VALUES: Final = 40
OLDEST: Final = date(1900, 1, 1)
YEARS_AHEAD: Final = 3
YES, NO = "yes", "no"
DECIDES_THE_TIME: Final = ("language", "mode", "duration_minutes")
"""What a form about interpreting asks that the search for a time has used: it stands once the time is booked."""


# Definitions ---------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def _definitions() -> dict[str, dict[str, Any]]:
    loaded = read_yaml(DATA)
    shared = loaded["shared"]
    for definition in loaded["forms"].values():
        for section in definition["sections"]:
            section["fields"] = [shared[entry["use"]] if "use" in entry else entry for entry in section["fields"]]
    forms_by_slug: dict[str, dict[str, Any]] = loaded["forms"]
    return forms_by_slug


def slugs() -> list[str]:
    return list(_definitions())


def version(slug: str) -> int:
    return int(_definitions()[slug]["version"])


def name(slug: str) -> str:
    return in_language(_definitions()[slug]["names"])


def _entries(slug: str) -> Iterator[dict[str, Any]]:
    """Yield the form's fields, each row of a table as a whole number of its own."""
    for section in _definitions()[slug]["sections"]:
        for entry in section["fields"]:
            if "table" in entry:
                yield from _rows(entry)
            else:
                yield entry


def _rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    optional = "total" in table or not table.get("required")
    return [
        {
            "slug": row["slug"],
            "type": "integer",
            "names": row,
            "min": table["min"],
            "max": table["max"],
            "required": not (optional or row.get("optional")),
            "ask": table.get("ask"),
            "when": table.get("when"),
            "row_of": table["table"],
            "unit": {"nb": "%", "nn": "%", "en": "%"} if "total" in table else None,
        }
        for row in table["rows"]
    ]


# Reading what was typed ----------------------------------------------------------------------------------------------
class _Asked(forms.Field):
    """A field that says what to write instead of what was wrong."""

    def __init__(self, entry: dict[str, Any], **kwargs: Any) -> None:
        ask = in_language(entry["ask"]) if entry.get("ask") else self.ask(entry)
        self.ask_text = ask
        self.names_itself = bool(entry.get("ask"))
        self.row_of = entry.get("row_of", "")
        super().__init__(
            required=bool(entry.get("required")),
            label=in_language(entry["names"]),
            help_text=in_language(entry["help"]) if entry.get("help") else "",
            error_messages={"required": ask, "invalid": ask, "invalid_choice": ask, "invalid_list": ask},
            **kwargs,
        )

    def ask(self, entry: dict[str, Any]) -> str:
        return gettext("Write this before you go on.")

    def refuse(self, more: str = "") -> forms.ValidationError:
        return forms.ValidationError(f"{self.ask_text} {more}".strip(), code="invalid")


class _Number(_Asked):
    """A whole or decimal number, with comma or point, within its range."""

    width = "short"
    pattern: re.Pattern[str] = re.compile(r"[+-]?[0-9]{1,20}")
    inputmode = "numeric"

    def __init__(self, entry: dict[str, Any]) -> None:
        self.low, self.high, self.step = entry["min"], entry["max"], entry.get("step")
        self.suffix = in_language(entry["unit"]) if entry.get("unit") else ""
        widget = forms.TextInput({"inputmode": self.inputmode, "autocomplete": "off", "maxlength": 12})
        super().__init__(entry, widget=widget)

    def ask(self, entry: dict[str, Any]) -> str:
        return gettext("Write a number from %(low)s to %(high)s, for example %(example)s.") % {
            "low": number(entry["min"]),
            "high": number(entry["max"]),
            "example": number(entry.get("example", entry["max"])),
        }

    def to_python(self, value: Any) -> int | float | None:
        text = re.sub(r"[\s\u00a0\u2009]", "", str(value or "")).replace("−", "-")
        if not text:
            return None
        if not self.pattern.fullmatch(text):
            raise self.refuse()
        read = self.read(text)
        if not self.low <= read <= self.high:
            raise self.refuse(self.range_text())
        if self.step and read % self.step:
            raise self.refuse(gettext("In steps of %(step)s.") % {"step": self.step})
        return read

    def read(self, text: str) -> int | float:
        return int(text)

    def range_text(self) -> str:
        limits = {"low": number(self.low), "high": number(self.high)}
        if set(limits.values()) <= set(re.findall(r"[0-9.,]*[0-9]", self.ask_text)):
            return ""  # what is asked for says it already
        return gettext("The number must be from %(low)s to %(high)s.") % limits


class _Decimal(_Number):
    pattern = re.compile(r"[+-]?[0-9]{1,20}([.,][0-9]{1,3})?")
    inputmode = "decimal"

    def read(self, text: str) -> int | float:
        return float(text.replace(",", "."))


class _Millimetres(_Number):
    """A size in whole millimetres; «19 mm» is understood too."""

    def __init__(self, entry: dict[str, Any]) -> None:
        super().__init__({**entry, "unit": {"nb": "mm", "nn": "mm", "en": "mm"}})

    def to_python(self, value: Any) -> int | float | None:
        written = "".join(str(value or "").split())
        return super().to_python(re.sub(r"mm\.?$", "", written, flags=re.IGNORECASE))


class _Text(_Asked):
    def __init__(self, entry: dict[str, Any], *, long: bool = False) -> None:
        self.longest = int(entry.get("max_length", 2000 if long else 200))
        # No maxlength: a browser would cut off what is pasted, and the person would not see it.
        widget = forms.Textarea({"rows": 3}) if long else forms.TextInput({"autocomplete": "off"})
        super().__init__(entry, widget=widget)

    def to_python(self, value: Any) -> str:
        text = clean_text(str(value or ""))
        if len(text) > self.longest:
            raise forms.ValidationError(
                gettext("Write at most %(limit)s characters. Now there are %(length)s.")
                % {"limit": self.longest, "length": len(text)},
                code="too_long",
            )
        return text


class _Choice(_Asked, forms.ChoiceField):
    def __init__(self, entry: dict[str, Any], choices: list[tuple[str, str]], *, look: str = "pills") -> None:
        few = len(choices) <= PILLS_UP_TO or look == "scale"
        self.look = look if few else ""
        widget = forms.RadioSelect if few else forms.Select
        super().__init__(entry, choices=choices if few else [("", gettext("Choose")), *choices], widget=widget)

    def ask(self, entry: dict[str, Any]) -> str:
        return gettext("Answer yes or no.") if entry["type"] == "boolean" else gettext("Choose one of these.")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


class _Multi(_Asked, forms.MultipleChoiceField):
    look = "pills"

    def __init__(self, entry: dict[str, Any], choices: list[tuple[str, str]]) -> None:
        self.exclusive = entry.get("exclusive", "")
        super().__init__(entry, choices=choices, widget=forms.CheckboxSelectMultiple)

    def ask(self, entry: dict[str, Any]) -> str:
        return gettext("Choose one or more of these.")

    def clean(self, value: Any) -> list[str]:
        chosen: list[str] = super().clean(value)
        if self.exclusive and self.exclusive in chosen and len(chosen) > 1:
            alone = dict(self.choices)[self.exclusive]  # type: ignore[arg-type]
            raise forms.ValidationError(
                gettext("“%(choice)s” cannot be chosen together with others. Remove it, or remove the others.")
                % {"choice": alone},
                code="exclusive",
            )
        return chosen


class _Check(_Asked, forms.BooleanField):
    def __init__(self, entry: dict[str, Any]) -> None:
        super().__init__(entry, widget=forms.CheckboxInput)


_DATE: Final = re.compile(r"(\d{1,2})[./\-\s]+(\d{1,2})[./\-\s]+(\d{4}|\d{2})", re.ASCII)
_COMPACT_DATE: Final = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})", re.ASCII)
_ISO_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_CLOCK: Final = re.compile(r"(?:kl\.?\s*)?(\d{1,2})[.:]?(\d{2})", re.ASCII | re.IGNORECASE)


def read_date(text: str, *, today: date) -> date | None:
    """Read 17.03.2026, 17.3.26, 17/3-2026, 17032026 or 2026-03-17; a year of two digits is the nearest past one."""
    if iso := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in iso.groups())
    elif written := _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text):
        day, month, year = (int(part) for part in written.groups())
        if len(written[3]) == 2:
            year += 2000 if year + 2000 <= today.year + YEARS_AHEAD else 1900
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


class _Date(_Asked):
    width = "short"

    def __init__(self, entry: dict[str, Any], *, today: date) -> None:
        self.today, self.past = today, bool(entry.get("past"))
        widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "maxlength": 24})
        super().__init__(entry, widget=widget)
        if not self.help_text:
            self.help_text = gettext("day.month.year")

    def ask(self, entry: dict[str, Any]) -> str:
        return gettext("Write the date as day, month and year, for example 17.03.2026.")

    def to_python(self, value: Any) -> date | None:
        text = str(value or "").strip()
        return self.checked(read_date(text, today=self.today)) if text else None

    def checked(self, day: date | None) -> date:
        if day is None or day < OLDEST or day > self.today + timedelta(days=366 * YEARS_AHEAD):
            raise self.refuse()
        if self.past and day > self.today:
            raise forms.ValidationError(gettext("Write a date that is not in the future."), code="future")
        return day


class _DateTime(_Date):
    """Date and time as they are on the wall; kept without a zone, since it is what somebody wrote down."""

    def __init__(self, entry: dict[str, Any], *, today: date) -> None:
        super().__init__(entry, today=today)
        self.widget.attrs["inputmode"] = "text"
        self.help_text = in_language(entry["help"]) if entry.get("help") else gettext("day.month.year and time")

    def ask(self, entry: dict[str, Any]) -> str:
        return gettext("Write date and time, for example 17.03.2026 10.30.")

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        day_text, _space, clock_text = text.replace("T", " ").partition(" ")
        time_of_day = _CLOCK.fullmatch(clock_text.strip())
        day = self.checked(read_date(day_text, today=self.today))
        if time_of_day is None:
            raise self.refuse()
        hour, minute = int(time_of_day[1]), int(time_of_day[2])
        if hour > 23 or minute > 59:
            raise self.refuse()
        return datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001  (wall time)


class _LinesWidget(forms.Textarea):
    def format_value(self, value: Any) -> str:
        return "\n".join(value) if isinstance(value, list) else str(value or "")


class _Lines(_Asked):
    """A list, one item on each line: works with any keyboard and without script."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.longest, self.most = int(entry.get("max_length", 200)), int(entry.get("max_items", 10))
        super().__init__(entry, widget=_LinesWidget({"rows": 4}))

    def to_python(self, value: Any) -> list[str]:
        items = [line.strip() for line in clean_text(str(value or "")).splitlines() if line.strip()]
        if len(items) > self.most:
            raise forms.ValidationError(
                gettext("Write at most %(limit)s lines. Now there are %(length)s.")
                % {"limit": self.most, "length": len(items)},
                code="too_many",
            )
        if any(len(item) > self.longest for item in items):
            raise forms.ValidationError(
                gettext("Write at most %(limit)s characters on each line.") % {"limit": self.longest}, code="too_long"
            )
        return items


def clean_text(text: str) -> str:
    """Take away what cannot be seen (control and direction characters) but lines and tabs, and space at the ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        ch
        for ch in text
        if ch in "\n\t"
        or (
            unicodedata.category(ch) not in {"Cc", "Cs", "Co", "Cn"}
            and ch not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        )
    ).strip()


def _field(entry: dict[str, Any], *, today: date) -> forms.Field:
    kind = entry["type"]
    if kind in {"choice", "multi"}:
        choices = [(value["value"], in_language(value)) for value in entry["values"]]
        return _Choice(entry, choices) if kind == "choice" else _Multi(entry, choices)
    if kind == "scale":
        steps = [(str(step), str(step)) for step in range(entry["min"], entry["max"] + 1)]
        low, high = (in_language(end) for end in entry["ends"])
        made = _Choice(entry, steps, look="scale")
        made.help_text = f"{entry['min']}: {low}. {entry['max']}: {high}."
        return made
    if kind == "boolean":
        return _Choice(entry, [(YES, gettext("Yes")), (NO, gettext("No"))])
    if kind == "language":
        return _Choice(entry, sorted(((code, str(said)) for code, said in LANGUAGES.items()), key=lambda one: one[1]))
    if kind in {"date", "datetime"}:
        return (_Date if kind == "date" else _DateTime)(entry, today=today)
    if kind in {"text", "long"}:
        return _Text(entry, long=kind == "long")
    simple = {"integer": _Number, "decimal": _Decimal, "mm": _Millimetres, "check": _Check, "list": _Lines}
    return simple[kind](entry)


# The form ------------------------------------------------------------------------------------------------------------
@dataclass
class FormItem:
    """What is drawn together: one field, fields side by side, or a table of numbers."""

    kind: str
    fields: list[forms.BoundField]
    title: str = ""
    help: str = ""
    when: str = ""
    error: str = ""
    id: str = ""


@dataclass
class FormSection:
    title: str
    optional: bool
    items: list[FormItem] = field(default_factory=list)

    @property
    def filled(self) -> bool:
        """Say whether a folded section has something to show."""
        return any(
            bound.errors or bound.value() not in (None, "", [], False) for item in self.items for bound in item.fields
        )


class QuestionnaireForm(forms.Form):
    """The form of one slug; `form_class` makes the subclasses. Labels are in the active language.

    `unfinished` accepts that answers are missing, not that they are wrong. `booked` shows what the booked time was
    found by, without asking for it again.
    """

    slug = ""
    use_required_attribute = False

    def __init__(
        self,
        *args: Any,
        today: date | None = None,
        unfinished: bool = False,
        booked: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("prefix", "form")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.today, self.unfinished, self.booked = today or timezone.localdate(), unfinished, booked
        for entry in _entries(self.slug):
            self.fields[entry["slug"]] = _field(entry, today=self.today)
            if "default" in entry:
                self.initial.setdefault(entry["slug"], entry["default"])
        if booked and asks_for_language(self.slug):
            for name in DECIDES_THE_TIME:
                self.fields[name].disabled = bool(self.initial.get(name))

    def is_complete(self) -> bool:
        """Say whether nothing that must be answered is missing."""
        if not self.unfinished:
            return self.is_valid()
        whole = type(self)(self.data, initial=self.initial, today=self.today, booked=self.booked)
        return whole.is_valid()

    def full_clean(self) -> None:
        # Which fields are asked for is how they are drawn too, so it is set aside only while they are read.
        asked = [self.fields[name] for name in self._can_wait() if self.fields[name].required]
        for one in asked:
            one.required = False
        super().full_clean()
        for one in asked:
            one.required = True
        if not self.is_bound:
            return
        for entry in _entries(self.slug):
            if not self._applies(entry):
                self._errors: ErrorDict
                self._errors.pop(entry["slug"], None)
                self.cleaned_data.pop(entry["slug"], None)

    def _can_wait(self) -> list[str]:
        """Name what may be answered later: all but the language that an interpreter is searched by."""
        return (
            [entry["slug"] for entry in _entries(self.slug) if entry["type"] != "language"] if self.unfinished else []
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for section in _definitions()[self.slug]["sections"]:
            for table in section["fields"]:
                if "total" in table:
                    self._check_total(table, cleaned)
        return cleaned

    def _applies(self, entry: Mapping[str, Any]) -> bool:
        when = entry.get("when")
        if not when:
            return True
        given = self.cleaned_data.get(when["field"])
        return bool(set(given if isinstance(given, list) else [given]) & set(when["is"]))

    def _check_total(self, table: dict[str, Any], cleaned: dict[str, Any]) -> None:
        slugs_of_rows = [row["slug"] for row in table["rows"]]
        if any(slug in self.errors for slug in slugs_of_rows):
            return
        given = [cleaned.get(slug) for slug in slugs_of_rows]
        if all(value is None for value in given):
            if table.get("required") and not self.unfinished:
                self.add_error(slugs_of_rows[0], in_language(table["ask"]))
            return
        total = sum(value or 0 for value in given)
        if total > table["total"] or (total < table["total"] and not self.unfinished):
            self.add_error(
                slugs_of_rows[0],
                gettext("The numbers must add up to %(total)s. Now they add up to %(now)s.")
                % {"total": table["total"], "now": total},
            )

    def sections(self) -> list[FormSection]:
        """Return the form as it is drawn."""
        drawn = []
        for section in _definitions()[self.slug]["sections"]:
            out = FormSection(
                in_language(section["names"]) if "names" in section else "", bool(section.get("optional"))
            )
            row = ""
            for entry in section["fields"]:
                if "table" in entry:
                    out.items.append(self._table(entry))
                    row = ""
                elif entry.get("row") and entry["row"] == row:
                    out.items[-1].fields.append(self[entry["slug"]])
                else:
                    row = entry.get("row", "")
                    out.items.append(
                        FormItem("row" if row else "field", [self[entry["slug"]]], when=self._condition(entry))
                    )
            drawn.append(out)
        return drawn

    def _table(self, entry: dict[str, Any]) -> FormItem:
        bounds = [self[row["slug"]] for row in entry["rows"]]
        return FormItem(
            kind="table" if entry.get("layout") != "row" else "numbers",
            fields=bounds,
            title=in_language(entry["names"]),
            help=in_language(entry["help"]) if entry.get("help") else "",
            when=self._condition(entry),
            error=next((str(bound.errors[0]) for bound in bounds if bound.errors), ""),
            id=f"id_{self.prefix}-{entry['table']}",
        )

    def _condition(self, entry: dict[str, Any]) -> str:
        when = entry.get("when")
        return f"{self.add_prefix(when['field'])}={','.join(when['is'])}" if when else ""

    def answers(self) -> dict[str, Any]:
        """Return what was answered as JSON values; what was left empty is left out."""
        kept: dict[str, Any] = {}
        for entry in _entries(self.slug):
            value = self.cleaned_data.get(entry["slug"])
            if value is None or value is False or value in ("", []):  # 0 is an answer, and equals False
                continue
            kept[entry["slug"]] = _stored(entry["type"], value)
        return kept

    def typed(self) -> dict[str, list[str]]:
        """Return what stands in the controls, right or wrong, to be kept with a draft."""
        return typed(self.slug, self.data) if isinstance(self.data, MultiValueDict) else {}


@lru_cache(maxsize=64)
def form_class(slug: str) -> type[QuestionnaireForm]:
    if slug not in _definitions():
        raise KeyError(slug)
    return type(f"{slug.title().replace('_', '')}Form", (QuestionnaireForm,), {"slug": slug})


def has_form(slug: str) -> bool:
    return slug in _definitions()


def typed(slug: str, data: MultiValueDict[str, str], *, prefix: str = "form") -> dict[str, list[str]]:
    """Pick the controls of this form out of a request, cut where no person could have typed so much."""
    kept = {}
    for entry in _entries(slug):
        values = [value.replace("\0", "")[:LONGEST_VALUE] for value in data.getlist(f"{prefix}-{entry['slug']}")]
        if any(values):
            kept[entry["slug"]] = values[:MOST_VALUES]
    return kept


def as_data(kept: Mapping[str, list[str]], *, prefix: str = "form") -> MultiValueDict[str, str]:
    """Return what was kept as if it had been sent again."""
    return MultiValueDict({f"{prefix}-{slug}": list(values) for slug, values in kept.items()})


def as_initial(slug: str, kept: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what was kept as what stands in the controls of a form that nobody has sent yet."""
    many = {entry["slug"] for entry in _entries(slug) if entry["type"] == "multi"}
    return {one: list(values) if one in many else values[0] for one, values in kept.items() if values}


def written(slug: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return stored answers as they would be typed, so that an earlier form can be taken as a start."""
    kept = {}
    for entry in _entries(slug):
        if entry["slug"] in answers:
            kept[entry["slug"]] = _retyped(entry["type"], answers[entry["slug"]])
    return kept


def _retyped(kind: str, value: Any) -> list[str]:
    if kind == "multi" and isinstance(value, list):
        return [str(one) for one in value]
    if kind == "list" and isinstance(value, list):
        return ["\n".join(str(one) for one in value)]
    if kind == "boolean":
        return [YES if value else NO]
    if kind == "check":
        return ["on"] if value else []
    if kind in {"date", "datetime"}:
        return [_moment(str(value))]
    return [number(value) if isinstance(value, int | float) else str(value)]


def _stored(kind: str, value: Any) -> Any:
    if kind == "boolean":
        return value == YES
    if kind == "scale":
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else value


# Answers to read -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Section:
    """Answers as they are shown: a title (may be empty) and rows of label and value."""

    title: str
    rows: list[tuple[str, str]]


def describe(slug: str, answers: Mapping[str, Any]) -> list[Section]:
    """Return the answers in the active language. Answers that the form no longer has are left out."""
    if slug not in _definitions():
        return []
    shown = []
    for section in _definitions()[slug]["sections"]:
        entries = [one for entry in section["fields"] for one in (_rows(entry) if "table" in entry else [entry])]
        told = [(in_language(one["names"]), _shown(one, answers.get(one["slug"]))) for one in entries]
        rows = [(label, text) for label, text in told if text]
        if rows:
            shown.append(Section(in_language(section["names"]) if "names" in section else "", rows))
    return shown


def headline(slug: str, answers: Mapping[str, Any], *, longest: int = 120) -> str:
    """Return the answers that matter most, in one line."""
    if slug not in _definitions():
        return ""
    parts = [
        _shown(entry, answers[entry["slug"]])
        for entry in _entries(slug)
        if entry.get("headline") and entry["slug"] in answers
    ]
    text = " · ".join(part for part in parts if part)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _shown(entry: dict[str, Any], value: Any) -> str:
    kind = entry["type"]
    if value is None:
        return ""
    if kind in {"choice", "multi"}:
        labels = {one["value"]: in_language(one) for one in entry["values"]}
        return ", ".join(labels.get(str(one), str(one)) for one in (value if isinstance(value, list) else [value]))
    if kind in {"boolean", "check"}:
        return gettext("Yes") if value else gettext("No")
    if kind == "language":
        return language_name(str(value))
    if kind in {"date", "datetime"}:
        return _moment(str(value))
    if kind == "list":
        return "\n".join(str(one) for one in value) if isinstance(value, list) else str(value)
    if isinstance(value, int | float):
        unit = {"nb": "mm"} if kind == "mm" else entry.get("unit")
        return f"{number(value)} {in_language(unit)}" if unit else number(value)
    return str(value)


def _moment(stored: str) -> str:
    """Write a stored date or time as dd.mm.yyyy, and the time as on the wall; what is not one stays as it is."""
    try:
        moment = datetime.fromisoformat(stored)
    except ValueError:
        return stored
    day = f"{moment:%d.%m.%Y}"
    return f"{day} {clock(moment)}" if "T" in stored else day


def number(value: Any) -> str:
    """Write a number with the active language's decimal sign, without needless zeros."""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    text = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return text if words() is words("en") else text.replace(".", ",")


def lasting(slug: str) -> list[str]:
    """Name the fields whose answer usually still holds next time."""
    return [entry["slug"] for entry in _entries(slug) if entry.get("carry")]


def asks_for_language(slug: str) -> bool:
    """Say whether the form itself asks which language is interpreted."""
    return has_form(slug) and any(entry["type"] == "language" for entry in _entries(slug))


# For other programs --------------------------------------------------------------------------------------------------
KINDS: Final = {
    "multi": "choices",
    "scale": "integer",
    "mm": "integer",
    "check": "boolean",
    "long": "text",
    "list": "lines",
    "language": "choice",
}
"""What a field is for a program, where it is not called so here: an answer of the kind `choices` or `lines` is a list."""


@dataclass(frozen=True)
class Question:
    """A field as another program needs it to give an answer that is taken."""

    name: str
    label: str
    help: str
    kind: str
    required: bool
    choices: list[tuple[str, str]]
    alone: str
    least: float | None
    most: float | None
    step: float | None
    unit: str
    longest: int | None
    most_lines: int | None
    when: tuple[str, list[str | bool]] | None


def questions(slug: str) -> list[Question]:
    """Return the form's fields in the active language, in their order."""
    drawn = form_class(slug)()
    yes_or_no = {entry["slug"] for entry in _entries(slug) if entry["type"] == "boolean"}
    return [_question(entry, drawn.fields[entry["slug"]], yes_or_no) for entry in _entries(slug)]


def _question(entry: dict[str, Any], asked: Any, yes_or_no: set[str]) -> Question:
    kind, when = entry["type"], entry.get("when")
    chosen = kind in {"choice", "multi", "language"}
    return Question(
        name=entry["slug"],
        label=str(asked.label),
        help=str(asked.help_text),
        kind=KINDS.get(kind, kind),
        required=bool(entry.get("required")),
        choices=[(value, str(label)) for value, label in asked.choices if value] if chosen else [],
        alone=entry.get("exclusive", ""),
        least=entry.get("min"),
        most=entry.get("max"),
        step=entry.get("step"),
        unit=getattr(asked, "suffix", ""),
        longest=getattr(asked, "longest", None),
        most_lines=getattr(asked, "most", None),
        when=(when["field"], [one == YES if when["field"] in yes_or_no else one for one in when["is"]])
        if when
        else None,
    )


def totals(slug: str) -> list[tuple[list[str], int]]:
    """Name the numbers that must add up, each time with what to."""
    return [
        ([row["slug"] for row in entry["rows"]], entry["total"])
        for section in _definitions()[slug]["sections"]
        for entry in section["fields"]
        if "total" in entry
    ]


def misread(slug: str, answers: Mapping[str, Any]) -> dict[str, str]:
    """Say what to send instead where an answer is of another kind than its field: "no" is no false, and a list no text."""
    wrong = {}
    for entry in _entries(slug):
        value = answers.get(entry["slug"])
        if value is not None and (instead := _instead(entry["type"], value)):
            wrong[entry["slug"]] = instead
    return wrong


def _instead(kind: str, value: Any) -> str:
    if kind in {"boolean", "check"}:
        return "" if isinstance(value, bool) else gettext("Send true or false.")
    if kind in {"multi", "list"}:
        several = value if isinstance(value, list) else [value]
        return "" if all(isinstance(one, str) for one in several) else gettext("Send a list of texts.")
    if isinstance(value, bool):
        return gettext("Send a text or a number.")
    if isinstance(value, int | float | str):
        return ""
    return gettext("Send a number.") if kind in {"integer", "mm", "decimal", "scale"} else gettext("Send a text.")


def sent(slug: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a program sent as it would be typed: null is no answer, and a time with a zone is ours on the wall."""
    given = {name: value for name, value in answers.items() if value is not None}
    for entry in _entries(slug):
        if entry["type"] == "datetime" and isinstance(value := given.get(entry["slug"]), str):
            given[entry["slug"]] = _on_the_wall(value)
    return written(slug, given)


def _on_the_wall(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    try:
        return timezone.localtime(moment).replace(tzinfo=None).isoformat() if moment.tzinfo else text
    except OverflowError:
        return text
