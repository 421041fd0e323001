import copy
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common import translations

FOLDERS = ("apps", "portal", "templates")


class Command(BaseCommand):
    help = "Check that every text of the code and the templates is translated, and translated soundly (needs gettext)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--add", action="store_true", help="add the missing texts, for somebody to translate")
        parser.add_argument("--unused", action="store_true", help="list the texts that the code no longer has")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = texts_of_the_code(Path(settings.BASE_DIR))
        faults: list[str] = []
        for path in translations.catalogues(settings.LOCALE_PATHS[0]):
            language = translations.language_of(path)
            faults += translations.faults_of_entries(path)
            if language in translations.COMPLETE:
                missing = translations.missing_from(path, wanted)
                if options["add"]:
                    self.add(path, missing)
                else:
                    faults += (
                        f"{language}: {translations.short(entry.msgid)} is missing ({entry.occurrences[0][0]})"
                        for entry in missing
                    )
            if options["unused"]:
                for entry in translations.unused_in(path, wanted):
                    self.stdout.write(f"{language}: {translations.short(entry.msgid)} is not used")
        found = {translations.language_of(path) for path in translations.catalogues(settings.LOCALE_PATHS[0])}
        faults += (f"{language}: has no catalogue" for language in translations.COMPLETE if language not in found)
        if faults:
            raise CommandError("\n".join([*faults, f"{len(faults)} faults in the translations"]))
        self.stdout.write(f"Translations: {len(wanted)} texts, complete in {', '.join(translations.COMPLETE)}")

    def add(self, path: Path, missing: list[polib.POEntry]) -> None:
        catalogue = polib.pofile(str(path), wrapwidth=110)
        english = translations.language_of(path) == "en"
        for text in missing:
            entry = copy.copy(text)  # each catalogue has its own: English fills its entries in
            entry.occurrences, entry.flags = [], [flag for flag in entry.flags if flag != "fuzzy"]
            if english and entry.msgid_plural:
                entry.msgstr_plural = {0: entry.msgid, 1: entry.msgid_plural}
            elif english:
                entry.msgstr = entry.msgid
            catalogue.append(entry)
        catalogue.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
        catalogue.save(str(path))
        self.stdout.write(f"{translations.language_of(path)}: {len(missing)} texts added")


def texts_of_the_code(root: Path) -> polib.POFile:
    """Every text that is marked for translation, collected by Django in a copy of the sources."""
    if not shutil.which("xgettext"):
        raise CommandError("Missing: gettext. As root: apt-get install gettext")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for folder in FOLDERS:
            ignored = shutil.ignore_patterns("static", "__pycache__", "migrations", "data")
            shutil.copytree(root / folder, copy / folder, ignore=ignored)
        (copy / "locale").mkdir()
        command = [
            sys.executable,
            "-m",
            "django",
            "makemessages",
            "--locale=nb",
            "--keep-pot",
            "--no-wrap",
            "--verbosity=0",
        ]
        command += ["--extension=html,txt,py,xml,ics"]
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
        template = copy / "locale" / "django.pot"
        if done.returncode or not template.exists():
            raise CommandError(f"The texts could not be collected:\n{done.stderr}{done.stdout}")
        return polib.pofile(str(template))
