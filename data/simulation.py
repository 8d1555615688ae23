"""What past periods would have cost under another plan: their usage, rated as if it was agreed.

130 SMS on small are 64.99; on medium they would have been 59.99, a difference of −5.00.  Amounts
are before tax and money credits.  Credits begin without a lot: the pack named is bought on each day
on which the lots do not cover its use, and what is billed are the packs.

A replay of a price that follows our cost would reveal the cost, so customers may try offered plans
of other kinds only.  Elsewhere: what-if, backtest, plan comparison.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from math import ceil

from data.agreements import plan_stretches
from data.billed import Billed, billed_usage, plan_on
from data.errors import AccessError, InputError, InvalidPeriod, NotFound
from data.grants import CreditEntry, lot_of
from data.meters import meters_of, shown_meters
from data.money import total
from data.periods import DAY, BillingPeriod
from data.plans import all_plans
from data.pricing import (
    Bundles,
    CreditLot,
    CreditLots,
    CreditUse,
    Ledger,
    LineKind,
    Opening,
    Plan,
    PlanStretch,
    RatedPeriod,
    net,
    replay,
    segments,
)
from data.pricing.compare import best_tier
from data.scope import Scope
from data.statement import StatementLine, Status, as_statement
from data.statement_archive import revisions_of
from data.statement_content import priced_content
from data.store import AccountView, subscription
from data.usage import measured
from data.usage_rows import DayTotals, cost_currencies, day_totals


@dataclass(frozen=True, slots=True)
class SimulatedPeriod:
    """Both amounts are before tax and money credits; the actual one includes adjustments since."""

    period: BillingPeriod
    actual: Decimal
    amount: Decimal
    lines: tuple[StatementLine, ...]
    credits_used: Decimal | None = None  # what the credits drawn were bought for


@dataclass(frozen=True, slots=True)
class Simulation:
    """`amount` is in `currency`, `actual` in `actual_currency`."""

    plan: Plan
    currency: str
    actual_currency: str
    periods: tuple[SimulatedPeriod, ...]  # oldest first

    @property
    def actual(self) -> Decimal:
        return total(one.actual for one in self.periods)

    @property
    def amount(self) -> Decimal:
        return total(one.amount for one in self.periods)

    @property
    def difference(self) -> Decimal | None:
        """What the plan would have cost more; None between two currencies."""
        return self.amount - self.actual if self.currency == self.actual_currency else None


@dataclass(frozen=True, slots=True)
class TierAdvice:
    """What the tiers of a subscription's own ladder would have cost."""

    meter: str
    chosen: str
    cheapest: str
    amounts: Mapping[str, Decimal]  # by tier, in the order of the ladder
    beyond: frozenset[str]  # tiers whose allowance some period exceeds, without a price for it

    @property
    def saves(self) -> Decimal:
        return self.amounts[self.chosen] - self.amounts[self.cheapest]


@dataclass(frozen=True, slots=True)
class _Past:
    """The periods with a plan, oldest first, and their usage up to and with `through`."""

    agreed: tuple[PlanStretch, ...]
    periods: tuple[BillingPeriod, ...]
    accounts: tuple[AccountView, ...]
    rows: list[DayTotals]
    through: date

    @property
    def days(self) -> tuple[date, date]:
        return self.periods[0].start, self.periods[-1].end


def offered_plans(scope: Scope, key: str) -> tuple[Plan, ...]:
    """What the customer may try: the newest versions that are offered, in the contract's currency
    and not following our cost; by name."""
    currency = subscription(scope, key).currency
    newest: dict[str, Plan] = {}
    for _, plan in sorted(all_plans(scope).items(), key=lambda item: item[0]):
        newest[plan.plan] = plan
    offered = [
        plan
        for plan in newest.values()
        if plan.offered and not plan.cost_based and plan.currency == currency
    ]
    return tuple(sorted(offered, key=lambda plan: (plan.name, plan.id)))


def simulate(
    scope: Scope,
    key: str,
    plan: Plan,
    periods: Iterable[BillingPeriod],
    *,
    today: date,
    pack: str | None = None,
    staff: bool = False,
) -> Simulation:
    """The periods under the plan, each for the days for which the subscription had one.

    AccessError where a customer may not try the plan, NotFound without a contract, InvalidPeriod
    without a period to compare, InputError for a pack or a cost in another currency.
    """
    if not staff:
        _check_open_to_customers(scope, key, [plan], today)
    past = _past(scope, key, periods, today)
    return _simulation(plan, pack, past, _actuals(scope, key, past, today), scope)


