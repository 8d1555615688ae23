"""The balance of the parent: one for all accounts, as subaccounts have none."""

from decimal import Decimal

import structlog

from data.errors import InputError, NotFound, TwilioError
from data.money import currency_code
from data.twilio.listing import number
from data.twilio.reading import Reading

log = structlog.get_logger(__name__)


def balance(reading: Reading) -> tuple[Decimal, str] | None:
    """The money left and its currency; None where Twilio does not tell, which fails no sync."""
    sid = reading.credentials.account_sid
    try:
        body = reading.parent_client().fetch(f"Accounts/{sid}/Balance.json")
        if body.get("balance") in (None, ""):
            return None
        return number(body, "balance"), currency_code(str(body.get("currency") or "USD"))
    except (TwilioError, NotFound, InputError) as error:
        log.warning("twilio.no_balance", account=sid, error=str(error))
        return None
