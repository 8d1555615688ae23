"""What pages show of a period, made by hand: one meter, an open bill, a range it will end in."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

from data.outlook import DayRange, Outlook, Range
from data.overview import Allowance, Freshness, MeterSeries, Overview
from data.periods import period_of
from data.pricing import LineKind
from data.statement import Part, Statement, StatementLine, Status

TODAY = date(2026, 11, 21)
NOVEMBER = period_of(TODAY)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SETTLED = date(2026, 11, 17)
UNIT = "SMS segments"
NEVER = DayRange(None, None, None)


def line(kind=LineKind.FEE, label="small", amount="49.99", **terms) -> StatementLine:
    given = {"meter": "sms", "unit": UNIT, "quantity": D(1), "unit_amount": D("49.99"), **terms}
    return StatementLine(kind, label, D(amount), **given)


def bill(*lines: StatementLine, status=Status.OPEN, currency="USD") -> Statement:
    part = Part("Bundle", NOVEMBER.start, NOVEMBER.end, 30, lines or (line(),))
    return Statement(currency, NOVEMBER, status, (part,))


def allowance(used="61", included="100") -> Allowance:
    return Allowance(
        *("sms", "SMS", UNIT, "small"),
        included=D(included),
        used=D(used),
        settled=D(used),
        share_gone=D("0.48"),
        next_tier="medium",
        has_overage_price=True,
        overage_amount=D(0),
    )


def outlook(low="80", high="120", chance: float | None = 0.58, **terms) -> Outlook:
    given = {
        "amount": Range(D(low), (D(low) + D(high)) / 2, D(high)),
        "quantity": Range(D(90), D(110), D(130)),
        "unit": UNIT,
        "label": "SMS",
        "chance_of_overage": chance,
        "expected_overage": None,
        "allowance_ends": NEVER,
        "little_history": False,
        **terms,
    }
    return Outlook(**given)


def series(*quantities: int) -> MeterSeries:
    numbers = tuple(D(n) for n in quantities)
    days = tuple(date(2026, 11, 1 + n) for n in range(len(numbers)))
    return MeterSeries(
        *("sms", "SMS", UNIT, "messages", days, numbers, numbers, (), ()),
        quantity=sum(numbers, D(0)),
        previous_quantity=None,
    )


def view(**terms) -> Overview:
    given = {
        "customer": "A & B <Ltd>",
        "plan": "Bundle · Small",
        "connected": False,
        "period": NOVEMBER,
        "freshness": Freshness(NOW, NOW, SETTLED, stale=False),
        "series": (series(30, 31),),
        "statement": bill(),
        "lead": "sms",
        **terms,
    }
    return Overview(**given)
