"""Downloads: tables of raw values, written as CSV."""

from dashboard.exports.table import Table, Value, as_csv, file_name
from dashboard.exports.tables import (
    staff_lines,
    statement_days,
    statement_lines,
    usage_by_category,
    usage_by_day,
    usage_by_span,
)

__all__ = [
    "Table",
    "Value",
    "as_csv",
    "file_name",
    "staff_lines",
    "statement_days",
    "statement_lines",
    "usage_by_category",
    "usage_by_day",
    "usage_by_span",
]
