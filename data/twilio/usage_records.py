"""Daily usage of one account, by category.

`IncludeSubaccounts=false` is sent always: its default would fold a parent's subaccounts in.  Every
row says whose it is, and a row of another account is refused.  Fields may be null; negative prices
(credits) are kept; rows that say nothing at all are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import structlog

from data.errors import InputError, TwilioError
from data.money import ZERO, currency_code, decimal_from
from data.twilio.client import TwilioClient

log = structlog.get_logger(__name__)

COST_PLACES = Decimal("0.000000001")
QUANTITY_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """One category on one UTC day, as Twilio says at `as_of`."""

    day: date
    category: str  # lower case
    count: Decimal | None
    usage: Decimal | None
    cost: Decimal | None
    cost_currency: str
    as_of: datetime | None


def daily_usage(
    client: TwilioClient, sid: str, first: date, last: date, *, category: str | None = None
) -> Iterator[DailyUsage]:
    """Rows of the days `first` to `last`, both included; all categories unless one is named."""
    params = {
        "StartDate": first.isoformat(),
        "EndDate": last.isoformat(),
        "IncludeSubaccounts": "false",
    }
    if category:
        params["Category"] = category
    for body in client.list(f"Accounts/{sid}/Usage/Records/Daily.json", "usage_records", params):
        if body.get("account_sid") != sid:
            raise TwilioError(
                f"Twilio sent a usage row of {body.get('account_sid')} in the listing of {sid}; "
                "nothing of it was stored.",
                account=sid,
            )
        if not body.get("category") or not body.get("start_date"):
            log.warning("twilio.row_without_place", account=sid, row=body.get("uri"))
            continue
        row = _row(body)
        if not first <= row.day <= last:
            raise TwilioError(f"Twilio sent {row.day} when asked for {first} to {last}.")
        yield row


def _row(body: dict[str, Any]) -> DailyUsage:
    try:
        return DailyUsage(
            day=date.fromisoformat(str(body.get("start_date"))),
            category=str(body["category"]).lower(),
            count=_number(body, "count", QUANTITY_PLACES),
            usage=_number(body, "usage", QUANTITY_PLACES),
            cost=_number(body, "price", COST_PLACES),
            cost_currency=currency_code(body.get("price_unit") or "usd"),
            as_of=_moment(body.get("as_of")),
        )
    except (AttributeError, TypeError, ValueError, ArithmeticError, InputError) as error:
        raise TwilioError(f"A usage record of Twilio cannot be read: {error}") from error


def _moment(text: str | None) -> datetime | None:
    """Twilio's `as_of`; one without a zone is UTC like all of its days."""
    moment = datetime.fromisoformat(text) if text else None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _number(body: dict[str, Any], field: str, places: Decimal) -> Decimal | None:
    """The figure to the places we store; Twilio's own have five."""
    value = body.get(field)
    if value is None or value == "":
        return None
    return decimal_from(value, field).quantize(places)


def says_something(row: DailyUsage) -> bool:
    """Twilio may list every category of every day; only those that happened are stored."""
    return any(value not in (None, ZERO) for value in (row.count, row.usage, row.cost))
