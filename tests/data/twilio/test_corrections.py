"""Late corrections: found by one request for all accounts, read again where they are."""

from datetime import date
from decimal import Decimal as D

import pytest
from sqlmodel import col, select, update

from data.models import (
    USAGE_RECORDS,
    Account,
    FleetDay,
    SyncCursor,
    UsageRecord,
    UsageRevision,
)
from data.scope import reading, writing
from tests.little_twilio import DAY, TODAY, LittleTwilio, run
from tests.readings import rows_of
from tests.servers import refusal
from tests.stores import ACME_SID, BETA_SID, customers

USED_ON = [TODAY - n * DAY for n in range(31)]
LATE = TODAY - 12 * DAY
OF_ALL = "IncludeSubaccounts=true"
TOMORROW = TODAY + DAY


@pytest.fixture
def two(store, twilio):
    """Two accounts, used every day of a month and read on two days."""
    store.put(*customers())
    for sid, price in ((ACME_SID, "0.5"), (BETA_SID, "0.25")):
        for day in USED_ON:
            twilio.use(sid, day, price)
    run(store, twilio)
    run(store, twilio)
    return store


def cost(store, sid: str, day: date) -> D | None:
    with reading(store.owner) as session:
        return session.exec(
            select(UsageRecord.cost).where(
                UsageRecord.account_sid == sid,
                UsageRecord.day == day,
                UsageRecord.category == "sms",
            )
        ).first()


def totals_asked(twilio: LittleTwilio) -> list[str]:
    """Accounts that were asked for their own totals of settled days."""
    return [
        one.sid
        for one in twilio.asked
        if one.query.get("Category") == "totalprice" and one.sid != twilio.parent
    ]


def days_read(twilio: LittleTwilio, sid: str) -> list[tuple[str, str]]:
    """The stretches of days of which all categories were asked for."""
    return [
        (one.query["StartDate"], one.query["EndDate"])
        for one in twilio.asked
        if one.sid == sid and one.what == "Daily" and "Category" not in one.query
    ]


def kept(store) -> dict[date, D]:
    return dict(rows_of(store, FleetDay, "day", "cost"))


def through(store, sid: str) -> date:
    with reading(store.owner) as session:
        return session.get(SyncCursor, (sid, USAGE_RECORDS)).through


def test_where_nothing_changed_one_request_is_for_all(two, twilio):
    run(two, twilio, today=TOMORROW)
    of_all = [one for one in twilio.asked if one.query.get("IncludeSubaccounts") == "true"]
    assert [one.sid for one in of_all] == [twilio.parent]
    assert totals_asked(twilio) == []


