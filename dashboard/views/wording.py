"""Sentences composed from values.  Facts first, numbers strong, no adjectives about the product.

Each state has a sentence of its own: within and beyond an allowance, credits, a margin, a
connected account, a first day, a period that is over, figures that are old.
"""

from datetime import date
from decimal import Decimal

from dashboard.charts.formats import (
    change,
    counted,
    day,
    day_range,
    days,
    moment,
    money,
    money_range,
    percent,
    period_name,
    quantity,
    quantity_range,
    unit_price,
)
from dashboard.views.forecast_words import chance, days_to_go, uncertain
from dashboard.views.markup import Part, Safe, joined, strong
from data.money import plain
from data.overview import Allowance, Comparison, Freshness, MeterSeries, Overview
from data.periods import BillingPeriod
from data.pricing import Arithmetic, Line, LineKind
from data.statement import Statement, StatementLine, Status
from data.statement_content import PlanStep

ABOUT_THE_SAME = Decimal("0.05")
STATUS_WORDS = {
    Status.OPEN: "so far",
    Status.SETTLING: "settling",
    Status.FINAL: "final",
}


def lead_series(view: Overview) -> MeterSeries | None:
    """The meter that a page leads with, or the most used one."""
    for one in view.series:
        if one.meter == view.lead:
            return one
    return view.series[0] if view.series else None


def is_over(view: Overview, today: date) -> bool:
    return today >= view.period.end


def summary(view: Overview, today: date) -> Safe:
    """The whole page in a sentence or two."""
    used, ending = _used(view, today), _ending(view, today)
    return joined([*used, " ", *ending])


def _used(view: Overview, today: date) -> list[Part]:
    when = f"In {_name(view.period)} you" if is_over(view, today) else "You have"
    if view.allowance:
        return _used_of_allowance(view, view.allowance, when, today)
    if view.credits and not is_over(view, today):
        units = counted(view.credits.units_left, view.credits.unit)
        left = f"{quantity(view.credits.credits_left)} credits"
        return ["You have ", strong(f"{left} left"), ", enough for ", strong(units), "."]
    bill = view.statement
    if bill and not view.credits:
        amount = strong(money(bill.total, bill.currency))
        plan = f" on {view.plan}" if view.plan else ""
        return [f"{when} spent ", amount, plan, _to_go(view, today), "."]
    lead = lead_series(view)
    if lead is None or not lead.quantity:
        nothing = "used nothing yet in this period"
        return [f"You have {nothing}." if not is_over(view, today) else f"{when} used nothing."]
    return [f"{when} used ", strong(counted(lead.quantity, lead.unit)), _to_go(view, today), "."]


def _name(period: BillingPeriod) -> str:
    name = period_name(period)
    return f"the period {name}" if name[0].isdigit() else name


def _used_of_allowance(view: Overview, own: Allowance, when: str, today: date) -> list[Part]:
    plan = view.plan or own.tier
    if own.beyond:
        beyond = strong(f"{quantity(own.beyond)} more")
        used = strong(counted(own.used, own.unit))
        to_go = _to_go(view, today)
        return [f"{when} used ", used, ", ", beyond, f" than {plan} includes{to_go}."]
    share = f"{quantity(own.used)} of {counted(own.included, own.unit)}"
    return [f"{when} used ", strong(share), f" on {plan}", _to_go(view, today), "."]


def _to_go(view: Overview, today: date) -> str:
    return "" if is_over(view, today) else f", with {days_to_go(view.period, today)}"


def _ending(view: Overview, today: date) -> list[Part]:
    """Where it ends: a bill, a range, a day."""
    bill, ahead = view.statement, view.outlook
    if view.connected:
        return ["You pay Twilio directly, so no amounts are shown here."]
    if is_over(view, today):
        return _final(bill, view.credits is None)
    if view.credits and view.credits.used_up:
        return []
    if view.credits:
        lasts = day_range(view.credits.runs_out)
        if lasts is None and view.credits.all_expire_on:
            expire = day(view.credits.all_expire_on)
            return ["At this pace some are left when the last expire on ", strong(expire), "."]
        if lasts is None:
            return ["At this pace they last for more than a year."]
        return ["At this pace they last until ", strong(lasts), "."]
    if ahead is None:
        return ["It is too early to say where this period will end."]
    if bill is None or ahead.amount is None:
        units = f"{quantity_range(ahead.quantity)} {ahead.unit}"
        return ["The period is likely to end at ", strong(units), "."]
    expected = money_range(ahead.amount, bill.currency)
    if not uncertain(ahead.amount):
        stays = strong(money(ahead.amount.low, bill.currency))
        return ["The bill is likely to stay at ", stays, chance(view), "."]
    return ["The period is likely to end at ", strong(expected), chance(view), "."]


