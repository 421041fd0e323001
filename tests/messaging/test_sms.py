import pytest

from apps.messaging.sms import plain, size


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("æøåÆØÅéèüñ", "GSM-7", 10, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€", "GSM-7", 2, 1),
        ("€" * 80, "GSM-7", 160, 1),
        ("Bures", "GSM-7", 5, 1),
        ("čáŋ", "UCS-2", 3, 1),
        ("č" * 70, "UCS-2", 70, 1),
        ("č" * 71, "UCS-2", 71, 2),
        ("č" * 134, "UCS-2", 134, 2),
        ("č" * 135, "UCS-2", 135, 3),
        ("😀", "UCS-2", 2, 1),
    ],
)
def test_a_text_is_counted_as_the_network_counts_it(text, encoding, characters, parts):
    counted = size(text)
    assert (counted.encoding, counted.characters, counted.parts) == (encoding, characters, parts)


def test_a_pair_of_septets_is_never_split_over_two_parts():
    # 152 letters and a euro sign at the seam: 306 septets fill two parts exactly only if the pair may be split.
    text = "a" * 152 + "€" + "a" * 152
    assert size(text).characters == 306
    assert size(text).parts == 3


def test_an_emoji_is_never_split_over_two_parts():
    assert size("č" * 66 + "😀" + "č" * 66).parts == 3


def test_typographic_marks_do_not_make_a_long_message_of_a_short_one():
    assert plain("«Hei» – du … ’n”") == '"Hei" - du ... \'n"'
    assert size(plain("kl. 10.30–11.00 " * 9)).encoding == "GSM-7"


def test_sami_letters_are_never_touched():
    assert plain("čáđŋšŧž") == "čáđŋšŧž"


def test_what_is_left_is_shown():
    assert size("a" * 153).left == 7
