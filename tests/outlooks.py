"""A period with its plans, usage and draws, made by hand without a store."""

from datetime import date
from decimal import Decimal as D

from data.ahead import look_ahead, meters_ahead
from data.billed import Billed
from data.meters import OTHER, shown_meters
from data.periods import DAY
from data.pricing import ALL_USAGE, Plan, PlanStretch
from data.usage import Measured
from tests.bills import MARCH

JANUARY, SETTLED, TODAY = date(2026, 1, 1), date(2026, 3, 16), date(2026, 3, 20)
COSTS = {"sms": D("0.0079"), "voice": D("0.0140")}


def measured(sms, voice=(), other="1.15", until=TODAY, cost=COSTS) -> Measured:
    """Daily units that end on the day `until`; every day also costs something else."""
    sms, voice = list(sms), list(voice)
    quantity, costs = {}, {OTHER: {}, ALL_USAGE: {}}
    for meter, figures in (("sms", sms), ("voice", voice)):
        first = until - DAY * (len(figures) - 1)
        quantity[meter] = {first + DAY * n: D(str(units)) for n, units in enumerate(figures)}
        costs[meter] = {day: units * cost[meter] for day, units in quantity[meter].items()}
    for day in sorted({*quantity["sms"], *quantity["voice"]}):
        costs[OTHER][day] = D(other)
        costs[ALL_USAGE][day] = D(other) + sum(costs[m].get(day, D(0)) for m in quantity)
    return Measured(quantity, quantity, costs)


def billed(usage: Measured, *agreed: tuple[Plan, date], lots=(), opening=None) -> Billed:
    """Plans, each from its day until the next one."""
    ends = [day for _, day in agreed[1:]] + [None]
    stretches = [
        PlanStretch(plan, day, end) for (plan, day), end in zip(agreed, ends, strict=False)
    ]
    return Billed(
        entries=(),
        stretches=tuple(stretches),
        lots=tuple(lots),
        money=(),
        meters=shown_meters(agreed[-1][0] if agreed else None),
        shown=usage,
        priced={plan.id: usage for plan, _ in agreed},
        opening=opening,
    )


def ahead_of(bill: Billed, period=MARCH, settled=SETTLED, opened=JANUARY, lead="sms"):
    return look_ahead(
        bill.shown,
        meters_ahead(bill, period, lead),
        period,
        opened_on=opened,
        settled_through=settled,
    )
