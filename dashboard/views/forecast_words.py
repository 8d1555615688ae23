"""Sentences about where a period will end: what the forecast is made of, why it moved, its record.

They are composed from values and name no method: what the days behind show, what the days to come
are taken for, and how often the range has held.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import takewhile
from statistics import fmean

from dashboard.charts.daily_usage import usual
from dashboard.charts.formats import about, counted, day, days, percent, quantity, whole
from dashboard.views.markup import Part, filled, strong
from dashboard.words import _, n_
from data.credits import LotLeft
from data.money import ONE
from data.outlook import Advice, Change, DayRange, Range
from data.overview import MeterSeries, Overview
from data.periods import BillingPeriod
from data.projection import DRAWS, Components
from data.projection.unusual import UnusualDay
from data.track_record import TrackRecord

UNLIKELY = 0.005
ALIKE = 0.15  # between the busiest and the quietest weekday, of the mean
QUIET = 0.5  # of a working day
SAME_LEVEL, MANIFOLD, MANY_TIMES = 0.05, 3, 10
SAME_SEASON, CLEAR_SEASON = 0.03, 0.2
WEEK = 7  # days
MAY_HAVE_STOPPED = 0.7  # probability of being active
WORTH_SAYING = Decimal("0.01")  # of the likely total
LEAST_RECORD = 3
FIRST_DAYS = 2  # of a period, on which the one before is shown beside the guess
MOST_UNUSUAL, MOST_NAMED = 3, 3


def uncertain(expected: Range) -> bool:
    return expected.low != expected.high


def overage_guess(view: Overview) -> str | None:
    """The mean of the overage over all draws, which is not the overage of the mean."""
    ahead, bill = view.outlook, view.statement
    if ahead is None or bill is None or not ahead.expected_overage:
        return None
    return about(ahead.expected_overage, bill.currency)


def allowance_end(view: Overview) -> str | None:
    own, ahead = view.allowance, view.outlook
    if own is None or ahead is None or ahead.allowance_ends is None:
        return None
    likely = ahead.allowance_ends.likely
    if own.beyond and likely:
        return _("The allowance was used up on {day}.").format(day=day(likely))
    return None if ahead.over else _runs_out(ahead.allowance_ends)


def _runs_out(when: DayRange) -> str:
    early, likely, late = when.early, when.likely, when.late
    if early is None:
        return _("The allowance lasts the period.")
    if likely is None:
        lasts = _("The allowance is likely to last the period, but may run out from {day} on.")
        return lasts.format(day=day(early))
    if late is None:
        ends = _("The allowance is likely to run out on {day}, on {early} at the earliest.")
        return ends.format(day=day(likely), early=day(early))
    if early == late:
        return _("The allowance is likely to run out on {day}.").format(day=day(likely))
    ends = _("The allowance is likely to run out on {day}, between {days}.")
    return ends.format(day=day(likely), days=days(early, late))


def credits_end(when: DayRange) -> str | None:
    """The likely day, where it is in sight and is not all that the range says."""
    if when.likely is None or when.early == when.late:
        return None
    return day(when.likely)


def expiring(lot: LotLeft) -> str:
    """How many credits of a lot will expire unused, as a range: 25–29 credits; nothing if none."""
    if lot.expected_unused is None or not lot.expected_unused[1]:
        return ""
    low, high = (round(amount) for amount in lot.expected_unused)
    many = whole(high) if low == high else f"{whole(low)}–{whole(high)}"
    return n_("{n} credit", "{n} credits", high).format(n=many)


def advice_lines(now: Advice | None, later: Advice | None, currency: str) -> list[Part]:
    """The tier that would cost less in this period, in the next one, or in both."""
    if now and later and later.tier == now.tier:
        text = _("On {tier} this period would cost about {amount} less, and the next about {next}.")
        return [filled(text, **_advised(now, currency), next=_about(later, currency))]
    said: list[Part] = []
    if now:
        text = _("On {tier} this period would cost about {amount} less.")
        said.append(filled(text, **_advised(now, currency)))
    if later:
        text = _("From next period {tier} would cost about {amount} less.")
        said += [" "] if now else []
        said.append(filled(text, **_advised(later, currency)))
    return said


def _advised(one: Advice, currency: str) -> dict[str, Part]:
    return {"tier": strong(one.tier.capitalize()), "amount": _about(one, currency)}


def _about(one: Advice, currency: str) -> Part:
    return strong(about(one.saves, currency))


def days_to_go(period: BillingPeriod, today: date) -> str:
    left = period.days_left(today)
    if left == 0:
        return _("the last day")
    return n_("{n} day to go", "{n} days to go", left).format(n=left)


def to_go(period: BillingPeriod, today: date) -> str:
    """After a comma in a sentence."""
    left = period.days_left(today)
    if left == 0:
        return _("today is the last day")
    return n_("with {n} day to go", "with {n} days to go", left).format(n=left)


def made_of(
    parts: Components,
    period: BillingPeriod,
    today: date,
    *,
    silent_days: int = 0,
    little_history: bool = False,
) -> str:
    """Weekdays as in the last weeks, level 8% up on four weeks ago, 12 days to go.

    The days to go are the calendar's, as everywhere on the page, though days that still settle
    are forecast too.
    """
    left = days_to_go(period, today) if today < period.end else _("only late usage to come")
    if little_history:
        return _("Too few days yet to tell weekdays or a trend, {to_go}.").format(to_go=left)
    if parts.level <= 0:
        return _("Nothing was used of late, {to_go}.").format(to_go=left)
    if parts.active < MAY_HAVE_STOPPED:
        return _stopped(silent_days)
    said = [_weekdays(parts.weekdays), _level(parts), _looks_back(parts.memory)]
    return f"{', '.join([*said, *_season(parts.season), left])}."


def _stopped(silent_days: int) -> str:
    if not silent_days:
        return _("Use is fading: it may have stopped.")
    said = n_(
        "Nothing for a day: it may have stopped.",
        "Nothing for {n} days: it may have stopped.",
        silent_days,
    )
    return said.format(n=silent_days)


def _weekdays(factors: Sequence[float]) -> str:
    """Factors, Monday first, mean 1."""
    if max(factors) - min(factors) < ALIKE:
        return _("All weekdays alike")
    if fmean(factors[5:]) < QUIET * fmean(factors[:5]):
        return _("Quiet weekends as in the last weeks")
    return _("Weekdays as in the last weeks")


def _level(parts: Components) -> str:
    if parts.level_before <= 0:
        return _("new in the last four weeks")
    ratio = parts.level / parts.season / parts.level_before
    if abs(ratio - 1) < SAME_LEVEL:
        return _("level about that of four weeks ago")
    if ratio >= MANY_TIMES:
        return _("level over {n} times that of four weeks ago").format(n=MANY_TIMES)
    if ratio >= MANIFOLD:
        return _("level {n} times that of four weeks ago").format(n=f"{ratio:.0f}")
    up, down = _("level {share} up on four weeks ago"), _("level {share} down on four weeks ago")
    return (up if ratio > 1 else down).format(share=percent(abs(ratio - 1)))


def _season(factor: float) -> list[str]:
    """What last year's course makes of it: the days to come a little lower, as a year ago."""
    if abs(factor - 1) <= SAME_SEASON:
        return []
    if factor - 1 > CLEAR_SEASON:
        return [_("the days to come clearly higher, as a year ago")]
    if factor > 1:
        return [_("the days to come a little higher, as a year ago")]
    if 1 - factor > CLEAR_SEASON:
        return [_("the days to come clearly lower, as a year ago")]
    return [_("the days to come a little lower, as a year ago")]


