"""What is logged, and what never is: lines on stderr, JSON unless someone is watching."""

import logging
import re
import sys
from typing import Any

import structlog

SECRET_WORDS = re.compile("secret|token|cookie|password|authorization", re.IGNORECASE)


def set_up_logs(*, quiet: bool = False) -> None:
    """`quiet`: only what someone at a terminal has to act on."""
    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_secrets,
            *([] if watched else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.ERROR if quiet and watched else logging.INFO
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def without_secrets(_: Any, __: str, event: Any) -> Any:
    return {key: "…" if SECRET_WORDS.search(key) else value for key, value in event.items()}
