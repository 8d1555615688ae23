"""From which quantity on another plan costs less, and which tier of a ladder costs least.

Small 49.99 for 100 + 0.50 and medium 59.99 for 200 + 0.30: medium is cheaper from 121 on, since
120 cost 59.99 on both.  Exact on rounded amounts: between the edges of its prices an amount never
falls, so b(l) ≥ a(r) says that b ≥ a on all of [l, r], and an interval that says neither is halved.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import floor

from data.errors import InputError
from data.money import ZERO, exact
from data.pricing.bill import net
from data.pricing.plan import Plan
from data.pricing.strategy import ALL_USAGE, Basis, DayUsage, Line, LineKind, Usage, total
from data.pricing.tiers import Bundles, Tier

Priced = Callable[[int], tuple[Decimal, tuple[Line, ...]]]  # an amount and its lines


@dataclass(frozen=True, slots=True)
class Switch:
    """From this quantity on the other plan costs less, or no longer does."""

    quantity: int
    cheaper: bool


def break_even(
    one: Plan,
    other: Plan,
    meter: str,
    basis: Basis,
    *,
    upto: int,
    unit_cost: Decimal | None = None,
) -> tuple[Switch, ...]:
    """Where `other` begins and ceases to cost less than `one`, among 0 … `upto` whole units.

    Amounts are before tax, and of this meter alone; none is a switch where it never costs less.
    `unit_cost` is what a unit costs the ISV: InputError where a price follows it and it is not
    given.  The work grows with the number of switches, and with how many quantities lie where the
    two differ by less than a unit's price.
    """
    _check(one, other, unit_cost)
    first, second = (cache(_priced(plan, meter, basis, unit_cost)) for plan in (one, other))
    switches: list[Switch] = []
    for start, cheaper in _stretches(first, second, _cuts((one, other), meter, basis, upto)):
        if cheaper != (switches[-1].cheaper if switches else False):
            switches.append(Switch(start, cheaper))
    return tuple(switches)


def _check(one: Plan, other: Plan, unit_cost: Decimal | None) -> None:
    if one.currency != other.currency:
        raise InputError(f"{one.currency} and {other.currency} can't be compared")
    if unit_cost is None and (one.cost_based or other.cost_based):
        plan = one if one.cost_based else other
        raise InputError(f"plan {plan.id} follows our cost: say what a unit costs (unit_cost)")
    if unit_cost is not None and unit_cost < 0:
        raise InputError("unit_cost: must not be below 0")


def _priced(plan: Plan, meter: str, basis: Basis, unit_cost: Decimal | None) -> Priced:
    def priced(quantity: int) -> tuple[Decimal, tuple[Line, ...]]:
        with exact():
            units = Decimal(quantity)
            day = DayUsage(basis.period.start, units, units * (unit_cost or ZERO))
            usage = Usage((day,) if quantity else ())
            lines = plan.rate({meter: usage, ALL_USAGE: usage}, basis)
            return net(lines), tuple(line for line in lines if line.kind is not LineKind.TAX)

    return priced


def _cuts(
    plans: tuple[Plan, Plan], meter: str, basis: Basis, upto: int
) -> Iterator[tuple[int, int]]:
    """Pieces [first, last] of the quantities, within which neither amount falls."""
    starts, before = {0, upto + 1}, Fraction(basis.before(meter))
    for plan in plans:
        price = plan.price_of(meter)
        for edge in price.edges(basis) if price else ():
            beyond = floor(Fraction(edge) - before) + 1  # an edge belongs below
            if 0 < beyond <= upto:
                starts.add(beyond)
    return ((start, end - 1) for start, end in pairwise(sorted(starts)))


def _stretches(
    one: Priced, other: Priced, pieces: Iterator[tuple[int, int]]
) -> Iterator[tuple[int, bool]]:
    """(first quantity, whether the other costs less there), ascending."""
    todo = list(pieces)[::-1]
    while todo:
        left, right = todo.pop()
        if other(left)[0] >= one(right)[0] or _are_alike(one, other, left, right):
            yield left, False
        elif other(right)[0] < one(left)[0]:
            yield left, True
        else:
            middle = (left + right) // 2
            todo += [(middle + 1, right), (left, middle)]


def _are_alike(one: Priced, other: Priced, left: int, right: int) -> bool:
    """Whether both make the same lines at both ends of a piece, and so within it.

    Lines by cost do not name their margin, so that they prove nothing.
    """
    ends = [(one(at)[1], other(at)[1]) for at in (left, right)]
    return all(mine == theirs and all(line.cost is None for line in mine) for mine, theirs in ends)


def cheapest(bundles: Bundles, quantity: Decimal, basis: Basis) -> Tier:
    """The tier that costs least for the quantity; the chosen one wins a tie.

    Where a tier has no price beyond its allowance, of those that cover the quantity; the largest
    where none does.
    """
    usage = {bundles.meter: Usage((DayUsage(basis.period.start, quantity),))}
    found = {}
    for tier in bundles.ladder:
        with exact():
            lines = bundles.model_copy(update={"chosen": tier.name}).bill(usage, basis)
        unpriced = any(line.kind is LineKind.UNPRICED for line in lines)
        found[tier.name] = (total(lines), unpriced)
    return best_tier(bundles, found)


def best_tier(bundles: Bundles, found: dict[str, tuple[Decimal, bool]]) -> Tier:
    """Of the ladder, by each tier's amount and whether usage went beyond what it prices."""

    def order(tier: Tier) -> tuple[bool, Decimal, Decimal, bool]:
        amount, unpriced = found[tier.name]
        size = -tier.allowance if unpriced else ZERO
        return unpriced, size, amount, tier.name != bundles.chosen

    return min(bundles.ladder, key=order)
