"""Retention: what is old enough goes, all of it and nothing else; the dry run says so before."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import func
from sqlmodel import select

from data.errors import InputError
from data.models import (
    AccountEvent,
    Alert,
    ApiKey,
    AuditEntry,
    ConnectRequest,
    EmbedCode,
    Incident,
    LogDay,
    LoginAttempt,
    LoginLink,
    LoginSession,
    Membership,
    Person,
    SyncRun,
    Table,
    UsageRecord,
    UsageRevision,
)
from data.retention import BATCH, LEAST_DAYS, POLICIES, Policy, delete_expired, expired, policies
from data.scope import reading, writing
from data.store import last_run
from tests.command_line import run
from tests.readings import rows_of
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, customers, record

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SIDS = {ACME: ACME_SID, BETA: BETA_SID}


def made(table: type[Table], owner: int, number: int, moment: datetime) -> Table:
    """A row of the table whose time is this moment."""
    sid, name = SIDS[owner], f"{owner}-{number}"
    of_tenant = {"customer_id": owner, "account_sid": sid}
    of_login = {"secret_hash": name, "expires_at": moment}
    terms = {
        UsageRevision: {**of_tenant, "day": date(2024, 1, 1), "category": name, "seen_at": moment},
        Alert: {**of_tenant, "sid": name, "day": moment.date(), "at": moment, "code": "1",
                "level": "error"},
        LogDay: {**of_tenant, "day": moment.date(), "kind": "calls", "direction": name,
                 "status": "done", "records": 1, "units": D(1)},
        Incident: {"sid": name, "name": name, "impact": "none", "status": "resolved",
                   "started_at": moment},
        AccountEvent: {"account_sid": sid, "at": moment, "kind": "closed"},
        AuditEntry: {"at": moment, "person_id": owner, "customer_id": owner, "action": name},
        SyncRun: {"started_at": moment, "finished_at": moment},
        LoginSession: {**of_login, "membership_id": owner, "door": "link", "created_at": moment,
                       "idle_until": moment, "idle_seconds": 60},
        LoginLink: {**of_login, "person_id": owner},
        LoginAttempt: {**of_login, "content": {"state": name}},
        EmbedCode: {**of_login, "api_key_id": owner, "customer_id": owner, "role": "viewer",
                    "origin": "https://portal.test"},
        ConnectRequest: {"state_hash": name, "customer_id": owner, "person_id": owner,
                         "expires_at": moment},
    }  # fmt: skip
    return table(**terms[table])


@pytest.fixture
def two(store):
    """Acme and Beta, each with a person and a key."""
    store.put(*customers())
    for owner in SIDS:
        store.put(
            Person(id=owner, email=f"{owner}@example.test", name="P"),
            Membership(id=owner, person_id=owner, customer_id=owner, role="manager"),
            ApiKey(id=owner, name=f"key-{owner}", secret_hash="0", created_at=NOW),
        )
    return store


def put(store, *rows: Table) -> None:
    with writing(store.owner) as session:
        session.add_all(rows)


def left(store, table: type[Table]) -> int:
    with reading(store.owner) as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_every_policy_is_tried():
    assert {made(policy.table, ACME, 0, NOW).__class__ for policy in POLICIES} == {
        policy.table for policy in POLICIES
    }


@pytest.mark.parametrize("policy", POLICIES, ids=[policy.name for policy in POLICIES])
def test_what_a_dry_run_tells_is_what_goes_and_younger_rows_stay(two, policy):
    limit = NOW - policy.days * DAY
    old, young = (limit - DAY, limit - 300 * DAY), (limit + DAY, NOW)
    for owner in SIDS:
        put(two, *(made(policy.table, owner, n, at) for n, at in enumerate((*old, *young))))
    told = expired(two.owner, policy, NOW)
    assert (told.rows, told.before, left(two, policy.table)) == (4, limit.date(), 8)
    assert delete_expired(two.owner, policy, NOW) == told
    assert expired(two.owner, policy, NOW).rows == 0
    if policy.table is SyncRun:
        return  # what remains of runs is told below
    moments = {moment for (moment,) in rows_of(two, policy.table, policy.column)}
    assert moments == {at.date() if policy.table is LogDay else at for at in young}
    assert left(two, policy.table) == 4


SUMS = ("requests", "retries", "rows", "revisions")


def ended(status: str, day: datetime, **terms: object) -> SyncRun:
    numbers = {name: 10 * n + len(status) for n, name in enumerate(SUMS)}
    given = {"started_at": day, "finished_at": day, "answers": {"200": 3, "429": 1}, **numbers}
    return SyncRun(status=status, **{**given, **terms})


@pytest.fixture
def runs(two):
    """Three old runs that went well, one that failed, and yesterday's."""
    old = NOW - 101 * DAY
    put(two, *(ended("ok", old - n * DAY) for n in range(3)), ended("failed", old))
    put(two, ended("ok", NOW - DAY))
    return two


