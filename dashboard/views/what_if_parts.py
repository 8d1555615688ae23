"""Parts of the page What if: bills side by side, costs at another use, break-even points."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from dashboard.charts.formats import (
    counted,
    money,
    percent,
    period_name,
    sentence,
    signed_money,
)
from dashboard.views.markup import (
    Part,
    Safe,
    div,
    filled,
    grid,
    note,
    number_cell,
    number_head,
    span,
    strong,
    tag,
)
from dashboard.views.wording import line_label, line_quantity
from dashboard.words import _, n_
from data.pricing import CreditLots
from data.simulation import SimulatedPeriod
from data.statement import StatementLine
from data.what_if import BreakEven, Growth, Option, Tried


def option_name(option: Option, *, short: bool = False) -> str:
    """Medium; SMS credits, large pack; the name of the plan."""
    if option.tier:
        return sentence(option.tier)
    if option.pack:
        said = _("Credits, {pack} pack") if short else _("{plan}, {pack} pack")
        return said.format(plan=option.plan.name, pack=option.pack)
    return option.plan.name


def growth_name(code: str) -> str:
    """+25%, −10%, as it is."""
    share = Decimal(code) / 100
    if not share:
        return _("as now")
    return f"{'−' if share < 0 else '+'}{percent(abs(share))}"


# The past


def verdict(every: Sequence[Tried]) -> Safe | None:
    """What would have cost least, of the plans that price all of the use."""
    whole = [one for one in every if not one.short and not one.left_out]
    best = min(whole, key=lambda one: (one.past.amount, not one.option.own), default=None)
    if best is None or best.past.difference is None:
        return None
    months = n_("{n} month", "{n} months", len(best.past.periods)).format(n=len(best.past.periods))
    billed = money(best.past.actual, best.past.actual_currency)
    if best.past.difference >= 0:
        said = _("You were billed {billed} for {months}. Nothing offered would have cost less.")
        return tag("p", filled(said, billed=strong(billed), months=months), class_="u-text")
    said = _(
        "You were billed {billed} for {months}. {option} would have cost {amount}, "
        "which is {less} less."
    )
    parts = {
        "billed": strong(billed),
        "months": months,
        "option": strong(option_name(best.option)),
        "amount": strong(money(best.past.amount, best.past.currency)),
        "less": strong(money(-best.past.difference, best.past.currency)),
    }
    return tag("p", filled(said, **parts), class_="u-text")


def options_table(every: Sequence[Tried]) -> Safe:
    figures = (number_head(name) for name in (_("In all"), _("Against your bills")))
    ordered = sorted(every, key=lambda one: (bool(one.short or one.left_out), one.past.amount))
    rows = (_option(one) for one in ordered)
    return grid(_("Your past on each plan"), (_("Plan"), *figures), rows)


def _option(one: Tried) -> Safe:
    past = one.past
    name = option_name(one.option)
    own = span("u-tag", _("your plan")) if one.option.own else None
    moved = past.difference
    return tag(
        "tr",
        tag("td", strong(name) if one.option.own else name, " ", own, *_doubts(one)),
        number_cell(money(past.amount, past.currency)),
        number_cell("" if moved is None else signed_money(moved, past.currency)),
        class_="u-own" if one.option.own else None,
    )


def _doubts(one: Tried) -> Iterator[Safe]:
    """Why an amount must not be read as the price of all of the use."""
    if one.option.pack:
        yield span("u-behind-it", _pack(one.option))
    if one.short:
        yield span("u-behind-it u-warn", _("some of your use has no price on it"))
    if one.left_out:
        labels = ", ".join(_(label) for label in one.left_out)
        yield span("u-behind-it u-warn", _("does not price {labels}").format(labels=labels))


def _pack(option: Option) -> str:
    """What is bought, so that a low sum can be followed: 2 packs are 2 × $15.00, not a month."""
    credits = (price for price in option.plan.prices if isinstance(price, CreditLots))
    pack = next(found for price in credits if (found := price.pack(option.pack or "")))
    said = _("whole packs of {credits} for {price}, each bought when the last is used up")
    return said.format(
        credits=counted(pack.credits, "credits"), price=money(pack.price, option.plan.currency)
    )


def bills_table(one: Tried) -> Safe:
    """Month by month beside what was billed; each opens into its lines."""
    past = one.past
    name = option_name(one.option)
    figures = (number_head(head) for head in (_("Billed"), name, _("Difference")))
    rows: list[Safe] = []
    for each in reversed(past.periods):
        rows += _month(each, past.currency, past.actual_currency)
    total = tag(
        "tr",
        tag("td", _("In all")),
        number_cell(money(past.actual, past.actual_currency)),
        number_cell(money(past.amount, past.currency)),
        number_cell(
            "" if past.difference is None else signed_money(past.difference, past.currency)
        ),
        class_="u-total",
    )
    label = _("Month by month on {name}").format(name=name)
    return grid(label, (_("Period"), *figures), (*rows, total))


def _month(each: SimulatedPeriod, currency: str, billed_in: str) -> Iterator[Safe]:
    same = currency == billed_in
    yield tag(
        "tr",
        tag("td", period_name(each.period)),
        number_cell(money(each.actual, billed_in)),
        number_cell(money(each.amount, currency)),
        number_cell(signed_money(each.amount - each.actual, currency) if same else ""),
    )
    lines = n_("{n} line", "{n} lines", len(each.lines)).format(n=len(each.lines))
    opened = tag(
        "details",
        tag("summary", div("u-fold", lines)),
        tag("table", tag("tbody", *(_line(line, currency) for line in each.lines))),
        class_="u-explained",
    )
    yield tag("tr", tag("td", opened, colspan="4"), class_="u-days")


def _line(line: StatementLine, currency: str) -> Safe:
    return tag(
        "tr",
        tag("td", line_label(line)),
        number_cell(line_quantity(line)),
        number_cell(money(line.amount, currency)),
    )


# More use, or less


def average_of(growth: Growth) -> str:
    units = counted(growth.average, growth.unit)
    first, last = period_name(growth.months[0]), period_name(growth.months[-1])
    if first == last:
        return _("As now: {units}, as in {month}.").format(units=units, month=first)
    said = _("As now: {units} a month, the average of {first} to {last}.")
    return said.format(units=units, first=first, last=last)


def costs_table(growth: Growth, at: int) -> Safe:
    figures = (number_head(name) for name in (_("A period"), _("Against yours")))
    points = [(one.option, one.points[at]) for one in growth.courses]
    own = next((point for option, point in points if option.own and point.covered), None)
    covered = [point.amount for _option, point in points if point.covered]
    ordered = sorted(points, key=lambda pair: (not pair[1].covered, pair[1].amount))
    rows = []
    for option, point in ordered:
        name = option_name(option)
        tags: list[Part] = [span("u-tag", _("your plan"))] if option.own else []
        if point.covered and point.amount == min(covered):
            tags += [" ", span("u-tag u-best", _("cheapest"))]
        doubt = None if point.covered else span("u-behind-it u-warn", _("too small for it"))
        against = signed_money(point.amount - own.amount, growth.currency) if own else ""
        rows.append(
            tag(
                "tr",
                tag("td", strong(name) if option.own else name, " ", *tags, doubt),
                number_cell(money(point.amount, growth.currency) if point.covered else "–"),
                number_cell(against if point.covered and not option.own else ""),
                class_="u-own" if option.own else None,
            )
        )
    return grid(_("What a period would cost"), (_("Plan"), *figures), rows)


def break_even_lines(growth: Growth) -> Safe | None:
    said = [line for one in growth.break_evens for line in _break_even(one, growth)]
    if not growth.own_in_it:
        own = _("The price of your own plan follows use as it is counted, so it is not drawn here.")
        said.insert(0, note(own))
    if not said:
        return None
    title = tag("h2", _("Where another costs less"), class_="u-section")
    return div("u-panel u-breaks", title, *said)


def _break_even(one: BreakEven, growth: Growth) -> Iterator[Safe]:
    name, other = option_name(one.option), option_name(one.than)
    unit = growth.unit
    if not one.switches:
        never = _("{option} costs less than {other} at no use up to {units}.")
        units = counted(Decimal(one.upto), unit)
        yield note(filled(never, option=strong(name), other=other, units=units))
    for switch in one.switches:
        at = counted(Decimal(switch.quantity), unit)
        if switch.cheaper and not switch.quantity and len(one.switches) == 1:
            # Beyond it one of the two has no price, or nothing was asked.
            at = counted(Decimal(one.upto), unit)
            said = _("Up to {units} a month {option} costs less than {other}.")
        elif switch.cheaper and not switch.quantity:
            said = _("{option} costs less than {other} from the first unit on.")
        elif switch.cheaper:
            said = _("From {units} a month {option} costs less than {other}.")
        else:
            said = _("From {units} a month {option} no longer costs less than {other}.")
        parts = {"units": strong(at), "option": strong(name), "other": other}
        yield tag("p", filled(said, **parts), class_="u-text")
