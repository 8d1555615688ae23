"""Rows of one account's listing, and their fields as values.

A row of another account is refused with the whole listing; a row that lacks what gives it its
place (a SID, a day) is logged and left out; a field that says something unreadable is an error.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import structlog

from data.errors import InputError, TwilioError
from data.money import ZERO, decimal_from
from data.twilio.client import TwilioClient

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]
LARGEST = Decimal(10**12)  # what a column of quantities holds


def rows(
    client: TwilioClient,
    sid: str,
    path: str,
    items: str,
    params: Mapping[str, str] | None = None,
    *,
    needs: Sequence[str],
    host: str = "api",
) -> Iterator[Body]:
    """The account's rows that have all the fields of `needs`; TwilioError for a foreign row."""
    for body in client.list(path, items, params, host=host):
        owner = body.get("account_sid")
        if owner not in (None, "", sid):
            raise TwilioError(
                f"Twilio sent a row of {owner} among the {items} of {sid}; "
                "nothing of it was stored.",
                account=sid,
            )
        missing = [name for name in ("account_sid", *needs) if body.get(name) in (None, "")]
        if missing:
            # Only names of fields: their values may be numbers or texts of people.
            log.warning("twilio.row_without_place", account=sid, items=items, missing=missing)
            continue
        yield body


def moment(value: object) -> datetime:
    """A moment in UTC from ISO 8601 or RFC 2822, as older answers have it.

    One without a zone is UTC, as all of Twilio's days are.  TwilioError for anything else.
    """
    text = str(value).strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except ValueError:
            raise TwilioError("A moment of Twilio cannot be read.") from None
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        raise TwilioError("A moment of Twilio is out of the calendar.") from None


def number(body: Body, field: str) -> Decimal:
    """A quantity to six places; nothing is 0.  TwilioError if it cannot be read or stored."""
    value = body.get(field)
    if value is None or value == "":
        return ZERO
    try:
        found = decimal_from(value, field)
    except InputError:
        raise TwilioError(f"A row of Twilio cannot be read: {field} is no number.") from None
    if abs(found) >= LARGEST:
        raise TwilioError(f"A row of Twilio cannot be read: {field} is out of all proportion.")
    return found.quantize(Decimal("0.000001"))


def count(body: Body, field: str) -> int:
    """A whole number that is not negative; nothing is 0.  TwilioError for anything else."""
    found = number(body, field)
    if found < 0 or found != found.to_integral_value():
        raise TwilioError(f"A row of Twilio cannot be read: {field} is no count.")
    return int(found)


def word(body: Body, field: str, otherwise: str = "unknown") -> str:
    """A word of a list that Twilio may lengthen, in lower case."""
    return str(body.get(field) or otherwise).strip().lower()
