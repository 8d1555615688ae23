"""What a fleet of accounts used: every figure from (seed, account, day, category), by arithmetic.

So the emulator need keep nothing, and a test can compute what a database must hold.  As at Twilio,
today is 40 % counted, yesterday 95 %, the day before 99 %; corrections change a day afterwards.
Money is whole units of 0.00001 USD until it becomes text or a Decimal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import md5

import numpy as np

from data.demo.cast import AUTH_TOKEN, PARENT_SID
from data.demo.world import COUNTED_PERCENT
from tests.fleet.categories import PRICE_SCALE, Tree

MOST_UNITS = 5000  # of one category and day
Rows = dict[tuple[date, str], tuple[Decimal | None, Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Account:
    number: int
    sid: str
    name: str
    opened_on: date
    status: str = "active"
    closed_on: date | None = None  # nothing is used from this day on


@dataclass(frozen=True, slots=True)
class Correction:
    """A day of one account turns out to be `factor` times what it was, below `category`."""

    account: int
    day: date
    category: str
    factor: Decimal


@dataclass(frozen=True, slots=True)
class Figures:
    """By interval and category (in the tree's order): events, billed units, price."""

    count: np.ndarray
    usage: np.ndarray
    price: np.ndarray

    def summed(self) -> "Figures":
        sums = (part.sum(axis=0, keepdims=True) for part in (self.count, self.usage, self.price))
        return Figures(*sums)


@dataclass
class World:
    """`quiet` is the share of days on which an account uses nothing."""

    today: date
    accounts_wanted: int = 10
    days: int = 90
    categories: int = 12
    seed: int = 1
    lag: bool = True
    zero_rows: bool = False
    quiet: float = 0.0
    parent: str = PARENT_SID
    token: str = AUTH_TOKEN
    accounts: list[Account] = field(init=False)
    corrections: list[Correction] = field(default_factory=list, init=False)
    tree: Tree = field(init=False)
    first_day: date = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(self.categories, self.zero_rows)
        self.first_day = self.today - timedelta(days=self.days - 1)
        self.accounts = []
        for _ in range(self.accounts_wanted):
            self._open(self.first_day)

    @cached_property
    def by_sid(self) -> dict[str, Account]:
        return {account.sid: account for account in self.accounts}

    @property
    def sids(self) -> list[str]:
        return [account.sid for account in self.accounts]

    def change(self, what: str, **details: str) -> str:
        """One change of the world, named by its verb; the SID it is about, or "" ."""
        return str(getattr(self, f"_{what}")(**details) or "")

    def _today(self, day: str) -> None:
        self.today = date.fromisoformat(day)

    def _correct(self, sid: str, day: str, category: str, factor: str) -> str:
        number, on = self.by_sid[sid].number, date.fromisoformat(day)
        self.corrections.append(Correction(number, on, category, Decimal(factor)))
        return sid

    def _add(self, name: str = "") -> str:
        return self._open(self.today, name).sid

    def _rename(self, sid: str, name: str) -> str:
        return self._put(replace(self.by_sid[sid], name=name))

    def _suspend(self, sid: str) -> str:
        return self._put(replace(self.by_sid[sid], status="suspended"))

    def _close(self, sid: str) -> str:
        return self._put(replace(self.by_sid[sid], status="closed", closed_on=self.today))

    def _put(self, account: Account) -> str:
        self.accounts[account.number] = account
        self.__dict__.pop("by_sid", None)
        return account.sid

    def _open(self, day: date, name: str = "") -> Account:
        number = len(self.accounts)
        sid = "AC" + md5(f"{self.seed}/{number}".encode()).hexdigest()
        self.accounts.append(Account(number, sid, name or f"Account {number}", day))
        self.__dict__.pop("by_sid", None)
        return self.accounts[-1]

    def rows(self, sid: str, first: date, last: date) -> Rows:
        """What a store must hold of the account's days: (count, usage, price), none of them zero.

        Both days are included; `totalprice` has no count.
        """
        days = self.known_days(first, last)
        figures = self.figures([self.by_sid[sid]], days)
        found: Rows = {}
        for n, day in enumerate(days):
            for c, id in enumerate(self.tree.ids):
                count, usage, price = (
                    int(part[n, c]) for part in (figures.count, figures.usage, figures.price)
                )
                if usage:
                    spent = Decimal(price) / PRICE_SCALE
                    total = (None, spent, spent)
                    found[day, id] = total if c == 0 else (Decimal(count), Decimal(usage), spent)
        return found

    def known_days(self, first: date, last: date) -> list[date]:
        """The days of the range that hold usage; oldest first."""
        first, last = max(first, self.first_day), min(last, self.today)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def figures(self, accounts: Sequence[Account], days: Sequence[date]) -> Figures:
        """Summed over the accounts, day by day."""
        units = np.zeros((len(days), len(self.tree.charged)), dtype=np.int64)
        events = np.zeros_like(units)
        for some in (accounts[n : n + 500] for n in range(0, len(accounts), 500)):
            counted = self._units(some, days)
            units += counted.sum(axis=0)
            events += ((counted * 3 + 3) // 4).sum(axis=0)
        roll_up = self.tree.roll_up
        price = (units * self.tree.prices) @ roll_up
        usage, count = units @ roll_up, events @ roll_up
        usage[:, 0] = price[:, 0]  # of totalprice, in units of the price
        return Figures(count, usage, price)

    def _units(self, accounts: Sequence[Account], days: Sequence[date]) -> np.ndarray:
        """By account, day and charged category."""
        numbers = np.array([account.number for account in accounts], dtype=np.uint64)
        ordinals = np.array([day.toordinal() for day in days], dtype=np.uint64)
        leaves = np.arange(len(self.tree.charged), dtype=np.uint64)
        place = numbers[:, None] * np.uint64(1 << 40) + ordinals[None, :] * np.uint64(1 << 12)
        noise = _mixed(place[:, :, None] + leaves, self.seed)
        units = (noise % np.uint64(MOST_UNITS)).astype(np.int64) + 1
        if self.quiet:
            still = _mixed(place, self.seed + 1) % np.uint64(1000) < np.uint64(self.quiet * 1000)
            units[still] = 0
        self._correct_units(units, accounts, days)
        return units * self._percent(accounts, days)[:, :, None] // 100

    def _percent(self, accounts: Sequence[Account], days: Sequence[date]) -> np.ndarray:
        ages = [(self.today - day).days for day in days]
        counted = [COUNTED_PERCENT.get(age, 100) if self.lag else 100 for age in ages]
        known = [p if age >= 0 else 0 for p, age in zip(counted, ages, strict=True)]
        percent = np.tile(np.array(known, dtype=np.int64), (len(accounts), 1))
        for n, account in enumerate(accounts):
            if account.opened_on > self.first_day or account.closed_on:
                end = account.closed_on or date.max
                percent[n] *= [account.opened_on <= day < end for day in days]
        return percent

    def _correct_units(
        self, units: np.ndarray, accounts: Sequence[Account], days: Sequence[date]
    ) -> None:
        if not self.corrections:
            return
        rows = {account.number: n for n, account in enumerate(accounts)}
        columns = {day: n for n, day in enumerate(days)}
        for one in self.corrections:
            if one.account in rows and one.day in columns:
                held = [one.category in self.tree.above(leaf.id) for leaf in self.tree.charged]
                cell = units[rows[one.account], columns[one.day]]
                cell[held] = cell[held] * int(one.factor * 1000) // 1000


def _mixed(numbers: np.ndarray, seed: int) -> np.ndarray:
    """Steele, Lea and Flood's SplitMix64, twice, so that neighbours have nothing in common."""
    mixed = numbers + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    for _ in range(2):
        mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed
