"""Parts of the page Plan: an allowance, tiers beside it, the steps of a price, changes, terms."""

from collections.abc import Iterator
from datetime import date

from dashboard.charts.formats import (
    about,
    counted,
    day,
    day_range,
    days,
    money,
    money_range,
    one_of,
    percent,
    quantity,
    quantity_range,
    sentence,
    unit_price,
)
from dashboard.views.cards import card, row
from dashboard.views.gauges import bar, ladder
from dashboard.views.markup import (
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
from dashboard.views.terms_words import (
    SHORTFALLS,
    explained,
    pack_line,
    plan_facts,
    price_facts,
    priced_for,
    step_price,
    step_range,
)
from dashboard.views.wording import plan_step, worked_out
from dashboard.words import _
from data.periods import DAY
from data.plan_progress import AllowanceProgress, Ladder, PlanProgress, Stretch, TierOffer
from data.plan_terms import PriceTerms
from data.pricing import LineKind
from data.statement import Statement

# An allowance


def allowance_cards(
    one: AllowanceProgress, currency: str, *, over: bool, early: bool = False
) -> Safe:
    return div(
        "u-cards u-few", _used(one, over=over), _ending(one, currency, over=over, early=early)
    )


def _used(one: AllowanceProgress, *, over: bool) -> Safe:
    own = one.allowance
    included = _("of {included}").format(included=counted(own.included, own.unit))
    figure = tag("span", quantity(own.used), span("u-of", f" {included}"))
    if own.beyond:
        left = row(_("Beyond the allowance"), quantity(own.beyond), warn=True)
    else:
        left = row(_("Left"), counted(own.left, own.unit))
    share = None
    if one.agreed != own.included:
        how = _("{days} of {full_days} days of {agreed}, rounded up").format(
            days=one.days.days, full_days=one.days.full_days, agreed=quantity(one.agreed)
        )
        share = row(_("Included"), how)
    marker = None if over else own.share_gone
    settled = None if over else own.settled
    return card(
        _("Used and left"),
        figure,
        bar(own.used, own.included, marker=marker, settled=settled),
        note(pace) if (pace := pace_words(one, over=over)) else None,
        div("u-rows", left, share),
        label=_("Tier {name}").format(name=sentence(own.tier)),
        heading="h3",
    )


def pace_words(one: AllowanceProgress, *, over: bool) -> str:
    """61% used, 48% of the period gone: both of the days that are settled.

    Nothing where the allowance is passed: a share of settled days beside all use would confuse.
    """
    own = one.allowance
    used, gone = percent(own.share_used), percent(own.share_gone)
    if over:
        return _("{used} of the allowance was used.").format(used=used)
    if own.beyond:
        return ""
    ahead = _("{used} used, {gone} of the period gone, counting settled days only.")
    return ahead.format(used=used, gone=gone)


def _ending(one: AllowanceProgress, currency: str, *, over: bool, early: bool) -> Safe:
    own = one.allowance
    so_far = money(own.overage_amount, currency)
    if own.beyond and own.has_overage_price:
        units = counted(own.beyond, own.unit)
        first = row(_("Overage so far"), f"{so_far} · {units}", warn=True)
    elif own.has_overage_price:
        first = row(_("Overage so far"), so_far)
    else:
        first = row(_("Price beyond it"), _("none on this plan"), warn=bool(own.beyond))
    title = _("Expected beyond the allowance")
    if over:
        ended, figure = _("Where it ended"), _ended(one, currency)
        return card(ended, figure, div("u-rows", first), label=_("ended"), heading="h3")
    if early:
        settled = note(_("The first days have to settle before anything can be said."))
        return card(title, "–", div("u-rows", first), settled, label=_("expected"), heading="h3")
    figure = counted(one.beyond.likely, own.unit) if one.beyond.high else _("within it")
    if one.overage is not None and one.overage.high:
        figure = money_range(one.overage, currency)
    rows = [first, *_expected(one, currency)]
    hint = _ends(one)
    return card(
        *(title, figure, div("u-rows", *rows), note(hint) if hint else None),
        label=_("expected"),
        heading="h3",
    )


def _ended(one: AllowanceProgress, currency: str) -> str:
    own = one.allowance
    if not own.beyond:
        return _("within it")
    return money(own.overage_amount, currency) if own.has_overage_price else quantity(own.beyond)


def _expected(one: AllowanceProgress, currency: str) -> Iterator[Safe]:
    own = one.allowance
    if one.beyond.high:
        yield row(_("Units beyond it"), quantity_range(one.beyond))
    if one.mean_overage:
        yield row(_("On average"), about(one.mean_overage, currency))
    if one.chance is not None and not own.beyond:
        yield row(_("Chance of going over"), percent(one.chance))
    if one.ends is not None and not own.beyond:
        yield row(_("Runs out"), day_range(one.ends) or _("not in this period"))


def _ends(one: AllowanceProgress) -> str | None:
    if one.ends is None or one.ends.likely is None:
        return None
    if one.allowance.beyond:
        return _("The allowance was used up on {day}.").format(day=day(one.ends.likely))
    return _("Most likely it is used up on {day}.").format(day=day(one.ends.likely))


# The tiers beside it


def tier_table(one: AllowanceProgress, currency: str, *, over: bool, early: bool = False) -> Safe:
    """What it costs on each; early in a first period only with the use so far."""
    figures = [_("Fee"), _("Included"), _("Beyond, each")]
    figures += [_("For the period")] if over else [_("With use so far"), _("Expected in all")]
    figures = figures[:-1] if early else figures
    heads = (_("Tier"), *(number_head(name) for name in figures))
    rows = (_tier(offer, one, currency, over=over, early=early) for offer in one.tiers)
    label = _("Tiers of {name}").format(name=_(one.allowance.label))
    return grid(label, heads, rows)


def _tier(
    offer: TierOffer, own: AllowanceProgress, currency: str, *, over: bool, early: bool
) -> Safe:
    tags = [span("u-tag", _("your tier"))] if offer.chosen else []
    tags += [span("u-tag u-best", _("cheapest"))] if offer.cheapest and not early else []
    is_part = own.agreed != own.allowance.included
    fee = money(offer.fee, currency)
    beyond = _("no price")
    if offer.unit_amount is not None:
        beyond = unit_price(offer.unit_amount, currency)
    short = None
    if offer.short and not early:
        outgrown = _("was too small") if over else _("likely too small, and no price beyond")
        short = span("u-behind-it u-warn", outgrown)
    expected = money_range(offer.expected, currency)
    name = strong(sentence(offer.name)) if offer.chosen else sentence(offer.name)
    full = span("u-behind-it", _("full period")) if is_part else None
    return tag(
        "tr",
        tag("td", name, *(Safe(f" {one}") for one in tags), short),
        tag("td", fee, full, class_="u-number"),
        number_cell(quantity(offer.included)),
        number_cell(beyond),
        None if over else number_cell(money(offer.so_far, currency)),
        None if early else number_cell(strong(expected) if offer.cheapest else expected),
        class_="u-own" if offer.chosen else None,
    )


def tiers_note(one: AllowanceProgress, *, over: bool, early: bool = False) -> str:
    span_of = days(one.days.start, one.days.last_day)
    if over or early:
        said = _("The same use on each tier, {days}; before tax, and of this allowance alone.")
    else:
        said = _(
            "The same use on each tier, {days}; four ends in five lie in the range. Before tax, "
            "and of this allowance alone."
        )
    return said.format(days=span_of)


# The steps of a price


def ladder_panel(own: Ladder, currency: str, *, over: bool) -> Safe:
    edges = [step.up_to for step in own.steps if step.up_to is not None]
    used = counted(own.used, own.unit)
    head = tag("h2", _(own.label), class_="u-section")
    drawn = ladder(own.used, edges) if edges else None
    where = "" if over else next_step(own, currency)
    figures = (number_head(name) for name in (_("One more costs"), _("Used")))
    heads = (_("Units of a period"), *figures)
    rows = [_step_row(own, at, currency) for at in range(len(own.steps))]
    label = _("Price steps of {name}").format(name=_(own.label))
    return div(
        "u-panel u-plan-ladder",
        head,
        tag("p", filled(_("{units} used."), units=strong(used)), " ", where, class_="u-text"),
        drawn,
        grid(label, heads, rows),
    )


def _step_row(own: Ladder, at: int, currency: str) -> Safe:
    step = own.steps[at]
    here = at == own.at
    name = step_range(step)
    flat = None
    if step.flat_fee:
        fee = _("{amount} once it is reached").format(amount=money(step.flat_fee, currency))
        flat = span("u-behind-it", fee)
    mark = Safe(f" {span('u-tag', _('you are here'))}") if here else None
    used = own.within(step)
    return tag(
        "tr",
        tag("td", strong(name) if here else name, mark, flat),
        number_cell(step_price(step, own.kind, currency)),
        number_cell(quantity(used) if used else "–"),
        class_="u-own" if here else None,
    )


def next_step(own: Ladder, currency: str) -> str:
    """The distance to the next step, and what a unit costs there."""
    if own.to_next is None:
        return _("This is the last step.") if len(own.steps) > 1 else ""
    after = own.steps[own.at + 1]
    units = counted(own.to_next, own.unit)
    if not after.priced:
        said = _("{units} to the end of the allowance; beyond it there is no price.")
        return said.format(units=units)
    if after.unit_amount is None:
        return _("{units} to the next step.").format(units=units)
    price = unit_price(after.unit_amount, currency)
    said = _("{units} to the next step; from there one more {unit} costs {price}.")
    return said.format(units=units, unit=one_of(own.unit), price=price)


# Changes


def changes_panel(own: PlanProgress, bill: Statement | None, today: date) -> Safe | None:
    """The plans of the period one after the other, with what each share comes to."""
    cut = len(own.stretches) > 1 or any(_is_part(one) for one in own.stretches)
    begun = [one for one in own.changes if not one.billed or one.starts_on > own.period.start]
    if not cut and not begun and not own.scheduled and own.ends_on is None:
        return None
    items = [_stretch(one, bill, own.currency) for one in own.stretches]
    known = set(own.scheduled)
    items += [
        tag("li", *plan_step(one), class_="u-past")
        for one in own.changes
        if not one.billed and one not in known
    ]
    items += [tag("li", *plan_step(one), class_="u-coming") for one in own.scheduled]
    if own.ends_on is not None:
        ends = _("The contract ends; its last day is {day}.")
        last = day(own.ends_on - DAY, year=True)
        if own.ends_on <= today:
            ends = _("The contract has ended; its last day was {day}.")
        items.append(tag("li", ends.format(day=last), class_="u-coming"))
    title = tag("h2", _("Changes and shares"), class_="u-section")
    return div("u-panel", title, tag("ol", *items, class_="u-timeline"))


def _is_part(one: Stretch) -> bool:
    return (one.end - one.start).days < one.full_days


def _stretch(one: Stretch, bill: Statement | None, currency: str) -> Safe:
    used = (one.end - one.start).days
    share = _("{days} of {full_days} days").format(days=used, full_days=one.full_days)
    lines = [tag("span", text, class_="u-sum") for text in _sums(one, bill, currency)]
    return tag(
        "li",
        span("u-when", days(one.start, one.end - DAY)),
        strong(one.name),
        span("u-why", share) if _is_part(one) else None,
        *lines,
    )


def _sums(one: Stretch, bill: Statement | None, currency: str) -> Iterator[str]:
    """17/30 × $59.99 = $33.99; 17/30 × 200 SMS segments, rounded up = 114."""
    parts = [part for part in bill.parts if part.start == one.start] if bill else []
    for part in parts:
        for line in part.lines:
            if line.arithmetic is not None and line.kind is LineKind.FEE:
                how = worked_out(line.arithmetic, currency)
                yield _("Fee: {sum} = {amount}").format(
                    sum=how, amount=money(line.amount, currency)
                )
    for agreed, included, unit in one.shares:
        if agreed != included:
            how = f"{(one.end - one.start).days}/{one.full_days} × {quantity(agreed)}"
            said = _("Included: {sum}, rounded up = {units}")
            yield said.format(sum=how, units=counted(included, unit))


# Terms


def terms_panel(own: PlanProgress) -> Safe:
    terms = own.terms
    version = _("Version {number}, yours since {day}").format(
        number=terms.version, day=day(terms.since, year=True)
    )
    prices = [_price(price, terms.currency) for price in terms.prices]
    facts = div("u-facts-list", *(row(*fact) for fact in plan_facts(terms)))
    return div(
        "u-panel u-agreed",
        tag("h2", _("What was agreed"), class_="u-section"),
        tag("p", strong(terms.name), " ", span("u-why", version), class_="u-text"),
        facts,
        *prices,
    )


def _price(price: PriceTerms, currency: str) -> Safe:
    packs = [tag("li", pack_line(pack, currency)) for pack in price.packs]
    anew = [tag("li", pack_line(pack, currency)) for pack in price.every_period]
    shortfall = SHORTFALLS.get(price.beyond_credits)
    return div(
        "u-term",
        tag("h3", priced_for(price)),
        note(explained(price)),
        div("u-facts-list", *(row(*fact) for fact in price_facts(price, currency))),
        tag("ul", *packs) if packs else None,
        note(_("With each period come:")) if anew else None,
        tag("ul", *anew) if anew else None,
        note(_(shortfall)) if shortfall else None,
    )
