"""Every field of every form: right answers are kept, wrong ones are told what to write, and nothing typed is lost."""

import html
import time
from datetime import date

import pytest
from django import forms
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from apps.catalogue import questionnaire
from apps.catalogue.questionnaire import _definitions, _entries, as_data, as_initial, form_class
from apps.common.templatetags.vt import error_summary

TODAY = date(2026, 3, 2)
HOSTILE = [
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "\0\0",
    "１２３",
    "٣",
    "NaN",
    "Infinity",
    "1e9",
    "-1",
    "9" * 400,
    "0x10",
    "\u202e9\u202c",
    "🩹" * 50,
    "../../etc/passwd",
    "{{ 7*7 }}",
    "%s%n",
]

ALL = [(slug, entry["slug"]) for slug in questionnaire.slugs() for entry in _entries(slug)]
NUMBERS = [
    (slug, entry["slug"])
    for slug in questionnaire.slugs()
    for entry in _entries(slug)
    if entry["type"] in {"integer", "decimal", "mm"}
]


@pytest.fixture(autouse=True)
def bokmaal():
    with translation.override("nb"):
        yield


def entry_of(slug, one):
    return next(entry for entry in _entries(slug) if entry["slug"] == one)


def good(entry):
    """A right answer for a field, as typed."""
    kind = entry["type"]
    if kind in {"choice", "multi"}:
        return [entry["values"][0]["value"]]
    if kind == "boolean":
        return ["yes"]
    return {
        "scale": lambda: [str(entry["max"])],
        "integer": lambda: [str(entry["max"])],
        "mm": lambda: [str(entry["max"])],
        "decimal": lambda: [questionnaire.number(float(entry["max"]))],
        "language": lambda: ["som"],
        "date": lambda: ["01.02.2026"],
        "datetime": lambda: ["01.02.2026 10.30"],
        "check": lambda: ["on"],
        "list": lambda: ["første\nandre"],
        "text": lambda: ["Skum"],
        "long": lambda: ["Såret væsker mer siden fredag."],
    }[kind]()


def complete(slug):
    """Everything in a form answered rightly, the totals too."""
    sent = {entry["slug"]: good(entry) for entry in _entries(slug)}
    for section in _definitions()[slug]["sections"]:
        for table in section["fields"]:
            if "total" in table:
                sent |= {row["slug"]: ["0"] for row in table["rows"]} | {table["rows"][0]["slug"]: ["100"]}
    return sent


def filled(slug, /, **changes):
    sent = complete(slug) | {one: [value] if isinstance(value, str) else value for one, value in changes.items()}
    return form_class(slug)(as_data(sent), today=TODAY)


def checked(form):
    assert form.is_valid(), form.errors
    return form


def conditions_met(slug, entry):
    """What must be answered for this field to be asked for."""
    when = entry.get("when")
    return {when["field"]: when["is"][:1]} if when else {}


@pytest.mark.parametrize("slug", questionnaire.slugs())
def test_a_form_answered_rightly_is_accepted_and_can_be_read(slug):
    form = filled(slug)
    assert form.is_valid(), form.errors
    sections = questionnaire.describe(slug, form.answers())
    assert sum(len(section.rows) for section in sections) == len(form.answers())


@pytest.mark.parametrize("slug", questionnaire.slugs())
def test_an_empty_form_says_what_to_write_at_every_required_field(slug):
    form = form_class(slug)(MultiValueDict(), today=TODAY)
    assert not form.is_valid()
    for entry in _entries(slug):
        if entry.get("required") and not entry.get("when"):
            message = form.errors[entry["slug"]][0]
            assert "påkrevd" not in message, (slug, entry["slug"])
            assert message == form.fields[entry["slug"]].ask_text, (slug, entry["slug"])
            told = "ask" in entry or entry["type"] in {"boolean", "date", "datetime", "integer"}
            assert told, (slug, entry["slug"])


