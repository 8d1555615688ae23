"""What is wrong with a case, each with its field's path: `usage.3.day`, `plan.prices.0.kind`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from data.errors import AppError, InputError
from data.money import decimal_from
from data.pricing import reason

Location = tuple[int | str, ...]
TAGS = ("terms", "reference")  # of what stands under `plan`: not in the document itself

# A field, in a file's line or by itself: "plan.yaml, line 7: prices.0.kind: …"
_NAMES_ITS_FIELD = re.compile(r"^((?:[^:]+, line \d+: )?[a-z_]\w*(?:\.\w+)*): (.+)$", re.DOTALL)
_POWER = re.compile(r"^\s*[-+]?[\d.]+[eE][-+]?\d+\s*$")


@dataclass(frozen=True, slots=True)
class Problem:
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def problem(path: str, message: str) -> Problem:
    """A message that begins with its field lends it to the path."""
    if named := _NAMES_ITS_FIELD.match(message):
        path, message = ".".join(part for part in (path, named[1]) if part), named[2]
    return Problem(path, message)


def refused(problems: Iterable[Problem]) -> InputError:
    found = tuple(problems)
    return InputError("\n".join(str(one) for one in found), problems=found)


def problems_of(error: AppError) -> tuple[Problem, ...]:
    found: tuple[Problem, ...] = error.params.get("problems", ())
    return found or tuple(problem("", line) for line in str(error).splitlines())


def problems_in(error: ValidationError, path: str = "") -> Iterator[Problem]:
    """Each wrong field of a model, by its path in the document."""
    for item in _told_once(error.errors()):
        parts = [path, *(str(part) for part in as_in_document(item["loc"]))]
        yield problem(".".join(part for part in parts if part), _message(item))


def _told_once(items: Sequence[Any]) -> Iterator[Any]:
    """Without the lists that are found too short because what stands in them is wrong."""
    for item in items:
        place = item["loc"]
        inside = any(one["loc"][: len(place)] == place for one in items if one is not item)
        if not (item["type"] == "too_short" and inside):
            yield item


def _message(item: Any) -> str:
    if item["type"] == "model_type":
        return "must be an object with named fields"
    if item["type"] == "union_tag_not_found":
        return "kind: is missing"
    if item["type"] == "union_tag_invalid":
        return f"kind: {item['ctx']['tag']!r} is none of {item['ctx']['expected_tags']}"
    return reason(item)


def as_in_document(location: Location) -> Location:
    """The place without what the library puts in: a strategy's kind, the choice under `plan`."""

    def stands(place: int) -> bool:
        part, before = location[place], location[max(place - 2, 0) : place]
        kind = len(before) == 2 and before[0] == "prices" and isinstance(before[1], int)
        return not kind and not (part in TAGS and before[-1:] == ("plan",))

    return tuple(part for place, part in enumerate(location) if stands(place))


def disproportionate(value: Any, path: str = "") -> Iterator[Problem]:
    """Figures beyond 10^30 or below 10^-30: slips that no arithmetic keeps exact."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from disproportionate(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, int | Decimal) or (isinstance(value, str) and _POWER.match(value)):
        try:
            decimal_from(value if isinstance(value, str) else Decimal(value), path)
        except InputError as error:
            yield problem(path, str(error).removeprefix(f"{path}: "))
