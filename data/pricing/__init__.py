"""Pricing, pure: agreed plans and the usage of a period give lines.

Imports money, periods and errors only.  The registry of strategies is `Price` in plan.py.
"""

from data.pricing.bands import AboveLast
from data.pricing.bill import MoneyCredit, RatedPart, RatedPeriod, net, pay, rate_period, segments
from data.pricing.compare import Switch, break_even, cheapest
from data.pricing.credit_lots import CreditLots, Pack
from data.pricing.explanation import DayShare, days_of
from data.pricing.fixed_margin import FixedMargin
from data.pricing.graduated import Graduated
from data.pricing.graduated_margin import GraduatedMargin
from data.pricing.ledger import (
    CreditLot,
    CreditUse,
    EntryKind,
    Ledger,
    LedgerEntry,
    Opening,
    replay,
    run_out_day,
    unique_grants,
)
from data.pricing.package import Package
from data.pricing.per_unit import PerUnit
from data.pricing.plan import Meter, Plan, Price, as_written, field_path, parse_plan, reason
from data.pricing.strategy import (
    ALL_USAGE,
    NO_USAGE,
    Arithmetic,
    Basis,
    DayUsage,
    Line,
    LineKind,
    MeterPrice,
    Run,
    Strategy,
    Usage,
    UsageByMeter,
    total,
)
from data.pricing.tiers import Bundles, Tiers
from data.pricing.tiers_with_overage import TiersWithOverage
from data.pricing.timeline import (
    PlanChange,
    PlanStretch,
    TimelineEntry,
    When,
    as_when,
    stretches,
    timeline,
)
from data.pricing.volume import Volume

__all__ = [
    "ALL_USAGE",
    "NO_USAGE",
    "AboveLast",
    "Arithmetic",
    "Basis",
    "Bundles",
    "CreditLot",
    "CreditLots",
    "CreditUse",
    "DayShare",
    "DayUsage",
    "EntryKind",
    "FixedMargin",
    "Graduated",
    "GraduatedMargin",
    "Ledger",
    "LedgerEntry",
    "Line",
    "LineKind",
    "Meter",
    "MeterPrice",
    "MoneyCredit",
    "Opening",
    "Pack",
    "Package",
    "PerUnit",
    "Plan",
    "PlanChange",
    "PlanStretch",
    "Price",
    "RatedPart",
    "RatedPeriod",
    "Run",
    "Strategy",
    "Switch",
    "Tiers",
    "TiersWithOverage",
    "TimelineEntry",
    "Usage",
    "UsageByMeter",
    "Volume",
    "When",
    "as_when",
    "as_written",
    "break_even",
    "cheapest",
    "days_of",
    "field_path",
    "net",
    "parse_plan",
    "pay",
    "rate_period",
    "reason",
    "replay",
    "run_out_day",
    "segments",
    "stretches",
    "timeline",
    "total",
    "unique_grants",
]
