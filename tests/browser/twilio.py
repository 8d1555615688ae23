"""What the demo's Twilio API says, asked directly, and plan terms worked out in a few lines.

Nothing of the product's is used here: these numbers are what its pages must show.
"""

import base64
import json
import urllib.request
from decimal import Decimal as D

ACCOUNT = "demo-token-that-opens-nothing-real"
FIRST, TODAY = "2026-11-01", "2026-11-21"


def ask(api: str, path: str, sid: str) -> dict:
    token = base64.b64encode(f"{sid}:{ACCOUNT}".encode()).decode()
    request = urllib.request.Request(f"{api}{path}", headers={"Authorization": f"Basic {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def accounts(api: str, parent: str) -> dict[str, str]:
    """SID by name."""
    found = ask(api, "/2010-04-01/Accounts.json?PageSize=1000", parent)["accounts"]
    return {one["friendly_name"]: one["sid"] for one in found}


def used(api: str, parent: str, sid: str, category: str, field: str = "usage") -> D:
    """The sum of the days of this month until today."""
    path = f"/2010-04-01/Accounts/{sid}/Usage/Records/Daily.json"
    query = f"?Category={category}&StartDate={FIRST}&EndDate={TODAY}&PageSize=1000"
    return sum((D(day[field]) for day in ask(api, path + query, parent)["usage_records"]), D(0))


def with_overage(units: D, fee: str, included: int, each: str) -> D:
    return D(fee) + max(units - included, D(0)) * D(each)
