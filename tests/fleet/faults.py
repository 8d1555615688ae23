"""What goes wrong on the way, by seed: independent for each request, never for ever.

Whether a request fails depends on the seed, its address and how often it was made, so that a run is
the same again however its requests interleave.  An address fails at most eight times in a row: a
persistent client gets through.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, fields, replace

IN_A_ROW = 8


@dataclass(frozen=True, slots=True)
class Rates:
    """The share of requests that meet each fault."""

    too_many: float = 0.0  # 429, two in three with Retry-After: 0 or 1
    server_error: float = 0.0  # 500, 502, 503, 504
    hang: float = 0.0  # no answer for `hang_seconds`, then the connection is closed
    truncated: float = 0.0  # short of its Content-Length, or JSON cut off
    reset: float = 0.0  # before the answer or in the middle of it
    html: float = 0.0  # a page that says 200
    empty: float = 0.0  # 200 and no body
    shape: float = 0.0  # 200 and JSON that is no listing
    shift: float = 0.0  # a row came in at the head: a later page begins one row early
    loop: float = 0.0  # next_page_uri leads back to the first page

    def times(self, factor: float) -> "Rates":
        return Rates(**{one.name: getattr(self, one.name) * factor for one in fields(self)})


USUAL = Rates(too_many=0.10, server_error=0.05, hang=0.02, truncated=0.02, reset=0.01)
HARD = replace(USUAL.times(2), html=0.02, empty=0.02, shape=0.02, shift=0.05, loop=0.002)
PRESETS = {"none": Rates(), "usual": USUAL, "hard": HARD}


@dataclass
class Faults:
    rates: Rates
    seed: int = 1
    asked: Counter[str] = field(default_factory=Counter)
    in_a_row: Counter[str] = field(default_factory=Counter)

    def meet(self, address: str) -> tuple[str, random.Random]:
        """The fault of this request ("" for none), and what decides its details."""
        if self.rates == PRESETS["none"]:
            return "", random.Random(0)
        self.asked[address] += 1
        chance = random.Random(f"{self.seed}/{address}/{self.asked[address]}")
        fault = self._drawn(chance.random())
        if not fault or self.in_a_row[address] >= IN_A_ROW:
            self.in_a_row[address] = 0
            return "", chance
        self.in_a_row[address] += 1
        return fault, chance

    def _drawn(self, drawn: float) -> str:
        for one in fields(self.rates):
            drawn -= getattr(self.rates, one.name)
            if drawn < 0:
                return one.name
        return ""
