"""Reconciliation: whole months against our days; what differs is read again, or kept for staff."""

from datetime import date
from decimal import Decimal as D

import pytest
from sqlmodel import col, select, update

from data.models import (
    USAGE_RECORDS,
    Account,
    Reconciliation,
    SyncCursor,
    UsageRecord,
    UsageRevision,
)
from data.scope import reading, writing
from data.twilio.account_list import known_accounts
from data.twilio.months import MONTHS, reconcile
from data.twilio.reading import KnownAccount
from tests.little_twilio import DAY, LittleTwilio, reading_of, run
from tests.readings import rows_of
from tests.servers import refusal
from tests.stores import ACME_SID, BETA_SID, customers

TODAY = date(2026, 4, 20)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
HISTORY = (TODAY - date(2026, 1, 20)).days
USED_ON = [date(2026, 1, 20) + n * DAY for n in range(HISTORY + 1)]
NAMES = ("account_sid", "month", "ours", "theirs", "roots")
LATE = date(2026, 3, 10)


@pytest.fixture
def two(store, twilio):
    """Two accounts, used every day since the 20th of January, and read."""
    store.put(*customers())
    for sid, price in ((ACME_SID, "0.5"), (BETA_SID, "0.25")):
        for day in USED_ON:
            twilio.use(sid, day, price)
    run(store, twilio, today=TODAY, history_days=HISTORY)
    twilio.asked.clear()
    return store


def check(store, twilio: LittleTwilio, *, today: date = TODAY, sid: str = ACME_SID, **terms) -> int:
    """How many months of the account had to be read again."""
    reader = reading_of(store, twilio, today=today, history_days=HISTORY, **terms)
    (account,) = (one for one in known_accounts(store.owner, today=today) if one.sid == sid)
    return reconcile(reader, account)


def kept(store, sid: str = ACME_SID) -> dict[date, Reconciliation]:
    with reading(store.owner) as session:
        rows = session.exec(select(Reconciliation).where(Reconciliation.account_sid == sid)).all()
    return {row.month: row for row in rows}


def cost(store, day: date, category: str = "sms", sid: str = ACME_SID) -> D | None:
    with reading(store.owner) as session:
        return session.exec(
            select(UsageRecord.cost).where(
                UsageRecord.account_sid == sid,
                UsageRecord.day == day,
                UsageRecord.category == category,
            )
        ).first()


def spoilt(store, day: date, **figures) -> None:
    """What the store holds of the day is wrong."""
    with writing(store.owner) as session:
        session.execute(
            update(UsageRecord)
            .where(
                col(UsageRecord.account_sid) == ACME_SID,
                col(UsageRecord.day) == day,
                col(UsageRecord.category) == "sms",
            )
            .values(**figures)
        )


def test_months_that_foot_are_kept_as_equal(two, twilio):
    assert check(two, twilio) == check(two, twilio, sid=BETA_SID) == 0
    found = rows_of(two, Reconciliation, *NAMES)
    per_day = {ACME_SID: D("0.5"), BETA_SID: D("0.25")}
    assert found == [
        (sid, month, *[price * n] * 3)
        for sid, price in per_day.items()
        for month, n in ((FEBRUARY, 28), (MARCH, 31))
    ]
    assert all(one.differences == [] for one in kept(two).values())


def test_months_that_foot_take_one_request(two, twilio):
    check(two, twilio)
    assert twilio.asked_of(ACME_SID) == ["Monthly"]


def test_a_half_known_month_is_left_out(two, twilio):
    check(two, twilio)
    assert min(kept(two)) == FEBRUARY


def test_a_history_that_begins_with_a_month_has_it_whole(store, twilio):
    store.put(*customers())
    twilio.use(ACME_SID, MARCH, "0.5")
    history = (TODAY - MARCH).days
    run(store, twilio, today=TODAY, history_days=history)
    check(store, twilio)
    assert min(kept(store)) == MARCH


@pytest.mark.parametrize(
    ("today", "last"),
    [
        pytest.param(date(2026, 4, 3), FEBRUARY, id="a day of March is still settling"),
        pytest.param(date(2026, 4, 4), MARCH, id="all of March has settled"),
        pytest.param(date(2026, 4, 30), MARCH, id="April is not over"),
    ],
)
def test_a_month_counts_once_its_last_day_has_settled(two, twilio, today, last):
    check(two, twilio, today=today)
    assert max(kept(two)) == last


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({"cost": D("0.6")}, id="a price"),
        pytest.param({"usage": D(5)}, id="a quantity, at the same price"),
        pytest.param({"count": D(5)}, id="a count"),
        pytest.param({"cost": None, "usage": None, "count": None}, id="nothing"),
    ],
)
def test_a_month_that_differs_is_read_again_and_then_foots(two, twilio, figures):
    spoilt(two, LATE, **figures)
    assert check(two, twilio) == 1
    row = kept(two)[MARCH]
    assert (row.ours, row.theirs, row.differences) == (D("15.5"), D("15.5"), [])
    assert cost(two, LATE) == D("0.5")
    assert check(two, twilio) == 0


def test_only_the_month_that_differs_is_read_again(two, twilio):
    spoilt(two, LATE, cost=D(9))
    check(two, twilio)
    asked = [one for one in twilio.asked if one.what == "Daily"]
    assert {(one.query["StartDate"], one.query["EndDate"]) for one in asked} == {
        ("2026-03-01", "2026-03-31")
    }


