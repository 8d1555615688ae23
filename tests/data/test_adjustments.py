"""Late usage of a closed period: a dated line on the next open statement, and the truth in sum."""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import delete, select

from data.closing import adjust
from data.explanation import explanation
from data.models import Account, ClosedStatement, StatementAdjustment, UsageRecord
from data.periods import period_of, periods_between
from data.pricing import LineKind, Price
from data.scope import reading, writing
from data.statement import Status, statement
from tests.bills import agreed, margin, overage, per_unit, tiers
from tests.customer_files import FILE, importer, scope_of
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    OPENED,
    close_on,
    credit_row,
    customers,
    money_row,
    on_plan,
    recount,
    sms_days,
    version,
)

FEBRUARY, MARCH, APRIL, MAY = (period_of(date(2026, month, 1)) for month in (2, 3, 4, 5))
BUNDLE, SHARE = agreed(overage("small"), plan="bundle"), agreed(margin(markup="0.1"), plan="share")
EXAMPLES = {one.example["kind"]: one.example for one in get_args(get_args(Price)[0])}
NINTH, CLOSED, SEEN = date(2026, 3, 9), date(2026, 4, 20), date(2026, 4, 27)
END = date(2026, 6, 1)


@pytest.fixture
def two(store):
    """January to March are closed for both; both use SMS every day."""
    store.put(*customers(), version(BUNDLE), version(SHARE))
    store.put(on_plan(ACME, BUNDLE), on_plan(BETA, SHARE))
    store.put(*sms_days(ACME, OPENED, [10] * 120), *sms_days(BETA, OPENED, [70] * 120))
    close_on(store, CLOSED)
    return store


def bill(store, period, scope=None, today=END):
    return statement(scope or store.acme, "main", period, today=today)


def adjustments(found):
    return [line for line in found.lines if line.kind is LineKind.ADJUSTMENT]


def amounts(store, period=APRIL, scope=None):
    return [line.amount for line in adjustments(bill(store, period, scope))]


def late(store, units, day=NINTH, seen=SEEN, **terms):
    recount(store, day, units, seen=seen, **terms)
    return close_on(store, seen)


@pytest.mark.parametrize(
    ("units", "amount"),
    [
        pytest.param(400, D("195.00"), id="more"),  # 390 × 0.50
        pytest.param(4, D("-3.00"), id="less"),
        pytest.param(0, D("-5.00"), id="none at all"),
    ],
)
def test_late_usage_is_a_dated_line_on_the_open_statement(two, units, amount):
    before = bill(two, APRIL).total
    assert late(two, units).adjusted == (f"acme (main): March 2026 changes by {amount} USD",)
    (line,) = adjustments(bill(two, APRIL))
    found = (line.label, line.amount, line.noticed_on)
    assert found == ("Adjustment for March 2026", amount, SEEN)
    assert str(bill(two, APRIL).total) == str(before + amount)


def test_the_closed_statement_is_not_touched(two):
    before = bill(two, MARCH)
    late(two, 400)
    assert bill(two, MARCH) == before
    assert before.status is Status.FINAL


def test_an_adjustment_is_in_one_statement_only(two):
    late(two, 400)
    others = [FEBRUARY, MARCH, MAY]
    assert [amounts(two, period) for period in others] == [[], [], []]


def test_another_customer_is_not_adjusted(two):
    late(two, 400)
    assert amounts(two, scope=two.beta) == []
    late(two, 700, owner=BETA, seen=date(2026, 4, 28))
    assert amounts(two, scope=two.beta) == [D("6.93")]  # 630 × 0.011
    assert amounts(two) == [D("195.00")]


def test_a_second_correction_is_a_second_line(two):
    late(two, 400)
    late(two, 300, seen=date(2026, 4, 28))
    lines = adjustments(bill(two, APRIL))
    assert [(line.amount, line.noticed_on.day) for line in lines] == [
        (D("195.00"), 27),
        (D("-50.00"), 28),
    ]


def test_a_correction_taken_back_leaves_nothing_in_sum(two):
    before = bill(two, APRIL).total
    late(two, 400)
    late(two, 10, seen=date(2026, 4, 28))
    assert bill(two, APRIL).total == before
    assert amounts(two) == [D("195.00"), D("-195.00")]


def test_a_correction_after_the_next_closing_is_in_the_statement_after_it(two):
    late(two, 400)
    close_on(two, date(2026, 5, 6))
    late(two, 300, seen=date(2026, 5, 8))
    assert (amounts(two), amounts(two, MAY)) == ([D("195.00")], [D("-50.00")])
    assert bill(two, APRIL).status is Status.FINAL


def test_several_closed_months_are_adjusted_each_by_itself(two):
    recount(two, date(2026, 1, 9), 12, seen=SEEN)
    recount(two, date(2026, 3, 9), 13, seen=SEEN)
    close_on(two, SEEN)
    lines = adjustments(bill(two, APRIL))
    assert [(line.label, line.amount) for line in lines] == [
        ("Adjustment for January 2026", D("1.00")),
        ("Adjustment for March 2026", D("1.50")),
    ]


