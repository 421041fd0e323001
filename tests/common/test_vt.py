"""Dates as people say them, and the pieces every template uses."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from apps.common import dates
from apps.common.templatetags import vt

NOW = datetime(2026, 3, 17, 9, 18, tzinfo=UTC)
HALF_PAST_TEN = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nb", "tirsdag 17. mars 2026 kl. 10.30"),
        ("nn", "tysdag 17. mars 2026 kl. 10.30"),
        ("se", "maŋŋebárga njukčamánu 17. b. 2026 dii. 10.30"),
        ("en", "Tuesday 17 March 2026 at 10:30"),
    ],
)
def test_a_day_and_a_time_in_each_language(language: str, said: str) -> None:
    day, clock = dates.full_day(HALF_PAST_TEN, language=language), dates.clock(HALF_PAST_TEN, language=language)
    assert dates.words(language).at.format(day=day, clock=clock) == said


@pytest.mark.parametrize(
    ("away", "said"),
    [(-1, "i går"), (0, "i dag"), (1, "i morgen"), (2, "torsdag 19. mars"), (365, "onsdag 17. mars 2027")],
)
def test_near_days_have_their_own_words(away: int, said: str) -> None:
    assert vt.day(NOW + timedelta(days=away), NOW) == said


def test_the_day_is_the_one_in_norway() -> None:
    late = datetime(2026, 3, 17, 23, 30, tzinfo=UTC)
    assert vt.day(late, NOW) == "i morgen"
    assert vt.clock(late) == "00.30"


def test_both_nights_when_the_clock_changes() -> None:
    assert (
        vt.clock_range(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
        == "kl. 01.30–03.00"
    )
    assert (
        vt.clock(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
        == vt.clock(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
        == "02.30"
    )


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(12, "om 12 minutter"), (1, "om 1 minutt"), (0, "nå"), (-3, "for 3 minutter siden"), (60, ""), (-60, "")],
)
def test_minutes_are_said_within_the_hour(minutes: int, said: str) -> None:
    assert vt.in_minutes(NOW + timedelta(minutes=minutes), NOW) == said


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+4700001020", "00 00 10 20"),
        ("00001020", "00 00 10 20"),
        ("+46700001020", "+46700001020"),
        (None, ""),
        ("", ""),
    ],
)
def test_phone_numbers_are_shown_in_pairs(number: str | None, shown: str) -> None:
    assert vt.phone_pairs(number) == shown


@pytest.mark.parametrize(
    ("name", "letters"), [("Maja Myrull", "MM"), ("Åse", "Å"), ("Ada B. Alm", "AA"), ("", ""), (None, "")]
)
def test_initials(name: str | None, letters: str) -> None:
    assert vt.initials(name) == letters


def test_week_and_short_day() -> None:
    assert vt.week(date(2026, 3, 17)) == "uke 12"
    assert vt.short_day(date(2026, 3, 7)) == "07.03.2026"
    with translation.override("nn"):
        assert vt.week(date(2026, 3, 17)) == "veke 12"


def test_zulu_can_be_read_back_on_the_night_with_two_half_past_twos() -> None:
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert (vt.zulu(first), vt.zulu(second)) == ("2026-10-25T00:30Z", "2026-10-25T01:30Z")


class WoundForm(forms.Form):
    width = forms.DecimalField(label="Bredde", help_text="I cm", error_messages={"invalid": "Skriv bredden i cm"})
    trend = forms.ChoiceField(
        label="Utvikling", choices=[("better", "Bedre"), ("worse", "Verre")], widget=forms.RadioSelect
    )
    note = forms.CharField(label="Merknad", required=False, widget=forms.Textarea)
    agreed = forms.BooleanField(label="Avtalt")


def test_a_field_ties_label_help_and_error_to_its_control() -> None:
    form = WoundForm({"width": "<b>19 mm", "agreed": "on"})
    html = render("{% field form.width %}", form=form)
    assert '<label class="ds-label" for="id_width">' in html
    assert 'aria-describedby="id_width-help id_width-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_width-error">Skriv bredden i cm' in html
    assert "&lt;b&gt;19 mm" in html


def test_choices_are_a_group_with_a_name_and_keep_what_was_chosen() -> None:
    html = render('{% field form.trend look="pills" %}', form=WoundForm({"trend": "worse"}))
    assert "<fieldset" in html
    assert "<legend" in html
    assert 'value="worse" id="id_trend_1" checked' in html


def test_what_need_not_be_answered_says_so() -> None:
    assert "(valgfritt)" in render("{% field form.note %}", form=WoundForm())
    assert "(valgfritt)" not in render("{% field form.width %}", form=WoundForm())


def test_the_error_summary_links_to_each_field() -> None:
    html = render("{% error_summary form %}", form=WoundForm({}))
    for target in ["#id_width", "#id_trend_0", "#id_agreed"]:
        assert f'href="{target}"' in html
    assert render("{% error_summary form %}", form=WoundForm()) == ""


def test_the_error_summary_says_which_field_a_message_means_that_fits_several() -> None:
    html = render("{% error_summary form %}", form=WoundForm({"width": "x"}))
    assert ">Skriv bredden i cm</a>" in html
    assert ">Utvikling: " in html
    assert ">Avtalt: " in html


def test_an_icon_is_hidden_from_those_who_listen() -> None:
    html = render('{% icon "Video" %}')
    assert 'aria-hidden="true"' in html
    assert "aksel-icons.svg#Video" in html


@pytest.mark.parametrize(
    ("cookie", "scheme"), [("dark", "dark"), ("light", "light"), ("", "auto"), ('"><script>', "auto")]
)
def test_only_known_colour_schemes_are_taken_from_the_cookie(rf: RequestFactory, cookie: str, scheme: str) -> None:
    request = rf.get("/")
    request.COOKIES["scheme"] = cookie
    assert render("{% colour_scheme %}", request=request) == scheme


@pytest.mark.parametrize(
    ("day", "clock", "first", "last"),
    [
        ((2026, 3, 17), time(2, 30), (2026, 3, 17, 1, 30), (2026, 3, 17, 1, 30)),
        ((2026, 7, 1), time(2, 30), (2026, 7, 1, 0, 30), (2026, 7, 1, 0, 30)),
        ((2026, 3, 29), time(1, 59), (2026, 3, 29, 0, 59), (2026, 3, 29, 0, 59)),
        ((2026, 3, 29), time(2, 30), (2026, 3, 29, 1, 0), (2026, 3, 29, 1, 0)),  # jumped over: the jump
        ((2026, 3, 29), time(3, 0), (2026, 3, 29, 1, 0), (2026, 3, 29, 1, 0)),
        ((2026, 10, 25), time(2, 30), (2026, 10, 25, 0, 30), (2026, 10, 25, 1, 30)),  # shown twice
        ((2026, 10, 25), time(3, 0), (2026, 10, 25, 2, 0), (2026, 10, 25, 2, 0)),
    ],
)
def test_what_the_clock_on_the_wall_shows_is_a_moment_on_every_night(day, clock, first, last):
    assert dates.moment_at(date(*day), clock) == datetime(*first, tzinfo=UTC)
    assert dates.moment_at(date(*day), clock, last=True) == datetime(*last, tzinfo=UTC)
