"""Numbers, money and days as people read them; charts, cards and sentences share it.

In the locale of whoever looks.  Money always carries its currency and the currency's own digits;
days are UTC and said so once a page, moments always say UTC.  Babel takes 50 µs a number and a
table has hundreds, so the most used are remembered.
"""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel.core import Locale
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent

from dashboard.words import N_, _, locale, n_, nN_
from data.outlook import DayRange, Range
from data.periods import DAY, BillingPeriod

DAY_PATTERN = {"en_US": "d MMM", "de_DE": "d. LLL"}  # 24. Nov ends no sentence with two dots
DAY_ENTRY = {"en_US": "YYYY-MM-DD", "de_DE": "DD.MM.YYYY"}  # as date pickers write it
CENTS_BELOW = 20  # money under this is guessed to the cent, above it to the whole unit
COMPACT_FROM = 100_000
FINE_BELOW = 0.095  # what would be shown as 10% needs no decimal
# The units of our own meters with their forms; an ISV's own units stay as it has written them.
UNITS = {
    "SMS segments": nN_("{n} SMS segment", "{n} SMS segments"),
    "segments": nN_("{n} segment", "{n} segments"),
    "messages": nN_("{n} message", "{n} messages"),
    "minutes": nN_("{n} minute", "{n} minutes"),
    "calls": nN_("{n} call", "{n} calls"),
    "number-months": nN_("{n} number-month", "{n} number-months"),
    "numbers": nN_("{n} number", "{n} numbers"),
    "verifications": nN_("{n} verification", "{n} verifications"),
    "requests": nN_("{n} request", "{n} requests"),
    "credits": nN_("{n} credit", "{n} credits"),
    "units": nN_("{n} unit", "{n} units"),
    "days": nN_("{n} day", "{n} days"),
    "recordings": nN_("{n} recording", "{n} recordings"),
    "events": nN_("{n} event", "{n} events"),
    "accounts": nN_("{n} account", "{n} accounts"),
}
ONE_OF = {
    "SMS segments": N_("SMS segment"),
    "segments": N_("segment"),
    "messages": N_("message"),
    "minutes": N_("minute"),
    "calls": N_("call"),
    "number-months": N_("number-month"),
    "numbers": N_("number"),
    "verifications": N_("verification"),
    "requests": N_("request"),
    "credits": N_("credit"),
    "units": N_("unit"),
    "recordings": N_("recording"),
    "events": N_("event"),
}


def money(amount: Decimal, currency: str) -> str:
    """49.99 USD -> $49.99."""
    return _money(amount, currency, locale())


@lru_cache(maxsize=8192)
def _money(amount: Decimal, currency: str, where: str) -> str:
    return format_currency(amount, currency, locale=where)


def signed_money(amount: Decimal, currency: str) -> str:
    """A difference: +$3.10, −$3.10, $0.00."""
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return f"{sign}{money(abs(amount), currency)}"


def about(amount: Decimal, currency: str) -> str:
    """An estimate claims no cents: 188.42 USD -> $188; small sums keep them."""
    if abs(amount) < CENTS_BELOW:
        return money(amount, currency)
    return _in_pattern(amount, currency, "", locale())


def unit_price(amount: Decimal, currency: str) -> str:
    """As agreed, never rounded: 0.0075 USD -> $0.0075."""
    return _in_pattern(amount, currency, ".00##########", locale())


@lru_cache(maxsize=4096)
def _in_pattern(amount: Decimal, currency: str, decimals: str, where: str) -> str:
    """The sign where the locale has it, and these decimals instead of the currency's."""
    own = Locale.parse(where).currency_formats["standard"].pattern.split(";")[0]
    pattern = own.replace(".00", decimals)
    negative = f"-{pattern}"
    return format_currency(
        amount, currency, format=f"{pattern};{negative}", locale=where, currency_digits=False
    )


def money_range(expected: Range, currency: str) -> str:
    """$124 – $145; an amount that is certain is exact."""
    if expected.low == expected.high:
        return money(expected.low, currency)
    low, high = about(expected.low, currency), about(expected.high, currency)
    return low if low == high else f"{low} – {high}"


def quantity(amount: Decimal) -> str:
    """1234.5 -> 1,234.5; at most two decimals, which only minutes and months have."""
    return _quantity(amount, locale())


