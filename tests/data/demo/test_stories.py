"""Each customer's story holds on any seed and any day: a demo must not depend on luck."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
import yaml

from data.demo.cast import CreditPurchase, Customer
from data.demo.world import AUTH_TOKEN, PARENT_SID, PLANS_DIR, World, customers_yaml
from data.periods import DAY, days_between, period_of, previous_period

TODAYS = [
    date(2024, 2, 29),
    date(2026, 1, 1),
    date(2026, 3, 1),
    date(2026, 3, 31),
    date(2026, 7, 15),
    date(2026, 11, 21),
    date(2027, 1, 13),
    date(2028, 2, 29),
]


@pytest.fixture(
    scope="module",
    params=list(product(range(1, 6), TODAYS)),
    ids=lambda case: f"seed {case[0]} on {case[1]}",
)
def world(request: pytest.FixtureRequest) -> World:
    return World(*request.param)


def customer(world: World, slug: str) -> Customer:
    return next(each for each in world.customers if each.slug == slug)


def segments(world: World, slug: str, start: date, end: date) -> int:
    sids = [account.sid for account in customer(world, slug).accounts]
    tallies = world.usage_between(sids, start, end)
    return int(tallies["sms"].usage) if "sms" in tallies else 0


def whole_months(world: World, slug: str) -> list[int]:
    """Segments of the last twelve whole months that have settled."""
    months = []
    period = previous_period(period_of(world.today - 2 * DAY))
    for _ in range(12):
        months.append(segments(world, slug, period.start, period.end))
        period = previous_period(period)
    return months


@pytest.mark.parametrize(
    ("slug", "low", "high"),
    [
        ("cedar-logistics", 30_000, 45_000),
        ("dune-travel", 25_000, 40_640),  # of which 640 were counted late
        ("fjord-optik", 150, 220),
        ("birch-bakery", 260, 300),
        ("elm-fitness", 590, 630),
        ("iris-studio", 500, 800),
    ],
)
def test_every_month_keeps_to_the_customers_size(world, slug, low, high):
    months = whole_months(world, slug)
    assert low <= min(months) <= max(months) <= high


def test_dune_has_days_of_several_times_its_normal_day(world):
    days = [
        segments(world, "dune-travel", day, day + DAY)
        for day in days_between(world.today - timedelta(days=90), world.today)
    ]
    assert max(days) > 4 * sorted(days)[len(days) // 2]


def test_some_of_dunes_messages_of_two_months_ago_were_counted_five_days_ago(world):
    sid = customer(world, "dune-travel").accounts[0].sid
    (late,) = customer(world, "dune-travel").accounts[0].corrections
    known = {
        days_ago: segments(
            replace(world, seen_on=world.today - days_ago * DAY),
            "dune-travel",
            late.day,
            late.day + DAY,
        )
        for days_ago in (12, 6, 5, 0)
    }
    assert known[12] == known[6] == known[5] - 640 == known[0] - 640
    month = period_of(late.day)
    assert previous_period(previous_period(period_of(world.today))) == month
    assert world.accounts[sid].is_open(late.day)


def test_fjord_outgrew_its_small_bundle_last_month(world):
    fjord = customer(world, "fjord-optik")
    changed = fjord.plan_since
    assert fjord.plans_before == (("sms-tiers-eur-small", world.first_day),)
    assert (changed.day, period_of(changed)) == (12, previous_period(period_of(world.today)))
    plans = yaml.safe_load(customers_yaml(world))["customers"][2]["plans"]
    assert [plan["plan"] for plan in plans] == ["sms-tiers-eur-small", "sms-tiers-eur"]


def test_birch_is_in_overage_from_the_fifteenth_of_every_month(world):
    month = period_of(world.today)
    for _ in range(13):
        on_the_15th = segments(world, "birch-bakery", month.start, month.start + 15 * DAY)
        assert on_the_15th > 100 or world.today < month.start + 14 * DAY
        month = previous_period(month)


def test_birch_still_has_allowance_after_a_week(world):
    month = previous_period(period_of(world.today - 2 * DAY))
    assert segments(world, "birch-bakery", month.start, month.start + 7 * DAY) < 100


def segments_of(lot: CreditPurchase) -> int:
    return {"large": 1500, "small": 500}[lot.pack] * lot.quantity


def burnt_down(world: World, through: date, pace: int) -> dict[CreditPurchase, int]:
    """What each of Elm's lots has left; days after today at a fixed pace, earliest expiry first."""
    elm = customer(world, "elm-fitness")
    left = {lot: segments_of(lot) for lot in sorted(elm.credits, key=lambda lot: lot.expires_on)}
    for day in days_between(world.first_day, through + DAY):
        due = segments(world, "elm-fitness", day, day + DAY) if day <= world.today else pace
        for lot in left:
            if lot.bought_on <= day < lot.expires_on:
                drawn = min(due, left[lot])
                left[lot] -= drawn
                due -= drawn
        assert due == 0, f"{due} segments on {day} have no credits"
    return left


