"""Usage over any range of days, by day, week or month: all meters, one meter, one category.

The database adds up, so that two years by months are as little to read as a month by days.  What
differs in its unit is never added: all meters stand together by their events, a meter by its
billed units.  Weeks begin on Monday; the first and the last span may be parts of theirs.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial

from data.agreements import plan_stretches
from data.errors import InvalidPeriod, NotFound
from data.meters import OTHER, TOTAL, ancestors, category, category_ids, children, shown_meters
from data.money import ZERO, total
from data.periods import DAY
from data.pricing import Meter
from data.scope import Scope
from data.store import AccountView, subscription
from data.usage import events_unit, finest_needed
from data.usage_rows import SpanTotal, span_totals

LONGEST = {"day": 92, "week": 735, "month": 1500}  # days that a chart of this grain has room for
BY_THE_MONTH = "numbers"  # charged by the month: they do not happen on a day


class Grain(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Against(StrEnum):
    """What a range is held against."""

    NOTHING = "none"
    BEFORE = "before"  # the range before it, as long
    YEAR = "year"  # the same days a year earlier


@dataclass(frozen=True, slots=True)
class Span:
    """The days `[start, end)` of one bar; `whole`: all of its day, week or month."""

    start: date
    end: date
    whole: bool

    @property
    def last_day(self) -> date:
        return self.end - DAY


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of what is shown, a value per span; zeros are explicit."""

    name: str  # of the meter, the category or the account (its SID)
    label: str
    unit: str
    events_unit: str
    quantities: tuple[Decimal, ...]  # billed units
    events: tuple[Decimal, ...]  # calls, messages …

    @property
    def quantity(self) -> Decimal:
        return total(self.quantities)

    @property
    def happened(self) -> Decimal:
        return total(self.events)


@dataclass(frozen=True, slots=True)
class Explored:
    """`whole`: what the parts are parts of; None for all meters, which have no unit in common.

    `stacks`: the parts add up to the whole in every span, and none counts another's usage.
    """

    spans: tuple[Span, ...]
    parts: tuple[Slice, ...]
    whole: Slice | None
    stacks: bool
    other: tuple[Slice, ...] = ()  # categories in no meter: fees and add-ons, each on its own


def spans(start: date, end: date, grain: Grain) -> tuple[Span, ...]:
    """The bars of the days `[start, end)`."""
    if not start < end:
        raise InvalidPeriod(f"{start} – {end} has no day")
    found, first = [], start
    while first < end:
        begins, ends = _around(first, grain)
        last = min(ends, end)
        found.append(Span(first, last, begins == first and ends == last))
        first = last
    return tuple(found)


def _around(day: date, grain: Grain) -> tuple[date, date]:
    if grain is Grain.DAY:
        return day, day + DAY
    if grain is Grain.WEEK:
        monday = day - DAY * day.weekday()
        return monday, monday + DAY * 7
    return day.replace(day=1), _months_on(day.replace(day=1), 1)


def _months_on(day: date, months: int) -> date:
    """The same day so many months later or earlier, at most the month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def grains_for(days: int) -> tuple[Grain, ...]:
    """Those a range of so many days can be drawn in, the finest first."""
    return tuple(grain for grain in Grain if days <= LONGEST[grain]) or (Grain.MONTH,)


def edges_before(
    shown: Sequence[Span], against: Against, before: tuple[date, date] | None = None
) -> tuple[date, ...]:
    """Where the spans lie in the earlier range, one under each: n + 1 days for n spans.

    `before` is the billing period before, where a whole one is shown: day 1 lies under day 1, and
    days that only the longer one has are not drawn.  Months lie under whole months.
    """
    edges = [shown[0].start, *(one.end for one in shown)]
    first, last = edges[0], edges[-1]
    if against is Against.YEAR:
        return tuple(_months_on(edge, -12) for edge in edges)
    if all(edge.day == 1 for edge in edges[:-1]) and len(shown) > (last.day > 1):
        return tuple(_months_on(edge, -len(shown)) for edge in edges)
    if before is None and first.day == last.day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month
        before = (_months_on(first, -months), first)
    start, end = before or (first - (last - first), first)
    return tuple(min(start + (edge - first), end) for edge in edges)


def explore(
    scope: Scope,
    key: str,
    shown: tuple[Span, ...],
    *,
    meter: str | None = None,
    category: str | None = None,
    account: str | None = None,
) -> Explored:
    """What was used in the spans: of all meters, of a meter by category, of a category by account.

    `account` is a SID of the subscription.  NotFound: no such meter, category or account, or
    another tenant's.
    """
    edges = (shown[0].start, *(one.end for one in shown))
    held = _asked(scope, key, account)
    meters = meters_shown(scope, key)
    if meter is None:
        return _all(partial(span_totals, scope, held, edges), meters, shown)
    if meter not in meters:
        raise NotFound("There is no such meter.")
    read = partial(span_totals, scope, held, edges)
    if category is None:
        return _one_meter(read, meter, meters[meter], shown)
    return _one_category(read, meter, meters[meter], category, held, shown)


def used_before(
    scope: Scope,
    key: str,
    edges: tuple[date, ...],
    *,
    meter: str | None = None,
    category: str | None = None,
    account: str | None = None,
) -> tuple[Decimal, ...]:
    """The same selection in an earlier range, a value per span: events of all, units of one."""
    held, meters = _asked(scope, key, account), meters_shown(scope, key)
    read = partial(span_totals, scope, held, edges)
    count = len(edges) - 1
    if meter is None:
        names = {id: one for one in _happening(meters) for id in meters[one].categories}
        return _values(read(categories=names), names, count, billed=None)
    if meter not in meters:
        raise NotFound("There is no such meter.")
    names = {category or id: meter for id in meters[meter].categories}
    return _values(read(categories=names), names, count, billed=meters[meter].quantity)


def meters_shown(scope: Scope, key: str) -> Mapping[str, Meter]:
    """As the plan in force defines them, in the catalogue's order."""
    stretches = plan_stretches(scope, key)
    return shown_meters(stretches[-1].plan if stretches else None)