def _looks_back(memory: float) -> str:
    weeks = max(round(memory / WEEK), 1)
    return n_("going by the last week", "going by the last {n} weeks", weeks).format(n=weeks)


def silent_days(series: MeterSeries, settled_through: date) -> int:
    """Settled days without use up to the newest one, as far back as the period before."""
    settling = max((series.days[-1] - settled_through).days, 0)  # some in the period before
    newest_first = [*series.previous, *series.quantities][::-1][settling:]
    return sum(1 for _ in takewhile(lambda amount: not amount, newest_first))


def moved(change: Change | None, likely: Decimal, unit: str, settled: date) -> str | None:
    """Up 120 messages since yesterday: 3 Mar was busier than expected (+90), and …

    Nothing where the move is under 1 % of the likely total.
    """
    size = abs(change.quantity.quantize(ONE)) if change else None
    if change is None or not size or abs(change.quantity) < likely * WORTH_SAYING:
        return None
    much = counted(size, unit)
    why = _why_moved(change, settled)
    if change.quantity > 0:
        up, alone = _("Up {much} since yesterday: {why}."), _("Up {much} since yesterday.")
    else:
        up, alone = _("Down {much} since yesterday: {why}."), _("Down {much} since yesterday.")
    return up.format(much=much, why=why) if why else alone.format(much=much)


