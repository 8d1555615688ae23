"""What becomes of an account, run by run: new, renamed, closed, open again, moved, gone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from sqlmodel import col, select, update

from data.customers import import_customers
from data.models import (
    USAGE_RECORDS,
    Account,
    AccountEvent,
    Alert,
    Customer,
    PhoneNumber,
    SyncCursor,
    UsageRecord,
    UsageRevision,
)
from data.scope import reading, writing
from data.twilio.account_list import ALWAYS
from data.twilio.client import Credentials
from tests.little_twilio import DAY, TODAY, run
from tests.readings import rows_of
from tests.servers import PARENT, refusal
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers, noon

NEW_SID = "AC" + "d" * 32
USED_ON = [TODAY - n * DAY for n in range(30)]
SETTLED = timedelta(days=4)  # after closing; with the three settling days


@pytest.fixture
def two(store, twilio):
    """Each customer's account has been used every day of a month, and was read today."""
    store.put(*customers())
    for sid, price in ((ACME_SID, "0.5"), (BETA_SID, "0.25")):
        for day in USED_ON:
            twilio.use(sid, day, price)
    run(store, twilio)
    return store


def events(store, sid: str = ACME_SID) -> list[tuple[str, str]]:
    with reading(store.owner) as session:
        rows = session.exec(
            select(AccountEvent).where(AccountEvent.account_sid == sid).order_by(AccountEvent.id)
        ).all()
    return [(row.kind, row.detail) for row in rows]


def one(store, sid: str = ACME_SID) -> Account:
    with reading(store.owner) as session:
        return session.exec(select(Account).where(Account.sid == sid)).one()


def days(store, sid: str = ACME_SID, category: str = "sms") -> dict[date, D]:
    with reading(store.owner) as session:
        return dict(
            session.execute(
                select(UsageRecord.day, UsageRecord.cost).where(
                    UsageRecord.account_sid == sid, UsageRecord.category == category
                )
            ).all()
        )


def first_asked(twilio, sid: str = ACME_SID) -> list[str]:
    """The first day of each listing of the account's usage."""
    usage = ("Daily", "Records")
    return [one.query["StartDate"] for one in twilio.asked if one.sid == sid and one.what in usage]


def change(twilio, sid: str = ACME_SID, **terms: str) -> None:
    twilio.accounts[sid].update(terms)


def test_a_new_account_waits_with_its_whole_history(two, twilio):
    twilio.open(NEW_SID, friendly_name="Fresh")
    twilio.use(NEW_SID, TODAY - 30 * DAY, "3")
    report = run(two, twilio, today=TODAY + DAY)
    found = one(two, NEW_SID)
    with reading(two.owner) as session:
        slug = session.get(Customer, found.customer_id).slug
    assert (found.name, found.starts_on, slug) == ("Fresh", ALWAYS, "unassigned")
    assert events(two, NEW_SID) == [("created", "Fresh")]
    # History is counted from today: the day before was in it yesterday.
    assert days(two, NEW_SID) == {}
    run(two, twilio, today=TODAY + DAY, since=TODAY - 30 * DAY)
    assert days(two, NEW_SID) == {TODAY - 30 * DAY: D(3)}
    assert report.failures == ()


def test_a_second_run_tells_nothing_twice(two, twilio):
    before = rows_of(two, AccountEvent, "account_sid", "kind", "detail")
    run(two, twilio, today=TODAY + DAY)
    assert rows_of(two, AccountEvent, "account_sid", "kind", "detail") == before


def test_a_new_name_is_taken_and_told(two, twilio):
    change(twilio, friendly_name="Zebra")
    run(two, twilio, today=TODAY + DAY)
    assert one(two).name == "Zebra"
    assert events(two)[-1] == ("renamed", "Account a → Zebra")


def test_a_suspended_account_is_read_on(two, twilio):
    change(twilio, status="suspended")
    twilio.use(ACME_SID, TODAY + DAY, "7")
    run(two, twilio, today=TODAY + DAY)
    assert (one(two).status, one(two).closed_on) == ("suspended", None)
    assert events(two)[-1] == ("suspended", "was active")
    assert days(two)[TODAY + DAY] == 7


def test_a_suspension_that_ends_is_told(two, twilio):
    for day, status in enumerate(("suspended", "active"), start=1):
        change(twilio, status=status)
        run(two, twilio, today=TODAY + day * DAY)
    assert [kind for kind, _ in events(two)[-2:]] == ["suspended", "reopened"]


@pytest.fixture
def closed(two, twilio):
    change(twilio, status="closed")
    run(two, twilio, today=TODAY + DAY)
    return two


