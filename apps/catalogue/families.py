"""Families of services: the colour, icon and name by which people recognise them.

Five palettes are drawn (ui/README section 5); a family without its own uses the one of its nearest
relative, or neutral. A service is always shown with icon and name as well.
"""

from dataclasses import dataclass
from typing import Final

from .models import in_language


@dataclass(frozen=True)
class Family:
    slug: str
    names: dict[str, str]
    color: str
    icon: str

    @property
    def name(self) -> str:
        return in_language(self.names)


def _family(slug: str, color: str, icon: str, nb: str, nn: str, en: str) -> Family:
    return Family(slug, {"nb": nb, "nn": nn, "en": en}, color, icon)


_ALL: Final = (
    _family("wound", "sar", "Bandage", "Sår", "Sår", "Wound care"),
    _family("palliative", "palliativ", "HandHeart", "Palliasjon", "Palliasjon", "Palliative care"),
    _family("rehab", "rehab", "Figure", "Rehabilitering", "Rehabilitering", "Rehabilitation"),
    _family("interpreter", "tolk", "Language", "Tolk", "Tolk", "Interpreter"),
    _family("discharge", "geriatri", "HouseHeart", "Utskrivning", "Utskriving", "Discharge"),
    _family("geriatric", "geriatri", "PersonTallShort", "Geriatri", "Geriatri", "Geriatric"),
    _family("nursing-home", "geriatri", "Bed", "Sykehjem", "Sjukeheim", "Nursing home"),
    _family("home-care", "geriatri", "House", "Hjemmetjeneste", "Heimeteneste", "Home care"),
    _family("cancer", "palliativ", "Heart", "Kreft", "Kreft", "Cancer"),
    _family("death-verification", "palliativ", "Candle", "Syning av døde", "Syning av døde", "Viewing of the deceased"),
    _family(
        "home-adaptation-nav",
        "rehab",
        "Rulers",
        "Tilpasning av bolig med NAV",
        "Tilpassing av bustad med NAV",
        "Home adaptation with NAV",
    ),
    _family("training", "rehab", "HatSchool", "Opplæring", "Opplæring", "Training"),
    _family("ent", "sar", "Ear", "Øre-nese-hals", "Øyre-nase-hals", "Ear, nose and throat"),
    _family("surgery", "sar", "Scissors", "Operasjon", "Operasjon", "Surgery"),
    _family("infection", "sar", "Bacteria", "Smittevern", "Smittevern", "Infection control"),
    _family("multi-party", "tolk", "PersonGroup", "Flere parter", "Fleire partar", "Multi-party"),
    _family("general", "neutral", "Stethoscope", "Konsultasjon", "Konsultasjon", "General consultation"),
    _family("paediatric", "neutral", "BabyWrapped", "Barn og nyfødte", "Barn og nyfødde", "Paediatric and newborn"),
    _family(
        "specialist-opinion",
        "neutral",
        "PersonChat",
        "Spesialistvurdering",
        "Spesialistvurdering",
        "Specialist opinion",
    ),
    _family("radiology", "neutral", "Monitor", "Radiologi", "Radiologi", "Radiology"),
    _family(
        "municipal-acute",
        "neutral",
        "Hospital",
        "Kommunal akutt døgnplass",
        "Kommunal akutt døgnplass",
        "Municipal acute bed unit",
    ),
    _family("technical", "neutral", "Wrench", "Teknisk hjelp", "Teknisk hjelp", "Technical help"),
    _family("emergency", "neutral", "FirstAidKit", "Akuttmedisin", "Akuttmedisin", "Emergency"),
    _family("obstetric", "neutral", "PersonPregnant", "Fødsel", "Fødsel", "Obstetric"),
    _family("prison", "neutral", "KeyVertical", "Fengsel og arrest", "Fengsel og arrest", "Prison and custody"),
    _family(
        "military",
        "neutral",
        "HandShakeHeart",
        "Militært og sivilt samarbeid",
        "Militært og sivilt samarbeid",
        "Military and civil cooperation",
    ),
)

FAMILIES: Final[dict[str, Family]] = {family.slug: family for family in _ALL}
