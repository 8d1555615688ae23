"""Lots burnt by many courses of use at once: ledger.py's replay, as arrays.

200 courses of a year are one array of what each lot still holds.  Units are counted in millionths,
as usage is stored, and a lot in whole parts that every rate divides, so nothing is approximated but
one thing: units that empty a lot shared by several meters are rounded up to a millionth, where the
ledger has 18 decimals.  Between two days on which lots come or go the order of days does not
matter to a single meter, so such days are burnt together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import lcm

import numpy as np

from data.periods import DAY, BillingPeriod
from data.pricing.columns import Column, Ints, narrowed, objects, product, whole, zeros
from data.pricing.credit_lots import CreditLots
from data.pricing.ledger import CreditLot, Opening, unique_grants
from data.pricing.recurring import RecurringGrant
from data.pricing.strategy import Basis

PLACES = 6
MILLION = 10**PLACES
NEVER = np.iinfo(np.int64).max  # in the place of a day on which credits run out

Courses = Mapping[str, Ints]  # by meter: millionths of a unit, shape (courses, days)


class _Stock:
    """What is left of a lot in each course, in parts of which `scale` make a credit."""

    def __init__(self, lot: CreditLot, left: Fraction, size: int) -> None:
        rates = {meter: Fraction(rate) for meter, rate in lot.units_per_credit.items()}
        parts = lcm(*(rate.numerator for rate in rates.values())) * MILLION
        self.lot, self.scale = lot, lcm(parts, left.denominator)
        self.cost = {meter: int(self.scale / rate) // MILLION for meter, rate in rates.items()}
        self.left = narrowed(objects([int(left * self.scale)])).repeat(size)
        self.expired: Ints | None = None

    def end(self) -> None:
        if self.expired is None:
            self.expired, self.left = self.left, zeros(len(self.left))

    def take(self, meter: str, wanted: Ints) -> Ints:
        """Draw the units; returns those that the lot does not cover."""
        cost = self.cost[meter]
        taken = product(wanted, cost)
        empties = np.asarray(taken >= self.left, dtype=np.bool_)
        covered = np.where(empties, -(-self.left // cost), wanted)
        self.left = np.where(empties, 0, self.left - taken)
        return wanted - covered


class Burning:
    """The lots of one price under many courses of use, from a day on.

    `runs_out`: by course, the first day (counted from `start`) on which a use, or what was owed
    before, is not covered; NEVER where there is none.  `shortfall`: millionths by meter.
    """

    def __init__(self, price: CreditLots, basis: Basis, start: date, courses: Courses) -> None:
        self.price, self.start = price, start
        self.courses = {meter: courses[meter] for meter in price.meters if meter in courses}
        self.size, self.days = next(iter(self.courses.values())).shape
        self.basis = basis
        opening = price.begun(basis)
        lots = unique_grants((*basis.lots, *opening.issued))
        self.stocks = [_Stock(lot, _left(lot, opening, start), self.size) for lot in lots]
        self.issued = {lot.key for lot in opening.issued}
        self.owed = {
            meter: narrowed(objects([whole(units, PLACES)])).repeat(self.size)
            for meter, units in opening.owed.items()
        }
        self.shortfall = {meter: zeros(self.size) for meter in self.courses}
        self.runs_out = np.full(self.size, NEVER, dtype=np.int64)
        self._sort()

    def _sort(self) -> None:
        order = self.price.burn_order
        self.stocks.sort(key=lambda stock: stock.lot.burn_order(order))

    def burn(self, later: Iterable[BillingPeriod] = ()) -> "Burning":
        """Every day of the courses; `later` periods bring the price's recurring grants."""
        end = self.start + DAY * self.days
        periods = {period.start: period for period in later} if self.price.recurring else {}
        for first, until in pairwise(self._cuts(end, periods)):
            if first in periods:
                self._issue(periods[first])
            self._open(first)
            day = (first - self.start).days
            if self.price.shortfall == "owed":
                self._repay(day)
            self._use(day, (until - self.start).days)
        return self

    def _cuts(self, end: date, periods: Iterable[date]) -> list[date]:
        """The days on which lots come or go, from the first to the end."""
        lots = [stock.lot for stock in self.stocks]
        days = {one for lot in lots for one in (lot.effective_on, lot.ends_on)} | set(periods)
        return [self.start, *sorted(day for day in days if self.start < day < end), end]

    def _issue(self, period: BillingPeriod) -> None:
        basis = replace(self.basis, period=period, known_until=None, runs={}, opening=None)
        for grant in self.price.recurring:
            lot = grant.lot(basis, self.price.meters[0])
            if lot.key not in self.issued:
                self.stocks.append(self._granted(grant, lot, period))
        self.issued |= {stock.lot.key for stock in self.stocks}
        self._sort()

    def _granted(self, grant: RecurringGrant, lot: CreditLot, period: BillingPeriod) -> _Stock:
        """Its credits, with what is rolled over of the last ones."""
        stock = _Stock(lot, Fraction(lot.credits), self.size)
        ending = [
            one
            for one in self.stocks
            if one.lot.key in self.issued
            and (one.lot.name, one.lot.expires_on) == (grant.name, period.start)
        ]
        if ending:
            left = sum(-(-product(one.left, stock.scale) // one.scale) for one in ending)
            rolled = np.maximum(left, int(grant.rollover_min * stock.scale))
            if grant.rollover_max is not None:
                rolled = np.minimum(rolled, int(grant.rollover_max * stock.scale))
            given = stock.left
            stock.left = np.maximum(given, rolled) if grant.refill else given + rolled
        return stock

    def _open(self, day: date) -> None:
        for stock in self.stocks:
            if stock.lot.ends_on <= day:
                stock.end()

    def _usable(self, day: date, meter: str) -> list[_Stock]:
        return [one for one in self.stocks if one.lot.usable_on(day) and meter in one.cost]

    def _take(self, day: int, meter: str, wanted: Ints) -> Ints:
        for stock in self._usable(self.start + DAY * day, meter):
            wanted = stock.take(meter, wanted)
        return wanted

    def _repay(self, day: int) -> None:
        for meter in sorted(self.owed):
            self.owed[meter] = self._take(day, meter, self.owed[meter])
            if meter in self.courses:
                self._ran_out(self.owed[meter] > 0, day)

    def _use(self, first: int, until: int) -> None:
        if len(self.courses) == 1:
            ((meter, units),) = self.courses.items()
            self._use_days(meter, units[:, first:until], first)
            return
        for day in range(first, until):
            for meter, units in self.courses.items():
                self._use_days(meter, units[:, day : day + 1], day)

    def _use_days(self, meter: str, units: Ints, first: int) -> None:
        """Days within which no lot comes or goes."""
        wanted = units.sum(axis=1)
        missing = self._take(first, meter, wanted)
        short = np.asarray(missing > 0, dtype=np.bool_)
        if not short.any():
            return
        self.shortfall[meter] = self.shortfall[meter] + missing
        self.owed[meter] = self.owed.get(meter, zeros(self.size)) + missing
        covered = (wanted - missing)[:, None]
        beyond = np.asarray(units.cumsum(axis=1) > covered, dtype=np.bool_)
        self._ran_out(short, first + beyond.argmax(axis=1))

    def _ran_out(self, short: Ints, day: Ints | int) -> None:
        self.runs_out = np.where(short, np.minimum(self.runs_out, day), self.runs_out)

    def missing(self) -> dict[str, Column]:
        """Units of the courses that no lot covered when they were used."""
        return {meter: Column(units, PLACES) for meter, units in self.shortfall.items()}

    def expired(self, key: str) -> tuple[Ints, int]:
        """What of a lot expired unused in each course: parts, and how many make a credit."""
        stock = next(one for one in self.stocks if one.lot.key == key)
        return zeros(self.size) if stock.expired is None else stock.expired, stock.scale


def _left(lot: CreditLot, opening: Opening, start: date) -> Fraction:
    """An opening that does not know a lot says that nothing was drawn; nor is it of use later."""
    return opening.credits.get(lot.key, Fraction(0 if lot.ends_on < start else lot.credits))
