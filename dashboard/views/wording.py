"""Sentences composed from values.  Facts first, numbers strong, no adjectives about the product.

Each state has clauses of its own: within and beyond an allowance, credits, a margin, a connected
account, a first day, a period that is over, figures that are old.  A clause is a whole one with
its parts in places, so that a translator may move them; two or three make the sentence on top.
"""

from datetime import date
from decimal import Decimal

from dashboard.charts.formats import (
    about,
    change,
    counted,
    day,
    day_range,
    days,
    exact_percent,
    moment,
    money,
    money_range,
    percent,
    period_name,
    quantity,
    quantity_range,
    unit_price,
)
from dashboard.exports.line_labels import translated
from dashboard.views.forecast_words import UNLIKELY, expiring, to_go, uncertain
from dashboard.views.markup import Part, Safe, filled, strong
from dashboard.words import N_, _, n_
from data.money import plain
from data.outlook import Outlook
from data.overview import Allowance, Comparison, Freshness, MeterSeries, Overview
from data.periods import DAY, BillingPeriod
from data.pricing import Arithmetic, Line, LineKind
from data.statement import Statement, StatementLine, Status
from data.statement_content import PlanStep

ABOUT_THE_SAME = Decimal("0.05")
NEARLY_ALL = Decimal("0.99")  # said as such until all is used
STATUS_WORDS = {
    Status.OPEN: N_("so far"),
    Status.SETTLING: N_("settling"),
    Status.FINAL: N_("final"),
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
    """The whole page in a sentence: what is used, where that leads, what would be better."""
    if is_over(view, today):
        clauses = [_was_used(view), _was_billed(view)]
    else:
        clauses = [_used(view, today), _leads_to(view), _better(view)]
    return sentence_of([one for one in clauses if one])


def sentence_of(clauses: list[Safe]) -> Safe:
    first, second, third = (*clauses, None, None)[:3]
    if third:
        return filled(_("{first}; {second}; {third}."), first=first, second=second, third=third)
    if second:
        return filled(_("{first}; {second}."), first=first, second=second)
    return filled(_("{first}."), first=first)


def _used(view: Overview, today: date) -> Safe:
    left = to_go(view.period, today)
    if view.freshness.as_of is None:
        return filled(_("No usage has been read yet"))
    if view.allowance:
        return _used_of_allowance(view, view.allowance, left)
    if view.credits and not view.credits.lots and not view.credits.owed:
        return filled(_("Your credits are used up"))
    if view.credits and view.credits.owed:
        owed = strong(counted(view.credits.owed, view.credits.unit))
        return filled(_("Your credits are used up, and {units} were used beyond them"), units=owed)
    if view.credits:
        return filled(
            _("You have {credits}, enough for {units}"),
            credits=strong(credits_left(view.credits.credits_left)),
            units=strong(counted(view.credits.units_left, view.credits.unit)),
        )
    bill, lead = view.statement, lead_series(view)
    if bill and view.plan:
        spent = strong(money(bill.total, bill.currency))
        return filled(
            _("You have spent {amount} so far on {plan}, {to_go}"),
            amount=spent,
            plan=view.plan,
            to_go=left,
        )
    if lead is None or not lead.quantity:
        return filled(_("You have used nothing yet in this period"))
    used = strong(counted(lead.quantity, lead.unit))
    return filled(_("You have used {used}, {to_go}"), used=used, to_go=left)


def _used_of_allowance(view: Overview, own: Allowance, left: str) -> Safe:
    plan = view.plan or own.tier.capitalize()
    if own.beyond:
        return filled(
            _("You have used {used}, {beyond} more than {plan} includes, {to_go}"),
            used=strong(counted(own.used, own.unit)),
            beyond=strong(quantity(own.beyond)),
            plan=plan,
            to_go=left,
        )
    share = own.used / own.included if own.included else Decimal(0)
    return filled(
        _("You have used {share} of {allowance} on {plan}, {to_go}"),
        share=strong(percent(min(share, NEARLY_ALL) if own.left else share)),
        allowance=strong(counted(own.included, own.unit)),
        plan=plan,
        to_go=left,
    )


def _leads_to(view: Overview) -> Safe | None:
    """Where it ends at this pace: a day, a bill, a range."""
    bill, ahead = view.statement, view.outlook
    if view.connected:
        return filled(_("you pay Twilio directly, so no amounts are shown here"))
    if view.credits:
        return _lasting(view)
    if ahead is None:
        return filled(_("it is too early to say where this period will end"))
    if view.allowance and bill:
        return _beyond(view.allowance, ahead, bill) or _within(ahead, bill)
    if bill is None or ahead.amount is None:
        units = strong(f"{quantity_range(ahead.quantity)} {_(ahead.unit)}")
        return filled(_("the period is likely to end at {units}"), units=units)
    return _bill_at_the_end(ahead, bill)


def _bill_at_the_end(ahead: Outlook, bill: Statement) -> Safe | None:
    if ahead.amount is None:
        return None
    if not uncertain(ahead.amount):
        amount = strong(money(ahead.amount.low, bill.currency))
        return filled(_("the bill is likely to stay at {amount}"), amount=amount)
    expected = strong(money_range(ahead.amount, bill.currency))
    return filled(_("the bill is likely to end at {amount}"), amount=expected)


def _beyond(own: Allowance, ahead: Outlook, bill: Statement) -> Safe | None:
    """The allowance is passed, or likely to be: when, and what that costs."""
    passed = ahead.allowance_ends.likely if ahead.allowance_ends else None
    if own.beyond and not own.has_overage_price:
        return filled(_("what lies beyond the allowance has no price on this plan"))
    if own.beyond:
        return filled(
            _("what lies beyond it costs {so_far} so far and is expected to cost {expected}"),
            so_far=strong(money(own.overage_amount, bill.currency)),
            expected=strong(_overage(ahead, bill)),
        )
    if passed is None:
        return None
    if not own.has_overage_price or ahead.overage is None:
        return filled(_("at this pace you pass the allowance on {day}"), day=strong(day(passed)))
    return filled(
        _("at this pace you pass the allowance on {day} and pay {amount} more"),
        day=strong(day(passed)),
        amount=strong(_overage(ahead, bill)),
    )


def _overage(ahead: Outlook, bill: Statement) -> str:
    """Four courses in five end within; where some stay under the allowance, only the upper end."""
    if ahead.overage is None:
        amount = about(ahead.expected_overage or Decimal(0), bill.currency)
    elif ahead.overage.high and not ahead.overage.low:
        amount = _("up to {amount}").format(amount=about(ahead.overage.high, bill.currency))
    else:
        amount = money_range(ahead.overage, bill.currency)
    taxed = any(line.kind is LineKind.TAX for line in bill.lines)
    return _("{amount} before tax").format(amount=amount) if taxed else amount


def _within(ahead: Outlook, bill: Statement) -> Safe | None:
    if ahead.amount is None:
        return None
    amount, chance = strong(money_range(ahead.amount, bill.currency)), ahead.chance_of_overage
    if chance is None or chance <= UNLIKELY:
        text = _("at this pace you stay within the allowance and pay {amount}")
        return filled(text, amount=amount)
    return filled(
        _("you are likely to stay within it and pay {amount}, the chance of passing is {chance}"),
        amount=amount,
        chance=strong(percent(chance)),
    )


def _lasting(view: Overview) -> Safe | None:
    own = view.credits
    if own is None or not own.credits_left:
        return None
    lasts = day_range(own.runs_out)
    if lasts is None and own.all_expire_on:
        expire = strong(day(own.all_expire_on - DAY))  # the last day on which they can be used
        text = _("at this pace some are left when the last expire on {day}")
        return filled(text, day=expire)
    if lasts is None:
        return filled(_("at this pace they last for more than a year"))
    return filled(_("at this pace they last until {days}"), days=strong(lasts))


def _better(view: Overview) -> Safe | None:
    """What another tier would save, credits that expire, or whether this is normal."""
    ahead, bill = view.outlook, view.statement
    if view.credits:
        lot = next((one for one in view.credits.lots if expiring(one)), None)
        if lot is None:
            return None
        return filled(
            _("{credits} of {pack} expire unused after {day}"),
            credits=strong(expiring(lot)),
            pack=lot.name.capitalize(),
            day=strong(day(lot.expires_on - DAY)) if lot.expires_on else "–",
        )
    advised = ahead and (ahead.advice or ahead.next_advice)
    if ahead and bill and advised:
        now = _("{tier} would save about {amount}")
        later = _("from the next period {tier} would save about {amount}")
        return filled(
            now if ahead.advice else later,
            tier=strong(advised.tier.capitalize()),
            amount=strong(about(advised.saves, bill.currency)),
        )
    return _compared(view.comparison) if not view.allowance else None


def _compared(compared: Comparison | None) -> Safe | None:
    moved = compared and change(compared.quantity, compared.quantity_before)
    if compared is None or moved is None:
        return None
    drift = compared.quantity / compared.quantity_before - 1
    if abs(drift) < ABOUT_THE_SAME:
        return filled(_("use is about that of the period before"))
    share = strong(percent(abs(drift)))
    if drift > 0:
        return filled(_("use is {share} above the period before"), share=share)
    return filled(_("use is {share} below the period before"), share=share)


def _was_used(view: Overview) -> Safe:
    period, own, bill = _name(view.period), view.allowance, view.statement
    if own and own.beyond:
        return filled(
            _("In {period} you used {used}, {beyond} more than {plan} includes"),
            period=period,
            used=strong(counted(own.used, own.unit)),
            beyond=strong(quantity(own.beyond)),
            plan=view.plan or own.tier.capitalize(),
        )
    if own:
        return filled(
            _("In {period} you used {used} of {allowance} on {plan}"),
            period=period,
            used=strong(quantity(own.used)),
            allowance=strong(counted(own.included, own.unit)),
            plan=view.plan or own.tier.capitalize(),
        )
    lead = lead_series(view)
    if bill and view.plan and not view.credits:
        return filled(
            _("In {period} you spent {amount} on {plan}"),
            period=period,
            amount=strong(money(bill.total, bill.currency)),
            plan=view.plan,
        )
    if lead is None or not lead.quantity:
        return filled(_("In {period} you used nothing"), period=period)
    used = strong(counted(lead.quantity, lead.unit))
    return filled(_("In {period} you used {used}"), period=period, used=used)


def _was_billed(view: Overview) -> Safe | None:
    bill = view.statement
    if view.connected:
        return filled(_("you pay Twilio directly, so no amounts are shown here"))
    if bill is None:
        return None
    amount = strong(money(bill.total, bill.currency))
    if bill.status is Status.FINAL:
        return filled(_("the bill is {amount}, final"), amount=amount)
    return filled(_("the bill is {amount}, not final yet, late usage may be added"), amount=amount)


def _name(period: BillingPeriod) -> str:
    name = period_name(period)
    return _("the period {days}").format(days=name) if name[0].isdigit() else name


def credits_left(credits: Decimal) -> str:
    left = n_("{n} credit left", "{n} credits left", credits)
    return left.format(n=quantity(credits))


def freshness_line(fresh: Freshness, period: BillingPeriod, today: date) -> str:
    """Data as of 21 Nov 09:30 UTC · days are UTC · 18–21 Nov are still settling."""
    known = _("Data as of {moment}").format(moment=moment(fresh.as_of)) if fresh.as_of else None
    parts = [known, _("All days are UTC")]
    moving = min(today, period.last_day)
    if fresh.as_of and moving > fresh.settled_through:
        first = max(period.start, date.fromordinal(fresh.settled_through.toordinal() + 1))
        said = n_(
            "{days} is still settling and may rise",
            "{days} are still settling and may rise",
            (moving - first).days + 1,
        )
        parts.append(said.format(days=days(first, moving)))
    return " · ".join(part for part in parts if part)


def pace(own: Allowance, settled_through: date) -> str:
    """Where the allowance stands against the calendar, both at the last settled day."""
    return _("By {day} {used} used, {gone} of the period gone.").format(
        day=day(settled_through), used=percent(own.share_used), gone=percent(own.share_gone)
    )


def normal(compared: Comparison) -> tuple[str, str]:
    """(+12%, More than the period before): a figure and its meaning."""
    moved = change(compared.quantity, compared.quantity_before)
    if moved is None:
        return _("New"), _("Nothing was used by this day of the last period.")
    drift = compared.quantity / compared.quantity_before - 1
    if abs(drift) < ABOUT_THE_SAME:
        return moved, _("About the same as the period before.")
    more, less = _("More than the period before."), _("Less than the period before.")
    return moved, more if drift > 0 else less


def line_label(line: StatementLine | Line) -> str:
    """A statement line in words for people; tiers and packs have bare names."""
    known = translated(line.label)
    name = known.capitalize() if known.islower() else known
    match line.kind:
        case LineKind.FEE if line.label.islower():
            return _("{tier} plan fee").format(tier=name)
        case LineKind.PACK:
            return _("{pack} credit pack").format(pack=name)
        case LineKind.CREDITS:
            return _("From the {pack} pack").format(pack=line.label)
        case LineKind.EXPIRED:
            return _("Expired from the {pack} pack").format(pack=line.label)
    return name


def line_quantity(line: StatementLine) -> str:
    """Billed units with their name; a count of packs or fees needs none."""
    if line.quantity is None:
        return ""
    if line.kind is LineKind.EXPIRED:
        credits = n_("{n} credit", "{n} credits", line.quantity)
        return credits.format(n=quantity(line.quantity))
    if line.kind in (LineKind.FEE, LineKind.PACK) or not line.unit:
        return quantity(line.quantity)
    return counted(line.quantity, line.unit)


def worked_out(how: Arithmetic, currency: str) -> str:
    """17/30 × $59.99; 10% of $120.00; $100.00 − $64.99."""
    text = money(how.of, currency)
    if how.denominator != 1:
        text = f"{plain(how.numerator)}/{plain(how.denominator)} × {text}"
    elif abs(how.numerator) < 1:
        share = exact_percent(abs(how.numerator))
        text = _("{share} of {amount}").format(share=share, amount=text)
    elif how.numerator != 1:
        text = f"{quantity(how.numerator)} × {unit_price(how.of, currency)}"
    return f"{text} − {money(how.less, currency)}" if how.less else text


def plan_step(step: PlanStep) -> list[Part]:
    """From 10 Nov: Medium; asked on 10 Nov, from 1 Dec: Small; replaced by a later change."""
    asked, name = day(step.asked_on), strong(step.name)
    if not step.billed:
        text = _("{asked}: {plan}, replaced by a later change before it took effect")
        return [filled(text, asked=asked, plan=name)]
    if step.starts_on > step.asked_on:
        text = _("{asked}: {plan}, from the next period on ({day})")
        return [filled(text, asked=asked, plan=name, day=day(step.starts_on))]
    return [filled(_("From {asked}: {plan}"), asked=asked, plan=name)]
