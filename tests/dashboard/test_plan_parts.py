"""What the pages Plan and What if say of values made by hand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import plotly.graph_objects as go
import pytest

from dashboard.charts import Curve, allowance_pace, cost_by_use, look
from dashboard.charts.formats import signed_money
from dashboard.views.plan_parts import (
    allowance_cards,
    changes_panel,
    ladder_panel,
    next_step,
    tier_table,
)
from dashboard.views.terms_words import KINDS, explained, step_price, step_range
from dashboard.views.what_if_parts import (
    break_even_lines,
    costs_table,
    growth_name,
    option_name,
)
from data.outlook import DayRange, Range
from data.plan_progress import AllowanceProgress, Ladder, PlanProgress, Stretch, TierOffer
from data.plan_terms import PlanTerms, PriceTerms, Step
from data.pricing import Switch
from data.statement_content import PlanStep
from data.what_if import GROWTH, BreakEven, Course, Growth, Option, Point
from tests.bills import agreed, overage
from tests.shown import NOVEMBER, allowance, series

SETTLED = date(2026, 11, 17)
LOOK = look("light", "#0b7a75")
ENDS = DayRange(date(2026, 11, 24), date(2026, 11, 26), date(2026, 11, 28))


def sure(amount: str) -> Range:
    return Range(D(amount), D(amount), D(amount))


def offer(name: str, expected="59.99", **terms) -> TierOffer:
    given = {
        "fee": D("59.99"),
        "included": D(200),
        "unit_amount": D("0.30"),
        "so_far": D("59.99"),
        "expected": sure(expected),
        "mean": D(expected),
        "outgrown": 0.0,
        "chosen": False,
        "cheapest": False,
        **terms,
    }
    return TierOffer(name, **given)


def progress(used="61", **terms) -> AllowanceProgress:
    given = {
        "allowance": allowance(used),
        "days": NOVEMBER,
        "agreed": D(100),
        "chance": 0.58,
        "ends": ENDS,
        "beyond": Range(D(0), D(10), D(30)),
        "overage": Range(D(0), D(5), D(15)),
        "mean_overage": D("6.20"),
        "tiers": (offer("small", chosen=True), offer("medium", cheapest=True)),
        "fan": None,
        **terms,
    }
    return AllowanceProgress(**given)


def whole(stretches=(), changes=(), scheduled=()) -> PlanProgress:
    terms = PlanTerms("Bundle", 1, NOVEMBER.start, "USD", True, ())
    return PlanProgress(NOVEMBER, "USD", terms, (), (), stretches, changes, scheduled)


def test_an_open_allowance_says_its_pace_its_chance_and_its_end():
    text = allowance_cards(progress(), "USD", over=False)
    assert "61% used, 48% of the period gone" in text
    assert "58%" in text
    assert "24–28 Nov" in text
    assert "$0.00 – $15.00" in text


def test_a_period_that_is_over_expects_nothing():
    text = allowance_cards(progress(), "USD", over=True)
    assert "expected" not in text
    assert "Chance" not in text


def test_a_share_of_an_allowance_says_how_it_comes_about():
    days = replace(NOVEMBER, start=date(2026, 11, 14))
    text = allowance_cards(progress(days=days, agreed=D(200)), "USD", over=False)
    assert "17 of 30 days of 200, rounded up" in text


def test_the_cheapest_tier_and_the_own_one_are_marked_in_words():
    text = tier_table(progress(), "USD", over=False)
    own, best = text.split("<tr")[2:4]
    assert "your tier" in own
    assert "cheapest" not in own
    assert "cheapest" in best


def test_before_a_first_day_has_settled_nothing_is_expected_and_no_tier_is_best():
    text = allowance_cards(progress(), "USD", over=False, early=True)
    assert "The first days have to settle" in text
    assert "Chance of going over" not in text
    text = tier_table(progress(), "USD", over=False, early=True)
    assert "With use so far" in text
    assert "Expected in all" not in text
    assert "cheapest" not in text


def test_a_tier_that_is_too_small_says_so():
    short = offer("small", unit_amount=None, outgrown=0.6)
    text = tier_table(progress(tiers=(short,)), "USD", over=False)
    assert "likely too small, and no price beyond" in text


BANDS = (Step(D(0), D(100), D("0.02")), Step(D(100), D(300), D("0.01")), Step(D(300), None, None))


@pytest.mark.parametrize(
    ("used", "sentence"),
    [
        ("40", "60 SMS segments to the next step; from there one more SMS segment costs $0.01."),
        ("120", "180 SMS segments to the next step."),
        ("400", "This is the last step."),
    ],
)
def test_the_ladder_says_what_the_next_step_is(used, sentence):
    own = Ladder("sms", "SMS", "SMS segments", "graduated", D(used), BANDS)
    assert next_step(own, "USD") == sentence
    assert sentence in ladder_panel(own, "USD", over=False)


def test_the_steps_are_named_by_their_first_and_last_unit():
    assert [step_range(step) for step in BANDS] == ["1 – 100", "101 – 300", "Above 300"]
    prices = [step_price(step, "graduated_margin", "USD") for step in BANDS]
    assert prices == ["$0.02", "$0.01", "as counted"]


def test_no_price_model_is_explained_by_margin_or_cost():
    for kind in KINDS:
        text = explained(PriceTerms(kind, "sms", (), "")).lower()
        assert text
        assert [word for word in ("margin", "markup", " cost") if word in text] == []


def test_a_change_of_plan_shows_its_arithmetic():
    parts = (
        Stretch("Small", date(2026, 11, 1), date(2026, 11, 14), 30, ((D(100), D(44), "units"),)),
        Stretch("Medium", date(2026, 11, 14), date(2026, 12, 1), 30, ((D(200), D(114), "units"),)),
    )
    text = changes_panel(whole(parts), None, SETTLED)
    assert "17 of 30 days" in text
    assert "17/30 × 200, rounded up = 114 units" in text


def test_what_is_scheduled_is_said_and_a_quiet_period_says_nothing():
    step = PlanStep("Large <b>", date(2026, 11, 9), date(2026, 12, 1), None, True)
    text = changes_panel(whole(scheduled=(step,)), None, SETTLED)
    assert "Large &lt;b&gt;" in text
    assert "1 Dec" in text
    full = Stretch("Small", NOVEMBER.start, NOVEMBER.end, 30, ())
    assert changes_panel(whole((full,)), None, SETTLED) is None


def test_the_pace_has_a_line_to_the_allowance_on_the_last_day():
    chart = allowance_pace(series(10, 20), NOVEMBER, SETTLED, LOOK, included=D(100))
    even = chart.figure.data[-1]
    assert (even.x[-1], even.y[-1]) == (date(2026, 11, 30), 100.0)
    assert "even pace to 100 SMS segments" in chart.alt


# What if

MEDIUM = Option(agreed(overage("medium")), tier="medium")
SMALL = Option(agreed(overage("small")), tier="small", own=True)


def growing(**terms) -> Growth:
    steps = len(GROWTH)
    given = {
        "period": NOVEMBER,
        "currency": "USD",
        "meter": "sms",
        "label": "SMS",
        "unit": "SMS segments",
        "months": (NOVEMBER,),
        "average": D(100),
        "units": tuple(D(100 + percent) for percent in GROWTH),
        "courses": (
            Course(SMALL, (Point(D(70), True),) * steps),
            Course(MEDIUM, (Point(D(60), True),) * steps),
        ),
        "break_evens": (BreakEven(MEDIUM, SMALL, 600, (Switch(121, True), Switch(400, False))),),
        "own_in_it": True,
        **terms,
    }
    return Growth(**given)


def test_costs_stand_beside_the_own_plan():
    text = costs_table(growing(), 3)
    assert "−$10.00" in text
    assert text.index("Medium") < text.index("Small")  # cheapest first
    small = growing(courses=(Course(SMALL, (Point(D(70), False),) * len(GROWTH)),))
    assert "too small for it" in costs_table(small, 3)


def test_break_even_points_are_said_in_words():
    text = break_even_lines(growing())
    assert (
        "From <strong>121 SMS segments</strong> a month <strong>Medium</strong> costs less" in text
    )
    assert "no longer costs less than Small" in text
    never = growing(break_evens=(BreakEven(MEDIUM, SMALL, 600, ()),))
    assert "at no use up to 600 SMS segments" in break_even_lines(never)


def test_an_own_price_that_follows_use_is_said_not_to_be_drawn():
    assert "is not drawn here" in break_even_lines(growing(own_in_it=False, break_evens=()))


def test_names_and_signs():
    assert [growth_name(code) for code in ("-50", "0", "200")] == ["−50%", "as now", "+200%"]
    assert [signed_money(D(n), "EUR") for n in ("-5", "0", "5")] == ["−€5.00", "€0.00", "+€5.00"]
    assert option_name(MEDIUM) == "Medium"


CURVES = {
    "none": ((), "No plan can be compared by its use."),
    "one point": ((Curve("A", (D(5),)),), "A $5.00"),
    "no price": ((Curve("A", (None,)), Curve("B", (D(3),), own=True)), "B $3.00"),
}


@pytest.mark.parametrize(("curves", "said"), CURVES.values(), ids=CURVES)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_cost_by_use_says_what_it_shows(curves, said, mode):
    chart = cost_by_use(
        *((D(10),), curves, look(mode, "#0b7a75")), unit="units", currency="USD", at=0
    )
    assert said in chart.alt
    assert chart.figure.to_json()
    go.Figure(chart.figure.to_dict())  # ValueError names a property that plotly does not know


def test_a_line_ends_where_its_plan_has_no_price():
    curve = Curve("A", (D(5), D(5), None, D(5)))
    units = tuple(D(n) for n in (10, 20, 30, 40))
    chart = cost_by_use(units, (curve,), LOOK, unit="units", currency="USD", at=3)
    assert list(chart.figure.data[0].x) == [10, 20]
    assert len(chart.figure.data) == 1  # nothing is marked where it has no price
