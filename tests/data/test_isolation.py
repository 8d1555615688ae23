"""What one customer is told never depends on another's rows, whatever those are."""

import inspect
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import delete

from data import agreements as agreements_module
from data import billed as billed_module
from data import closing as closing_module
from data import company as company_module
from data import credit_ledger as credit_ledger_module
from data import explanation as explanation_module
from data import explorer as explorer_module
from data import overview as overview_module
from data import plan_progress as plan_progress_module
from data import requests as requests_module
from data import service as service_module
from data import since as since_module
from data import statement as statement_module
from data import statement_archive as archive_module
from data import store as store_module
from data import track_record as track_record_module
from data import usage as usage_module
from data import usage_rows as rows_module
from data.closing import close_due
from data.errors import NotFound
from data.models import TABLES, Customer, Subscription
from data.periods import period_of
from data.scope import Scope, writing
from tests.bills import agreed, credit_price, overage
from tests.forecasts import past
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    BETA_SID,
    account,
    credit_row,
    customers,
    money_row,
    on_plan,
    record,
    version,
)

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
MARCH = period_of(TODAY)
FEBRUARY = date(2026, 2, 1)
SIDS = (ACME_SID, BETA_SID)
PLANS = (agreed(overage("small"), plan="bundle"), agreed(credit_price(), plan="credits"))


def held(scope):
    return store_module.subscription(scope, "main").accounts


ANSWERS = {
    "customer": store_module.customer,
    "subscriptions": store_module.subscriptions,
    "subscription": lambda scope: store_module.subscription(scope, "main"),
    "plan_timeline": lambda scope: agreements_module.plan_timeline(scope, "main"),
    "plan_stretches": lambda scope: agreements_module.plan_stretches(scope, "main"),
    "credit_lots": lambda scope: agreements_module.credit_lots(scope, "main"),
    "money_credits": lambda scope: agreements_module.money_credits(scope, "main"),
    "periods": lambda scope: store_module.periods(scope, "main", today=TODAY),
    "period_at": lambda scope: store_module.period_at(scope, "main", TODAY),
    "day_totals": lambda scope: rows_module.day_totals(scope, held(scope), MARCH.start, MARCH.end),
    "account_usage": lambda scope: rows_module.account_usage(
        scope,
        held(scope),
        MARCH.start,
        MARCH.end,
        ["sms", "totalprice"],
    ),
    "cost_currencies": lambda scope: rows_module.cost_currencies(
        scope, held(scope), MARCH.start, MARCH.end
    ),
    "span_totals": lambda scope: rows_module.span_totals(
        scope, held(scope), (MARCH.start, MARCH.end)
    ),
    "meters_shown": lambda scope: explorer_module.meters_shown(scope, "main"),
    "explore": lambda scope: explorer_module.explore(
        scope, "main", explorer_module.spans(FEBRUARY, MARCH.end, explorer_module.Grain.WEEK)
    ),
    "used_before": lambda scope: explorer_module.used_before(
        scope, "main", (FEBRUARY, MARCH.start, MARCH.end)
    ),
    "data_version": store_module.data_version,
    "breakdown": lambda scope: usage_module.breakdown(scope, "main", MARCH, meter="sms"),
    "billed_usage": lambda scope: billed_module.billed_usage(scope, "main", MARCH).shown,
    "credit_history": lambda scope: billed_module.credit_history(scope, "main", TODAY),
    "ledger_lines": lambda scope: credit_ledger_module.ledger_lines(scope, "main", through=TODAY),
    "lot_stories": lambda scope: credit_ledger_module.lot_stories(
        scope,
        "main",
        credit_ledger_module.ledger_lines(scope, "main", through=TODAY),
        through=TODAY,
    ),
    "closed_bills": lambda scope: archive_module.closed_bills(scope, "main"),
    "money_left": lambda scope: statement_module.money_left(scope, "main", MARCH, today=TODAY),
    "posted_entries": lambda scope: credit_ledger_module.posted_entries(scope, "main"),
    "statement": lambda scope: statement_module.statement(scope, "main", MARCH, today=TODAY),
    "content_of": lambda scope: statement_module.content_of(
        scope, "main", MARCH, today=TODAY, explained=True
    ),
    "open_content": lambda scope: statement_module.open_content(
        scope,
        "main",
        billed_module.billed_usage(scope, "main", MARCH),
        MARCH,
        today=TODAY,
    ),
    "staff_statement": lambda scope: statement_module.staff_statement(
        scope, "main", MARCH, today=MARCH.last_day
    ),
    "closed_starts": lambda scope: archive_module.closed_starts(scope, "main"),
    "frozen_statement": lambda scope: archive_module.frozen_statement(scope, "main", FEBRUARY),
    "money_paid": lambda scope: archive_module.money_paid(scope, "main"),
    "revisions_of": lambda scope: archive_module.revisions_of(scope, "main", FEBRUARY),
    "adjustments_in": lambda scope: archive_module.adjustments_in(scope, "main", MARCH.start),
    "explanation": lambda scope: explanation_module.explanation(scope, "main", MARCH, today=TODAY),
    "staff_explanation": lambda scope: explanation_module.staff_explanation(
        scope, "main", MARCH, today=TODAY
    ),
    "due_periods": lambda scope: list(
        closing_module.due_periods(
            scope, store_module.subscription(scope, "main"), date(2026, 9, 30)
        )
    ),
    "next_to_close": lambda scope: closing_module.next_to_close(
        scope, "main", settling_days=3, today=TODAY, now=NOW
    ),
    "read_from": lambda scope: closing_module.read_from(
        scope, store_module.subscription(scope, "main")
    ),
    "periods_with_adjustments": lambda scope: archive_module.periods_with_adjustments(
        scope, "main"
    ),
    "requests_of": requests_module.requests_of,
    "service": lambda scope: service_module.service(scope, held(scope), MARCH, today=TODAY),
    "changes_since": lambda scope: since_module.changes_since(
        scope, "main", NOW - timedelta(days=40), today=TODAY, settling_days=3
    ),
    "subscription_line": lambda scope: company_module.subscription_line(
        scope,
        store_module.subscription(scope, "main"),
        overview_module.overview(scope, "main", MARCH, today=TODAY, now=NOW, settling_days=3),
        today=TODAY,
        now=NOW,
        settling_days=3,
    ),
    "track_record": lambda scope: track_record_module.track_record(scope, "main"),
    "plan_progress": lambda scope: plan_progress_module.plan_progress(
        scope, "main", MARCH, today=TODAY, now=NOW, settling_days=3
    ),
    "overview": lambda scope: overview_module.overview(
        scope, "main", MARCH, today=TODAY, now=NOW, settling_days=3
    ),
}

