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
from dashboard.charts.formats import about, counted, day, days, percent, quantity
from dashboard.views.markup import Part, strong
from data.money import ONE
from data.outlook import Advice, Change, DayRange, Range
from data.overview import MeterSeries, Overview
from data.periods import BillingPeriod
from data.projection import DRAWS, Components
from data.projection.unusual import UnusualDay
from data.track_record import TrackRecord

SURE, UNLIKELY = 0.995, 0.005
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


def chance(view: Overview) -> str:
    """How likely the allowance is to be exceeded, while that is open."""
    own, ahead = view.allowance, view.outlook
    if own is None or ahead is None or ahead.chance_of_overage is None or own.beyond:
        return ""
    if ahead.chance_of_overage >= SURE:
        return ", and going over the allowance is almost certain"
    if ahead.chance_of_overage <= UNLIKELY:
        return ", and going over the allowance is unlikely"
    share = percent(ahead.chance_of_overage)
    article = "an" if share[0] == "8" or share in ("11%", "18%") else "a"
    return f", with {article} {share} chance of going over the allowance"


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
        return f"The allowance was used up on {day(likely)}"
    return None if ahead.over else f"The allowance {_runs_out(ahead.allowance_ends)}"


def _runs_out(when: DayRange) -> str:
    early, likely, late = when.early, when.likely, when.late
    if early is None:
        return "lasts the period"
    if likely is None:
        return f"is likely to last the period, but may run out from {day(early)} on"
    if late is None:
        return f"is likely to run out on {day(likely)}, on {day(early)} at the earliest"
    if early == late:
        return f"is likely to run out on {day(likely)}"
    return f"is likely to run out on {day(likely)}, between {days(early, late)}"


def credits_end(when: DayRange) -> str | None:
    """The likely day, where it is in sight and is not all that the range says."""
    if when.likely is None or when.early == when.late:
        return None
    return day(when.likely)


def advice_lines(now: Advice | None, later: Advice | None, currency: str) -> list[Part]:
    """The tier that would cost less in this period, in the next one, or in both."""
    said: list[Part] = []
    if now:
        said = ["On ", strong(now.tier.capitalize()), " this period would cost about "]
        said.append(strong(f"{about(now.saves, currency)} less"))
    if later and now and later.tier == now.tier:
        return [*said, ", and the next one about ", strong(about(later.saves, currency)), "."]
    said += ["."] if now else []
    if later:
        said += [" "] if now else []
        said += ["From next period ", strong(later.tier.capitalize()), " would cost about "]
        said += [strong(f"{about(later.saves, currency)} less"), "."]
    return said


def days_to_go(period: BillingPeriod, today: date) -> str:
    left = period.days_left(today)
    return "the last day" if left == 0 else f"{left} {'day' if left == 1 else 'days'} to go"


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
    to_go = days_to_go(period, today) if today < period.end else "only late usage to come"
    if little_history:
        return f"Too few days yet to tell weekdays or a trend, {to_go}."
    if parts.level <= 0:
        return f"Nothing was used of late, {to_go}."
    if parts.active < MAY_HAVE_STOPPED:
        stopped = "it may have stopped"
        many = f"{silent_days} days" if silent_days > 1 else "a day"
        return f"Nothing for {many}: {stopped}." if silent_days else f"Use is fading: {stopped}."
    said = [_weekdays(parts.weekdays), _level(parts), _looks_back(parts.memory)]
    return f"{', '.join([*said, *_season(parts.season), to_go])}."


def _weekdays(factors: Sequence[float]) -> str:
    """Factors, Monday first, mean 1."""
    if max(factors) - min(factors) < ALIKE:
        return "All weekdays alike"
    if fmean(factors[5:]) < QUIET * fmean(factors[:5]):
        return "Quiet weekends as in the last weeks"
    return "Weekdays as in the last weeks"


def _level(parts: Components) -> str:
    if parts.level_before <= 0:
        return "new in the last four weeks"
    ratio = parts.level / parts.season / parts.level_before
    if abs(ratio - 1) < SAME_LEVEL:
        return "level about that of four weeks ago"
    if ratio >= MANIFOLD:
        times = f"{ratio:.0f}" if ratio < MANY_TIMES else f"over {MANY_TIMES}"
        return f"level {times} times that of four weeks ago"
    return f"level {percent(abs(ratio - 1))} {'up' if ratio > 1 else 'down'} on four weeks ago"


def _season(factor: float) -> list[str]:
    """What last year's course makes of it: the days to come a little lower, as a year ago."""
    if abs(factor - 1) <= SAME_SEASON:
        return []
    much = "clearly" if abs(factor - 1) > CLEAR_SEASON else "a little"
    return [f"the days to come {much} {'higher' if factor > 1 else 'lower'}, as a year ago"]


def _looks_back(memory: float) -> str:
    weeks = max(round(memory / WEEK), 1)
    return f"going by the last {'week' if weeks == 1 else f'{weeks} weeks'}"


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
    parts = []
    if change.settled.quantize(ONE):
        busier = "busier" if change.settled > 0 else "quieter"
        parts.append((change.settled, f"{day(settled)} was {busier} than expected"))
    if change.pace.quantize(ONE):
        busier = "busier" if change.pace > 0 else "quieter"
        parts.append((change.pace, f"the days to come look {busier}"))
    same_way = len({amount > 0 for amount, _ in parts}) < len(parts)
    joint = ", and " if same_way else ", while "
    why = joint.join(f"{text} ({_signed(amount)})" for amount, text in parts)
    said = f"{'Up' if change.quantity > 0 else 'Down'} {counted(size, unit)} since yesterday"
    return f"{said}: {why}." if why else f"{said}."


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else '−'}{quantity(abs(amount.quantize(ONE)))}"


def held(record: TrackRecord | None) -> str | None:
    """Of the last 12 months, 10 ended inside our range; nothing before there are three."""
    if record is None or record.periods < LEAST_RECORD:
        return None
    inside = {0: "none", record.periods: "all"}.get(record.inside, str(record.inside))
    return f"Of the last {record.periods} months, {inside} ended inside our range."


def range_meaning(*, priced: bool) -> str:
    """What the two ends of a range say, and what they are taken from."""
    each = ", each priced like a bill" if priced else ""
    return (
        f"{DRAWS} equally likely courses of the days to come{each}: four in five end in the range."
    )


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
    newest = [
        f"{day(one.day)} with {counted(one.quantity, unit)}, usually {usual(one)}"
        for one in reversed(unusual)
    ]
    return f"Unusual: {_few(newest)}." if newest else None


def unusual_in(unusual: Mapping[str, Sequence[UnusualDay]]) -> str | None:
    """Unusual: 23 Mar in SMS and Voice; the newest three, by the name of what was unusual."""
    names: dict[date, list[str]] = {}
    for name, found in unusual.items():
        for one in found:
            names.setdefault(one.day, []).append(name)
    newest = [f"{day(on)} in {_named(names[on])}" for on in sorted(names, reverse=True)]
    return f"Unusual: {_few(newest)}." if newest else None


def _named(names: Sequence[str]) -> str:
    shown = names if len(names) <= MOST_NAMED else [*names[: MOST_NAMED - 1], "others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _few(said: Sequence[str]) -> str:
    more = len(said) - MOST_UNUSUAL
    end = f"; and {more} more {'day' if more == 1 else 'days'}" if more > 0 else ""
    return "; ".join(said[:MOST_UNUSUAL]) + end
