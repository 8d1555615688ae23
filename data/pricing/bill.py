"""The bill of a period: each part under its plan, priced on, then paid by money credits.

A change of plan cuts the period; used volume stays with the version under which it was used.  A
price that the change leaves as it was counts on: its bands do not restart and its allowance is
one for all its days (strategy.py: `Run`).  Money credits pay the sum after tax.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from data.errors import InvalidTerms
from data.money import ZERO, exact, rounded
from data.periods import BillingPeriod
from data.pricing.credit_lots import CreditLots
from data.pricing.ledger import CreditLot, Opening
from data.pricing.plan import Plan, Price
from data.pricing.strategy import (
    BILL,
    NO_USAGE,
    Basis,
    Line,
    LineKind,
    Run,
    UsageByMeter,
    total,
)
from data.pricing.timeline import PlanStretch

UsageOf = Callable[[Plan, BillingPeriod], UsageByMeter]


@dataclass(frozen=True, slots=True)
class RatedPart:
    """A stretch of the period under one version of a plan."""

    plan: Plan
    period: BillingPeriod
    lines: tuple[Line, ...]
    basis: Basis
    usage: UsageByMeter


@dataclass(frozen=True, slots=True)
class RatedPeriod:
    """The lines of a period; `closing` are its credits at its end."""

    period: BillingPeriod
    parts: tuple[RatedPart, ...]
    closing: Opening | None

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for part in self.parts for line in part.lines)

    @property
    def total(self) -> Decimal:
        return total(self.lines)


def segments(
    stretches: Iterable[PlanStretch], period: BillingPeriod
) -> list[tuple[Plan, BillingPeriod]]:
    """The period cut where the plan changes; a change day belongs to the new plan."""
    return [
        (stretch.plan, period.clipped(stretch.starts_on, stretch.ends_on))
        for stretch in stretches
        if stretch.starts_on < period.end
        and (stretch.ends_on is None or stretch.ends_on > period.start)
    ]


def rate_period(
    stretches: Iterable[PlanStretch],
    period: BillingPeriod,
    usage_of: UsageOf,
    *,
    lots: tuple[CreditLot, ...] = (),
    opening: Opening | None = None,
    known_until: date | None = None,
) -> RatedPeriod:
    """Price each part of the period; `known_until` (exclusive) makes it the bill so far."""
    cut = segments(stretches, period)
    rated: list[RatedPart] = []
    for number, (plan, part) in enumerate(cut):
        prorate = plan.prorate == "days"
        runs = _runs(cut, rated, number) if len(cut) > 1 else {}
        basis = Basis(plan.currency, part, prorate, lots, opening, known_until, runs)
        usage = usage_of(plan, part)
        rated.append(RatedPart(plan, part, plan.rate(usage, basis), basis, usage))
        opening = closing(plan, usage, basis)
    return RatedPeriod(period, tuple(rated), opening)


def closing(plan: Plan, usage: UsageByMeter, basis: Basis) -> Opening | None:
    """The lots after the part of a period; a plan without credits leaves them alone."""
    for price in plan.prices:
        if isinstance(price, CreditLots):
            return price.ledger(usage, basis).closing
    return basis.opening


def _runs(
    cut: Sequence[tuple[Plan, BillingPeriod]], rated: Sequence[RatedPart], number: int
) -> Mapping[str, Run]:
    """For each meter of the part: the days around it over which its price stays the same."""
    plan, part = cut[number]
    found: dict[str, Run] = {}
    for price in (*plan.prices, None):  # none: the limits of the whole bill
        meter = price.meters_priced[0] if price else BILL
        first, last = number, number
        while first and _goes_on(cut[first - 1], cut[first], meter):
            first -= 1
        while last + 1 < len(cut) and _goes_on(cut[last], cut[last + 1], meter):
            last += 1
        if first == last:
            continue
        whole = BillingPeriod(cut[first][1].start, cut[last][1].end, part.full_start, part.full_end)
        earlier = rated[first:number]
        with exact():
            asked = sum((_asked(price, one) for one in earlier), ZERO)
            for meter in price.meters_priced if price else (BILL,):
                units = (one.usage.get(meter, NO_USAGE).quantity for one in earlier)
                found[meter] = Run(whole, sum(units, ZERO), asked)
    return found


def _asked(price: Price | None, part: RatedPart) -> Decimal:
    """What the price asked for in a part, or the whole plan, before their limits."""
    if price is not None:
        return total(price.rate(part.usage, part.basis))
    beside = (LineKind.DISCOUNT, LineKind.CAP, LineKind.MINIMUM)
    return total(
        line
        for line in part.lines
        if line.kind is not LineKind.TAX and (line.meter or line.kind not in beside)
    )


def _goes_on(
    one: tuple[Plan, BillingPeriod], after: tuple[Plan, BillingPeriod], meter: str
) -> bool:
    """Whether the meter's price, or the bill's limits, stand unchanged over a change of plan."""
    before, now = one[0], after[0]
    if one[1].end != after[1].start or before.prorate != now.prorate:
        return False
    if meter == BILL:
        terms = ("discount", "maximum", "minimum")
        return all(getattr(before, term) == getattr(now, term) for term in terms)
    price = before.price_of(meter)
    return (
        price is not None
        and price == now.price_of(meter)
        and all(_measures(before, m) == _measures(now, m) for m in price.meters_priced)
    )


def _measures(plan: Plan, meter: str) -> tuple[object, ...]:
    """What a plan's own meter counts, whatever it is called."""
    own = plan.meters.get(meter)
    return (own.unit, own.categories, own.quantity) if own else ()


