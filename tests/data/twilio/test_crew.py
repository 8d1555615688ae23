"""Threads that work off a list: each task once, errors handed back, nothing left running."""

from collections import Counter
from threading import Event, Lock, Thread
from threading import enumerate as alive

import pytest

from data.errors import NotFound, TwilioBusy, TwilioError
from data.twilio.crew import Done, completed

SECONDS = 10  # after which a test has hung


def finished(tasks, work, *, threads=4):
    return [one for one in completed(tasks, work, threads=threads, tick=SECONDS) if one]


@pytest.mark.parametrize("threads", [1, 2, 8, 50])
@pytest.mark.parametrize("tasks", [0, 1, 7, 300])
def test_every_task_is_done_once(tasks, threads):
    done = Counter()
    found = finished(range(tasks), lambda n: done.update([n]) or n * n, threads=threads)
    assert {one.task: one.result for one in found} == {n: n * n for n in range(tasks)}
    assert len(found) == tasks == sum(done.values())


@pytest.mark.parametrize("error", [TwilioBusy("busy"), NotFound("gone"), TwilioError("odd")])
def test_an_error_is_handed_back_with_its_task(error):
    def work(n):
        if n % 3 == 0:
            raise error
        return n

    found = finished(range(30), work)
    assert sorted(one.task for one in found if one.error is error) == [*range(0, 30, 3)]
    assert sorted(one.result for one in found if one.error is None) == [
        n for n in range(30) if n % 3
    ]


def test_an_error_nobody_expects_is_raised():
    def work(n):
        if n == 20:
            raise ZeroDivisionError("a mistake of ours")
        return n

    with pytest.raises(ZeroDivisionError, match="a mistake of ours"):
        finished(range(100_000), work)


def test_after_an_error_nobody_expects_no_task_is_begun():
    begun, go, before = Counter(), Event(), set(alive())

    def work(n):
        begun.update([n])
        if n == 0:
            raise ZeroDivisionError
        go.wait(SECONDS)

    with pytest.raises(ZeroDivisionError):
        finished(range(1000), work, threads=3)
    go.set()
    wait_until_none_works(before)
    assert len(begun) <= 3 + 2  # one that each thread had taken before it looked


def test_no_more_than_the_threads_work_at_once():
    lock, within, seen = Lock(), [0], []
    full = Event()

    def work(n):
        with lock:
            within[0] += 1
            seen.append(within[0])
            if within[0] == 5:
                full.set()
        assert full.wait(SECONDS)  # until five are at it
        with lock:
            within[0] -= 1

    assert len(finished(range(40), work, threads=5)) == 40
    assert max(seen) == 5


def test_no_more_threads_are_started_than_there_are_tasks():
    before = set(alive())
    found = finished(range(2), lambda n: len(set(alive()) - before), threads=64)
    assert max(one.result for one in found) <= 2


def test_who_takes_is_told_when_nothing_happens():
    go = Event()
    results = completed([1], lambda n: go.wait(SECONDS), threads=1, tick=0.01)
    assert next(results) is None
    go.set()
    assert [one for one in results if one] == [Done(1, True)]


def test_workers_wait_for_who_takes():
    """A few results lie about, never the whole list."""
    done, lock = [], Lock()

    def work(n):
        with lock:
            done.append(n)
        return n

    ahead = []
    for taken, _ in enumerate(completed(range(500), work, threads=4, tick=SECONDS), start=1):
        with lock:
            ahead.append(len(done) - taken)
    assert max(ahead) <= 4 // 2 + 4


def test_the_workers_stop_when_the_taker_leaves():
    done, before = Counter(), set(alive())
    results = completed(range(100_000), lambda n: done.update([n]), threads=4, tick=SECONDS)
    assert next(results) is not None
    results.close()
    wait_until_none_works(before)
    assert sum(done.values()) < 100


def wait_until_none_works(before: set[Thread]) -> None:
    for thread in set(alive()) - before:
        thread.join(SECONDS)
        assert not thread.is_alive()
