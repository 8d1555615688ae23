"""Twilio's manners: its envelopes and pages, its error bodies, its headers, its dates."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

ACCOUNTS = "/2010-04-01/Accounts"
MAX_PAGE_SIZE = 1000
DEFAULT_PAGE_SIZE = 50
_PAGING = ("PageSize", "Page", "PageToken")

Body = dict[str, Any]
T = TypeVar("T")


class Refused(Exception):
    """A request that Twilio answers with an error body; `code` is from its error dictionary."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def page(request: Request, key: str, items: Sequence[T], body: Callable[[T], Body]) -> Body:
    """One page of a listing in the envelope of 2010-04-01; its addresses are relative."""
    size, index, shown = _cut(request, items)
    start = index * size
    return {
        "first_page_uri": _address(request, size, 0, token=False),
        "end": max(start + len(shown) - 1, start),
        "previous_page_uri": _address(request, size, index - 1) if index else None,
        key: [body(item) for item in shown],
        "uri": _address(request, size, index, token=False),
        "page_size": size,
        "start": start,
        "next_page_uri": (
            _address(request, size, index + 1) if start + size < len(items) else None
        ),
        "page": index,
    }


def meta_page(request: Request, key: str, items: Sequence[T], body: Callable[[T], Body]) -> Body:
    """One page in the envelope of the v1 APIs; its addresses are absolute."""
    size, index, shown = _cut(request, items)
    origin = f"{request.url.scheme}://{request.url.netloc}"
    more = (index + 1) * size < len(items)
    return {
        key: [body(item) for item in shown],
        "meta": {
            "first_page_url": origin + _address(request, size, 0, token=False),
            "key": key,
            "next_page_url": origin + _address(request, size, index + 1) if more else None,
            "page": index,
            "page_size": size,
            "previous_page_url": origin + _address(request, size, index - 1) if index else None,
            "url": origin + _address(request, size, index, token=False),
        },
    }


def _cut(request: Request, items: Sequence[T]) -> tuple[int, int, Sequence[T]]:
    """Size of the page, its index and what is on it."""
    size = _whole_number(request, "PageSize", DEFAULT_PAGE_SIZE)
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise Refused(400, 20007, f"Page size must be from 1 to {MAX_PAGE_SIZE}")
    index = _page_index(request)
    return size, index, items[index * size : (index + 1) * size]


def _address(request: Request, size: int, index: int, *, token: bool = True) -> str:
    filters = [(k, v) for k, v in request.query_params.multi_items() if k not in _PAGING]
    paging: list[tuple[str, str | int]] = [("PageSize", size), ("Page", index)]
    if token:
        paging.append(("PageToken", _token(index)))
    return f"{request.url.path}?{urlencode([*filters, *paging])}"


def _page_index(request: Request) -> int:
    """The token decides where it is given; `Page` alone is taken at its word."""
    page = _whole_number(request, "Page", 0)
    token = request.query_params.get("PageToken")
    if token is not None and token != _token(page):
        raise Refused(400, 21481, "Invalid PageToken")
    return page


def _token(page: int) -> str:
    return f"AP{b64encode(str(page).encode()).decode()}"


def _whole_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refused(400, 20001, f"Invalid {name}: {text}")
    return int(text)


def rfc_2822(moment: date) -> str:
    """A moment; a day stands for 8 o'clock."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(8), UTC)
    return format_datetime(moment)


def iso_8601(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def not_found(request: Request) -> Refused:
    return Refused(404, 20404, f"The requested resource {request.url.path} was not found")


def answer(body: Body, status: int = 200) -> Response:
    headers = {
        "Twilio-Concurrent-Requests": "1",
        "Twilio-Request-Duration": "0.080",
        "Twilio-Request-Id": f"RQ{uuid4().hex}",
        "X-Home-Region": "us1",
        "X-Api-Domain": "api.twilio.com",
    }
    return JSONResponse(body, status, headers)


def _error(status: int, code: int, message: str) -> Response:
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more_info, "status": status}
    return answer(body, status)


async def refusal(_request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return _error(refused.status, refused.code, refused.message)


async def no_such_route(request: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405, in Twilio's words."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return _error(405, 20004, "Method not allowed")
    missing = not_found(request)
    return _error(missing.status, missing.code, missing.message)
