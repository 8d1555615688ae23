"""What the pages Plan and What if read, kept for a while: `scope` first, as in readings.py.

What is large is kept as it is (`cache_resource`): frozen values need no copy for each reader.
"""
# ruff: noqa: ARG001  # `version` is nothing but a part of the key

from datetime import date, datetime

import streamlit as st

from dashboard.views.page import Visit
from dashboard.views.readings import ten_minutes
from data.periods import BillingPeriod
from data.plan_progress import PlanProgress, plan_progress
from data.scope import Scope
from data.what_if import Growth, Option, Tried, growth, options, tried, whole_periods


@st.cache_data(ttl=3600, max_entries=2000, show_spinner=False)
def read_progress(
    scope: Scope,
    version: str,
    subscription: str,
    period: BillingPeriod,
    today: date,
    now: datetime,
    settling_days: int,
    calendar: str,
) -> PlanProgress | None:
    return plan_progress(
        *(scope, subscription, period),
        today=today,
        now=now,
        settling_days=settling_days,
        calendar=calendar,
    )


def progress_of(visit: Visit, period: BillingPeriod) -> PlanProgress | None:
    return read_progress(
        visit.scope,
        visit.version,
        visit.subscription.key,
        period,
        visit.today,
        ten_minutes(visit.now),
        visit.settings.settling_days,
        visit.settings.holidays,
    )


@st.cache_data(ttl=3600, max_entries=2000, show_spinner=False)
def read_options(
    scope: Scope, version: str, subscription: str, today: date
) -> tuple[tuple[Option, ...], tuple[BillingPeriod, ...]]:
    """What may be tried, and on which periods."""
    return (
        options(scope, subscription, today=today),
        whole_periods(scope, subscription, today=today),
    )


@st.cache_resource(ttl=3600, max_entries=500, show_spinner=False)
def read_tried(
    scope: Scope, version: str, subscription: str, months: int, today: date
) -> tuple[Tried, ...]:
    """Every option on so many of the newest periods that are over."""
    chosen, past = read_options(scope, version, subscription, today)
    if not chosen or not past:
        return ()
    return tried(scope, subscription, chosen, past[:months], today=today)


@st.cache_resource(ttl=3600, max_entries=500, show_spinner=False)
def read_growth(scope: Scope, version: str, subscription: str, today: date) -> Growth | None:
    chosen, _ = read_options(scope, version, subscription, today)
    return growth(scope, subscription, chosen, today=today)
