"""Money: Decimal amounts, a currency beside each, rounded once per statement line.

Rounding is half away from zero to the currency's digits (JPY 0, KWD 3): 27.415 USD -> 27.42,
-0.125 EUR -> -0.13.  Unit prices are never rounded.  Inside `exact()` sums and products keep
60 digits: 10^15 units at a price of twelve decimals still multiply without loss.

Digits: ISO 4217, list one (only currencies whose digits are not 2 are named here).
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    localcontext,
)
from fractions import Fraction

from data.errors import InputError

ZERO = Decimal(0)
ONE = Decimal(1)

_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
_CURRENCIES = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG".split()
) | set(_DIGITS)

LARGEST = 30  # power of ten that a figure may have, up or down
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero])


def exact() -> AbstractContextManager[Context]:
    """The arithmetic in which prices are computed: 60 digits, half away from zero."""
    return localcontext(_EXACT)


def currency_code(text: str) -> str:
    """The upper-case ISO 4217 code; Twilio writes "usd" in usage and "USD" elsewhere."""
    code = text.strip().upper()
    if code not in _CURRENCIES:
        raise InputError(f"{text!r} is not a currency: give an ISO 4217 code such as USD or EUR")
    return code


def digits(currency: str) -> int:
    """Decimal places of the currency's smallest unit."""
    return _DIGITS.get(currency, 2)


def rounded(amount: Decimal | Fraction, currency: str) -> Decimal:
    """The amount in whole smallest units of the currency, half away from zero."""
    places = digits(currency)
    if isinstance(amount, Fraction):
        twice = abs(amount) * 2 * 10**places
        units = int(twice + 1) // 2
        return Decimal(-units if amount < 0 else units).scaleb(-places)
    return _EXACT.quantize(amount, Decimal(1).scaleb(-places))


def total(amounts: Iterable[Decimal]) -> Decimal:
    with exact():
        return sum(amounts, ZERO)


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The amount in parts proportional to the weights, in whole smallest units, summing to it.

    Largest remainder (Hamilton): parts are rounded down, and the units left over go to the
    largest fractions, the earlier part first.  A weight, and so a part, may be negative.
    """
    unit = Decimal(1).scaleb(-digits(currency))
    with exact():
        whole = sum(weights, ZERO)
        if not whole:
            return [amount, *[ZERO * unit] * (len(weights) - 1)]
        shares = [amount * weight / whole / unit for weight in weights]
        parts = [share.to_integral_value(ROUND_FLOOR) for share in shares]
        left = int(amount / unit - sum(parts, ZERO))
        by_fraction = sorted(range(len(parts)), key=lambda i: parts[i] - shares[i])
        for position in by_fraction[:left]:
            parts[position] += 1
        return [(part * unit).quantize(unit) for part in parts]


def plain(value: Decimal) -> str:
    """The number without an exponent and without zeros that say nothing: 250.000000 -> "250"."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_from(text: object, field: str) -> Decimal:
    """A finite Decimal from what a file or Twilio gave us.

    Floats are refused: 0.1 as a float is already another number.
    """
    if isinstance(text, float | bool):
        raise InputError(f"{field}: {text!r} must be written as text or a whole number")
    try:
        value = Decimal(str(text).strip())
    except InvalidOperation:
        raise InputError(f"{field}: {text!r} is not a number") from None
    if not value.is_finite():
        raise InputError(f"{field}: {text!r} is not a finite number")
    if abs(value.adjusted()) > LARGEST:
        raise InputError(f"{field}: {text!r} is out of all proportion")
    return value
