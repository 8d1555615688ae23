"""Plans, usage and bills as the pricing tests write them down."""

from datetime import date, timedelta
from decimal import Decimal as D

from data.periods import BillingPeriod, period_of
from data.pricing import (
    Basis,
    CreditLot,
    DayUsage,
    Plan,
    PlanStretch,
    RatedPeriod,
    Usage,
    UsageByMeter,
    parse_plan,
    rate_period,
    total,
)

MARCH = period_of(date(2026, 3, 1))
SIGN_UP = MARCH.clipped(date(2026, 3, 15), None)  # 17 of 31 days

TIERS = [
    {"name": "small", "fee": "49.99", "allowance": "100"},
    {"name": "medium", "fee": "59.99", "allowance": "200"},
    {"name": "large", "fee": "65.99", "allowance": "300"},
]
STEPS = [{"up_to": "100", "unit_amount": "0.02"}, {"unit_amount": "0.01"}]
OVERAGE = {"small": "0.50", "medium": "0.30", "large": "0.10"}
OVERAGE_TIERS = [{**tier, "overage_amount": OVERAGE[tier["name"]]} for tier in TIERS]
BANDS = [{"up_to": "100", "gross_margin": "0.05"}, {"up_to": "300", "gross_margin": "0.03"}]


def agreed(*prices: dict, currency: str = "USD", **terms) -> Plan:
    """A plan of these prices."""
    return parse_plan(
        {
            "plan": "agreed",
            "version": 1,
            "name": "Agreed",
            "currency": currency,
            "prices": list(prices),
            **terms,
        }
    )


def margin(**terms) -> dict:
    return {"kind": "fixed_margin", **terms}


def graduated(*bands: dict, **terms) -> dict:
    return {
        "kind": "graduated_margin",
        "meter": "sms",
        "bands": list(bands) or BANDS,
        **terms,
    }


def per_unit(unit_amount="0.012", **terms) -> dict:
    return {"kind": "per_unit", "meter": "sms", "unit_amount": unit_amount, **terms}


def steps(*bands: dict, **terms) -> dict:
    """Each unit at the price of its band: 100 at 0.02, then 0.01."""
    return {"kind": "graduated", "meter": "sms", "bands": list(bands) or STEPS, **terms}


def volume(*bands: dict, **terms) -> dict:
    """All units at the price of the band reached."""
    return {"kind": "volume", "meter": "sms", "bands": list(bands) or STEPS, **terms}


def package(size="1000", amount="5", free="0", **terms) -> dict:
    given = {"package_size": size, "package_amount": amount, "free_units": free}
    return {"kind": "package", "meter": "sms", **given, **terms}


def tiers(chosen: str, ladder: list | None = None, **terms) -> dict:
    return {"kind": "tiers", "meter": "sms", "chosen": chosen, "tiers": ladder or TIERS, **terms}


def overage(chosen: str, ladder: list | None = None, **terms) -> dict:
    ladder = ladder or OVERAGE_TIERS
    return {
        "kind": "tiers_with_overage",
        "meter": "sms",
        "chosen": chosen,
        "tiers": ladder,
        **terms,
    }


def credit_price(**terms) -> dict:
    return {"kind": "credit_lots", "meters": ["sms"], **terms}


def days(*figures, start: date = MARCH.start) -> Usage:
    """A day for each figure: units at a cost of 1.00 each, or a pair of units and cost."""
    pairs = [figure if isinstance(figure, tuple) else (figure, figure) for figure in figures]
    return Usage(
        tuple(
            DayUsage(start + timedelta(days=n), D(str(units)), D(str(cost)))
            for n, (units, cost) in enumerate(pairs)
        )
    )


def lines(plan: Plan, usage: Usage, period=MARCH, **basis):
    """The bill of a usage of every meter that the plan prices."""
    by_meter = dict.fromkeys(plan.meters_priced, usage)
    given = Basis(plan.currency, period, plan.prorate == "days", **basis)
    return plan.rate(by_meter, given)


def bill(plan: Plan, usage: Usage, period=MARCH, **basis) -> D:
    return total(lines(plan, usage, period, **basis))


def march(day: int) -> date:
    return MARCH.start.replace(day=day)


def stretch(plan: Plan, first: int, until: int | None = None) -> PlanStretch:
    """The plan from that day of March, to the day before `until`."""
    return PlanStretch(plan, march(first), march(until) if until else None)


def within(usage: Usage, period: BillingPeriod) -> Usage:
    return Usage(tuple(day for day in usage.days if day.day in period))


def rated(stretches: list[PlanStretch], usage: Usage, period=MARCH, **basis) -> RatedPeriod:
    """The period under the plans, with the usage for every meter they price."""

    def usage_of(plan: Plan, part: BillingPeriod) -> UsageByMeter:
        return dict.fromkeys(plan.meters_priced, within(usage, part))

    return rate_period(stretches, period, usage_of, **basis)


def lot(key: str, credits="100", price="10", rate="5", bought: int = 1, **terms) -> CreditLot:
    """A lot of SMS credits bought on that day of March."""
    return CreditLot(
        key=key,
        name=terms.pop("name", key),
        credits=D(credits),
        units_per_credit=terms.pop("rates", {"sms": D(rate)}),
        price=D(price),
        effective_on=date(2026, 3, bought),
        **terms,
    )


def small_pack(**terms) -> CreditLot:
    """100 credits = 500 segments for 10.00."""
    return lot("small", **terms)


def large_pack(**terms) -> CreditLot:
    """200 credits = 1500 segments for 15.00."""
    return lot("large", "200", "15", "7.5", **terms)
