"""One sync at a time: two takers, a holder that died, one that was thought dead and comes back."""

import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from data.assignment import system_customer
from data.errors import AppError, SyncInProgress
from data.models import (
    SYSTEM_CUSTOMER,
    Customer,
    FleetDay,
    PhoneNumber,
    SyncLease,
    SyncRun,
    UsageRecord,
)
from data.scope import ScopedSession, engine, reading, writing
from data.twilio.intake import store_reads
from data.twilio.lease import LASTS, NAME, take
from data.twilio.planner import Window
from data.twilio.reading import AccountRead, KnownAccount
from data.twilio.usage_records import DailyUsage
from tests.little_twilio import run
from tests.readings import rows_of
from tests.stores import ACME_SID, BETA_SID, customers

NOW, DAY = datetime(2026, 3, 20, 12, tzinfo=UTC), date(2026, 3, 19)
HERE = socket.gethostname()
LATER = NOW + LASTS + timedelta(seconds=1)


def at(moment: datetime):
    return lambda: moment


def holder(store) -> str | None:
    with reading(store.owner) as session:
        row = session.get(SyncLease, NAME)
    return row.holder if row else None


def held_by(store, who: str) -> None:
    store.put(SyncLease(name=NAME, holder=who, taken_at=NOW, expires_at=NOW + LASTS))


def read(sid: str) -> AccountRead:
    row = DailyUsage(DAY, "sms", D(1), D(1), D("0.5"), "USD", NOW)
    return AccountRead(KnownAccount(sid, "A"), (Window(DAY, DAY),), (row,), DAY)


def ended(work) -> object:
    """What it returns or raises."""
    try:
        return work()
    except (AppError, IntegrityError) as error:
        return error