@pytest.mark.parametrize(("slug", "one"), ALL)
def test_each_field_is_missed_when_it_is_required_and_only_then(slug, one):
    entry = entry_of(slug, one)
    form = filled(slug, **conditions_met(slug, entry), **{one: []})
    in_total = any(
        row["slug"] == one and row["slug"] == table["rows"][0]["slug"]
        for section in _definitions()[slug]["sections"]
        for table in section["fields"]
        if "total" in table
        for row in table["rows"]
    )
    assert (one in form.errors) == bool(entry.get("required") or in_total)


@pytest.mark.parametrize(("slug", "one"), NUMBERS)
def test_numbers_keep_to_their_range(slug, one):
    entry = entry_of(slug, one)
    met = conditions_met(slug, entry)
    in_a_total = "unit" in entry and entry["unit"] and entry["unit"]["nb"] == "%"
    for right in {entry["min"], entry["max"]}:
        if not in_a_total:
            form = filled(slug, **met, **{one: questionnaire.number(right)})
            assert one not in form.errors, (right, form.errors.get(one))
            assert form.cleaned_data[one] == right
    for wrong in (entry["min"] - 1, entry["max"] + 1, 99_999_999):
        form = filled(slug, **met, **{one: questionnaire.number(wrong)})
        assert "fra" in form.errors[one][0], (slug, one)


@pytest.mark.parametrize(("slug", "one"), ALL)
def test_whatever_is_typed_is_answered_kindly_and_stays_in_the_control(slug, one):
    entry = entry_of(slug, one)
    met = conditions_met(slug, entry)
    for text in HOSTILE:
        form = filled(slug, **met, **{one: text})
        form.is_valid()
        visible = text.replace("\0", "")
        assert form.typed().get(one, [""]) == [visible]
        drawn = str(form[one])
        assert "<script>alert" not in drawn
        if entry["type"] == "check":
            continue
        if entry["type"] not in {"text", "long", "list"}:
            assert one in form.errors or one not in form.answers(), (text, form.errors)
        if not isinstance(form.fields[one], forms.ChoiceField):
            assert html.escape(visible) in drawn, text


@pytest.mark.parametrize(("slug", "one"), [pair for pair in ALL if entry_of(*pair)["type"] in {"text", "long", "list"}])
def test_too_long_texts_are_told_how_long_they_are(slug, one):
    entry = entry_of(slug, one)
    longest = entry.get("max_length", 2000 if entry["type"] == "long" else 200)
    met = conditions_met(slug, entry)
    assert one not in filled(slug, **met, **{one: "å" * longest}).errors
    form = filled(slug, **met, **{one: "å" * (longest + 1)})
    assert str(longest) in form.errors[one][0]


def test_the_width_is_asked_for_in_plain_words():
    form = filled("wound_assessment", width_mm="nitten")
    assert form.errors["width_mm"] == ["Skriv bredden i mm, for eksempel 19."]
    assert form["width_mm"].value() == "nitten"


def test_a_size_may_be_written_with_its_unit():
    assert checked(filled("wound_assessment", width_mm=" 19 mm ")).answers()["width_mm"] == 19
    assert checked(filled("wound_assessment", width_mm="1 9 MM.")).answers()["width_mm"] == 19


def test_a_size_with_much_air_in_it_is_read_at_once():
    began = time.perf_counter()
    assert filled("wound_assessment", width_mm=f"1{' ' * 20_000}x").errors["width_mm"]
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("typed", ["0,9", "0.9", " 0,90 "])
def test_decimals_may_have_comma_or_point(typed):
    assert checked(filled("wound_assessment", abi=typed)).answers()["abi"] == 0.9


def test_tissue_must_add_up_to_a_hundred_and_an_empty_part_is_nothing():
    parts = {"tissue_necrosis": [], "tissue_fibrin": "40", "tissue_granulation": "60", "tissue_epithelium": []}
    assert filled("wound_assessment", **parts).is_valid()
    form = filled("wound_assessment", **(parts | {"tissue_granulation": "50"}))
    assert "90" in form.errors["tissue_necrosis"][0]
    assert "100" in form.errors["tissue_necrosis"][0]