def _why_moved(change: Change, settled: date) -> str:
    parts = []
    if change.settled.quantize(ONE):
        busier = _("{day} was busier than expected ({by})")
        quieter = _("{day} was quieter than expected ({by})")
        text = busier if change.settled > 0 else quieter
        parts.append(text.format(day=day(settled), by=_signed(change.settled)))
    if change.pace.quantize(ONE):
        busier = _("the days to come look busier ({by})")
        quieter = _("the days to come look quieter ({by})")
        parts.append((busier if change.pace > 0 else quieter).format(by=_signed(change.pace)))
    if len(parts) < 2:
        return "".join(parts)
    same_way = (change.settled > 0) == (change.pace > 0)
    joint = _("{first}, and {second}") if same_way else _("{first}, while {second}")
    return joint.format(first=parts[0], second=parts[1])


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else '−'}{quantity(abs(amount.quantize(ONE)))}"


def held(record: TrackRecord | None) -> str | None:
    """Of the last 12 months, 10 ended inside our range; nothing before there are three."""
    if record is None or record.periods < LEAST_RECORD:
        return None
    if not record.inside:
        return _("Of the last {n} months, none ended inside our range.").format(n=record.periods)
    if record.inside == record.periods:
        return _("Of the last {n} months, all ended inside our range.").format(n=record.periods)
    said = n_(
        "Of the last {n} months, {inside} ended inside our range.",
        "Of the last {n} months, {inside} ended inside our range.",
        record.inside,
    )
    return said.format(n=record.periods, inside=record.inside)


def range_meaning(*, priced: bool) -> str:
    """What the two ends of a range say, and what they are taken from."""
    if priced:
        said = _(
            "{n} equally likely courses of the days to come, each priced like a bill: "
            "four in five end in the range."
        )
    else:
        said = _("{n} equally likely courses of the days to come: four in five end in the range.")
    return said.format(n=DRAWS)


def period_before(view: Overview, series: MeterSeries | None, today: date) -> str | None:
    """On the first two days of a period: what the one before came to."""
    if series is None or series.previous_quantity is None or not _has_just_begun(view, today):
        return None
    return counted(series.previous_quantity, series.unit)


def _has_just_begun(view: Overview, today: date) -> bool:
    period = view.period
    return today < period.end and period.days_elapsed(today) <= FIRST_DAYS


def unusual_line(unusual: Sequence[UnusualDay], unit: str) -> str | None:
    """Unusual: 23 Mar with 1,240 SMS segments, usually 200 – 600; the newest three."""
    text = _("{day} with {many}, usually {usual}")
    return _few(
        [
            text.format(day=day(one.day), many=counted(one.quantity, unit), usual=usual(one))
            for one in reversed(unusual)
        ]
    )


def unusual_in(unusual: Mapping[str, Sequence[UnusualDay]]) -> str | None:
    """Unusual: 23 Mar in SMS and Voice; the newest three, by the name of what was unusual."""
    names: dict[date, list[str]] = {}
    for name, found in unusual.items():
        for one in found:
            names.setdefault(one.day, []).append(name)
    text = _("{day} in {names}")
    newest = sorted(names, reverse=True)
    return _few([text.format(day=day(on), names=_named(names[on])) for on in newest])


def _named(names: Sequence[str]) -> str:
    shown = list(names) if len(names) <= MOST_NAMED else [*names[: MOST_NAMED - 1], _("others")]
    if len(shown) == 1:
        return shown[0]
    return _("{first} and {last}").format(first=", ".join(shown[:-1]), last=shown[-1])


def _few(said: Sequence[str]) -> str | None:
    if not said:
        return None
    listed, more = "; ".join(said[:MOST_UNUSUAL]), len(said) - MOST_UNUSUAL
    if more <= 0:
        return _("Unusual: {days}.").format(days=listed)
    text = n_("Unusual: {days}; and {n} more day.", "Unusual: {days}; and {n} more days.", more)
    return text.format(days=listed, n=more)
