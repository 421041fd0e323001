"""Every text there is: complete, short, and silent about health and names."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.messaging.sms import size
from apps.notices import linter, texts
from apps.notices.people import Person
from apps.notices.plan import Session, plan

LINK = "https://videotime.example/j/" + "k" * 26 + "/"
LONGEST_DAY = datetime(2026, 9, 24, 8, 30, tzinfo=UTC)  # torsdag 24. september
WEDNESDAY = datetime(2026, 9, 23, 8, 30, tzinfo=UTC)  # Wednesday 23 September, the longest in English


def every():
    """Those with the session in their calendar are written to by mail, and get no reminders."""
    by_link = [(one, purpose, way) for one in texts.BY_LINK for purpose in texts.PURPOSES for way in ("sms", "email")]
    by_calendar = [
        (one, purpose, "email")
        for one in (texts.INTERPRETER, texts.STAFF)
        for purpose in (texts.BOOKED, texts.MOVED, texts.CANCELLED)
    ]
    return [(*said, language) for said in (*by_link, *by_calendar) for language in texts.languages_of(said[0])]


def written(audience, purpose, channel, language, starts_at=LONGEST_DAY, address=None):
    session = Session(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        reference="VT-7K3M-92QX",
        phone="00 00 10 20",
        sender="Elvebygd",
        signature="Elvebygd kommune",
        interpreter_language="som",
    )
    way = (channel, "+4700010001" if channel == "sms" else "somebody@else.example")
    person = Person(key="x", role="", audience=audience, name="Ada Alm", language=language, ways=(way,))
    made = plan(
        session,
        [person],
        purpose if purpose not in texts.REMINDERS else texts.BOOKED,
        now=starts_at - timedelta(days=5),
        link_of=lambda _person: LINK,
    )
    return next(message for message in made.messages if message.purpose == purpose)


@pytest.mark.parametrize(("audience", "purpose", "channel", "language"), every())
def test_every_text_can_be_written_and_says_when(audience, purpose, channel, language):
    message = written(audience, purpose, channel, language)
    assert "{" not in message.body + message.subject
    assert "24" in message.body or purpose == texts.REMINDER_2_HOURS
    assert (LINK in message.body) == (purpose != texts.CANCELLED)
    assert "00 00 10 20" in message.body
    assert (message.subject == "") == (channel == "sms")
    assert message.language == language


@pytest.mark.parametrize(("audience", "purpose", "channel", "language"), every())
def test_no_text_says_anything_about_health_or_names(audience, purpose, channel, language):
    message = written(audience, purpose, channel, language)
    names = ["Ada Alm", "Berit Berg", "Sårvurdering", "Sårpoliklinikken", "Hjemmetjenesten sør"]
    assert linter.lint(message.subject, names=names) == []
    if audience in texts.BY_LINK:
        body = message.body.replace("Elvebygd kommune", "")  # the signature of an e-mail is the unit's public name
        assert linter.lint(body, names=names) == []


@pytest.mark.parametrize("starts_at", [LONGEST_DAY, WEDNESDAY])
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("purpose", texts.PURPOSES)
def test_a_text_message_to_the_patient_is_one_message_link_included(purpose, language, starts_at):
    counted = size(written(texts.PATIENT, purpose, "sms", language, starts_at).body)
    assert (counted.encoding, counted.parts) == ("GSM-7", 1)


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_guests_get_one_message_too(language):
    assert size(written(texts.GUEST, texts.BOOKED, "sms", language).body).parts == 1


def test_the_invitation_reads_as_agreed():
    assert written(texts.PATIENT, texts.BOOKED, "sms", "nb").body == (
        f"Hei. Du har time på video torsdag 24. september kl. 10.30. Bli med: {LINK} Spørsmål? Ring 00 00 10 20"
    )


def test_the_last_reminder_says_today():
    assert "i dag kl. 10.30" in written(texts.PATIENT, texts.REMINDER_2_HOURS, "sms", "nb").body
    assert "odne dii. 10.30" in written(texts.PATIENT, texts.REMINDER_2_HOURS, "sms", "se").body


def test_northern_sami_carries_its_mark_until_somebody_has_read_it():
    assert not texts.reviewed("se")
    assert texts.data()["languages"]["se"]["note"] == "to be reviewed by a native speaker"
    assert all(texts.reviewed(language) for language in ("nb", "nn", "en"))


def test_the_data_file_passes_the_start_up_check():
    assert linter.lint_all() == []


@pytest.mark.parametrize(
    "text",
    [
        "Husk sårvurderingen i morgen",
        "Time hos legen",
        "Velkommen til Palliativ samtale",
        "Remember your wound review",
        "Sårpoliklinikken venter",
        "Ábnasat: hávvi",
        "Du har time med Berit Berg i morgen",
        "Nummer 13836810184",
        "Nummer 138368 10184",
        "Rehabilitering kl. 10",
    ],
)
def test_the_linter_refuses_what_tells_too_much(text):
    assert linter.lint(text)


@pytest.mark.parametrize(
    "text", ["Time på video", "Hei. Husk timen. Ring 00 00 10 20", "Join: https://videotime.example/j/sarkreft/", ""]
)
def test_the_linter_lets_pass_what_tells_nothing(text):
    assert linter.lint(text) == []


def test_the_linter_knows_the_names_it_is_given():
    assert linter.lint("time hos berg i morgen", names=["Berg"])
    assert linter.lint("Timen til ada alm", names=["Ada Alm"])
    assert not linter.lint("Timen til ada", names=["Ada Alm"])


@pytest.mark.parametrize("template", ["{patient}", "{say.__class__}", "{link!r}", "{when:>500}", "{0}", "{}"])
def test_a_template_may_use_only_the_closed_list_of_words(template):
    assert linter.lint_template(template)
    with pytest.raises((KeyError, ValueError)):
        texts._fill(template, {"say": "x", "link": "x", "when": "x"})


def test_what_is_filled_in_is_never_read_as_a_template():
    assert texts._fill("{say}", {"say": "{link} {0} %s"}) == "{link} {0} %s"
