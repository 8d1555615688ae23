"""`sync` as a shell calls it: what it plans, reads, says, logs, and how it ends."""

import json
import re
import socket
import subprocess
import sys
import time
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from sqlmodel import select

import data.commands.sync as sync_command
from data.demo.world import AUTH_TOKEN, PARENT_SID
from data.models import TABLES, Account, PhoneNumber, SyncLease, SyncRun, UsageRecord
from data.scope import reading
from data.store import last_run
from tests.command_line import Said, run
from tests.little_twilio import DAY, LittleTwilio
from tests.readings import rows_of
from tests.servers import account_body, refusal
from tests.stores import ACME_SID, BETA_SID, customers, noon

TODAY = date(2026, 3, 20)
HISTORY = 40
USED_ON = [TODAY - n * DAY for n in range(HISTORY + 1)]
CLOSED_SID = "AC" + "c" * 32


@pytest.fixture
def two(shell, store, twilio) -> LittleTwilio:
    """Acme's and Beta's accounts, used daily, and one that was closed before anybody read it."""
    twilio.forget().parent = PARENT_SID
    twilio.open(CLOSED_SID, status="closed")
    for sid in (ACME_SID, BETA_SID):
        twilio.open(sid)
        number = {"sid": f"PN{sid[-1]}", "account_sid": sid, "phone_number": f"+1202555{sid[-1]}"}
        twilio.rows[sid, "IncomingPhoneNumbers"] = [number]
        for day in USED_ON:
            twilio.use(sid, day, "0.5")
    store.put(*customers())
    shell(
        DEMO_TODAY=TODAY,
        HISTORY_DAYS=HISTORY,
        TWILIO_API_BASE=twilio.base,
        STATUS_BASE=twilio.base,
    )
    return twilio


def sync(twilio: LittleTwilio, *options: object) -> Said:
    twilio.asked.clear()
    return run("sync", *options)


def tomorrow(shell, days: int = 1) -> None:
    shell(DEMO_TODAY=TODAY + days * DAY)


def everything(store) -> list:
    with reading(store.owner) as session:
        return [
            sorted(str(row.model_dump()) for row in session.exec(select(table))) for table in TABLES
        ]


def planned(said: Said) -> int:
    """What a dry run says, or what a run says it had planned."""
    found = re.search(r"Plan: (\d+) requests|planned (\d+)", said.out)
    return int(found[1] or found[2])


def usage_days(twilio: LittleTwilio, sid: str) -> list[str]:
    usage = ("Daily", "Records")
    return [one.query["StartDate"] for one in twilio.asked if one.sid == sid and one.what in usage]


def test_a_dry_run_says_its_plan_and_stores_nothing(two, store):
    before = everything(store)
    said = sync(two, "--dry-run")
    assert said.code == 0
    assert re.match(r"Plan: \d+ requests for 3 accounts of 3 at Twilio\n", said.out)
    assert everything(store) == before


def test_a_dry_run_of_a_store_that_was_read_stores_nothing_either(two, store, shell):
    sync(two)
    tomorrow(shell)
    before = everything(store)
    two.accounts[ACME_SID]["friendly_name"] = "Another"
    sync(two, "--dry-run")
    assert everything(store) == before


def test_a_dry_run_that_twilio_refuses_stores_nothing_either(two, store):
    before = everything(store)
    two.fails["Accounts.json"] = refusal(401)
    said = sync(two, "--dry-run")
    assert (said.code, "check TWILIO_ACCOUNT_SID" in said.err) == (1, True)
    assert everything(store) == before


def changed(two: LittleTwilio, what: str) -> None:
    if what == "an account closes":
        two.accounts[ACME_SID]["status"] = "closed"
    elif what == "an account is new":
        two.open("AC" + "e" * 32)
    elif what == "silence is listed":
        two.lists_all = [f"silent-{n}" for n in range(600)]


@pytest.mark.parametrize(
    ("what", "days"),
    [
        pytest.param("nothing new", 0, id="the same day"),
        pytest.param("nothing new", 1, id="a day later"),
        pytest.param("nothing new", 16, id="next month, when the last one is read again"),
        pytest.param("an account is new", 1, id="with a new account"),
        pytest.param("an account closes", 1, id="with a closed account"),
    ],
)
def test_as_many_requests_are_sent_as_a_dry_run_plans(two, shell, what, days):
    sync(two)
    tomorrow(shell, days)
    changed(two, what)
    plan = planned(sync(two, "--dry-run"))
    said = sync(two)
    assert (len(two.asked), planned(said)) == (plan, plan)
    assert f"{plan} requests; planned {plan}" in said.out


def test_a_first_dry_run_plans_what_is_sent_then(two):
    plan = planned(sync(two, "--dry-run"))
    sync(two)
    assert len(two.asked) == plan


def test_where_all_categories_are_listed_the_plan_holds_too(two, shell):
    changed(two, "silence is listed")
    sync(two)
    tomorrow(shell)
    plan = planned(sync(two, "--dry-run"))
    sync(two)
    assert len(two.asked) == plan


def test_one_account_alone_is_read(two, store, shell):
    sync(two)
    tomorrow(shell)
    said = sync(two, "--account", ACME_SID)
    assert said.out.startswith("Synced 1 accounts, ")
    assert {one.sid for one in two.asked} - {"", PARENT_SID} == {ACME_SID}
    assert {"Daily", "IncomingPhoneNumbers", "Triggers"} <= set(two.asked_of(ACME_SID))
    assert set(two.asked_of(PARENT_SID)) == {"Balance"}


