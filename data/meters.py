"""Meters: what is priced and shown, as names over Twilio categories that never overlap.

Twilio lists parents and children side by side and `totalprice` over all, so adding categories
double-counts.  A break-down by these meters plus Other (= totalprice − their sum) always foots.
`count` is not `usage`: calls and minutes, messages and segments; a meter says which one is billed.

Category tree: Twilio's usage-record documentation and last published enumeration
(reference/usage_categories.csv); links known by name only count as overlaps too.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path

from data.errors import InvalidTerms
from data.pricing import ALL_USAGE, Meter, Plan

TOTAL = "totalprice"
OTHER = "other"

CATALOGUE: Mapping[str, Meter] = {
    "sms": Meter(label="SMS", unit="SMS segments", categories=("sms",)),
    "mms": Meter(label="MMS", unit="messages", categories=("mms",)),
    "chat": Meter(
        label="WhatsApp and RCS", unit="messages", categories=("channels", "usage-rcs-messages")
    ),
    "voice": Meter(
        label="Voice", unit="minutes", categories=("calls", "calls-sip", "calls-client")
    ),
    "trunking": Meter(
        label="SIP trunking",
        unit="minutes",
        categories=("trunking-origination", "trunking-termination"),
    ),
    "recordings": Meter(
        label="Recordings", unit="minutes", categories=("recordings", "recordingstorage")
    ),
    "numbers": Meter(
        label="Phone numbers", unit="number-months", categories=("phonenumbers", "shortcodes")
    ),
    "verify": Meter(
        label="Verify",
        unit="verifications",
        categories=("authy-phone-verifications", "verify-push", "verify-totp", "verify-sna"),
    ),
    "lookups": Meter(label="Lookups", unit="requests", categories=("lookups",)),
}


@dataclass(frozen=True, slots=True)
class Category:
    """One of Twilio's usage categories, as documented; unknown ones have only their id."""

    id: str
    label: str
    family: str = "other"
    parents: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def _reference() -> Mapping[str, Category]:
    path = Path(__file__).parent / "reference" / "usage_categories.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {
            row["category"]: Category(
                row["category"],
                row["label"],
                row["family"],
                tuple(row["parents"].split()),
                tuple(row["overlaps"].split()),
            )
            for row in csv.DictReader(file)
        }


def category(id: str) -> Category:
    """The category; one that Twilio has added since is kept under its id."""
    found = _reference().get(id.lower())
    return found or Category(id, id.replace("-", " ").capitalize())


def is_known(id: str) -> bool:
    return id.lower() in _reference()


def category_ids() -> tuple[str, ...]:
    return tuple(_reference())


@lru_cache(maxsize=4096)
def ancestors(id: str) -> frozenset[str]:
    """Every category whose figure contains this one's (totalprice apart)."""
    above = {p for p in (*category(id).parents, *category(id).overlaps) if p != TOTAL}
    return frozenset(above.union(*(ancestors(parent) for parent in above)))


@lru_cache(maxsize=4096)
def children(id: str) -> tuple[str, ...]:
    return tuple(c.id for c in _reference().values() if id in c.parents)


def roots(ids: Iterable[str]) -> frozenset[str]:
    """Those of the categories that no other of them contains: their figures may be added."""
    given = set(ids) - {TOTAL}
    return frozenset(id for id in given if not ancestors(id) & given)


def overlapping(first: Meter, second: Meter) -> tuple[str, str] | None:
    """Two categories, one of each meter, that would count the same usage."""
    for one in first.categories:
        for two in second.categories:
            if one == two or one in ancestors(two) or two in ancestors(one):
                return one, two
    return None


def _overlaps_itself(meter: Meter) -> tuple[str, str] | None:
    for one, two in combinations(meter.categories, 2):
        if one == two or one in ancestors(two) or two in ancestors(one):
            return one, two
    return None


def meters_of(plan: Plan) -> Mapping[str, Meter]:
    """The meters the plan prices, by name.  InvalidTerms names an unknown one or an overlap."""
    defined = {**CATALOGUE, **plan.meters}
    used = [name for name in plan.meters_priced if name != ALL_USAGE]
    for name in used:
        if name not in defined:
            known = ", ".join(sorted(defined))
            raise InvalidTerms(f"prices: meter {name!r} is unknown; known are {known}")
    for name in {*used, *plan.meters}:
        if clash := _overlaps_itself(defined[name]):
            raise InvalidTerms(f"meters.{name}: {clash[0]} and {clash[1]} count the same usage")
    for number, price in enumerate(plan.prices):
        for name, unit in price.units.items():
            if unit != defined[name].unit:
                raise InvalidTerms(
                    f"prices.{number}.unit: {unit!r} is not the unit of meter {name}, which is "
                    f"{defined[name].unit!r}"
                )
    for one, two in combinations(used, 2):
        if clash := overlapping(defined[one], defined[two]):
            raise InvalidTerms(
                f"prices: meters {one} and {two} overlap: "
                f"{clash[0]} and {clash[1]} count the same usage"
            )
    return {name: defined[name] for name in used}


def shown_meters(plan: Plan | None) -> Mapping[str, Meter]:
    """The meters of a page: the plan's own, then what they leave of the catalogue."""
    shown = dict(meters_of(plan)) if plan else {}
    for name, meter in CATALOGUE.items():
        if name not in shown and not any(overlapping(meter, own) for own in shown.values()):
            shown[name] = meter
    return shown


def meter_of(categories: Iterable[str], meters: Mapping[str, Meter]) -> Iterator[tuple[str, str]]:
    """(category, meter) for those of the categories that a meter is made of."""
    owner = {id: name for name, meter in meters.items() for id in meter.categories}
    for id in categories:
        if id.lower() in owner:
            yield id, owner[id.lower()]
