"""Whole cases as people hand them to `rate`, and the answers of standard input."""

import io
import json
import sys
from unittest.mock import patch

from tests.bills import overage
from tests.command_line import run

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}
FROM_15_MARCH = {"from": "2026-03-15", "to": "2026-04-01"}


def plan(*prices, **terms):
    return {
        "plan": "agreed",
        "version": 1,
        "name": "Agreed",
        "currency": "USD",
        "prices": list(prices),
        **terms,
    }


def used(*figures, month="2026-03", meter="sms"):
    """A row a day from the first on: units, or units and what they cost."""
    pairs = [figure if isinstance(figure, tuple) else (figure, None) for figure in figures]
    return [
        {"day": f"{month}-{n:02}", "meter": meter, "quantity": units, "cost": cost}
        for n, (units, cost) in enumerate(pairs, start=1)
    ]


def case(*prices, usage=(), terms=None, **fields):
    return {"plan": plan(*prices, **(terms or {})), "usage": list(usage), **fields}


def asked(document):
    """Standard input answered."""
    text = document if isinstance(document, str) else json.dumps(document)
    with patch.object(sys, "stdin", io.StringIO(text)):
        return run("rate", "--case", "-")


def rated(document):
    said = asked(document)
    assert said.code == 0, said.out
    return json.loads(said.out)


def problems(document):
    said = asked(document)
    assert said.code == 2
    return [(one["path"], one["message"]) for one in json.loads(said.out)["error"]["problems"]]


def line(document, kind, period=0):
    return next(one for one in document["periods"][period]["lines"] if one["kind"] == kind)


def by_bands(kind, *bands, **terms):
    return {"kind": kind, "meter": "sms", "bands": list(bands), **terms}


GRADUATED = by_bands(
    "graduated", {"up_to": 100, "unit_amount": "0.02", "flat_fee": "1.50"}, {"unit_amount": "0.01"}
)
VOLUME = by_bands("volume", {"up_to": 100, "unit_amount": "0.02"}, {"unit_amount": "0.01"})
PACKAGE = {"kind": "package", "meter": "sms", "package_size": 1000, "package_amount": 5}
PER_UNIT = {"kind": "per_unit", "meter": "sms", "unit_amount": "0.012"}


def change(start, price, **terms):
    when = {"when": terms.pop("when")} if "when" in terms else {}
    return {"from": start, "plan": plan(price, **terms), **when}


SMALL = change("2026-03-01", overage("small"), plan="small")
MEDIUM = change("2026-03-15", overage("medium"), plan="medium")
