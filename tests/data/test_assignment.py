"""Accounts that move, wait and come over: rows of usage carry the owner of their day."""

from datetime import date

import pytest
from sqlmodel import select

from data.models import SYSTEM_CUSTOMER, Account
from data.scope import reading
from data.store import AccountView, find_customers
from data.twilio.account_list import known_accounts, store_accounts
from data.twilio.accounts import TwilioAccount
from data.usage_rows import day_totals
from tests.customer_files import FILE, UNNAMED, importer, scope_of
from tests.stores import ACME_SID, BETA_SID, SYNCED, record

MARCH = (date(2026, 3, 1), date(2026, 4, 1))


@pytest.fixture
def imported(store, tmp_path):
    return importer(store, tmp_path)


def used_days(store, slug, sid=ACME_SID):
    """Whatever days the customer holds the account for."""
    whole = AccountView(sid, "", "", "subaccount", "active", date.min, None, None, None, None)
    return [row.day.day for row in day_totals(scope_of(store, slug), [whole], *MARCH)]


def use(store, slug, *days, sid=ACME_SID):
    owner = scope_of(store, slug).customer_id
    store.put(*(record(owner, date(2026, 3, day), "sms", day, sid=sid) for day in days))


def moved(text=FILE, day="2026-03-10"):
    """Acme's account belongs to Beta from that day on."""
    text = text.replace(f"{ACME_SID}, from: 2026-01-01", f"{ACME_SID}, from: 2026-01-01, to: {day}")
    return text.replace(
        "    plans:\n      - {plan: margin",
        f"      - {{sid: {ACME_SID}, from: {day}}}\n    plans:\n      - {{plan: margin",
    )


def test_days_before_a_move_stay_with_the_old_customer(imported):
    imported()
    use(imported.store, "acme", 8, 9, 10, 11)
    imported(moved())
    assert used_days(imported.store, "acme") == [8, 9]


def test_days_before_a_move_are_invisible_to_the_new_customer(imported):
    imported()
    use(imported.store, "acme", 8, 9, 10, 11)
    imported(moved())
    assert used_days(imported.store, "beta") == [10, 11]


def test_a_move_is_said_with_its_rows(imported):
    imported()
    use(imported.store, "acme", 8, 10)
    assert imported(moved(), dry_run=True) == (
        f"customer acme: account {ACME_SID}: ends_on changed",
        f"customer beta: account {ACME_SID} from 2026-03-10",
        f"account {ACME_SID}: 1 rows of usage moved to the owner of their day",
    )


def test_a_move_undone_gives_the_days_back(imported):
    imported()
    use(imported.store, "acme", 8, 10)
    imported(moved())
    imported()
    assert used_days(imported.store, "acme") == [8, 10]


def test_many_rows_move(imported):
    imported()
    owner = scope_of(imported.store, "acme").customer_id
    imported.store.put(
        *(
            record(owner, date(2026, 3, day), f"category-{n}", n, sid=ACME_SID)
            for day in (9, 10, 11)
            for n in range(210)
        )
    )
    imported(moved())
    assert len(used_days(imported.store, "beta")) == 420


def waiting(store):
    found = [one for one in find_customers(store.owner, "") if one.waiting]
    return [account.sid for one in found for account in one.accounts]


def twilio_lists(store, *sids):
    listed = [TwilioAccount(sid, sid[-3:], "active", "AC0") for sid in sids]
    store_accounts(store.owner, listed, today=SYNCED.date(), now=SYNCED)


def test_an_account_nobody_named_waits_for_an_owner(imported):
    imported()
    twilio_lists(imported.store, "AC" + "c" * 32)
    assert waiting(imported.store) == ["AC" + "c" * 32]


def test_the_system_customers_usage_is_no_customers(imported):
    imported()
    other = "AC" + "c" * 32
    twilio_lists(imported.store, other)
    use(imported.store, SYSTEM_CUSTOMER, 8, sid=other)
    assert [used_days(imported.store, slug, other) for slug in ("acme", "beta")] == [[], []]


def test_an_account_that_waited_comes_over_with_its_days_when_named(imported):
    imported(UNNAMED)
    twilio_lists(imported.store, ACME_SID)
    use(imported.store, SYSTEM_CUSTOMER, 8, 9)
    imported()
    assert (used_days(imported.store, "acme"), waiting(imported.store)) == ([8, 9], [])


def test_days_before_the_first_owner_stay_out_of_sight(imported):
    imported(UNNAMED)
    twilio_lists(imported.store, ACME_SID)
    use(imported.store, SYSTEM_CUSTOMER, 8, 9)
    imported(FILE.replace(f"{ACME_SID}, from: 2026-01-01", f"{ACME_SID}, from: 2026-03-09"))
    assert used_days(imported.store, "acme") == [9]


def test_an_account_named_no_more_waits_again(imported):
    imported()
    use(imported.store, "acme", 8)
    imported(UNNAMED)
    assert (waiting(imported.store), used_days(imported.store, "acme")) == ([ACME_SID], [])


def test_a_customer_named_no_more_lets_its_accounts_go(imported):
    imported()
    use(imported.store, "acme", 8)
    text = "customers:\n" + FILE[FILE.index("  - slug: beta") :]
    assert "customer acme: no longer in the file" in imported(text)
    assert (waiting(imported.store), used_days(imported.store, "acme")) == ([ACME_SID], [])
    assert imported(text) == ()


def test_an_account_of_a_customer_named_no_more_can_be_anothers(imported):
    imported()
    use(imported.store, "acme", 8, 11)
    text = "customers:\n" + moved()[moved().index("  - slug: beta") :]
    imported(text)
    assert used_days(imported.store, "beta") == [11]
    with reading(imported.store.owner) as session:
        owners = session.exec(select(Account.starts_on).where(Account.sid == ACME_SID)).all()
    assert owners == [date(2026, 3, 10)]


def test_a_moved_account_is_read_once(imported):
    imported(moved())
    known = known_accounts(imported.store.owner, today=SYNCED.date())
    assert [account.sid for account in known] == [ACME_SID, BETA_SID]