def test_the_step_run_twice_adjusts_once(two):
    late(two, 400)
    assert close_on(two, SEEN).adjusted == ()
    assert adjust(two.acme, "main", today=SEEN) == []
    assert amounts(two) == [D("195.00")]


def test_a_step_cut_off_before_it_was_noted_adjusts_once(two):
    late(two, 400)
    with writing(two.owner) as session:
        for row in session.exec(select(Account)).all():
            row.changed_from = OPENED
    assert close_on(two, SEEN).adjusted == ()


def test_usage_read_while_the_step_runs_is_adjusted_by_the_next_one(two, monkeypatch):
    def adjusted_then_read(scope, key, **terms):
        found = adjust(scope, key, **terms)
        if scope.customer_id == ACME:
            recount(two, NINTH, 300, seen=date(2026, 4, 28))
        return found

    with monkeypatch.context() as patch:
        patch.setattr("data.closing.adjust", adjusted_then_read)
        late(two, 400)
    close_on(two, date(2026, 4, 28))
    assert amounts(two) == [D("195.00"), D("-50.00")]


@pytest.mark.parametrize(
    ("plan", "units"),
    [
        pytest.param(BUNDLE, 10, id="the same figure again"),
        pytest.param(agreed(tiers("small"), plan="bundle"), 12, id="a figure that costs nothing"),
    ],
)
def test_nothing_is_adjusted_where_the_bill_stays_what_it_was(store, plan, units):
    store.put(*customers(), version(plan), on_plan(ACME, plan))
    store.put(*sms_days(ACME, OPENED, [10] * 120))
    close_on(store, CLOSED)
    assert late(store, units).adjusted == ()
    assert amounts(store) == []


def test_usage_of_an_open_period_is_no_adjustment(two):
    before = bill(two, APRIL).total
    assert late(two, 400, day=date(2026, 4, 9)).adjusted == ()
    assert (amounts(two), bill(two, APRIL).total) == ([], before + 195)


def test_a_closed_period_is_priced_with_the_version_that_was_valid_then(two):
    dearer = agreed(
        overage("small", [{"name": "small", "fee": "99", "allowance": 1, "overage_amount": 9}]),
        plan="bundle",
        version=2,
    )
    two.put(version(dearer), on_plan(ACME, dearer, APRIL.start))
    late(two, 400)
    assert amounts(two) == [D("195.00")]


def test_tax_is_adjusted_with_what_it_is_on(store):
    plan = agreed(per_unit("0.10"), tax={"name": "VAT", "rate": "0.25"})
    store.put(*customers(), version(plan), on_plan(ACME, plan))
    store.put(*sms_days(ACME, OPENED, [10] * 120))
    close_on(store, CLOSED)
    late(store, 30)
    assert amounts(store) == [D("2.50")]
    *_, node = explanation(store.acme, "main", APRIL, today=SEEN)
    assert [(child.label, child.amount) for child in node.children] == [
        ("Usage", D("2.00")),
        ("VAT 25 %", D("0.50")),
    ]


def foots(node):
    """Every level sums to the one above it, down to the days."""
    parts = [child for child in node.children if child.amount is not None]
    if parts:
        assert sum(child.amount for child in parts) == node.amount, node.label
    for child in parts:
        foots(child)


def test_an_adjustment_opens_to_the_lines_and_days_that_changed(two):
    late(two, 400)
    late(two, 25, day=date(2026, 3, 11), seen=date(2026, 4, 28))
    first, second = explanation(two.acme, "main", APRIL, today=date(2026, 4, 28))[-2:]
    (line,) = first.children
    assert (first.label, line.label) == ("March 2026", "Overage")
    assert str(line.arithmetic) == "300 − 105"
    assert [(one.day.day, one.quantity, one.amount) for one in line.children] == [
        (9, 380, D("190.00")),
        (10, 10, D("5.00")),  # the allowance had lasted to this day
    ]
    assert [one.day.day for one in second.children[0].children] == [11]
    foots(first)
    foots(second)


def test_an_adjustment_of_a_margin_says_nothing_of_cost(two):
    late(two, 700, owner=BETA)
    (node,) = explanation(two.beta, "main", APRIL, today=SEEN)[-1:]
    assert node.amount == D("6.93")
    foots(node)


def test_a_lot_bought_for_a_closed_month_is_adjusted(tmp_path, store):
    imported = importer(store, tmp_path)
    imported()
    owner = scope_of(store, "acme")
    store.put(*sms_days(owner.customer_id, OPENED, [10] * 120, sid=ACME_SID))
    close_on(store, CLOSED)
    imported(
        FILE.replace(
            "  - slug: beta",
            "      - {key: late, pack: small, bought_on: 2026-03-07}\n  - slug: beta",
        )
    )
    close_on(store, SEEN)
    (line,) = adjustments(statement(owner, "main", APRIL, today=SEEN))
    assert (line.label, line.amount) == ("Adjustment for March 2026", D(10))


