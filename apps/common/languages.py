"""Languages that people speak, by ISO 639-3 code, in the active language of the screen."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LANGUAGES: Final[dict[str, Promise]] = {
    "nob": _("Norwegian Bokmål (spoken)"),
    "nno": _("Norwegian Nynorsk (spoken)"),
    "sme": _("Northern Sami (spoken)"),
    "smj": _("Lule Sami"),
    "sma": _("Southern Sami"),
    "nsl": _("Norwegian sign language"),
    "ara": _("Arabic"),
    "ckb": _("Sorani Kurdish"),
    "deu": _("German"),
    "eng": _("English (spoken)"),
    "fra": _("French"),
    "kmr": _("Kurmanji Kurdish"),
    "lit": _("Lithuanian"),
    "pes": _("Persian"),
    "pol": _("Polish"),
    "prs": _("Dari"),
    "pus": _("Pashto"),
    "ron": _("Romanian"),
    "rus": _("Russian"),
    "som": _("Somali"),
    "spa": _("Spanish"),
    "swa": _("Swahili"),
    "tha": _("Thai"),
    "tir": _("Tigrinya"),
    "tur": _("Turkish"),
    "ukr": _("Ukrainian"),
    "urd": _("Urdu"),
    "vie": _("Vietnamese"),
    "zho": _("Chinese"),
}

WRITTEN: Final = {
    "nob": "nb",
    "nno": "nn",
    "sme": "se",
    **dict.fromkeys(("smj", "sma", "nsl", "nor", "dan", "swe"), "nb"),
}


READ: Final = {"nb": "nob", "nn": "nno", "se": "sme", "en": "eng"}
"""What a language of the pages is called among those that people speak."""


def written_language(spoken: str) -> str:
    """Return the language in which somebody gets messages and pages: English for those who read none of the others."""
    return WRITTEN.get(spoken, "en")


def language_name(code: str) -> str:
    """Return the language's name in lower case as in running text; an unknown code stays a code."""
    return str(LANGUAGES.get(code, code))
