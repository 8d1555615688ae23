"""What pages read, kept for a while.  The cache is shared by everybody: `scope` comes first.

`version` is the store's (it changes with every sync and import), so a reading is never older than
the data; the time to live only bounds the memory.  Values are cached, figures are not: they are
as fast to draw as to copy.
"""
# ruff: noqa: ARG001  # `version` is nothing but a part of the key

from datetime import date, datetime

import streamlit as st

from data.company import SubscriptionLine, subscription_line
from data.explanation import Explained, StaffExplained, explanation, staff_explanation
from data.overview import Overview, overview
from data.periods import BillingPeriod
from data.scope import Scope
from data.since import Changes, changes_since
from data.statement import StaffStatement, Statement, staff_statement, statement
from data.store import SubscriptionView, periods, subscriptions

MINUTES = 10  # how exactly a reading must know the hour, which only decides what is stale


def ten_minutes(now: datetime) -> datetime:
    """`now` for a cache's key, or no reading would ever be found again."""
    return now.replace(minute=now.minute - now.minute % MINUTES, second=0, microsecond=0)


@st.cache_data(ttl=3600, max_entries=2000, show_spinner=False)
def read_subscriptions(scope: Scope, version: str) -> tuple[SubscriptionView, ...]:
    return subscriptions(scope)


@st.cache_data(ttl=3600, max_entries=2000, show_spinner=False)
def read_periods(
    scope: Scope, version: str, subscription: str, today: date
) -> tuple[BillingPeriod, ...]:
    return periods(scope, subscription, today=today)


@st.cache_data(ttl=3600, max_entries=2000, show_spinner=False)
def read_overview(
    scope: Scope,
    version: str,
    subscription: str,
    period: BillingPeriod,
    today: date,
    now: datetime,
    settling_days: int,
    calendar: str,
) -> Overview:
    return overview(
        *(scope, subscription, period),
        today=today,
        now=now,
        settling_days=settling_days,
        calendar=calendar,
    )


@st.cache_data(ttl=3600, max_entries=2000, show_spinner=False)
def read_changes(
    scope: Scope,
    version: str,
    subscription: str,
    since: datetime,
    today: date,
    settling_days: int,
) -> Changes:
    return changes_since(scope, subscription, since, today=today, settling_days=settling_days)


@st.cache_data(ttl=3600, max_entries=500, show_spinner=False)
def read_subscription_line(
    scope: Scope,
    version: str,
    subscription: str,
    period: BillingPeriod,
    today: date,
    now: datetime,
    settling_days: int,
    calendar: str,
) -> SubscriptionLine:
    shown = read_overview(
        *(scope, version, subscription, period, today, now, settling_days, calendar)
    )
    view = next(one for one in read_subscriptions(scope, version) if one.key == subscription)
    return subscription_line(
        *(scope, view, shown), today=today, now=now, settling_days=settling_days
    )


@st.cache_data(ttl=3600, max_entries=2000, show_spinner=False)
def read_statement(
    scope: Scope,
    version: str,
    subscription: str,
    period: BillingPeriod,
    today: date,
) -> Statement | None:
    return statement(scope, subscription, period, today=today)


@st.cache_data(ttl=3600, max_entries=500, show_spinner=False)
def read_explanation(
    scope: Scope, version: str, subscription: str, period: BillingPeriod, today: date
) -> tuple[Explained, ...]:
    return explanation(scope, subscription, period, today=today)


@st.cache_data(ttl=600, max_entries=500, show_spinner=False)
def read_staff_statement(
    scope: Scope, version: str, subscription: str, period: BillingPeriod, today: date
) -> StaffStatement | None:
    """Cost and margin: call it only for a viewer with Permission.VIEW_COST."""
    return staff_statement(scope, subscription, period, today=today)


@st.cache_data(ttl=600, max_entries=200, show_spinner=False)
def read_staff_explanation(
    scope: Scope, version: str, subscription: str, period: BillingPeriod, today: date
) -> tuple[StaffExplained, ...]:
    """Cost and margin by day: call it only for a viewer with Permission.VIEW_COST."""
    return staff_explanation(scope, subscription, period, today=today)