MARGINS = FILE.replace("plan: credits", "plan: margin").replace(
    "    credits:\n      - {key: first, pack: small, bought_on: 2026-01-05}\n", ""
)
HELD = f"      - {{sid: {ACME_SID}, from: 2026-01-01}}\n"


def given_away(since):
    """Acme's account belongs to Beta from that day on."""
    text = MARGINS.replace(HELD, HELD.replace("01-01}", f"01-01, to: {since}}}"))
    at = text.index("    plans:\n", text.index("slug: beta"))
    return text[:at] + f"      - {{sid: {ACME_SID}, from: {since}}}\n" + text[at:]


def never_acmes():
    """It should have been Beta's from the beginning."""
    text = MARGINS.replace("    accounts:\n" + HELD, "", 1)
    at = text.index("    plans:\n", text.index("slug: beta"))
    return text[:at] + HELD + text[at:]


MOVES = {
    "a day of a closed month": (given_away("2026-03-10"), ["-2.42"], ["2.42"]),  # 22 days
    "all its days": (never_acmes(), ["-3.41", "-3.08", "-3.41"], ["2.09", "3.41"]),
}


@pytest.mark.parametrize(("text", "less", "more"), MOVES.values(), ids=MOVES)
def test_an_account_that_moves_adjusts_both_its_customers(store, tmp_path, text, less, more):
    imported = importer(store, tmp_path)
    imported(MARGINS)
    acme, beta = (scope_of(store, slug) for slug in ("acme", "beta"))
    store.put(*sms_days(acme.customer_id, OPENED, [10] * 120, sid=ACME_SID, unit_cost="0.01"))
    close_on(store, CLOSED)
    imported(text)
    close_on(store, SEEN)
    assert amounts(store, scope=acme) == [D(amount) for amount in less]
    assert amounts(store, scope=beta) == [D(amount) for amount in more]


corrections = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([ACME, BETA]),
            st.integers(0, 89).map(lambda n: OPENED + timedelta(days=n)),
            st.sampled_from([0, 3, 90, 250, D("1000.5")]),
        ),
        max_size=3,
    ),
    min_size=1,
    max_size=4,
)


def empty(store):
    with writing(store.owner) as session:
        for table in (StatementAdjustment, ClosedStatement, UsageRecord):
            session.execute(delete(table))


def billed(store, scope):
    months = periods_between(OPENED, END)
    return sum(bill(store, period, scope).total for period in months)


def unadjusted(store, scope):
    """What all periods cost if they are priced once, at the end."""
    with writing(store.owner) as session:
        session.execute(delete(StatementAdjustment))
        session.execute(delete(ClosedStatement))
    return billed(store, scope)


@pytest.mark.parametrize("terms", EXAMPLES.values(), ids=EXAMPLES)
def test_all_statements_sum_to_what_is_right_at_the_end(store, terms):
    plan = agreed(terms, tax={"name": "VAT", "rate": "0.19"}, discount="0.05", minimum="4")
    store.put(*customers(), version(plan), on_plan(ACME, plan), on_plan(BETA, plan))
    if terms["kind"] == "credit_lots":
        store.put(credit_row(ACME, "first", OPENED, credits=D(90), expires_on=date(2026, 3, 9)))
        store.put(credit_row(ACME, "second", date(2026, 2, 3)))

    @settings(max_examples=2)
    @given(corrections)
    def foot(rounds):
        empty(store)
        store.put(*sms_days(ACME, OPENED, [90, 0, 30] * 12, "0.0075"))
        store.put(*sms_days(BETA, OPENED, [100] * 5, "0.0075"))
        for number, found in enumerate(rounds):
            seen = date(2026, 2, 20) + timedelta(days=25 * number)
            for owner, day, units in found:
                recount(store, day, units, seen=seen, owner=owner, unit_cost="0.0075")
            close_on(store, seen)
        for scope in (store.acme, store.beta):
            for month in periods_between(OPENED, END):
                for node in explanation(scope, "main", month, today=END):
                    foots(node)
        sums = [billed(store, scope) for scope in (store.acme, store.beta)]
        assert sums == [unadjusted(store, scope) for scope in (store.acme, store.beta)]

    foot()


def test_an_adjustment_is_paid_by_money_credits_too(two):
    two.put(money_row(ACME, "gift", 1000, APRIL.start))
    late(two, 400)
    found = bill(two, APRIL)
    assert (found.total, found.lines[-1].kind) == (0, LineKind.MONEY_CREDIT)


def test_an_adjustment_below_zero_is_not_paid(two):
    two.put(money_row(ACME, "gift", 1000, APRIL.start))
    late(two, 0)
    with reading(two.owner) as session:
        (row,) = session.exec(select(StatementAdjustment)).all()
    assert (row.amount, bill(two, APRIL).total) == (D("-5.00"), 0)
