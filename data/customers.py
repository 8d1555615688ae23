"""customers.yaml: who the ISV's customers are, with their accounts, plans and credits by date.

The file is the truth: importing it twice changes nothing, and a dry run says what would change.
Accounts not named in it wait under a system customer that only staff see; rows of usage follow
their account to whoever owns it on their day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field
from sqlmodel import col, delete, select

from data.assignment import Owner, move_rows
from data.errors import Conflict, InputError
from data.grants import CreditEntry, Day, Entry, lot_of
from data.models import (
    SYSTEM_CUSTOMER,
    Account,
    CreditLot,
    Customer,
    PlanChange,
    Subscription,
)
from data.money import currency_code
from data.plans import store_plans, stored_plan
from data.pricing import CreditLot as Lot
from data.pricing import CreditLots, Plan
from data.scope import EveryTenant, ScopedSession, writing
from data.yaml_file import Location, YamlFile, read_yaml


class AccountEntry(Entry):
    sid: str = Field(pattern=r"^AC[0-9a-f]{32}$")
    application: str = ""
    kind: Literal["subaccount", "connected"] = "subaccount"
    subscription: str = "main"
    starts_on: Day = Field(alias="from")
    ends_on: Day | None = Field(default=None, alias="to")


class PlanEntry(Entry):
    plan: str
    version: int = 1
    subscription: str = "main"
    starts_on: Day = Field(alias="from")
    ends_on: Day | None = Field(default=None, alias="to")


class CustomerEntry(Entry):
    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    email: str | None = None
    external_id: str | None = None
    anchor_day: int = Field(default=1, ge=1, le=31)
    accounts: tuple[AccountEntry, ...] = ()
    plans: tuple[PlanEntry, ...] = ()
    credits: tuple[CreditEntry, ...] = ()


class CustomersFile(Entry):
    cost_currency: str = "USD"  # in which Twilio bills the ISV
    customers: tuple[CustomerEntry, ...] = ()


@dataclass(frozen=True)
class ImportReport:
    """A line for each thing that changed (or would)."""

    changes: tuple[str, ...]
    dry_run: bool


class _Rollback(Exception):
    pass


def import_customers(
    scope: EveryTenant, path: Path, plans: Iterable[Plan], *, dry_run: bool = False
) -> ImportReport:
    """Bring the store in line with the file.  All of it, or nothing.

    InputError lists what is wrong, by line; Conflict says which agreed thing was changed.
    """
    file = read_yaml(path)
    content = file.parsed(CustomersFile)
    changes: list[str] = []
    try:
        with writing(scope) as session:
            changes += store_plans(session, plans)
            _check(session, file, content)
            for entry in content.customers:
                changes += _store_customer(session, entry)
            changes += _let_go(session, {entry.slug for entry in content.customers})
            changes += move_rows(session)
            if dry_run:
                raise _Rollback
    except _Rollback:
        pass
    return ImportReport(tuple(changes), dry_run)


def _check(session: ScopedSession, file: YamlFile, content: CustomersFile) -> None:
    problems = [
        f"{file.where(where)}: {what}"
        for where, what in (
            *_twice(content),
            *_plan_problems(session, content),
            *_credit_problems(session, content),
            *_unpaid(content),
        )
    ]
    if problems:
        raise InputError("\n".join(problems))


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


def _plan_problems(
    session: ScopedSession, content: CustomersFile
) -> Iterator[tuple[Location, str]]:
    cost_currency = currency_code(content.cost_currency)
    for c, customer in enumerate(content.customers):
        starts: set[tuple[str, date]] = set()
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
            if (entry.subscription, entry.starts_on) in starts:
                yield (*where, "from"), f"two plans begin on {entry.starts_on}"
            starts.add((entry.subscription, entry.starts_on))
            if entry.ends_on and entry.ends_on <= entry.starts_on:
                yield (*where, "to"), "must come after from"
            for what, problem in _change_problems(session, customer, entry, plan):
                yield (*where, what), problem


def _change_problems(
    session: ScopedSession, customer: CustomerEntry, entry: PlanEntry, plan: Plan | None
) -> Iterator[tuple[str, str]]:
    """What keeps the plan that follows from following."""
    later = [
        other
        for other in customer.plans
        if other.subscription == entry.subscription and other.starts_on > entry.starts_on
    ]
    following = min(later, key=lambda other: other.starts_on, default=None)
    if following is None:
        return
    if entry.ends_on and entry.ends_on != following.starts_on:
        yield "to", f"the next plan begins on {following.starts_on}: leave this out"
    new = stored_plan(session, following.plan, following.version)
    if plan and new and plan.currency != new.currency:
        yield (
            "plan",
            f"{plan.plan} is in {plan.currency} and the next in {new.currency}: "
            "another currency needs a subscription of its own",
        )


def _credit_problems(
    session: ScopedSession, content: CustomersFile
) -> Iterator[tuple[Location, str]]:
    for c, customer in enumerate(content.customers):
        keys: set[str] = set()
        for g, entry in enumerate(customer.credits):
            where: Location = ("customers", c, "credits", g)
            if entry.key in keys:
                yield (*where, "key"), f"{entry.key!r} is used twice"
            keys.add(entry.key)
            try:
                _lot(session, customer, entry)
            except InputError as error:
                yield where, str(error)


def _credit_plan(
    session: ScopedSession, customer: CustomerEntry, entry: CreditEntry
) -> tuple[Plan, CreditLots] | None:
    """The credit price in force when the lot was bought, or the first one agreed after it."""
    agreed = sorted(
        (plan for plan in customer.plans if plan.subscription == entry.subscription),
        key=lambda plan: (plan.starts_on > entry.bought_on, abs(plan.starts_on - entry.bought_on)),
    )
    for candidate in agreed:
        plan = stored_plan(session, candidate.plan, candidate.version)
        for price in plan.prices if plan else ():
            if plan and isinstance(price, CreditLots):
                return plan, price
    return None


def _lot(session: ScopedSession, customer: CustomerEntry, entry: CreditEntry) -> tuple[Lot, str]:
    """The lot of a grant, and its currency."""
    found = _credit_plan(session, customer, entry)
    if found is None:
        raise InputError("the customer has no plan with credit_lots to use these credits")
    plan, price = found
    return lot_of(entry, price), plan.currency


def _store_customer(session: ScopedSession, entry: CustomerEntry) -> Iterator[str]:
    found = session.exec(select(Customer).where(Customer.slug == entry.slug)).all()
    values = {"name": entry.name, "email": entry.email, "external_id": entry.external_id}
    customer = found[0] if found else Customer(slug=entry.slug, name=entry.name)
    changed = [name for name, value in values.items() if getattr(customer, name) != value]
    customer.sqlmodel_update(values)
    session.add(customer)
    session.flush()
    if not found:
        yield f"customer {entry.slug}: new"
    elif changed:
        yield f"customer {entry.slug}: {', '.join(changed)} changed"
    assert customer.id is not None
    yield from _store_accounts(session, customer.id, entry)
    yield from _store_subscriptions(session, customer.id, entry)
    yield from _store_credits(session, customer.id, entry)


def _let_go(session: ScopedSession, named: set[str]) -> Iterator[str]:
    """A customer that the file names no more keeps its name and nothing else."""
    for customer in session.exec(select(Customer)).all():
        if customer.slug in named or customer.slug == SYSTEM_CUSTOMER:
            continue
        had = 0
        for table in (Account, PlanChange, Subscription):
            for row in session.exec(select(table).where(table.customer_id == customer.id)).all():
                session.delete(row)
                had += 1
        if had:
            yield f"customer {customer.slug}: no longer in the file"
    session.flush()


def _store_accounts(session: ScopedSession, owner: int, entry: CustomerEntry) -> Iterator[str]:
    rows = session.exec(select(Account).where(Account.customer_id == owner)).all()
    stored = {(row.sid, row.starts_on): row for row in rows}
    known_before = set(stored)
    for account in entry.accounts:
        key = (account.sid, account.starts_on)
        row = stored.pop(key, None)
        if row is None:
            known = session.exec(select(Account).where(Account.sid == account.sid)).first()
            row = Account(
                customer_id=owner,
                sid=account.sid,
                starts_on=account.starts_on,
                **(
                    known.model_dump(include={"name", "status", "as_of", "synced_at"})
                    if known
                    else {}
                ),
            )
            yield f"customer {entry.slug}: account {account.sid} from {account.starts_on}"
        values = account.model_dump(include={"ends_on", "subscription", "application", "kind"})
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        if key in known_before and changed:
            yield f"customer {entry.slug}: account {account.sid}: {', '.join(changed)} changed"
        row.sqlmodel_update(values)
        session.add(row)
    for sid, starts_on in stored:
        session.delete(stored[sid, starts_on])
        yield f"customer {entry.slug}: account {sid} no longer named"
    session.flush()


def _store_subscriptions(session: ScopedSession, owner: int, entry: CustomerEntry) -> Iterator[str]:
    before = _agreed(session, owner)
    session.execute(delete(PlanChange).where(col(PlanChange.customer_id) == owner))
    session.execute(delete(Subscription).where(col(Subscription.customer_id) == owner))
    keys = {plan.subscription for plan in entry.plans} | {a.subscription for a in entry.accounts}
    for key in sorted(keys):
        plans = sorted(
            (plan for plan in entry.plans if plan.subscription == key),
            key=lambda plan: plan.starts_on,
        )
        accounts = [account for account in entry.accounts if account.subscription == key]
        session.add(
            Subscription(
                customer_id=owner,
                key=key,
                anchor_day=entry.anchor_day,
                starts_on=min(one.starts_on for one in (plans or accounts)),
                ends_on=plans[-1].ends_on if plans else None,
            )
        )
        for plan in plans:
            session.add(
                PlanChange(
                    customer_id=owner,
                    subscription=key,
                    starts_on=plan.starts_on,
                    plan=plan.plan,
                    version=plan.version,
                )
            )
    session.flush()
    after = _agreed(session, owner)
    if before != after:
        yield f"customer {entry.slug}: plans are now {', '.join(after) or 'none'}"


def _agreed(session: ScopedSession, owner: int) -> list[str]:
    subscriptions = session.exec(
        select(Subscription).where(Subscription.customer_id == owner)
    ).all()
    changes = session.exec(select(PlanChange).where(PlanChange.customer_id == owner)).all()
    lines = [
        f"{change.plan} v{change.version} from {change.starts_on} ({change.subscription})"
        for change in sorted(changes, key=lambda change: (change.subscription, change.starts_on))
    ]
    ends = {s.key: s.ends_on for s in subscriptions}
    return lines + [f"{key} until {end}" for key, end in sorted(ends.items()) if end]


def _store_credits(session: ScopedSession, owner: int, entry: CustomerEntry) -> Iterator[str]:
    rows = session.exec(select(CreditLot).where(CreditLot.customer_id == owner)).all()
    stored = {row.key: row for row in rows}
    for grant in entry.credits:
        granted, currency = _lot(session, entry, grant)
        lot = CreditLot(
            customer_id=owner,
            key=granted.key,
            subscription=grant.subscription,
            name=granted.name,
            credits=granted.credits,
            units_per_credit={m: f"{rate:f}" for m, rate in granted.units_per_credit.items()},
            price=granted.price,
            currency=currency,
            effective_on=granted.effective_on,
            expires_on=granted.expires_on,
            priority=granted.priority,
        )
        before = stored.get(grant.key)
        if before is None:
            session.add(lot)
            yield f"customer {entry.slug}: {lot.credits.normalize():f} credits ({grant.key})"
        elif before.model_dump() != lot.model_dump():
            raise Conflict(
                f"customer {entry.slug}: credits {grant.key} were granted with other terms; "
                "give a new grant a key of its own"
            )
    session.flush()
