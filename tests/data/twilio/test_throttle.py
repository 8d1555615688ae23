"""The gate before Twilio: never more than its limit, which 429 shrinks and success lets grow."""

from threading import Event, Lock, Semaphore, Thread
from types import SimpleNamespace

import pytest
import tenacity.nap
from hypothesis import given
from hypothesis import strategies as st

from data.twilio.client import Credentials, Transport
from data.twilio.throttle import SHRINK, Throttle
from tests.servers import PARENT, TOKEN, Canned, account_body, page, refusal, serving

FINE = page("accounts", [account_body(PARENT)])
SECONDS = 10  # after which a test has hung


class Crowd:
    """Threads that go through a gate, and stay within until they are let out one by one."""

    def __init__(self, gate: Throttle, threads: int) -> None:
        self.gate = gate
        self.entered, self.out, self.lock = Semaphore(0), Semaphore(0), Lock()
        self.within, self.seen = 0, []
        self.threads = [Thread(target=self._pass, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _pass(self) -> None:
        with self.gate.slot():
            with self.lock:
                self.within += 1
                self.seen.append(self.within)
            self.entered.release()
            self.out.acquire(timeout=SECONDS)
            with self.lock:
                self.within -= 1

    def wait_for(self, entries: int) -> None:
        for _ in range(entries):
            assert self.entered.acquire(timeout=SECONDS)

    def let_out(self, count: int) -> None:
        for _ in range(count):
            self.out.release()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(SECONDS)
        assert not any(thread.is_alive() for thread in self.threads)


@pytest.mark.parametrize("most", [1, 3, 16])
def test_never_more_than_the_limit_are_under_way(most):
    crowd = Crowd(Throttle(most), 20)
    crowd.wait_for(most)
    crowd.let_out(20)
    crowd.join()
    assert (max(crowd.seen), len(crowd.seen)) == (most, 20)


def test_after_a_shrinking_the_next_wait_until_few_enough_are_left():
    gate = Throttle(6)
    crowd = Crowd(gate, 12)
    crowd.wait_for(6)
    for n in range(3):  # each of a round of its own
        gate.refused(float("inf"))
        assert gate.limit == pytest.approx(6 * SHRINK ** (n + 1))
    before = len(crowd.seen)
    crowd.let_out(12)
    crowd.join()
    assert max(crowd.seen[before:]) <= 2
    assert len(crowd.seen) == 12


def test_one_round_of_refusals_shrinks_once():
    gate = Throttle(10)
    with gate.slot() as first, gate.slot() as second, gate.slot() as third:
        for moment in (first, second, third):
            gate.refused(moment)
    assert gate.limit == pytest.approx(10 * SHRINK)


def test_a_refusal_of_what_was_asked_afterwards_shrinks_again():
    gate = Throttle(10)
    for _ in range(2):
        with gate.slot() as moment:
            gate.refused(moment)
    assert gate.limit == pytest.approx(10 * SHRINK**2)


def test_it_grows_by_about_one_after_as_many_answers_as_are_allowed():
    gate = Throttle(16)
    for _ in range(4):
        gate.refused(float("inf"))
    before = gate.limit
    for _ in range(round(before)):
        gate.answered()
    assert before + 0.8 <= gate.limit <= before + 1


@given(st.integers(1, 50), st.lists(st.booleans(), max_size=200))
def test_it_stays_between_one_and_the_most(most, refusals):
    gate = Throttle(most)
    for refused in refusals:
        before = gate.limit
        if refused:
            gate.refused(float("inf"))
            assert gate.limit <= before
        else:
            gate.answered()
            assert gate.limit >= before
        assert 1 <= gate.limit <= most


def test_it_grows_back_to_the_most():
    gate = Throttle(8)
    for _ in range(20):
        gate.refused(float("inf"))
    assert gate.limit == 1
    for _ in range(100):
        gate.answered()
    assert gate.limit == 8


def test_one_at_a_time_still_goes_through():
    gate = Throttle(4)
    for _ in range(30):
        gate.refused(float("inf"))
    crowd = Crowd(gate, 5)
    crowd.let_out(5)
    crowd.join()
    assert max(crowd.seen) == 1


def test_a_place_is_given_back_by_what_fails():
    gate = Throttle(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="lost"), gate.slot():
            raise ValueError("lost")


def test_waiting_threads_go_on_when_it_grows():
    gate = Throttle(4)
    for _ in range(10):
        gate.refused(float("inf"))
    crowd = Crowd(gate, 2)
    crowd.wait_for(1)
    for _ in range(10):
        gate.answered()
    crowd.wait_for(1)
    crowd.let_out(2)
    crowd.join()
    assert max(crowd.seen) == 2


@pytest.fixture
def waits(monkeypatch):
    """How long the client would have slept; it does not."""
    seconds: list[float] = []
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=seconds.append))
    return seconds


def client_of(base, **options):
    transport = Transport({"api": base}, timeout=5, **options)
    return transport.client(Credentials(PARENT, TOKEN)), transport.throttle


def test_as_long_is_waited_as_twilio_asks(waits):
    answers = [refusal(429, Retry_After=7), refusal(503, Retry_After="1.5"), FINE]
    with serving(Canned(answers).app) as base:
        list(client_of(base, attempts=4)[0].list("Accounts.json", "accounts"))
    assert waits == [7.0, 1.5]


def test_no_more_is_waited_than_five_minutes(waits):
    with serving(Canned([refusal(429, Retry_After=86_400), FINE]).app) as base:
        list(client_of(base)[0].list("Accounts.json", "accounts"))
    assert waits == [300.0]


def test_too_many_requests_shrink_the_gate_and_answers_open_it_again():
    answers = [refusal(429, Retry_After=0), *[FINE] * 40]
    with serving(Canned(answers).app) as base:
        client, gate = client_of(base, concurrency=4)
        list(client.list("Accounts.json", "accounts"))
        assert 4 * SHRINK < gate.limit < 4
        for _ in range(10):
            list(client.list("Accounts.json", "accounts"))
    assert gate.limit == 4


def test_an_error_of_twilio_shrinks_nothing(waits):
    with serving(Canned([refusal(500), FINE]).app) as base:
        client, gate = client_of(base, concurrency=4)
        list(client.list("Accounts.json", "accounts"))
    assert gate.limit == 4


def test_the_gate_is_free_while_a_retry_waits(monkeypatch):
    """One at a time, and the other request goes through before the first is sent again."""
    done = Event()

    def ask_something_else() -> None:
        client.fetch("Accounts/AC.json")
        done.set()

    def sleep(seconds: float) -> None:
        if seconds == 7.0:
            Thread(target=ask_something_else, daemon=True).start()
            assert done.wait(SECONDS)

    canned = Canned([refusal(429, Retry_After=7), FINE])
    with serving(canned.app) as base:
        client, _ = client_of(base, concurrency=1)
        monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=sleep))
        list(client.list("Accounts.json", "accounts"))
    assert [path.rpartition("/")[2] for path, _ in canned.asked] == [
        "Accounts.json",
        "AC.json",
        "Accounts.json",
    ]
