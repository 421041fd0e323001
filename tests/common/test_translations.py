"""A translation that would break a page or hide a text is found."""

import polib
import pytest

from apps.common import translations


@pytest.fixture
def catalogue(tmp_path):
    def write(*entries, language="nb"):
        path = tmp_path / language / "LC_MESSAGES" / "django.po"
        path.parent.mkdir(parents=True)
        file = polib.POFile()
        file.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": "nplurals=2; plural=(n != 1);"}
        for entry in entries:
            file.append(polib.POEntry(**entry))
        file.save(str(path))
        return path

    return write


def test_a_sound_catalogue_has_no_faults(catalogue):
    path = catalogue(
        {"msgid": "Hello %(name)s", "msgstr": "Hei %(name)s"},
        {"msgid": "100 %% of {unit}", "msgstr": "100 %% av {unit}"},
        {
            "msgid": "%(n)s time",
            "msgid_plural": "%(n)s times",
            "msgstr_plural": {0: "%(n)s time", 1: "%(n)s timer"},
        },
    )
    assert list(translations.faults_of_entries(path)) == []


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"msgid": "Hello %(name)s", "msgstr": "Hei %(navn)s"}, "placeholders differ"),
        ({"msgid": "Hello {name}", "msgstr": "Hei"}, "placeholders differ"),
        ({"msgid": "Hello", "msgstr": ""}, "not translated"),
        ({"msgid": "Hello", "msgstr": "Hei", "flags": ["fuzzy"]}, "fuzzy"),
        ({"msgid": "<b>Now</b>", "msgstr": "<b>Nå"}, "markup differs"),
    ],
)
def test_a_fault_is_named(catalogue, entry, fault):
    (found,) = translations.faults_of_entries(catalogue(entry))
    assert fault in found


def test_a_language_that_may_be_partial_is_only_asked_to_be_sound(catalogue):
    path = catalogue({"msgid": "Hello", "msgstr": ""}, language="se")
    assert list(translations.faults_of_entries(path)) == []


def test_a_text_that_the_catalogue_lacks_is_found(catalogue):
    path = catalogue({"msgid": "Hello", "msgstr": "Hei"})
    wanted = polib.POFile()
    wanted.extend([polib.POEntry(msgid="Hello"), polib.POEntry(msgid="Good-bye")])
    assert [entry.msgid for entry in translations.missing_from(path, wanted)] == ["Good-bye"]


def test_compiling_writes_what_changed_and_nothing_else(catalogue):
    path = catalogue({"msgid": "Hello", "msgstr": "Hei"})
    assert translations.compile_catalogue(path)
    assert polib.mofile(str(path.with_suffix(".mo")))[0].msgstr == "Hei"
    assert not translations.compile_catalogue(path)
