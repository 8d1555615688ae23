"""What the usage page is asked for: range, grain, comparison, product, category, account.

All of it stands in the address, and none of it is a right: codes come from the customer's own
contract, days are kept within it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from dashboard.charts.formats import day_entry, period_name
from dashboard.views import address
from dashboard.views.page import Visit
from dashboard.views.readings import read_periods
from dashboard.views.usage_readings import Chosen, read_explored
from dashboard.words import N_, _
from data.explorer import BY_THE_MONTH, Against, Explored, Grain, grains_for
from data.meters import OTHER
from data.periods import DAY, BillingPeriod, previous_period

ALL = "all"
PERIOD, BEFORE, MONTH, QUARTER, YEAR, DATES = "period", "before", "30d", "90d", "12m", "dates"
RANGE_NAMES = {
    MONTH: N_("30 days"),
    QUARTER: N_("90 days"),
    YEAR: N_("12 months"),
    DATES: N_("Dates"),
}
GRAIN_NAMES = {Grain.DAY: N_("Days"), Grain.WEEK: N_("Weeks"), Grain.MONTH: N_("Months")}
AGAINST_NAMES = {
    Against.BEFORE: N_("With the range before"),
    Against.YEAR: N_("With a year before"),
    Against.NOTHING: N_("Without comparison"),
}
FINEST = ((45, Grain.DAY), (190, Grain.WEEK))  # days up to which a grain is offered first


@dataclass(frozen=True, slots=True)
class Range:
    """The days `[start, end)`; `before`: those of the billing period before, where one is shown."""

    code: str
    start: date
    end: date
    before: tuple[date, date] | None = None


def whose(visit: Visit) -> str:
    return f"{visit.scope.customer_id}_{visit.subscription.key}"


def pick_range(visit: Visit, period: BillingPeriod) -> Range:
    """The period chosen above, the one before it, or days counted back from today."""
    earlier = _period_before(visit, period)
    names = {PERIOD: period_name(period)}
    names |= {BEFORE: period_name(earlier)} if earlier else {}
    names |= {code: _(name) for code, name in RANGE_NAMES.items()}
    code = address.pick(
        *("range", tuple(names), PERIOD),
        lambda key: _segments(_("Range"), names, key),
        whose=whose(visit),
    )
    shown = earlier if code == BEFORE and earlier else period
    if code in (PERIOD, BEFORE):
        then = previous_period(shown, visit.subscription.anchor_day)
        return Range(code, shown.start, shown.end, (then.start, then.end))
    start, end = _days_of(visit, code)
    return Range(code, start, end)


def _period_before(visit: Visit, period: BillingPeriod) -> BillingPeriod | None:
    own = visit.subscription
    known = read_periods(visit.scope, visit.version, own.key, visit.today)
    return next((one for one in known if one.end == period.start), None)


def _days_of(visit: Visit, code: str) -> tuple[date, date]:
    today, opened = visit.today, min(visit.subscription.starts_on, visit.today)
    if code == DATES:
        return _dates(visit, opened)
    back = today - timedelta(days={MONTH: 29, QUARTER: 89}.get(code, 0))
    if code == YEAR:
        back = date(today.year - (today.month < 12), today.month % 12 + 1, 1)
    return max(back, opened), today + DAY


def _dates(visit: Visit, opened: date) -> tuple[date, date]:
    """Any days of the contract; the address holds the first and the last."""
    key, state = f"dates_{whose(visit)}", st.session_state
    asked = tuple(st.query_params.get(name) for name in ("from", "to"))
    if asked != state.get(f"address_{key}") or key not in state:
        first, last = (_day_in(text, opened, visit.today) for text in asked)
        last = last or visit.today
        first = min(first or last - timedelta(days=29), last)
        state[key] = (max(first, opened), last)
    picked = st.date_input(
        _("First and last day"),
        key=key,
        min_value=opened,
        max_value=visit.today,
        format=day_entry(),
        label_visibility="collapsed",
        width=250,
    )
    chosen = picked if isinstance(picked, tuple) else (picked,)
    first, last = (chosen[0], chosen[-1]) if chosen else (opened, visit.today)
    for name, on in (("from", first), ("to", last)):
        address.write(name, on.isoformat())
    state[f"address_{key}"] = (first.isoformat(), last.isoformat())
    return first, last + DAY


def _day_in(text: str | None, opened: date, today: date) -> date | None:
    try:
        return min(max(date.fromisoformat(text or ""), opened), today)
    except ValueError:
        return None


def pick_grain(visit: Visit, within: Range) -> Grain:
    days = (within.end - within.start).days
    offered = grains_for(days)
    first = next((grain for most, grain in FINEST if days <= most), Grain.MONTH)
    code = address.pick(
        *("grain", offered, first if first in offered else offered[0]),
        lambda key: _segments(_("Grain"), {one: _(GRAIN_NAMES[one]) for one in offered}, key),
        whose=f"{whose(visit)}_{within.code}",
    )
    return Grain(code)


def pick_against(visit: Visit) -> Against:
    names = {code.value: _(name) for code, name in AGAINST_NAMES.items()}
    code = address.pick(
        *("against", tuple(names), Against.BEFORE.value),
        lambda key: _box(_("Comparison"), names, key, width=190),
        whose=whose(visit),
    )
    return Against(code)


def pick_account(visit: Visit) -> str | None:
    """A SID of the customer's own, or none for all; nothing to pick from one account."""
    own = visit.subscription.accounts
    if len(own) < 2:
        return None
    names = {ALL: _("All {n} accounts").format(n=len(own))}
    names |= {one.sid: one.application or one.name for one in own}
    code = address.pick(
        *("account", tuple(names), ALL),
        lambda key: _box(_("Account"), names, key, width=180),
        whose=whose(visit),
    )
    return None if code == ALL else code


