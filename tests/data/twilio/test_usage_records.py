"""Usage rows as Twilio sends them, and as we take them in."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest
from starlette.responses import Response

from data.errors import TwilioError
from data.twilio.accounts import list_accounts
from data.twilio.client import Credentials, Transport
from data.twilio.usage_records import daily_usage
from tests.servers import PARENT, TOKEN, Canned, account_body, page, serving, usage_body
from tests.stores import ACME_SID, BETA_SID

DAY = date(2026, 3, 1)


def client(base):
    return Transport({"api": base}, attempts=1, timeout=5).client(Credentials(PARENT, TOKEN))


def read(*bodies, first=DAY, last=DAY, **options):
    """The rows made of these bodies, and what was asked."""
    canned = Canned([page("usage_records", bodies)])
    with serving(canned.app) as base:
        one = client(base)
        found = daily_usage(one, ACME_SID, first, last, **options)
    return list(found.rows.values()), canned.asked


def row(**figures):
    (found,), _ = read(usage_body(ACME_SID, "2026-03-01", **figures))
    return found


def test_a_subaccount_is_read_by_its_sid_without_those_below_it():
    _, asked = read(last=date(2026, 3, 9), category="totalprice")
    assert asked == [
        (
            f"/2010-04-01/Accounts/{ACME_SID}/Usage/Records/Daily.json",
            {
                "StartDate": "2026-03-01",
                "EndDate": "2026-03-09",
                "IncludeSubaccounts": "false",
                "Category": "totalprice",
                "PageSize": "1000",
            },
        )
    ]


@pytest.mark.parametrize(
    ("field", "sent", "taken"),
    [
        pytest.param("price", "2192.84855", D("2192.84855"), id="price as text"),
        pytest.param("price", "-0.0075", D("-0.0075"), id="a credit"),
        pytest.param("price", "0", D(0), id="zero"),
        pytest.param("price", None, None, id="no price"),
        pytest.param("price", "", None, id="an empty price"),
        pytest.param("count", None, None, id="no count"),
        pytest.param("usage", "12.5", D("12.5"), id="part of a unit"),
        pytest.param("usage", None, None, id="no usage"),
    ],
)
def test_a_figure_is_taken_exactly(field, sent, taken):
    ours = "cost" if field == "price" else field
    assert getattr(row(**{field: sent}), ours) == taken


def test_a_price_without_quotes_is_exact():
    text = (
        f'{{"usage_records": [{{"account_sid": "{ACME_SID}", "category": "sms", '
        '"start_date": "2026-03-01", "price": 0.00749}]}'
    )
    canned = Canned([Response(text, media_type="application/json")])
    with serving(canned.app) as base:
        one = client(base)
        found = daily_usage(one, ACME_SID, DAY, DAY)
    assert [row.cost for row in found.rows.values()] == [D("0.00749")]


def test_an_unknown_category_is_kept():
    assert row(category="moon-calls").category == "moon-calls"


def test_a_category_is_kept_in_lower_case():
    assert row(category="Usage-RCS-Messages").category == "usage-rcs-messages"


def test_a_currency_is_kept_in_upper_case():
    assert row(price_unit="eur").cost_currency == "EUR"


def test_no_currency_is_dollars():
    assert row(price_unit=None).cost_currency == "USD"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        pytest.param("2026-03-01T09:30:00+00:00", 9, id="in UTC"),
        pytest.param("2026-03-01T09:30:00+02:00", 7, id="in another zone"),
        pytest.param("2026-03-01T09:30:00", 9, id="without a zone"),
    ],
)
def test_as_of_is_a_moment(sent, taken):
    assert row(as_of=sent).as_of == datetime(2026, 3, 1, taken, 30, tzinfo=UTC)


def test_as_of_may_be_missing():
    assert row(as_of=None).as_of is None


@pytest.mark.parametrize(
    "figures",
    [{"category": None}, {"category": ""}, {"start_date": None}],
    ids=["no category", "an empty category", "no day"],
)
def test_a_row_without_a_place_is_left_out(figures):
    assert read(usage_body(ACME_SID, "2026-03-01", **figures))[0] == []


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({"price": "much"}, id="a price that is no number"),
        pytest.param({"price": "NaN"}, id="not a number at all"),
        pytest.param({"price": "1e400"}, id="a price out of proportion"),
        pytest.param({"price": [1]}, id="a list of prices"),
        pytest.param({"start_date": "March"}, id="a day that is none"),
        pytest.param({"price_unit": "gold"}, id="a currency unknown"),
        pytest.param({"price_unit": 7}, id="a currency that is a number"),
        pytest.param({"as_of": "now"}, id="a moment that is none"),
        pytest.param({"as_of": 7}, id="a moment that is a number"),
    ],
)
def test_a_row_that_cannot_be_read_is_an_error_of_twilio(figures):
    with pytest.raises(TwilioError, match="usage record of Twilio"):
        row(**figures)


def test_a_row_of_another_account_is_refused():
    with pytest.raises(TwilioError, match=f"a usage row of {BETA_SID} in the listing of"):
        read(usage_body(BETA_SID, "2026-03-01"))


@pytest.mark.parametrize("day", ["2026-02-28", "2026-03-02"], ids=["before", "after"])
def test_a_day_that_was_not_asked_for_is_refused(day):
    with pytest.raises(TwilioError, match=f"sent {day} to {day} when asked for"):
        read(usage_body(ACME_SID, day))


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        pytest.param({"count": "0", "usage": "0", "price": "0"}, False, id="zeros"),
        pytest.param({"count": None, "usage": None, "price": None}, False, id="nothing"),
        pytest.param({"count": "0", "usage": "0", "price": "-0.01"}, True, id="a credit alone"),
        pytest.param({"count": "1", "usage": "0", "price": "0"}, True, id="an event alone"),
    ],
)
def test_only_rows_that_say_something_are_kept(figures, said):
    assert bool(read(usage_body(ACME_SID, "2026-03-01", **figures))[0]) is said


def accounts(*bodies):
    with serving(Canned([page("accounts", bodies)]).app) as base:
        return list(list_accounts(client(base)))


def test_an_account_is_taken_without_its_token():
    (found,) = accounts(account_body(ACME_SID, "suspended"))
    assert (found.sid, found.status, "secret" in repr(found)) == (ACME_SID, "suspended", False)


def test_the_parent_owns_itself():
    found = accounts(account_body(PARENT), account_body(ACME_SID))
    assert [one.is_parent for one in found] == [True, False]


def test_an_account_without_sid_is_left_out():
    assert accounts({**account_body(ACME_SID), "sid": None}) == []


def test_an_account_of_nulls_is_taken_by_its_sid():
    (found,) = accounts(
        {"sid": ACME_SID, "friendly_name": None, "status": None, "owner_account_sid": None}
    )
    assert (found.name, found.status) == (ACME_SID, "active")