def simulate_each(
    scope: Scope,
    key: str,
    trials: Iterable[tuple[Plan, str | None]],
    periods: Iterable[BillingPeriod],
    *,
    today: date,
) -> tuple[Simulation, ...]:
    """`simulate` for several plans, each with its pack, none beyond what customers may try.

    The past is read once for all of them.
    """
    wanted = list(trials)
    _check_open_to_customers(scope, key, [plan for plan, _ in wanted], today)
    past = _past(scope, key, periods, today)
    actual = _actuals(scope, key, past, today)
    return tuple(_simulation(plan, pack, past, actual, scope) for plan, pack in wanted)


def own_tiers(scope: Scope, key: str, *, today: date) -> tuple[Plan, ...]:
    """The customer's plan on each tier of its ladder; none where a price follows our cost.

    The tiers of its first ladder, smallest allowance first.
    """
    view = subscription(scope, key)
    agreed = plan_stretches(scope, key)
    last = min(today, view.ends_on - DAY if view.ends_on else today)
    plan = next((one.plan for one in reversed(agreed) if one.starts_on <= last), None)
    bundles = [price for price in plan.prices if isinstance(price, Bundles)] if plan else []
    if plan is None or plan.cost_based or not bundles:
        return ()
    ladder = sorted(bundles[0].ladder, key=lambda tier: tier.allowance)
    return tuple(_on_tier(plan, bundles[0], tier.name) for tier in ladder)


def _check_open_to_customers(scope: Scope, key: str, plans: Sequence[Plan], today: date) -> None:
    allowed = (*offered_plans(scope, key), *own_tiers(scope, key, today=today))
    for plan in plans:
        if plan not in allowed:
            raise AccessError(f"The plan {plan.name} can't be tried here.", plan=plan.id)


def _actuals(scope: Scope, key: str, past: _Past, today: date) -> Mapping[date, Decimal]:
    """By the period's first day."""
    return {one.start: _actual(scope, key, one, today) for one in past.periods}


def _simulation(
    plan: Plan, pack: str | None, past: _Past, actual: Mapping[date, Decimal], scope: Scope
) -> Simulation:
    _check_cost(scope, plan, past)
    trial = _trial(plan, past)
    trial = replace(trial, lots=_bought(trial, plan, past, pack))
    found = tuple(
        SimulatedPeriod(
            rated.period,
            actual[rated.period.start],
            net(rated.lines),
            _lines(trial, rated),
            _credits_used(rated),
        )
        for rated in _rated(trial, past)
    )
    return Simulation(plan, plan.currency, past.agreed[-1].plan.currency, found)


def cheapest_tier(
    scope: Scope,
    key: str,
    periods: Iterable[BillingPeriod],
    *,
    today: date,
    meter: str | None = None,
) -> TierAdvice | None:
    """The tier that would have cost least over the periods, of the plan in force at their end.

    Of its bundle of the meter, or of its first; None where it has none.  A tier without a price
    beyond its allowance comes behind those that cover every period.
    """
    past = _past(scope, key, periods, today)
    plan = plan_on(past.agreed, past.periods[-1], today)
    bundles = next(
        (
            price
            for price in (plan.prices if plan else ())
            if isinstance(price, Bundles) and meter in (None, price.meter)
        ),
        None,
    )
    if plan is None or bundles is None:
        return None
    found: dict[str, tuple[Decimal, bool]] = {}
    for tier in bundles.ladder:
        rated = list(_rated(_trial(_on_tier(plan, bundles, tier.name), past), past))
        lines = [line for period in rated for line in period.lines]
        unpriced = {line.meter for line in lines if line.kind is LineKind.UNPRICED}
        found[tier.name] = (net(lines), bundles.meter in unpriced)
    return TierAdvice(
        bundles.meter,
        bundles.chosen,
        best_tier(bundles, found).name,
        {name: amount for name, (amount, _) in found.items()},
        frozenset(name for name, (_, beyond) in found.items() if beyond),
    )


def _on_tier(plan: Plan, bundles: Bundles, name: str) -> Plan:
    chosen = bundles.model_copy(update={"chosen": name})
    prices = tuple(chosen if price == bundles else price for price in plan.prices)
    return plan.model_copy(update={"prices": prices})


def _past(scope: Scope, key: str, periods: Iterable[BillingPeriod], today: date) -> _Past:
    view, agreed = subscription(scope, key), plan_stretches(scope, key)
    if not agreed:
        raise NotFound("No plan was agreed: there is nothing to compare with.")
    clipped = {period.clipped(view.starts_on, view.ends_on) for period in periods}
    begun = sorted(one for one in clipped if one.start <= today and segments(agreed, one))
    if not begun:
        raise InvalidPeriod("No plan was agreed for these periods.")
    accounts = view.accounts
    rows = day_totals(scope, accounts, begun[0].start, begun[-1].end)
    return _Past(agreed, tuple(begun), accounts, rows, today)