def pick_meter(visit: Visit, everything: Explored) -> str | None:
    """A meter that was used, what is in none, or None: all of them, the first choice of several."""
    names = {one.name: _(one.label) for one in everything.parts}
    if len(names) > 1 or everything.other:
        names = {ALL: _("All"), **names}
    if everything.other:
        names[OTHER] = _("Other")
    happening = [name for name in names if name not in (ALL, OTHER, BY_THE_MONTH)]
    first = happening[0] if len(happening) == 1 else next(iter(names))
    code = address.pick(
        *("meter", tuple(names), first),
        lambda key: _segments(_("Product"), names, key),
        whose=whose(visit),
    )
    return None if code == ALL else code


def pick_category(visit: Visit, of: Chosen) -> str | None:
    view = read_explored(visit.scope, visit.version, visit.subscription.key, of)
    if len(view.parts) < 2:
        return None
    names = {ALL: _("All categories")} | {one.name: _(one.label) for one in view.parts}
    code = address.pick(
        *("category", tuple(names), ALL),
        lambda key: _box(_("Category"), names, key, width=250),
        whose=f"{whose(visit)}_{of.meter}",
    )
    return None if code == ALL else code


def _segments(label: str, names: Mapping[str, str], key: str) -> str | None:
    return st.segmented_control(
        label,
        tuple(names),
        format_func=lambda code: names[code],
        required=True,
        key=key,
        label_visibility="collapsed",
    )


def _box(label: str, names: Mapping[str, str], key: str, *, width: int) -> str | None:
    return st.selectbox(
        label,
        tuple(names),
        format_func=lambda code: names[code],
        key=key,
        label_visibility="collapsed",
        width=width,
    )


def trail(visit: Visit, of: Chosen, labels: Sequence[str]) -> list[str]:
    """All products, SMS, SMS outbound, Bookings: how far down one has come."""
    names = {one.sid: one.application or one.name for one in visit.subscription.accounts}
    own = [names[of.account]] if of.account else []
    return [_("All products"), *labels, *own]
