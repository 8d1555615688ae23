"""The four answers at the top of the overview, each a card: value in, HTML out.

Used and left · cost so far · is this normal? · where it will end.  The three honest labels (so
far, expected, final) stand as a tag on the cards with money and are never mixed in one figure.
"""

from datetime import date
from decimal import Decimal

from dashboard.charts.formats import (
    about,
    counted,
    day,
    day_range,
    moment,
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
from dashboard.views.markup import Part, Safe, div, note, span, tag
from dashboard.views.wording import STATUS_WORDS, is_over, lead_series, line_label, normal, pace
from data.credits import Credits, LotLeft
from data.overview import Allowance, Overview
from data.pricing import LineKind
from data.statement import Statement, StatementLine

MOST_ROWS = 3
TWILIO_BILL = "https://console.twilio.com/us1/billing/manage-billing/billing-overview"


def card(title: str, figure: Part, *body: Part, label: str | None = None) -> Safe:
    head = div("u-card-head", tag("h2", title), span("u-tag", label) if label else None)
    shown = tag("p", figure, class_="u-figure") if figure is not None else None
    return tag("section", head, shown, *body, class_="u-card")


def cards(view: Overview, today: date) -> Safe:
    answers = (
        used_and_left(view, today),
        cost_so_far(view),
        is_this_normal(view),
        where_it_ends(view, today),
    )
    return div("u-cards", *answers)


def used_and_left(view: Overview, today: date) -> Safe:
    if view.allowance:
        return _allowance(view, view.allowance, today)
    if view.credits:
        return _credits(view.credits, running=not is_over(view, today))
    lead = lead_series(view)
    if lead is None:
        return card("Used", "0", note("Nothing was used in this period."))
    figure = tag("span", quantity(lead.quantity), span("u-of", f" {lead.unit}"))
    if view.edges:
        return card("Used", figure, ladder(lead.quantity, view.edges), note(_next_step(view)))
    others = [one for one in view.series if one is not lead and one.quantity][:MOST_ROWS]
    rows = [row(one.label, counted(one.quantity, one.unit)) for one in others]
    limit = None if view.connected else note("No allowance: every unit is charged.")
    return card("Used", figure, div("u-rows", *rows), limit if not rows else None)


def row(label: str, value: Part, *, class_: str = "u-row") -> Safe:
    return div(class_, span("u-key", label), span("u-value", value))


def _allowance(view: Overview, own: Allowance, today: date) -> Safe:
    figure = tag("span", quantity(own.used), span("u-of", f" of {counted(own.included, own.unit)}"))
    marker = None if is_over(view, today) else own.share_gone
    if own.beyond:
        left = row("Beyond the allowance", quantity(own.beyond), class_="u-row u-warn")
    else:
        left = row("Left", counted(own.left, own.unit))
    return card(
        "Used and left",
        figure,
        bar(own.used, own.included, marker=marker, settled=own.settled if marker else None),
        div("u-rows", left, row(*_step(own, view.edges)) if view.edges else None),
        _allowance_note(own, view.freshness.settled_through, is_open=marker is not None),
    )


def _allowance_note(own: Allowance, seen: date, *, is_open: bool) -> Safe | None:
    if own.beyond and not own.has_overage_price:
        return note("Use beyond it has no price on this plan. Ask for a larger one.")
    return note(f"{pace(own, seen)}.") if is_open and not own.beyond else None


def _step(own: Allowance, edges: tuple[Decimal, ...]) -> tuple[str, str]:
    """The distance to the next size of bundle."""
    ahead = [edge for edge in edges if edge > own.included]
    if not ahead or own.next_tier is None:
        return "Bundle", f"{own.tier.capitalize()}, the largest"
    return "Next size", f"{own.next_tier.capitalize()}, {quantity(ahead[0])} included"


def _next_step(view: Overview) -> str:
    lead = lead_series(view)
    used = lead.quantity if lead else Decimal(0)
    ahead = [edge for edge in view.edges if edge >= used]
    if not ahead:
        return f"The last price step, above {quantity(view.edges[-1])}, applies."
    return f"{quantity(ahead[0] - used)} to the next price step, at {quantity(ahead[0])}."


def _credits(own: Credits, *, running: bool) -> Safe:
    figure = tag("span", quantity(own.credits_left), span("u-of", " credits left"))
    worth = row("Worth", counted(own.units_left, own.unit))
    owed = row("Owed", counted(own.owed, own.unit), class_="u-row u-warn") if own.owed else None
    lots = [_lot(lot, running=running) for lot in own.lots[:MOST_ROWS]]
    return card("Used and left", figure, div("u-rows", worth, owed, *lots))


def _lot(lot: LotLeft, *, running: bool) -> Safe:
    ends = f", expires {day(lot.expires_on)}" if lot.expires_on else ""
    left = f"{quantity(lot.credits_left)} of {quantity(lot.credits)}"
    return div(
        "u-lot",
        row(f"{lot.name.capitalize()}{ends}", left),
        bar(lot.credits_left, lot.credits),
        _unused(lot) if running else None,  # no forecast from a day long gone
    )


def _unused(lot: LotLeft) -> Safe | None:
    if lot.expected_unused is None or not lot.expected_unused[1]:
        return None
    low, high = (f"{amount:,.0f}" for amount in lot.expected_unused)
    many = low if low == high else f"{low}–{high}"
    return tag("p", f"{many} will expire unused at this pace", class_="u-note u-warn")


def cost_so_far(view: Overview) -> Safe:
    bill = view.statement
    if bill is None:
        link = tag("a", "Open your bill at Twilio", href=TWILIO_BILL, class_="u-link")
        return card("Cost", None, note("You pay Twilio directly. No amounts are shown here."), link)
    rows = _charges(bill)
    hidden = len(rows) - MOST_ROWS
    more = note(f"and {hidden} more lines") if hidden > 0 else None
    at = view.freshness.as_of
    return card(
        "Cost so far" if bill.status.value == "open" else "Cost",
        money(bill.total, bill.currency),
        div("u-rows", *rows[:MOST_ROWS], more) if rows else None,
        note(prorated(bill)) if bill.prorated else None,
        note(f"As of {moment(at)}.") if at and bill.status.value != "final" else None,
        label=STATUS_WORDS[bill.status],
    )


def _charges(bill: Statement) -> list[Safe]:
    """What the bill is made of: its lines, or what each product adds to a line over all."""
    charges: list[tuple[str, Decimal]] = []
    for line in bill.lines:
        parts = [(part.label, part.amount) for part in line.breakdown]
        charges += parts or [(_line_name(bill, line), line.amount)]
    return [row(label, money(amount, bill.currency)) for label, amount in charges if amount]


def _line_name(bill: Statement, line: StatementLine) -> str:
    name = line_label(line)
    if line.kind is LineKind.OVERAGE and line.quantity and line.unit_amount is not None:
        return f"{name}, {quantity(line.quantity)} × {unit_price(line.unit_amount, bill.currency)}"
    return name


def prorated(bill: Statement) -> str:
    """13 of 30 days: the arithmetic behind a part of a period."""
    parts = [
        f"{(part.end - part.start).days} of {part.full_days} days"
        for part in bill.parts
        if (part.end - part.start).days < part.full_days
    ]
    return f"Prorated: {' and '.join(parts)}."


def is_this_normal(view: Overview) -> Safe:
    compared = view.comparison
    if compared is None:
        return card("Is this normal?", "–", note("There is no earlier period to compare with."))
    figure, meaning = normal(compared)
    unit = sentence(compared.unit)
    through = f"{unit} up to {day(compared.through)}, and up to the same day before."
    bars = compared_bars(("This period", compared.quantity), ("Before", compared.quantity_before))
    return card("Is this normal?", figure, note(f"{meaning}."), bars, note(through))


def where_it_ends(view: Overview, today: date) -> Safe:
    ahead, bill = view.outlook, view.statement
    title = "Where it ended" if is_over(view, today) else "Where it will end"
    if ahead is None:
        settled = "The first days have to settle before anything can be said."
        return card(title, "–", note(settled), label="expected")
    if view.credits and not is_over(view, today):
        return _credits_end(view.credits, view, today)
    label = "final" if ahead.over else "expected"
    hints: list[Part] = [
        _outlook_rows(view, today),
        note("Little history yet, so this is a wide guess.") if ahead.little_history else None,
    ]
    if bill is None or ahead.amount is None:
        figure = tag("span", quantity_range(ahead.quantity), span("u-of", f" {ahead.unit}"))
        so_far = lead_series(view)
        track = range_track(so_far.quantity if so_far else Decimal(0), ahead.quantity)
        return card(title, figure, track, *hints, how_worked_out(view, today), label=label)
    end = allowance_end(view)
    return card(
        title,
        money_range(ahead.amount, bill.currency),
        range_track(bill.total, ahead.amount) if uncertain(ahead.amount) else None,
        *hints,
        note(f"{end}.") if end else None,
        how_worked_out(view, today),
        label=label,
    )


def _outlook_rows(view: Overview, today: date) -> Safe | None:
    ahead, own = view.outlook, view.allowance
    if ahead is None or ahead.over:
        return None
    units = row(sentence(ahead.unit), quantity_range(ahead.quantity))
    if ahead.amount is None or view.statement is None:  # the range is the card's figure
        units = row("Most likely", counted(ahead.quantity.likely, ahead.unit))
    rows = [*middle_rows(view), units]
    if before := period_before(view, lead_series(view), today):
        rows.append(row("The period before", before))
    if own and not own.beyond and ahead.chance_of_overage is not None:
        rows.append(row("Chance of going over", percent(ahead.chance_of_overage)))
    elif guess := overage_guess(view):
        rows.append(row("Of it overage", f"about {guess}"))
    return div("u-rows", *rows)


def middle_rows(view: Overview) -> list[Safe]:
    """The median amount and the mean one, which overage draws upwards."""
    ahead, bill = view.outlook, view.statement
    if ahead is None or bill is None or ahead.amount is None or not uncertain(ahead.amount):
        return []
    rows = [row("Most likely", about(ahead.amount.likely, bill.currency))]
    if ahead.mean_amount is not None:
        rows.append(row("On average", about(ahead.mean_amount, bill.currency)))
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
    return tag("details", tag("summary", "How this is worked out"), lines, class_="u-details")


def _credits_end(own: Credits, view: Overview, today: date) -> Safe:
    expire = day(own.all_expire_on) if own.all_expire_on else "over a year"
    title, lasts = "Credits last until", day_range(own.runs_out) or expire
    likely = credits_end(own.runs_out)
    if own.used_up:
        title, lasts, likely = "Credits", "used up", None
    ahead, bill = view.outlook, view.statement
    rows = [row("Most likely", likely)] if likely else []
    rows.append(row("Used in this period", counted(own.used, own.unit)))
    if ahead:
        rows.append(row("Expected by its end", quantity_range(ahead.quantity)))
    if bill and ahead and ahead.amount:
        rows.append(row("Bill of the period", money_range(ahead.amount, bill.currency)))
    return card(
        title,
        lasts,
        div("u-rows", *rows),
        how_worked_out(view, today),
        label="expected",
    )
