"""Threads that work off a list, and one that takes what they have done: no more lies about than
the threads can hold."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from data.errors import AppError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Done(Generic[T, R]):
    """A task with its result, or with the error that it ended in."""

    task: T
    result: R | None = None
    error: AppError | None = None


def completed(
    tasks: Sequence[T], work: Callable[[T], R], *, threads: int, tick: float
) -> Iterator[Done[T, R] | None]:
    """Each task once it is done, in no order; None where nothing happened for `tick` seconds.

    An error that is not ours to expect ends the whole, and is raised here.
    """
    left, lock, stop = iter(tasks), Lock(), Event()
    results: Queue[Done[T, R] | Exception | None] = Queue(maxsize=max(threads // 2, 1))

    def put(what: Done[T, R] | Exception | None) -> None:
        while not stop.is_set():
            with suppress(Full):
                results.put(what, timeout=0.5)
                return

    def run() -> None:
        while not stop.is_set():
            with lock:
                task = next(left, None)
            if task is None:
                break
            try:
                put(Done(task, work(task)))
            except AppError as error:
                put(Done(task, error=error))
            except Exception as error:
                put(error)
                break
        put(None)

    crew = [Thread(target=run, daemon=True) for _ in range(min(threads, len(tasks)))]
    for thread in crew:
        thread.start()
    try:
        yield from _results(results, len(crew), tick)
    finally:
        stop.set()


def _results(
    results: "Queue[Done[T, R] | Exception | None]", at_work: int, tick: float
) -> Iterator[Done[T, R] | None]:
    while at_work:
        try:
            found = results.get(timeout=tick)
        except Empty:
            yield None
            continue
        if isinstance(found, Exception):
            raise found
        if found is None:
            at_work -= 1
        else:
            yield found
