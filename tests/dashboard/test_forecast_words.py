"""What pages say of a forecast, from values made by hand: each case has a sentence of its own."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D

import pytest

from dashboard.views import forecast_words as words
from dashboard.views.cards import cards, how_worked_out
from dashboard.views.markup import joined
from data.outlook import Advice, Change, DayRange, Range
from data.periods import period_of
from data.projection import Components
from data.projection.unusual import UnusualDay
from data.track_record import TrackRecord
from tests.shown import NOVEMBER, SETTLED, TODAY, UNIT, allowance, outlook, series, view

ALIKE = (1.0,) * 7
WORKING = (1.3, 1.3, 1.3, 1.3, 1.3, 0.25, 0.25)
UNEVEN = (1.4, 0.8, 1.0, 1.0, 1.2, 0.8, 0.8)
PARTS = Components(10.8, 10.0, UNEVEN, days_to_go=13, active=1.0, memory=14)


def plain(html) -> str:
    return re.sub(r"<[^>]+>", "", html)


MADE_OF = {
    "a little up": (
        {},
        "Weekdays as in the last weeks, level 8% up on four weeks ago, "
        "going by the last 2 weeks, 9 days to go.",
    ),
    "a week": ({"memory": 8.4}, ", going by the last week, "),
    "months": ({"memory": 143.0}, ", going by the last 20 weeks, "),
    "lower as a year ago": (
        {"level": 9.5, "season": 0.95},
        "level about that of four weeks ago, going by the last 2 weeks, "
        "the days to come a little lower, as a year ago, 9 days to go.",
    ),
    "clearly higher as a year ago": (
        {"season": 1.4},
        "the days to come clearly higher, as a year ago",
    ),
    "hardly other as a year ago": ({"season": 1.02}, "going by the last 2 weeks, 9 days"),
    "down": ({"level": 7.5}, "level 25% down on four weeks ago"),
    "about the same": ({"level": 10.3}, "level about that of four weeks ago"),
    "many times": ({"level": 42.0}, "level 4 times that of four weeks ago"),
    "very many times": ({"level": 4200.0}, "level over 10 times that of four weeks ago"),
    "new": ({"level_before": 0.0}, "new in the last four weeks"),
    "no pattern": ({"weekdays": ALIKE}, "All weekdays alike, "),
    "quiet weekends": ({"weekdays": WORKING}, "Quiet weekends as in the last weeks, "),
    "fading": ({"active": 0.4}, "Use is fading: it may have stopped."),
    "nothing at all": ({"level": 0.0}, "Nothing was used of late, 9 days to go."),
}


@pytest.mark.parametrize(("changes", "sentence"), MADE_OF.values(), ids=MADE_OF)
def test_what_a_forecast_is_made_of(changes, sentence):
    assert sentence in words.made_of(replace(PARTS, **changes), NOVEMBER, TODAY)


def test_of_a_few_days_neither_weekdays_nor_a_trend_are_told():
    said = words.made_of(PARTS, NOVEMBER, TODAY, little_history=True)
    assert said == "Too few days yet to tell weekdays or a trend, 9 days to go."


@pytest.mark.parametrize(("silent", "many"), [(1, "a day"), (9, "9 days")])
def test_a_customer_who_may_have_stopped_is_said_to(silent, many):
    said = words.made_of(replace(PARTS, active=0.4), NOVEMBER, TODAY, silent_days=silent)
    assert said == f"Nothing for {many}: it may have stopped."


@pytest.mark.parametrize(
    ("today", "end"),
    [
        (NOVEMBER.last_day, "the last day."),
        (NOVEMBER.last_day - timedelta(days=1), "1 day to go."),
        (NOVEMBER.end, "only late usage to come."),
    ],
    ids=["last", "one", "over"],
)
def test_the_days_to_go_are_those_of_the_calendar(today, end):
    assert words.made_of(PARTS, NOVEMBER, today).endswith(end)


def test_silent_days_reach_into_the_period_before_and_leave_out_what_settles():
    one = replace(series(0, 0, 0, 4), previous=(D(3), D(0)))
    third = NOVEMBER.start + timedelta(days=2)
    assert words.silent_days(one, third) == 4
    assert words.silent_days(one, third + timedelta(days=1)) == 0


def test_days_of_the_period_before_that_still_settle_are_not_silent():
    one = replace(series(0), previous=(D(3), D(0), D(0), D(0)))
    assert words.silent_days(one, NOVEMBER.start - timedelta(days=3)) == 1


def change(settled: str, pace: str) -> Change:
    return Change(SETTLED, D(settled) + D(pace), D(settled), D(pace))


MOVED = {
    "both up": (
        change("90", "30"),
        "Up 120 SMS segments since yesterday: 17 Nov was busier than expected (+90), "
        "and the days to come look busier (+30).",
    ),
    "both down": (
        change("-90", "-30"),
        "Down 120 SMS segments since yesterday: 17 Nov was quieter than expected (−90), "
        "and the days to come look quieter (−30).",
    ),
    "one against the other": (
        change("90", "-30"),
        "Up 60 SMS segments since yesterday: 17 Nov was busier than expected (+90), "
        "while the days to come look quieter (−30).",
    ),
    "the day alone": (
        change("-11", "0.2"),
        "Down 11 SMS segments since yesterday: 17 Nov was quieter than expected (−11).",
    ),
    "the days to come alone": (
        change("0", "15"),
        "Up 15 SMS segments since yesterday: the days to come look busier (+15).",
    ),
    "under a hundredth": (change("6", "3"), None),
    "the first day": (None, None),
}


@pytest.mark.parametrize(("change", "sentence"), MOVED.values(), ids=MOVED)
def test_why_a_forecast_moved(change, sentence):
    assert words.moved(change, D(1000), UNIT, SETTLED) == sentence


def test_half_a_unit_is_no_move_however_small_the_total():
    assert words.moved(change("0.3", "0"), D(1), UNIT, SETTLED) is None


def test_a_move_of_parts_too_small_to_name_has_no_reason():
    moved = words.moved(change("0.4", "0.4"), D(3), "GB", SETTLED)
    assert moved == "Up 1 GB since yesterday."


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (TrackRecord(12, 10), "Of the last 12 months, 10 ended inside our range."),
        (TrackRecord(3, 3), "Of the last 3 months, all ended inside our range."),
        (TrackRecord(4, 0), "Of the last 4 months, none ended inside our range."),
        (TrackRecord(2, 2), None),
        (None, None),
    ],
)
def test_how_earlier_forecasts_held(record, sentence):
    assert words.held(record) == sentence


def advice(tier: str, saves: str) -> Advice:
    return Advice(tier, D(saves))


@pytest.mark.parametrize(
    ("now", "later", "sentence"),
    [
        (advice("medium", "9.5"), None, "On Medium this period would cost about $9.50 less."),
        (
            *(advice("medium", "9.5"), advice("medium", "4")),
            "On Medium this period would cost about $9.50 less, and the next about $4.00.",
        ),
        (
            *(advice("medium", "9.5"), advice("large", "40")),
            "On Medium this period would cost about $9.50 less. "
            "From next period Large would cost about $40 less.",
        ),
        (None, advice("medium", "4"), "From next period Medium would cost about $4.00 less."),
        (None, None, ""),
    ],
    ids=["now", "both the same", "both", "later", "neither"],
)
def test_the_tier_that_would_cost_less(now, later, sentence):
    assert plain(joined(words.advice_lines(now, later, "USD"))) == sentence


def day(n: int) -> date:
    return date(2026, 11, n)


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        (DayRange(None, None, None), "lasts the period"),
        (
            DayRange(day(26), None, None),
            "is likely to last the period, but may run out from 26 Nov on",
        ),
        (
            DayRange(day(24), day(27), None),
            "is likely to run out on 27 Nov, on 24 Nov at the earliest",
        ),
        (
            DayRange(day(24), day(26), day(29)),
            "is likely to run out on 26 Nov, between 24–29 Nov",
        ),
        (DayRange(day(26), day(26), day(26)), "is likely to run out on 26 Nov"),
    ],
    ids=["not in sight", "hardly", "likely", "certain", "a day"],
)
def test_when_the_allowance_runs_out(when, sentence):
    shown = view(allowance=allowance(), outlook=outlook(allowance_ends=when))
    assert words.allowance_end(shown) == f"The allowance {sentence}."


def test_an_allowance_that_is_used_up_has_its_day():
    when = DayRange(day(12), day(12), day(12))
    shown = view(allowance=allowance("187"), outlook=outlook(allowance_ends=when))
    assert words.allowance_end(shown) == "The allowance was used up on 12 Nov."


SPIKES = tuple(UnusualDay(day(n), D(1240), D(200), D(600)) for n in (3, 5, 8, 9, 12))


@pytest.mark.parametrize(
    ("unusual", "sentence"),
    [
        ((), None),
        (SPIKES[:1], "Unusual: 3 Nov with 1,240 SMS segments, usually 200 – 600."),
        (SPIKES[:4], "; and 1 more day."),
        (SPIKES, "; and 2 more days."),
    ],
    ids=["none", "one", "four", "five"],
)
def test_unusual_days_are_said_newest_first_and_at_most_three(unusual, sentence):
    said = words.unusual_line(unusual, UNIT)
    assert said == sentence or said.endswith(sentence)
    assert said is None or said.count("usually") <= 3


def test_of_several_meters_the_day_names_those_that_were_unusual():
    names = ("SMS", "Voice", "Verify", "MMS")
    assert words.unusual_in({"SMS": SPIKES[:2], "Voice": SPIKES[1:2]}) == (
        "Unusual: 5 Nov in SMS and Voice; 3 Nov in SMS."
    )
    assert words.unusual_in(dict.fromkeys(names, SPIKES[:1])) == (
        "Unusual: 3 Nov in SMS, Voice and others."
    )
    assert words.unusual_in({}) is None


def test_the_card_folds_away_how_it_is_worked_out():
    ahead = outlook(components=PARTS, changed=change("9", "3"), mean_amount=D(104))
    shown = view(allowance=allowance(), outlook=ahead, record=TrackRecord(12, 10))
    html = cards(shown, TODAY)
    text = plain(html)
    assert html.count("<details") == 1
    assert "How this is worked outWeekdays as in the last weeks" in text
    assert "Up 12 SMS segments since yesterday" in text
    assert "each priced like a bill: four in five end in the range." in text
    assert "Of the last 12 months, 10 ended inside our range." in text
    assert "Most likely$100" in text
    assert "On average$104" in text


def test_nothing_is_said_to_be_worked_out_where_the_period_is_over_or_nothing_was_used():
    assert how_worked_out(view(outlook=outlook(components=PARTS, over=True)), TODAY) is None
    assert how_worked_out(view(outlook=outlook()), TODAY) is None
    assert how_worked_out(view(outlook=None), TODAY) is None


@pytest.mark.parametrize(("today", "is_shown"), [(1, True), (2, True), (3, False)])
def test_on_the_first_two_days_the_period_before_is_shown_beside_the_guess(today, is_shown):
    one = replace(series(30, 31), previous_quantity=D(412))
    shown = view(series=(one,), allowance=allowance(), outlook=outlook())
    assert ("The period before" in cards(shown, day(today))) is is_shown


def test_a_certain_bill_has_neither_a_likely_nor_an_average_amount():
    certain = outlook("59.99", "59.99", mean_amount=D("59.99"))
    text = plain(cards(view(allowance=allowance(), outlook=certain), TODAY))
    assert "Most likely" not in text
    assert "On average" not in text


def test_a_period_that_begins_in_the_middle_of_a_month_counts_its_own_days():
    middle = period_of(TODAY, 15)
    assert words.made_of(PARTS, middle, TODAY).endswith("23 days to go.")


def test_without_amounts_the_card_has_the_range_of_units_and_its_likely_number():
    shown = view(connected=True, statement=None, outlook=outlook(amount=None, components=PARTS))
    text = plain(cards(shown, TODAY))
    assert "90 – 130 SMS segmentsMost likely110 SMS segments" in text
    assert "courses of the days to come: four in five" in text


def test_a_range_of_no_width_is_certain():
    assert not words.uncertain(Range(D(5), D(5), D(5)))
