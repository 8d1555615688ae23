"""Past projections made by hand: cases that ended in the middle of their range, or as told."""

from datetime import date
from decimal import Decimal as D

from data.models import PastProjection
from data.periods import period_of

STARTS = [date(2026, month, 1) for month in range(1, 6)]
CUT_OFFS = (3, 5, 10, 15, 20, 25)


def past(owner: int, number: int = 0, **changed) -> PastProjection:
    """The range is 80–130, likely 100, and the end 110; `number` tells cases apart."""
    start = STARTS[number // 6 % 5]
    given = {
        "subscription": f"s{number // 30}",
        "period_start": start,
        "cut_off": CUT_OFFS[number % 6],
        "period_end": period_of(start).end,
        "meter": "sms",
        "usage_class": "regular",
        "cold_start": False,
        "p10": D(80),
        "p50": D(100),
        "p90": D(130),
        "run_rate": D(150),
        "actual": D(110),
        "usual": D(100),
        "transform": 0.5,
        **changed,
    }
    return PastProjection(customer_id=owner, **given)
