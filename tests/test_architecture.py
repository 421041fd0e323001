"""The order of the apps holds for foreign keys too, which an import check cannot see."""

import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model

ROOT = Path(__file__).parent.parent


def layers() -> list[set[str]]:
    """Return the apps from the bottom up, as the contract in pyproject.toml has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    order = next(one for one in contracts if one["type"] == "layers" and "portal" in one["layers"])["layers"]
    named = [{name.strip(" ()").removeprefix("apps.") for name in layer.split("|")} for layer in order]
    return list(reversed(named))


def level_of(label: str) -> int:
    return next(level for level, names in enumerate(layers()) if label in names)


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("apps.")]


def test_every_app_stands_in_the_order():
    named = set().union(*layers())
    folders = {path.name for path in (ROOT / "apps").iterdir() if (path / "apps.py").exists()}
    assert folders <= named


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_a_foreign_key_points_down_or_stays(model):
    own = model._meta.app_label
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey) and field.related_model.__module__.startswith("apps."):
            target = field.related_model._meta.app_label
            assert target == own or level_of(target) < level_of(own), f"{model._meta.label}.{field.name} points up"


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_a_constraint_has_a_sentence_for_a_name(model):
    for constraint in model._meta.constraints:
        assert constraint.name.count("_") >= 2, f"{constraint.name} does not say what is true of the table"


def test_no_table_holds_a_room_for_scheduling():
    """A supplier's outage can never touch a booking: rooms point at appointments, not the reverse."""
    appointment = apps.get_model("scheduling", "Appointment")
    targets = {field.related_model._meta.app_label for field in appointment._meta.fields if field.is_relation}
    assert targets.isdisjoint({"rooms", "calendars", "registration", "messaging"})