@dataclass(frozen=True, slots=True)
class MoneyCredit:
    """Money granted in advance; it pays bills after tax while it is valid.

    `effective_on` inclusive, `expires_on` exclusive: a bill is made on its period's last day.
    """

    key: str
    name: str
    amount: Decimal
    currency: str
    effective_on: date
    expires_on: date | None = None
    created: int = 0

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise InvalidTerms(f"money credit {self.key}: amount must be above 0")
        if self.amount != rounded(self.amount, self.currency):
            raise InvalidTerms(
                f"money credit {self.key}: amount {self.amount} is finer than {self.currency} is"
            )
        if self.expires_on is not None and self.expires_on <= self.effective_on:
            raise InvalidTerms(f"money credit {self.key}: expires_on must come after effective_on")

    def order(self) -> tuple[object, ...]:
        """Earliest expiry first, then the earliest granted: a total order."""
        return (self.expires_on or date.max, self.effective_on, self.created, self.key)

    def pays_on(self, day: date) -> bool:
        return self.effective_on <= day < (self.expires_on or date.max)


@dataclass(frozen=True, slots=True)
class Payment:
    """What money credits paid of one bill, and what they hold after it."""

    lines: tuple[Line, ...] = ()
    left: Mapping[str, Decimal] = field(default_factory=dict)


def pay(
    amount: Decimal,
    currency: str,
    credits: Iterable[MoneyCredit],
    day: date,
    left: Mapping[str, Decimal],
) -> Payment:
    """Pay a bill of `amount` made on `day`; credits in another currency are passed over."""
    lines, left = [], dict(left)
    with exact():
        for credit in sorted(credits, key=MoneyCredit.order):
            held = left.setdefault(credit.key, credit.amount)
            paid = min(held, amount)
            if paid <= 0 or credit.currency != currency or not credit.pays_on(day):
                continue
            amount -= paid
            left[credit.key] = held - paid
            lines.append(Line(LineKind.MONEY_CREDIT, credit.name, -paid, lot=credit.key))
    return Payment(tuple(lines), left)


def net(lines: Iterable[Line]) -> Decimal:
    """The sum before tax and money credits."""
    return total(_net(lines))


def _net(lines: Iterable[Line]) -> Iterator[Line]:
    beside = (LineKind.TAX, LineKind.MONEY_CREDIT)
    return (line for line in lines if line.kind not in beside)
