"""Telephone numbers as people type them."""

import pytest

from apps.common.phones import WrongPhone, normalise_phone, takes_messages


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("00 01 00 09", "+4700010009"),
        ("+47 00010009", "+4700010009"),
        ("412 34 567", "+4741234567"),
        ("00 00 10 20", "+4700001020"),
        ("0046 70 123 45 67", "+46701234567"),
    ],
)
def test_phone_numbers_are_kept_in_one_form(settings, typed, kept):
    settings.DEMO = True
    assert normalise_phone(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1",
        "abc",
        "+4700",
        "+47000100091",
        "412345678901234567890",
        "41234567;ext=5",
        "\x00",
        "123",
        "ring meg",
        "+" + "1" * 16,
        "٤١٢٣٤٥٦٧x",
    ],
)
def test_other_things_are_not_phone_numbers(settings, typed):
    settings.DEMO = True
    with pytest.raises(WrongPhone):
        normalise_phone(typed)


def test_made_up_phone_numbers_are_for_the_demo(settings):
    settings.DEMO = False
    with pytest.raises(WrongPhone):
        normalise_phone("+4700010009")


def test_land_lines_take_no_messages():
    assert takes_messages("+4741234567")
    assert not takes_messages("+4722225555")
