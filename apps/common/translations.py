"""The catalogues in locale/: what is wrong with them, and compiling them (no gettext needed for that)."""

import re
from collections.abc import Iterator
from pathlib import Path

import polib

COMPLETE = ("nb", "nn", "en")
"""Every text must be there. Without an entry of its own, English would show Bokmål, the language that all fall to."""

_PLACEHOLDER = re.compile(r"%(?:\((?P<printf>\w+)\))?[#0 +-]*[\d.]*[sdrfi]|\{(?P<brace>\w*)[^{}]*\}")
_TAG = re.compile(r"</?\w+")


def catalogues(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/LC_MESSAGES/django.po"))


def language_of(path: Path) -> str:
    return path.parent.parent.name


def compile_catalogue(path: Path) -> bool:
    """Write the .mo file beside a .po file unless it is newer; say whether it was written."""
    compiled = path.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime_ns > path.stat().st_mtime_ns:
        return False
    fresh = compiled.with_suffix(".new")
    polib.pofile(str(path)).save_as_mofile(str(fresh))
    fresh.replace(compiled)  # a process that reads it meanwhile gets the old one or the new one whole
    return True


def faults_of_entries(path: Path) -> Iterator[str]:
    """What is wrong with the entries that a catalogue has."""
    language = language_of(path)
    for entry in polib.pofile(str(path), check_for_duplicates=True):
        if entry.obsolete:
            continue
        where = f"{language}: {short(entry.msgid)}"
        if "fuzzy" in entry.flags:
            yield f"{where}: is marked fuzzy, so nobody sees it"
        sources = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if language in COMPLETE and not all(texts):
            yield f"{where}: is not translated"
        for index, text in enumerate(texts):
            if text:
                yield from (f"{where}: {fault}" for fault in _differences(sources[min(index, len(sources) - 1)], text))


def missing_from(path: Path, wanted: polib.POFile) -> list[polib.POEntry]:
    """The texts of the code that a catalogue does not have."""
    have = {(entry.msgid, entry.msgctxt) for entry in polib.pofile(str(path)) if not entry.obsolete}
    return [entry for entry in wanted if (entry.msgid, entry.msgctxt) not in have]


def unused_in(path: Path, wanted: polib.POFile) -> list[polib.POEntry]:
    """The texts of a catalogue that the code no longer has."""
    used = {(entry.msgid, entry.msgctxt) for entry in wanted}
    return [entry for entry in polib.pofile(str(path)) if (entry.msgid, entry.msgctxt) not in used]


def short(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return f"“{line if len(line) <= length else line[: length - 1] + '…'}”"


def _differences(source: str, text: str) -> Iterator[str]:
    wanted, got = _placeholders(source), _placeholders(text)
    if wanted != got:
        yield f"placeholders differ: {_listed(wanted)} became {_listed(got)}"
    if sorted(_TAG.findall(source)) != sorted(_TAG.findall(text)):
        yield "markup differs"
    if source.startswith("\n") != text.startswith("\n") or source.endswith("\n") != text.endswith("\n"):
        yield "begins or ends with another line break"


def _placeholders(text: str) -> set[str]:
    return {match["printf"] or match["brace"] or match[0] for match in _PLACEHOLDER.finditer(text.replace("%%", ""))}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