def test_an_account_that_closes_is_read_whole_once_more(closed, twilio):
    assert one(closed).closed_on == TODAY + DAY
    assert events(closed)[-1] == ("closed", "was active")
    assert min(first_asked(twilio)) == min(USED_ON[-1], TODAY - 30 * DAY).isoformat()
    run(closed, twilio, today=TODAY + DAY)
    assert min(first_asked(twilio)) > (TODAY - 5 * DAY).isoformat()


def test_a_day_nobody_has_told_of_is_read_when_the_account_closes(two, twilio):
    """The total of all accounts cannot be had, and Twilio will soon have deleted everything."""
    twilio.use(ACME_SID, USED_ON[20], "99")
    change(twilio, status="closed")
    twilio.fails["IncludeSubaccounts=true"] = refusal(401)
    run(two, twilio, today=TODAY + DAY)
    assert days(two)[USED_ON[20]] == 99


def test_a_closed_account_is_read_until_its_last_days_have_settled(closed, twilio):
    asked = []
    for n in range(2, 9):
        run(closed, twilio, today=TODAY + n * DAY)
        asked.append(bool(first_asked(twilio)))
    settled = asked.index(False)
    assert SETTLED.days <= settled + 1 <= SETTLED.days + 2
    assert not any(asked[settled:])


def test_a_settled_closed_account_is_not_asked_for_at_all(closed, twilio):
    for n in range(2, 9):
        run(closed, twilio, today=TODAY + n * DAY)
    assert twilio.asked_of(ACME_SID) == []
    assert twilio.asked_of(BETA_SID) != []
    before = days(closed)
    assert run(closed, twilio, today=TODAY + 9 * DAY).failures == ()
    assert days(closed) == before


def test_usage_that_comes_late_to_a_closed_account_is_stored(closed, twilio):
    twilio.use(ACME_SID, TODAY, "8")
    run(closed, twilio, today=TODAY + 3 * DAY)
    assert days(closed)[TODAY] == 8


def test_a_closed_account_keeps_what_twilio_deletes(closed, twilio):
    before = days(closed)
    twilio.usage[ACME_SID].clear()
    for n in (2, 3, 40):
        run(closed, twilio, today=TODAY + n * DAY)
    assert days(closed) == before


def test_an_account_that_is_open_again_is_read_again(closed, twilio):
    for n in range(2, 9):
        run(closed, twilio, today=TODAY + n * DAY)
    change(twilio, status="active")
    twilio.use(ACME_SID, TODAY + 9 * DAY, "9")
    run(closed, twilio, today=TODAY + 10 * DAY)
    assert (one(closed).status, one(closed).closed_on) == ("active", None)
    assert [kind for kind, _ in events(closed)[-2:]] == ["closed", "reopened"]
    assert days(closed)[TODAY + 9 * DAY] == 9


def test_an_account_that_closes_a_second_time_is_read_whole_again(closed, twilio):
    change(twilio, status="active")
    run(closed, twilio, today=TODAY + 2 * DAY)
    change(twilio, status="closed")
    run(closed, twilio, today=TODAY + 3 * DAY)
    assert one(closed).closed_on == TODAY + 3 * DAY
    assert min(first_asked(twilio)) <= (TODAY - 27 * DAY).isoformat()


def test_an_account_first_seen_closed_is_read_whole_once(store, twilio):
    store.put(*customers())
    twilio.open(NEW_SID, status="closed")
    twilio.use(NEW_SID, TODAY - 20 * DAY, "4")
    run(store, twilio)
    assert (one(store, NEW_SID).closed_on, days(store, NEW_SID)) == (
        TODAY,
        {TODAY - 20 * DAY: D(4)},
    )
    run(store, twilio)
    assert min(first_asked(twilio, NEW_SID)) > (TODAY - 5 * DAY).isoformat()


def test_a_closed_account_that_twilio_no_longer_lists_is_no_failure(closed, twilio):
    before = days(closed)
    del twilio.accounts[ACME_SID]
    report = run(closed, twilio, today=TODAY + 2 * DAY)
    assert (report.failures, twilio.asked_of(ACME_SID), days(closed)) == ((), [], before)


def test_an_active_account_that_has_vanished_is_said_and_keeps_its_data(two, twilio):
    before = days(two)
    del twilio.accounts[ACME_SID]
    twilio.use(BETA_SID, TODAY + DAY, "6")
    report = run(two, twilio, today=TODAY + DAY)
    assert [sid for sid, _ in report.failures] == [ACME_SID]
    assert report.status == "partial"
    assert "knows no such resource" in one(two).sync_error
    assert days(two) == before
    assert days(two, BETA_SID)[TODAY + DAY] == 6


