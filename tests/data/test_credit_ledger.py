"""The stored ledger of credits: appended to, never edited, and equal to the replay."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction
from random import Random
from threading import Barrier, Thread

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from data.billed import credit_history
from data.credit_ledger import post_credits, posted_entries
from data.errors import NotFound
from data.models import CreditEntry, CreditLot
from data.pricing import EntryKind, LineKind
from data.pricing.posting import balance, corrections
from data.scope import reading, writing
from data.statement import statement
from tests.bills import MARCH, agreed, credit_price
from tests.customer_files import FILE, importer, scope_of
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    OPENED,
    close_on,
    credit_row,
    customers,
    noon,
    on_plan,
    recount,
    sms_days,
    version,
)

PLAN = agreed(credit_price())
FIRST = MARCH.start
NOW = noon(date(2026, 3, 20))


def of_march(day):
    return FIRST.replace(day=day)


@pytest.fixture
def two(store):
    """Both draw 50 segments (10 credits) a day of March from a lot of 100 credits."""
    store.put(*customers(), version(PLAN), on_plan(ACME, PLAN), on_plan(BETA, PLAN))
    for owner in (ACME, BETA):
        store.put(*sms_days(owner, FIRST, [50] * 8), credit_row(owner, "first", FIRST))
    return store


def post(store, day, scope=None):
    return post_credits(scope or store.acme, "main", through=of_march(day), now=NOW)


def ledger(store, scope=None):
    return posted_entries(scope or store.acme, "main")


def entries(store, scope=None):
    return [
        (entry.kind.value, entry.lot, entry.day.day, entry.credits)
        for entry in ledger(store, scope)
    ]


def stored(store):
    with reading(store.owner) as session:
        rows = session.exec(select(CreditEntry).order_by(CreditEntry.number)).all()
        return [row.model_dump() for row in rows]


def replayed(store, day, scope=None):
    return credit_history(scope or store.acme, "main", of_march(day) + timedelta(days=1)).entries


def test_what_settled_days_drew_is_posted(two):
    assert post(two, 3) == 4
    assert entries(two) == [
        ("grant", "first", 1, 100),
        ("draw", "first", 1, 10),
        ("draw", "first", 2, 10),
        ("draw", "first", 3, 10),
    ]


def test_posted_and_provisional_entries_are_the_replay(two):
    post(two, 3)
    everything = replayed(two, 31)
    provisional = [entry for entry in everything if entry.day > of_march(3)]
    assert (*ledger(two), *provisional) == everything
    assert len(provisional) == 5


def test_the_scheduled_step_posts_what_has_settled_for_everybody(two):
    assert close_on(two, of_march(9)).posted == 12  # through the 5th
    assert {entry.day.day for entry in ledger(two, two.beta)} == {1, 2, 3, 4, 5}
    assert close_on(two, of_march(9)).posted == 0


def test_posting_twice_adds_nothing(two):
    post(two, 3)
    before = stored(two)
    assert (post(two, 3), stored(two)) == (0, before)


def test_days_once_posted_stay_posted(two):
    post(two, 5)
    before = stored(two)
    assert (post(two, 2), stored(two)) == (0, before)


def test_nothing_is_posted_for_another_customer(two):
    post(two, 5)
    assert ledger(two, two.beta) == ()
    with pytest.raises(NotFound, match="no such subscription"):
        post_credits(two.acme, "shop", through=of_march(5), now=NOW)


def test_restated_usage_returns_and_draws_again_and_edits_nothing(two):
    post(two, 3)
    before = stored(two)
    recount(two, of_march(2), 30, seen=of_march(9))
    recount(two, of_march(3), 65, seen=of_march(9))
    assert post(two, 4) == 3
    assert entries(two)[4:] == [
        ("return", "first", 2, 4),
        ("draw", "first", 3, 3),
        ("draw", "first", 4, 10),
    ]
    assert stored(two)[: len(before)] == before


def test_a_return_goes_back_in_reverse_order_to_the_lots_it_was_drawn_from(two):
    two.put(credit_row(ACME, "second", FIRST, credits=D(50)))
    recount(two, of_march(1), 700, seen=of_march(9))  # 100 credits of the first, 40 of the second
    post(two, 1)
    recount(two, of_march(1), 450, seen=of_march(10))
    assert post(two, 1) == 2
    assert entries(two)[-2:] == [("return", "second", 1, 40), ("return", "first", 1, 10)]
    assert balance(ledger(two), of_march(2)) == {"first": 10, "second": 50}


def test_a_return_to_a_lot_that_has_expired_expires_at_once(two):
    with writing(two.owner) as session:
        session.get(CreditLot, (ACME, "first")).expires_on = of_march(5)
    post(two, 6)
    assert entries(two)[-1] == ("expire", "first", 5, 60)
    recount(two, of_march(2), 30, seen=of_march(12))
    post(two, 6)
    assert entries(two)[-2:] == [("return", "first", 2, 4), ("expire", "first", 5, 4)]
    assert balance(ledger(two), of_march(9)) == {"first": 0}


def test_more_use_of_a_lot_that_has_expired_takes_its_expiry_back(two):
    with writing(two.owner) as session:
        session.get(CreditLot, (ACME, "first")).expires_on = of_march(5)
    post(two, 6)
    recount(two, of_march(2), 70, seen=of_march(12))
    post(two, 6)
    assert entries(two)[-2:] == [("return", "first", 5, 4), ("draw", "first", 2, 4)]
    assert ledger(two)[-2].returns is EntryKind.EXPIRE


VOID = ", bought_on: 2026-01-05", ", bought_on: 2026-01-05, voided_on: 2026-01-08"


def test_a_grant_taken_back_voids_what_is_left(store, tmp_path):
    imported = importer(store, tmp_path)
    imported()
    acme = scope_of(store, "acme")
    store.put(*sms_days(acme.customer_id, date(2026, 1, 5), [50] * 9, sid=ACME_SID))
    close_on(store, date(2026, 1, 10))  # through the 6th
    assert imported(FILE.replace(*VOID)) == ("customer acme: credits first void from 2026-01-08",)
    assert imported(FILE.replace(*VOID)) == ()
    close_on(store, date(2026, 1, 20))
    found = [(entry.kind.value, entry.day.day, entry.credits) for entry in ledger(store, acme)]
    assert found == [
        ("grant", 5, 100),
        *[("draw", day, 10) for day in (5, 6, 7)],
        ("void", 8, 70),
    ]


def test_a_grant_is_not_given_other_terms_while_it_is_taken_back(store, tmp_path):
    imported = importer(store, tmp_path)
    imported()
    with pytest.raises(Exception, match="first were granted with other terms"):
        imported(FILE.replace(*VOID).replace("pack: small", "pack: small, quantity: 2"))


def test_a_grant_sent_twice_counts_once(store, tmp_path):
    imported = importer(store, tmp_path)
    imported()
    close_on(store, date(2026, 1, 20))
    acme = scope_of(store, "acme")
    before = ledger(store, acme)
    assert imported() == ()
    assert close_on(store, date(2026, 1, 20)).posted == 0
    assert [(entry.kind, entry.credits) for entry in before] == [(EntryKind.GRANT, 100)]
    assert ledger(store, acme) == before


def test_each_entry_has_a_key_of_its_own(two):
    for round, units in enumerate((30, 60, 30, 60)):
        recount(two, of_march(2), units, seen=of_march(9 + round))
        post(two, 3)
    keys = [row["key"] for row in stored(two)]
    assert len(keys) == len(set(keys)) == 7


def test_a_key_posted_twice_is_refused_by_the_database(two):
    post(two, 1)
    row = stored(two)[0] | {"number": 99}
    with pytest.raises(IntegrityError):
        two.put(CreditEntry(**row))
    two.put(CreditEntry(**row | {"customer_id": BETA}))


def test_exact_fractions_are_stored(two):
    thirds = {"credits": D(200), "price": D(15), "units_per_credit": {"sms": "7.5"}}
    two.put(credit_row(ACME, "large", FIRST, **thirds, priority=1))
    post(two, 1)
    assert ledger(two)[-1].credits == Fraction(50) / Fraction("7.5")
    assert ledger(two) == replayed(two, 1)


def test_a_statement_shows_draws_that_are_not_posted_yet(two):
    post(two, 2)
    bill = statement(two.acme, "main", MARCH, today=of_march(6))
    drawn = [line.quantity for line in bill.lines if line.kind is LineKind.CREDITS]
    assert drawn == [300]


def overdrawn(entries):
    """The first entry after which a lot holds less than nothing."""
    left: dict = defaultdict(Fraction)
    for entry in entries:
        into = 1 if entry.counts_as is EntryKind.GRANT else -1
        left[entry.lot] += into * entry.sign * entry.credits
        if left[entry.lot] < 0:
            return entry
    return None


@pytest.mark.parametrize("seed", range(3))
def test_many_who_post_at_once_neither_lose_nor_overdraw(two, seed):
    """Eight threads post for one customer, while Twilio restates usage between the rounds."""
    random = Random(seed)
    two.put(
        credit_row(ACME, "second", of_march(3), credits=D(40), expires_on=of_march(7)),
        credit_row(ACME, "third", of_march(5), units_per_credit={"sms": "7.5"}),
    )
    failures, written = [], []
    for round in range(4):
        recount(two, of_march(random.randint(1, 8)), random.randint(0, 400), seen=of_march(12))
        at_once(8, lambda: post(two, 8), failures)
        now = stored(two)
        assert now[: len(written)] == written, f"round {round} edited what was written"
        written = now
    assert failures == []
    assert len({row["key"] for row in written}) == len(written)
    assert [row["number"] for row in written] == list(range(1, len(written) + 1))
    assert overdrawn(ledger(two)) is None
    assert corrections(ledger(two), replayed(two, 8)) == ()
    assert balance(ledger(two), of_march(9)) == balance(replayed(two, 8), of_march(9))


def at_once(count, work, failures):
    ready = Barrier(count)

    def run():
        ready.wait()
        try:
            work()
        except Exception as problem:
            failures.append(problem)

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_posting_while_usage_is_read_ends_at_the_replay(two):
    recount(two, of_march(1), 70, seen=of_march(12))
    failures, turns = [], iter(range(1, 9))

    def read_or_post():
        turn = next(turns)
        if turn % 2:
            recount(two, of_march(turn), 20 * turn, seen=of_march(12))
        post(two, 8)

    at_once(8, read_or_post, failures)
    post(two, 8)
    assert failures == []
    assert overdrawn(ledger(two)) is None
    assert corrections(ledger(two), replayed(two, 8)) == ()
    assert ledger(two, two.beta) == ()


def test_credits_of_a_day_before_the_plan_are_not_posted(store):
    store.put(*customers(), version(PLAN), on_plan(ACME, PLAN, of_march(5)))
    store.put(*sms_days(ACME, OPENED, [50] * 70), credit_row(ACME, "first", FIRST))
    post(store, 6)
    assert {entry.day.day for entry in ledger(store) if entry.kind is EntryKind.DRAW} == {5, 6}
