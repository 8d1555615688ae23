"""Agreements: one customer's plans by day, credits, and the period to close next.

Every act asks for a reason, shows what it would change before it does, and stands in the log.
"""

from datetime import date
from functools import partial

import streamlit as st

from dashboard.charts.formats import day, day_entry, money, period_name
from dashboard.views import address
from dashboard.views.acts import ask, do_what_was_asked, done, read_customers
from dashboard.views.agreement_credits import credits_section
from dashboard.views.agreement_parts import (
    MAY,
    acting,
    plans_of,
    reason_box,
    section,
    timeline_table,
    tried,
)
from dashboard.views.dialogs import dialog
from dashboard.views.markup import Safe, div, filled, note, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, must_still, page_title, show, state
from dashboard.views.plans_readings import forget, newest, read_plans
from dashboard.words import N_, _
from data.agreements import plan_timeline
from data.closing import ToClose, close_period, next_to_close
from data.customer_acts import (
    agreement,
    assign_plan,
    withdraw_plan,
)
from data.customers_file import CustomerEntry, PlanEntry
from data.errors import InputError
from data.periods import BillingPeriod
from data.pricing import Plan, TimelineEntry, When
from data.scope import EveryTenant, Scope
from data.store import subscriptions

WHENS: dict[str, When | None] = {"rule": None, "at_once": "at_once", "next_period": "next_period"}
WHEN_WORDS = {
    "rule": N_("By the rule: more at once, less with the next period"),
    "at_once": N_("On this day"),
    "next_period": N_("With the next period"),
}


def render(visit: Visit) -> None:
    visit.viewer.require(MAY)
    with page_title(_("Agreements")):
        slug = _customer(visit)
    do_what_was_asked(visit)
    if not slug:
        hint = _("Choose one above: its plans, credits and periods are shown here.")
        show(state(_("No customer is chosen"), hint=hint))
        return
    scope = EveryTenant(visit.settings.database_url)
    entry = agreement(scope, slug)
    owner = next(one.id for one in read_customers(scope) if one.slug == slug)
    own = Scope(owner, visit.settings.database_url)
    keys = tuple(one.key for one in subscriptions(own)) or ("main",)
    key = address.pick("contract", keys, keys[0], lambda key: _contract(keys, key), whose=slug)
    _plans(visit, entry, key, plan_timeline(own, key))
    credits_section(visit, entry, key)
    _closing(visit, own, entry, key)


def _customer(visit: Visit) -> str:
    names = {one.slug: one.name for one in read_customers(EveryTenant(visit.settings.database_url))}
    codes = ("", *names)
    return address.pick("customer", codes, "", lambda key: _customer_box(names, key), whose="staff")


def _customer_box(names: dict[str, str], key: str) -> str | None:
    return st.selectbox(
        _("Customer"),
        ("", *names),
        format_func=lambda slug: names.get(slug, _("Choose a customer")),
        key=key,
        label_visibility="collapsed",
        width=280,
    )


def _contract(keys: tuple[str, ...], key: str) -> str | None:
    if len(keys) == 1:
        return keys[0]
    return st.segmented_control(_("Contract"), keys, required=True, key=key)


# Plans


def _plans(visit: Visit, entry: CustomerEntry, key: str, agreed: tuple[TimelineEntry, ...]) -> None:
    section(_("Plans by day"))
    if agreed:
        show(timeline_table(_("Plans by day"), agreed))
    else:
        show(note(_("No plan is agreed: this customer is not billed.")))
    with st.container(horizontal=True, key="agreement_plans"):
        if st.button(_("Agree a plan"), type="primary", icon=":material/event_upcoming:"):
            _agree(visit, entry, key)
        waiting = [one for one in plans_of(entry, key) if one.starts_on > visit.today]
        for one in waiting:
            label = _("Take back {plan} from {day}")
            words = label.format(plan=one.plan, day=day(one.starts_on, year=True))
            if st.button(words, key=f"back_{one.plan}_{one.starts_on}"):
                _take_back(visit, entry, one)


@dialog(N_("Agree a plan"), width="large")
def _agree(visit: Visit, entry: CustomerEntry, key: str) -> None:
    must_still(visit, MAY)
    scope = EveryTenant(visit.settings.database_url)
    plans = read_plans(scope)
    latest = newest(plans)
    names = {one.id: one for one in (*latest.values(), *plans.values())}
    which = st.selectbox(
        _("Plan and version"),
        tuple(names),
        format_func=lambda id: _plan_label(names[id], latest),
        key="agree_plan",
    )
    since = st.date_input(_("From (UTC day)"), visit.today, format=day_entry(), key="agree_from")
    when = st.selectbox(
        _("Takes effect"),
        tuple(WHENS),
        format_func=lambda one: _(WHEN_WORDS[one]),
        key="agree_when",
    )
    if which is None or not isinstance(since, date):
        return
    change = PlanEntry.model_validate(
        {
            "plan": names[which].plan,
            "version": names[which].version,
            "subscription": key,
            "from": since,
            "when": WHENS[when],
        }
    )
    possible = tried(partial(assign_plan, scope, entry.slug, change, seen=entry.plans), visit)
    reason = reason_box("agree")
    ready = possible and reason.strip()
    if st.button(_("Agree it"), type="primary", disabled=not ready):
        ask(partial(_do_agree, entry, change, reason))


