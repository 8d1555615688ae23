"""What the pages of statements and credits read, kept for a while: scope first, version next.

As in readings.py; these are asked by two pages only.
"""
# ruff: noqa: ARG001  # `version` is nothing but a part of the key

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import streamlit as st

from data.credit_ledger import LedgerLine, LotStory, balances, ledger_lines, lot_stories
from data.periods import DAY, BillingPeriod, days_between
from data.scope import Scope
from data.statement import MoneyLeft, money_left
from data.statement_archive import ClosedBill, closed_bills

PAST_DAYS = 90  # of the balance, in a chart
PAGE_ROWS = 20  # of the ledger


@dataclass(frozen=True, slots=True)
class CreditPast:
    """Where the credits came from and went: the balance at the end of each day, and every lot."""

    days: tuple[date, ...]
    balances: tuple[Fraction, ...]
    lots: tuple[LotStory, ...]  # newest first


@dataclass(frozen=True, slots=True)
class LedgerPage:
    lines: tuple[LedgerLine, ...]  # newest first
    number: int  # from 1
    pages: int
    entries: int  # on all pages


@st.cache_data(ttl=3600, max_entries=1000, show_spinner=False)
def read_closed_bills(scope: Scope, version: str, subscription: str) -> tuple[ClosedBill, ...]:
    return closed_bills(scope, subscription)


@st.cache_data(ttl=3600, max_entries=1000, show_spinner=False)
def read_money_left(
    scope: Scope, version: str, subscription: str, period: BillingPeriod, today: date
) -> tuple[MoneyLeft, ...]:
    return money_left(scope, subscription, period, today=today)


@st.cache_data(ttl=600, max_entries=500, show_spinner=False)
def read_credit_past(
    scope: Scope, version: str, subscription: str, starts_on: date, through: date
) -> CreditPast:
    lines = ledger_lines(scope, subscription, through=through)
    first = max(starts_on, through - PAST_DAYS * DAY)
    days = tuple(days_between(first, through + DAY))
    lots = lot_stories(scope, subscription, lines, through=through)
    return CreditPast(days, balances(lines, days), lots)


@st.cache_data(ttl=600, max_entries=1000, show_spinner=False)
def read_ledger_page(
    scope: Scope, version: str, subscription: str, through: date, lot: str | None, number: int
) -> LedgerPage:
    """A page of the ledger, or of one lot's part of it; the last one for a number beyond."""
    lines = ledger_lines(scope, subscription, through=through)
    shown = [line for line in reversed(lines) if lot in (None, line.entry.lot)]
    pages = max(1, -(-len(shown) // PAGE_ROWS))
    number = min(number, pages)
    first = (number - 1) * PAGE_ROWS
    return LedgerPage(tuple(shown[first : first + PAGE_ROWS]), number, pages, len(shown))
