"""`backtest`: what it prints, and that a second run has nothing to do."""

import json
from datetime import date

import pytest

from tests.bills import agreed, overage
from tests.command_line import run
from tests.forecasts import past
from tests.stores import ACME, BETA, OPENED, customers, on_plan, read_on, sms_days, version

TODAY = date(2026, 4, 20)


@pytest.fixture
def two(shell, store):
    shell(DEMO_TODAY=TODAY)
    plan = agreed(overage("small"))
    store.put(*customers(), version(plan), on_plan(ACME, plan))
    for owner, units in ((ACME, 10), (BETA, 70)):
        store.put(*sms_days(owner, OPENED, [units + n % 3 for n in range(110)]))
    read_on(store, TODAY)
    return store


def test_past_periods_are_checked_and_told_as_a_table(two):
    said = run("backtest")
    assert (said.code, said.err) == (0, "")
    first, _, head, *rows = said.out.splitlines()
    assert first == "Checked 36 projections of 6 past periods."
    assert head.split() == [
        *("cases", "error", "run", "rate", "skill", "inside", "below", "above", "Brier")
    ]
    names = [row.split("  ")[0] for row in rows]
    assert names[:3] == ["regular", "cold start", "all"]
    assert "after day 25" in names


def test_a_second_run_checks_nothing_and_again_checks_everything(two):
    run("backtest")
    assert run("backtest").out.startswith("Checked 0 projections of 0 past periods.")
    assert run("backtest", "--again").out.startswith("Checked 36 projections of 6 past")


def test_one_customer_alone_is_checked(two):
    said = json.loads(run("backtest", "--customer", "beta", "--json").out)
    assert said["checked"] == {"customers": 1, "periods": 3, "cases": 18}
    assert said["all"]["cases"] == 12
    assert said["classes"]["cold start"]["cases"] == 6


def test_a_customer_that_is_not_there_is_refused(two):
    said = run("backtest", "--customer", "gamma")
    assert (said.code, said.out) == (1, "")
    assert "There is no customer 'gamma'." in said.err


def test_a_store_without_a_settled_period_says_so(shell, store):
    shell(DEMO_TODAY=date(2026, 1, 20))
    store.put(*customers())
    assert "No past period has settled yet." in run("backtest").out


@pytest.mark.parametrize(
    ("outside", "warned"),
    [pytest.param(12, True, id="60%"), pytest.param(6, False, id="80%")],
)
def test_a_coverage_outside_70_to_90_percent_is_warned_of(shell, store, outside, warned):
    shell(DEMO_TODAY=date(2026, 6, 20))
    store.put(*customers())
    store.put(*(past(ACME, n, actual=500 if n < outside else 110) for n in range(30)))
    found = [line for line in run("backtest").out.splitlines() if line.startswith("Warning: ")]
    assert len(found) == (2 if warned else 0)
    assert all("60% ended inside the range; 70% to 90% should." in line for line in found)
