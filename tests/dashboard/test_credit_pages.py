"""The pages Spend and Credits as two customers get them, against what the store says."""

from datetime import date
from decimal import Decimal as D
from fractions import Fraction
from io import BytesIO

import plotly.graph_objects as go
import pytest
from pypdf import PdfReader

from dashboard.charts import burn_down, look
from dashboard.charts.formats import money
from dashboard.exports import as_csv
from dashboard.exports.pdf import as_pdf
from dashboard.exports.statement_tables import credit_ledger, credit_lots
from dashboard.views.credits import units_of
from dashboard.views.markup import joined
from dashboard.views.statement_paper import statement_paper
from dashboard.views.wording import line_quantity
from dashboard.words import speak
from data.brand import load_brand
from data.credit_ledger import ledger_lines, lot_stories
from data.credits import Buys
from data.outlook import DayRange
from data.overview import Freshness
from data.projection.fan import Fan
from data.settings import ROOT
from data.statement import Status, statement
from data.statement_archive import closed_bills
from tests.bills import MARCH, agreed, credit_price, overage
from tests.stores import (
    ACME,
    BETA,
    close_on,
    credit_row,
    customers,
    noon,
    on_plan,
    sms_days,
    version,
)

BRAND = load_brand(ROOT / "brand.toml")
TODAY = date(2026, 3, 20)
FRESH = Freshness(noon(TODAY), noon(TODAY), date(2026, 3, 16), stale=False)
LIGHT = look("light", "#0b7a75")


class Visit:
    """What a paper wants to know of a visit."""

    brand, language = BRAND, "en"

    class viewer:
        class customer:
            name = "Acme"


@pytest.fixture
def two(store):
    """Acme is beyond its bundle in dollars, Beta draws credits in euros."""
    bundle = agreed(overage("small"), plan="bundle")
    credits = agreed(credit_price(), plan="credits", currency="EUR")
    store.put(version(bundle), version(credits), *customers())
    store.put(on_plan(ACME, bundle), on_plan(BETA, credits))
    store.put(credit_row(BETA, "pack", date(2026, 1, 1), currency="EUR"))
    for owner in (ACME, BETA):
        store.put(*sms_days(owner, MARCH.start, [7] * 20))
    return store


def text_of(content: bytes) -> str:
    pages = PdfReader(BytesIO(content)).pages
    return " ".join("\n".join(page.extract_text() for page in pages).split())


def paper(store, scope, today=TODAY, language="en"):
    speak(language)
    bill = statement(scope, "main", MARCH, today=today)
    own = next((one for one in closed_bills(scope, "main") if one.start == MARCH.start), None)
    return bill, as_pdf(statement_paper(Visit(), bill, FRESH, own), BRAND)


@pytest.mark.parametrize("owner", ["acme", "beta"])
def test_the_amounts_on_paper_are_the_statements(two, owner):
    bill, content = paper(two, getattr(two, owner))
    text = text_of(content)
    assert "So far, not final" in text
    for line in bill.lines:
        assert money(line.amount, bill.currency) in text
        assert line_quantity(line) in text
    assert f"Total so far {money(bill.total, bill.currency)}" in text


@pytest.mark.parametrize(("owner", "other"), [("acme", "€"), ("beta", "$")])
def test_no_paper_has_the_others_currency_or_any_cost(two, owner, other):
    text = text_of(paper(two, getattr(two, owner))[1])
    assert other not in text
    assert [word for word in ("cost", "margin", "1.40") if word in text.lower()] == []


def test_a_final_paper_bears_its_whole_hash_and_is_the_same_file_twice(two):
    close_on(two, date(2026, 4, 12))
    bill, first = paper(two, two.acme, today=date(2026, 4, 12))
    _, again = paper(two, two.acme, today=date(2026, 9, 1))
    assert bill.status is Status.FINAL
    assert bill.content_hash in text_of(first)
    assert "not final" not in text_of(first)
    assert first == again


def test_a_downloaded_ledger_is_exact_and_adds_up(two):
    lines = ledger_lines(two.beta, "main", through=TODAY)
    table = credit_ledger(lines, {"pack": "Pack"})
    at = table.columns.index("Credits, exact")
    exact = [Fraction(str(row[at])) for row in table.rows]
    assert sum(exact) == lines[-1].balance == 100 - Fraction(140, 5)
    assert len(as_csv(table).splitlines()) == len(lines) + 1


def test_lots_that_are_downloaded_are_the_customers_own(two):
    lines = ledger_lines(two.beta, "main", through=TODAY)
    table = credit_lots(lot_stories(two.beta, "main", lines, through=TODAY), None)
    assert [row[:3] for row in table.rows] == [("pack", "pack", "open")]
    assert ledger_lines(two.acme, "main", through=TODAY) == ()


def fan(*days: date) -> Fan:
    falling = tuple(D(10 * n) for n in reversed(range(len(days))))
    return Fan(days, falling, falling, falling)


@pytest.mark.parametrize(
    ("days", "left", "ahead"),
    [
        ((), (), None),
        ((TODAY,), (D(5),), None),
        ((TODAY,), (D(20),), fan(date(2026, 3, 21), date(2026, 3, 22), date(2026, 3, 23))),
        ((TODAY,), (D(0),), None),
    ],
    ids=["nothing", "one day", "a course ahead", "used up"],
)
def test_the_burn_down_says_what_it_shows(days, left, ahead):
    chart = burn_down(days, left, ahead, LIGHT, expiries=[date(2026, 3, 22)])
    assert chart.alt.startswith("Credits burning down")
    assert chart.figure.layout.height
    go.Figure(chart.figure.to_dict())  # ValueError names a property that plotly does not know


def test_the_band_of_the_run_out_covers_its_days():
    when = DayRange(date(2026, 3, 21), date(2026, 3, 22), date(2026, 3, 23))
    chart = burn_down(
        (TODAY,), (D(20),), fan(*[date(2026, 3, n) for n in (21, 22, 23)]), LIGHT, runs_out=when
    )
    (band,) = chart.figure.layout.shapes
    assert (band.x0, band.x1) == ("2026-03-21", "2026-03-24")
    assert "21–23 Mar" in chart.alt


def test_one_unit_is_one_in_every_language():
    """A unit that was translated before it is counted has no form for one."""
    buys = Buys("sms", "SMS", "SMS segments", D(1))
    for language, said in (("en", "1 SMS segment"), ("de", "1 SMS-Segment")):
        speak(language)
        assert f">{said}<" in joined(units_of([buys]))
    speak("en")
