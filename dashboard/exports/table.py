"""A table is columns and rows of raw values; pages format it, downloads write it as CSV.

CSV as spreadsheets read it: UTF-8 with a byte order mark, RFC 4180 line ends, numbers without
grouping.  Text that a spreadsheet would take for a formula is defused with an apostrophe.
"""

import csv
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import StringIO

Value = str | Decimal | date | None
FORMULA = (*"=+-@", *"＝＋－＠", "\t", "\r", "\n")  # full-width signs count, too


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


def as_csv(table: Table) -> bytes:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(_cell(name) for name in table.columns)  # names of accounts stand there
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    if isinstance(value, date):
        return value.isoformat()
    return f"'{value}" if value.startswith(FORMULA) else value


def file_name(*words: str, kind: str = "csv") -> str:
    """usage-birch-bakery-2026-11-01.csv: plain letters only, whatever the words hold."""
    plain = (re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)
    return "-".join(word for word in plain if word) + f".{kind}"