def test_a_category_moved_between_two_accounts_is_found(two, twilio):
    """The total of all accounts is the same, so that no other look would see it."""
    twilio.use(ACME_SID, LATE, "0.1")
    twilio.use(BETA_SID, LATE, "0.65")
    for sid in (ACME_SID, BETA_SID):
        assert check(two, twilio, sid=sid) == 1
    assert (cost(two, LATE), cost(two, LATE, sid=BETA_SID)) == (D("0.1"), D("0.65"))


def test_a_day_that_is_missing_is_filled(two, twilio):
    with writing(two.owner) as session:
        for row in session.exec(select(UsageRecord).where(UsageRecord.day == LATE)).all():
            session.delete(row)
    assert check(two, twilio) == 1
    assert (cost(two, LATE), cost(two, LATE, "totalprice")) == (D("0.5"), D("0.5"))


def test_a_month_read_again_leaves_revisions(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    check(two, twilio)
    assert rows_of(two, UsageRevision, "account_sid", "day", "category", "new_cost") == [
        (ACME_SID, LATE, name, D(9)) for name in ("sms", "totalprice")
    ]


@pytest.fixture
def odd(two, twilio):
    """Twilio's months say more than its days do."""

    def spoil(body):
        whole = body["start_date"] == "2026-03-01" and body["end_date"] == "2026-03-31"
        if whole and body["account_sid"] == ACME_SID and body["category"] == "sms":
            return {**body, "usage": "40", "price": "20"}
        return body

    twilio.spoil = spoil
    return two


def test_what_still_differs_is_kept_with_both_figures(odd, twilio):
    assert check(odd, twilio) == 1
    differences = kept(odd)[MARCH].differences
    assert [(one["category"], one["figure"]) for one in differences] == [
        ("sms", "usage"),
        ("sms", "price"),
    ]
    figures = [(D(one["ours"]), D(one["theirs"])) for one in differences]
    assert figures == [(31, 40), (D("15.5"), 20)]
    assert kept(odd)[FEBRUARY].differences == []


def test_what_twilio_has_mended_is_kept_no_longer(odd, twilio):
    check(odd, twilio)
    twilio.spoil = lambda body: body
    check(odd, twilio)
    assert kept(odd)[MARCH].differences == []


def test_another_customers_months_are_left_alone(odd, twilio):
    check(odd, twilio, sid=BETA_SID)
    before = kept(odd, BETA_SID)
    check(odd, twilio)
    assert [one.model_dump() for one in kept(odd, BETA_SID).values()] == [
        one.model_dump() for one in before.values()
    ]


def test_a_closed_account_is_not_looked_at(two, twilio):
    reader = reading_of(two, twilio, today=TODAY)
    closed = KnownAccount(ACME_SID, "A", status="closed", closed_on=TODAY, first_day=FEBRUARY)
    assert not MONTHS.applies(reader, closed)
    assert not MONTHS.applies(reader, KnownAccount(ACME_SID, "never read"))


def test_a_listing_of_another_account_is_refused_and_changes_nothing(two, twilio):
    check(two, twilio)
    before = rows_of(two, Reconciliation, *NAMES, "checked_at")
    twilio.spoil = lambda body: {**body, "account_sid": BETA_SID}
    with pytest.raises(Exception, match=f"a usage row of {BETA_SID}"):
        check(two, twilio)
    assert rows_of(two, Reconciliation, *NAMES, "checked_at") == before


def test_a_month_read_again_moves_no_cursor_back(two, twilio):
    """The account's usage was read in the same run, further than before it."""
    (before,) = (one for one in known_accounts(two.owner, today=TODAY) if one.sid == ACME_SID)
    tomorrow = TODAY + DAY
    run(two, twilio, today=tomorrow, history_days=HISTORY)
    spoilt(two, LATE, cost=D(9))
    reconcile(reading_of(two, twilio, today=tomorrow, history_days=HISTORY), before)
    with reading(two.owner) as session:
        assert session.get(SyncCursor, (ACME_SID, USAGE_RECORDS)).through == tomorrow


def test_a_month_read_again_does_not_say_that_the_account_is_fresh(two, twilio):
    """Only its usage up to today would be: a month is none of it."""
    with writing(two.owner) as session:
        session.execute(update(Account).values(sync_error="Twilio answers 500."))
    before = rows_of(two, Account, "sid", "synced_at")
    spoilt(two, LATE, cost=D(9))
    check(two, twilio, today=TODAY + DAY)
    assert rows_of(two, Account, "sid", "synced_at") == before
    assert {error for (error,) in rows_of(two, Account, "sync_error")} == {"Twilio answers 500."}


def test_a_figure_that_fits_no_column_fails_its_account_alone(two, twilio):
    def spoil(body):
        whole = body["start_date"] == "2026-03-01" and body["end_date"] == "2026-03-31"
        mine = whole and body["account_sid"] == ACME_SID
        return {**body, "price": "10000000000"} if mine else body

    twilio.spoil = spoil
    report = run(two, twilio, today=TODAY + DAY, history_days=HISTORY)
    assert report.status == "ok"
    assert set(kept(two, BETA_SID)) == {FEBRUARY, MARCH}


def test_a_refused_listing_of_months_fails_no_account(two, twilio):
    twilio.fails[f"{ACME_SID}/Usage/Records/Monthly"] = refusal(401)
    report = run(two, twilio, today=TODAY + DAY, history_days=HISTORY)
    assert (report.failures, kept(two)) == ((), {})
    assert set(kept(two, BETA_SID)) == {FEBRUARY, MARCH}
