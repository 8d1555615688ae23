"""What new terms would have billed the customers who are to have them: their own past months.

Every amount comes from the replay of data/simulation.py, before tax and money credits.  Sums are by
currency and never across two.  For staff only: a replay of a margin price reveals the cost.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlmodel import col, select

from data.errors import AppError
from data.models import Customer, PlanChange, Subscription
from data.money import ZERO
from data.plans import stored_plans
from data.pricing import Plan, as_when, stretches, timeline
from data.pricing import PlanChange as Change
from data.scope import EveryTenant, Scope, reading
from data.simulation import simulate
from data.store import periods


@dataclass(frozen=True, slots=True)
class Holder:
    """A subscription and the plan version it is on."""

    customer_id: int
    slug: str
    name: str
    key: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Compared:
    """`before` is what the months were billed, `after` what the new terms make of them."""

    holder: Holder
    months: int
    before: Decimal
    after: Decimal
    currency: str

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Preview:
    """Those who would pay most more come first; `left_out` says of whom nothing can be said."""

    compared: tuple[Compared, ...]
    left_out: tuple[tuple[Holder, str], ...]

    @property
    def totals(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        """Before and after, by currency."""
        sums: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
        for one in self.compared:
            before, after = sums[one.currency]
            sums[one.currency] = (before + one.before, after + one.after)
        return dict(sums)


def holders(scope: EveryTenant, *, today: date) -> tuple[Holder, ...]:
    """Every subscription that has a plan today, by the customer's name."""
    with reading(scope) as session:
        plans = stored_plans(session)
        rows = session.exec(
            select(PlanChange, Subscription, col(Customer.slug), col(Customer.name))
            .where(
                PlanChange.customer_id == Subscription.customer_id,
                PlanChange.subscription == Subscription.key,
                Customer.id == Subscription.customer_id,
            )
            .order_by(col(Customer.name), col(PlanChange.starts_on), col(PlanChange.number))
        ).all()
    changes: dict[tuple[int, str], list[Change]] = defaultdict(list)
    named: dict[tuple[int, str], tuple[Subscription, str, str]] = {}
    for change, own, slug, name in rows:
        terms = plans[change.plan, change.version]
        which = (own.customer_id, own.key)
        changes[which].append(Change(terms, change.starts_on, as_when(change.takes_effect)))
        named[which] = (own, slug, name)
    found = []
    for (owner, key), (own, slug, name) in named.items():
        asked = changes[owner, key]
        agreed = timeline(asked, ends_on=own.ends_on, anchor_day=own.anchor_day)
        for one in stretches(agreed):
            if one.starts_on <= today < (one.ends_on or date.max):
                found.append(Holder(owner, slug, name, key, one.plan))
    return tuple(found)


def preview(
    scope: EveryTenant,
    plan: Plan,
    chosen: Iterable[Holder],
    *,
    months: int,
    today: date,
    pack: str | None = None,
) -> Preview:
    """The newest `months` periods that are over, of each, as billed and under the plan."""
    compared, left_out = [], []
    for holder in chosen:
        own = Scope(holder.customer_id, scope.url)
        try:
            known = periods(own, holder.key, today=today)
            over = [one for one in known if one.end <= today][:months]
            found = simulate(own, holder.key, plan, over, today=today, pack=pack, staff=True)
        except AppError as error:
            left_out.append((holder, str(error)))
            continue
        if found.difference is None:
            why = f"{found.actual_currency} is agreed: another currency is another contract."
            left_out.append((holder, why))
            continue
        number = len(found.periods)
        compared.append(Compared(holder, number, found.actual, found.amount, found.currency))
    compared.sort(key=lambda one: one.difference, reverse=True)
    return Preview(tuple(compared), tuple(left_out))
