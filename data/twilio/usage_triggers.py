"""Usage triggers of an account: thresholds set at Twilio.  They are read and never changed."""

from collections.abc import Iterator

from data.twilio.client import TwilioClient
from data.twilio.listing import moment, number, rows, word
from data.twilio.reading import KnownAccount, Reading, Resource
from data.twilio.service_intake import TwilioTrigger, WindowRead, replace_triggers

NAME = "usage_triggers"
NEEDED = ("sid", "usage_category", "trigger_value")


def list_triggers(client: TwilioClient, sid: str) -> Iterator[TwilioTrigger]:
    path = f"Accounts/{sid}/Usage/Triggers.json"
    for body in rows(client, sid, path, "usage_triggers", needs=NEEDED):
        yield TwilioTrigger(
            sid=str(body["sid"]),
            name=str(body.get("friendly_name") or ""),
            category=word(body, "usage_category"),
            trigger_by=word(body, "trigger_by", "usage"),  # what Twilio does where none is named
            trigger_value=number(body, "trigger_value"),
            current_value=number(body, "current_value"),
            recurring=word(body, "recurring") if body.get("recurring") else None,
            fired_at=moment(body["date_fired"]) if body.get("date_fired") else None,
        )


def read_triggers(reading: Reading, account: KnownAccount) -> int:
    triggers = list(list_triggers(reading.client(account), account.sid))
    window = WindowRead(NAME, reading.today, reading.today, reading.clock(), reading.lease)
    return replace_triggers(reading.scope, account.sid, window, triggers)


USAGE_TRIGGERS = Resource(NAME, read_triggers)
