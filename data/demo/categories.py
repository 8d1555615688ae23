"""The Twilio usage categories that occur in the demo world: their tree, units and unit prices.

Twilio lists parents and children side by side.  Only leaves have a price per unit (US list-like,
in USD); `rolled_up` derives every parent from its leaves, so that they agree exactly, and
`totalprice` from the roots.  1000 segments at 0.0083 -> sms-outbound-longcode, sms-outbound and
sms each 8.3; with 3.15 of carrier fees, a root of their own, totalprice is 11.45.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

TOTAL = "totalprice"


@dataclass(frozen=True, slots=True)
class Category:
    """`parent` is `totalprice` for a root; leaves have a `unit_price` in USD.

    `units_per_event`: billed units of one event on average, such as minutes of one call.
    """

    id: str
    parent: str
    description: str
    count_unit: str
    usage_unit: str
    unit_price: Decimal | None
    units_per_event: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Events, billed units and what Twilio charges for them (USD); `totalprice` has no count."""

    count: Decimal | None
    usage: Decimal
    price: Decimal

    def __add__(self, other: "Tally") -> "Tally":
        count = None if self.count is None or other.count is None else self.count + other.count
        return Tally(count, self.usage + other.usage, self.price + other.price)


# Twilio spells PSTN so.
_INSIGHTS_MINUTES = "voice-insights-ptsn-insights-on-demand-minute"

# id, parent, description, events/units (one word: the same), unit price, units per event
_TREE: tuple[tuple[str, str, str, str, str | None, float], ...] = (
    (TOTAL, "", "Total Price", "/usd", None, 1),
    ("sms", TOTAL, "SMS", "messages", None, 1),
    ("sms-inbound", "sms", "Inbound SMS", "messages", None, 1),
    ("sms-inbound-longcode", "sms-inbound", "Long Code Inbound SMS", "messages", "0.0083", 1.1),
    ("sms-outbound", "sms", "Outbound SMS", "messages", None, 1),
    ("sms-outbound-longcode", "sms-outbound", "Long Code Outbound SMS", "messages", "0.0083", 1.35),
    ("sms-outbound-shortcode", "sms-outbound", "Short Code Outbound SMS", "messages", "0.0083", 1),
    ("sms-messages-carrierfees", TOTAL, "SMS Carrier Fees", "segments", "0.00315", 1),
    ("mms", TOTAL, "MMS", "messages", None, 1),
    ("mms-inbound", "mms", "Inbound MMS", "messages", "0.0165", 1),
    ("mms-outbound", "mms", "Outbound MMS", "messages", "0.0220", 1),
    ("channels", TOTAL, "Channels", "messages", None, 1),
    ("channels-whatsapp", "channels", "WhatsApp", "messages", None, 1),
    ("channels-whatsapp-inbound", "channels-whatsapp", "WhatsApp In", "messages", "0.0050", 1),
    ("channels-whatsapp-outbound", "channels-whatsapp", "WhatsApp Out", "messages", "0.0084", 1),
    ("calls", TOTAL, "Voice Minutes", "calls/minutes", None, 1),
    ("calls-inbound", "calls", "Inbound Voice Minutes", "calls/minutes", None, 1),
    ("calls-inbound-local", "calls-inbound", "Inbound Local", "calls/minutes", "0.0085", 3.4),
    ("calls-inbound-tollfree", "calls-inbound", "Toll Free", "calls/minutes", "0.0220", 4.1),
    ("calls-outbound", "calls", "Outbound Voice Minutes", "calls/minutes", "0.0140", 2.6),
    ("recordings", TOTAL, "Recordings", "recordings/minutes", None, 1),
    ("calls-recordings", "recordings", "Call Recordings", "recordings/minutes", "0.0025", 3.6),
    ("voice-insights", TOTAL, "Voice Insights", "calls/minutes", None, 1),
    (_INSIGHTS_MINUTES, "voice-insights", "PSTN Insights", "calls/minutes", "0.0024", 3.4),
    ("lookups", TOTAL, "Lookups", "lookups", None, 1),
    ("carrier-lookups", "lookups", "Carrier Lookups", "lookups", "0.0080", 1),
    ("authy-phone-verifications", TOTAL, "Verifications", "verifications", "0.0500", 1),
    ("phonenumbers", TOTAL, "Phone Numbers", "numbers", None, 1),
    ("phonenumbers-local", "phonenumbers", "Local Phone Numbers", "numbers", "1.1500", 1),
    ("phonenumbers-tollfree", "phonenumbers", "Toll Free Numbers", "numbers", "2.1500", 1),
)


def _category(
    id: str, parent: str, description: str, units: str, price: str | None, per_event: float
) -> Category:
    events, _, billed = units.partition("/")
    unit_price = None if price is None else Decimal(price)
    return Category(id, parent, description, events, billed or events, unit_price, per_event)


CATEGORIES: Mapping[str, Category] = {row[0]: _category(*row) for row in _TREE}


def charge(id: str, events: int, units: int) -> Tally:
    """The tally of a leaf: billed units at its list price, unrounded.  ValueError for a parent."""
    unit_price = CATEGORIES[id].unit_price
    if unit_price is None:
        raise ValueError(f"{id} is a roll-up: only leaves are charged")
    return Tally(Decimal(events), Decimal(units), units * unit_price)


def rolled_up(leaves: Mapping[str, Tally]) -> dict[str, Tally]:
    """The leaves with all their parents and `totalprice`, in the order of the tree."""
    if not leaves:
        return {}
    tallies: dict[str, Tally] = {}
    for leaf, tally in leaves.items():
        id = leaf
        while id != TOTAL:
            tallies[id] = tallies[id] + tally if id in tallies else tally
            id = CATEGORIES[id].parent
    price = sum((tally.price for tally in leaves.values()), Decimal(0))
    tallies[TOTAL] = Tally(None, price, price)
    return {id: tallies[id] for id in CATEGORIES if id in tallies}


def summed(days: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    """Category by category, in the order of the tree."""
    tallies: dict[str, Tally] = {}
    for day in days:
        for id, tally in day.items():
            tallies[id] = tallies[id] + tally if id in tallies else tally
    return {id: tallies[id] for id in CATEGORIES if id in tallies}
