"""The emulated endpoints beside usage: triggers, numbers, message and call logs, alerts, incidents.

Alerts are those of the caller's own account, whoever it is the parent of; incidents are open to
everyone.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data.demo.answers import (
    ACCOUNTS,
    Body,
    Refused,
    answer,
    iso_8601,
    meta_page,
    page,
    rfc_2822,
)
from data.demo.callers import Callers
from data.demo.records import KEPT_DAYS, Number, Record, numbers, records
from data.demo.service import ALERT_DAYS, Alert, Incident, Trigger, alerts, incidents, triggers
from data.demo.world import World
from data.money import plain
from data.periods import DAY

STATUS_PAGE = "demo-status"
_MESSAGE_PARTS = ("media", "feedback")
_CALL_PARTS = (
    "notifications recordings payments events siprec streams transcriptions "
    "user_defined_message_subscriptions user_defined_messages"
).split()


def service_routes(world: World, callers: Callers) -> list[Route]:
    api = _ServiceApi(world, callers)
    return [
        Route(f"{ACCOUNTS}/{{sid}}/Usage/Triggers.json", api.triggers),
        Route(f"{ACCOUNTS}/{{sid}}/IncomingPhoneNumbers.json", api.numbers),
        Route(f"{ACCOUNTS}/{{sid}}/Messages.json", api.messages),
        Route(f"{ACCOUNTS}/{{sid}}/Calls.json", api.calls),
        Route("/v1/Alerts", api.alerts),
        Route("/api/v2/incidents.json", api.incidents),
    ]


class _ServiceApi:
    def __init__(self, world: World, callers: Callers) -> None:
        self.world, self.callers = world, callers

    async def triggers(self, request: Request) -> Response:
        sid, asked = self.callers.account(request).sid, request.query_params
        wanted = [
            one
            for one in triggers(self.world, sid)
            if asked.get("Recurring", one.recurring) == one.recurring
            and asked.get("TriggerBy", one.trigger_by) == one.trigger_by
            and asked.get("UsageCategory", one.category).lower() == one.category
        ]
        return answer(page(request, "usage_triggers", wanted, lambda one: _trigger(sid, one)))

    async def numbers(self, request: Request) -> Response:
        account = self.callers.account(request)
        own = numbers(self.world, account.sid) if account.closed_on is None else ()
        made_on = max(account.opened_on, self.world.first_day)

        def body(one: Number) -> Body:
            return _number(account.sid, one, made_on)

        return answer(page(request, "incoming_phone_numbers", own, body))

    async def messages(self, request: Request) -> Response:
        sid, found = self._records(request, "messages", "DateSent")
        return answer(page(request, "messages", found, lambda one: _message(sid, one)))

    async def calls(self, request: Request) -> Response:
        sid, found = self._records(request, "calls", "StartTime")
        status = request.query_params.get("Status")
        found = [one for one in found if status in (None, one.status)]
        return answer(page(request, "calls", found, lambda one: _call(sid, one)))

    def _records(self, request: Request, kind: str, name: str) -> tuple[str, list[Record]]:
        """The account's records that the request asks for; a bound is a moment and included."""
        sid, asked = self.callers.account(request).sid, request.query_params
        today = self.world.counted_on
        start = _moment(asked.get(f"{name}>"), f"{name}>") or _midnight(today - KEPT_DAYS * DAY)
        end = _moment(asked.get(f"{name}<"), f"{name}<") or _midnight(today + DAY)
        if on := _moment(asked.get(name), name):
            start, end = _midnight(on.date()), _midnight(on.date()) + DAY - timedelta(seconds=1)
        found = [
            one
            for one in records(self.world, sid, kind, start.date(), end.date())
            if start <= one.at <= end
            and asked.get("From", one.ends[0]) == one.ends[0]
            and asked.get("To", one.ends[1]) == one.ends[1]
        ]
        return sid, found

    async def alerts(self, request: Request) -> Response:
        account, asked = self.callers.caller(request).account, request.query_params
        now = _midnight(self.world.counted_on + DAY)
        oldest = now - (ALERT_DAYS + 1) * DAY
        start = _moment(asked.get("StartDate"), "StartDate") or oldest
        end = _moment(asked.get("EndDate"), "EndDate") or now
        if start < oldest:
            raise Refused(400, 20001, f"StartDate is more than {ALERT_DAYS} days ago")
        found = [
            one
            for one in alerts(self.world, account.sid, start, end)
            if asked.get("LogLevel", one.level) == one.level
        ]
        return answer(meta_page(request, "alerts", found, lambda one: _alert(account.sid, one)))

    async def incidents(self, request: Request) -> Response:
        now = iso_8601(_midnight(self.world.counted_on))
        about = {"id": STATUS_PAGE, "name": "Twilio", "time_zone": "Etc/UTC", "updated_at": now}
        listed = [_incident(one) for one in incidents(self.world)]
        return answer({"page": about, "incidents": listed})


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _moment(text: str | None, name: str) -> datetime | None:
    """A day, which is its first second, or a moment; UTC where it names no zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, 20001, f"Invalid {name}: {text}") from None
    return found.replace(tzinfo=found.tzinfo or UTC)


def _trigger(sid: str, one: Trigger) -> Body:
    root = f"{ACCOUNTS}/{sid}/Usage"
    subresource = {"monthly": "/ThisMonth", "daily": "/Today"}[one.recurring]
    fired_at = _midnight(one.fired_on) + timedelta(hours=9) if one.fired_on else None
    return {
        "account_sid": sid,
        "api_version": "2010-04-01",
        "callback_method": "POST",
        "callback_url": "https://owl.example/twilio/usage",
        "current_value": plain(one.current),
        "date_created": rfc_2822(one.made_on),
        "date_fired": rfc_2822(fired_at) if fired_at else None,
        "date_updated": rfc_2822(fired_at or one.made_on),
        "friendly_name": one.name,
        "recurring": one.recurring,
        "sid": one.sid,
        "trigger_by": one.trigger_by,
        "trigger_value": f"{one.value:.6f}",
        "uri": f"{root}/Triggers/{one.sid}.json",
        "usage_category": one.category,
        "usage_record_uri": f"{root}/Records{subresource}.json?Category={one.category}",
    }


def _number(sid: str, one: Number, made_on: date) -> Body:
    return {
        "account_sid": sid,
        "address_requirements": "none",
        "address_sid": None,
        "api_version": "2010-04-01",
        "beta": False,
        "bundle_sid": None,
        "capabilities": {"fax": False, "mms": True, "sms": True, "voice": True},
        "date_created": rfc_2822(made_on),
        "date_updated": rfc_2822(made_on),
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "friendly_name": one.name,
        "identity_sid": None,
        "origin": "twilio",
        "phone_number": one.number,
        "sid": one.sid,
        "sms_application_sid": "",
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status": "in-use",
        "status_callback": "",
        "status_callback_method": "POST",
        "subresource_uris": {},
        "trunk_sid": None,
        "type": "local",
        "uri": f"{ACCOUNTS}/{sid}/IncomingPhoneNumbers/{one.sid}.json",
        "voice_application_sid": "",
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": None,
        "voice_method": "POST",
        "voice_receive_mode": "voice",
        "voice_url": None,
    }


def _price(price: Decimal | None) -> str | None:
    """What was charged, as a negative number with five places."""
    return None if price is None else f"{-price:.5f}"


def _parts(root: str, names: list[str] | tuple[str, ...]) -> dict[str, Any]:
    return {name: f"{root}/{name.title().replace('_', '')}.json" for name in names}


def _message(sid: str, one: Record) -> Body:
    root, (sender, receiver) = f"{ACCOUNTS}/{sid}/Messages/{one.sid}", one.ends
    return {
        "account_sid": sid,
        "api_version": "2010-04-01",
        "body": f"Demo message {one.sid[-4:]}",
        "date_created": rfc_2822(one.at),
        "date_sent": rfc_2822(one.at),
        "date_updated": rfc_2822(one.at),
        "direction": one.direction,
        "error_code": one.error_code,
        "error_message": "Not delivered" if one.error_code else None,
        "from": sender,
        "messaging_service_sid": None,
        "num_media": str(one.media),
        "num_segments": str(one.units),
        "price": _price(one.price),
        "price_unit": "USD",
        "sid": one.sid,
        "status": one.status,
        "subresource_uris": _parts(root, _MESSAGE_PARTS),
        "to": receiver,
        "uri": f"{root}.json",
    }


def _call(sid: str, one: Record) -> Body:
    root, (caller, called) = f"{ACCOUNTS}/{sid}/Calls/{one.sid}", one.ends
    return {
        "account_sid": sid,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": rfc_2822(one.at),
        "date_updated": rfc_2822(one.at + timedelta(seconds=one.seconds)),
        "direction": one.direction,
        "duration": str(one.seconds),
        "end_time": rfc_2822(one.at + timedelta(seconds=one.seconds)),
        "forwarded_from": None,
        "from": caller,
        "from_formatted": caller,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": _price(one.price),
        "price_unit": "USD",
        "queue_time": "0",
        "sid": one.sid,
        "start_time": rfc_2822(one.at),
        "status": one.status,
        "subresource_uris": _parts(root, _CALL_PARTS),
        "to": called,
        "to_formatted": called,
        "trunk_sid": None,
        "uri": f"{root}.json",
    }


def _alert(sid: str, one: Alert) -> Body:
    return {
        "account_sid": sid,
        "alert_text": f"ErrorCode={one.code}&LogLevel={one.level.upper()}&Msg=Demo",
        "api_version": "2010-04-01",
        "date_created": iso_8601(one.at),
        "date_generated": iso_8601(one.at),
        "date_updated": iso_8601(one.at),
        "error_code": str(one.code),
        "log_level": one.level,
        "more_info": f"https://www.twilio.com/docs/errors/{one.code}",
        "request_method": "POST",
        "request_url": "https://owl.example/twilio/webhook",
        "resource_sid": one.resource_sid,
        "service_sid": None,
        "sid": one.sid,
        "url": f"https://monitor.twilio.com/v1/Alerts/{one.sid}",
    }


def _incident(one: Incident) -> Body:
    started_at = iso_8601(one.started_at)
    resolved_at = iso_8601(one.resolved_at) if one.resolved_at else None
    return {
        "components": [{"id": one.component.lower(), "name": one.component}],
        "created_at": started_at,
        "id": one.sid,
        "impact": one.impact,
        "incident_updates": [],
        "monitoring_at": resolved_at or started_at,
        "name": one.name,
        "page_id": STATUS_PAGE,
        "resolved_at": resolved_at,
        "shortlink": f"https://status.example/{one.sid}",
        "started_at": started_at,
        "status": one.status,
        "updated_at": resolved_at or started_at,
    }
