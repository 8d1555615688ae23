"""The writing of usage: whole or not at all, only what differs, to the last digit."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from data.errors import InputError, ScopeViolation
from data.models import (
    USAGE_RECORDS,
    Account,
    SyncCursor,
    UsageRecord,
    UsageRevision,
)
from data.scope import engine, reading, writing
from data.twilio.bulk import UsageTable
from data.twilio.intake import Stored, store_reads, stored_totals
from data.twilio.planner import Habit, Window
from data.twilio.reading import AccountRead, KnownAccount
from data.twilio.usage_records import DailyUsage
from tests.readings import rows_of
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers, noon, record

TODAY = date(2026, 3, 20)
DAY = timedelta(days=1)
NOW = noon(TODAY)
LARGEST = 2**63 - 1
FIGURES = ("account_sid", "day", "category", "count", "usage", "cost")
SIDS = {ACME: ACME_SID, BETA: BETA_SID}


def row(day: date, cost: object = "0.5", category: str = "sms", **figures: D | None) -> DailyUsage:
    given = {"count": D(1), "usage": D(2), "cost": D(str(cost)), **figures}
    return DailyUsage(day, category, given["count"], given["usage"], given["cost"], "USD", NOW)


def read(
    sid: str,
    rows: Iterable[DailyUsage],
    first: date = TODAY - 9 * DAY,
    last: date = TODAY,
    **known: object,
) -> AccountRead:
    """The account's days from `first` to `last`; it was read before, yesterday at noon."""
    before = {"first_day": TODAY - 30 * DAY, "read_at": NOW - DAY, "through": TODAY - DAY, **known}
    return AccountRead(KnownAccount(sid, "A", **before), (Window(first, last),), (*rows,), last)


@pytest.fixture
def two(store):
    """Each customer has ten days of SMS."""
    store.put(*customers())
    rows = [row(TODAY - n * DAY) for n in range(10)]
    first = [read(sid, rows, read_at=None, first_day=None) for sid in SIDS.values()]
    store_reads(store.owner, first, NOW - DAY)
    return store


def stored(store, sid: str = ACME_SID) -> dict[date, D | None]:
    return {one.day: one.cost for one in all_of(store, sid)}


def everything(store) -> list:
    tables = (UsageRecord, UsageRevision, SyncCursor, Account)
    return [rows_of(store, table, *table.model_fields) for table in tables]


def test_a_window_is_replaced_and_nothing_beside_it(two):
    before = {sid: stored(two, sid) for sid in SIDS.values()}
    first, last = TODAY - 5 * DAY, TODAY - 3 * DAY
    store_reads(two.owner, [read(ACME_SID, [row(TODAY - 4 * DAY, "7")], first, last)], NOW)
    expected = {day: cost for day, cost in before[ACME_SID].items() if not first <= day <= last}
    assert stored(two) == {**expected, TODAY - 4 * DAY: D(7)}
    assert stored(two, BETA_SID) == before[BETA_SID]


def test_several_windows_are_replaced_together(two):
    windows = tuple(Window(TODAY - n * DAY, TODAY - n * DAY) for n in (9, 2))
    one = replace(read(ACME_SID, [row(TODAY - 2 * DAY, "7")]), windows=windows)
    store_reads(two.owner, [one], NOW)
    found = stored(two)
    assert (TODAY - 9 * DAY in found, found[TODAY - 2 * DAY], len(found)) == (False, D(7), 9)


TOO_LARGE = [
    pytest.param({"cost": D("9223372036.854775808")}, id="a cost"),
    pytest.param({"cost": -D("9223372036.854775808")}, id="a credit"),
    pytest.param({"usage": D("9223372036854.775808")}, id="a usage"),
    pytest.param({"count": D("1e20")}, id="a count"),
]


