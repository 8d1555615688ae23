"""Closing where histories are short, contracts are over, accounts move and one customer fails."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest
from sqlmodel import update

from data.closing import close_period, read_from
from data.customers import import_customers
from data.errors import Conflict, InputError
from data.models import ClosedStatement, Subscription, SyncCursor
from data.periods import period_of
from data.pricing import LineKind
from data.scope import writing
from data.statement import statement
from data.statement_archive import closed_starts
from data.store import periods, subscription
from tests.bills import agreed, overage, per_unit
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    BETA_SID,
    OPENED,
    SYNCED,
    account,
    close_on,
    customers,
    noon,
    on_plan,
    recount,
    sms_days,
    version,
)

JANUARY, FEBRUARY, MARCH, APRIL = (period_of(date(2026, month, 1)) for month in (1, 2, 3, 4))
BUNDLE, UNITS = agreed(overage("small"), plan="bundle"), agreed(per_unit("1"), plan="units")
CLOSED, SEEN = date(2026, 4, 20), date(2026, 4, 27)


def cursor(sid, first_day):
    read_at = datetime(2026, 4, 20, 6, tzinfo=UTC)
    return SyncCursor(
        account_sid=sid,
        resource="usage_records",
        first_day=first_day,
        through=date(2026, 4, 19),
        read_at=read_at,
    )


@pytest.fixture
def two(store):
    store.put(*customers(), version(BUNDLE), version(UNITS))
    store.put(on_plan(ACME, BUNDLE), on_plan(BETA, UNITS))
    store.put(*sms_days(ACME, OPENED, [10] * 120), *sms_days(BETA, OPENED, [70] * 120))
    return store


def test_months_that_were_never_read_are_not_billed_by_us(two):
    two.put(cursor(ACME_SID, date(2026, 2, 10)), cursor(BETA_SID, OPENED))
    close_on(two, CLOSED)
    assert closed_starts(two.acme, "main") == {MARCH.start}
    assert closed_starts(two.beta, "main") == {JANUARY.start, FEBRUARY.start, MARCH.start}
    assert read_from(two.acme, subscription(two.acme, "main")) == date(2026, 2, 10)
    with pytest.raises(Conflict, match="Usage before 2026-02-10 was never read"):
        close_period(two.acme, "main", FEBRUARY, settling_days=3, today=CLOSED, now=noon(CLOSED))


def end(store, owner, day):
    with writing(store.owner) as session:
        chosen = update(Subscription).where(Subscription.customer_id == owner)
        session.execute(chosen.values(ends_on=day))


def test_late_usage_of_a_contract_that_is_over_is_a_last_bill_of_its_own(two):
    end(two, ACME, date(2026, 3, 20))
    close_on(two, CLOSED)
    recount(two, date(2026, 3, 9), 410, seen=SEEN)
    assert len(close_on(two, SEEN).adjusted) == 1
    newest, *before = periods(two.acme, "main", today=SEEN)
    assert (newest, before[0].end) == (APRIL, date(2026, 3, 20))
    last = statement(two.acme, "main", APRIL, today=SEEN)
    assert [(one.kind, one.amount) for one in last.lines] == [(LineKind.ADJUSTMENT, D("200.00"))]
    close_on(two, date(2026, 5, 20))
    assert closed_starts(two.acme, "main") >= {APRIL.start}
    assert APRIL not in periods(two.beta, "main", today=MARCH.last_day)


def test_an_account_that_changes_its_contract_is_paid_for_by_each_in_its_days(store):
    store.put(*customers(), version(UNITS), on_plan(ACME, UNITS), on_plan(BETA, UNITS))
    store.put(Subscription(customer_id=ACME, key="other", starts_on=OPENED))
    store.put(on_plan(ACME, UNITS, subscription="other"))
    moved = date(2026, 1, 11)
    with writing(store.owner) as session:
        row = next(
            one for one in [session.get_one(type(account(ACME, "x")), (ACME, ACME_SID, OPENED))]
        )
        row.ends_on = moved
    store.put(account(ACME, ACME_SID, starts_on=moved, subscription="other"))
    store.put(*sms_days(ACME, OPENED, [1] * 20), *sms_days(BETA, OPENED, [5] * 20))
    totals = [statement(store.acme, key, JANUARY, today=CLOSED).total for key in ("main", "other")]
    assert totals == [D("10.00"), D("10.00")]
    assert statement(store.beta, "main", JANUARY, today=CLOSED).total == D("100.00")


def test_a_customer_with_final_statements_stays_in_the_file(two, tmp_path):
    close_on(two, CLOSED)
    file = tmp_path / "customers.yaml"
    file.write_text("customers: []\n")
    with pytest.raises(InputError, match=r"'acme' has final statements: keep it in the file"):
        import_customers(two.owner, file, [], now=SYNCED)


def test_what_is_wrong_with_one_customer_stops_no_other(two):
    close_on(two, CLOSED)
    with writing(two.owner) as session:
        chosen = update(ClosedStatement).where(ClosedStatement.customer_id == ACME)
        session.execute(chosen.values(content="{}"))
    recount(two, date(2026, 3, 9), 410, seen=SEEN)
    recount(two, date(2026, 3, 9), 71, seen=SEEN, owner=BETA)
    done = close_on(two, SEEN)
    assert [line.partition(":")[0] for line in done.failed] == ["acme (main)"]
    assert [line.partition(":")[0] for line in done.adjusted] == ["beta (main)"]
