"""Reads `data/code_rules.yaml`: the house's default code rules, written out row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from apps.common.data_files import read_yaml

from .sheet import ORDER, Certainty, StoredRow

FILE: Final = Path(__file__).parent / "data" / "code_rules.yaml"


class BadRules(Exception):
    """The rule file names something that it does not hold."""


@dataclass(frozen=True)
class HouseRule:
    family: str
    patient_present: bool
    rows: list[StoredRow]


@dataclass(frozen=True)
class HouseRules:
    valid_from: date
    rules: list[HouseRule]
    specialities: dict[str, str]


@lru_cache(maxsize=1)
def house_rules() -> HouseRules:
    return read_rules(read_yaml(FILE))


def read_rules(data: Mapping[str, Any]) -> HouseRules:
    if list(data["order"]) != list(ORDER):
        raise BadRules("order: every field once, as in sheet.FIELD_LABELS")
    rules = []
    for rule in data["rules"]:
        own = rule["rows"]
        replaced = {row["field"] for row in own}
        base = [row for row in data["base"][rule["patient"]] if row["field"] not in replaced]
        rows = sorted((_row(row, data) for row in [*base, *own]), key=lambda row: ORDER[row["field"]])
        rules.append(HouseRule(family=rule["family"], patient_present=rule["patient"] == "present", rows=rows))
    specialities = {code: text for code, text in data["codes"]["speciality"].items() if code.isdigit()}
    return HouseRules(valid_from=data["valid_from"], rules=rules, specialities=specialities)


def _row(row: Mapping[str, Any], data: Mapping[str, Any]) -> StoredRow:
    field, code = row["field"], row.get("code", "")
    known: Mapping[str, Any] = data["codes"].get(field, {})
    choices = row.get("choices", [])
    unknown = [each for each in [*choices, *([code] if code else [])] if each not in known]
    if unknown or field not in ORDER:
        raise BadRules(f"{field}: {unknown}")
    text = known[code] if code else " / ".join(f"{each} {known[each]}" for each in choices)
    stored = StoredRow(
        field=field,
        code=code,
        text=text,
        system=known.get("system", "") if text else "",
        certainty=Certainty(row["certainty"]).value,
        note=data["notes"][row["note"]] if "note" in row else {},
        source=data["sources"][row.get("source", known.get("source"))],
    )
    if "for" in row:
        stored["only_for"] = list(row["for"])
    if row.get("interpreter"):
        stored["with_interpreter"] = True
    return stored
