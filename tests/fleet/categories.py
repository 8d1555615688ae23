"""Which categories the fleet's accounts use: their tree, and what each charges.

The demo's tree first, then the other known ids as roots.  A category without children in the chosen
set is charged; its parents and `totalprice` are summed from what is charged.
"""

import csv
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from data.demo.categories import CATEGORIES, TOTAL
from data.demo.categories import Category as DemoCategory

KNOWN = Path(__file__).parents[2] / "data" / "reference" / "usage_categories.csv"
PRICE_SCALE = 10**5  # prices are whole numbers of 0.00001 USD


@dataclass(frozen=True, slots=True)
class Category:
    id: str
    parent: str
    description: str
    count_unit: str
    usage_unit: str
    unit_price: int  # in units of PRICE_SCALE


@lru_cache
def every_category() -> tuple[Category, ...]:
    """The demo's, then the other ids that Twilio has been seen to list: 648 and a few."""
    ours = [_of_demo(one) for one in CATEGORIES.values()]
    with KNOWN.open(encoding="utf-8", newline="") as file:
        others = [
            Category(
                row["category"], TOTAL, row["label"], row["count_unit"], row["usage_unit"], 830
            )
            for row in csv.DictReader(file)
            if row["category"] not in CATEGORIES
        ]
    return (*ours, *others)


def _of_demo(one: DemoCategory) -> Category:
    price = 830 if one.unit_price is None else int(one.unit_price * PRICE_SCALE)
    return Category(one.id, one.parent, one.description, one.count_unit, one.usage_unit, price)


@dataclass(frozen=True)
class Tree:
    """The first `used` of all categories are used; with `zero_rows` all of them are listed."""

    used: int
    zero_rows: bool = False

    @cached_property
    def categories(self) -> tuple[Category, ...]:
        return every_category()[: self.used]

    @cached_property
    def listed(self) -> tuple[Category, ...]:
        return every_category() if self.zero_rows else self.categories

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(one.id for one in self.categories)

    @cached_property
    def charged(self) -> tuple[Category, ...]:
        parents = {one.parent for one in self.categories}
        return tuple(one for one in self.categories if one.id not in parents | {TOTAL})

    @cached_property
    def prices(self) -> np.ndarray:
        return np.array([one.unit_price for one in self.charged], dtype=np.int64)

    @cached_property
    def roll_up(self) -> np.ndarray:
        """1 where a category (column) holds what is charged as another (row)."""
        held = [[one.id in self.above(leaf.id) for one in self.categories] for leaf in self.charged]
        return np.array(held, dtype=np.int64)

    def above(self, id: str) -> set[str]:
        """The category itself, all its parents, and the total."""
        parents = {one.id: one.parent for one in self.categories}
        found = {TOTAL}
        while id != TOTAL:
            found.add(id)
            id = parents[id]
        return found
