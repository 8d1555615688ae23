"""What the price engine does with a million: rows into lines, uses drawn from a thousand lots.

Beside each figure stands a bare loop of a million Decimal multiplications and additions, measured
in the same run on the same machine.  Each is measured in a process of its own, so that its peak of
memory is its own too; CPU seconds are of one core.
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from data.pricing import CreditLot, CreditUse, replay
from data.pricing.bulk import Column, UsageColumns, rate_rows
from tests.bills import MARCH, STEPS, agreed, graduated, steps

MILLION = 1_000_000
LOTS = 1_000
BOUNDS = {
    "monthly_fee": "9.99",
    "discount": "0.10",
    "minimum": "5",
    "maximum": "900",
    "tax": {"name": "VAT", "rate": "0.19"},
}
Measured = tuple[float, float, str]  # CPU seconds, peak in MB, what came of it


def multiply_and_add() -> Measured:
    price, units = Decimal("0.0079"), [Decimal(n) for n in range(MILLION)]

    def loop() -> str:
        total = Decimal(0)
        for quantity in units:
            total += quantity * price
        return f"a total of {total:,.0f}"

    return timed(loop)


def rows_into_lines() -> Measured:
    """Bands with a flat fee, then discount, maximum, minimum and tax: six lines a row."""
    flat = {**STEPS[0], "flat_fee": "1.50"}
    return rows(agreed(steps(flat, STEPS[1]), **BOUNDS))


def margins_into_lines() -> Measured:
    """Bands of margins over cost: a division a line, and products beyond 64 bits."""
    return rows(agreed(graduated(), **BOUNDS))


def rows(plan) -> Measured:
    random = np.random.default_rng(1)
    units = Column(random.integers(0, 50_000_000_000, MILLION), 6)
    cost = Column(random.integers(0, 500_000_000, MILLION), 6)

    def rate() -> str:
        parts = rate_rows(plan, {"sms": UsageColumns(units, cost)}, MARCH)
        lines = sum(len(line.rows) for part in parts for line in part.lines)
        return f"{lines:,} lines"

    return timed(rate)


def uses_over_lots() -> Measured:
    """A million uses over a year, from lots of which one is bought every nine hours."""
    start = date(2026, 1, 1)
    lots = [
        CreditLot(
            f"lot-{n}", "pack", Decimal(200), {"sms": Decimal("7.5")}, Decimal(15),
            start + timedelta(days=n * 365 // LOTS), created=n,
        )
        for n in range(LOTS)
    ]  # fmt: skip
    uses = [
        CreditUse(start + timedelta(days=n * 365 // MILLION), "sms", Decimal("1.5"))
        for n in range(MILLION)
    ]

    def drawn() -> str:
        ledger = replay(lots, uses, start, start + timedelta(days=365))
        return f"{len(ledger.draws):,} draws"

    return timed(drawn)


def timed(work: Callable[[], str]) -> Measured:
    before = time.process_time()
    result = work()
    return time.process_time() - before, peak_megabytes(), result


def peak_megabytes() -> float:
    """Of this process since it began, from /proc."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


ROWS = {
    "1 million Decimal products added up": multiply_and_add,
    "1 million rows into lines": rows_into_lines,
    "1 million rows into lines, by cost": margins_into_lines,
    "1 million uses over 1,000 lots": uses_over_lots,
}


def engine() -> None:
    print(f"{'':<38}{'CPU, s':>8}{'peak, MB':>10}{'of the loop':>13}")
    reference = None
    for name, measure in ROWS.items():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            seconds, megabytes, result = alone.submit(measure).result()
        reference = reference or seconds
        ratio = f"{seconds / reference:.1f} ×"
        print(f"{name:<38}{seconds:>8.2f}{megabytes:>10.0f}{ratio:>13}   {result}")
    print()
