"""National identity numbers: the published examples, the rule of 2032, and whatever people may type."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.patients.identifiers import (
    InvalidIdentifier,
    NoSuchDate,
    NotElevenDigits,
    SyntheticRefused,
    WrongCheckDigits,
    accept_identifier,
    parse_identifier,
)
from apps.patients.models import IdentifierKind as Kind

FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2)
SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def complete(nine: str, rest: int = 0) -> str | None:
    """Add check digits so that the first sum leaves `rest`; None where no digit does."""
    tenth = (rest - sum(weight * int(digit) for weight, digit in zip(FIRST, nine, strict=True))) % 11
    ten = f"{nine}{tenth}"
    if tenth > 9:
        return None
    eleventh = -sum(weight * int(digit) for weight, digit in zip(SECOND, ten, strict=True)) % 11
    return f"{ten}{eleventh}" if eleventh <= 9 else None


@pytest.mark.parametrize(
    ("number", "kind", "born", "synthetic"),
    [
        ("17912099997", Kind.FNR, date(2020, 11, 17), True),  # Skatteetaten, Tenor
        ("57912075186", Kind.DNR, date(2020, 11, 17), True),  # Skatteetaten, Tenor
        ("15507600333", Kind.HNR, date(1976, 10, 15), False),  # NAV, Dolly: looks as an H-number does
        ("55507608360", Kind.DNR, date(1976, 10, 15), True),  # NAV, Dolly
        ("12704300032", Kind.FNR, date(1943, 5, 12), True),  # NHN's test people: month plus 65
        ("52704300026", Kind.DNR, date(1943, 5, 12), True),
    ],
)
def test_the_published_examples(number, kind, born, synthetic):
    found = parse_identifier(number)
    assert (found.kind, found.birth_date, found.synthetic, found.rule_2032) == (kind, born, synthetic, False)


@pytest.mark.parametrize(
    "typed", ["179120 99997", " 17912099997 ", "179120-99997", "17.91.20 99997", "179120\u00a099997"]
)
def test_people_type_spaces_and_hyphens(typed):
    assert parse_identifier(typed).value == "17912099997"


@pytest.mark.parametrize(
    "typed", ["", "1791209999", "179120999970", "1791209999x", "١٧٩١٢٠٩٩٩٩٧", "17912099997\x00", "a" * 5000, "-" * 11]
)
def test_what_is_not_eleven_digits_is_said_to_be_so(typed):
    with pytest.raises(NotElevenDigits):
        parse_identifier(typed)


@pytest.mark.parametrize(
    "nine", ["320175123", "300275123", "001275123", "151375123", "150075123", "720175123", "155375123"]
)
def test_a_day_that_is_none_is_said_to_be_so(nine):
    number = next(filter(None, (complete(nine, rest) for rest in (0, 1, 2, 3))))
    with pytest.raises(NoSuchDate):
        parse_identifier(number)


def test_the_29th_of_february_exists_in_leap_years_only():
    assert parse_identifier(complete("290204501") or complete("290204502")).birth_date == date(2004, 2, 29)
    with pytest.raises(NoSuchDate):
        parse_identifier(complete("290203501") or complete("290203502"))


def test_production_refuses_made_up_people():
    for number in ("17912099997", "57912075186", "55507608360"):
        with pytest.raises(SyntheticRefused):
            accept_identifier(number, synthetic_allowed=False)
        assert accept_identifier(number, synthetic_allowed=True).synthetic


@pytest.mark.parametrize(
    ("serial", "year", "century"),
    [
        ("000", "99", 1900),
        ("499", "00", 1900),
        ("500", "54", 1800),
        ("749", "99", 1800),
        ("500", "39", 2000),
        ("999", "00", 2000),
        ("900", "40", 1900),
        ("999", "99", 1900),
        ("750", "54", None),
        ("500", "40", None),
    ],
)
def test_the_century_is_read_from_the_serial_number(serial, year, century):
    number = complete(f"1510{year}{serial}") or complete(f"1610{year}{serial}") or complete(f"1710{year}{serial}")
    born = parse_identifier(number).birth_date
    assert (born and born.year // 100 * 100) == century


def test_a_common_help_number_says_nothing_of_its_owner():
    number = next(filter(None, (complete(f"8{serial:08}") for serial in range(100, 120))))
    found = parse_identifier(number)
    assert (found.kind, found.birth_date, found.synthetic) == (Kind.FHN, None, False)


births = st.dates(date(1940, 1, 1), date(2039, 12, 31))


@given(
    births, st.integers(0, 999), st.sampled_from([0, 1, 2, 3]), st.sampled_from([0, 40]), st.sampled_from([0, 40, 80])
)
def test_every_number_made_by_the_rules_is_taken(born, serial, rest, day_plus, month_plus):
    nine = f"{born.day + day_plus:02}{born.month + month_plus:02}{born:%y}{serial:03}"
    number = complete(nine, rest)
    assume(number)
    found = parse_identifier(number)
    assert found.value == number
    assert found.rule_2032 == (rest != 0)
    assert (found.kind == Kind.DNR) == bool(day_plus)
    if found.birth_date is not None:
        assert (found.birth_date.day, found.birth_date.month, found.birth_date.year % 100) == (
            born.day,
            born.month,
            born.year % 100,
        )
    if found.rule_2032:
        assert found.birth_date is None, "the century is not in numbers issued from 2032"


@given(births, st.integers(0, 999), st.integers(4, 10))
def test_no_other_remainder_is_taken(born, serial, rest):
    number = complete(f"{born:%d%m%y}{serial:03}", rest)
    assume(number)
    with pytest.raises(WrongCheckDigits):
        parse_identifier(number)


@given(births, st.integers(0, 999), st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_never_taken_by_todays_rule(born, serial, place, change):
    number = complete(f"{born:%d%m%y}{serial:03}")
    assume(number)
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
    try:
        found = parse_identifier(wrong)
    except InvalidIdentifier:
        return
    assert found.rule_2032, "only the looser rule of 2032 may let it through, and the form asks then"


@given(st.text(max_size=40))
def test_nothing_typed_brings_it_down(text):
    said = ""
    try:
        said = parse_identifier(text).value
    except InvalidIdentifier as refusal:
        said = str(refusal)
    assert len(said) >= 11
