"""What the sync's page and /metrics ask: runs, freshness, corrections, months, events."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest

from data.models import (
    SYSTEM_CUSTOMER,
    USAGE_RECORDS,
    AccountEvent,
    Customer,
    Reconciliation,
    SyncCursor,
    SyncLease,
    SyncRun,
    UsageRevision,
)
from data.revisions import (
    Change,
    RevisedCategory,
    RevisedDay,
    different_months,
    month_counts,
    revised_days,
    revisions,
)
from data.sync_history import (
    AccountCounts,
    account_counts,
    account_events,
    account_freshness,
    lease_holder,
    recent_runs,
    sync_totals,
    synced_ats,
)
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers

TODAY = date(2026, 3, 20)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
WAITING, WAITING_SID = 103, "AC" + "c" * 32
DAY = date(2026, 3, 3)


@pytest.fixture
def filled(store):
    """Acme and Beta, read this morning, and an account that waits for an owner."""
    store.put(
        *customers(),
        Customer(id=WAITING, slug=SYSTEM_CUSTOMER, name="Unassigned accounts"),
        account(WAITING, WAITING_SID, starts_on=date(1970, 1, 1)),
    )
    return store


def run(hours_ago: int, status: str = "ok", **figures) -> SyncRun:
    began = NOW - timedelta(hours=hours_ago)
    ended = None if status == "running" else began + timedelta(seconds=20)
    return SyncRun(started_at=began, finished_at=ended, status=status, **figures)


def revision(owner: int, category: str, usage, cost, *, seen=NOW, day=DAY) -> UsageRevision:
    """`usage` and `cost` as (old, new)."""
    figures = [None if value is None else D(value) for value in (*usage, *cost)]
    names = ("old_usage", "new_usage", "old_cost", "new_cost")
    return UsageRevision(
        customer_id=owner,
        day=day,
        category=category,
        account_sid=ACME_SID if owner == ACME else BETA_SID,
        seen_at=seen,
        **dict(zip(names, figures, strict=True)),
    )


def accounts(store, **terms):
    found = account_freshness(store.app, today=TODAY, now=NOW, **terms)
    return [one.sid for one in found]


def counts(store) -> AccountCounts:
    return account_counts(store.app, today=TODAY, now=NOW)


# Runs


def test_runs_come_newest_first_with_what_they_asked_and_got(filled):
    figures = {
        "requests": 40,
        "planned": 38,
        "retries": 2,
        "answers": {"200": 38, "429": 2},
        "twilio_seconds": D("3.2"),
        "error": "AC…: refused",
    }
    filled.put(run(3), run(1, "partial", **figures))
    last, first = recent_runs(filled.app)
    assert (last.status, first.status) == ("partial", "ok")
    assert (last.took, last.too_many) == (timedelta(seconds=20), D("0.05"))
    assert (last.per_second, last.twilio_seconds_each) == (2, D("0.08"))
    assert last.answers == {"200": 38, "429": 2}
    assert last.error == "AC…: refused"


def test_a_run_that_asked_nothing_has_no_pace(filled):
    filled.put(run(1), run(0, "running"))
    running, idle = recent_runs(filled.app)
    assert (idle.too_many, idle.twilio_seconds_each) == (0, None)
    assert (running.took, running.per_second) == (None, None)


def test_only_so_many_runs_are_read(filled):
    filled.put(*(run(hours) for hours in range(5)))
    assert len(recent_runs(filled.app, limit=3)) == 3


def test_totals_are_sums_over_the_runs_that_are_over(filled):
    filled.put(
        run(5, rows=10, retries=1, revisions=2, answers={"200": 3, "429": 1}),
        run(4, "partial", rows=5, answers={"200": 2}),
        run(2, "failed", answers={"timeout": 4}),
        run(1, "running"),
    )
    totals = sync_totals(filled.app)
    assert totals.answers == {"200": 5, "429": 1, "timeout": 4}
    assert (totals.rows, totals.retries, totals.revisions) == (15, 1, 2)
    assert totals.runs == {"ok": 1, "partial": 1, "failed": 1}
    assert totals.last_success == NOW - timedelta(hours=4) + timedelta(seconds=20)


def test_totals_of_no_run_are_nothing(filled):
    totals = sync_totals(filled.app)
    assert (totals.answers, totals.rows, totals.runs, totals.last_success) == ({}, 0, {}, None)


@pytest.mark.parametrize(("left", "holds"), [(30, True), (0, False), (-1, False)])
def test_a_lease_counts_until_it_runs_out(filled, left, holds):
    expires = NOW + timedelta(seconds=left)
    filled.put(SyncLease(name="sync", holder="a:1:x", taken_at=NOW, expires_at=expires))
    holder = lease_holder(filled.app, now=NOW)
    assert (holder.name if holder else None) == ("a:1:x" if holds else None)


# Accounts


def test_an_account_is_shown_with_its_owner_of_today_and_how_far_it_is_read(filled):
    filled.put(
        SyncCursor(
            account_sid=ACME_SID,
            resource=USAGE_RECORDS,
            first_day=DAY,
            through=TODAY,
            read_at=NOW,
        ),
        SyncCursor(
            account_sid=ACME_SID, resource="alerts", first_day=DAY, through=DAY, read_at=NOW
        ),
    )
    found = {one.sid: one for one in account_freshness(filled.app, today=TODAY, now=NOW)}
    assert len(found) == 3
    acme, beta, waiting = found[ACME_SID], found[BETA_SID], found[WAITING_SID]
    assert (acme.customer, acme.through, acme.waiting) == ("Acme", TODAY, False)
    assert (beta.customer, beta.through) == ("Beta", None)
    assert waiting.waiting


def test_an_account_that_moved_is_its_new_owners_alone(filled):
    moved = "AC" + "d" * 32
    filled.put(
        account(ACME, moved, ends_on=date(2026, 3, 1)),
        account(BETA, moved, starts_on=date(2026, 3, 1)),
    )
    found = account_freshness(filled.app, today=TODAY, now=NOW)
    assert [one.customer for one in found if one.sid == moved] == ["Beta"]


def test_the_worst_comes_first_and_those_at_rest_last(filled):
    failing, old, never, closed, gone = (f"AC{letter * 32}" for letter in "12345")
    filled.put(
        account(ACME, closed, status="closed", sync_error="gone"),
        account(BETA, gone, withdrawn_at=NOW, synced_at=None),
        account(ACME, old, synced_at=NOW - timedelta(hours=27)),
        account(BETA, never, synced_at=None),
        account(BETA, failing, sync_error="refused"),
    )
    assert accounts(filled)[:3] == [failing, never, old]
    assert set(accounts(filled)[-2:]) == {closed, gone}
    assert accounts(filled, which="failing") == [failing]
    assert accounts(filled, which="stale") == [never, old]
    assert accounts(filled, which="waiting") == [WAITING_SID]
    assert counts(filled) == AccountCounts(fresh=3, stale=2, failing=1, resting=2, waiting=1)
    assert counts(filled).all == len(accounts(filled))


def test_a_leaf_of_the_list_follows_the_one_before(filled):
    filled.put(*(account(BETA, f"AC{n:032x}") for n in range(7)))
    leaves = [accounts(filled, limit=4, offset=offset) for offset in (0, 4, 8)]
    assert [len(leaf) for leaf in leaves] == [4, 4, 2]
    assert len({sid for leaf in leaves for sid in leaf}) == 10


def test_lags_are_of_accounts_that_were_read_and_are_open(filled):
    filled.put(
        account(ACME, "AC" + "1" * 32, status="closed"),
        account(BETA, "AC" + "2" * 32, synced_at=None),
    )
    assert synced_ats(filled.app, today=TODAY).keys() == {ACME_SID, BETA_SID, WAITING_SID}


def test_an_account_without_a_name_of_its_own_is_called_as_the_isv_calls_it(filled):
    one, two = "AC" + "1" * 32, "AC" + "2" * 32
    filled.put(account(ACME, one, name="", application="Shop"), account(BETA, two, name=""))
    names = {a.sid: a.name for a in account_freshness(filled.app, today=TODAY, now=NOW)}
    assert (names[one], names[two]) == ("Shop", two)


# Corrections


@pytest.fixture
def revised(filled):
    """Acme's third of March, corrected twice; Beta's, corrected in cost only."""
    earlier = NOW - timedelta(hours=6)
    filled.put(
        revision(ACME, "sms", ("10", "12"), ("1", "1.2"), seen=earlier),
        revision(ACME, "totalprice", ("3", "3.2"), ("3", "3.2"), seen=earlier),
        revision(ACME, "sms", ("12", "15"), ("1.2", "1.5")),
        revision(ACME, "mms", (None, "1"), (None, "0.5")),
        revision(ACME, "totalprice", ("3.2", "4"), ("3.2", "4")),
        revision(BETA, "sms", ("7", "7"), ("0.7", "0.6"), seen=earlier),
        revision(BETA, "totalprice", ("0.7", "0.6"), ("0.7", "0.6"), seen=earlier),
    )
    return filled


def test_corrections_of_a_day_are_summed_from_the_first_figure_to_the_last(revised):
    acme, beta = revisions(revised.app, with_cost=True)
    assert (acme.customer, acme.revised.day, acme.revised.seen_at) == ("Acme", DAY, NOW)
    assert acme.total == Change(D(3), D(4))
    assert [one.category for one in acme.revised.categories] == ["mms", "sms"]
    assert acme.revised.categories[1].usage == Change(D(10), D(15))
    assert acme.costs["sms"] == Change(D(1), D("1.5"))
    assert (beta.customer, beta.total.by) == ("Beta", D("-0.1"))


def test_corrections_without_cost_say_units_only(revised):
    for one in revisions(revised.app, with_cost=False):
        assert (one.total, one.costs) == (None, {})
        assert "totalprice" not in {each.category for each in one.revised.categories}


def test_the_corrections_seen_last_are_read(revised):
    assert [one.customer for one in revisions(revised.app, with_cost=True, limit=1)] == ["Acme"]


def test_a_customers_corrections_are_its_own_and_in_units(revised):
    (day,) = revised_days(revised.acme, NOW - timedelta(days=1))
    assert (day.account_sid, day.day) == (ACME_SID, DAY)
    assert {one.category: one.usage for one in day.categories} == {
        "mms": Change(None, D(1)),
        "sms": Change(D(10), D(15)),
    }
    assert revised_days(revised.beta, NOW - timedelta(days=1)) == ()  # its cost only


def test_a_customer_sees_corrections_since_a_moment(revised):
    (day,) = revised_days(revised.acme, NOW - timedelta(hours=1))
    assert day.categories[1].usage == Change(D(12), D(15))
    assert revised_days(revised.acme, NOW + timedelta(hours=1)) == ()


def test_what_a_customer_gets_has_no_field_for_cost():
    names = {field.name for kind in (RevisedDay, RevisedCategory) for field in fields(kind)}
    assert not {name for name in names if "cost" in name or "total" in name}


def test_a_category_that_twilio_counts_in_money_has_no_units(filled):
    filled.put(
        revision(ACME, "calleridlookups", ("1", "2"), ("1", "2")),
        revision(BETA, "sms", ("1", "2"), ("1", "2")),
    )
    found = revisions(filled.app, with_cost=False)
    by_name = {one.customer: one.revised.categories[0].usage for one in found}
    assert by_name == {"Acme": None, "Beta": Change(D(1), D(2))}
    assert revised_days(filled.acme, DAY_ZERO) == ()


DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)


# Months


def month(sid: str, ours: str, theirs: str, *differences) -> Reconciliation:
    rows = [
        {"category": name, "figure": figure, "ours": own, "theirs": their}
        for name, figure, own, their in differences
    ]
    return Reconciliation(
        account_sid=sid,
        month=date(2026, 2, 1),
        checked_at=NOW,
        ours=D(ours),
        theirs=D(theirs),
        roots=D(ours),
        differences=rows,
    )


@pytest.fixture
def compared(filled):
    filled.put(
        month(ACME_SID, "9", "9"),
        month(
            BETA_SID,
            "8",
            "8.5",
            ("sms", "usage", "80", "85"),
            ("sms", "cost", "8", "8.5"),
            ("totalprice", "usage", "8", "8.5"),
        ),
    )
    return filled


def test_months_that_are_equal_and_those_that_differ_foot(compared):
    counts = month_counts(compared.app)
    assert (counts.equal, counts.different, counts.checked_at) == (1, 1, NOW)


def test_a_month_that_differs_says_in_what(compared):
    (one,) = different_months(compared.app, with_cost=True)
    assert (one.account_sid, one.customer, one.total.by) == (BETA_SID, "Beta", D("0.5"))
    assert len(one.differences) == 3


def test_a_month_that_differs_says_no_amount_to_those_who_may_not_see_cost(compared):
    (one,) = different_months(compared.app, with_cost=False)
    assert one.total is None
    assert [(each.figure, each.ours, each.theirs) for each in one.differences] == [
        ("usage", D(80), D(85))
    ]


def test_before_any_month_was_compared_there_is_none(filled):
    counts = month_counts(filled.app)
    assert (counts.equal, counts.different, counts.checked_at) == (0, 0, None)


# Events


def test_events_come_newest_first_with_whose_account_it_is(filled):
    filled.put(
        AccountEvent(account_sid=ACME_SID, at=NOW, kind="renamed", detail="Old → New"),
        AccountEvent(account_sid=BETA_SID, at=NOW, kind="closed"),
        AccountEvent(account_sid="AC" + "9" * 32, at=NOW - timedelta(days=1), kind="created"),
    )
    closed, renamed, unknown = account_events(filled.app)
    assert (closed.kind, closed.customer) == ("closed", "Beta")
    assert (renamed.detail, renamed.customer) == ("Old → New", "Acme")
    assert (unknown.account, unknown.customer) == ("AC" + "9" * 32, "")
