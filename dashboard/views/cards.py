"""The four answers at the top of the overview, each a card: value in, HTML out.

Used and left · cost so far · is this normal? · where it will end.  The three honest labels (so
far, expected, final) stand as a tag on the cards with money and are never mixed in one figure.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from dashboard.charts.formats import (
    about,
    counted,
    day,
    day_range,
    money,
    money_range,
    percent,
    quantity,
    quantity_range,
    sentence,
    unit_price,
)
from dashboard.views.forecast_words import (
    allowance_end,
    credits_end,
    expiring,
    held,
    made_of,
    moved,
    overage_guess,
    period_before,
    range_meaning,
    silent_days,
    uncertain,
)
from dashboard.views.gauges import bar, compared_bars, ladder, range_track
from dashboard.views.markup import Part, Safe, div, filled, note, span, tag
from dashboard.views.wording import (
    STATUS_WORDS,
    credits_left,
    is_over,
    lead_series,
    line_label,
    normal,
    pace,
)
from dashboard.words import _, n_
from data.credits import Credits, LotLeft
from data.overview import Allowance, Freshness, Overview
from data.periods import DAY
from data.pricing import LineKind
from data.statement import Statement, StatementLine, Status

MOST_ROWS = 3
TWILIO_BILL = "https://console.twilio.com/us1/billing/manage-billing/billing-overview"


def card(
    title: str, figure: Part, *body: Part, label: str | None = None, heading: str = "h2"
) -> Safe:
    head = div("u-card-head", tag(heading, title), span("u-tag", label) if label else None)
    shown = tag("p", figure, class_="u-figure") if figure is not None else None
    return tag("section", head, shown, *body, class_="u-card")


def cards(view: Overview, today: date, pages: Mapping[str, str] = MappingProxyType({})) -> Safe:
    """Each card leads on to its detail where that page is among `pages`: path -> address."""
    answers = (
        used_and_left(view, today),
        cost_so_far(view),
        is_this_normal(view),
        where_it_ends(view, today),
    )
    ways = zip(answers, _ways(view), strict=True)
    return div("u-cards", *(_leading_on(answer, way, pages) for answer, way in ways))


def _ways(view: Overview) -> tuple[tuple[str, str], ...]:
    """The page with the detail of each answer, and what is found there."""
    if view.connected:
        return (("usage", _("Usage in detail")), ("", ""), ("", ""), ("", ""))
    plan = ("credits", _("Lots and ledger")) if view.credits else ("plan", _("Plan and tiers"))
    bill, days = ("spend", _("The bill, line by line")), ("usage", _("Days and categories"))
    return (plan, bill, days, ("what-if", _("On other plans")))


def _leading_on(answer: Safe, way: tuple[str, str], pages: Mapping[str, str]) -> Safe:
    path, words = way
    if path not in pages:
        return answer
    link = tag("a", words, href=pages[path], target="_self", class_="u-link")
    return Safe(f"{answer.removesuffix('</section>')}{link}</section>")


def as_of(fresh: Freshness) -> Safe | None:
    """The page says once that days and times are UTC."""
    if fresh.as_of is None:
        return None
    at = f"{day(fresh.as_of.date())} {fresh.as_of:%H:%M}"
    return tag("p", _("as of {moment}").format(moment=at), class_="u-as-of")


def used_and_left(view: Overview, today: date) -> Safe:
    read = as_of(view.freshness) if not _is_final(view) else None
    if view.allowance:
        return _allowance(view, view.allowance, today, read)
    if view.credits:
        return _credits(view.credits, read, running=not is_over(view, today))
    lead = lead_series(view)
    title = _("Used")
    if lead is None:
        return card(title, "0", note(_("Nothing was used in this period.")), read)
    figure = figure_of(quantity(lead.quantity), _(lead.unit))
    if view.edges:
        step = note(_next_step(view))
        return card(title, figure, ladder(lead.quantity, view.edges), step, read)
    others = [one for one in view.series if one is not lead and one.quantity][:MOST_ROWS]
    rows = [row(_(one.label), counted(one.quantity, one.unit)) for one in others]
    limit = None if view.connected else note(_("No allowance: every unit is charged."))
    return card(title, figure, div("u-rows", *rows), limit if not rows else None, read)


def _is_final(view: Overview) -> bool:
    return view.statement is not None and view.statement.status is Status.FINAL


def row(label: str, value: Part, *, warn: bool = False) -> Safe:
    class_ = "u-row u-warn" if warn else "u-row"
    return div(class_, span("u-key", label), span("u-value", value))


def figure_of(amount: str, rest: str) -> Safe:
    """A large number and, smaller, what it is of."""
    return tag("span", amount, span("u-of", f" {rest}"))


def counted_figure(amount: Decimal, words: str) -> Safe:
    """The same of a whole phrase that begins with the number: 120 and, smaller, credits left."""
    shown = quantity(amount)
    return figure_of(shown, words.removeprefix(shown).strip())


def _allowance(view: Overview, own: Allowance, today: date, read: Safe | None) -> Safe:
    marker = None if is_over(view, today) else own.share_gone
    if own.beyond:
        left = row(_("Beyond the allowance"), quantity(own.beyond), warn=True)
    else:
        left = row(_("Left"), counted(own.left, own.unit))
    return card(
        _("Used and left"),
        filled(
            _("{used} {of_allowance}"),
            used=quantity(own.used),
            of_allowance=span(
                "u-of", _("of {allowance}").format(allowance=counted(own.included, own.unit))
            ),
        ),
        bar(own.used, own.included, marker=marker, settled=own.settled if marker else None),
        div("u-rows", left, row(*_step(own, view.edges)) if view.edges else None),
        _allowance_note(own, view.freshness.settled_through, is_open=marker is not None),
        read,
    )


def _allowance_note(own: Allowance, seen: date, *, is_open: bool) -> Safe | None:
    if own.beyond and not own.has_overage_price:
        return note(_("Use beyond it has no price on this plan. Ask for a larger one."))
    return note(pace(own, seen)) if is_open and not own.beyond else None


def _step(own: Allowance, edges: tuple[Decimal, ...]) -> tuple[str, str]:
    """The distance to the next size of bundle."""
    ahead = [edge for edge in edges if edge > own.included]
    if not ahead or own.next_tier is None:
        return _("Bundle"), _("{tier}, the largest").format(tier=own.tier.capitalize())
    included = _("{tier}, {quantity} included")
    return _("Next size"), included.format(
        tier=own.next_tier.capitalize(), quantity=quantity(ahead[0])
    )


def _next_step(view: Overview) -> str:
    lead = lead_series(view)
    used = lead.quantity if lead else Decimal(0)
    ahead = [edge for edge in view.edges if edge >= used]
    if not ahead:
        last = _("The last price step, above {quantity}, applies.")
        return last.format(quantity=quantity(view.edges[-1]))
    step = _("{left} to the next price step, at {quantity}.")
    return step.format(left=quantity(ahead[0] - used), quantity=quantity(ahead[0]))


def _credits(own: Credits, read: Safe | None, *, running: bool) -> Safe:
    worth = row(_("Worth"), counted(own.units_left, own.unit))
    owed = row(_("Owed"), counted(own.owed, own.unit), warn=True) if own.owed else None
    lots = [_lot(lot, running=running) for lot in own.lots[:MOST_ROWS]]
    rows = div("u-rows", worth, owed, *lots)
    figure = counted_figure(own.credits_left, credits_left(own.credits_left))
    return card(_("Used and left"), figure, rows, read)


def _lot(lot: LotLeft, *, running: bool) -> Safe:
    name = lot.name.capitalize()
    if lot.expires_on:
        name = _("{pack}, expires {day}").format(pack=name, day=day(lot.expires_on - DAY))
    left = _("{left} of {credits}")
    left = left.format(left=quantity(lot.credits_left), credits=quantity(lot.credits))
    unused = expiring(lot) if running else None  # no forecast from a day long gone
    said = _("{credits} will expire unused at this pace").format(credits=unused) if unused else None
    return div(
        "u-lot",
        row(name, left),
        bar(lot.credits_left, lot.credits),
        tag("p", said, class_="u-note u-warn") if said else None,
    )


def cost_so_far(view: Overview) -> Safe:
    bill = view.statement
    if bill is None:
        link = tag("a", _("Open your bill at Twilio"), href=TWILIO_BILL, class_="u-link")
        why = note(_("You pay Twilio directly. No amounts are shown here."))
        return card(_("Cost"), None, why, link)
    rows = _charges(bill)
    hidden = len(rows) - MOST_ROWS
    more = n_("and {n} more line", "and {n} more lines", hidden).format(n=hidden)
    return card(
        _("Cost so far") if bill.status is Status.OPEN else _("Cost"),
        money(bill.total, bill.currency),
        div("u-rows", *rows[:MOST_ROWS], note(more) if hidden > 0 else None) if rows else None,
        note(prorated(bill)) if bill.prorated else None,
        as_of(view.freshness) if not _is_final(view) else None,
        label=_(STATUS_WORDS[bill.status]),
    )


def _charges(bill: Statement) -> list[Safe]:
    """What the bill is made of: its lines, or what each product adds to a line over all."""
    charges: list[tuple[str, Decimal]] = []
    for line in bill.lines:
        parts = [(_(part.label), part.amount) for part in line.breakdown]
        charges += parts or [(_line_name(bill, line), line.amount)]
    return [row(label, money(amount, bill.currency)) for label, amount in charges if amount]


def _line_name(bill: Statement, line: StatementLine) -> str:
    name = line_label(line)
    if line.kind is LineKind.OVERAGE and line.quantity and line.unit_amount is not None:
        return f"{name}, {quantity(line.quantity)} × {unit_price(line.unit_amount, bill.currency)}"
    return name


def prorated(bill: Statement) -> str:
    """13 of 30 days: the arithmetic behind a part of a period."""
    text = _("{n} of {whole} days")
    parts = [
        text.format(n=(part.end - part.start).days, whole=part.full_days)
        for part in bill.parts
        if (part.end - part.start).days < part.full_days
    ]
    return _("Prorated: {days}.").format(days=", ".join(parts))


def is_this_normal(view: Overview) -> Safe:
    compared, title = view.comparison, _("Is this normal?")
    read = as_of(view.freshness) if not _is_final(view) else None
    if compared is None:
        return card(title, "–", note(_("There is no earlier period to compare with.")), read)
    figure, meaning = normal(compared)
    bars = compared_bars(
        (_("This period"), compared.quantity), (_("Before"), compared.quantity_before)
    )
    through = _("{unit} up to {day}, and up to the same day before.").format(
        unit=sentence(_(compared.unit)), day=day(compared.through)
    )
    return card(title, figure, note(meaning), bars, note(through), read)


def where_it_ends(view: Overview, today: date) -> Safe:
    ahead, bill = view.outlook, view.statement
    title = _("Where it ended") if is_over(view, today) else _("Where it will end")
    read = as_of(view.freshness) if not _is_final(view) else None
    if ahead is None:
        settled = note(_("The first days have to settle before anything can be said."))
        return card(title, "–", settled, read, label=_("expected"))
    if view.credits and not is_over(view, today):
        return _credits_end(view.credits, view, today, read)
    label = _("final") if ahead.over else _("expected")
    little = (
        note(_("Little history yet, so this is a wide guess.")) if ahead.little_history else None
    )
    hints: list[Part] = [_outlook_rows(view, today), little]
    if bill is None or ahead.amount is None:
        figure = figure_of(quantity_range(ahead.quantity), _(ahead.unit))
        so_far = lead_series(view)
        track = range_track(so_far.quantity if so_far else Decimal(0), ahead.quantity)
        return card(title, figure, track, *hints, how_worked_out(view, today), read, label=label)
    end = allowance_end(view)
    return card(
        title,
        money_range(ahead.amount, bill.currency),
        range_track(bill.total, ahead.amount) if uncertain(ahead.amount) else None,
        *hints,
        note(end) if end else None,
        how_worked_out(view, today),
        read,
        label=label,
    )


def _outlook_rows(view: Overview, today: date) -> Safe | None:
    ahead, own = view.outlook, view.allowance
    if ahead is None or ahead.over:
        return None
    units = row(sentence(_(ahead.unit)), quantity_range(ahead.quantity))
    if ahead.amount is None or view.statement is None:  # the range is the card's figure
        units = row(_("Most likely"), counted(ahead.quantity.likely, ahead.unit))
    rows = [*middle_rows(view), units]
    if before := period_before(view, lead_series(view), today):
        rows.append(row(_("The period before"), before))
    if own and not own.beyond and ahead.chance_of_overage is not None:
        rows.append(row(_("Chance of going over"), percent(ahead.chance_of_overage)))
    elif guess := overage_guess(view):
        about_it = _("about {amount}").format(amount=guess)
        rows.append(row(_("Of it overage"), about_it))
    return div("u-rows", *rows)


def middle_rows(view: Overview) -> list[Safe]:
    """The median amount and the mean one, which overage draws upwards."""
    ahead, bill = view.outlook, view.statement
    if ahead is None or bill is None or ahead.amount is None or not uncertain(ahead.amount):
        return []
    rows = [row(_("Most likely"), about(ahead.amount.likely, bill.currency))]
    if ahead.mean_amount is not None:
        rows.append(row(_("On average"), about(ahead.mean_amount, bill.currency)))
    return rows


def how_worked_out(view: Overview, today: date) -> Safe | None:
    """What the forecast is made of, why it moved and how the earlier ones held, folded away."""
    ahead, lead = view.outlook, lead_series(view)
    if ahead is None or ahead.over or ahead.components is None or lead is None:
        return None
    settled = view.freshness.settled_through
    said = (
        made_of(
            *(ahead.components, view.period, today),
            silent_days=silent_days(lead, settled),
            little_history=ahead.little_history,
        ),
        moved(ahead.changed, ahead.quantity.likely, ahead.unit, settled),
        range_meaning(priced=ahead.amount is not None),
        held(view.record),
    )
    lines = div("u-rows", *(note(one) for one in said if one))
    return tag("details", tag("summary", _("How this is worked out")), lines, class_="u-details")


def _credits_end(own: Credits, view: Overview, today: date, read: Safe | None) -> Safe:
    expire = day(own.all_expire_on - DAY) if own.all_expire_on else _("over a year")
    title, lasts = _("Credits last until"), day_range(own.runs_out) or expire
    likely = credits_end(own.runs_out)
    if own.used_up:
        title, lasts, likely = _("Credits"), _("used up"), None
    ahead, bill = view.outlook, view.statement
    rows = [row(_("Most likely"), likely)] if likely else []
    rows.append(row(_("Used in this period"), counted(own.used, own.unit)))
    if ahead:
        rows.append(row(_("Expected by its end"), quantity_range(ahead.quantity)))
    if bill and ahead and ahead.amount:
        rows.append(row(_("Bill of the period"), money_range(ahead.amount, bill.currency)))
    worked = how_worked_out(view, today)
    return card(title, lasts, div("u-rows", *rows), worked, read, label=_("expected"))
