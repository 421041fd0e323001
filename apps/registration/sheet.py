"""The registration sheet: the rows that a clerk types into DIPS, in DIPS's order, each with how sure it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalogue.models import in_language
from apps.common.languages import language_name

Texts = dict[str, str]


class Certainty(models.TextChoices):
    VERIFIED = "verified", _("verified")
    LOCAL = "local", _("to be confirmed locally")
    CANDIDATE = "candidate", _("candidate code")
    FACT = "fact", _("from the appointment")


class StoredRow(TypedDict):
    """A row as it is kept with a rule or a registration: values and texts, so that it outlives the rule."""

    field: str
    code: str
    text: str
    system: str
    certainty: str
    note: Texts
    source: Texts
    only_for: NotRequired[list[str]]
    with_interpreter: NotRequired[bool]


FIELD_LABELS: Final[dict[str, Promise]] = {
    "care_level": _("Level of care"),
    "contact_type": _("Contact type"),
    "place": _("Place of activity"),
    "indirect": _("Indirect activity"),
    "speciality": _("Speciality"),
    "procedure": _("Procedure code"),
    "interpreter": _("Interpreter"),
    "tariff": _("Tariff"),
    "video_url": _("VideoUrl"),
    "reference": _("Reference in the remark"),
}
ORDER: Final = {field: place for place, field in enumerate(FIELD_LABELS)}


@dataclass(frozen=True)
class Row:
    """A row as it is shown and copied."""

    field: str
    label: Promise
    value: str
    copied: str
    system: str
    certainty: Certainty
    note: str
    source: str

    @property
    def is_certain(self) -> bool:
        return self.certainty in {Certainty.VERIFIED, Certainty.FACT}


def draw_up(
    codes: Iterable[Mapping[str, Any]],
    *,
    organisation_kind: str,
    speciality: str,
    speciality_text: str,
    interpreter_language: str,
    interpreter_by_phone: bool,
    video_url: str,
    reference: str,
) -> list[StoredRow]:
    """Put a rule's rows and the session's own facts together, in the order of the sheet."""
    rows = [
        _kept(row)
        for row in codes
        if organisation_kind in row.get("only_for", [organisation_kind])
        and (interpreter_language or not row.get("with_interpreter"))
    ]
    if speciality and any(row["field"] == "speciality" for row in rows):
        rows = [row for row in rows if row["field"] != "speciality"]
        rows.append(_fact("speciality", code=speciality, text=speciality_text, system="episodefag"))
    if interpreter_language:
        rows.append(_fact("interpreter", code=interpreter_language, text="phone" if interpreter_by_phone else "screen"))
    rows.append(_fact("video_url", text=video_url))
    rows.append(_fact("reference", text=reference))
    return sorted(rows, key=lambda row: ORDER[row["field"]])


def shown(rows: Iterable[StoredRow]) -> list[Row]:
    """Return the rows in the reader's language. Official code texts stay as they are."""
    return [_shown(row) for row in rows]


def _shown(row: StoredRow) -> Row:
    value, copied = _value(row)
    return Row(
        field=row["field"],
        label=FIELD_LABELS[row["field"]],
        value=value,
        copied=copied,
        system=row["system"],
        certainty=Certainty(row["certainty"]),
        note=in_language(row["note"]) if row["note"] else "",
        source=in_language(row["source"]) if row["source"] else "",
    )


def _value(row: StoredRow) -> tuple[str, str]:
    if row["field"] == "interpreter":
        name = {"language": language_name(row["code"])}
        words = _("Yes, %(language)s, by telephone") if row["text"] == "phone" else _("Yes, %(language)s, by video")
        return words % name, words % name
    return " ".join(filter(None, [row["code"], row["text"]])), row["code"] or row["text"]


def _kept(row: Mapping[str, Any]) -> StoredRow:
    return StoredRow(
        field=row["field"],
        code=row["code"],
        text=row["text"],
        system=row["system"],
        certainty=row["certainty"],
        note=row["note"],
        source=row["source"],
    )


def _fact(field: str, *, text: str, code: str = "", system: str = "") -> StoredRow:
    return StoredRow(field=field, code=code, text=text, system=system, certainty=Certainty.FACT, note={}, source={})