def _check_cost(scope: Scope, plan: Plan, past: _Past) -> None:
    """A price that follows our cost needs it in its own currency."""
    charged = cost_currencies(scope, past.accounts, *past.days) if plan.cost_based else ()
    if other := [currency for currency in charged if currency != plan.currency]:
        raise InputError(
            f"plan {plan.id} is in {plan.currency} and follows a cost in {other[0]}: exchange "
            "rates are not part of this product"
        )


def _trial(plan: Plan, past: _Past) -> Billed:
    """The past as if this plan had been agreed for all its days, without credits of its own."""
    meters = shown_meters(plan)
    return Billed(
        entries=(),
        stretches=(PlanStretch(plan, past.agreed[0].starts_on, past.agreed[-1].ends_on),),
        lots=(),
        money=(),
        meters=meters,
        shown=measured(past.rows, meters),
        priced={plan.id: measured(past.rows, meters_of(plan))},
        opening=None,
    )


def _rated(trial: Billed, past: _Past) -> Iterator[RatedPeriod]:
    """Each period as far as it is known, with the credits that the one before has left."""
    for period in past.periods:
        rated = trial.rated(period, past.through)
        yield rated
        trial = replace(trial, opening=rated.closing)


def _lines(trial: Billed, rated: RatedPeriod) -> tuple[StatementLine, ...]:
    """Without cost, as a statement shows them."""
    content = priced_content(trial, rated, explained=False)
    return as_statement(content, Status.OPEN).lines if content else ()


def _actual(scope: Scope, key: str, period: BillingPeriod, today: date) -> Decimal:
    """As it is priced now: a closed period as it was billed, with its adjustments since."""
    closed = revisions_of(scope, key, period.start)
    if closed:
        return net(stated.line for _, stated in closed[-1].lines)
    return net(billed_usage(scope, key, period).rated(period, today).lines)


def _credits_used(rated: RatedPeriod) -> Decimal | None:
    prices = (price for part in rated.parts for price in part.plan.prices)
    if not any(isinstance(price, CreditLots) for price in prices):
        return None
    drawn = (line.recognized for line in rated.lines if line.kind is LineKind.CREDITS)
    return total(value for value in drawn if value is not None)


def _bought(trial: Billed, plan: Plan, past: _Past, pack: str | None) -> tuple[CreditLot, ...]:
    """The packs that the days would have needed."""
    credits = [price for price in plan.prices if isinstance(price, CreditLots)]
    names = [one.name for price in credits for one in price.packs]
    if pack is None and names:
        raise InputError(f"pack: say which is bought when the credits run out ({', '.join(names)})")
    if pack is None:
        return ()
    for price in credits:
        if price.pack(pack):
            return _purchases(trial, price, pack, past)
    raise InputError(
        f"pack: {pack!r} is not one of the plan's packs ({', '.join(names) or 'none'})"
    )


def _purchases(trial: Billed, price: CreditLots, pack: str, past: _Past) -> tuple[CreditLot, ...]:
    """Day by day: what the lots in hand do not cover is bought on that day."""
    bought: list[CreditLot] = []
    held: list[CreditLot] = []  # those of them that are not burnt
    left: Opening | None = None
    for rated in _rated(trial, past):
        for part in rated.parts:
            left = price.begun(replace(part.basis, opening=left))
            for day, uses in groupby(price.uses(part.usage), key=lambda use: use.day):
                needed = list(uses)
                ledger = _day(price, held, needed, left)
                if count := packs_for(price, pack, ledger.shortfall):
                    entry = CreditEntry(
                        key=f"{pack}:{day}", pack=pack, quantity=count, bought_on=day
                    )
                    bought.append(lot_of(entry, price, len(bought)))
                    held.append(bought[-1])
                    ledger = _day(price, held, needed, left)
                left = ledger.closing
                held = [lot for lot in held if left.credits[lot.key]]
    return tuple(bought)


def _day(price: CreditLots, lots: list[CreditLot], uses: list[CreditUse], left: Opening) -> Ledger:
    """The ledger of one day's uses."""
    day, carry = uses[0].day, price.shortfall == "owed"
    order = price.burn_order
    return replay(lots, uses, day, day + DAY, opening=left, carry=carry, burn_order=order)


def packs_for(price: CreditLots, name: str, missing: Mapping[str, Decimal]) -> int:
    """How many packs cover the missing units, of those meters that it converts."""
    pack = price.pack(name)
    assert pack is not None
    rates = pack.units_per_credit
    credits = sum(
        (
            Fraction(units) / Fraction(rates[meter])
            for meter, units in missing.items()
            if meter in rates
        ),
        Fraction(0),
    )
    return ceil(credits / Fraction(pack.credits))
