"""Usage files for `rate`: a CSV of days priced under a plan, without any database.

Columns: `day` (2026-03-31), `category` (Twilio's) or `meter` (a plan's or ours), and any of
`count` (events), `usage` or `quantity` (billed units) and `cost` (what Twilio charges).  Days in
UTC; several rows of one day add up.  Without a `totalprice` row, all usage costs what the
categories that no other contains cost together.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from data.errors import InputError
from data.grants import CreditEntry, lot_of
from data.meters import CATALOGUE, TOTAL, meters_of
from data.money import ZERO, decimal_from
from data.periods import BillingPeriod, period_of
from data.pricing import (
    ALL_USAGE,
    Basis,
    CreditLot,
    CreditLots,
    DayUsage,
    Line,
    Meter,
    Opening,
    Plan,
    Usage,
    total,
)
from data.statement import closing
from data.store import DayTotals
from data.usage import measured

COLUMNS = {"day", "category", "meter", "count", "usage", "quantity", "cost"}


_REST = "\0"  # key of the cells that no column names


@dataclass(frozen=True, slots=True)
class UsageFile:
    by_category: tuple[DayTotals, ...]
    by_meter: tuple[tuple[str, DayUsage], ...]

    @property
    def days(self) -> list[date]:
        found = {row.day for row in self.by_category} | {row.day for _, row in self.by_meter}
        return sorted(found)

    def usage_of(self, plan: Plan, start: date, end: date) -> dict[str, Usage]:
        """By the plan's meters, the days `[start, end)`."""
        meters = meters_of(plan)
        rows = [row for row in self.by_category if start <= row.day < end]
        from_categories = measured(rows, meters)
        usage = from_categories.usages(plan.meters_priced, start, end)
        for name in plan.meters_priced:
            extra = [
                row
                for meter, row in self.by_meter
                if start <= row.day < end and name in (meter, ALL_USAGE)
            ]
            if extra:
                merged = sorted((*usage[name].days, *extra), key=lambda row: row.day)
                usage[name] = Usage(tuple(merged))
        return usage


@dataclass(frozen=True, slots=True)
class RatedPeriod:
    period: BillingPeriod
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        return total(self.lines)


def read_usage(path: Path, plan: Plan) -> UsageFile:
    """The file's rows; InputError names the line and the column that is wrong."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey=_REST)
            rows = list(reader)
            header = set(reader.fieldnames or ())
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path.name}: is not a CSV file in UTF-8") from None
    if unknown := sorted(str(name) for name in header - COLUMNS):
        raise InputError(f"{path.name}, line 1: column {unknown[0]!r} is unknown")
    if "day" not in header or not header & {"category", "meter"}:
        raise InputError(f"{path.name}, line 1: needs the columns day and category (or meter)")
    known = {**CATALOGUE, **plan.meters}
    categories, meters = [], []
    for number, row in enumerate(rows, start=2):
        where = f"{path.name}, line {number}"
        if _REST in row:
            raise InputError(f"{where}: has more cells than line 1 names")
        if row.get("meter"):
            meters.append(_meter_row(row, known, where))
        else:
            categories.append(_category_row(row, where))
    return UsageFile(tuple(categories), tuple(meters))


def _day(row: Mapping[str, str | None], where: str) -> date:
    try:
        return date.fromisoformat((row.get("day") or "").strip())
    except ValueError:
        raise InputError(f"{where}: day: {row.get('day')!r} must look like 2026-03-31") from None


def _figure(row: Mapping[str, str | None], column: str, where: str) -> Decimal:
    text = (row.get(column) or "").strip()
    if not text:
        return ZERO
    value = decimal_from(text, f"{where}: {column}")
    if value < 0 and column != "cost":
        raise InputError(f"{where}: {column}: {text} is negative, and a quantity can't be")
    return value


def _quantity(row: Mapping[str, str | None], where: str) -> Decimal:
    return _figure(row, "quantity" if row.get("quantity") else "usage", where)


def _meter_row(
    row: Mapping[str, str | None], known: Mapping[str, Meter], where: str
) -> tuple[str, DayUsage]:
    name = (row.get("meter") or "").strip()
    if name not in known:
        raise InputError(f"{where}: meter: {name!r} is unknown; known are {', '.join(known)}")
    billed = known[name].quantity
    count = billed == "count" and not row.get("quantity")
    quantity = _figure(row, "count", where) if count else _quantity(row, where)
    return name, DayUsage(_day(row, where), quantity, _figure(row, "cost", where))


def _category_row(row: Mapping[str, str | None], where: str) -> DayTotals:
    category = (row.get("category") or "").strip().lower()
    if not category:
        raise InputError(f"{where}: category: is empty")
    quantity = ZERO if category == TOTAL else _quantity(row, where)
    cost = _figure(row, "cost", where)
    return DayTotals(_day(row, where), category, _figure(row, "count", where), quantity, cost)


def grant_lots(entries: Iterable[CreditEntry], plan: Plan) -> tuple[CreditLot, ...]:
    """The lots of a credits file, created in its order."""
    for price in plan.prices:
        if isinstance(price, CreditLots):
            return tuple(lot_of(entry, price, n) for n, entry in enumerate(entries))
    raise InputError(f"plan {plan.plan} has no credit_lots price to use credits with")


def rate_file(
    plan: Plan,
    usage: UsageFile,
    *,
    start: date | None = None,
    end: date | None = None,
    anchor_day: int = 1,
    lots: Sequence[CreditLot] = (),
) -> tuple[RatedPeriod, ...]:
    """Price the days `[start, end)` period by period; by default all whole periods with usage.

    A `start` or `end` inside a period makes that period a part, prorated as the plan says.
    """
    days = [day for day in usage.days if (not start or day >= start) and (not end or day < end)]
    if not days and start is None:
        raise InputError("the usage file has no day to price; give --from for an empty period")
    first = start or period_of(days[0], anchor_day).start
    last = end or period_of(days[-1] if days else first, anchor_day).end
    if last <= first:
        raise InputError("--to must come after --from")
    rated = []
    opening: Opening | None = None
    for period in _periods(first, last, anchor_day):
        basis = Basis(plan.currency, period, plan.prorate == "days", tuple(lots), opening)
        used = usage.usage_of(plan, period.start, period.end)
        rated.append(RatedPeriod(period, plan.rate(used, basis)))
        opening = closing(plan, used, basis)
    return tuple(rated)


def _periods(first: date, last: date, anchor_day: int) -> Iterable[BillingPeriod]:
    period = period_of(first, anchor_day).clipped(first, last)
    while True:
        yield period
        if period.end >= last:
            return
        period = period_of(period.end, anchor_day).clipped(first, last)
