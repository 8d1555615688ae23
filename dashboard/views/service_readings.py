"""The service page's one reading, cached: it changes with a sync, and with the hour of a day."""

# ruff: noqa: ARG001  # `version` is nothing but a part of the key

from datetime import date

import streamlit as st

from data.periods import BillingPeriod
from data.scope import Scope
from data.service import ServiceView, service
from data.store import AccountView


@st.cache_data(ttl=600, max_entries=1000, show_spinner=False)
def read_service(
    scope: Scope,
    version: str,
    accounts: tuple[AccountView, ...],
    period: BillingPeriod,
    today: date,
) -> ServiceView:
    return service(scope, accounts, period, today=today)