def _plan_label(plan: Plan, latest: dict[str, Plan]) -> str:
    old = latest[plan.plan].version != plan.version
    words = _("{name}, version {v} (older)") if old else _("{name}, version {v}")
    return words.format(name=f"{plan.name} [{plan.plan}]", v=plan.version)


def _do_agree(entry: CustomerEntry, change: PlanEntry, reason: str, visit: Visit) -> None:
    scope = EveryTenant(visit.settings.database_url)
    by = acting(visit, reason)
    found = assign_plan(scope, entry.slug, change, by=by, seen=entry.plans)
    forget()
    billed = next((one for one in reversed(found.after) if one.asked_on == change.starts_on), None)
    since = billed.starts_on if billed else change.starts_on
    words = _("{plan} is agreed with {customer}, billed from {day}.")
    done(
        filled(
            words,
            plan=strong(change.plan),
            customer=strong(entry.name),
            day=day(since, year=True),
        )
    )


@dialog(N_("Take a change back"), width="large")
def _take_back(visit: Visit, entry: CustomerEntry, change: PlanEntry) -> None:
    must_still(visit, MAY)
    scope = EveryTenant(visit.settings.database_url)
    possible = tried(partial(withdraw_plan, scope, entry.slug, change), visit)
    reason = reason_box("back")
    if st.button(_("Take it back"), type="primary", disabled=not (possible and reason.strip())):
        ask(partial(_do_take_back, entry, change, reason))


def _do_take_back(entry: CustomerEntry, change: PlanEntry, reason: str, visit: Visit) -> None:
    scope = EveryTenant(visit.settings.database_url)
    withdraw_plan(scope, entry.slug, change, by=acting(visit, reason))
    forget()
    done(filled(_("{plan} is no longer agreed."), plan=strong(change.plan)))


# Closing


def _closing(visit: Visit, own: Scope, entry: CustomerEntry, key: str) -> None:
    if not plans_of(entry, key):
        return
    section(_("Close a period"))
    found = next_to_close(
        own,
        key,
        settling_days=visit.settings.settling_days,
        today=visit.today,
        now=visit.now,
    )
    if found is None:
        show(note(_("Every period that is over is closed.")))
        return
    show(_to_close(found))
    label = _("Close {period}").format(period=period_name(found.period))
    if st.button(label, disabled=found.why_not is not None, key="close_period"):
        _close(visit, own, entry, key, found)


def _to_close(found: ToClose) -> Safe:
    total = money(found.content.total, found.content.currency)
    words = _("{period} is the next to close: {total}, of usage settled through {day}.")
    line = filled(
        words,
        period=strong(period_name(found.period)),
        total=strong(total),
        day=day(found.settled_through, year=True),
    )
    why = callout(strong(_("Not yet.")), " ", found.why_not, kind="warning")
    return div("u-told", tag("p", line, class_="u-note"), why if found.why_not else None)


@dialog(N_("Close a period"))
def _close(visit: Visit, own: Scope, entry: CustomerEntry, key: str, found: ToClose) -> None:
    must_still(visit, MAY)
    show(_to_close(found))
    show(note(_("A closed statement never changes: later usage becomes a dated adjustment.")))
    reason = reason_box("close")
    if st.button(_("Close it"), type="primary", disabled=not reason.strip()):
        ask(partial(_do_close, own, key, entry.name, found.period, reason))


def _do_close(
    own: Scope, key: str, name: str, period: BillingPeriod, reason: str, visit: Visit
) -> None:
    if not reason.strip():
        raise InputError(_("Say why: the reason stands in the log."), field="reason")
    frozen = close_period(
        own,
        key,
        period,
        settling_days=visit.settings.settling_days,
        today=visit.today,
        now=visit.now,
        by=acting(visit, reason),
    )
    words = _("{period} of {customer} is closed: {total}.")
    total = money(frozen.content.total, frozen.content.currency)
    done(
        filled(words, period=strong(period_name(period)), customer=name, total=strong(total)),
        span("u-behind-it", f"SHA-256 {frozen.content_hash}"),
    )


PAGE = Page("agreements", N_("Agreements"), ":material/handshake:", MAY, render)