KEYS = {"day", "category", "account_sid", "key", "sid", "subscription", "period_start", "cut_off"}
ACTS = {"close_period", "adjust", "post_credits"}  # they write; see test_closing.py
ACTS |= {"ask", "withdraw"}  # see test_requests.py


def asks_for_a_customer(function):
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and first.annotation is Scope


def test_every_question_to_the_store_is_asked_here():
    rooms = (
        *(store_module, rows_module, agreements_module, usage_module, billed_module),
        statement_module,
        *(archive_module, credit_ledger_module, explanation_module, closing_module),
        *(requests_module, service_module, explorer_module),
        *(overview_module, track_record_module, plan_progress_module),
        *(since_module, company_module),
    )
    asked = {
        name
        for room in rooms
        for name, function in inspect.getmembers(room, inspect.isfunction)
        if function.__module__ == room.__name__ and not name.startswith("_")
        if asks_for_a_customer(function)
    }
    assert asked == set(ANSWERS) | ACTS


def of(owner):
    """Rows of one customer; the accounts, keys and days are everybody's."""
    usage = st.builds(
        record,
        st.just(owner),
        st.integers(0, 40).map(lambda n: date(2026, 2, 10) + timedelta(days=n)),
        st.sampled_from(["sms", "calls", "totalprice", "moon-calls"]),
        st.integers(0, 90),
        st.decimals("0", "9", places=5),
        sid=st.sampled_from(SIDS),
    )
    lots = st.builds(
        credit_row,
        st.just(owner),
        st.sampled_from(["first", "second"]),
        st.integers(1, 28).map(lambda day: date(2026, 3, day)),
    )
    holds = st.builds(account, st.just(owner), st.sampled_from(SIDS))
    plans = st.builds(on_plan, st.just(owner), st.sampled_from(PLANS))
    projected = st.builds(
        lambda number, actual: past(owner, number, subscription="main", actual=actual),
        st.integers(0, 29),
        st.integers(0, 200).map(Decimal),
    )
    money = st.builds(money_row, st.just(owner), st.just("gift"), st.integers(1, 90))

    def key(row):
        return tuple(value for name, value in row.model_dump().items() if name in KEYS)

    return st.tuples(
        st.lists(usage, max_size=12, unique_by=key),
        st.lists(lots, max_size=2, unique_by=key),
        st.lists(holds, min_size=1, max_size=2, unique_by=key),
        st.lists(plans, max_size=1),
        st.lists(money, max_size=1),
        st.lists(projected, max_size=6, unique_by=key),
    ).map(lambda groups: [row for group in groups for row in group])


def empty(store):
    with writing(store.owner) as session:
        for table in reversed(TABLES):
            session.execute(delete(table))
    store.put(*(version(plan) for plan in PLANS))


def begin(owner, name):
    return (
        Customer(id=owner, slug=name.lower(), name=name),
        Subscription(customer_id=owner, key="main", starts_on=date(2026, 1, 1)),
    )


def answers(scope):
    return {name: ask(scope) for name, ask in ANSWERS.items()}


@settings(max_examples=5)
@given(acmes=of(ACME), betas=of(BETA))
def test_a_customer_is_told_the_same_whatever_another_has(store, acmes, betas):
    empty(store)
    store.put(*begin(ACME, "Acme"), *acmes)
    close_due(store.owner, settling_days=3, today=TODAY, now=NOW)
    alone = answers(store.acme)
    store.put(*begin(BETA, "Beta"), *betas)
    close_due(store.owner, settling_days=3, today=TODAY, now=NOW)
    assert answers(store.acme) == alone


def test_a_customer_that_is_not_there_is_not_found(store):
    store.put(*customers())
    with pytest.raises(NotFound, match="There is no such customer"):
        store_module.customer(Scope(999, store.settings.database_url))


def test_anothers_account_is_not_found_like_one_that_does_not_exist(store):
    store.put(*customers())
    messages = []
    for sid in (BETA_SID, "AC" + "f" * 32):
        with pytest.raises(NotFound) as refusal:
            usage_module.breakdown(store.acme, "main", MARCH, meter="sms", account=sid)
        messages.append(str(refusal.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("acm", ["Acme"], id="start of a name"),
        pytest.param("OFFICE@BETA", ["Beta"], id="e-mail in any case"),
        pytest.param(BETA_SID, ["Beta"], id="an account's SID"),
        pytest.param("", ["Acme", "Beta"], id="everybody"),
        pytest.param("%", [], id="a wildcard is a letter"),
        pytest.param("_cme", [], id="so is the other"),
    ],
)
def test_staff_find_customers(store, text, found):
    store.put(*customers())
    assert [one.name for one in store_module.find_customers(store.app, text)] == found