def test_a_changed_day_is_one_request_an_account_and_read_again_where_it_changed(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    run(two, twilio, today=TOMORROW)
    assert sorted(totals_asked(twilio)) == [ACME_SID, BETA_SID]
    of_acme, of_beta = (set(days_read(twilio, sid)) for sid in (ACME_SID, BETA_SID))
    assert of_acme - of_beta == {(str(LATE), str(LATE))}
    assert (cost(two, ACME_SID, LATE), cost(two, BETA_SID, LATE)) == (9, D("0.25"))


def test_what_was_corrected_is_not_asked_for_again(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    for n in (1, 2):
        run(two, twilio, today=TODAY + n * DAY)
    assert totals_asked(twilio) == []


def test_days_that_changed_apart_are_read_apart_and_neighbours_together(two, twilio):
    for back in (20, 12, 11, 10, 6):
        twilio.use(ACME_SID, TODAY - back * DAY, "9")
    run(two, twilio, today=TOMORROW)
    stretches = [
        (str(TODAY - a * DAY), str(TODAY - b * DAY)) for a, b in ((20, 20), (12, 10), (6, 6))
    ]
    assert set(stretches) <= set(days_read(twilio, ACME_SID))
    assert {cost(two, ACME_SID, TODAY - back * DAY) for back in (20, 12, 11, 10, 6)} == {D(9)}
    assert cost(two, ACME_SID, TODAY - 9 * DAY) == D("0.5")


@pytest.mark.parametrize("price", ["-3", "0"], ids=["a credit", "nothing any more"])
def test_a_correction_downwards_is_one_too(two, twilio, price):
    if price == "0":
        del twilio.usage[ACME_SID][LATE]
    else:
        twilio.use(ACME_SID, LATE, price)
    run(two, twilio, today=TOMORROW)
    assert cost(two, ACME_SID, LATE) == (D(price) if price != "0" else None)


def test_a_correction_leaves_a_revision(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    run(two, twilio, today=TOMORROW)
    found = rows_of(two, UsageRevision, "account_sid", "day", "category", "old_cost", "new_cost")
    assert found == [(ACME_SID, LATE, name, D("0.5"), D(9)) for name in ("sms", "totalprice")]


def test_without_the_total_of_all_every_account_is_asked_for_its_own(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    twilio.fails[OF_ALL] = refusal(401)
    before = kept(two)
    report = run(two, twilio, today=TOMORROW)
    assert sorted(totals_asked(twilio)) == [ACME_SID, BETA_SID]
    assert (cost(two, ACME_SID, LATE), report.failures) == (9, ())
    assert kept(two) == before


def test_a_day_missed_by_an_account_that_failed_is_read_in_its_next_run(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    twilio.use(BETA_SID, LATE, "7")
    twilio.fails[f"{ACME_SID}/Usage/Records"] = refusal(401)
    run(two, twilio, today=TOMORROW)
    assert (cost(two, ACME_SID, LATE), cost(two, BETA_SID, LATE)) == (D("0.5"), 7)
    assert through(two, ACME_SID) <= LATE
    twilio.fails.clear()
    run(two, twilio, today=TOMORROW)
    assert cost(two, ACME_SID, LATE) == 9
    assert through(two, ACME_SID) == TOMORROW


def test_a_day_missed_is_not_forgotten_however_often_the_account_fails(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    twilio.fails[f"{ACME_SID}/Usage/Records"] = refusal(401)
    for n in (1, 2, 3):
        run(two, twilio, today=TODAY + n * DAY)
    twilio.fails.clear()
    run(two, twilio, today=TODAY + 4 * DAY)
    assert cost(two, ACME_SID, LATE) == 9


def test_a_month_read_again_does_not_hide_that_its_account_failed(two, twilio):
    """Usage of the last days cannot be read; months can, and one of them differs."""
    history = {"history_days": 60}
    run(two, twilio, since=TODAY - 60 * DAY, **history)
    for day in (date(2026, 2, 25), LATE):
        twilio.use(ACME_SID, day, "9")
    settling = f"PageSize=1000&StartDate={TODAY - 3 * DAY}"
    twilio.fails[f"{ACME_SID}/Usage/Records/Daily.json?{settling}"] = refusal(401)
    report = run(two, twilio, today=TOMORROW, **history)
    assert [sid for sid, _ in report.failures] == [ACME_SID]
    with reading(two.owner) as session:
        found = session.exec(select(Account).where(col(Account.sid) == ACME_SID)).one()
    assert found.sync_error is not None
    assert found.synced_at.date() < TOMORROW
    twilio.fails.clear()
    run(two, twilio, today=TOMORROW, **history)
    assert cost(two, ACME_SID, LATE) == 9


def test_a_first_comparison_asks_every_account_of_a_store_that_has_data(two, twilio):
    """As after an update from a version that kept neither totals nor habits."""
    with writing(two.owner) as session:
        for row in session.exec(select(FleetDay)).all():
            session.delete(row)
    for sid in (ACME_SID, BETA_SID):
        twilio.use(sid, LATE, "9")
    run(two, twilio, today=TOMORROW)
    assert sorted(totals_asked(twilio)) == [ACME_SID, BETA_SID]
    assert (cost(two, ACME_SID, LATE), cost(two, BETA_SID, LATE)) == (9, 9)


def test_nor_is_the_account_left_out_from_which_the_others_are_planned(two, twilio):
    with writing(two.owner) as session:
        for row in session.exec(select(FleetDay)).all():
            session.delete(row)
        session.execute(update(SyncCursor).values(rows_per_day=0, categories=0))
    for sid in (ACME_SID, BETA_SID):
        twilio.use(sid, LATE, "9")
    run(two, twilio, today=TOMORROW)
    assert (cost(two, ACME_SID, LATE), cost(two, BETA_SID, LATE)) == (9, 9)


def test_totals_are_kept_of_every_settled_day(two, twilio):
    run(two, twilio, today=TOMORROW)
    last = TOMORROW - 4 * DAY
    first = TODAY - 30 * DAY
    days = [first + n * DAY for n in range((last - first).days + 1)]
    assert kept(two) == {day: D("0.75") for day in days}


@pytest.mark.parametrize(
    "terms",
    [{"only": ACME_SID}, {"since": TODAY - 5 * DAY}],
    ids=["a run for one account", "a run since a day"],
)
def test_totals_are_left_by_a_run_that_does_not_ask_all_for_everything(two, twilio, terms):
    before = kept(two)
    for sid in (ACME_SID, BETA_SID):
        twilio.use(sid, LATE, "9")
    run(two, twilio, today=TOMORROW, **terms)
    assert kept(two) == before
    run(two, twilio, today=TOMORROW)
    assert (cost(two, ACME_SID, LATE), cost(two, BETA_SID, LATE)) == (9, 9)


def test_one_account_alone_is_asked_for_all_its_days(two, twilio):
    twilio.use(ACME_SID, LATE, "9")
    run(two, twilio, today=TOMORROW, only=ACME_SID)
    assert (totals_asked(twilio), cost(two, ACME_SID, LATE)) == ([ACME_SID], 9)


def test_after_days_without_a_run_every_change_is_found(two, twilio):
    """Of days that settled meanwhile nothing is kept: they are read because they are next."""
    changed = [TODAY - 20 * DAY, TODAY - 3 * DAY, TODAY - DAY, TODAY, TODAY + 5 * DAY]
    for day in changed:
        twilio.use(ACME_SID, day, "9")
    run(two, twilio, today=TODAY + 15 * DAY)
    assert {cost(two, ACME_SID, day) for day in changed} == {D(9)}