def test_an_account_whose_owner_withdrew_consent_is_not_read_and_keeps_its_data(two, twilio):
    with writing(two.owner) as session:
        session.execute(
            update(Account)
            .where(col(Account.sid) == ACME_SID)
            .values(withdrawn_at=datetime(2026, 3, 20, 13, tzinfo=UTC))
        )
    before = days(two)
    twilio.use(ACME_SID, TODAY + DAY, "6")
    report = run(two, twilio, today=TODAY + DAY)
    assert (report.failures, twilio.asked_of(ACME_SID), days(two)) == ((), [], before)


def test_the_parents_account_is_refused_with_everything_that_stands_beside_its_usage(two, twilio):
    """A file that names it would show one customer what all of them use and hold."""
    two.put(account(ACME, PARENT))
    number = {"sid": "PN1", "account_sid": PARENT, "phone_number": "+12025550101"}
    twilio.rows[PARENT, "IncomingPhoneNumbers"] = [number]
    report = run(two, twilio, today=TODAY + DAY)
    assert [sid for sid, _ in report.failures] == [PARENT]
    assert PARENT not in {sid for (sid,) in rows_of(two, UsageRecord, "account_sid")}
    assert rows_of(two, PhoneNumber, "number") == []


MOVED_ON = TODAY - 10 * DAY
FILE = """
customers:
  - slug: acme
    name: Acme
    accounts:
      - {{sid: {acme}, from: 2026-01-01, to: {day}}}
  - slug: beta
    name: Beta
    accounts:
      - {{sid: {beta}, from: 2026-01-01}}
      - {{sid: {acme}, from: {day}}}
"""


def alert_body(day: date) -> dict:
    at = f"{day}T10:00:00Z"
    return {
        "sid": f"NO{day:%d}",
        "account_sid": ACME_SID,
        "date_created": at,
        "date_generated": at,
        "error_code": "11200",
        "log_level": "error",
    }


@pytest.fixture
def moved(two, twilio, tmp_path):
    """Acme's account is Beta's from ten days ago on; its alerts are read with a key of its own."""
    keys = {ACME_SID: Credentials(ACME_SID, "secret", "SK" + "a" * 32)}
    twilio.rows["", "Alerts"] = [alert_body(day) for day in (TODAY - 15 * DAY, TODAY - 5 * DAY)]
    run(two, twilio, today=TODAY + DAY, keys=keys)
    path = tmp_path / "customers.yaml"
    path.write_text(FILE.format(acme=ACME_SID, beta=BETA_SID, day=MOVED_ON))
    import_customers(two.owner, path, (), now=noon(TODAY + DAY))
    return two


def by_owner(store, table, first: date = MOVED_ON) -> set[tuple[int, bool]]:
    """Who owns rows of the account, and whether they are of days since the move."""
    with reading(store.owner) as session:
        rows = session.exec(select(table).where(table.account_sid == ACME_SID)).all()
    return {(row.customer_id, row.day >= first) for row in rows}


EACH_ITS_OWN = {(ACME, False), (BETA, True)}


def test_days_before_a_move_stay_with_who_had_the_account_then(moved):
    assert by_owner(moved, UsageRecord) == by_owner(moved, Alert) == EACH_ITS_OWN
    assert ("moved", f"to beta from {MOVED_ON}") in events(moved)


def test_after_a_move_each_day_is_read_to_its_owner(moved, twilio):
    for day in USED_ON:
        twilio.use(ACME_SID, day, "5")
    run(moved, twilio, today=TODAY + 2 * DAY)
    assert by_owner(moved, UsageRecord) == by_owner(moved, UsageRevision) == EACH_ITS_OWN
    # A day is once in the store, whoever has it.
    assert len(rows_of(moved, UsageRecord, "day")) == 2 * 2 * len(USED_ON)
    assert set(days(moved).values()) == {D(5)}


def test_a_moved_account_has_one_state_for_both_its_owners(moved, twilio):
    change(twilio, status="closed", friendly_name="Last")
    run(moved, twilio, today=TODAY + 2 * DAY)
    found = [
        row
        for row in rows_of(moved, Account, "sid", "name", "status", "closed_on")
        if row[0] == ACME_SID
    ]
    assert found == [(ACME_SID, "Last", "closed", TODAY + 2 * DAY)] * 2
    assert [kind for kind, _ in events(moved)].count("closed") == 1


def test_a_cursor_outlives_a_change_of_owner(moved, twilio):
    run(moved, twilio, today=TODAY + 2 * DAY)
    assert min(first_asked(twilio)) >= (TODAY - 3 * DAY).isoformat()
    with reading(moved.owner) as session:
        assert session.get(SyncCursor, (ACME_SID, USAGE_RECORDS)).through == TODAY + 2 * DAY
