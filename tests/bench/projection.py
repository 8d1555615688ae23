"""Projecting and pricing 10,000 customers, measured on a sample: CPU seconds of one core.

A fifth of them has each of the five strategies: a margin over all usage, bands of margins, tiers,
tiers with overage, credits with two lots; each uses two meters and something else, since January,
and stands in the middle of March with three settling days.  What is measured of a customer is all
that its page takes from the projection but reading it from the database: the projections of its
meters, their courses, every draw rated, chances and ranges, the day on which the allowance or the
credits run out, the best tier of this period and of the next, and why it changed.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from decimal import Decimal
from multiprocessing import get_context

import numpy as np

from data.billed import Billed
from data.credits import credit_balance
from data.outlook import outlook
from data.pricing import CreditLot
from tests.bills import MARCH, agreed, credit_price, graduated, margin, overage, tiers
from tests.outlooks import JANUARY, TODAY, ahead_of, billed, measured

CUSTOMERS, EACH, ROUNDS = 10_000, 100, 3
LOTS = [
    CreditLot("first", "large", Decimal(200), {"sms": Decimal("7.5")}, Decimal(15), JANUARY,
              date(2026, 9, 1)),
    CreditLot("second", "small", Decimal(500), {"sms": Decimal(5)}, Decimal(50), JANUARY,
              date(2027, 1, 1), created=1),
]  # fmt: skip
LADDER = [
    {"name": name, "fee": fee, "allowance": allowance}
    for name, fee, allowance in (
        ("s", "49.99", "500"),
        ("m", "59.99", "1000"),
        ("l", "65.99", "1500"),
    )
]
STRATEGIES = {
    "a margin over all usage": margin(gross_margin="0.03"),
    "bands of margins": graduated(),
    "tiers": tiers("m", LADDER),
    "tiers with overage": overage("s", [{**one, "overage_amount": "0.10"} for one in LADDER]),
    "credits": credit_price(shortfall="overage_price", overage_amount="0.05"),
}


def page(bill: Billed) -> None:
    """What a page takes from the projection."""
    ahead = ahead_of(bill)
    outlook(bill, ahead, "sms", "SMS", "segments")
    credit_balance(bill, ahead, bill.part(MARCH, TODAY), today=TODAY)


def customers(price: dict) -> list[Billed]:
    random, plan = np.random.default_rng(7), agreed(price)
    found = []
    for mean in random.gamma(2, 15, EACH):
        sms, voice = random.poisson(mean, 79), random.poisson(2 * mean, 79)
        usage = measured(map(int, sms), map(int, voice))
        found.append(billed(usage, (plan, JANUARY), lots=LOTS))
    return found


def cpu(name: str) -> float:
    """CPU milliseconds of a customer on the strategy, in the quickest of some rounds."""
    made = customers(STRATEGIES[name])
    page(made[0])
    return min(_round(made) for _ in range(ROUNDS)) * 1000 / len(made)


def _round(made: list[Billed]) -> float:
    before = time.process_time()
    for bill in made:
        page(bill)
    return time.process_time() - before


def projection() -> None:
    print(f"{'':<38}{'CPU, ms':>8}{'10,000, s':>11}")
    each = []
    for name in STRATEGIES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            each.append(alone.submit(cpu, name).result())
        print(f"{name:<38}{each[-1]:>8.2f}{each[-1] * CUSTOMERS / 1000:>11.0f}")
    mean = sum(each) / len(each)
    total = mean * CUSTOMERS / 1000
    print(f"{'projecting and pricing, a fifth each':<38}{mean:>8.2f}{total:>11.0f}")
    print()