@lru_cache(maxsize=8192)
def _quantity(amount: Decimal, where: str) -> str:
    return format_decimal(amount, format="#,##0.##", locale=where)


def whole(number: int) -> str:
    """1234 -> 1,234."""
    return _quantity(Decimal(number), locale())


def decimals(value: float | Decimal, places: int) -> str:
    """Exactly so many: 12.345 to 1 -> 12.3."""
    return format_decimal(value, format=f"#,##0.{'0' * places}", locale=locale())


def exactly(value: Decimal) -> str:
    """With every decimal it has: 1234.56789 -> 1,234.56789."""
    return format_decimal(value.normalize(), locale=locale(), decimal_quantization=False)


def short_quantity(amount: Decimal) -> str:
    """For narrow places: 1,234 stays, 1,234,567 -> 1.2M."""
    if abs(amount) < COMPACT_FROM:
        return format_decimal(amount, format="#,##0", locale=locale())
    return format_compact_decimal(amount, locale=locale(), fraction_digits=1)


def quantity_range(expected: Range) -> str:
    low, high = short_quantity(expected.low), short_quantity(expected.high)
    return low if low == high else f"{low} – {high}"


def counted(amount: Decimal, unit: str) -> str:
    """187 SMS segments, 1 SMS segment."""
    if unit not in UNITS:
        return f"{quantity(amount)} {one_of(unit) if amount == 1 else unit}"
    return n_(*UNITS[unit], amount).format(n=quantity(amount))


def one_of(unit: str) -> str:
    """For a price of each: SMS segments -> SMS segment."""
    return _(ONE_OF[unit]) if unit in ONE_OF else unit.removesuffix("s")


def sentence(text: str) -> str:
    """SMS segments stay, minutes -> Minutes: the first letter alone is raised."""
    return text[:1].upper() + text[1:]


def percent(share: Decimal | float) -> str:
    """0.614 -> 61%."""
    return format_percent(share, locale=locale())


def fine_percent(share: Decimal | float) -> str:
    """A share under ten percent keeps a decimal, so that it is not taken for none."""
    if not 0 < abs(float(share)) < FINE_BELOW:
        return percent(share)
    pattern = Locale.parse(locale()).percent_formats[None].pattern.replace("0", "0.0", 1)
    return format_percent(share, format=f"0.0{pattern.partition('0.0')[2]}", locale=locale())


def exact_percent(share: Decimal) -> str:
    """As agreed, never rounded: 0.0725 -> 7.25%."""
    return format_percent(share, locale=locale(), decimal_quantization=False)


def change(now: Decimal, before: Decimal) -> str | None:
    """+12%, −8%; None where there was nothing to compare with."""
    if not before:
        return None
    moved = now / before - 1
    return f"{'−' if moved < 0 else '+'}{percent(abs(moved))}"


def day(on: date, *, year: bool = False) -> str:
    return _day(on, year, locale())


def day_entry() -> str:
    return DAY_ENTRY[locale()]


@lru_cache(maxsize=8192)
def _day(on: date, year: bool, where: str) -> str:
    return format_date(on, f"{DAY_PATTERN[where]} y" if year else DAY_PATTERN[where], locale=where)


def days(first: date, last: date, *, year: bool = False) -> str:
    """9–14 Mar, 28 Feb – 3 Mar, 9 Mar; both ends included."""
    if first == last:
        return day(first, year=year)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{_dot()}–{day(last, year=year)}"
    return f"{day(first, year=year and first.year != last.year)} – {day(last, year=year)}"


def _dot() -> str:
    """German days are ordinals: 9.–14. März."""
    return "." if DAY_PATTERN[locale()].startswith("d.") else ""


def day_range(when: DayRange) -> str | None:
    """The days between which something happens; None where it is not in sight."""
    if when.early is None:
        return None
    if when.late is None:
        return _("{day} or later").format(day=day(when.early))
    return days(when.early, when.late)


def moment(at: datetime) -> str:
    return f"{day(at.date())} {clock(at)}"


def clock(at: datetime) -> str:
    return f"{at:%H:%M} UTC"


def period_name(period: BillingPeriod) -> str:
    """November 2026, or the days where it is not a whole calendar month."""
    whole = period.start.day == 1 and period.end == period.full_end and period.end.day == 1
    if whole:
        return format_date(period.start, "MMMM y", locale=locale())
    return days(period.start, period.end - DAY, year=True)
