"""The only door to Twilio: credentials, timeouts, paging, retries and the mapping of errors.

The library's own defaults are not ours: it waits for ever, retries nothing, and turns a JSON number
into a binary fraction.  So its request layer is used, and bodies are parsed here, with Decimals
straight from the text.  Twilio's exceptions end in this file.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import environ
from threading import Lock
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests
import structlog
from requests import ConnectionError as ConnectionFailed
from requests import RequestException, Timeout
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from requests.utils import get_environ_proxies
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_random_exponential
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import HTTPError, ReadTimeoutError

from data.errors import ListingLoops, TwilioBusy, TwilioError
from data.twilio.answers import TOO_MANY, Body, Malformed, items_of, json_object, refusal
from data.twilio.tally import Tally
from data.twilio.throttle import Throttle

log = structlog.get_logger(__name__)

T = TypeVar("T")
P = TypeVar("P", bound="Page")

API_VERSION = "2010-04-01"
ACCOUNT = re.compile(r"/Accounts/(AC\w+)")
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0  # of the first attempt; each further one has as much more
LONGEST_READ = 60.0
ATTEMPTS = 10
KNOCKS = 4  # attempts at a host that has never answered
ATTEMPTS_WHEN_TOO_MANY = 30  # such a request was not processed: it costs nobody anything
LONGEST_WAIT = 20.0  # seconds, by our own choice
LONGEST_ASKED = 300.0  # seconds, where Twilio asks for it
CONCURRENCY = 16
MAX_PAGES = 10_000  # a listing longer than this is a loop
_OWN_ENVIRONMENT = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}  # they would rewrite our addresses


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account, and the token or key that reads it; the secret is never shown."""

    account_sid: str
    secret: str = field(repr=False)
    key_sid: str | None = None  # of an API key; without one the secret is the auth token


class _Adapter(HTTPAdapter):
    """A short wait for a connection, and the body in one piece.

    The library takes bodies in pieces of 10 kB: with many threads each piece costs a wait for the
    interpreter, some hundred for a full page.
    """

    def send(self, request: Any, *args: Any, **more: Any) -> Any:
        answer = super().send(request, *args, **{**more, "timeout": _patience(more["timeout"])})
        try:
            answer._content = answer.raw.read(decode_content=True)
        except ReadTimeoutError as error:
            raise ReadTimeout(error, request=request) from error
        except HTTPError as error:
            raise ChunkedEncodingError(error, request=request) from error
        return answer


def _take_environment(session: requests.Session, hosts: Iterable[str]) -> None:
    """Proxies and certificates as the environment says, once: the library asks it every time."""
    session.trust_env = False
    bundle = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    session.verify = bundle or True
    for host in hosts:
        parts = urlsplit(host)
        if proxy := get_environ_proxies(host).get(parts.scheme):
            session.proxies[f"{parts.scheme}://{parts.hostname}"] = proxy


def _patience(seconds: float) -> tuple[float, float]:
    return (min(CONNECT_SECONDS, seconds), seconds)


class _Wait(wait_base):
    """As long as Twilio asks; otherwise exponential with full jitter."""

    def __init__(self) -> None:
        self.jitter = wait_random_exponential(multiplier=0.25, max=LONGEST_WAIT)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = _error(retry_state)
        asked = error.retry_after if isinstance(error, TwilioBusy) else None
        return min(asked, LONGEST_ASKED) if asked is not None else self.jitter(retry_state)


class Page(Protocol):
    """A page of a listing as a typed value."""

    next_page_uri: Any


