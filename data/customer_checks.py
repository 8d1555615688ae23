"""What is wrong with customers.yaml, each problem with its place in the file."""

from collections.abc import Iterator
from datetime import date

from sqlmodel import col, func, select

from data.assignment import Owner
from data.customers_file import CustomerEntry, CustomersFile, PlanEntry
from data.errors import InputError, InvalidTerms
from data.grants import CreditEntry, lot_of, money_of
from data.models import SYSTEM_CUSTOMER, ClosedStatement, Customer, PlanChange, Subscription
from data.money import currency_code
from data.periods import DAY, period_of
from data.plans import stored_plan
from data.pricing import CreditLot as Lot
from data.pricing import CreditLots, Plan, PlanStretch, as_when, stretches, timeline
from data.pricing import PlanChange as Change
from data.scope import ScopedSession
from data.yaml_file import Location

Problem = tuple[Location, str]


def problems(session: ScopedSession, content: CustomersFile) -> Iterator[Problem]:
    """Of a file that names every customer: where, and what."""
    yield from _dropped(session, content)
    yield from entry_problems(session, content)


def entry_problems(session: ScopedSession, content: CustomersFile) -> Iterator[Problem]:
    """The same of some customers, whatever becomes of the others."""
    yield from _twice(content)
    yield from _plan_problems(session, content)
    yield from _timeline_problems(session, content)
    yield from _credit_problems(session, content)
    yield from _unpaid(content)


def _twice(content: CustomersFile) -> Iterator[tuple[Location, str]]:
    slugs: set[str] = set()
    owners: dict[str, list[Owner]] = {}
    for c, customer in enumerate(content.customers):
        if customer.slug in slugs:
            yield ("customers", c, "slug"), f"{customer.slug!r} is used twice"
        if customer.slug == SYSTEM_CUSTOMER:
            yield ("customers", c, "slug"), f"{customer.slug!r} is kept for accounts that wait"
        slugs.add(customer.slug)
        for a, account in enumerate(customer.accounts):
            where: Location = ("customers", c, "accounts", a)
            if account.ends_on and account.ends_on <= account.starts_on:
                yield (*where, "to"), "must come after from"
            owner = Owner(c, account.starts_on, account.ends_on)
            if any(owner.meets(other) for other in owners.get(account.sid, [])):
                yield (*where, "sid"), f"{account.sid} has two owners on one day"
            owners.setdefault(account.sid, []).append(owner)


def _unpaid(content: CustomersFile) -> Iterator[tuple[Location, str]]:
    """A subaccount whose subscription has no plan, though the customer has plans: a typo."""
    for c, customer in enumerate(content.customers):
        agreed = {plan.subscription for plan in customer.plans}
        for a, account in enumerate(customer.accounts):
            if account.kind == "subaccount" and agreed and account.subscription not in agreed:
                where: Location = ("customers", c, "accounts", a, "subscription")
                names = ", ".join(sorted(agreed))
                yield where, f"no plan is for {account.subscription!r}; there are plans for {names}"


def _dropped(session: ScopedSession, content: CustomersFile) -> Iterator[Problem]:
    """A customer with final statements stays: they say what was agreed and used."""
    closed = session.exec(
        select(col(Customer.slug)).where(Customer.id == ClosedStatement.customer_id).distinct()
    ).all()
    for slug in sorted(set(closed) - {customer.slug for customer in content.customers}):
        yield (
            ("customers",),
            f"{slug!r} has final statements: keep it in the file, and end its plan with `to:`",
        )


def _plan_problems(session: ScopedSession, content: CustomersFile) -> Iterator[Problem]:
    cost_currency = currency_code(content.cost_currency)
    for c, customer in enumerate(content.customers):
        for p, entry in enumerate(customer.plans):
            where: Location = ("customers", c, "plans", p)
            plan = stored_plan(session, entry.plan, entry.version)
            if plan is None:
                yield (*where, "plan"), f"no plan {entry.plan!r} with version {entry.version}"
            elif plan.cost_based and plan.currency != cost_currency:
                yield (
                    (*where, "plan"),
                    f"{plan.plan} is in {plan.currency} and follows a cost in {cost_currency}: "
                    "a margin price needs both in one currency",
                )
            if entry.ends_on and entry.ends_on <= entry.starts_on:
                yield (*where, "to"), "must come after from"
            following = _following(customer, entry)
            if entry.ends_on and following and entry.ends_on != following.starts_on:
                yield (
                    (*where, "to"),
                    f"the next plan begins on {following.starts_on}: leave this out",
                )


def _following(customer: CustomerEntry, entry: PlanEntry) -> PlanEntry | None:
    later = [
        other
        for other in customer.plans
        if other.subscription == entry.subscription and other.starts_on > entry.starts_on
    ]
    return min(later, key=lambda other: other.starts_on, default=None)


def _timeline_problems(session: ScopedSession, content: CustomersFile) -> Iterator[Problem]:
    """Changes that can't follow on each other, or that reach into a closed period."""
    for c, customer in enumerate(content.customers):
        keys = {plan.subscription for plan in customer.plans}
        for key in sorted(keys | _closed_keys(session, customer.slug)):
            try:
                agreed = _agreed(session, customer, key)
            except InvalidTerms as error:
                yield ("customers", c, "plans"), str(error)
                continue
            for field, what in _final_problems(session, customer, key, agreed):
                yield ("customers", c, field), what


