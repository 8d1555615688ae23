"""How many requests may be under way at once: it shrinks when Twilio says 429, and grows slowly.

Twilio limits concurrency per account and does not say to how many, so it is found the way TCP
finds it: additive increase, multiplicative decrease (Chiu and Jain, 1989).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic

SHRINK = 0.7
LEAST = 1.0


class Throttle:
    """A gate for threads.  `limit` is a fraction, so that it can grow by less than one."""

    def __init__(self, most: int) -> None:
        self.most = max(most, 1)
        self.limit = float(self.most)
        self._under_way = 0
        self._shrunk_at = 0.0
        self._gate = Condition()

    @contextmanager
    def slot(self) -> Iterator[float]:
        """Wait for a place; yields the moment it was given."""
        with self._gate:
            self._gate.wait_for(lambda: self._under_way < max(int(self.limit), 1))
            self._under_way += 1
        try:
            yield monotonic()
        finally:
            with self._gate:
                self._under_way -= 1
                self._gate.notify()

    def answered(self) -> None:
        """A request went through: about one more at once after as many as are allowed now."""
        with self._gate:
            if self.limit < self.most:
                self.limit = min(self.limit + 1 / self.limit, float(self.most))
                self._gate.notify()

    def refused(self, asked_at: float) -> None:
        """Too many at once.  Those sent before the last shrinking say nothing new."""
        with self._gate:
            if asked_at >= self._shrunk_at:
                self.limit = max(self.limit * SHRINK, LEAST)
                self._shrunk_at = monotonic()
