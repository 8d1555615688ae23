"""Why a customer needs a look, in words: one short sentence a reason, the most urgent first."""

from collections.abc import Iterator
from datetime import date

from dashboard.charts.formats import about, day, days, moment, percent, period_name, whole
from dashboard.views.markup import Safe, joined, span
from dashboard.words import N_, _, n_
from data.fleet import FleetRow, Reason
from data.outlook import Range
from data.periods import period_of

REASONS: dict[Reason, str] = {  # as a filter names them, the most urgent first
    Reason.STALE: N_("Stale data"),
    Reason.RUNS_OUT: N_("Ends within a week"),
    Reason.OVERAGE: N_("Expected overage"),
    Reason.REQUEST: N_("Open request"),
    Reason.LOW_CREDITS: N_("Low credits"),
    Reason.UNUSUAL: N_("Unusual day"),
    Reason.ERRORS: N_("Errors up"),
    Reason.RECONCILIATION: N_("Reconciliation off"),
}
CODES: dict[str, Reason] = {  # in addresses
    "stale": Reason.STALE,
    "ends": Reason.RUNS_OUT,
    "overage": Reason.OVERAGE,
    "request": Reason.REQUEST,
    "credits": Reason.LOW_CREDITS,
    "unusual": Reason.UNUSUAL,
    "errors": Reason.ERRORS,
    "reconciliation": Reason.RECONCILIATION,
}
GRAVE = Reason.STALE | Reason.RUNS_OUT | Reason.OVERAGE
CERTAIN = 100  # percent


def flags(row: FleetRow, today: date) -> Safe:
    """Each reason as a mark with its words."""
    return joined(
        span("u-flag u-grave" if reason & GRAVE else "u-flag", words)
        for reason, words in _said(row, today)
    )


def reasons_line(row: FleetRow, today: date) -> str:
    """The same as one line of text, for a file."""
    return "; ".join(words for _reason, words in _said(row, today))


def _said(row: FleetRow, today: date) -> Iterator[tuple[Reason, str]]:
    for reason in REASONS:
        if row.reasons & reason:
            yield reason, _words(row, reason, today)


def _words(row: FleetRow, reason: Reason, today: date) -> str:
    match reason:
        case Reason.STALE:
            return _stale(row)
        case Reason.RUNS_OUT | Reason.LOW_CREDITS:
            return _ends(row, today)
        case Reason.OVERAGE:
            return _overage(row)
        case Reason.REQUEST:
            words = n_("{n} open request", "{n} open requests", row.requests)
            return words.format(n=whole(row.requests))
        case Reason.UNUSUAL if row.unusual_on:
            words = _("Unusual {day}: {meter}")
            return words.format(day=day(row.unusual_on), meter=_(row.unusual_meter))
        case Reason.ERRORS:
            words = n_(
                "{n} error in 7 days, {before} before",
                "{n} errors in 7 days, {before} before",
                row.errors,
            )
            return words.format(n=whole(row.errors), before=whole(row.errors_before))
        case Reason.RECONCILIATION if row.differs_in:
            month = period_name(period_of(row.differs_in))
            return _("{month} differs from Twilio's total").format(month=month)
    return _(REASONS[reason])


def _stale(row: FleetRow) -> str:
    if row.synced_at is None:
        return _("Last reading failed") if row.failing else _("Never read")
    at = moment(row.synced_at)
    if row.failing:
        return _("Last reading failed, data of {moment}").format(moment=at)
    return _("No data since {moment}").format(moment=at)


def _ends(row: FleetRow, today: date) -> str:
    early, late = row.ends_early, row.ends_late
    in_credits = row.ends == "credits"
    if early is None:
        return _(REASONS[Reason.RUNS_OUT])
    if (in_credits and not row.credits_left) or (early == late and early <= today):
        return _("Credits used up") if in_credits else _("Allowance used up")
    if late is None:
        words = (
            _("Credits may end from {day} on")
            if in_credits
            else _("Allowance may end from {day} on")
        )
        return words.format(day=day(early))
    words = _("Credits end {days}") if in_credits else _("Allowance ends {days}")
    return words.format(days=days(early, late))


def _overage(row: FleetRow) -> str:
    if row.overage is None or row.currency is None:
        return _(REASONS[Reason.OVERAGE])
    amount = about(row.overage, row.currency)
    if row.chance >= CERTAIN:
        return _("Expected overage {amount}").format(amount=amount)
    words = _("Expected overage {amount}, {share} likely")
    return words.format(amount=amount, share=percent(row.chance / 100))


def expected(row: FleetRow) -> Range | None:
    """The range that the amount is expected to end in."""
    if row.expected_low is None or row.expected_high is None:
        return None
    return Range(row.expected_low, row.expected_low, row.expected_high)
