"""What was asked of Twilio in a run, and what came back."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from threading import Lock


@dataclass(slots=True)
class Tally:
    """Threads share it."""

    requests: int = 0
    retries: int = 0
    answers: Counter[str] = field(default_factory=Counter)  # by status, or by the fault's name
    twilio_seconds: float = 0.0  # in Twilio's own words
    concurrent: int = 0  # the most at once, in Twilio's own words
    _lock: Lock = field(default_factory=Lock, repr=False)

    def sent(self, *, again: bool) -> None:
        with self._lock:
            self.requests += 1
            self.retries += again

    def got(self, answer: str, headers: Mapping[str, str] | None = None) -> None:
        seconds = _number(headers, "Twilio-Request-Duration")
        concurrent = _number(headers, "Twilio-Concurrent-Requests")
        with self._lock:
            self.answers[answer] += 1
            self.twilio_seconds += float(seconds)
            self.concurrent = max(self.concurrent, int(concurrent))


def _number(headers: Mapping[str, str] | None, name: str) -> Decimal:
    """A header's figure; 0 where it is missing or no number of a sane size."""
    try:
        value = Decimal((headers or {}).get(name, "0"))
    except InvalidOperation:
        return Decimal(0)
    return value if value.is_finite() and 0 <= value < 10**6 else Decimal(0)
