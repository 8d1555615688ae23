"""What Twilio's answers say: a JSON object, a list of items, or why there is none."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import structlog

from data.errors import NotFound, TwilioBusy, TwilioRefused

log = structlog.get_logger(__name__)

Body = dict[str, Any]
TOO_MANY = 429


class Malformed(Exception):
    """An answer that is not what was asked for; `fault` is its name in the tally."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


def json_object(text: str) -> Body:
    try:
        body = json.loads(text, parse_float=Decimal)
    except ValueError:
        raise Malformed("cut off", "Twilio's answer is not JSON.") from None
    if not isinstance(body, dict):
        raise Malformed("wrong shape", "Twilio's answer is no object.")
    return body


def items_of(page: Body, items: str) -> Sequence[Body]:
    listed = page.get(items)
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Malformed("wrong shape", f"Twilio's answer has no list of {items}.")
    return listed


def refusal(status: int, text: str, headers: Mapping[str, str], sid: str) -> Exception:
    """Twilio's error as ours; see https://www.twilio.com/docs/api/errors."""
    try:
        body = json.loads(text)
        code, said = body.get("code"), body.get("message")
    except (ValueError, AttributeError):
        code, said = None, None
    if status in (408, 425, TOO_MANY) or status >= 500 or status < 300:
        log.info("twilio.busy", status=status, code=code, account=sid)
        after = retry_after(headers.get("Retry-After", ""))
        return TwilioBusy(f"Twilio answers {status}.", retry_after=after, status=status)
    log.warning("twilio.refused", status=status, code=code, account=sid)
    if status in (401, 403):
        return TwilioRefused(
            f"Twilio refuses the credentials for account {sid} ({code or status}): "
            "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or the account's own key.",
            account=sid,
        )
    if status == 404:
        return NotFound(f"Twilio knows no such resource of account {sid}.", account=sid)
    return TwilioRefused(f"Twilio refuses the request ({code or status}): {said}", account=sid)


def retry_after(text: str) -> float | None:
    """Seconds; the header holds them, or a date (RFC 9110, 10.2.3)."""
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