class Transport:
    """One run's way to Twilio's hosts: connections, the gate, retries, and the tally of it all.

    `hosts` gives an address for a part of Twilio: "api" (https://api.twilio.com, 2010-04-01),
    "monitor" (v1) and "status" (the status page); a test gives its own.
    """

    def __init__(
        self,
        hosts: Mapping[str, str],
        *,
        timeout: float = READ_SECONDS,
        attempts: int = ATTEMPTS,
        concurrency: int = CONCURRENCY,
        tally: Tally | None = None,
    ) -> None:
        self.hosts = {name: base.rstrip("/") for name, base in hosts.items()}
        self.tally = tally or Tally()
        self.throttle = Throttle(concurrency)
        self.timeout, self.attempts = timeout, attempts
        self.http = TwilioHttpClient()
        self._heard: set[str] = set()  # hosts that have answered
        self._parsing = Lock()
        for scheme in ("http://", "https://"):
            self.http.session.mount(scheme, _Adapter(pool_maxsize=concurrency))
        _take_environment(self.http.session, self.hosts.values())

    def client(self, credentials: Credentials) -> "TwilioClient":
        return TwilioClient(credentials, self)

    def get(
        self,
        client: Client,
        url: str,
        query: Mapping[str, str],
        sid: str,
        read: Callable[[str], T],
    ) -> T:
        """What `read` makes of the text at `url`, asked for until it arrives whole.

        `read` raises Malformed for what is cut off or of another shape: it may be right when asked
        for again.  One thread at a time reads: no more than one page lies about in pieces.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type(TwilioBusy),
            stop=_Enough(self, urlsplit(url).netloc),
            wait=_Wait(),
            reraise=True,
        ):
            with attempt:
                number = attempt.retry_state.attempt_number
                text = self._ask(client, url, query, sid, number)
                try:
                    with self._parsing:
                        return read(text)
                except Malformed as error:
                    self.tally.got(error.fault)
                    raise TwilioBusy(str(error)) from None
        raise AssertionError("unreachable: the last attempt raises")

    def public(self, host: str, path: str) -> Body | None:
        """The JSON object at a page that is open to everyone; None, and a log, for every fault.

        No credentials are sent, and it is asked for once.
        """
        if host not in self.hosts:
            return None
        try:
            answer = self.http.request("GET", self.hosts[host] + path, timeout=CONNECT_SECONDS)
            body = json.loads(answer.text) if answer.status_code == 200 else None
        except (RequestException, ValueError) as error:
            log.info("twilio.no_public_page", host=host, path=path, error=type(error).__name__)
            return None
        if not isinstance(body, dict):
            log.info("twilio.no_public_page", host=host, path=path, status=answer.status_code)
            return None
        return body

    def heard(self, host: str) -> bool:
        return host in self._heard

    def _ask(
        self, client: Client, url: str, query: Mapping[str, str], sid: str, number: int
    ) -> str:
        seconds = min(self.timeout * number, max(LONGEST_READ, self.timeout))
        with self.throttle.slot() as asked_at:
            self.tally.sent(again=number > 1)
            try:
                answer = client.request("GET", url, params=dict(query), timeout=seconds)
            except RequestException as error:
                raise self._lost(url, error) from error
            except TwilioException as error:
                raise TwilioError("The request to Twilio could not be made.") from error
        self._heard.add(urlsplit(url).netloc)
        return self._judged(answer, asked_at, sid)

    def _lost(self, url: str, error: RequestException) -> TwilioBusy:
        kinds = {"timeout": Timeout, "connection": ConnectionFailed}
        fault = next((name for name, kind in kinds.items() if isinstance(error, kind)), "cut off")
        self.tally.got(fault)
        parts = urlsplit(url)
        log.info("twilio.no_answer", path=parts.path, fault=fault, error=type(error).__name__)
        return TwilioBusy(f"Twilio at {parts.scheme}://{parts.netloc} does not answer.")

    def _judged(self, answer: Response, asked_at: float, sid: str) -> str:
        headers = answer.headers or {}
        self.tally.got(str(answer.status_code), headers)
        if answer.status_code == TOO_MANY:
            self.throttle.refused(asked_at)
        else:
            self.throttle.answered()
        if answer.status_code != 200:
            raise refusal(answer.status_code, answer.text, headers, sid)
        kind = headers.get("Content-Type", "application/json")
        if "json" not in kind.lower():
            self.tally.got("not JSON")
            raise TwilioBusy(f"Twilio's answer is {kind.partition(';')[0]}, not JSON.")
        text: str = answer.text
        return text


class _Enough(stop_base):
    """A host that never answered is given up soon; one that only says 429, late."""

    def __init__(self, transport: Transport, host: str) -> None:
        self.transport, self.host = transport, host

    def __call__(self, retry_state: RetryCallState) -> bool:
        attempts = self.transport.attempts
        error = _error(retry_state)
        if not self.transport.heard(self.host):
            attempts = min(attempts, KNOCKS)
        elif isinstance(error, TwilioBusy) and error.params.get("status") == TOO_MANY:
            attempts = attempts * ATTEMPTS_WHEN_TOO_MANY // ATTEMPTS
        return retry_state.attempt_number >= attempts


def _error(retry_state: RetryCallState) -> BaseException | None:
    return retry_state.outcome.exception() if retry_state.outcome else None


class TwilioClient:
    """Reads one account's resources with one pair of credentials."""

    def __init__(self, credentials: Credentials, transport: Transport) -> None:
        self.account_sid = credentials.account_sid
        self._transport = transport
        self._client = Client(
            credentials.key_sid or credentials.account_sid,
            credentials.secret,
            account_sid=credentials.account_sid,
            http_client=transport.http,
            environment=_OWN_ENVIRONMENT,
        )

    def fetch(
        self, path: str, params: Mapping[str, str] | None = None, *, host: str = "api"
    ) -> dict[str, Any]:
        """One JSON object.  `path` is below /2010-04-01, or begins with a slash."""
        return self._get(_address(path), params or {}, host, json_object)

    def list(
        self,
        path: str,
        items: str,
        params: Mapping[str, str] | None = None,
        *,
        host: str = "api",
    ) -> Iterator[dict[str, Any]]:
        """Every item of a listing, page by page: `path` below /2010-04-01, as in "Accounts.json".

        A path that begins with a slash is taken as it is, as in "/v1/Alerts" of host "monitor".
        Raises TwilioRefused (credentials), NotFound, TwilioBusy (still failing after retries).
        """

        def read(text: str) -> tuple[Sequence[Body], object]:
            page = json_object(text)
            return items_of(page, items), _link(page)

        for page in self._pages(path, read, params, host):
            yield from page

    def pages(
        self,
        path: str,
        shape: type[P],
        take: Callable[[P], T],
        params: Mapping[str, str] | None = None,
    ) -> Iterator[T]:
        """What `take` makes of each page of a listing, decoded into `shape`; for many rows."""
        decoder = msgspec.json.Decoder(shape)

        def read(text: str) -> tuple[T, object]:
            try:
                page = decoder.decode(text)
            except msgspec.ValidationError as error:
                raise Malformed(
                    "wrong shape", f"Twilio's answer has another shape: {error}"
                ) from None
            except (msgspec.DecodeError, UnicodeError):
                raise Malformed("cut off", "Twilio's answer is not JSON.") from None
            return take(page), page.next_page_uri

        return self._pages(path, read, params, "api")

    def _pages(
        self,
        path: str,
        read: Callable[[str], tuple[T, object]],
        params: Mapping[str, str] | None,
        host: str,
    ) -> Iterator[T]:
        """Page by page as `read` says; one that leads back to another is refused."""
        uri: str | None = _address(path)
        query: dict[str, str] = {"PageSize": "1000", **(params or {})}
        seen: set[str] = set()
        while uri is not None:
            key = f"{uri}?{sorted(query.items())}"
            if key in seen or len(seen) >= MAX_PAGES:
                raise ListingLoops("Twilio's answer leads back to a page that was read already.")
            taken, link = self._get(uri, query, host, read)
            seen.add(key)
            yield taken
            uri, query = _next(link)

    def _get(self, uri: str, query: Mapping[str, str], host: str, read: Callable[[str], T]) -> T:
        url = self._transport.hosts[host] + uri
        of = ACCOUNT.search(uri)  # whose resource it is, whoever asks for it
        sid = of[1] if of else self.account_sid
        return self._transport.get(self._client, url, query, sid, read)


def _address(path: str) -> str:
    return path if path.startswith("/") else f"/{API_VERSION}/{path}"


def _link(page: Body) -> object:
    """Where the listing goes on: relative in 2010-04-01, absolute under `meta` in v1."""
    meta = page.get("meta")
    return page.get("next_page_uri") or (isinstance(meta, dict) and meta.get("next_page_url"))


def _next(link: object) -> tuple[str | None, dict[str, str]]:
    if not isinstance(link, str) or not link:
        return None, {}
    # Only path and query are taken: a listing must not send our credentials to another host.
    parts = urlsplit(link)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))
