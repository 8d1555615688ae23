"""The only door to Twilio: credentials, timeouts, paging, retries and the mapping of errors.

The library's own defaults are not ours: it waits for ever, retries nothing, and turns a JSON number
into a binary fraction.  So its request layer is used, and bodies are parsed here, with Decimals
straight from the text.  Twilio's exceptions end in this file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog
from requests import RequestException
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base, wait_random_exponential
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from data.errors import NotFound, TwilioBusy, TwilioError, TwilioRefused

log = structlog.get_logger(__name__)

API_VERSION = "2010-04-01"
TIMEOUT_SECONDS = 30.0
ATTEMPTS = 6
LONGEST_WAIT = 30.0  # seconds
MAX_PAGES = 10_000  # a listing longer than this is a loop


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account and the token that reads it; the token is never shown."""

    account_sid: str
    auth_token: str = field(repr=False)


@dataclass(slots=True)
class Tally:
    """What was asked of Twilio in a run."""

    requests: int = 0
    retries: int = 0


class _RetryAfter(wait_base):
    """As long as Twilio asks; otherwise exponential with full jitter."""

    def __init__(self) -> None:
        self.jitter = wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT)

    def __call__(self, retry_state: Any) -> float:
        error = retry_state.outcome.exception()
        asked = error.retry_after if isinstance(error, TwilioBusy) else None
        return min(asked, LONGEST_WAIT) if asked is not None else self.jitter(retry_state)


class TwilioClient:
    """Reads lists of one account's resources.  `base` is scheme and host; tests give their own."""

    def __init__(
        self,
        credentials: Credentials,
        base: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
        tally: Tally | None = None,
    ) -> None:
        self.account_sid = credentials.account_sid
        self.base = base.rstrip("/")
        self.tally = tally or Tally()
        self._attempts = attempts
        http = TwilioHttpClient(timeout=timeout)
        self._client = Client(credentials.account_sid, credentials.auth_token, http_client=http)

    def list(
        self, path: str, items: str, params: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Every item of a listing, page by page: `path` below /2010-04-01, as in "Accounts.json".

        Raises TwilioRefused (credentials), NotFound, TwilioBusy (still failing after retries).
        """
        uri: str | None = f"/{API_VERSION}/{path}"
        query: dict[str, str] = {"PageSize": "1000", **(params or {})}
        seen: set[str] = set()
        while uri is not None:
            key = f"{uri}?{sorted(query.items())}"
            if key in seen or len(seen) >= MAX_PAGES:
                raise TwilioError("Twilio's answer leads back to a page that was read already.")
            seen.add(key)
            page = self._page(uri, query, items)
            yield from page[items]
            uri, query = self._next(page.get("next_page_uri"))

    @staticmethod
    def _next(link: object) -> tuple[str | None, dict[str, str]]:
        if not isinstance(link, str) or not link:
            return None, {}
        # Only path and query are taken: a listing must not send our credentials to another host.
        parts = urlsplit(link)
        return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))

    def _page(self, uri: str, query: Mapping[str, str], items: str) -> dict[str, Any]:
        for attempt in Retrying(
            retry=retry_if_exception_type(TwilioBusy),
            stop=stop_after_attempt(self._attempts),
            wait=_RetryAfter(),
            reraise=True,
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    self.tally.retries += 1
                return self._request(uri, query, items)
        raise AssertionError("unreachable: the last attempt raises")

    def _request(self, uri: str, query: Mapping[str, str], items: str) -> dict[str, Any]:
        self.tally.requests += 1
        try:
            answer = self._client.request("GET", f"{self.base}{uri}", params=dict(query))
        except RequestException as error:
            log.warning("twilio.unreachable", path=uri, error=type(error).__name__)
            raise TwilioBusy(f"Twilio at {self.base} does not answer.") from error
        except TwilioException as error:
            raise TwilioError("The request to Twilio could not be made.") from error
        if answer.status_code != 200:
            raise _refusal(answer.status_code, answer.text, answer.headers or {}, self.account_sid)
        return _body(answer.text, items)


def _body(text: str, items: str) -> dict[str, Any]:
    """The page; one that is cut off or of another shape may be right when asked for again."""
    try:
        page: dict[str, Any] = json.loads(text, parse_float=Decimal)
    except ValueError:
        raise TwilioBusy("Twilio's answer is not JSON.") from None
    listed = page.get(items) if isinstance(page, dict) else None
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise TwilioBusy(f"Twilio's answer has no list of {items}.")
    return page


def _refusal(status: int, text: str, headers: Mapping[str, str], sid: str) -> Exception:
    """Twilio's error as ours; see https://www.twilio.com/docs/api/errors."""
    try:
        body = json.loads(text)
        code, said = body.get("code"), body.get("message")
    except (ValueError, AttributeError):
        code, said = None, None
    log.warning("twilio.refused", status=status, code=code, account=sid)
    if status == 429 or status >= 500:
        after = headers.get("Retry-After", "")
        seconds = float(after) if after.replace(".", "", 1).isdecimal() else None
        return TwilioBusy(f"Twilio answers {status}.", retry_after=seconds)
    if status in (401, 403):
        return TwilioRefused(
            f"Twilio refuses the credentials of account {sid} ({code or status}): "
            "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.",
            account=sid,
        )
    if status == 404:
        return NotFound(f"Twilio knows no such resource of account {sid}.", account=sid)
    return TwilioRefused(f"Twilio refuses the request ({code or status}): {said}", account=sid)