@pytest.mark.parametrize("figures", TOO_LARGE)
def test_a_figure_that_does_not_fit_leaves_everything_of_the_whole_batch(two, figures):
    before = everything(two)
    reads = [
        read(ACME_SID, [row(TODAY, "7")]),
        read(BETA_SID, [row(TODAY - DAY, "7"), replace(row(TODAY), **figures)]),
    ]
    with pytest.raises(InputError, match="does not fit"):
        store_reads(two.owner, reads, NOW)
    assert everything(two) == before


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_figures_fit(two, sign):
    cost = D(sign * LARGEST).scaleb(-9)
    count = D(sign * LARGEST).scaleb(-6)
    rows = [row(TODAY, cost, count=count, usage=count)]
    store_reads(two.owner, [read(ACME_SID, rows, TODAY)], NOW)
    found = [one for one in rows_of(two, UsageRecord, *FIGURES) if one[1] == TODAY]
    assert found[0] == (ACME_SID, TODAY, "sms", count, count, cost)


def number(places: int):
    whole = st.integers(-LARGEST, LARGEST) | st.integers(-(10**6), 10**6)
    return st.none() | whole.map(lambda n: D(n).scaleb(-places))


ROWS = st.dictionaries(
    st.tuples(st.integers(0, 9), st.sampled_from(["sms", "calls", "ünï-code", 'a"b\\c', "x\ty"])),
    st.tuples(number(6), number(6), number(9)),
    max_size=12,
)


@settings(max_examples=25)
@given(ROWS)
def test_what_is_stored_is_what_was_read(two, figures):
    rows = [
        DailyUsage(TODAY - back * DAY, name, count, usage, cost, "EUR", None)
        for (back, name), (count, usage, cost) in figures.items()
    ]
    for _ in range(2):  # a second time changes nothing
        said = store_reads(two.owner, [read(ACME_SID, rows)], NOW)
        found = {
            (one.day, one.category): (one.count, one.usage, one.cost, one.cost_currency)
            for one in all_of(two, ACME_SID)
        }
        assert found == {
            (one.day, one.category): (one.count, one.usage, one.cost, "EUR") for one in rows
        }
    assert said == Stored(len(rows), 0)


def all_of(store, sid: str) -> list[UsageRecord]:
    with reading(store.owner) as session:
        return list(session.exec(select(UsageRecord).where(UsageRecord.account_sid == sid)))


class Watch:
    """Which rows of usage are written from now on, by account and day."""

    def __init__(self, store) -> None:
        self.store, self.engine = store, engine(store.settings.admin_url)
        self.postgres = self.engine.dialect.name == "postgresql"
        if self.postgres:
            self.before = self._versions()
            return
        with self.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE written (sid, day)")
            for what, row_of in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER on_{what} AFTER {what} ON usage_record BEGIN "
                    f"INSERT INTO written VALUES ({row_of}.account_sid, {row_of}.day); END"
                )

    def _versions(self) -> dict:
        with reading(self.store.owner) as session:
            rows = session.connection().exec_driver_sql(
                "SELECT account_sid, day, category, xmin::text, ctid::text FROM usage_record"
            )
            return {tuple(one[:3]): tuple(one[3:]) for one in rows}

    def written(self) -> set[tuple[str, date]]:
        if self.postgres:
            after = self._versions()
            keys = self.before.keys() | after.keys()
            return {key[:2] for key in keys if self.before.get(key) != after.get(key)}
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT sid, day FROM written").all()
        return {(sid, date.fromisoformat(day)) for sid, day in rows}


def test_only_rows_that_differ_are_written(two):
    watch = Watch(two)
    rows = [row(TODAY - n * DAY) for n in range(10)]
    rows[3] = row(TODAY - 3 * DAY, "7")
    del rows[6]
    reads = [read(ACME_SID, rows), read(BETA_SID, [row(TODAY - n * DAY) for n in range(10)])]
    store_reads(two.owner, reads, NOW)
    assert watch.written() == {(ACME_SID, TODAY - 3 * DAY), (ACME_SID, TODAY - 6 * DAY)}


