"""Labels of statement lines in the language of whoever reads them.

The engine writes them in English, and a closed statement keeps the text it was closed with: so
they are recognised by their wording, here alone.  What is not known, such as the name of a pack,
of a meter or of a tax, is a name and stays.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from dashboard.charts.formats import exactly
from dashboard.words import N_, _

FIXED = (
    *(N_("Monthly fee"), N_("Usage"), N_("All units"), N_("Free units"), N_("Flat fee")),
    *(N_("Within the allowance"), N_("Beyond the allowance"), N_("Overage")),
    *(N_("Beyond the credits"), N_("Owed, taken from the next pack"), N_("Not covered")),
    *(N_("Above the maximum"), N_("Up to the agreed minimum"), N_("Other")),
)
# Pattern and text of those with values; a value is a number where its name is n, otherwise a label.
COMPOSED: Mapping[str, str] = {
    r"Units (?P<n_first>[\d,.]+)–(?P<n_last>[\d,.]+)": N_("Units {n_first}–{n_last}"),
    r"Above (?P<n>[\d,.]+)": N_("Above {n}"),
    r"Packages of (?P<n>[\d,.]+)": N_("Packages of {n}"),
    r"Flat fee: (?P<band>.+)": N_("Flat fee: {band}"),
    r"(?P<n>[\d.]+) % off": N_("{n} % off"),
    r"(?P<name>.+) (?P<n>[\d.]+) %": N_("{name} {n} %"),
    r"(?P<pack>.+), voided": N_("{pack}, voided"),
    r"Usage of (?P<meter>.+)": N_("Usage of {meter}"),
}


def translated(label: str) -> str:
    """Units 1,001–2,000 -> Einheiten 1.001–2.000; a name stays as it is."""
    for pattern, text in COMPOSED.items():
        if found := re.fullmatch(pattern, label):
            return _(text).format(**{k: _shown(k)(v) for k, v in found.groupdict().items()})
    return _(label)


def _shown(name: str) -> Callable[[str], str]:
    return _number if name.startswith("n_") or name == "n" else translated


def _number(text: str) -> str:
    return exactly(Decimal(text.replace(",", "")))
