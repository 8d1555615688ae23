"""What the staff's own pages read, kept for a while; the pages ask for the permission first.

`version` is nothing but a part of the key.
"""
# ruff: noqa: ARG001

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import streamlit as st

from data.agreements import plan_timeline
from data.fleet import FleetCounts, fleet_counts
from data.health import RECENT
from data.periods import DAY
from data.pricing.timeline import TimelineEntry
from data.revisions import RevisedDay, revised_days
from data.scope import EveryTenant, Scope
from data.search import Index
from data.search_index import search_index
from data.service_rows import AlertCount, IncidentView, alerts_by_day, incidents
from data.store import subscription

CHANGES_SINCE = timedelta(days=14)


@st.cache_resource(ttl=600, max_entries=4, show_spinner=False)
def read_index(scope: EveryTenant, version: str) -> Index:
    """Every name, account, number and address, in memory: it is large, frozen and never copied."""
    return search_index(scope)


@st.cache_data(ttl=30, max_entries=50, show_spinner=False)
def read_counts(scope: EveryTenant, now: datetime, plan: str | None) -> FleetCounts:
    return fleet_counts(scope, now=now, plan=plan)


@dataclass(frozen=True, slots=True)
class Lately:
    """What has happened at a customer of late."""

    alerts: tuple[AlertCount, ...]
    incidents: tuple[IncidentView, ...]  # that are not over
    revised: tuple[RevisedDay, ...]
    timeline: tuple[TimelineEntry, ...]  # of plans, oldest first


@st.cache_data(ttl=300, max_entries=500, show_spinner=False)
def read_lately(scope: Scope, version: str, key: str, today: date, now: datetime) -> Lately:
    """`now` to ten minutes, or nothing would ever be found again."""
    sids = [one.sid for one in subscription(scope, key).accounts]
    since = today - RECENT + DAY
    return Lately(
        alerts_by_day(scope, sids, since, today),
        tuple(one for one in incidents(scope, today, today) if one.resolved_at is None),
        revised_days(scope, now - CHANGES_SINCE),
        plan_timeline(scope, key),
    )
