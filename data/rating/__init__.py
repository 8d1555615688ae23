"""Rating without a database: somebody's plans and usage, from files or standard input, priced.

A `Case` comes from a plan file with a CSV (usage_file.py) or from one document (case.py); both are
billed period by period (bills.py) and answered in one shape (answer.py).  docs/rating.md shows it.
"""

from data.rating.answer import answer
from data.rating.bills import Bill, Bills, Case, bills
from data.rating.case import case_of_files, document_case, read_document
from data.rating.problems import Problem, problems_of

__all__ = [
    "Bill",
    "Bills",
    "Case",
    "Problem",
    "answer",
    "bills",
    "case_of_files",
    "document_case",
    "problems_of",
    "read_document",
]