def _final_problems(
    session: ScopedSession, customer: CustomerEntry, key: str, agreed: tuple[PlanStretch, ...]
) -> Iterator[tuple[str, str]]:
    """What would bill days of final statements otherwise, or twice, or never: field and reason."""
    until = _closed_until(session, customer.slug, key)
    if until is None:
        return
    final = f"and the statements of the days before {until} are final"
    before, anchors = _stored_stretches(session, customer.slug, key)
    if _within(agreed, until) != _within(before, until):
        yield "plans", f"the plans of {key!r} change days before {until}, {final}"
    elif not anchors <= {customer.anchor_day}:
        yield "anchor_day", f"the periods of {key!r} would be cut elsewhere, {final}"
    elif agreed and period_of(until - DAY, customer.anchor_day).end != until != agreed[-1].ends_on:
        yield "plans", f"{key!r} would go on within its last period, {final}; begin it anew"


def _agreed(session: ScopedSession, customer: CustomerEntry, key: str) -> tuple[PlanStretch, ...]:
    """The file's plans of a subscription as they would be billed."""
    changes, ends_on = agreed_changes(session, customer, key)
    return stretches(timeline(changes, ends_on=ends_on, anchor_day=customer.anchor_day))


def agreed_changes(
    session: ScopedSession, customer: CustomerEntry, key: str
) -> tuple[list[Change], date | None]:
    """The entry's changes of a subscription whose plans are stored, and the contract's end."""
    entries = [plan for plan in customer.plans if plan.subscription == key]
    found = [(one, stored_plan(session, one.plan, one.version)) for one in entries]
    changes = [Change(plan, one.starts_on, one.when) for one, plan in found if plan]
    last = max(entries, key=lambda one: one.starts_on, default=None)
    return changes, last.ends_on if last else None


def _stored_stretches(
    session: ScopedSession, slug: str, key: str
) -> tuple[tuple[PlanStretch, ...], set[int]]:
    """And the anchor day, where there is one."""
    rows = session.exec(
        select(PlanChange, Subscription)
        .where(
            PlanChange.customer_id == Subscription.customer_id,
            PlanChange.subscription == Subscription.key,
            Subscription.customer_id == Customer.id,
            Customer.slug == slug,
            Subscription.key == key,
        )
        .order_by(col(PlanChange.starts_on), col(PlanChange.number))
    ).all()
    found = [(row, stored_plan(session, row.plan, row.version)) for row, _ in rows]
    changes = [
        Change(plan, row.starts_on, as_when(row.takes_effect)) for row, plan in found if plan
    ]
    ends = {(one.ends_on, one.anchor_day) for _, one in rows}
    ends_on, anchor_day = ends.pop() if ends else (None, 1)
    found_before = stretches(timeline(changes, ends_on=ends_on, anchor_day=anchor_day))
    return found_before, {one.anchor_day for _, one in rows}


def _within(agreed: tuple[PlanStretch, ...], until: date) -> list[tuple[str, date, date]]:
    return [
        (one.plan.id, one.starts_on, min(one.ends_on or until, until))
        for one in agreed
        if one.starts_on < until
    ]


def _closed_keys(session: ScopedSession, slug: str) -> set[str]:
    rows = session.exec(
        select(ClosedStatement.subscription).where(
            ClosedStatement.customer_id == Customer.id, Customer.slug == slug
        )
    ).all()
    return set(rows)


def _closed_until(session: ScopedSession, slug: str, key: str) -> date | None:
    return session.exec(
        select(func.max(ClosedStatement.period_end)).where(
            ClosedStatement.customer_id == Customer.id,
            Customer.slug == slug,
            ClosedStatement.subscription == key,
        )
    ).one()


def _credit_problems(session: ScopedSession, content: CustomersFile) -> Iterator[Problem]:
    for c, customer in enumerate(content.customers):
        for name in ("credits", "money_credits"):
            keys: set[str] = set()
            for g, entry in enumerate(getattr(customer, name)):
                where: Location = ("customers", c, name, g)
                if entry.key in keys:
                    yield (*where, "key"), f"{entry.key!r} is used twice"
                keys.add(entry.key)
                try:
                    if name == "credits":
                        granted_lot(session, customer, entry)
                    else:
                        money_of(entry)
                except InputError as error:
                    yield where, str(error)


def _credit_plan(
    session: ScopedSession, customer: CustomerEntry, entry: CreditEntry
) -> tuple[Plan, CreditLots] | None:
    """The credit price in force on the day the lot is bought: that bill carries the purchase."""
    if not any(plan.subscription == entry.subscription for plan in customer.plans):
        return None
    for one in _agreed(session, customer, entry.subscription):
        if one.starts_on <= entry.bought_on < (one.ends_on or date.max):
            for price in one.plan.prices:
                if isinstance(price, CreditLots):
                    return one.plan, price
    return None


def granted_lot(
    session: ScopedSession, customer: CustomerEntry, entry: CreditEntry
) -> tuple[Lot, str]:
    """The lot of a grant, and its currency."""
    found = _credit_plan(session, customer, entry)
    if found is None:
        raise InputError(
            f"bought_on: no plan with credit_lots is in force for {entry.subscription!r} on "
            f"{entry.bought_on}"
        )
    plan, price = found
    return lot_of(entry, price), plan.currency
