"""Which plan is billed on which day: sign-ups, changes, what waits, what is cancelled."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InvalidTerms
from data.periods import period_of
from data.pricing import PlanChange, PlanStretch, stretches, timeline
from data.pricing.timeline import as_when
from tests.bills import agreed, per_unit


def plan(name, fee="0", version=1, currency="USD"):
    return agreed(per_unit(), plan=name, version=version, monthly_fee=fee, currency=currency)


SMALL, MEDIUM, LARGE = plan("small", "10"), plan("medium", "20"), plan("large", "30")


def on(month, day):
    return date(2026, month, day)


def billed(*changes, **given):
    """The names of the plans billed, with the first day of each and the day after its last."""
    found = stretches(timeline((PlanChange(*change) for change in changes), **given))
    return [(one.plan.plan, one.starts_on, one.ends_on) for one in found]


def test_no_change_is_no_plan():
    assert timeline([]) == ()


def test_a_sign_up_counts_from_its_day():
    assert billed((SMALL, on(3, 15))) == [("small", on(3, 15), None)]


def test_a_cancellation_ends_the_last_plan():
    assert billed((SMALL, on(3, 15)), ends_on=on(5, 10)) == [("small", on(3, 15), on(5, 10))]


def test_a_change_day_belongs_to_the_new_plan():
    assert billed((SMALL, on(3, 1)), (LARGE, on(3, 15))) == [
        ("small", on(3, 1), on(3, 15)),
        ("large", on(3, 15), None),
    ]


def test_several_changes_in_one_period_each_have_their_days():
    assert billed((SMALL, on(3, 1)), (MEDIUM, on(3, 10)), (LARGE, on(3, 20))) == [
        ("small", on(3, 1), on(3, 10)),
        ("medium", on(3, 10), on(3, 20)),
        ("large", on(3, 20), None),
    ]


def test_changes_are_put_in_the_order_of_their_days():
    assert billed((LARGE, on(3, 15)), (SMALL, on(3, 1))) == [
        ("small", on(3, 1), on(3, 15)),
        ("large", on(3, 15), None),
    ]


def test_of_two_changes_on_one_day_the_last_is_billed():
    assert billed((SMALL, on(3, 1)), (MEDIUM, on(3, 15)), (LARGE, on(3, 15))) == [
        ("small", on(3, 1), on(3, 15)),
        ("large", on(3, 15), None),
    ]


def test_a_change_is_measured_by_the_plan_before_the_one_it_replaces_on_its_day():
    # Less than large, which it replaces on its day, but more than medium, which was in force.
    between = plan("between", "25")
    found = billed((MEDIUM, on(3, 1)), (LARGE, on(3, 15)), (between, on(3, 15)))
    assert found[-1] == ("between", on(3, 15), None)


def test_of_two_sign_ups_on_one_day_the_last_is_billed():
    assert billed((LARGE, on(3, 1)), (SMALL, on(3, 1))) == [("small", on(3, 1), None)]


def test_all_changes_of_a_day_stand_in_the_timeline():
    changes = [PlanChange(MEDIUM, on(3, 15)), PlanChange(LARGE, on(3, 15))]
    assert [(one.plan, one.billed) for one in timeline(changes)] == [
        (MEDIUM, False),
        (LARGE, True),
    ]


def test_what_is_not_billed_has_no_days():
    first, _ = timeline([PlanChange(MEDIUM, on(3, 15)), PlanChange(LARGE, on(3, 15))])
    assert (first.starts_on, first.ends_on) == (on(3, 15), on(3, 15))


@pytest.mark.parametrize(
    ("change", "starts_on"),
    [
        pytest.param((SMALL, on(3, 15)), on(4, 1), id="a downgrade waits"),
        pytest.param((SMALL, on(3, 2)), on(4, 1), id="a downgrade on the second day waits"),
        pytest.param((SMALL, on(3, 1)), on(3, 1), id="a downgrade on the first day does not"),
        pytest.param((SMALL, on(3, 31)), on(4, 1), id="a downgrade on the last day waits a day"),
        pytest.param((SMALL, on(3, 15), "at_once"), on(3, 15), id="a downgrade at once"),
        pytest.param((LARGE, on(3, 15)), on(3, 15), id="an upgrade does not wait"),
        pytest.param((LARGE, on(3, 15), "next_period"), on(4, 1), id="an upgrade that waits"),
        pytest.param((plan("other", "20"), on(3, 15)), on(3, 15), id="an equal fee does not wait"),
    ],
)
def test_when_a_change_takes_effect(change, starts_on):
    assert billed((MEDIUM, on(2, 1)), change)[-1][1] == starts_on


def test_a_plan_stays_until_the_one_that_waits():
    assert billed((LARGE, on(3, 1)), (SMALL, on(3, 15))) == [
        ("large", on(3, 1), on(4, 1)),
        ("small", on(4, 1), None),
    ]


@pytest.mark.parametrize(
    ("change", "waited"), [((SMALL, on(3, 15)), True), ((LARGE, on(3, 15)), False)]
)
def test_the_timeline_says_what_waited(change, waited):
    entries = timeline([PlanChange(MEDIUM, on(2, 1)), PlanChange(*change)])
    assert entries[-1].waited is waited


def test_a_sign_up_may_wait_for_the_next_period():
    assert billed((SMALL, on(3, 15), "next_period")) == [("small", on(4, 1), None)]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param(
            (LARGE, on(3, 20)),
            [("medium", on(3, 1), on(3, 20)), ("large", on(3, 20), None)],
            id="an upgrade",
        ),
        pytest.param(
            (MEDIUM, on(3, 20)), [("medium", on(3, 1), on(3, 20)), ("medium", on(3, 20), None)],
            id="the plan as before",
        ),
        pytest.param(
            (plan("tiny", "5"), on(3, 20)),
            [("medium", on(3, 1), on(4, 1)), ("tiny", on(4, 1), None)],
            id="another downgrade",
        ),
        pytest.param(
            (plan("tiny", "5"), on(4, 1)),
            [("medium", on(3, 1), on(4, 1)), ("tiny", on(4, 1), None)],
            id="a downgrade on the day on which it would have begun",
        ),
        pytest.param(
            (LARGE, on(4, 2)),
            [
                ("medium", on(3, 1), on(4, 1)),
                ("small", on(4, 1), on(4, 2)),
                ("large", on(4, 2), None),
            ],
            id="nothing once it has begun",
        ),
    ],
)  # fmt: skip
def test_a_later_decision_cancels_a_downgrade_that_waits(later, expected):
    assert billed((MEDIUM, on(3, 1)), (SMALL, on(3, 15)), later) == expected


def test_a_downgrade_is_measured_by_the_plan_in_force_not_by_the_one_that_waits():
    # medium while small waits; 15 lies below medium
    between = plan("between", "15")
    found = billed((MEDIUM, on(3, 1)), (SMALL, on(3, 10)), (between, on(3, 20)))
    assert found[-1] == ("between", on(4, 1), None)


def test_a_cancelled_change_stands_in_the_timeline():
    changes = [(MEDIUM, on(3, 1)), (SMALL, on(3, 15)), (LARGE, on(3, 20))]
    entries = timeline(PlanChange(*change) for change in changes)
    assert [(one.plan.plan, one.billed) for one in entries] == [
        ("medium", True),
        ("small", False),
        ("large", True),
    ]


def test_a_cancellation_before_a_downgrade_begins_is_the_end_of_all():
    changes = (LARGE, on(3, 1)), (SMALL, on(3, 10))
    assert billed(*changes, ends_on=on(3, 20)) == [("large", on(3, 1), on(3, 20))]


def test_a_cancellation_on_the_day_a_downgrade_begins_leaves_it_no_day():
    changes = (LARGE, on(3, 1)), (SMALL, on(3, 10))
    assert billed(*changes, ends_on=on(4, 1)) == [("large", on(3, 1), on(4, 1))]


def test_a_change_after_the_cancellation_is_not_billed():
    changes = (SMALL, on(3, 1)), (LARGE, on(3, 25))
    assert billed(*changes, ends_on=on(3, 20)) == [("small", on(3, 1), on(3, 20))]


@pytest.mark.parametrize(
    ("anchor_day", "asked_on", "starts_on"),
    [
        pytest.param(15, on(3, 14), on(3, 15), id="the 15th, a day before"),
        pytest.param(15, on(3, 15), on(3, 15), id="the 15th, on the day"),
        pytest.param(15, on(3, 16), on(4, 15), id="the 15th, a day after"),
        pytest.param(29, on(2, 10), on(2, 28), id="the 29th, in a February of 28 days"),
        pytest.param(30, on(2, 28), on(2, 28), id="the 30th, on the last of February"),
        pytest.param(30, on(3, 1), on(3, 30), id="the 30th, after February"),
        pytest.param(31, on(4, 29), on(4, 30), id="the 31st, in April"),
        pytest.param(31, on(4, 30), on(4, 30), id="the 31st, on the last of April"),
        pytest.param(31, on(5, 1), on(5, 31), id="the 31st, in May"),
    ],
)
def test_the_next_period_begins_on_the_anchor_day(anchor_day, asked_on, starts_on):
    changes = (MEDIUM, on(1, 1)), (SMALL, asked_on)
    assert billed(*changes, anchor_day=anchor_day)[-1][1] == starts_on


def test_another_currency_is_refused():
    other = plan("large", "30", currency="EUR")
    with pytest.raises(
        InvalidTerms, match="plan large: its currency EUR differs from the USD before it"
    ):
        timeline([PlanChange(SMALL, on(3, 1)), PlanChange(other, on(3, 15))])


def test_two_versions_of_a_plan_from_one_day_are_refused():
    versions = [PlanChange(plan("small", version=n), on(3, 1)) for n in (1, 2)]
    with pytest.raises(
        InvalidTerms, match=r"plan small: two versions \(1 and 2\) .* the same day, 2026-03-01"
    ):
        timeline(versions)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            [(plan("small"), on(3, 1)), (plan("small"), on(3, 1))], id="one version twice"
        ),
        pytest.param(
            [(plan("small"), on(3, 1)), (plan("small", version=2), on(3, 2))], id="on two days"
        ),
        pytest.param(
            [(plan("small"), on(3, 1)), (plan("other", version=2), on(3, 1))], id="of two plans"
        ),
    ],
)
def test_versions_that_do_not_contradict_each_other_are_accepted(changes):
    assert len(timeline(PlanChange(*change) for change in changes)) == len(changes)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("at_once", "at_once"),
        ("next_period", "next_period"),
        (None, None),
        ("", None),
        ("whenever", None),
    ],
)
def test_what_is_stored_of_a_change_says_when_it_takes_effect(text, when):
    assert as_when(text) == when


def test_stretches_stand_in_the_order_of_their_days():
    entries = timeline([PlanChange(LARGE, on(3, 1)), PlanChange(SMALL, on(3, 10))])
    assert stretches(reversed(entries)) == (
        PlanStretch(LARGE, on(3, 1), on(4, 1)),
        PlanStretch(SMALL, on(4, 1), None),
    )


changes_of_a_year = st.lists(
    st.tuples(
        st.sampled_from([SMALL, MEDIUM, LARGE]),
        st.dates(on(1, 1), on(12, 31)),
        st.sampled_from([None, "at_once", "next_period"]),
    ),
    min_size=1,
    max_size=6,
)


@given(changes_of_a_year, st.integers(1, 31), st.none() | st.dates(on(1, 1), on(12, 31)))
def test_no_day_has_two_plans_and_none_lies_after_the_end(changes, anchor_day, ends_on):
    found = billed(*changes, anchor_day=anchor_day, ends_on=ends_on)
    edges = [edge for _, start, end in found for edge in (start, end or date.max)]
    assert edges == sorted(edges)
    assert max(edges, default=date.min) <= (ends_on or date.max)


@given(changes_of_a_year, st.integers(1, 31))
def test_a_change_waits_for_the_start_of_a_period_or_not_at_all(changes, anchor_day):
    entries = timeline((PlanChange(*change) for change in changes), anchor_day=anchor_day)
    for one in entries:
        assert one.starts_on in (one.asked_on, period_of(one.asked_on, anchor_day).end)
