"""What the staff's pages of plans and agreements read, remembered for a minute.

`forget` after an act, so that who has acted sees it; others see it within the minute.
"""

from collections.abc import Mapping
from datetime import date

import streamlit as st

from data.plan_preview import Holder, holders
from data.plans import all_plans
from data.pricing import Plan
from data.scope import EveryTenant


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def read_plans(scope: EveryTenant) -> dict[tuple[str, int], Plan]:
    """Every version of every plan, by its id and number."""
    return all_plans(scope)


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def read_holders(scope: EveryTenant, today: date) -> tuple[Holder, ...]:
    """Who has which version today."""
    return holders(scope, today=today)


def forget() -> None:
    read_plans.clear()
    read_holders.clear()


def newest(plans: Mapping[tuple[str, int], Plan]) -> dict[str, Plan]:
    """The newest version of each plan, by name."""
    found = {plan.plan: plan for _, plan in sorted(plans.items(), key=lambda item: item[0])}
    return dict(sorted(found.items(), key=lambda item: (item[1].name, item[0])))