def _asked(scope: Scope, key: str, account: str | None) -> list[AccountView]:
    held = [one for one in subscription(scope, key).accounts if account in (None, one.sid)]
    if account is not None and not held:
        raise NotFound("There is no such account.")
    return held


Read = Callable[..., list[SpanTotal]]


def _happening(meters: Mapping[str, Meter]) -> Iterable[str]:
    return (name for name in meters if name != BY_THE_MONTH)


def _all(read: Read, meters: Mapping[str, Meter], shown: Sequence[Span]) -> Explored:
    named = {id for one in meters.values() for id in one.categories}
    rows = read(without=_within(named))
    parts = tuple(
        _slice(name, one.label or name, one, name, rows, set(one.categories), len(shown))
        for name, one in meters.items()
    )
    used = tuple(one for one in parts if one.quantity or one.happened)
    left = {row.category for row in rows} - named
    beside = {id for id in left if not (ancestors(id) & (left | named))}
    none = Meter(unit="events", categories=(OTHER,))
    other = tuple(
        _slice(id, category(id).label, none, OTHER, rows, {id}, len(shown)) for id in sorted(beside)
    )
    return Explored(tuple(shown), used, None, True, tuple(one for one in other if one.happened))


def _within(named: set[str]) -> tuple[str, ...]:
    """What need not be read to know the categories named and what lies beside them."""
    inside = (id for id in category_ids() if ancestors(id) & named and id not in named)
    return (TOTAL, *inside)


def _one_meter(read: Read, name: str, meter: Meter, shown: Sequence[Span]) -> Explored:
    below = {child for id in meter.categories for child in children(id)}
    rows = read(categories={*meter.categories, *below})
    ids = finest_needed(meter, below, {row.category for row in rows})
    whole = _slice(name, meter.label or name, meter, name, rows, set(meter.categories), len(shown))
    found = (_slice(id, category(id).label, meter, name, rows, {id}, len(shown)) for id in ids)
    used = (one for one in found if one.quantity or one.happened)
    parts = tuple(sorted(used, key=lambda one: (-one.quantity, one.name)))
    return Explored(tuple(shown), parts, whole, _adds_up(parts, whole))


def _one_category(
    read: Read,
    name: str,
    meter: Meter,
    id: str,
    held: Sequence[AccountView],
    shown: Sequence[Span],
) -> Explored:
    """By account: those add up whatever they are of."""
    if id not in meter.categories and not ancestors(id) & set(meter.categories):
        raise NotFound("There is no such category.")
    rows = read(categories={id}, by_account=True)
    whole = _slice(id, category(id).label, meter, name, rows, {id}, len(shown))
    labels = {one.sid: one.application or one.name for one in held}
    found = (
        _slice(sid, label, meter, name, [r for r in rows if r.account_sid == sid], {id}, len(shown))
        for sid, label in labels.items()
    )
    used = tuple(one for one in found if one.quantity or one.happened)
    return Explored(tuple(shown), used, whole, stacks=True)


def _adds_up(parts: Sequence[Slice], whole: Slice) -> bool:
    sums = tuple(total(at) for at in zip(*(one.quantities for one in parts), strict=True))
    return sums == whole.quantities


def _slice(
    name: str,
    label: str,
    meter: Meter,
    of: str,
    rows: Sequence[SpanTotal],
    ids: set[str],
    count: int,
) -> Slice:
    own = dict.fromkeys(ids, name)
    return Slice(
        name,
        label,
        meter.unit,
        events_unit(of, meter),
        _values(rows, own, count, billed=meter.quantity),
        _values(rows, own, count, billed=None),
    )


def _values(
    rows: Iterable[SpanTotal], names: Mapping[str, str], count: int, *, billed: str | None
) -> tuple[Decimal, ...]:
    """Billed units as the meter measures them, or events where `billed` is None."""
    sums = [ZERO] * count
    for row in rows:
        if row.category in names:
            sums[row.span] += row.usage if billed == "usage" else row.count
    return tuple(sums)
