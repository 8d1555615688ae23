"""Secrets do not reach the logs, neither ours nor the server's access log."""

import logging

from dashboard.logs import without_query
from data.logs import without_secrets


def test_the_secret_of_a_link_is_not_in_the_access_log():
    args = ("127.0.0.1:5", "GET", "/auth/link?token=abc", "1.1", 200)
    line = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', args, None
    )
    assert without_query(line)
    assert line.getMessage() == '127.0.0.1:5 - "GET /auth/link HTTP/1.1" 200'


def test_values_with_telling_names_are_left_out():
    event = {"event": "x", "auth_token": "abc", "Cookie": "abc", "status": 403}
    assert without_secrets(None, "", event) == {
        "event": "x",
        "auth_token": "…",
        "Cookie": "…",
        "status": 403,
    }
