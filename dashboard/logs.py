"""What is logged, and what never is: lines on stderr, JSON unless someone is watching."""

import logging
import re
import sys
from typing import Any

import structlog

from data.errors import AppError, ScopeViolation

log = structlog.get_logger()

SECRET_WORDS = re.compile("secret|token|cookie|password|authorization", re.IGNORECASE)


def set_up_logs() -> None:
    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_secrets,
            *([] if watched else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("uvicorn.access").addFilter(without_query)
    # Pages are imported before the runtime is there; it matters only when a cache is first used.
    for kind in ("data", "resource"):
        caches = logging.getLogger(f"streamlit.runtime.caching.cache_{kind}_api")
        caches.addFilter(lambda line: not line.getMessage().startswith("No runtime found"))


def without_secrets(_: Any, __: str, event: Any) -> Any:
    return {key: "…" if SECRET_WORDS.search(key) else value for key, value in event.items()}


def without_query(line: logging.LogRecord) -> bool:
    """An access log would keep the secret of every sign-in link."""
    if isinstance(line.args, tuple):
        line.args = tuple(
            arg.partition("?")[0] if isinstance(arg, str) and arg.startswith("/") else arg
            for arg in line.args
        )
    return True


def record(error: Exception) -> None:
    """Errors to the log: our own bugs with their stack, expected ones with their code."""
    if isinstance(error, ScopeViolation):
        log.critical("scope violation", exc_info=error)
    elif isinstance(error, AppError) and error.status != AppError.status:
        log.info("request failed", code=error.code, status=error.status)
    else:
        log.error("unexpected error", exc_info=error)
