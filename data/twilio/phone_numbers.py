"""Phone numbers that an account holds: what staff find a customer by."""

from collections.abc import Iterator

from data.twilio.client import TwilioClient
from data.twilio.listing import rows
from data.twilio.reading import KnownAccount, Reading, Resource
from data.twilio.service_intake import TwilioNumber, WindowRead, replace_numbers

NAME = "phone_numbers"


def list_numbers(client: TwilioClient, sid: str) -> Iterator[TwilioNumber]:
    path = f"Accounts/{sid}/IncomingPhoneNumbers.json"
    for body in rows(client, sid, path, "incoming_phone_numbers", needs=("sid", "phone_number")):
        name = str(body.get("friendly_name") or "")
        yield TwilioNumber(str(body["sid"]), str(body["phone_number"]), name)


def read_numbers(reading: Reading, account: KnownAccount) -> int:
    numbers = list(list_numbers(reading.client(account), account.sid))
    window = WindowRead(NAME, reading.today, reading.today, reading.clock(), reading.lease)
    return replace_numbers(reading.scope, account.sid, window, numbers)


PHONE_NUMBERS = Resource(NAME, read_numbers)