def _final(bill: Statement | None, wants_amount: bool) -> list[Part]:
    if bill is None:
        return []
    kind = "final" if bill.status is Status.FINAL else "not final yet, late usage may be added"
    if not wants_amount:
        return ["The bill is ", strong(money(bill.total, bill.currency)), f", {kind}."]
    return [f"The bill is {kind}."]


def freshness_line(fresh: Freshness, period: BillingPeriod, today: date) -> str:
    """Data as of 21 Nov 09:30 UTC · days are UTC · 18–21 Nov are still settling."""
    parts = [f"Data as of {moment(fresh.as_of)}"] if fresh.as_of else []
    parts.append("days are UTC")
    moving = min(today, period.last_day)
    if moving > fresh.settled_through:
        first = max(period.start, date.fromordinal(fresh.settled_through.toordinal() + 1))
        verb = "is" if first == moving else "are"
        parts.append(f"{days(first, moving)} {verb} still settling and may rise")
    text = " · ".join(parts)
    return text[0].upper() + text[1:]


def pace(own: Allowance, settled_through: date) -> str:
    """Where the allowance stands against the calendar, both at the last settled day."""
    used, gone = percent(own.share_used), percent(own.share_gone)
    return f"By {day(settled_through)} {used} used, {gone} of the period gone"


def normal(compared: Comparison) -> tuple[str, str]:
    """(+12%, faster than last period): a figure and its meaning."""
    moved = change(compared.quantity, compared.quantity_before)
    if moved is None:
        return "New", "Nothing was used by this day of the last period"
    drift = compared.quantity / compared.quantity_before - 1
    if abs(drift) < ABOUT_THE_SAME:
        return moved, "About the same as the period before"
    return moved, "More than the period before" if drift > 0 else "Less than the period before"


def line_label(line: StatementLine | Line) -> str:
    """A statement line in words for people; tiers and packs have bare names."""
    name = line.label.capitalize() if line.label.islower() else line.label
    match line.kind:
        case LineKind.FEE if line.label.islower():
            return f"{name} plan fee"
        case LineKind.PACK:
            return f"{name} credit pack"
        case LineKind.CREDITS:
            return f"From the {line.label} pack"
        case LineKind.EXPIRED:
            return f"Expired from the {line.label} pack"
    return name


def line_quantity(line: StatementLine) -> str:
    """Billed units with their name; a count of packs or fees needs none."""
    if line.quantity is None:
        return ""
    if line.kind is LineKind.EXPIRED:
        return counted(line.quantity, "credits")
    if line.kind in (LineKind.FEE, LineKind.PACK) or not line.unit:
        return quantity(line.quantity)
    return counted(line.quantity, line.unit)


def worked_out(how: Arithmetic, currency: str) -> str:
    """17/30 × $59.99; 10% of $120.00; $100.00 − $64.99."""
    text = money(how.of, currency)
    if how.denominator != 1:
        text = f"{plain(how.numerator)}/{plain(how.denominator)} × {text}"
    elif abs(how.numerator) < 1:
        text = f"{quantity(abs(how.numerator) * 100)}% of {text}"
    elif how.numerator != 1:
        text = f"{quantity(how.numerator)} × {unit_price(how.of, currency)}"
    return f"{text} − {money(how.less, currency)}" if how.less else text


def plan_step(step: PlanStep) -> list[Part]:
    """From 10 Nov: Medium; asked on 10 Nov, from 1 Dec: Small; replaced by a later change."""
    asked, name = day(step.asked_on), strong(step.name)
    if not step.billed:
        return [f"{asked}: ", name, ", replaced by a later change before it took effect"]
    if step.starts_on > step.asked_on:
        return [f"{asked}: ", name, f", from the next period on ({day(step.starts_on)})"]
    return [f"From {asked}: ", name]
