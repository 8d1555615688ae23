"""What pages say, from values made by hand: each state has its sentence, numbers are readable."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from dashboard.charts import formats
from dashboard.views.cards import cards, used_and_left
from dashboard.views.customers import health
from dashboard.views.markup import Safe, joined, tag
from dashboard.views.wording import freshness_line, line_label, line_quantity, normal, summary
from data.credits import Credits, LotLeft
from data.outlook import Advice, DayRange, Range
from data.overview import Comparison, Overview
from data.periods import period_of
from data.pricing import LineKind
from data.statement import Status
from data.store import AccountView
from tests.shown import (
    NEVER,
    NOVEMBER,
    NOW,
    SETTLED,
    TODAY,
    UNIT,
    allowance,
    bill,
    line,
    outlook,
    view,
)


def plain(html: Safe) -> str:
    return re.sub(r"<[^>]+>", "", html)


def credits(lasts: DayRange, owed="0") -> Credits:
    lot = LotLeft("large", NOVEMBER.start, TODAY, D(200), D(50), D(375), D("7.5"), D(15))
    return Credits("sms", "SMS", UNIT, (lot,), used=D(419), owed=D(owed), runs_out=lasts)


def with_unused(own: Credits) -> Credits:
    lot = replace(own.lots[0], expected_unused=(D(9), D(50)), expires_on=date(2026, 11, 30))
    return replace(own, lots=(lot,))


def connected() -> Overview:
    return view(connected=True, plan=None, statement=None, outlook=outlook(amount=None))


PASSES = DayRange(date(2026, 11, 24), date(2026, 11, 26), None)
SMALL = replace(allowance(), has_overage_price=False)

SENTENCES = {
    "an allowance that will be passed, and a better tier": (
        view(
            allowance=allowance(),
            outlook=outlook(
                allowance_ends=PASSES,
                overage=Range(D("3.10"), D(5), D("8.40")),
                advice=Advice("medium", D("4")),
            ),
        ),
        "You have used 61% of 100 SMS segments on Bundle · Small, with 9 days to go; "
        "at this pace you pass the allowance on 26 Nov and pay $3.10 – $8.40 more; "
        "Medium would save about $4.00.",
    ),
    "an allowance that may hold": (
        view(
            allowance=allowance(),
            outlook=outlook(allowance_ends=PASSES, overage=Range(D(0), D(5), D("8.40"))),
        ),
        "at this pace you pass the allowance on 26 Nov and pay up to $8.40 more.",
    ),
    "an overage that is taxed": (
        view(
            allowance=allowance(),
            statement=bill(line(), line(LineKind.TAX, "VAT 25 %", "12.50")),
            outlook=outlook(allowance_ends=PASSES, overage=Range(D(1), D(5), D("8.40"))),
        ),
        "and pay $1.00 – $8.40 before tax more.",
    ),
    "an allowance that likely lasts": (
        view(allowance=allowance(), outlook=outlook("49.99", "49.99", chance=0.11)),
        "you are likely to stay within it and pay $49.99, the chance of passing is 11%.",
    ),
    "an allowance that lasts": (
        view(allowance=allowance(), outlook=outlook("59.99", "59.99", chance=0.0)),
        "at this pace you stay within the allowance and pay $59.99.",
    ),
    "nearly all of an allowance": (
        view(allowance=allowance("999", "1000"), outlook=outlook(chance=0.0)),
        "You have used 99% of 1,000 SMS segments",
    ),
    "passing an allowance without a price beyond": (
        view(allowance=SMALL, outlook=outlook(allowance_ends=PASSES)),
        "at this pace you pass the allowance on 26 Nov.",
    ),
    "beyond an allowance": (
        view(
            allowance=replace(allowance("187"), overage_amount=D("43.50")),
            outlook=outlook(
                chance=1.0,
                overage=Range(D(55), D(60), D(64)),
                next_advice=Advice("large", D(22)),
            ),
        ),
        "You have used 187 SMS segments, 87 more than Bundle · Small includes, with 9 days to go; "
        "what lies beyond it costs $43.50 so far and is expected to cost $55 – $64; "
        "from the next period Large would save about $22.",
    ),
    "beyond one without a price beyond": (
        view(allowance=replace(SMALL, used=D(120)), outlook=outlook(chance=1.0)),
        "what lies beyond the allowance has no price on this plan.",
    ),
    "a margin": (
        view(
            outlook=outlook(),
            comparison=Comparison(SETTLED, D(112), D(100), UNIT, "SMS", None, None),
        ),
        "You have spent $49.99 so far on Bundle · Small, with 9 days to go; "
        "the bill is likely to end at $80 – $120; use is 12% above the period before.",
    ),
    "the last day": (
        view(outlook=outlook("49.99", "49.99"), period=period_of(TODAY, 22)),
        "so far on Bundle · Small, today is the last day; the bill is likely to stay at $49.99.",
    ),
    "credits": (
        view(credits=credits(DayRange(date(2026, 12, 9), TODAY, date(2026, 12, 14)))),
        "You have 50 credits left, enough for 375 SMS segments; "
        "at this pace they last until 9–14 Dec.",
    ),
    "credits that expire": (
        view(credits=with_unused(credits(DayRange(date(2026, 12, 9), TODAY, None)))),
        "; at this pace they last until 9 Dec or later; "
        "9–50 credits of Large expire unused after 29 Nov.",
    ),
    "credits that nothing uses": (
        view(credits=credits(NEVER)),
        "at this pace they last for more than a year.",
    ),
    "credits that expire before they are used": (
        view(credits=replace(credits(NEVER), all_expire_on=date(2026, 12, 30))),
        "at this pace some are left when the last expire on 29 Dec.",
    ),
    "credits that are used up": (
        view(credits=replace(credits(NEVER), lots=())),
        "Your credits are used up.",
    ),
    "use beyond the credits": (
        view(credits=replace(credits(NEVER), lots=(), owed=D(276))),
        "Your credits are used up, and 276 SMS segments were used beyond them.",
    ),
    "an account that was never read": (
        view(freshness=replace(view().freshness, as_of=None), outlook=None),
        "No usage has been read yet; it is too early to say where this period will end.",
    ),
    "credits that are owed": (
        view(credits=replace(credits(NEVER, owed="12"), lots=())),
        "Your credits are used up, and 12 SMS segments were used beyond them.",
    ),
    "no plan": (
        view(plan=None, statement=None, outlook=outlook(amount=None)),
        "You have used 61 SMS segments, with 9 days to go; "
        "the period is likely to end at 90 – 130 SMS segments.",
    ),
    "connected": (
        connected(),
        "You have used 61 SMS segments, with 9 days to go; "
        "you pay Twilio directly, so no amounts are shown here.",
    ),
    "too early": (view(outlook=None), "; it is too early to say where this period will end."),
    "nothing used": (
        view(statement=None, series=()),
        "You have used nothing yet in this period",
    ),
}


@pytest.mark.parametrize(("shown", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_the_page_is_summed_up_in_a_sentence(shown, sentence):
    assert sentence in plain(summary(shown, TODAY))


def test_what_will_expire_is_forecast_of_a_running_period_only():
    shown = view(credits=with_unused(credits(NEVER)))
    assert "9–50 credits will expire unused" in plain(used_and_left(shown, TODAY))
    assert "expire unused" not in plain(used_and_left(shown, NOVEMBER.end))


@pytest.mark.parametrize(
    ("status", "words"),
    [(Status.FINAL, "the bill is $49.99, final."), (Status.SETTLING, "not final yet")],
)
def test_a_period_that_is_over_says_whether_its_bill_is_final(status, words):
    shown = view(allowance=allowance(), statement=bill(status=status))
    text = plain(summary(shown, date(2026, 12, 3)))
    assert text.startswith("In November 2026 you used 61 of 100")
    assert words in text


@pytest.mark.parametrize("shown", [one for one, _ in SENTENCES.values()], ids=SENTENCES)
def test_there_are_always_four_cards(shown):
    assert cards(shown, TODAY).count("<section") == 4


def test_a_card_leads_on_only_to_pages_that_the_viewer_has():
    shown = view(allowance=allowance(), outlook=outlook())
    html = cards(shown, TODAY, {"plan": "plan?lang=de", "usage": "usage?lang=de"})
    assert re.findall('href="([^"]+)"', html) == ["plan?lang=de", "usage?lang=de"]
    assert html.count("</section>") == 4
    own = cards(view(credits=credits(NEVER)), TODAY, {"plan": "plan", "credits": "credits"})
    assert re.findall('href="([^"]+)"', own) == ["credits"]


def test_the_three_labels_are_never_on_one_card():
    html = cards(view(allowance=allowance(), outlook=outlook()), TODAY)
    labels = [re.findall('class="u-tag">([^<]+)', card) for card in html.split("<section")[1:]]
    assert labels == [[], ["so far"], [], ["expected"]]


def test_every_card_says_as_of_when_it_is_until_the_bill_is_final():
    still, over = view(), view(statement=bill(status=Status.FINAL))
    assert cards(still, TODAY).count("as of 21 Nov 09:30") == 4
    assert "as of" not in cards(over, NOVEMBER.end)


def test_in_another_language_a_sentence_is_whole_and_in_its_own_order(monkeypatch):
    said = {"{used} {of_allowance}": "{of_allowance} {used}"}
    monkeypatch.setattr("dashboard.views.cards._", lambda text: said.get(text, text))
    assert "of 100 SMS segments</span> 61" in used_and_left(view(allowance=allowance()), TODAY)


def test_little_history_is_said():
    html = cards(view(outlook=outlook(little_history=True)), TODAY)
    assert "Little history yet, so this is a wide guess." in html


def test_the_first_days_say_that_nothing_has_settled():
    html = cards(view(outlook=None, comparison=None), TODAY)
    assert "The first days have to settle" in html
    assert "There is no earlier period to compare with." in html


def test_credits_that_are_used_up_last_until_no_day():
    own = replace(credits(DayRange(TODAY, TODAY, TODAY)), lots=())
    gone = view(credits=own, outlook=outlook())
    assert "used up" in cards(gone, TODAY)
    assert "last until" not in cards(gone, TODAY) + summary(gone, TODAY)


def test_what_is_owed_beyond_all_credits_is_a_warning():
    html = cards(view(credits=credits(NEVER, owed="12")), TODAY)
    assert '<div class="u-row u-warn"><span class="u-key">Owed</span>' in html


@pytest.mark.parametrize(
    ("now", "before", "figure", "meaning"),
    [
        ("112", "100", "+12%", "More"),
        ("88", "100", "−12%", "Less"),
        ("103", "100", "+3%", "About the same"),
        ("5", "0", "New", "Nothing was used"),
    ],
)
def test_a_comparison_has_a_figure_and_a_meaning(now, before, figure, meaning):
    compared = Comparison(SETTLED, D(now), D(before), UNIT, "SMS", None, None)
    shown = normal(compared)
    assert shown[0] == figure
    assert shown[1].startswith(meaning)


def test_freshness_names_the_days_that_may_still_move():
    fresh = view().freshness
    expected = (
        "Data as of 21 Nov 09:30 UTC · All days are UTC · 18–21 Nov are still settling and may rise"
    )
    assert freshness_line(fresh, NOVEMBER, TODAY) == expected


def test_freshness_of_a_settled_period_names_none():
    settled = replace(view().freshness, settled_through=TODAY, as_of=None)
    assert freshness_line(settled, NOVEMBER, TODAY) == "All days are UTC"


def test_lines_have_names_for_people():
    assert line_label(line()) == "Small plan fee"
    assert line_label(line(label="Monthly fee")) == "Monthly fee"
    assert line_label(line(LineKind.PACK)) == "Small credit pack"
    assert line_label(line(LineKind.CREDITS, "large")) == "From the large pack"
    assert line_quantity(line(LineKind.OVERAGE, quantity=D(99))) == "99 SMS segments"
    assert line_quantity(line()) == "1"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("1234.5", "USD", "$1,234.50"), ("59.99", "EUR", "€59.99"), ("1000", "JPY", "¥1,000")],
)
def test_money_has_its_currencys_digits(amount, currency, text):
    assert formats.money(D(amount), currency) == text


def test_an_estimate_claims_no_cents_unless_it_is_small():
    assert formats.about(D("188.42"), "USD") == "$188"
    assert formats.about(D("2.17"), "USD") == "$2.17"


def test_a_unit_price_is_never_rounded():
    assert formats.unit_price(D("0.00750"), "USD") == "$0.0075"


def test_numbers_are_short_where_room_is():
    assert formats.quantity(D("1234.500")) == "1,234.5"
    assert formats.short_quantity(D(1_234_567)) == "1.2M"
    assert formats.counted(D(1), UNIT) == "1 SMS segment"
    assert formats.percent(0.614) == "61%"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 3, 9), date(2026, 3, 14), "9–14 Mar"),
        (date(2026, 2, 28), date(2026, 3, 3), "28 Feb – 3 Mar"),
        (date(2026, 3, 9), date(2026, 3, 9), "9 Mar"),
    ],
)
def test_days_between_are_written_once(first, last, text):
    assert formats.days(first, last) == text


def test_a_period_has_the_months_name_only_if_it_is_the_whole_month():
    assert formats.period_name(NOVEMBER) == "November 2026"
    part = NOVEMBER.clipped(date(2026, 11, 9), None)
    assert formats.period_name(part) == "9–30 Nov 2026"
    assert formats.period_name(period_of(TODAY, 15)) == "15 Nov – 14 Dec 2026"


def test_markup_escapes_text_and_attributes_but_not_itself():
    html = tag("p", "<b>", tag("i", "&"), None, class_='"x"', aria_label=None)
    assert html == '<p class="&quot;x&quot;">&lt;b&gt;<i>&amp;</i></p>'
    assert joined(["<", Safe("<br>")]) == "&lt;<br>"


def account(status="active", read: datetime | None = NOW, error: str | None = None) -> AccountView:
    return AccountView("AC1", "n", "app", "subaccount", status, TODAY, None, read, read, error)


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ((), "No account"),
        ((account("closed"),), "Closed"),
        ((account(), account(error="401")), "Reading failed"),
        ((account(), account(read=None)), "Not read yet"),
        ((account(read=datetime(2026, 11, 19, tzinfo=UTC)),), "Stale, read 19 Nov 00:00 UTC"),
        ((account("suspended"),), "Suspended"),
        ((account(), account("closed", read=None)), "Fresh, read 21 Nov 09:30 UTC"),
    ],
    ids=["none", "closed", "failed", "unread", "stale", "suspended", "fresh"],
)
def test_support_reads_the_worst_that_is_true_of_the_accounts(accounts, words):
    assert health(accounts, NOW)[0] == words