def test_elms_expiring_lot_has_something_left_when_it_expires(world):
    expiring, waiting = sorted(
        customer(world, "elm-fitness").credits, key=lambda lot: lot.expires_on
    )[-2:]
    assert expiring.pack == "large"
    assert (expiring.expires_on - world.today).days == 9
    assert waiting.pack == "small"
    assert (waiting.expires_on - world.today).days > 90
    assert burnt_down(world, world.today, pace=0)[expiring] > 150
    at_expiry = burnt_down(world, expiring.expires_on - DAY, pace=21)
    assert at_expiry[expiring] > 15
    assert at_expiry[waiting] == 500


def test_grove_signed_up_twelve_days_ago_but_never_on_a_first(world):
    account = customer(world, "grove-vets").accounts[0]
    assert account.opened_on.day != 1
    assert 11 <= (world.today - account.opened_on).days <= 13
    assert segments(world, "grove-vets", world.first_day, account.opened_on) == 0
    assert 40 < segments(world, "grove-vets", account.opened_on, world.today + DAY) < 200


def test_harbor_is_silent_after_closing(world):
    account = customer(world, "harbor-events").accounts[0]
    assert account.status == "closed"
    assert account.closed_on == world.today - timedelta(days=42)
    closing = account.closed_on + DAY
    assert segments(world, "harbor-events", closing - 7 * DAY, closing) > 0
    assert world.usage_between([account.sid], closing, world.today + DAY) == {}


def test_iris_is_connected_and_not_one_of_the_isvs_subaccounts(world):
    iris = customer(world, "iris-studio")
    assert iris.plan is None
    assert iris.accounts[0].kind == "connected"
    assert iris.accounts[0].sid not in world.subaccount_sids
    assert iris.accounts[0].owner_sid not in (PARENT_SID, iris.accounts[0].sid)


def test_the_customers_file_says_who_has_which_accounts_plans_and_credits(world):
    text = customers_yaml(world)
    content = yaml.safe_load(text)
    entries = {entry["slug"]: entry for entry in content["customers"]}
    assert content["cost_currency"] == "USD"
    assert list(entries) == [each.slug for each in world.customers]
    assert len({entry["external_id"] for entry in entries.values()}) == 8
    assert all(entry["email"].endswith(".example") for entry in entries.values())
    assert [a["application"] for a in entries["cedar-logistics"]["accounts"]] == [
        "Dispatch",
        "Driver App",
        "Support Line",
    ]
    assert entries["iris-studio"]["accounts"][0]["kind"] == "connected"
    assert "plans" not in entries["iris-studio"]
    closed_on = customer(world, "harbor-events").accounts[0].closed_on
    assert entries["harbor-events"]["plans"][0]["to"] == closed_on + DAY
    assert all(isinstance(a["from"], date) for e in entries.values() for a in e["accounts"])
    credits = entries["elm-fitness"]["credits"]
    assert len({credit["key"] for credit in credits}) == len(credits) == 8
    assert any(credit.get("quantity") == 3 for credit in credits)
    assert AUTH_TOKEN not in text
    assert "&id" not in text


def test_every_plan_that_a_customer_is_or_was_on_has_a_file_and_every_file_a_customer(world):
    files = {path.stem: yaml.safe_load(path.read_text()) for path in PLANS_DIR.glob("*.yaml")}
    agreed = {name for each in world.customers for name, _ in each.plans_before}
    agreed |= {each.plan for each in world.customers if each.plan}
    assert agreed == set(files)
    assert all(plan["plan"] == stem and plan["version"] == 1 for stem, plan in files.items())
    euro = [plan for plan in files.values() if plan["currency"] == "EUR"]
    assert [plan["tax"] for plan in euro] == [{"name": "VAT", "rate": "0.25"}] * 2
    assert not any("margin" in plan["name"].lower() for plan in files.values())


@pytest.mark.parametrize("path", sorted(PLANS_DIR.glob("*.yaml")), ids=lambda path: path.stem)
def test_money_in_plan_files_is_text(path):
    """A float would already be another number."""

    def has_float(value: object) -> bool:
        if isinstance(value, dict):
            value = list(value.values())
        return any(map(has_float, value)) if isinstance(value, list) else isinstance(value, float)

    assert not has_float(yaml.safe_load(path.read_text()))