@pytest.mark.parametrize(
    "figures",
    [{"count": D(9)}, {"usage": D(9)}, {"cost": D(9)}, {"cost": None}, {"cost_currency": "EUR"}],
    ids=["count", "usage", "cost", "no cost", "currency"],
)
def test_any_figure_that_differs_is_written(two, figures):
    rows = [replace(row(TODAY), **figures)]
    store_reads(two.owner, [read(ACME_SID, rows, TODAY)], NOW)
    (found,) = (one for one in all_of(two, ACME_SID) if one.day == TODAY)
    assert {name: getattr(found, name) for name in figures} == figures


REVISED = ("customer_id", "account_sid", "day", "old_cost", "new_cost")


def test_only_days_that_were_over_when_they_were_read_leave_a_revision(two):
    """They were read yesterday at noon: yesterday was going on, the day before was over."""
    rows = [row(TODAY - n * DAY, "7") for n in range(10)]
    said = store_reads(two.owner, [read(ACME_SID, rows)], NOW)
    found = rows_of(two, UsageRevision, *REVISED)
    assert found == [(ACME, ACME_SID, TODAY - n * DAY, D("0.5"), D(7)) for n in range(9, 1, -1)]
    assert said.revisions == len(found)


def test_what_appears_and_what_goes_leave_revisions_too(two):
    rows = [row(TODAY - n * DAY) for n in range(10) if n != 4]
    rows.append(row(TODAY - 5 * DAY, "3", "calls"))
    store_reads(two.owner, [read(ACME_SID, rows)], NOW)
    assert rows_of(two, UsageRevision, *REVISED) == [
        (ACME, ACME_SID, TODAY - 5 * DAY, None, D(3)),
        (ACME, ACME_SID, TODAY - 4 * DAY, D("0.5"), None),
    ]


@pytest.mark.parametrize(
    "known",
    [{"read_at": None}, {"first_day": None}, {"first_day": TODAY}],
    ids=["never read", "no first day", "days before those known"],
)
def test_what_was_never_read_before_leaves_no_revision(two, known):
    rows = [row(TODAY - n * DAY, "7") for n in range(10)]
    store_reads(two.owner, [read(ACME_SID, rows, **known)], NOW)
    assert rows_of(two, UsageRevision, *REVISED) == []


def test_of_two_changes_in_one_moment_the_last_is_kept_with_what_was_before_both(two):
    for cost in ("7", "8"):
        store_reads(two.owner, [read(ACME_SID, [row(TODAY - 4 * DAY, cost)], TODAY - 4 * DAY)], NOW)
    day = [one for one in rows_of(two, UsageRevision, *REVISED) if one[2] == TODAY - 4 * DAY]
    assert day == [(ACME, ACME_SID, TODAY - 4 * DAY, D("0.5"), D(8))]


def test_a_change_is_marked_from_its_earliest_day(two):
    assert dict(rows_of(two, Account, "sid", "changed_from")) == dict.fromkeys(
        SIDS.values(), TODAY - 9 * DAY
    )
    with writing(two.owner) as session:
        for one in session.exec(select(Account)):
            one.changed_from = None
    rows = [row(TODAY - n * DAY, "7" if n in (3, 6) else "0.5") for n in range(10)]
    same = [row(TODAY - n * DAY) for n in range(10)]
    store_reads(two.owner, [read(ACME_SID, rows), read(BETA_SID, same)], NOW)
    found = dict(rows_of(two, Account, "sid", "changed_from"))
    assert found == {ACME_SID: TODAY - 6 * DAY, BETA_SID: None}


