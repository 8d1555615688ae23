"""A statement on paper: its numbers are the statement's, its pages are whole, its bytes repeat."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from dashboard.exports.pdf import Paper, Row, as_pdf
from data.brand import load_brand
from data.settings import ROOT

BRAND = load_brand(ROOT / "brand.toml")
HASH = "9f" * 32
PAPER = Paper(
    title="Statement",
    name="Acme",
    period="March 2026",
    status="Final",
    facts=(("Currency", "EUR"),),
    notes=("This statement no longer changes.",),
    columns=("Line", "Quantity", "Price", "Amount, EUR"),
    rows=(
        Row(("Bundle · 1–31 Mar 2026",), "heading"),
        Row(("Overage", "30 SMS segments", "€0.50 each", "€15.00"), notes=("20/31 × €59.99",)),
        Row(("Total", "€64.99"), "total"),
    ),
    foot=("Fingerprint:", HASH),
    page="Page {page} of {pages}",
    written_at=datetime(2026, 4, 6, 12, tzinfo=UTC),
    language="en",
)


def read(content: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(BytesIO(content)).pages]


def long(lines: int) -> Paper:
    rows = [Row((f"Line number {n}", "1", "", f"€{n}.00")) for n in range(1, lines + 1)]
    total = Row(("Total", f"€{sum(range(1, lines + 1))}.00"), "total")
    return replace(PAPER, rows=(Row(("Bundle",), "heading"), *rows, total))


def test_what_stands_on_paper_can_be_read_again():
    (text,) = read(as_pdf(PAPER, BRAND))
    for word in ("Owl Inc.", "Statement", "Acme", "March 2026", "Final", "20/31 × €59.99"):
        assert word in text
    for figure in ("30 SMS segments", "€0.50 each", "€15.00", "€64.99", HASH, "Page 1 of 1"):
        assert figure in text


def test_a_long_statement_repeats_its_head_and_counts_its_pages():
    pages = read(as_pdf(long(120), BRAND))
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Quantity" in text
        assert "Amount, EUR" in text
        assert HASH in text
    everything = "\n".join(pages)
    found = [
        everything.count(f"Line number {n}\n") + everything.count(f"Line number {n} ")
        for n in range(1, 121)
    ]
    assert set(found) == {1}
    assert "€7260.00" in pages[-1]


@pytest.mark.parametrize("lines", range(20, 60))
def test_the_total_never_stands_alone_on_a_page(lines):
    last = read(as_pdf(long(lines), BRAND))[-1]
    assert "Total" in last
    assert f"Line number {lines}" in last


def test_equal_papers_are_equal_files():
    here = as_pdf(PAPER, BRAND)
    words = (
        "import sys; from tests.dashboard.test_pdf import *;"
        "sys.stdout.buffer.write(as_pdf(PAPER, BRAND))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", words]
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert again.stdout == here


def test_the_fonts_are_embedded():
    page = PdfReader(BytesIO(as_pdf(PAPER, BRAND))).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    below = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts]
    assert below
    assert all("/FontFile2" in one.get_object() for one in below)


@pytest.mark.parametrize("name", ["Żółć & Ærø <Ltd>", "Καφές", "Кафе", "a" * 90])
def test_names_of_many_alphabets_stand_as_they_are(name):
    text = "".join(read(as_pdf(replace(PAPER, name=name), BRAND)))
    assert name in text.replace("\n", "")


def test_a_longer_label_takes_more_lines_and_covers_nothing():
    label = "A line with a name that goes on and on " * 6
    rows = (Row((label.strip(), "1", "", "€1.00")), Row(("Next", "2", "", "€2.00")))
    (text,) = read(as_pdf(replace(PAPER, rows=rows), BRAND))
    assert " ".join(text.split()).count("goes on and on") == 6
    assert text.index("€1.00") < text.index("Next")