def in_threads(*works) -> list[object]:
    """What each returned or raised; all begin in the same moment."""
    start, ends = Barrier(len(works)), [None] * len(works)

    def call(n, work):
        start.wait()
        ends[n] = ended(work)

    threads = [Thread(target=call, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return ends


def test_of_several_takers_one_has_it(store):
    for _ in range(5):
        ends = in_threads(*[lambda: take(store.owner, at(NOW))] * 4)
        lost = [one for one in ends if isinstance(one, SyncInProgress)]
        (won,) = (one for one in ends if one not in lost)
        assert (len(lost), won.holder) == (3, holder(store))
        with won.kept():
            pass


def test_a_lease_is_held_from_the_moment_it_is_stored(store):
    """A second taker may look before the first one's call has returned."""
    second: list[object] = []

    def look(_: object) -> None:
        if not second:
            second.append(None)  # what it does is committed, too
            second[0] = ended(lambda: take(store.owner, at(NOW)))

    event.listen(ScopedSession, "after_commit", look)
    try:
        first = take(store.owner, at(NOW))
    finally:
        event.remove(ScopedSession, "after_commit", look)
    assert isinstance(second[0], SyncInProgress)
    assert holder(store) == first.holder


def test_who_comes_second_is_told_who_has_it_and_until_when(store):
    lease = take(store.owner, at(NOW))
    with pytest.raises(SyncInProgress, match=f"{lease.holder}, since 12:00:00 UTC") as refused:
        take(store.owner, at(NOW))
    assert "its turn ends at 12:00:45 UTC" in str(refused.value)
    assert refused.value.params["expires_at"] == (NOW + LASTS).isoformat()


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_stores_nothing_more(two):
    old = take(two.owner, at(NOW))
    new = take(two.owner, at(LATER))
    with pytest.raises(SyncInProgress, match="stores nothing more"):
        store_reads(two.owner, [read(ACME_SID)], NOW, old)
    assert rows_of(two, UsageRecord, "account_sid") == []
    store_reads(two.owner, [read(BETA_SID)], NOW, new)
    assert rows_of(two, UsageRecord, "account_sid") == [(BETA_SID,)]


def test_what_is_stored_prolongs_the_lease(two):
    moments = iter([NOW, NOW + LASTS / 2])
    lease = take(two.owner, lambda: next(moments))
    store_reads(two.owner, [read(ACME_SID)], NOW, lease)
    with pytest.raises(SyncInProgress):
        take(two.owner, at(NOW + LASTS))
    take(two.owner, at(NOW + LASTS / 2 + LASTS))


def test_the_old_holder_lets_go_of_nothing_but_its_own(store):
    old = take(store.owner, at(NOW))
    with old.kept():
        new = take(store.owner, at(LATER))
    assert holder(store) == new.holder


@pytest.mark.parametrize("ending", [None, ValueError], ids=["well", "badly"])
def test_a_lease_is_let_go_however_its_run_ends(store, ending):
    try:
        with take(store.owner, at(NOW)).kept():
            if ending:
                raise ending
    except ValueError:
        pass
    assert holder(store) is None
    take(store.owner, at(NOW))


def test_a_holder_whose_process_is_dead_is_not_waited_for(store):
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=-1) as process:
        held_by(store, f"{HERE}:{process.pid}:abcd")
        with pytest.raises(SyncInProgress):
            take(store.owner, at(NOW))
        process.send_signal(signal.SIGKILL)
    assert take(store.owner, at(NOW)).holder == holder(store)


def test_a_holder_before_us_with_our_number_is_dead(store):
    """A container's process begins with the same number each time."""
    ours = take(store.owner, at(NOW)).holder
    host, process, _ = ours.split(":")
    with writing(store.owner) as session:
        session.get(SyncLease, NAME).holder = f"{host}:{process}:before"
    take(store.owner, at(NOW))


def test_a_holder_of_another_host_is_waited_for(store):
    held_by(store, f"another.example:{2**22 + 1}:abcd")
    with pytest.raises(SyncInProgress, match=r"another\.example"):
        take(store.owner, at(NOW))
    take(store.owner, at(LATER))


def taken_over(store) -> None:
    """Another process has found the lease run out, and has it now."""
    with writing(store.owner) as session:
        session.get(SyncLease, NAME).holder = "another.example:7:abcd"


def test_a_run_that_was_taken_over_says_so_and_leaves_the_store_alone(two, twilio):
    twilio.use(ACME_SID, DAY, "0.5")
    twilio.hook = lambda asked: taken_over(two) if asked.what == "Daily" else None
    with pytest.raises(SyncInProgress, match="stores nothing more"):
        run(two, twilio)
    assert rows_of(two, UsageRecord, "cost") == rows_of(two, FleetDay, "cost") == []
    assert holder(two) == "another.example:7:abcd"
    ((status, error),) = rows_of(two, SyncRun, "status", "error")
    assert (status, "taken over" in error) == ("failed", True)


def test_nor_does_it_store_what_stands_beside_usage(two, twilio):
    number = {"sid": "PN1", "account_sid": BETA_SID, "phone_number": "+12025550101"}
    twilio.rows[BETA_SID, "IncomingPhoneNumbers"] = [number]
    twilio.hook = lambda asked: taken_over(two) if asked.what == "IncomingPhoneNumbers" else None
    with suppress(SyncInProgress):
        run(two, twilio)
    assert rows_of(two, PhoneNumber, "number") == []


def test_of_two_syncs_at_once_both_end_well_or_one_steps_back(store, twilio):
    """On a database in which nothing is: what is made first is made once."""
    twilio.use(ACME_SID, DAY, "0.5")
    ends = in_threads(*[lambda: run(store, twilio)] * 2)
    problems = [one for one in ends if isinstance(one, AppError)]
    assert all(isinstance(one, SyncInProgress) for one in problems)
    assert len(problems) < 2
    with reading(store.owner) as session:
        assert session.exec(select(Customer.slug)).all() == [SYSTEM_CUSTOMER]
    assert rows_of(store, UsageRecord, "account_sid", "category", "cost") == [
        (ACME_SID, "sms", D("0.5")),
        (ACME_SID, "totalprice", D("0.5")),
    ]
    assert {status for (status,) in rows_of(store, SyncRun, "status")} == {"ok"}
    assert holder(store) is None


def test_the_system_customer_is_made_once_whoever_comes_first(postgres_store):
    """An import and a first sync, say: the second waits for the first, and takes what it made."""
    store, ends = postgres_store, []

    def second() -> None:
        with writing(store.owner) as session:
            ends.append(system_customer(session))

    with writing(store.owner) as session:
        made = system_customer(session)
        thread = Thread(target=lambda: ends.append(ended(second)))
        thread.start()
        while not _waits(store):
            Event().wait(0.01)
    thread.join(30)
    assert ends == [made, None]


def _waits(store) -> bool:
    with engine(store.settings.admin_url).connect() as connection:
        waiting = connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(waiting.scalar())