def test_a_day_is_stored_for_its_owner(two):
    """Acme had it until five days ago, nobody for two days, and Beta has it since."""
    sid = "AC" + "c" * 32
    two.put(
        account(ACME, sid, ends_on=TODAY - 5 * DAY),
        account(BETA, sid, starts_on=TODAY - 3 * DAY),
    )
    store_reads(two.owner, [read(sid, [row(TODAY - n * DAY) for n in range(10)])], NOW)
    owners = {one.day: one.customer_id for one in all_of(two, sid)}
    days = [TODAY - n * DAY for n in range(10)]
    assert {day for day in days if owners[day] == ACME} == {TODAY - n * DAY for n in range(6, 10)}
    assert {day for day in days if owners[day] == BETA} == {TODAY - n * DAY for n in range(4)}
    assert len(set(owners.values())) == 3


@pytest.mark.parametrize("status", ["active", "closed"])
def test_a_day_that_has_changed_hands_is_in_the_store_once(two, status):
    """Its row stood under the old owner when the account was read again."""
    sid = "AC" + "c" * 32
    two.put(account(BETA, sid), record(ACME, TODAY, "sms", 2, "0.5", count=1, sid=sid))
    store_reads(two.owner, [read(sid, [row(TODAY)], status=status)], NOW)
    assert [one.customer_id for one in all_of(two, sid)] == [BETA]


def test_a_closed_account_loses_nothing(two):
    before = stored(two)
    said = store_reads(two.owner, [read(ACME_SID, [row(TODAY, "7")], status="closed")], NOW)
    assert stored(two) == {**before, TODAY: D(7)}
    assert said.rows == 1


def test_a_cursor_keeps_the_first_day_and_moves_to_the_last(two):
    one = replace(
        read(ACME_SID, [], TODAY - 40 * DAY, whole_on=TODAY - 60 * DAY),
        habit=Habit(648, 12),
        through=TODAY + DAY,
    )
    for whole, expected in ((False, TODAY - 60 * DAY), (True, TODAY + DAY)):
        store_reads(two.owner, [replace(one, whole=whole)], NOW)
        with reading(two.owner) as session:
            cursor = session.get(SyncCursor, (ACME_SID, USAGE_RECORDS))
        assert (cursor.first_day, cursor.through) == (TODAY - 40 * DAY, TODAY + DAY)
        assert (cursor.whole_on, cursor.rows_per_day, cursor.categories) == (expected, 648, 12)


def test_an_account_knows_as_of_when_its_usage_is(two):
    later = datetime(2026, 3, 20, 11, tzinfo=UTC)
    rows = [row(TODAY), replace(row(TODAY - DAY), as_of=later)]
    store_reads(two.owner, [read(ACME_SID, rows)], NOW + DAY)
    store_reads(two.owner, [read(BETA_SID, [replace(row(TODAY), as_of=None)])], NOW + DAY)
    found = {sid: times for sid, *times in rows_of(two, Account, "sid", "as_of", "synced_at")}
    assert found == {ACME_SID: [NOW, NOW + DAY], BETA_SID: [NOW, NOW + DAY]}


def test_totals_are_of_the_account_whoever_had_it(two):
    sid = "AC" + "c" * 32
    two.put(
        record(ACME, TODAY - DAY, "totalprice", 1, "1.5", sid=sid),
        record(BETA, TODAY, "totalprice", 1, "2.5", sid=sid),
        record(BETA, TODAY, "sms", 1, "9", sid=sid),
    )
    found = stored_totals(two.owner, sid, TODAY - 9 * DAY, TODAY)
    assert found == {TODAY - DAY: D("1.5"), TODAY: D("2.5")}


def test_many_accounts_are_stored_at_once(two):
    fleet = [f"AC{n:032x}" for n in range(1, 301)]
    reads = [read(sid, [row(TODAY, n)], TODAY) for n, sid in enumerate(fleet)]
    assert store_reads(two.owner, reads, NOW) == Stored(300, 0)
    for n, sid in ((0, fleet[0]), (299, fleet[299])):
        assert stored(two, sid) == {TODAY: D(n)}


def test_a_customers_session_may_not_write_in_bulk(two):
    with pytest.raises(ScopeViolation), writing(two.acme) as session:
        UsageTable(session)