def forget_runs(store) -> int:
    (policy,) = (one for one in POLICIES if one.table is SyncRun)
    return delete_expired(store.owner, policy, NOW).rows


def totals(store) -> tuple[dict, list[int]]:
    """By status what all runs' answers come to, and the other sums over all of them."""
    with reading(store.owner) as session:
        found = session.exec(select(SyncRun)).all()
    answers: dict = {}
    for one in found:
        for name, number in one.answers.items():
            answers[one.status, name] = answers.get((one.status, name), 0) + number
    return answers, [sum(getattr(one, name) for one in found) for name in SUMS]


def test_runs_that_go_leave_their_sum_by_status(runs):
    before = totals(runs)
    assert forget_runs(runs) == 4
    assert totals(runs) == before
    assert rows_of(runs, SyncRun, "status", "folded") == [("failed", 1), ("ok", 0), ("ok", 3)]
    assert forget_runs(runs) == 0


def test_what_goes_later_is_added_to_the_sum(runs):
    forget_runs(runs)
    put(runs, ended("ok", NOW - 101 * DAY))
    before = totals(runs)
    assert forget_runs(runs) == 1
    assert totals(runs) == before
    assert ("ok", 4) in rows_of(runs, SyncRun, "status", "folded")


def test_the_sum_of_old_runs_is_not_the_last_run(runs):
    before = last_run(runs.app)
    forget_runs(runs)
    assert last_run(runs.app) == before


def test_the_very_last_moment_stays(two):
    for policy in POLICIES:
        put(two, made(policy.table, ACME, 0, NOW - policy.days * DAY))
    assert {delete_expired(two.owner, policy, NOW).rows for policy in POLICIES} == {0}


@pytest.mark.parametrize("table", [UsageRevision, LogDay, AccountEvent], ids=lambda t: t.__name__)
def test_more_than_a_batch_goes_whole(two, table):
    (policy,) = (one for one in POLICIES if one.table is table)
    old = NOW - (policy.days + 10) * DAY
    put(two, *(made(table, owner, n, old) for owner in SIDS for n in range(BATCH // 2 + 7)))
    put(two, made(table, BETA, BATCH, NOW))
    assert delete_expired(two.owner, policy, NOW).rows == 2 * (BATCH // 2 + 7) > BATCH
    assert left(two, table) == 1


def test_usage_is_never_deleted(two):
    put(two, *(record(owner, date(2020, 1, 1), "sms", 1, "0.5") for owner in SIDS))
    for policy in POLICIES:
        delete_expired(two.owner, policy, NOW)
    assert left(two, UsageRecord) == 2


def test_a_table_may_be_kept_for_another_time():
    found = {policy.name: policy.days for policy in policies({"alert": 90})}
    assert found == {policy.name: policy.days for policy in POLICIES} | {"alert": 90}


@pytest.mark.parametrize("name", ["usage_record", "statement", "", "Alert"])
def test_a_table_without_a_policy_is_refused_and_those_with_one_are_named(name):
    with pytest.raises(InputError, match=r"has no policy; there are .*alert.*usage_revision"):
        policies({name: 90})


@pytest.mark.parametrize("days", [LEAST_DAYS - 1, 0, -1])
def test_a_time_too_short_is_refused(days):
    with pytest.raises(InputError, match="alert must be kept for 7 days at least"):
        policies({"alert": days})


@pytest.fixture
def shell(two, monkeypatch):
    from data.settings import Settings

    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {
        "DEMO": "1",
        "DEMO_TODAY": "2026-03-20",
        "DATABASE_URL": two.settings.database_url,
        "DATABASE_ADMIN_URL": two.settings.admin_url,
    }.items():
        monkeypatch.setenv(name, value)
    put(two, *(made(Alert, owner, 0, NOW - 100 * DAY) for owner in SIDS))
    return monkeypatch


def test_the_command_deletes_only_when_it_is_told_to(two, shell):
    shell.setenv("RETENTION", '{"alert": 90}')
    said = run("retention")
    assert (said.code, left(two, Alert)) == (0, 2)
    assert "before 2025-12-20: 2 rows" in said.out
    assert run("retention", "--apply").out.endswith("Deleted.\n")
    assert left(two, Alert) == 0


@pytest.mark.parametrize("given", ['{"alert": 3}', '{"usage_record": 90}'])
def test_the_command_refuses_a_wrong_setting_and_deletes_nothing(two, shell, given):
    shell.setenv("RETENTION", given)
    said = run("retention", "--apply")
    assert (said.code, "retention: " in said.err, left(two, Alert)) == (1, True, 2)


def test_a_policy_is_named_as_its_table():
    assert Policy(Alert, "at", 400).name == "alert"
