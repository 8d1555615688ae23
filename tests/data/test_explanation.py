"""Each line of a statement opens to its days and records, and every level sums to the one above."""

from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal as D
from typing import get_args

import pytest
from sqlmodel import select

from data.explanation import Explained, StaffExplained, explanation, staff_explanation
from data.models import UsageRecord
from data.periods import period_of
from data.pricing import LineKind, Price
from data.scope import reading
from data.statement import Status, statement
from tests.bills import agreed, credit_price, graduated, margin, overage, per_unit
from tests.stores import (
    ACME,
    BETA,
    OPENED,
    account,
    close_on,
    credit_row,
    customers,
    money_row,
    on_plan,
    record,
    recount,
    sms_days,
    version,
)

JANUARY, MARCH, APRIL = (period_of(date(2026, month, 1)) for month in (1, 3, 4))
EXAMPLES = {one.example["kind"]: one.example for one in get_args(get_args(Price)[0])}
MARGINS = {
    "over all usage": margin(gross_margin="0.03"),
    "over a meter": margin(markup="0.1", meters=["sms"]),
    "over two meters": margin(markup="0.1", meters=["sms", "voice"]),
    "by bands": graduated(),
}
EXTRA = {"tax": {"name": "VAT", "rate": "0.19"}, "discount": "0.05", "monthly_fee": "7"}
TODAY = date(2026, 3, 20)
SECOND = "AC" + "d" * 32
TELLING = ("cost", "margin", "markup", "recogni", "profit", "earned")


def use(store, plan):
    """Acme used SMS, calls and something unknown; Beta on the same plan a lot more."""
    store.put(*customers(), version(plan), on_plan(ACME, plan), on_plan(BETA, plan))
    store.put(*sms_days(ACME, MARCH.start, [70, 0, "42.5", 300, 1], unit_cost="0.0075"))
    store.put(*sms_days(BETA, MARCH.start, [9000] * 5, unit_cost="0.02"))
    store.put(record(ACME, MARCH.start, "calls", "2.25", "0.03", count=2))
    store.put(record(ACME, date(2026, 3, 9), "calls", 1, "0.01"))
    store.put(record(ACME, date(2026, 3, 9), "totalprice", "0.31", "0.31"))
    store.put(record(ACME, date(2026, 3, 9), "moon-calls", 1, "0.30"))


@pytest.fixture(params=["open", "frozen"])
def state(request):
    return request.param


def settle(store, state):
    """The statement of March as it stands, or closed; returns the day on which it is read."""
    if state == "open":
        return TODAY
    close_on(store, date(2026, 4, 20))
    return date(2026, 4, 20)


def both(store, today, period=MARCH):
    """The trees of staff and of the customer."""
    return [
        form(store.acme, "main", period, today=today) for form in (staff_explanation, explanation)
    ]


def walk(node):
    yield node
    for child in node.children:
        yield from walk(child)


def foot(node):
    """Amounts sum on every level down to the days; days sum in quantity as well."""
    parts = [child for child in node.children if child.amount is not None]
    if parts:
        assert sum(child.amount for child in parts) == node.amount, node.label
    by_day = [child for child in parts if child.day is not None]
    if by_day and node.quantity is not None and node.unit:
        assert sum(child.quantity for child in by_day) == node.quantity, node.label
    for child in parts:
        foot(child)


@pytest.mark.parametrize("terms", EXAMPLES.values(), ids=EXAMPLES)
def test_every_level_sums_to_the_one_above(store, state, terms):
    use(store, agreed(terms, **EXTRA))
    if terms["kind"] == "credit_lots":
        store.put(credit_row(ACME, "first", date(2026, 3, 2)))
    today = settle(store, state)
    bill = statement(store.acme, "main", MARCH, today=today)
    for trees in both(store, today):
        assert [(one.label, one.amount) for one in trees] == [
            (line.label, line.amount) for line in bill.lines
        ]
        for node in trees:
            foot(node)


@pytest.mark.parametrize("terms", EXAMPLES.values(), ids=EXAMPLES)
def test_every_metered_line_opens_to_its_days(store, state, terms):
    use(store, agreed(terms, **EXTRA))
    today = settle(store, state)
    bill = statement(store.acme, "main", MARCH, today=today)
    for line, node in zip(bill.lines, both(store, today)[0], strict=True):
        if line.kind in (LineKind.USAGE, LineKind.OVERAGE, LineKind.INCLUDED, LineKind.TAX):
            assert node.children, line.label


