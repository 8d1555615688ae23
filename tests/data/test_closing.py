"""Closing: a period is frozen with a hash when it has settled, and stays as it was."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from threading import Barrier, Thread
from typing import get_args

import pytest
from sqlmodel import select, update

from data.closing import close_due, close_period
from data.errors import AppError, Conflict, NotFound
from data.models import (
    Account,
    ClosedStatement,
    CreditEntry,
    Customer,
    PlanVersion,
    StatementAdjustment,
    Subscription,
)
from data.periods import period_of
from data.pricing import Price
from data.scope import reading, writing
from data.statement import Status, staff_statement, statement
from data.statement_archive import frozen_statement
from data.statement_content import content_hash, from_text, to_text
from tests.bills import agreed, margin, overage
from tests.stores import (
    ACME,
    BETA,
    OPENED,
    account,
    close_on,
    customers,
    noon,
    on_plan,
    read_on,
    record,
    recount,
    sms_days,
    version,
)

JANUARY, FEBRUARY, MARCH, APRIL = (period_of(date(2026, month, 1)) for month in (1, 2, 3, 4))
BUNDLE, SHARE = agreed(overage("small"), plan="bundle"), agreed(margin(markup="0.1"), plan="share")
EXAMPLES = {one.example["kind"]: one.example for one in get_args(get_args(Price)[0])}


@pytest.fixture
def two(store):
    """Both use SMS every day: Acme on a bundle, Beta seven times as much on a margin."""
    store.put(*customers(), version(BUNDLE), version(SHARE))
    store.put(on_plan(ACME, BUNDLE), on_plan(BETA, SHARE))
    store.put(*sms_days(ACME, OPENED, [10] * 120), *sms_days(BETA, OPENED, [70] * 120))
    return store


def bill(store, period, today=date(2026, 4, 20), scope=None):
    return statement(scope or store.acme, "main", period, today=today)


def close(store, period, today=date(2026, 4, 20), key="main", scope=None):
    return close_period(
        scope or store.acme, key, period, settling_days=3, today=today, now=noon(today)
    )


def rows(store, table, owner=None):
    with reading(store.owner) as session:
        found = [row.model_dump() for row in session.exec(select(table)).all()]
    return [row for row in found if owner in (None, row["customer_id"])]


def edit(store, table, **values):
    with writing(store.owner) as session:
        session.execute(update(table).values(**values))


@pytest.mark.parametrize(
    ("today", "state"),
    [
        pytest.param(date(2026, 3, 31), Status.OPEN, id="its last day"),
        pytest.param(date(2026, 4, 1), Status.SETTLING, id="over"),
        pytest.param(date(2026, 4, 5), Status.SETTLING, id="settled less than 48 hours ago"),
        pytest.param(date(2026, 4, 6), Status.FINAL, id="settled 48 hours ago"),
    ],
)
def test_a_statement_is_open_then_settling_then_final(two, today, state):
    close_on(two, today)
    assert bill(two, MARCH, today).status is state


def test_every_period_that_is_due_is_closed_for_everybody(two):
    found = close_on(two, date(2026, 4, 6))
    assert found.closed == (
        "acme (main): 2026-01-01 – 2026-01-31",
        "acme (main): 2026-02-01 – 2026-02-28",
        "acme (main): 2026-03-01 – 2026-03-31",
        "beta (main): 2026-01-01 – 2026-01-31",
        "beta (main): 2026-02-01 – 2026-02-28",
        "beta (main): 2026-03-01 – 2026-03-31",
    )


def test_what_is_frozen_is_what_was_shown_before(two):
    open_ones = [bill(two, MARCH, scope=scope) for scope in (two.acme, two.beta)]
    close_on(two, date(2026, 4, 20))
    final = [bill(two, MARCH, scope=scope) for scope in (two.acme, two.beta)]
    shown = [replace(one, status=Status.SETTLING, content_hash=None) for one in final]
    assert shown == open_ones
    assert [one.total for one in final] == [D("154.99"), D("23.87")]


def test_a_period_that_still_settles_is_refused_with_the_day(two):
    read_on(two, date(2026, 4, 5))
    close(two, JANUARY), close(two, FEBRUARY)
    with pytest.raises(Conflict, match=r"2026-03-01 – 2026-03-31 is still settling.*2026-04-02"):
        close(two, MARCH, date(2026, 4, 5))
    assert bill(two, MARCH).status is Status.SETTLING


def test_a_period_is_not_closed_before_an_earlier_one(two):
    read_on(two, date(2026, 4, 20))
    with pytest.raises(Conflict, match="Close the period from 2026-01-01 first"):
        close(two, FEBRUARY)


def test_closing_again_gives_the_same_statement(two):
    read_on(two, date(2026, 4, 20))
    first = close(two, JANUARY)
    before = rows(two, ClosedStatement)
    again = close(two, JANUARY, date(2026, 5, 20))
    assert (again.content_hash, again.closed_at) == (first.content_hash, first.closed_at)
    assert (again.content, rows(two, ClosedStatement)) == (first.content, before)


def test_the_scheduled_step_again_closes_nothing(two):
    close_on(two, date(2026, 4, 6))
    before = rows(two, ClosedStatement)
    found = close_on(two, date(2026, 4, 7))
    assert (found.closed, found.adjusted, found.posted) == ((), (), 0)
    assert rows(two, ClosedStatement) == before


def test_one_of_two_who_close_a_period_at_once_does_it(two):
    read_on(two, date(2026, 4, 20))
    start, found = Barrier(2), []

    def work():
        start.wait()
        found.append(close(two, JANUARY))

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(two, ClosedStatement)) == 1
    assert len({one.content_hash for one in found}) == 1
    assert len(found) == 2


def test_closing_for_one_customer_writes_nothing_of_another(two):
    read_on(two, date(2026, 4, 20))
    close(two, JANUARY)
    assert {row["customer_id"] for row in rows(two, ClosedStatement)} == {ACME}
    assert bill(two, JANUARY, scope=two.beta).status is Status.SETTLING


STALE = {
    "not read since": {"synced_at": noon(date(2026, 3, 20))},
    "never read": {"synced_at": None},
    "not read to its end": {"synced_at": noon(date(2026, 3, 20)), "ends_on": date(2026, 4, 1)},
    "closed, and its last reading failed": {
        "synced_at": noon(date(2026, 3, 20)),
        "status": "closed",
        "sync_error": "Twilio does not answer",
    },
}


@pytest.mark.parametrize("terms", STALE.values(), ids=STALE)
def test_a_period_waits_for_an_account_that_was_not_read_to_its_end(two, terms):
    edit(two, Account, synced_at=noon(date(2026, 4, 20)))
    two.put(account(ACME, "AC" + "c" * 32, **{"starts_on": date(2026, 3, 5), **terms}))
    found = close_due(
        two.owner, settling_days=3, today=date(2026, 4, 20), now=noon(date(2026, 4, 20))
    )
    assert "acme (main): 2026-02-01 – 2026-02-28" in found.closed
    assert "acme (main): 2026-03-01 – 2026-03-31" not in found.closed
    assert "beta (main): 2026-03-01 – 2026-03-31" in found.closed


OVER = {
    "closed and read": {"status": "closed"},
    "another's by now, and read to its end": {"ends_on": date(2026, 3, 10)},
}


@pytest.mark.parametrize("terms", OVER.values(), ids=OVER)
def test_a_period_does_not_wait_for_an_account_that_is_over(two, terms):
    edit(two, Account, synced_at=noon(date(2026, 4, 20)))
    read = noon(date(2026, 3, 20))
    two.put(account(ACME, "AC" + "c" * 32, synced_at=read, as_of=read, **terms))
    assert (
        close_due(two.owner, settling_days=3, today=date(2026, 4, 20), now=noon(date(2026, 4, 20)))
        .closed[2]
        .endswith("2026-03-31")
    )


def gamma(store):
    """A customer that pays Twilio itself."""
    store.put(
        Customer(id=103, slug="gamma", name="Gamma"),
        Subscription(customer_id=103, key="main", starts_on=OPENED),
        account(103, "AC" + "c" * 32, kind="connected"),
        *sms_days(103, OPENED, [10] * 90, sid="AC" + "c" * 32),
    )


def test_a_customer_that_pays_twilio_itself_has_nothing_to_close(two):
    gamma(two)
    assert not [line for line in close_on(two, date(2026, 4, 20)).closed if "gamma" in line]
    with pytest.raises(NotFound, match="No plan was agreed for 2026-01-01 – 2026-01-31"):
        close(two, JANUARY, scope=replace(two.acme, customer_id=103))


def test_months_before_a_plan_was_agreed_are_passed_over(store):
    store.put(*customers(), version(SHARE), on_plan(ACME, SHARE, date(2026, 2, 10)))
    store.put(*sms_days(ACME, OPENED, [10] * 90))
    assert close_on(store, date(2026, 3, 6)).closed == ("acme (main): 2026-02-01 – 2026-02-28",)


def test_a_sign_up_and_an_end_within_a_month_close_as_they_were_billed(store):
    plan = on_plan(ACME, BUNDLE, date(2026, 1, 15))
    store.put(*customers(), version(BUNDLE), plan, *sms_days(ACME, OPENED, [1] * 120))
    edit(store, Subscription, starts_on=date(2026, 1, 15), ends_on=date(2026, 3, 20))
    close_on(store, date(2026, 5, 6))
    found = [
        (row["period_start"], row["period_end"], row["total"])
        for row in rows(store, ClosedStatement, ACME)
    ]
    assert found == [
        (date(2026, 1, 15), date(2026, 2, 1), D("27.41")),  # 17/31 × 49.99
        (date(2026, 2, 1), date(2026, 3, 1), D("49.99")),
        (date(2026, 3, 1), date(2026, 3, 20), D("30.64")),  # 19/31 × 49.99
    ]


LATER = {
    "usage": lambda store: recount(store, date(2026, 3, 9), 400, seen=date(2026, 5, 2)),
    "usage of a category that nobody knew": lambda store: store.put(
        record(ACME, date(2026, 3, 9), "moon-calls", 5, "100")
    ),
    "the terms of the plan": lambda store: edit(
        store,
        PlanVersion,
        terms=agreed(overage("large"), plan="bundle").model_dump(mode="json"),
    ),
    "the plan's name": lambda store: edit(
        store,
        PlanVersion,
        terms=agreed(overage("small"), plan="bundle", name="Gold").model_dump(mode="json"),
    ),
    "the day it ended": lambda store: edit(store, Subscription, ends_on=date(2026, 4, 1)),
}


@pytest.mark.parametrize("change", LATER.values(), ids=LATER)
def test_a_final_statement_stays_though_something_changes_later(two, change):
    close_on(two, date(2026, 4, 20))
    before, stored = bill(two, MARCH), rows(two, ClosedStatement)
    change(two)
    close_on(two, date(2026, 4, 27))
    assert (bill(two, MARCH), rows(two, ClosedStatement)[: len(stored)]) == (before, stored)


def test_staff_read_the_lines_that_were_frozen(two):
    close_on(two, date(2026, 4, 20))
    before = staff_statement(two.acme, "main", MARCH, today=date(2026, 4, 20))
    recount(two, date(2026, 3, 9), 400, seen=date(2026, 5, 2))
    after = staff_statement(two.acme, "main", MARCH, today=date(2026, 5, 2))
    assert (after.amount, after.lines) == (before.amount, before.lines)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"amount":"105.00"', '"amount":"5.00"', id="an amount"),
        pytest.param('"quantity":"210', '"quantity":"209', id="a quantity"),
        pytest.param("}", "} ", id="a blank"),
    ],
)
def test_a_text_changed_in_the_database_is_refused(two, old, new):
    close_on(two, date(2026, 4, 20))
    with writing(two.owner) as session:
        row = session.get(ClosedStatement, (ACME, "main", MARCH.start))
        assert old in row.content
        row.content = row.content.replace(old, new, 1)
    with pytest.raises(AppError, match="2026-03-01 was changed after it was closed"):
        bill(two, MARCH)
    assert bill(two, FEBRUARY).status is Status.FINAL
    assert bill(two, MARCH, scope=two.beta).status is Status.FINAL


@pytest.mark.parametrize("terms", EXAMPLES.values(), ids=EXAMPLES)
def test_a_frozen_text_reads_back_as_itself(store, terms):
    plan = agreed(terms, plan="one", tax={"name": "VAT", "rate": "0.19"}, discount="0.05")
    store.put(*customers(), version(plan), on_plan(ACME, plan))
    store.put(*sms_days(ACME, OPENED, ["7.5", 400, 0, "1e3"], unit_cost="0.0075"))
    store.put(record(ACME, OPENED, "calls", "2.25", "0.03", count=2))
    close_on(store, date(2026, 2, 20))
    (row,) = rows(store, ClosedStatement)
    text = row["content"]
    assert to_text(from_text(text)) == text
    assert content_hash(text) == row["content_hash"]
    assert frozen_statement(store.acme, "main", OPENED).content.total == row["total"]


def test_nothing_of_what_closing_writes_is_anothers(two):
    close_on(two, date(2026, 4, 20))
    others = {t: rows(two, t, BETA) for t in (ClosedStatement, CreditEntry, StatementAdjustment)}
    recount(two, date(2026, 3, 9), 400, seen=date(2026, 4, 27))
    close_on(two, date(2026, 4, 27))
    assert {t: rows(two, t, BETA) for t in others} == others
