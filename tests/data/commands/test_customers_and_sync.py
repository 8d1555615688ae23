"""`customers import`, `sync` and `project`, as a shell calls them."""

import json
from datetime import date

import pytest

from data.demo.twilio_api import twilio_api
from data.demo.world import PLANS_DIR, World, customers_yaml
from data.models import Customer
from data.store import find_customers, last_run
from tests.bills import agreed, margin, overage
from tests.command_line import run
from tests.servers import Canned, refusal, serving
from tests.stores import ACME, BETA, customers, on_plan, sms_days, version

TODAY = date(2026, 3, 20)
WORLD = World(1, TODAY)


@pytest.fixture
def files(shell, tmp_path):
    """The demo world's customers and plans as files named in the environment."""
    path = tmp_path / "customers.yaml"
    path.write_text(customers_yaml(WORLD))
    shell(CUSTOMERS_FILE=path, PLANS_DIR=PLANS_DIR, DEMO_TODAY=TODAY, HISTORY_DAYS=10)
    return path


def test_an_import_is_a_dry_run_unless_it_is_applied(files, store):
    said = run("customers", "import")
    assert "A dry run: nothing was stored.  Run again with --apply to store it." in said.out
    assert find_customers(store.owner, "") == ()


def test_an_import_applied_is_stored(files, store):
    said = run("customers", "import", "--apply")
    assert (said.code, said.out.endswith("Stored.\n")) == (0, True)
    assert len(find_customers(store.owner, "")) == len(WORLD.customers)


def test_an_import_again_has_nothing_to_change(files):
    run("customers", "import", "--apply")
    assert run("customers", "import", "--apply").out == "Nothing to change.\n"


def test_a_wrong_file_is_named_with_its_line(files):
    files.write_text(files.read_text().replace("plan: pay-as-you-go", "plan: gold"))
    said = run("customers", "import", "--apply")
    assert said.code == 1
    assert "Error: customers.yaml, line " in said.err


def test_a_sync_says_what_it_read(files, shell, store):
    run("customers", "import", "--apply")
    with serving(twilio_api(WORLD)) as base:
        shell(TWILIO_API_BASE=base)
        said = run("sync")
    run_noted = last_run(store.app)
    assert said.out.splitlines()[0] == (
        f"Synced {run_noted.accounts} accounts, {run_noted.rows} rows, "
        f"{run_noted.requests} requests; planned {run_noted.planned}"
    )
    assert run_noted.planned == run_noted.requests


def test_a_sync_with_wrong_credentials_names_the_settings(shell, store):
    with serving(Canned([refusal(401)]).app) as base:
        shell(TWILIO_API_BASE=base)
        said = run("sync")
    assert (said.code, "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" in said.err) == (1, True)


def test_a_sync_without_credentials_names_the_settings(shell):
    shell(DEMO=None)
    said = run("sync")
    assert (said.code, said.err) == (
        1,
        "Error: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set.\n",
    )


@pytest.fixture
def two(shell, store):
    """Acme has a bundle and Beta a margin; both have used SMS all year."""
    shell(DEMO_TODAY=TODAY)
    bundle, share = agreed(overage("small"), plan="bundle"), agreed(margin(markup="0"))
    store.put(*customers(), version(bundle), version(share))
    store.put(on_plan(ACME, bundle), on_plan(BETA, share))
    for owner, units in ((ACME, 6), (BETA, 700)):
        store.put(*sms_days(owner, date(2026, 1, 1), [units] * 79))
    return store


def test_a_projection_as_json(two):
    document = json.loads(run("project", "acme", "--json").out)
    assert set(document) == {
        *("customer", "period", "settled_through", "quantity", "amount", "unit"),
        *("chance_of_overage", "expected_overage"),
    }
    assert (document["customer"], document["period"]) == ("Acme", ["2026-03-01", "2026-04-01"])
    low, likely, high = (float(document["quantity"][name]) for name in ("p10", "p50", "p90"))
    assert 120 <= low <= likely <= high < 300


def test_a_projection_without_an_overage_price_has_none(two):
    document = json.loads(run("project", "beta", "--json").out)
    assert (document["chance_of_overage"], document["expected_overage"]) == (None, None)


def test_a_projection_in_words(two):
    out = run("project", "acme").out
    assert out.startswith("Acme, 2026-03-01 – 2026-04-01 (exclusive)\n")
    assert "Chance of passing the allowance: " in out


@pytest.mark.parametrize("text", ["gamma", "a c m e"])
def test_a_customer_that_is_not_there_is_said(two, text):
    said = run("project", text)
    assert (said.code, "must name one customer; it names none" in said.err) == (1, True)


def test_a_slug_in_full_names_its_customer_though_another_begins_so(two):
    two.put(Customer(id=103, slug="acme-two", name="Acme Two"))
    assert run("project", "acme").code == 0
