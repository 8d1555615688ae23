"""What the price engine asks for each draw of a period.

A draw is rated on what is known of the period plus its own days to come.  bulk.py rates all draws
together, cent for cent as `Billed.rate` would each; the engine itself is asked where a price goes
on over a change of plan and counts what each draw used before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from data.ahead import Ahead, plus
from data.billed import Billed
from data.meters import OTHER
from data.money import ZERO, digits, total
from data.periods import DAY, BillingPeriod
from data.pricing import (
    CreditLots,
    DayUsage,
    Line,
    LineKind,
    Plan,
    RatedPart,
    UsageByMeter,
    segments,
)
from data.pricing.bulk import CreditColumns, UsageColumns, rate_rows
from data.pricing.burning import Burning
from data.pricing.columns import (
    Column,
    Ints,
    added,
    decimals,
    narrowed,
    objects,
    rescaled,
    whole,
    zeros,
)
from data.pricing.strategy import BILL
from data.projection import DRAWS

Rest = Mapping[str, Sequence[DayUsage]]  # the days to come in one draw, by meter


@dataclass(frozen=True, slots=True)
class RatedDraws:
    """What each draw costs, in smallest units of the currency."""

    currency: str
    amounts: Ints
    overage: Ints  # of that, for units beyond an allowance or credits

    def plus(self, more: "RatedDraws") -> "RatedDraws":
        return RatedDraws(
            self.currency,
            added(self.amounts, slice(None), more.amounts),
            added(self.overage, slice(None), more.overage),
        )


def rated_draws(billed: Billed, ahead: Ahead) -> RatedDraws | None:
    """The period's bill under each draw, after tax; None where no plan was agreed."""
    parts = billed.rated(ahead.period, ahead.settled_through).parts
    if not parts:
        return None
    to_come = [part for part in parts if part.period.end > ahead.first_day]
    if len(to_come) > 1 and any(_pays_beyond(part) or _goes_on(part) for part in to_come):
        return _whole_by_the_engine(billed, ahead, parts)
    first, *rest = (_rated_part(billed, part, ahead) for part in parts)
    for one in rest:
        first = first.plus(one)
    return first


def _credits(part: RatedPart) -> CreditLots | None:
    return next((price for price in part.plan.prices if isinstance(price, CreditLots)), None)


def _pays_beyond(part: RatedPart) -> bool:
    """Whether units that no lot covers have a price: no other amount of credits hangs on use."""
    credits = _credits(part)
    return credits is not None and credits.overage_amount is not None


def _goes_on(part: RatedPart) -> bool:
    """Whether a price or a limit beside its credits goes on over a change of plan."""
    plan, credits = part.plan, _credits(part)
    limited = plan.discount or plan.minimum or plan.maximum is not None
    apart = {*(credits.meters if credits else ()), *(() if limited else (BILL,))}
    return bool(part.basis.runs.keys() - apart)


def _rated_part(billed: Billed, part: RatedPart, ahead: Ahead) -> RatedDraws:
    """A part of the period whose earlier parts do not hang on the draws."""
    if part.period.end <= ahead.first_day:
        return _from_lines([part.lines] * DRAWS, part.plan.currency)
    if _goes_on(part):
        return _part_by_the_engine(billed, part, ahead)
    start, end = max(part.period.start, ahead.first_day), part.period.end
    usage = {OTHER: UsageColumns(Column(zeros(DRAWS)))}  # a plan may price no meter
    for meter in part.plan.meters_priced:
        drawn = ahead.columns(meter, start, end, costs=part.plan.cost_based)
        usage[meter] = replace(drawn, before=part.usage[meter])
    credits = _credit_columns(part, ahead, start, end)
    (rows,) = rate_rows(part.plan, usage, part.period, credits=credits)
    overage = zeros(DRAWS)
    for line in rows.lines:
        if line.kind is LineKind.OVERAGE:
            overage = added(overage, line.rows, line.amounts)
    return RatedDraws(part.plan.currency, rows.totals, overage)


def _credit_columns(part: RatedPart, ahead: Ahead, start: date, end: date) -> CreditColumns | None:
    price = _credits(part)
    if price is None:
        return None
    whole_part = replace(part.basis, known_until=None)
    packs = [one for one in price.rate(part.usage, whole_part) if one.kind is LineKind.PACK]
    shortfall = _shortfall(price, part, ahead, start, end) if _pays_beyond(part) else {}
    return CreditColumns(tuple(packs), shortfall)