def test_none_cannot_be_chosen_together_with_a_sign():
    form = filled("wound_assessment", infection_signs=["none", "pus"])
    assert "Ingen" in form.errors["infection_signs"][0]


def test_the_category_is_asked_for_in_pressure_injuries_only():
    form = filled("wound_assessment", wound_type="venous", pressure_category="rubbish")
    assert form.is_valid()
    assert "pressure_category" not in form.answers()
    form = filled("wound_assessment", wound_type="pressure", pressure_category=[])
    assert "pressure_category" in form.errors


def test_symptoms_are_scored_unless_the_patient_cannot_be_scored_now():
    no_scores = {row: [] for row in complete("palliative_review") if row.startswith("esas_")}
    assert filled("palliative_review", filled_by="not_able", **no_scores).is_valid()
    form = filled("palliative_review", filled_by="patient", **no_scores)
    assert {"esas_pain_rest", "esas_wellbeing"} <= set(form.errors)
    assert "esas_other" not in form.errors


@pytest.mark.parametrize(
    "typed", ["17.2.2026", "17.02.26", "17022026", "170226", "17/2-2026", "2026-02-17", "17 2 2026"]
)
def test_dates_are_read_as_people_write_them(typed):
    form = checked(filled("rehab_exercise_review", event_date=typed))
    assert form.answers()["event_date"] == "2026-02-17"


@pytest.mark.parametrize("typed", ["31.02.2026", "i går", "00.00.0000", "1.1.1", "32132026", "17.02.1226"])
def test_what_is_no_date_is_asked_for_again(typed):
    assert "17.03.2026" in filled("rehab_exercise_review", event_date=typed).errors["event_date"][0]


def test_a_fall_cannot_be_tomorrow():
    assert "event_date" in filled("rehab_exercise_review", event_date="03.03.2026").errors
    assert "event_date" not in filled("rehab_exercise_review", event_date="02.03.2026").errors


@pytest.mark.parametrize("typed", ["01.02.2026 10.30", "01.02.2026 10:30", "1.2.26 kl. 10.30", "2026-02-01T10:30"])
def test_times_are_read_as_people_write_them(typed):
    form = checked(filled("discharge_planning", notified_at=typed))
    assert form.answers()["notified_at"] == "2026-02-01T10:30"


@pytest.mark.parametrize("typed", ["01.02.2026", "01.02.2026 25.00", "01.02.2026 halv ti", "10.30"])
def test_a_time_needs_both_day_and_clock(typed):
    assert "notified_at" in filled("discharge_planning", notified_at=typed).errors


def test_answers_are_shown_with_units_and_names_in_the_language_of_the_screen():
    answers = {"wound_type": "venous", "width_mm": 19, "abi": 0.9, "infection_signs": ["redness", "odour"]}
    rows = dict(row for section in questionnaire.describe("wound_assessment", answers) for row in section.rows)
    assert rows["Bredde"] == "19 mm"
    assert rows["Ankel-arm-indeks"] == "0,9"
    assert rows["Tegn til infeksjon"] == "Rødme, Lukt"
    with translation.override("en"):
        rows = dict(row for section in questionnaire.describe("wound_assessment", answers) for row in section.rows)
    assert rows["Ankle-brachial index"] == "0.9"


def test_answers_from_an_older_form_are_shown_as_far_as_they_are_known():
    assert questionnaire.describe("wound_assessment", {"wound_type": "burn", "gone": 3})[0].rows[0][1] == "burn"
    assert questionnaire.describe("no_such_form", {"a": 1}) == []


