"""Holidays: whose, on which days, and that no calendar means none."""

import subprocess
import sys
from datetime import date

import pytest

from data.errors import InputError
from data.holidays import checked_calendar, holidays_between
from data.settings import ROOT

YEAR = (date(2026, 1, 1), date(2027, 1, 1))
EPIPHANY = date(2026, 1, 6)  # a holiday in Bavaria, not in all of Germany


def test_no_calendar_has_no_holidays():
    assert holidays_between("", *YEAR) == frozenset()


def test_a_country_has_its_own():
    assert date(2026, 7, 4) in holidays_between("US", *YEAR)
    assert date(2026, 7, 4) not in holidays_between("DE", *YEAR)


def test_a_part_of_a_country_has_more():
    assert holidays_between("DE-BY", *YEAR) > holidays_between("DE", *YEAR)
    assert EPIPHANY in holidays_between("DE-BY", *YEAR)


def test_the_first_day_is_included_and_the_end_is_not():
    assert holidays_between("DE-BY", EPIPHANY, date(2026, 1, 7)) == {EPIPHANY}
    assert EPIPHANY not in holidays_between("DE-BY", date(2026, 1, 1), EPIPHANY)


def test_days_may_lie_in_several_years():
    found = holidays_between("US", date(2025, 12, 20), date(2026, 1, 10))
    assert {date(2025, 12, 25), date(2026, 1, 1)} <= found


@pytest.mark.parametrize("text", ["XX", "us", "DE-XX", "DE-", "-BY", "US-CA-LA"])
def test_a_calendar_that_is_not_there_is_refused_by_its_name(text):
    with pytest.raises(InputError, match=r"calendar|part"):
        checked_calendar(text)


def test_without_a_calendar_the_package_is_not_imported():
    script = "import sys, data.overview, data.settings as s; s.Settings(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "holidays" not in done.stdout.split()