def named(value):
    """The names of all fields of a value, at any depth."""
    if is_dataclass(value):
        for field in fields(value):
            yield field.name
            yield from named(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from named(each)


@pytest.mark.parametrize("terms", {**EXAMPLES, **MARGINS}.values(), ids={**EXAMPLES, **MARGINS})
def test_a_customers_tree_has_no_field_for_cost_at_any_depth(store, state, terms):
    use(store, agreed(terms, **EXTRA))
    today = settle(store, state)
    staff, own = both(store, today)
    bill = statement(store.acme, "main", MARCH, today=today)
    told = {*named(own), *named(bill)}
    assert not [name for name in told if any(word in name for word in TELLING)]
    assert {type(node) for tree in own for node in walk(tree)} == {Explained}
    assert {type(node) for tree in staff for node in walk(tree)} == {StaffExplained}


@pytest.mark.parametrize("terms", MARGINS.values(), ids=MARGINS)
def test_a_margin_ends_at_the_days_for_a_customer(store, state, terms):
    use(store, agreed(terms))
    staff, own = both(store, settle(store, state))
    nodes = [node for tree in own for node in walk(tree)]
    assert all(node.amount is not None for node in nodes)
    assert not [node for node in nodes if node.day and node.children]
    assert not [node for node in nodes if node.arithmetic]
    assert [node for tree in staff for node in walk(tree) if node.day and node.children]


@pytest.mark.parametrize("terms", MARGINS.values(), ids=MARGINS)
def test_staff_see_the_cost_of_a_margins_lines_and_records(store, state, terms):
    use(store, agreed(terms))
    staff, _ = both(store, settle(store, state))
    assert all(tree.cost is not None for tree in staff)
    records = [node for tree in staff for node in walk(tree) if node.amount is None]
    assert all(node.cost is not None for node in records)
    sent = {(node.day, node.cost) for node in records if "SMS" in node.label}
    assert sum(cost for _, cost in sent) == D("3.10125")  # a day may be in two bands


def stored(store):
    with reading(store.owner) as session:
        rows = session.exec(
            select(UsageRecord).where(
                UsageRecord.customer_id == ACME, UsageRecord.category == "sms"
            )
        ).all()
    return {(row.day, row.usage, row.cost) for row in rows if row.usage}


def test_the_records_of_a_day_are_what_twilio_sent(store, state):
    use(store, agreed(per_unit("0.10")))
    staff, own = both(store, settle(store, state))
    records = [node for tree in staff for node in walk(tree) if node.amount is None]
    assert {(node.day, node.quantity, node.cost) for node in records} == stored(store)
    assert len(records) == 4
    seen = [node for tree in own for node in walk(tree) if node.amount is None]
    assert [(node.day, node.quantity) for node in seen] == [
        (node.day, node.quantity) for node in records
    ]


def test_records_of_several_accounts_name_theirs(store):
    use(store, agreed(per_unit("0.10")))
    store.put(account(ACME, SECOND, name="Shop"))
    store.put(*sms_days(ACME, MARCH.start, [5], sid=SECOND))
    (tree,) = both(store, TODAY)[1]
    first = tree.children[0]
    assert (first.quantity, first.amount) == (75, D("7.50"))
    assert [(one.label.rpartition(" · ")[2], one.quantity) for one in first.children] == [
        ("aaaa", 70),
        ("Shop", 5),
    ]


def test_a_record_counts_what_is_billed(store):
    calls = {"voice": {"label": "Calls", "unit": "calls", "categories": ["calls"]}}
    calls["voice"]["quantity"] = "count"
    use(store, agreed(per_unit("0.10", meter="voice"), meters=calls))
    (tree,) = both(store, TODAY)[1]
    assert [(one.day.day, one.quantity) for day in tree.children for one in day.children] == [
        (1, 2),
        (9, 1),
    ]


def test_another_customers_records_are_nowhere(store, state):
    use(store, agreed(per_unit("0.10")))
    for trees in both(store, settle(store, state)):
        assert 9000 not in {node.quantity for tree in trees for node in walk(tree)}


def test_days_of_thirds_of_a_cent_sum_to_the_line(store):
    use(store, agreed(per_unit("0.003333")))
    (tree,) = both(store, TODAY)[1]
    assert [day.amount for day in tree.children] == [D("0.23"), D("0.14"), D("1.00"), D("0.01")]
    assert tree.amount == D("1.38")


def test_a_day_that_crosses_an_allowance_is_in_both_lines(store, state):
    use(store, agreed(overage("small")))
    _, (_, included, beyond) = both(store, settle(store, state))
    assert [(day.day.day, day.quantity) for day in included.children] == [(1, 70), (3, 30)]
    assert [(day.day.day, day.quantity, day.amount) for day in beyond.children] == [
        (3, D("12.5"), D("6.25")),
        (4, 300, D("150.00")),
        (5, 1, D("0.50")),
    ]


def test_a_prorated_fee_says_its_arithmetic(store):
    plan = agreed(overage("small"))
    store.put(*customers(), version(plan), on_plan(ACME, plan, date(2026, 3, 15)))
    _, (fee, *_) = both(store, TODAY)
    assert (str(fee.arithmetic), fee.amount, fee.children) == ("17/31 × 49.99", D("27.41"), ())


def test_tax_is_told_line_by_line(store, state):
    use(store, agreed(per_unit("0.10"), monthly_fee="7", tax=EXTRA["tax"]))
    _, own = both(store, settle(store, state))
    tax = own[-1]
    assert tax.label == "VAT 19 %"
    assert [(str(one.arithmetic), one.amount) for one in tax.children] == [
        ("0.19 × 7", D("1.33")),
        ("0.19 × 41.35", D("7.86")),
    ]


def test_a_discount_a_maximum_and_a_minimum_say_their_arithmetic(store):
    use(store, agreed(per_unit("0.10", discount="0.05", maximum="30"), minimum="50"))
    _, own = both(store, TODAY)
    assert [str(one.arithmetic) for one in own[1:]] == ["-0.05 × 41.35", "30 − 39.28", "50 − 30"]


def test_staff_see_what_drawn_credits_are_worth_day_by_day(store, state):
    use(store, agreed(credit_price()))
    store.put(credit_row(ACME, "first", MARCH.start))
    staff, _ = both(store, settle(store, state))
    drawn = next(tree for tree in staff if tree.quantity == D("413.5"))
    assert drawn.recognized == sum(day.recognized for day in drawn.children) == D("8.27")
    assert drawn.amount == 0


def test_a_margin_over_all_usage_is_told_by_meter_with_the_rest_beside(store, state):
    use(store, agreed(margin(gross_margin="0.03")))
    _, (tree,) = both(store, settle(store, state))
    assert [one.label for one in tree.children] == ["SMS", "Other", "Voice"]
    foot(tree)


def test_a_final_statements_days_are_those_that_were_frozen(store):
    use(store, agreed(per_unit("0.10")))
    close_on(store, date(2026, 4, 20))
    before = [day.amount for tree in both(store, TODAY)[1] for day in tree.children]
    recount(store, date(2026, 3, 3), 999, seen=date(2026, 4, 27))
    assert [day.amount for tree in both(store, TODAY)[1] for day in tree.children] == before
    assert statement(store.acme, "main", MARCH, today=TODAY).status is Status.FINAL


@pytest.mark.parametrize("terms", MARGINS.values(), ids=MARGINS)
def test_an_adjustment_of_a_margin_ends_at_the_days(store, terms):
    use(store, agreed(terms))
    close_on(store, date(2026, 4, 20))
    recount(store, date(2026, 3, 3), 9000, seen=date(2026, 4, 27))
    close_on(store, date(2026, 4, 27))
    *_, tree = both(store, date(2026, 4, 27), APRIL)[1]
    assert tree.label == "March 2026"
    assert tree.amount > 0
    foot(tree)
    assert not [node for node in walk(tree) if node.day and node.children]
    assert not [name for name in named(tree) if any(word in name for word in TELLING)]


def test_a_payment_is_a_line_without_more_behind_it(store, state):
    use(store, agreed(per_unit("0.10")))
    store.put(money_row(ACME, "gift", 5, MARCH.start))
    *_, paid = both(store, settle(store, state))[1]
    assert (paid.label, paid.amount, paid.children) == ("Credit", D(-5), ())


def test_nothing_is_explained_where_no_plan_was_agreed(store):
    store.put(*customers(), *sms_days(ACME, OPENED, [10]))
    assert both(store, TODAY, JANUARY) == [(), ()]
