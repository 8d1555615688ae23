"""`close-period`, and closing as a step of `sync`."""

from datetime import date

import pytest

from data.demo.twilio_api import twilio_api
from data.demo.world import PLANS_DIR, World, customers_yaml
from data.statement import Status, statement
from data.store import find_customers, periods
from tests.bills import agreed, margin, overage
from tests.command_line import run
from tests.customer_files import scope_of
from tests.servers import serving
from tests.stores import (
    ACME,
    BETA,
    OPENED,
    customers,
    on_plan,
    read_on,
    recount,
    sms_days,
    version,
)

TODAY = date(2026, 4, 20)


@pytest.fixture
def two(shell, store):
    """Acme has a bundle and Beta a margin; both have used SMS since January."""
    shell(DEMO_TODAY=TODAY)
    bundle, share = agreed(overage("small"), plan="bundle"), agreed(margin(markup="0"))
    store.put(*customers(), version(bundle), version(share))
    store.put(on_plan(ACME, bundle), on_plan(BETA, share))
    for owner, units in ((ACME, 10), (BETA, 70)):
        store.put(*sms_days(owner, OPENED, [units] * 110))
    read_on(store, TODAY)
    return store


def states(store, scope):
    found = reversed(periods(scope, "main", today=TODAY))
    return [statement(scope, "main", period, today=TODAY).status for period in found]


def test_all_that_is_due_is_closed(two):
    said = run("close-period")
    assert (said.code, said.out) == (0, "Closed 6 periods, 0 adjustments.\n")
    for scope in (two.acme, two.beta):
        assert states(two, scope) == [Status.FINAL] * 3 + [Status.OPEN]


def test_closing_again_closes_nothing(two):
    run("close-period")
    assert run("close-period").out == "Closed 0 periods, 0 adjustments.\n"


def test_an_adjustment_is_told_with_its_customer(two):
    run("close-period")
    recount(two, date(2026, 3, 9), 400, seen=TODAY)
    assert run("close-period").out == (
        "Closed 0 periods, 1 adjustments.\n  acme (main): March 2026 changes by 195.00 USD\n"
    )


def test_one_period_of_one_customer_is_closed(two):
    said = run("close-period", "--customer", "acme", "--period", "2026-01-17")
    first, second = said.out.splitlines()
    assert first == "acme: 2026-01-01 – 2026-01-31: 154.99 USD"
    assert second.startswith("  closed 2026-04-20 ")
    assert len(second.rpartition("SHA-256 ")[2]) == 64
    assert states(two, two.acme)[0] is Status.FINAL
    assert states(two, two.beta)[0] is Status.SETTLING


def test_one_period_closed_again_is_told_the_same(two):
    command = ("close-period", "--customer", "acme", "--period", "2026-01-17")
    first = run(*command).out
    assert run(*command).out == first


REFUSED = {
    "a period that is not over": (
        ("--customer", "acme", "--period", "2026-04-02"),
        "The period 2026-04-01 – 2026-04-30 is still settling",
    ),
    "a period before which one is open": (
        ("--customer", "acme", "--period", "2026-02-02"),
        "Close the period from 2026-01-01 first",
    ),
    "a day before the subscription": (
        ("--customer", "acme", "--period", "2025-02-02"),
        "There is no period on 2025-02-02",
    ),
    "a customer that is not there": (
        ("--customer", "gamma", "--period", "2026-01-01"),
        "There is no customer 'gamma'",
    ),
    "the beginning of a slug": (
        ("--customer", "ac", "--period", "2026-01-01"),
        "There is no customer 'ac'",
    ),
    "a subscription that is not there": (
        ("--customer", "acme", "--subscription", "shop", "--period", "2026-01-01"),
        "There is no such subscription",
    ),
    "a customer without a period": (("--customer", "acme"), "belong together"),
    "a period without a customer": (("--period", "2026-01-01"), "belong together"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_closed_is_said(two, arguments, message):
    said = run("close-period", *arguments)
    assert (said.code, message in said.err) == (1, True), said.err
    assert states(two, two.acme)[0] is Status.SETTLING


def test_a_sync_closes_what_is_due_and_a_second_one_adjusts(shell, store, tmp_path):
    path, world = tmp_path / "customers.yaml", World(1, TODAY)
    path.write_text(customers_yaml(world))
    shell(CUSTOMERS_FILE=path, PLANS_DIR=PLANS_DIR, DEMO_TODAY=TODAY, HISTORY_DAYS=80)
    run("customers", "import", "--apply")
    said = synced(shell, world)
    assert "Closed " in said
    assert "Closed 0 " not in said
    dune, iris = (scope_of(store, slug) for slug in ("dune-travel", "iris-studio"))
    assert states(store, dune)[-2:] == [Status.FINAL, Status.OPEN]
    assert periods(iris, "main", today=TODAY)
    owner = dune.customer_id
    sid = next(one for one in find_customers(store.owner, "dune")).accounts[0].sid
    recount(store, date(2026, 3, 9), 40_000, seen=TODAY, owner=owner, sid=sid)
    assert "  dune-travel (main): March 2026 changes by " in run("close-period").out
    assert "  dune-travel (main): March 2026 changes by -" in synced(shell, world)


def synced(shell, world):
    with serving(twilio_api(world)) as base:
        shell(TWILIO_API_BASE=base)
        said = run("sync")
    assert said.code == 0, said.err
    return said.out