def _shortfall(
    price: CreditLots, part: RatedPart, ahead: Ahead, start: date, end: date
) -> dict[str, Column]:
    """Units of the part that no lot covers, by draw."""
    ledger = price.ledger(part.usage, part.basis)
    basis = replace(part.basis, opening=ledger.closing, known_until=None)
    burnt = Burning(price, basis, start, ahead.by_day(price.meters, start, end)).burn()
    found = {}
    for meter, units in burnt.missing().items():
        before = ledger.shortfall.get(meter, ZERO)
        units = rescaled(units, decimals(before))
        found[meter] = Column(plus(units.values, whole(before, units.scale)), units.scale)
    return found


def _whole_by_the_engine(billed: Billed, ahead: Ahead, parts: Sequence[RatedPart]) -> RatedDraws:
    known = {part.period.start: part.usage for part in parts}

    def lines(rest: Rest) -> Sequence[Line]:
        def used(_: Plan, part: BillingPeriod) -> UsageByMeter:
            return _with(known[part.start], rest, part)

        return billed.rate(ahead.period, used).lines

    return _by_the_engine(lines, drawn_usage(billed, ahead), parts[0].plan.currency)


def _part_by_the_engine(billed: Billed, part: RatedPart, ahead: Ahead) -> RatedDraws:
    basis = replace(part.basis, known_until=None)

    def lines(rest: Rest) -> Sequence[Line]:
        return part.plan.rate(_with(part.usage, rest, part.period), basis)

    return _by_the_engine(lines, drawn_usage(billed, ahead), part.plan.currency)


def _with(known: UsageByMeter, rest: Rest, part: BillingPeriod) -> UsageByMeter:
    return {
        meter: usage.plus(day for day in rest[meter] if day.day in part)
        for meter, usage in known.items()
    }


def _by_the_engine(
    lines: Callable[[Rest], Sequence[Line]], drawn: Sequence[Rest], currency: str
) -> RatedDraws:
    """Draw by draw; equal draws once."""
    found: dict[tuple[DayUsage, ...], Sequence[Line]] = {}
    bills = []
    for rest in drawn:
        key = tuple(day for usage in rest.values() for day in usage)
        if key not in found:
            found[key] = lines(rest)
        bills.append(found[key])
    return _from_lines(bills, currency)


def drawn_usage(billed: Billed, ahead: Ahead) -> list[Rest]:
    """Each draw as usage of the days to come, by meter: one sum for the days that are priced
    together, on the last of them."""
    cut = segments(billed.stretches, ahead.period)
    costs = any(plan.cost_based for plan, _ in cut)
    meters = {meter for plan, _ in cut for meter in plan.meters_priced}
    found: list[dict[str, list[DayUsage]]] = [{m: [] for m in meters} for _ in range(DRAWS)]
    for start, end in pairwise(_cuts(billed, ahead)):
        for meter in meters:
            drawn = ahead.columns(meter, start, end, costs=costs)
            for draw, usage in enumerate(found):
                cost = drawn.cost.figure(draw) if drawn.cost else ZERO
                usage[meter].append(DayUsage(end - DAY, drawn.quantity.figure(draw), cost))
    return list(found)


def _cuts(billed: Billed, ahead: Ahead) -> list[date]:
    """The days to come, cut where a plan changes or a lot comes or goes; the end is the last."""
    first, end = ahead.first_day, ahead.period.end
    if first >= end:
        return []
    days = {stretch.starts_on for stretch in billed.stretches}
    for lot in billed.lots:
        days |= {lot.effective_on, lot.ends_on}
    return [first, *sorted(day for day in days if first < day < end), end]


def _from_lines(bills: Sequence[Sequence[Line]], currency: str) -> RatedDraws:
    """From the lines of each draw."""
    places = digits(currency)
    each = {id(lines): lines for lines in bills}
    amounts, overage = {}, {}
    for key, lines in each.items():
        over = [line for line in lines if line.kind is LineKind.OVERAGE]
        amounts[key] = whole(total(line.amount for line in lines), places)
        overage[key] = whole(total(line.amount for line in over), places)
    keys = [id(lines) for lines in bills]
    return RatedDraws(
        currency,
        narrowed(objects(amounts[key] for key in keys)),
        narrowed(objects(overage[key] for key in keys)),
    )