@pytest.mark.parametrize("slug", questionnaire.slugs())
def test_answers_can_be_taken_as_the_start_of_the_next_form(slug):
    answers = checked(filled(slug)).answers()
    again = form_class(slug)(as_data(questionnaire.written(slug, answers)), today=TODAY)
    assert again.is_valid(), again.errors
    assert again.answers() == answers


def test_a_draft_shows_what_was_typed_even_if_it_is_wrong():
    kept = {"width_mm": ["nitten"], "infection_signs": ["pus", "odour"]}
    form = form_class("wound_assessment")(initial=as_initial("wound_assessment", kept), today=TODAY)
    assert form["width_mm"].value() == "nitten"
    assert str(form["infection_signs"]).count("checked") == 2
    assert not form.errors


@pytest.mark.parametrize("slug", questionnaire.slugs())
@pytest.mark.parametrize("language", ["nb", "nn", "en", "se"])
def test_every_text_is_there_in_each_language(slug, language):
    with translation.override(language):
        form = form_class(slug)(today=TODAY)
        assert all(field.label for field in form.fields.values())
        drawn = [bound for section in form.sections() for item in section.items for bound in item.fields]
    assert {bound.name for bound in drawn} == set(form.fields)


def test_the_summary_above_the_form_names_each_field_once_and_a_table_once():
    typed = {"form-filled_by": "patient", "form-esas_nausea": "11", "form-esas_anxiety": "x"}
    form = form_class("palliative_review")(
        MultiValueDict({one: [value] for one, value in typed.items()}), prefix="form"
    )
    shown = [message for _target, message in error_summary(form)["found"]]
    assert shown.count("Skriv et tall fra 0 til 10 i hver rad.") == 1
    assert len(set(shown)) == len(shown)


def test_the_summary_says_which_date_and_which_question_it_means():
    form = form_class("discharge_planning")(MultiValueDict(), prefix="form")
    shown = [message for _target, message in error_summary(form)["found"]]
    assert "Innlagt: Skriv datoen som dag, måned og år, for eksempel 17.03.2026." in shown
    assert "Er medisinlisten samstemt? Svar ja eller nei." in shown
    assert "ADL (Barthel): Skriv et tall fra 0 til 20, for eksempel 14." in shown


# For other programs --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", questionnaire.slugs())
def test_every_question_is_described_as_it_is_asked(slug):
    described = questionnaire.questions(slug)
    assert [one.name for one in described] == [entry["slug"] for entry in _entries(slug)]
    for one in described:
        assert one.label
        assert one.choices if one.kind in {"choice", "choices"} else not one.choices
        assert one.most is not None if one.kind in {"integer", "decimal"} else True


@pytest.mark.parametrize("kind", ["boolean", "check"])
def test_the_word_no_is_not_taken_for_yes(kind):
    slug, name = next((s, n) for s, n in ALL if entry_of(s, n)["type"] == kind)
    assert set(questionnaire.misread(slug, {name: "no"})) == {name}
    assert not questionnaire.misread(slug, {name: False})


@pytest.mark.parametrize("kind", ["text", "long", "choice", "integer", "decimal", "date"])
@pytest.mark.parametrize("value", [["a"], {"a": 1}, True])
def test_what_is_of_another_kind_is_not_made_into_a_text(kind, value):
    slug, name = next((s, n) for s, n in ALL if entry_of(s, n)["type"] == kind)
    assert set(questionnaire.misread(slug, {name: value})) == {name}


def test_null_is_no_answer():
    slug, name = next((s, n) for s, n in ALL if entry_of(s, n)["type"] == "long")
    assert questionnaire.sent(slug, {name: None}) == {}


def test_a_time_with_a_zone_is_kept_as_the_clock_on_our_wall():
    slug, name = next((s, n) for s, n in ALL if entry_of(s, n)["type"] == "datetime")
    there = [questionnaire.sent(slug, {name: text}) for text in ("2026-01-15T08:30:00Z", "2026-01-15T09:30")]
    assert there[0] == there[1]
