"""Stores made by hand: two customers, Acme and Beta, with accounts, plans and days of usage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D
from pathlib import Path

from sqlmodel import col, update

from data.closing import Closings, close_due
from data.models import (
    Account,
    CreditLot,
    Customer,
    MoneyCredit,
    PlanChange,
    PlanVersion,
    Subscription,
    Table,
    UsageRecord,
)
from data.pricing import Plan
from data.scope import EveryTenant, Scope, engine, writing
from data.settings import Settings
from data.twilio.intake import store_reads
from data.twilio.planner import Window
from data.twilio.reading import AccountRead, KnownAccount
from data.twilio.usage_records import DailyUsage

ACME, BETA = 101, 102
ACME_SID, BETA_SID = "AC" + "a" * 32, "AC" + "b" * 32
OPENED = date(2026, 1, 1)
SYNCED = datetime(2026, 3, 20, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Store:
    """A database, as the app's role and as the owner of its tables see it."""

    settings: Settings

    @property
    def owner(self) -> EveryTenant:
        return EveryTenant(self.settings.admin_url)

    @property
    def app(self) -> EveryTenant:
        return EveryTenant(self.settings.database_url)

    @property
    def acme(self) -> Scope:
        return Scope(ACME, self.settings.database_url)

    @property
    def beta(self) -> Scope:
        return Scope(BETA, self.settings.database_url)

    @property
    def file(self) -> Path:
        """Of an SQLite store."""
        return Path(self.settings.database_url.removeprefix("sqlite:///"))

    def dispose(self) -> None:
        for url in {self.settings.database_url, self.settings.admin_url}:
            engine(url).dispose()

    def put(self, *rows: Table) -> None:
        with writing(self.owner) as session:
            for row in rows:
                session.add(row)
                session.flush()


def customers() -> Iterable[Table]:
    """Acme and Beta, each with an open account and a subscription since January."""
    for id, name, sid in ((ACME, "Acme", ACME_SID), (BETA, "Beta", BETA_SID)):
        yield Customer(id=id, slug=name.lower(), name=name, email=f"office@{name.lower()}.test")
        yield Subscription(customer_id=id, key="main", starts_on=OPENED)
        yield account(id, sid)


def account(owner: int, sid: str, **terms) -> Account:
    given = {"starts_on": OPENED, "synced_at": SYNCED, "as_of": SYNCED, "name": sid[-4:], **terms}
    return Account(customer_id=owner, sid=sid, **given)


def on_plan(
    owner: int, plan: Plan, since: date = OPENED, subscription: str = "main", **terms
) -> PlanChange:
    return PlanChange(
        customer_id=owner,
        subscription=subscription,
        starts_on=since,
        plan=plan.plan,
        version=plan.version,
        **terms,
    )


def version(plan: Plan) -> PlanVersion:
    terms = plan.model_dump(mode="json")
    return PlanVersion(plan=plan.plan, version=plan.version, terms=terms)


def record(
    owner: int, day: date, category: str, usage="0", cost="0", *, count=None, sid: str | None = None
) -> UsageRecord:
    return UsageRecord(
        customer_id=owner,
        day=day,
        category=category,
        account_sid=sid or (ACME_SID if owner == ACME else BETA_SID),
        count=D(str(usage if count is None else count)),
        usage=D(str(usage)),
        cost=D(str(cost)),
    )


def sms_days(owner: int, start: date, figures: Iterable, unit_cost="0.01", **terms) -> list[Table]:
    """A day of SMS for each figure, with Twilio's total of the day beside it."""
    rows: list[Table] = []
    for n, units in enumerate(figures):
        day, cost = start + timedelta(days=n), D(str(units)) * D(unit_cost)
        rows.append(record(owner, day, "sms", units, cost, **terms))
        rows.append(record(owner, day, "totalprice", cost, cost, count=0, **terms))
    return rows


def credit_row(owner: int, key: str, bought: date, **terms) -> CreditLot:
    given: Mapping = {
        "name": key,
        "credits": D(100),
        "units_per_credit": {"sms": "5"},
        "price": D(10),
        "currency": "USD",
        **terms,
    }
    return CreditLot(customer_id=owner, key=key, effective_on=bought, **given)


def money_row(owner: int, key: str, amount, since: date = OPENED, **terms) -> MoneyCredit:
    given = {"name": "Credit", "currency": "USD", **terms}
    return MoneyCredit(
        customer_id=owner, key=key, amount=D(str(amount)), effective_on=since, **given
    )


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def read_on(store: Store, day: date, **terms) -> None:
    """Every account was read on that day."""
    with writing(store.owner) as session:
        read = {"synced_at": noon(day), "as_of": noon(day), **terms}
        session.execute(update(Account).where(col(Account.status) != "closed").values(**read))


def close_on(store: Store, day: date) -> Closings:
    """The scheduled step on that day, when everything was read."""
    read_on(store, day)
    return close_due(store.owner, settling_days=3, today=day, now=noon(day))


def recount(
    store: Store,
    day: date,
    units,
    *,
    seen: date,
    owner: int = ACME,
    unit_cost="0.01",
    sid: str | None = None,
) -> None:
    """Twilio is read on the day `seen`, and counts this much SMS on `day`."""
    sid = sid or (ACME_SID if owner == ACME else BETA_SID)
    cost = D(str(units)) * D(unit_cost)
    rows = [
        DailyUsage(day, "sms", D(str(units)), D(str(units)), cost, "USD", noon(seen)),
        DailyUsage(day, "totalprice", D(0), cost, cost, "USD", noon(seen)),
    ]
    known = KnownAccount(sid, sid[-4:], first_day=OPENED, through=seen)
    read = AccountRead(known, (Window(day, day),), tuple(rows), seen)
    store_reads(store.owner, [read], noon(seen))
