"""Norwegian public holidays. Sundays are not among them: opening rules say who works on Sundays."""

from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=64)
def public_holidays(first_year: int, last_year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NO", years=range(first_year, last_year + 1)))
