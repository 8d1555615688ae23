"""/metrics: read with the token only, parsed by Prometheus' own parser, true for every tenant."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import delete

from dashboard.metrics import exposition
from data.models import (
    SYSTEM_CUSTOMER,
    Account,
    Customer,
    Reconciliation,
    SyncLease,
    SyncRun,
)
from data.scope import writing
from tests.doors import ACME, BETA, make_client, make_door, make_world

TOKEN = "scrape-me-not-too-often"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ACME_SID, BETA_SID = "AC" + "a" * 32, "AC" + "b" * 32


@pytest.fixture
def world(tmp_path):
    """Acme's account is fresh, Beta's fails, one waits and is stale."""
    world = make_world(tmp_path)
    with writing(world.scope) as session:
        waiting = Customer(slug=SYSTEM_CUSTOMER, name="Unassigned accounts")
        session.add(waiting)
        session.flush()
        for owner, sid, hours, error in (
            (ACME, ACME_SID, 1, None),
            (BETA, BETA_SID, 2, "refused"),
            (waiting.id, "AC" + "c" * 32, 30, None),
        ):
            read = {"synced_at": NOW - timedelta(hours=hours), "sync_error": error}
            session.add(
                Account(customer_id=owner, sid=sid, starts_on=date(2026, 1, 1), name="Shop", **read)
            )
        for sid, differences in ((ACME_SID, []), (BETA_SID, [{"category": "sms"}])):
            session.add(_month(sid, differences))
    return world


def _month(sid, differences):
    amounts = {"ours": D(1), "theirs": D(1), "roots": D(1)}
    terms = {"month": date(2026, 2, 1), "checked_at": NOW, **amounts}
    return Reconciliation(account_sid=sid, differences=differences, **terms)


def add_run(world, status="ok", **figures):
    ended = None if status == "running" else NOW - timedelta(minutes=5)
    began = NOW - timedelta(minutes=6)
    with writing(world.scope) as session:
        session.add(SyncRun(started_at=began, finished_at=ended, status=status, **figures))


def scraped(world, now=NOW):
    """Values by (name, the one label's value)."""
    text = exposition(make_door(world, metrics_token=TOKEN), now).decode()
    return {
        (sample.name, next(iter(sample.labels.values()), None)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def client_of(world, **settings):
    return make_client(make_door(world, **settings))


def test_without_the_setting_there_is_no_such_address(world):
    answer = client_of(world).get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "given",
    ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", f"bearer  {TOKEN}", "Bearer ü"],
)
def test_without_the_token_nothing_is_said(world, given):
    headers = {"authorization": given.encode()} if given else {}
    answer = client_of(world, metrics_token=TOKEN).get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "dashboard_" not in answer.text


def test_with_the_token_it_is_prometheus_text_that_nobody_keeps(world):
    answer = client_of(world, metrics_token=TOKEN).get(
        "/metrics", headers={"authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    assert list(text_string_to_metric_families(answer.text))


def test_a_session_is_no_token(world):
    client = client_of(world, metrics_token=TOKEN)
    client.cookies.set("dash_session", world.sign_in(world.bill))
    assert client.get("/metrics").status_code == 401


def test_it_takes_no_other_request(world):
    headers = {"authorization": f"Bearer {TOKEN}", "origin": "http://localhost:8501"}
    assert (
        client_of(world, metrics_token=TOKEN).post("/metrics", headers=headers).status_code == 405
    )


def test_counters_sum_over_all_runs_that_are_over(world):
    add_run(world, rows=10, retries=2, revisions=1, answers={"200": 5, "429": 2})
    add_run(world, "failed", answers={"timeout": 3})
    add_run(world, "running")
    values = scraped(world)
    assert values["dashboard_sync_requests_total", "200"] == 5
    assert values["dashboard_sync_requests_total", "429"] == 2
    assert values["dashboard_sync_requests_total", "timeout"] == 3
    assert values["dashboard_sync_rows_total", None] == 10
    assert values["dashboard_sync_retries_total", None] == 2
    assert values["dashboard_sync_revisions_total", None] == 1
    assert values["dashboard_sync_runs_total", "ok"] == 1
    assert values["dashboard_sync_runs_total", "failed"] == 1
    assert ("dashboard_sync_runs_total", "running") not in values


def test_no_counter_falls_when_a_run_begins_and_ends(world):
    add_run(world, rows=10, answers={"200": 5})
    before = scraped(world)
    add_run(world, "running")
    between = scraped(world)
    add_run(world, "partial", rows=1, answers={"200": 1})
    after = scraped(world)
    for name in [key for key in before if key[0].endswith("_total")]:
        assert before[name] <= between[name] <= after[name]


def test_a_run_that_got_through_is_the_last_success(world):
    assert ("dashboard_sync_last_success_timestamp_seconds", None) not in scraped(world)
    add_run(world, "partial")
    ended = (NOW - timedelta(minutes=5)).timestamp()
    assert scraped(world)["dashboard_sync_last_success_timestamp_seconds", None] == ended


def test_accounts_are_counted_by_state_and_lag_by_sid(world):
    values = scraped(world)
    states = {label: n for (name, label), n in values.items() if name == "dashboard_accounts"}
    assert states == {"fresh": 1, "failing": 1, "stale": 1, "waiting": 1, "resting": 0}
    assert values["dashboard_sync_account_lag_seconds", ACME_SID] == 3600
    assert values["dashboard_sync_account_lag_seconds", BETA_SID] == 7200


def test_months_are_counted_by_whether_they_foot(world):
    values = scraped(world)
    assert values["dashboard_reconciliation_months", "equal"] == 1
    assert values["dashboard_reconciliation_months", "different"] == 1


def test_it_says_whether_a_sync_runs_right_now(world):
    assert scraped(world)["dashboard_sync_running", None] == 0
    with writing(world.scope) as session:
        left = {"taken_at": NOW, "expires_at": NOW + timedelta(seconds=45)}
        session.add(SyncLease(name="sync", holder="a:1:x", **left))
    assert scraped(world)["dashboard_sync_running", None] == 1
    assert scraped(world, NOW + timedelta(minutes=1))["dashboard_sync_running", None] == 0


def test_no_customers_name_is_in_it(world):
    add_run(world, error=f"{ACME_SID}: Acme was refused")
    text = exposition(make_door(world, metrics_token=TOKEN), NOW).decode()
    assert ACME_SID in text
    assert not [word for word in ("Acme", "acme", "Beta", "beta", "Shop", "Sons") if word in text]


def test_an_empty_database_has_its_counters_at_nought(world):
    with writing(world.scope) as session:
        for table in (Account, Reconciliation):
            session.execute(delete(table))
    values = scraped(world)
    assert values["dashboard_sync_requests_total", "429"] == 0
    assert values["dashboard_sync_runs_total", "ok"] == 0
    assert values["dashboard_accounts", "fresh"] == 0
