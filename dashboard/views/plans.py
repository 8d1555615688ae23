"""Plans: every plan with its versions and who is on them; a new plan or the next version of one.

A version never changes and nobody is moved by a new one: that is agreed on the page Agreements.
"""

from collections import Counter
from functools import partial

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import unit_price
from dashboard.views import address
from dashboard.views.acts import ask, do_what_was_asked, done, list_row
from dashboard.views.dialogs import dialog
from dashboard.views.markup import Safe, div, filled, note, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import must_still, page_title, show, state
from dashboard.views.plan_form import (
    NEW,
    Editing,
    close_editor,
    editing_of,
    editor,
    open_editor,
)
from dashboard.views.plan_words import kind_name
from dashboard.views.plans_readings import forget, newest, read_holders, read_plans
from dashboard.words import N_, _, n_
from data.customer_acts import LONGEST_REASON
from data.identity.audit import By
from data.plan_form import as_yaml, draft_of, terms_of
from data.plans import save_version
from data.pricing import Plan
from data.scope import EveryTenant

MAY = Permission.CHANGE_PLANS


def render(visit: Visit) -> None:
    visit.viewer.require(MAY)
    scope = EveryTenant(visit.settings.database_url)
    # Before anything is drawn: what was saved closes the form.
    with st.container(key="plans_told"):
        do_what_was_asked(visit)
    plans = read_plans(scope)
    latest = newest(plans)
    codes = ("", NEW, *latest)
    code = address.pick("plan", codes, "", lambda key: st.session_state.get(key), whose="staff")
    if not code:
        _list(visit, plans, latest)
        return
    editor(visit, code, latest.get(code))
    if editing := editing_of(code, saving=True):
        _confirm(visit, editing)


def _list(visit: Visit, plans: dict[tuple[str, int], Plan], latest: dict[str, Plan]) -> None:
    with page_title(_("Plans")):
        st.button(
            _("New plan"),
            type="primary",
            icon=":material/add:",
            on_click=open_editor,
            args=(NEW,),
        )
    if not latest:
        hint = _("Make one here, or put plan files into the folder of plans and import them.")
        show(state(_("There is no plan yet"), _("Customers are billed by plans."), hint=hint))
        return
    scope = EveryTenant(visit.settings.database_url)
    held = Counter(one.plan.id for one in read_holders(scope, visit.today))
    with st.container(key="list_plans"):
        for plan in latest.values():
            with list_row(f"row_plan_{plan.plan}"):
                show(_facts(plan, plans, held))
                label = _("Edit {plan}").format(plan=plan.plan)
                st.button(
                    label,
                    width=220,
                    key=f"edit_{plan.plan}",
                    on_click=open_editor,
                    args=(plan.plan,),
                )


def _facts(plan: Plan, plans: dict[tuple[str, int], Plan], held: Counter[str]) -> Safe:
    kinds = ", ".join(dict.fromkeys(kind_name(price.kind) for price in plan.prices))
    fixed = unit_price(plan.fixed_fee, plan.currency)
    fee = _("{amount} a month").format(amount=fixed) if plan.fixed_fee else plan.currency
    versions = [one for (name, _version), one in sorted(plans.items()) if name == plan.plan]
    return div(
        "u-entry",
        div("u-pair", tag("h2", plan.name), span("u-key", plan.plan)),
        div("u-pair", span("u-text", kinds or _("Monthly fee")), span("u-key", fee)),
        div("u-pair", *(span("u-key", _version(one, held[one.id])) for one in versions[-3:])),
    )


def _version(plan: Plan, number: int) -> str:
    words = n_("Version {v}: {n} customer", "Version {v}: {n} customers", number)
    return words.format(v=plan.version, n=number)


# Saving


@dialog(N_("Save this version"), width="medium")
def _confirm(visit: Visit, editing: Editing) -> None:
    must_still(visit, MAY)
    plan = editing.plan
    assert plan is not None
    version = editing.after + 1
    show(
        note(
            filled(
                _("{plan} becomes version {version}. A version never changes afterwards."),
                plan=strong(plan.name),
                version=f"{version}",
            )
        ),
        note(_("Nobody is moved to it: customers stay on their version until you agree another.")),
        _difference(editing),
    )
    reason = st.text_input(
        _("Reason"),
        max_chars=LONGEST_REASON,
        placeholder=_("New price list 2027"),
        key="plan_reason",
    )
    label = _("Save version {version}").format(version=version)
    if st.button(label, type="primary", disabled=not (reason or "").strip()):
        ask(partial(_save, plan, editing.after, reason))


def _difference(editing: Editing) -> Safe | None:
    """The lines of the terms that are not as before."""
    assert editing.plan is not None
    if editing.before is None:
        return None
    before, after = (
        as_yaml(terms_of(draft_of(one))).splitlines() for one in (editing.before, editing.plan)
    )
    gone = [f"− {line}" for line in before if line not in after and "version:" not in line]
    new = [f"+ {line}" for line in after if line not in before and "version:" not in line]
    if not gone and not new:
        return note(_("The terms are those of the version before."))
    return tag("pre", "\n".join((*gone, *new)), class_="u-terms", tabindex="0")


def _save(plan: Plan, after: int, reason: str, visit: Visit) -> None:
    visit.viewer.require(MAY)
    by = By(visit.viewer.name, visit.viewer.person_id, reason, visit.clock)
    saved = save_version(EveryTenant(visit.settings.database_url), plan, after=after, by=by)
    forget()
    close_editor()
    done(
        filled(
            _("{plan} is saved as version {version}."),
            plan=strong(saved.name),
            version=f"{saved.version}",
        )
    )


PAGE = Page("plans", N_("Plans"), ":material/sell:", MAY, render)
