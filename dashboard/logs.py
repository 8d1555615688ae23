"""The app's log: data/logs.py, and what uvicorn and Streamlit would say beside it."""

import logging

import structlog

from data import logs
from data.errors import AppError, ScopeViolation

log = structlog.get_logger()


def set_up_logs() -> None:
    logs.set_up_logs()
    logging.getLogger("uvicorn.access").addFilter(without_query)
    # Pages are imported before the runtime is there; it matters only when a cache is first used.
    for kind in ("data", "resource"):
        caches = logging.getLogger(f"streamlit.runtime.caching.cache_{kind}_api")
        caches.addFilter(lambda line: not line.getMessage().startswith("No runtime found"))


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
