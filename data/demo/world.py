"""The demo world: Owl Inc. and its customers on a day, with 14 months of usage from a seed.

A value of (seed, account, day, category) never depends on today, but for Twilio's lag: today is
about 40 % counted, yesterday 95 %, the day before 99 %.  So history stays as it was from one demo
day to the next, and yesterday's figures rise as Twilio's do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from data.demo.cast import (
    AUTH_TOKEN,
    HISTORY_MONTHS,
    PARENT_SID,
    Account,
    ApiKey,
    CreditPurchase,
    Customer,
    customers,
    months_before,
    parent_account,
)
from data.demo.categories import Tally, charge, rolled_up, summed
from data.demo.rhythm import Counted, month_of_usage
from data.periods import DAY, days_between

PLANS_DIR = Path(__file__).parent / "plans"  # the plans that the customers file names
USUALLY_COUNTED = time(9, 30)
COUNTED_PERCENT = {0: 40, 1: 95, 2: 99}  # by the age of a day in days; older ones are complete

__all__ = ["AUTH_TOKEN", "PARENT_SID", "PLANS_DIR", "World", "customers_yaml"]

Leaves = dict[str, Counted]
Entry = dict[str, Any]


@dataclass(frozen=True)
class World:
    """Who there is and what they used.  Usage is generated a month at a time and kept."""

    seed: int
    today: date  # what every story counts back from
    seen_on: date | None = None  # an earlier day on which Twilio is asked; None: today
    asked_at: datetime | None = None  # nothing is told of later; None: the day has gone on enough
    _months: dict[tuple[str, int, int], dict[date, Leaves]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _days: dict[tuple[str, date], dict[str, Tally]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def counted_on(self) -> date:
        """The day up to which Twilio has counted."""
        return self.seen_on or self.today

    @property
    def counted_at(self) -> datetime:
        """Half past nine of that day, or sooner where it is not yet as late."""
        usual = datetime.combine(self.counted_on, USUALLY_COUNTED, UTC)
        return min(usual, self.asked_at or usual)

    @cached_property
    def first_day(self) -> date:
        return months_before(self.today, HISTORY_MONTHS)

    @cached_property
    def customers(self) -> tuple[Customer, ...]:
        return customers(self.today)

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """Every account by SID: the parent first, then the customers' in order."""
        members = [account for customer in self.customers for account in customer.accounts]
        return {account.sid: account for account in (parent_account(self.today), *members)}

    @cached_property
    def subaccount_sids(self) -> tuple[str, ...]:
        return tuple(sid for sid, account in self.accounts.items() if account.kind == "subaccount")

    @property
    def keys(self) -> dict[str, ApiKey]:
        """An API key for every account but the parent, by the account's SID."""
        members = (account for account in self.accounts.values() if account.kind != "parent")
        return {account.sid: account.api_key for account in members}

    def usage_on(self, sid: str, day: date) -> dict[str, Tally]:
        """What Twilio has counted by category on one day of one account, without subaccounts.

        Parents, children and `totalprice` side by side; empty where nothing was used.
        """
        if (sid, day) not in self._days:
            self._days[sid, day] = rolled_up(self._leaf_tallies(self.accounts[sid], day))
        return self._days[sid, day]

    def usage_between(self, sids: Iterable[str], start: date, end: date) -> dict[str, Tally]:
        """The accounts' usage in `[start, end)`, summed by category."""
        start, end = max(start, self.first_day), min(end, self.counted_on + DAY)
        return summed(self.usage_on(sid, day) for sid in sids for day in days_between(start, end))

    def _leaf_tallies(self, account: Account, day: date) -> dict[str, Tally]:
        if not (account.is_open(day) and self.first_day <= day <= self.counted_on):
            return {}
        percent = COUNTED_PERCENT.get((self.counted_on - day).days, 100)
        counted = {
            leaf: amount.so_far(percent)
            for leaf, amount in self._settled_month(account, day).get(day, {}).items()
        }
        for late in account.corrections:
            if late.day == day and late.made_on <= self.counted_on:
                before = counted.get(late.leaf, Counted(0, 0))
                counted[late.leaf] = Counted(before.events + late.units, before.units + late.units)
        # Carriers take their fee on every segment sent, so it follows from them.
        segments = sum(n.units for leaf, n in counted.items() if leaf.startswith("sms-outbound"))
        if segments:
            counted["sms-messages-carrierfees"] = Counted(segments, segments)
        if day.day == account.charge_day:
            counted |= {leaf: Counted(n, n) for leaf, n in account.numbers.items()}
        return {leaf: charge(leaf, n.events, n.units) for leaf, n in counted.items()}

    def _settled_month(self, account: Account, day: date) -> dict[date, Leaves]:
        key = (account.sid, day.year, day.month)
        if key not in self._months:
            month: dict[date, Leaves] = {}
            stream = f"{self.seed}/{account.sid}"
            for flow in account.flows:
                for each, leaves in month_of_usage(flow, account.rhythm, stream=stream, month=day):
                    month.setdefault(each, {}).update(leaves)
            self._months[key] = month
        return self._months[key]


class _WithoutAliases(yaml.SafeDumper):
    """A person writes a date twice rather than `&id001` and `*id001`."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def customers_yaml(world: World) -> str:
    """The file an ISV would write: its customers, their accounts, plans and credits.

    `to` and `expires_on` are exclusive.
    """
    content = {"cost_currency": "USD", "customers": [_customer(each) for each in world.customers]}
    return yaml.dump(content, Dumper=_WithoutAliases, sort_keys=False, allow_unicode=True)


def _customer(customer: Customer) -> Entry:
    entry: Entry = {
        "slug": customer.slug,
        "name": customer.name,
        "email": customer.email,
        "external_id": customer.external_id,
        "accounts": [_account(account) for account in customer.accounts],
    }
    if customer.plan is not None:
        entry["plans"] = _subscriptions(customer)
    if customer.credits:
        prefix = customer.slug.partition("-")[0]
        entry["credits"] = [_credit(purchase, prefix) for purchase in customer.credits]
    return entry


def _account(account: Account) -> Entry:
    entry: Entry = {
        "sid": account.sid,
        "application": account.application,
        "from": account.opened_on,
    }
    if account.kind == "connected":
        entry["kind"] = "connected"
    return entry


def _subscriptions(customer: Customer) -> list[Entry]:
    account = customer.accounts[0]
    agreed = (*customer.plans_before, (customer.plan, customer.plan_since or account.opened_on))
    entries: list[Entry] = [{"plan": name, "version": 1, "from": since} for name, since in agreed]
    if account.closed_on is not None:
        entries[-1]["to"] = account.closed_on + DAY
    return entries


def _credit(purchase: CreditPurchase, prefix: str) -> Entry:
    entry: Entry = {
        "key": f"{prefix}-{purchase.pack}-{purchase.bought_on}",
        "pack": purchase.pack,
        "bought_on": purchase.bought_on,
        "expires_on": purchase.expires_on,
    }
    if purchase.quantity != 1:
        entry["quantity"] = purchase.quantity
    return entry
