"""Usage as a CSV: a row a day, the columns in any order.

`day` (2026-03-31, UTC) and `category` (Twilio's) or `meter` (a plan's or ours); any of `quantity`
or `usage` (billed units), `count` (events), `cost` (what Twilio charges) and `currency` (of it).
"""

import csv
from pathlib import Path

from pydantic import ValidationError

from data.errors import InputError
from data.rating.problems import Problem, problems_in, refused
from data.rating.usage import Located, UsageRow, field_of

COLUMNS = frozenset(UsageRow.model_fields)
_REST = "\0"  # key of the cells that no column names


def read_usage(path: Path) -> list[Located]:
    """The file's rows; InputError names the lines and the columns that are wrong."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey=_REST)
            header = [name.strip() for name in reader.fieldnames or ()]
            _check_header(header, path.name)
            reader.fieldnames = header
            numbered = [(f"{path.name}, line {reader.line_num}", row) for row in reader]
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path.name}: is not a CSV file in UTF-8") from None
    located: list[Located] = []
    problems: list[Problem] = []
    for where, row in numbered:
        try:
            located.append(Located(where, _row(row, where)))
        except ValidationError as error:
            problems += (
                Problem(field_of(where, one.path), one.message) for one in problems_in(error)
            )
    if problems:
        raise refused(problems)
    return located


def _check_header(header: list[str], name: str) -> None:
    where = f"{name}, line 1"
    if unknown := sorted(set(header) - COLUMNS):
        raise refused([Problem(where, f"column {unknown[0]!r} is unknown")])
    if twice := sorted({one for one in header if header.count(one) > 1}):
        raise refused([Problem(where, f"column {twice[0]!r} is given twice")])
    if "day" not in header or not {"category", "meter"} & set(header):
        raise refused([Problem(where, "needs the columns day and category (or meter)")])


def _row(row: dict[str, str | None], where: str) -> UsageRow:
    if _REST in row:
        raise refused([Problem(where, "has more cells than line 1 names")])
    return UsageRow.model_validate(
        {key: cell for key, cell in row.items() if cell and cell.strip()}
    )
