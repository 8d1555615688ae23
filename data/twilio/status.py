"""Incidents of Twilio's status page (Atlassian Statuspage, API v2), which is open to everyone.

No credentials are sent there, and whatever goes wrong is logged: incidents never fail a sync.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from data.errors import TwilioError
from data.twilio.listing import moment, word
from data.twilio.reading import Reading
from data.twilio.service_intake import TwilioIncident, store_incidents

log = structlog.get_logger(__name__)


def incidents(reading: Reading) -> int:
    """Store the latest incidents, and say how many; 0 where the page does not answer."""
    page = reading.transport.public("status", "/api/v2/incidents.json")
    listed = (page or {}).get("incidents")
    if not isinstance(listed, list):
        return 0
    return store_incidents(reading.scope, _incidents(listed))


def _incidents(listed: list[Any]) -> Iterator[TwilioIncident]:
    for body in listed:
        incident = _incident(body) if isinstance(body, dict) else None
        if incident is None:
            log.warning("twilio.incident_unreadable")
        else:
            yield incident


def _incident(body: Mapping[str, Any]) -> TwilioIncident | None:
    started_at = body.get("started_at") or body.get("created_at")
    if not body.get("id") or not started_at:
        return None
    try:
        return TwilioIncident(
            sid=str(body["id"]),
            name=str(body.get("name") or "Incident"),
            impact=word(body, "impact", "none"),
            status=word(body, "status"),
            started_at=moment(started_at),
            resolved_at=moment(body["resolved_at"]) if body.get("resolved_at") else None,
            components=tuple(_names(body.get("components"))),
            url=_address(body.get("shortlink")),
        )
    except TwilioError:
        return None


def _names(components: object) -> Iterator[str]:
    for one in components if isinstance(components, list) else ():
        if isinstance(one, dict) and one.get("name"):
            yield str(one["name"])


def _address(link: object) -> str:
    """A page may make a link of it: nothing but a web address will do."""
    text = str(link or "")
    return text if text.startswith("https://") else ""
