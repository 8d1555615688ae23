"""What needs attention: worked out where something changed, ranked, cut and counted."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, delete, update

from data.fleet import (
    Reason,
    Wanted,
    fleet,
    fleet_counts,
    health_of,
    margin_totals,
    margins,
    matching,
)
from data.health import BATCH, refresh_health
from data.models import (
    Account,
    Alert,
    ChangeRequest,
    Customer,
    CustomerHealth,
    PlanVersion,
    Reconciliation,
    Subscription,
)
from data.scope import reading, writing
from tests.bills import agreed, credit_price, overage, tiers
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    credit_row,
    customers,
    on_plan,
    read_on,
    sms_days,
    version,
)

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
JANUARY = date(2026, 1, 1)
BUNDLE = agreed(overage("small"), plan="bundle", name="Bundle")


@pytest.fixture
def two(sqlite_store):
    """Both on a bundle of 100: Acme far beyond it, Beta far below; read today."""
    filled(sqlite_store)
    return sqlite_store


def filled(store):
    store.put(*customers(), version(BUNDLE), on_plan(ACME, BUNDLE), on_plan(BETA, BUNDLE))
    store.put(*sms_days(ACME, JANUARY, [20] * 79), *sms_days(BETA, JANUARY, [1] * 79))
    read_on(store, TODAY)


def refresh(store, **terms):
    given = {"today": TODAY, "now": NOW, "settling_days": 3, **terms}
    return refresh_health(store.owner, **given)


def row(store, owner=ACME, now=NOW):
    return health_of(store.app, [owner], now=now)[owner][0]


def change(store, **values):
    with writing(store.owner) as session:
        session.execute(update(Account).where(col(Account.customer_id) == ACME).values(**values))


def test_a_row_says_what_the_customer_will_pay_and_why_to_look(store):
    filled(store)
    refresh(store)
    acme, beta = row(store), row(store, BETA)
    assert (acme.reasons, beta.reasons) == (Reason.OVERAGE, Reason(0))
    assert (acme.amount, acme.chance, acme.ends) == (D("199.99"), 100, "allowance")
    assert acme.expected_low > acme.amount > beta.amount == D("49.99")
    assert acme.ends_early == acme.ends_late == date(2026, 3, 6)
    assert [one.slug for one in fleet(store.app, now=NOW)] == ["acme", "beta"]


def test_only_what_changed_since_is_worked_out_again(two):
    assert (refresh(two).computed, refresh(two).computed) == (2, 0)
    change(two, synced_at=NOW + timedelta(minutes=1))
    assert (refresh(two).computed, refresh(two, again=True).computed) == (1, 2)
    tomorrow = {"today": TODAY + timedelta(days=1), "now": NOW + timedelta(days=1)}
    assert refresh(two, **tomorrow).computed == 2


def test_what_was_agreed_since_counts_as_a_change(two):
    refresh(two)
    two.put(credit_row(BETA, "gift", JANUARY))
    done = refresh(two)
    assert (done.computed, done.kept) == (1, 1)


def test_one_that_fails_is_said_and_stops_no_other(two):
    refresh(two)
    before = row(two).amount
    with writing(two.owner) as session:
        broken = {"plan": "bundle", "prices": [{"kind": "moon"}]}
        other = PlanVersion(plan="odd", version=1, terms=broken)
        session.add(other)
    two.put(*_change_to_odd())
    done = refresh(two, again=True)
    assert done.failed
    assert row(two).amount == before
    assert row(two).problem


def _change_to_odd():
    odd = agreed(overage("small"), plan="odd", name="Odd")
    yield on_plan(ACME, odd, date(2026, 3, 10))


def test_more_customers_than_a_batch_are_all_worked_out(two):
    many = BATCH + 5
    with writing(two.owner) as session:
        for n in range(1000, 1000 + many):
            session.add(Customer(id=n, slug=f"c{n}", name=f"C{n}"))
            session.flush()
            session.add(Subscription(customer_id=n, key="main", starts_on=JANUARY))
    assert refresh(two).computed == many + 2
    assert matching(two.app, now=NOW, wanted=Wanted()) == many + 2


def test_a_contract_that_is_no_more_leaves_the_list_at_once_and_the_table_with_the_next_run(two):
    refresh(two)
    with writing(two.owner) as session:
        session.execute(delete(Subscription).where(col(Subscription.customer_id) == ACME))
    assert [one.slug for one in fleet(two.app, now=NOW)] == ["beta"]
    assert refresh(two).removed == 1
    with reading(two.owner) as session:
        assert session.get(CustomerHealth, (ACME, "main")) is None


def test_stale_is_judged_when_the_list_is_read(store):
    filled(store)
    refresh(store)
    later = NOW + timedelta(hours=27)
    assert not row(store).reasons & Reason.STALE
    assert row(store, BETA, later).reasons == Reason.STALE
    change(store, status="closed")
    refresh(store)
    assert not row(store, ACME, later).reasons & Reason.STALE


def test_a_failed_reading_is_stale_at_once(two):
    change(two, sync_error="401")
    refresh(two)
    assert row(two).reasons & Reason.STALE
    assert row(two).failing


def test_an_open_request_counts_from_the_moment_it_is_asked(store):
    filled(store)
    refresh(store)
    asked = {"subscription": "main", "kind": "tier", "wanted": "medium", "asked_by": "Anna"}
    store.put(ChangeRequest(customer_id=BETA, asked_at=NOW, **asked))
    store.put(ChangeRequest(customer_id=ACME, asked_at=NOW, status="granted", **asked))
    assert (row(store, BETA).reasons, row(store, BETA).requests) == (Reason.REQUEST, 1)
    assert row(store).requests == 0


def alert(n, day, level="error", owner=ACME):
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Alert(
        customer_id=owner, sid=f"NO{n}", account_sid=ACME_SID, day=day, at=at, code="1", level=level
    )


@pytest.mark.parametrize(
    ("now", "before", "up"), [(9, 0, False), (10, 0, True), (10, 6, False), (12, 6, True)]
)
def test_errors_are_up_when_they_are_many_and_have_doubled(two, now, before, up):
    two.put(*(alert(n, TODAY) for n in range(now)))
    two.put(*(alert(100 + n, TODAY - timedelta(days=7)) for n in range(before)))
    two.put(*(alert(200 + n, TODAY, "warning") for n in range(30)))
    refresh(two)
    assert (row(two).errors, row(two).errors_before) == (now, before)
    assert bool(row(two).reasons & Reason.ERRORS) == up
    assert row(two, BETA).errors == 0


def test_a_month_that_differs_from_twilios_is_a_reason(store):
    filled(store)
    differs = [{"category": "sms", "figure": "usage", "ours": "1", "theirs": "2"}]
    for month, found in ((date(2026, 1, 1), []), (date(2026, 2, 1), differs)):
        figures = dict.fromkeys(("ours", "theirs", "roots"), D(1))
        store.put(
            Reconciliation(
                account_sid=ACME_SID, month=month, checked_at=NOW, differences=found, **figures
            )
        )
    refresh(store)
    assert row(store).differs_in == date(2026, 2, 1)
    assert row(store).reasons == Reason.OVERAGE | Reason.RECONCILIATION
    assert row(store, BETA).differs_in is None


@pytest.mark.parametrize(
    ("credits", "reason"),
    [(340, Reason.RUNS_OUT), (420, Reason.LOW_CREDITS), (5000, Reason(0))],
    ids=["within a week", "within a month", "not in sight"],
)
def test_credits_that_end_soon_are_a_reason(sqlite_store, credits, reason):
    store, plan = sqlite_store, agreed(credit_price(), plan="credits")
    store.put(*customers(), version(plan), on_plan(ACME, plan))
    store.put(credit_row(ACME, "pack", JANUARY, credits=D(credits)))
    store.put(*sms_days(ACME, JANUARY, [20] * 79))
    read_on(store, TODAY)
    refresh(store)
    assert row(store).reasons == reason
    assert row(store).credits_left == credits - D(20 * 79) / 5


def test_a_bundle_without_a_price_beyond_it_runs_out(sqlite_store):
    store, plan = sqlite_store, agreed(tiers("small"), plan="plain")
    store.put(*customers(), version(plan), on_plan(ACME, plan))
    store.put(*sms_days(ACME, JANUARY, [20] * 79))
    read_on(store, TODAY)
    refresh(store)
    assert row(store).reasons == Reason.RUNS_OUT
    assert row(store, BETA).reasons == Reason(0)


@given(st.sampled_from(list(Reason)))
def test_each_reason_outweighs_all_below_it_together(reason):
    assert int(reason) > sum(int(one) for one in Reason if one < reason)


def health(owner, key="main", **values):
    given = {"computed_on": TODAY, "computed_at": NOW, "synced_at": NOW, **values}
    return CustomerHealth(customer_id=owner, subscription=key, **given)


def listed(store, **terms):
    return [one.slug for one in fleet(store.app, now=NOW, **terms)]


@pytest.fixture
def ranked(store):
    """Four customers: two with amounts in dollars, one in euros, one without any."""
    store.put(*customers())
    for n, slug in ((103, "cedar"), (104, "dune")):
        store.put(Customer(id=n, slug=slug, name=slug.capitalize()))
        store.put(Subscription(customer_id=n, key="main", starts_on=JANUARY))
    store.put(
        health(ACME, reasons=4, plan="A", overage=D(5), **cost("USD", 10, 9)),
        health(BETA, reasons=96, plan="B", overage=D(9), **cost("USD", 10, 12)),
        health(103, reasons=32, plan="A", overage=D(1), **cost("EUR", 10, 1)),
        health(104, reasons=0, ends_early=TODAY),
    )
    return store


def cost(currency, earned, costs):
    return {
        "currency": currency,
        "earned": D(earned),
        "cost": D(costs),
        "cost_currency": "USD",
    }


@pytest.mark.parametrize(
    ("sort", "slugs"),
    [
        ("urgency", ["beta", "cedar", "acme", "dune"]),
        ("overage", ["cedar", "beta", "acme", "dune"]),
        ("end", ["dune", "beta", "cedar", "acme"]),
        ("name", ["acme", "beta", "cedar", "dune"]),
    ],
)
def test_the_list_is_ordered_by_what_is_asked_for(ranked, sort, slugs):
    assert listed(ranked, sort=sort) == slugs
    pages = [listed(ranked, sort=sort, limit=1, offset=n) for n in range(5)]
    assert pages == [[slug] for slug in slugs] + [[]]


@pytest.mark.parametrize(
    ("wanted", "slugs"),
    [
        (Wanted(Reason.OVERAGE), ["beta", "cedar"]),
        (Wanted(Reason.OVERAGE, plan="A"), ["cedar"]),
        (Wanted(needy=True), ["beta", "cedar", "acme"]),
        (Wanted(plan="C"), []),
    ],
    ids=str,
)
def test_a_filter_cuts_and_counts_alike(ranked, wanted, slugs):
    assert listed(ranked, wanted=wanted) == slugs
    assert matching(ranked.app, now=NOW, wanted=wanted) == len(slugs)


def test_counts_foot_with_the_list(ranked):
    counts = fleet_counts(ranked.app, now=NOW)
    assert (counts.all, counts.needy, counts.plans) == (4, 3, ("A", "B"))
    assert counts.by_reason[Reason.OVERAGE] == 2
    assert fleet_counts(ranked.app, now=NOW, plan="A").all == 2


def test_the_thinnest_margin_comes_first_and_two_currencies_have_none(ranked):
    rows = margins(ranked.app)
    assert [(one.slug, one.gross_margin) for one in rows] == [
        ("beta", D("-0.2")),
        ("acme", D("0.1")),
        ("cedar", None),
    ]
    assert [one.slug for one in margins(ranked.app, sort="earned", plan="A")] == ["cedar", "acme"]


def test_sums_are_by_currency_and_never_across(ranked):
    first, second = margin_totals(ranked.app)
    assert (first.currency, first.earned, first.cost, first.customers) == ("USD", 20, 21, 2)
    assert first.gross_margin == D("-0.05")
    assert (second.currency, second.cost_currency, second.gross_margin) == ("EUR", "USD", None)


def test_no_value_of_the_list_has_a_field_for_cost(ranked):
    fields = set(type(fleet(ranked.app, now=NOW)[0]).__dataclass_fields__)
    assert not {one for one in fields if "cost" in one or "margin" in one or one == "earned"}
