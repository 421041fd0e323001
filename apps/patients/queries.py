"""Finding patients, within what the one who asks may see."""

import re
from datetime import date
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.common.crypto import blind_index
from apps.organisations.models import MAY_SEE_PATIENTS, Membership, Unit

from .identifiers import InvalidIdentifier, accept_identifier
from .models import CareRelation, Patient

HITS: Final = 20
SHORTEST: Final = 2
_DATE: Final = re.compile(r"(\d{1,2})[.\-/ ](\d{1,2})[.\-/ ](\d{4}|\d{2})")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DIGITS: Final = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})")


def visible_patients(user: User, *, today: date | None = None) -> QuerySet[Patient]:
    """Return the patients of the units where this user may see patients. The one door."""
    if not user.is_active:
        return Patient.objects.none()
    return patients_open_to(user.pk, today or timezone.localdate())


def patients_open_to(user_id: int, today: date) -> QuerySet[Patient]:
    """Return the same, for a query that is written out once: whether the user is active is the caller's to ask."""
    units = Membership.objects.valid_on(today).with_role(MAY_SEE_PATIENTS).filter(user=user_id).values("unit_id")
    return Patient.objects.filter(Exists(CareRelation.objects.filter(patient=OuterRef("pk"), unit__in=units)))


def search_patients(user: User, unit: Unit, text: str) -> list[Patient]:
    """Find the unit's own patients by national id, date of birth or name, the first twenty by name."""
    matching = _matching(text)
    if matching is None:
        return []
    of_unit = CareRelation.objects.filter(patient=OuterRef("pk"), unit=unit)
    return list(visible_patients(user).filter(Exists(of_unit)).filter(matching)[:HITS])


def search_organisation(unit: Unit, text: str) -> list[Patient]:
    """Find patients of the whole organisation. Call it through `services.search_widely`, which keeps the reason."""
    matching = _matching(text)
    return (
        []
        if matching is None
        else list(Patient.objects.filter(organisation=unit.organisation_id).filter(matching)[:HITS])
    )


def person_index(national_id: str) -> bytes:
    return blind_index(national_id, "person")


def found_by_index() -> bool:
    """Say whether INDEX_KEY is the key by which this database's patients are found; with another, each would be made anew."""
    newest = Patient.objects.only("uid", "national_id", "person_index").order_by("-pk").first()
    return newest is None or bytes(newest.person_index) == person_index(newest.national_id or str(newest.uid))


def _matching(text: str) -> Q | None:
    text = " ".join(text.split())[:100]
    if len(text) < SHORTEST or "\0" in text:
        return None
    try:
        identifier = accept_identifier(text, synthetic_allowed=settings.DEMO)
    except InvalidIdentifier:
        pass
    else:
        return Q(person_index=person_index(identifier.value))
    if any(character.isdigit() for character in text):
        born = _dates(text)
        return Q(birth_date__in=born) if born else None
    matching = Q()
    for word in text.split(" "):
        matching &= (
            Q(given_name__istartswith=word)
            | Q(given_name__icontains=f" {word}")
            | (Q(family_name__istartswith=word) | Q(family_name__icontains=f" {word}"))
        )
    return matching


def _dates(text: str) -> list[date]:
    """Read a date of birth in the ways people write it; two digits of a year may mean either century."""
    if match := _ISO.fullmatch(text):
        year, month, day = match.groups()
    elif match := _DATE.fullmatch(text) or _DIGITS.fullmatch(text):
        day, month, year = match.groups()
    else:
        return []
    years = [int(year)] if len(year) == 4 else [1900 + int(year), 2000 + int(year)]
    found = []
    for candidate in years:
        try:
            found.append(date(candidate, int(month), int(day)))
        except ValueError:
            continue
    return found
