"""Labels of statement lines: the engine's English, read in the language of whoever looks."""

import ast

import pytest

from dashboard import words
from dashboard.exports.line_labels import FIXED, translated
from data.settings import ROOT


@pytest.fixture
def german():
    words.speak("de")
    yield
    words.speak("en")


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Within the allowance", "Im Kontingent"),
        ("Units 1,001–2,000", "Einheiten 1.001–2.000"),
        ("Above 2,000.5", "Über 2.000,5"),
        ("Flat fee: Units 1–100", "Pauschale: Einheiten 1–100"),
        ("Flat fee: All units", "Pauschale: Alle Einheiten"),
        ("Packages of 1,000", "Pakete zu 1.000"),
        ("12.5 % off", "12,5 % Rabatt"),
        ("VAT 7.25 %", "VAT 7,25 %"),
        ("Large, voided", "Large, storniert"),
        ("Usage of sms", "Nutzung von sms"),
        ("Goodwill of May", "Goodwill of May"),
    ],
)
def test_a_label_with_values_is_said_in_the_language(german, label, said):
    assert translated(label) == said


@pytest.mark.parametrize(
    "label", [*FIXED, "Units 1,001–2,000", "12.5 % off", "VAT 7.25 %", "Large"]
)
def test_in_english_a_label_is_what_the_engine_wrote(label):
    assert translated(label) == label


def test_every_fixed_label_of_the_engine_is_known():
    written = set()
    for file in (ROOT / "data" / "pricing").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Line", "Piece"):
                written |= {one.value for one in node.args[1:2] if isinstance(one, ast.Constant)}
            if isinstance(node, ast.Assign) and "label" in ast.unparse(node.targets[0]):
                found = [one for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
                capital = (one.value for one in found if str(one.value)[:1].isupper())
                written |= {text for text in capital if not text.endswith((": ", " "))}
    assert len(written) >= 10
    assert written <= set(FIXED)