def test_one_account_alone_is_read_into_an_empty_store(two, store):
    said = sync(two, "--account", ACME_SID)
    assert (said.code, "Error" in said.err) == (0, False)
    assert {sid for (sid,) in rows_of(store, UsageRecord, "account_sid")} == {ACME_SID}
    assert rows_of(store, PhoneNumber, "account_sid") == [(ACME_SID,)]


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["a run", "a dry run"])
def test_an_account_that_nobody_knows_is_said(two, store, options):
    sid = "AC" + "9" * 32
    said = sync(two, "--account", sid, *options)
    assert (said.code, f"No account {sid} is known" in said.err) == (1, True)
    assert rows_of(store, UsageRecord, "day") == []


def test_everything_since_a_day_is_read_again(two, store, shell):
    sync(two)
    tomorrow(shell)
    since = TODAY - 25 * DAY
    said = sync(two, "--since", since)
    assert said.code == 0
    for sid in (ACME_SID, BETA_SID):
        assert min(usage_days(two, sid)) == since.isoformat()


def test_a_day_that_is_none_is_said(two):
    said = sync(two, "--since", "yesterday")
    assert (said.code, "--since" in said.err) == (2, True)


@pytest.mark.parametrize("text", ["10x", "0s", "-5m"])
def test_an_interval_that_is_none_names_the_option(two, text):
    said = sync(two, f"--every={text}")
    assert said.code != 0
    assert "--every" in said.err
    assert "30s, 15m or 1h" in said.err
    assert two.asked == []


class Stopped(BaseException):
    """The loop has gone round often enough."""


def test_again_and_again_a_run_that_fails_stops_nothing(two, store, monkeypatch):
    rounds = []

    def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 3:
            raise Stopped
        two.fails = {"Accounts.json": refusal(401)} if len(rounds) == 1 else {}

    clock = SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
    monkeypatch.setattr(sync_command, "time", clock)
    with pytest.raises(Stopped):
        sync(two, "--every", "15m")
    assert [status for (status,) in rows_of(store, SyncRun, "status")] == ["failed", "ok", "ok"]
    assert all(1 <= seconds <= 900 for seconds in rounds)


def test_again_and_again_a_run_of_another_process_is_left_to_it(two, store, monkeypatch):
    held(store, "another.example:1:abcd", minutes=10**6)

    def sleep(_: float) -> None:
        raise Stopped

    monkeypatch.setattr(
        sync_command, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
    )
    with pytest.raises(Stopped):
        sync(two, "--every", "15m")
    assert (two.asked, rows_of(store, SyncRun, "status")) == ([], [])


def test_a_run_checks_the_forecasts_of_periods_that_have_settled(two, shell):
    shell(HISTORY_DAYS=100)
    for n in range(HISTORY + 1, 101):
        two.use(ACME_SID, TODAY - n * DAY, "0.5")
    assert "Checked 24 projections of 4 past periods." in sync(two).out
    assert "Checked" not in sync(two).out


def held(store, holder: str, minutes: int = 60) -> None:
    now = sync_command.now()
    expires_at = now + timedelta(minutes=minutes)
    store.put(SyncLease(name="sync", holder=holder, taken_at=now, expires_at=expires_at))


def test_a_run_while_another_one_runs_says_so(two, store):
    held(store, "another.example:1:abcd")
    said = sync(two)
    assert (said.code, two.asked) == (1, [])
    assert "Error: Another sync is running (another.example:1:abcd" in said.err


def test_a_run_that_was_killed_is_marked_by_the_next_one(two, store):
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        pass
    held(store, f"{socket.gethostname()}:{process.pid}:abcd")
    store.put(SyncRun(started_at=noon(TODAY)))
    assert sync(two).code == 0
    found = rows_of(store, SyncRun, "status", "error")
    assert sorted(found, key=str) == [("failed", "it died before its end"), ("ok", None)]


def test_a_run_with_a_failure_says_which_and_ends_badly(two, store):
    two.fails[f"{ACME_SID}/Usage/Records"] = refusal(401)
    said = sync(two)
    assert said.code == 1
    assert f"  {ACME_SID}: Twilio refuses the credentials" in said.err
    assert last_run(store.app).status == "partial"
    assert {sid for (sid,) in rows_of(store, UsageRecord, "account_sid")} == {BETA_SID}


def test_a_run_without_the_list_of_accounts_ends_badly(two, store):
    two.fails["Accounts.json"] = refusal(401)
    assert sync(two).code == 1
    assert {error is None for (error,) in rows_of(store, Account, "sync_error")} == {False}


def test_faults_on_the_way_are_logged_as_json_without_a_secret(two, store):
    """Standard error is no terminal here."""
    two.fails[f"{ACME_SID}/Usage/Records"] = refusal(500, Retry_After=0)
    two.fails[f"{BETA_SID}/IncomingPhoneNumbers"] = refusal(401)
    said = sync(two)
    lines = said.err.splitlines()
    told = [line for line in lines if line.startswith(f"  {ACME_SID}: ")]
    logged = [json.loads(line) for line in lines if line not in told]
    assert (said.code, len(told)) == (1, 1)
    events = {one["event"] for one in logged}
    assert {"twilio.busy", "sync.account_failed", "sync.extra_failed"} <= events
    assert all({"level", "timestamp"} <= one.keys() for one in logged)
    secrets = [AUTH_TOKEN, account_body(ACME_SID)["auth_token"]]
    assert not [secret for secret in secrets if secret in said.out + said.err]


def test_a_run_without_faults_says_what_it_did(two, store):
    said = sync(two)
    run_noted = last_run(store.app)
    assert said.out.splitlines()[0] == (
        f"Synced 3 accounts, {run_noted.rows} rows, {len(two.asked)} requests; "
        f"planned {planned(said)}"
    )
    assert said.code == 0
