"""Public holidays, on which usage behaves as on a Sunday: of one country or one part of it.

A calendar is written as a country of ISO 3166-1, or a part of one as in ISO 3166-2: US, DE-BY.
None is written as nothing, and then the package, which takes 70 ms to import, is not imported.
"""

from datetime import date
from functools import lru_cache

from data.errors import InputError


def checked_calendar(text: str) -> str:
    """The calendar as it was written; InputError where there is none of that name."""
    if not text:
        return text
    import holidays

    country, _, part = text.partition("-")
    parts = holidays.list_supported_countries(include_aliases=False)
    if country not in parts:
        raise InputError(f"there is no calendar {text!r}: write a country as US or DE-BY")
    if "-" in text and part not in parts[country]:
        known = ", ".join(parts[country]) or "none"
        raise InputError(f"{country} has no part {part!r}; its parts: {known}")
    return text


def holidays_between(calendar: str, start: date, end: date) -> frozenset[date]:
    """The holidays from `start` up to but without `end`; none without a calendar."""
    years = range(start.year, end.year + 1) if calendar else ()
    return frozenset(
        day for year in years for day in _of_year(calendar, year) if start <= day < end
    )


@lru_cache(maxsize=64)
def _of_year(calendar: str, year: int) -> frozenset[date]:
    import holidays

    country, _, part = calendar.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
