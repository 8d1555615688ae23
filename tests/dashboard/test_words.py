"""The words: every text a person sees is in the catalogue, and German knows them all."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import words
from dashboard.catalogue import SOURCE, TEMPLATE, extracted, file_of, read, updated, written
from dashboard.charts.formats import counted, decimals, fine_percent, one_of, whole
from dashboard.door import KEPT
from dashboard.views.customers import GOING_TO
from data.settings import ROOT
from tests.staffed import ADMIN, ANNA, app_on, key_of, put_people, text_of
from tests.visible_words import unknown_texts

PLACEHOLDER = re.compile(r"\{\w*\}|%\{[^}]*\}")
TRANSLATED = [language for language in words.LANGUAGES if language != SOURCE]
FILES = sorted((ROOT / "dashboard").rglob("*.py"))
# Not words for people, or not translated on purpose; each with its reason.
FOR_MACHINES = {
    "dashboard/edge.py": "plain answers to programs that come to a wrong host or from another site",
    "dashboard/connect.py": "Twilio's parameters",
    "dashboard/entrance.py": "attributes of cookies",
    "dashboard/frontend.py": "media types and scripts",
    "dashboard/headers.py": "policies",
    "dashboard/edge_live.py": "policies",
    "dashboard/catalogue.py": "the file format of catalogues",
    "dashboard/metrics.py": "metrics, which programs read",
    "dashboard/logs.py": "the log",
    "dashboard/door.py": "names in addresses",
    "dashboard/words.py": "languages, each in its own name",
    "dashboard/oidc_client.py": "the log, and parameters of OpenID Connect",
    "dashboard/sockets.py": "the log and protocol words",
    "dashboard/sync_task.py": "the log",
    "dashboard/access/permission.py": "the table that docs/access.md is made of",
    "dashboard/access/administration.py": "the audit log, which is written in English",
}
ALLOWED = {
    "python -m data backtest",
    "python -m data sync",
    "<code>make run</code>",
    "Bearer ",
    "public, max-age=3600",
    "background: 0 ",
    "d MMM",
    "d. LLL",
    "x unified",
    "width: 0 ",
    '"Source Sans", system-ui, sans-serif',
    "theme. 0 ",
    "theme. 0 .sidebar",
    "theme. 0 .chartCategoricalColors",
    "text 0 .ttf",
    "SourceSansVF-Upright*.woff2",
    "prices. 0 .",
    " 0  UTC",
    " 0   0  UTC",
    " 0  ms",
    " unless stopped: ",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_visible_text_stands_outside_of_the_catalogue(file):
    if file.relative_to(ROOT).as_posix() in FOR_MACHINES:
        return
    found = [(line, text) for line, text in unknown_texts(file) if text not in ALLOWED]
    assert not found, f"give these to _, n_ or N_: {found}"


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('st.button("Save it")', ["Save it"]),
        ('show(note(f"Used {share} of it"))', ["Used  0  of it"]),
        ('st.button(_("Save it"), key="save it now")', []),
        ('tag("p", N_("Save it"), class_="u-note u-warn")', []),
        ('def f():\n    "Save it."\n    return "Not saved yet"', ["Not saved yet"]),
        ('raise NotFound("There is none.")', []),
    ],
    ids=["a label", "a sentence with a value", "marked", "marked for later", "docstring", "error"],
)
def test_the_scan_sees_what_people_would(tmp_path, source, texts):
    file = tmp_path / "page.py"
    file.write_text(source)
    assert [text for _line, text in unknown_texts(file)] == texts


def test_the_catalogue_is_that_of_the_source_as_it_is():
    there = {message.id for message in read(TEMPLATE) if message.id}
    now = {message.id for message in extracted() if message.id}
    assert now == there, "run `make words`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_complete_and_nothing_is_guessed(language):
    known = read(file_of(language), language)
    missing = [message.id for message in updated(extracted(), language) if not _done(message)]
    assert not missing
    assert not [message.id for message in known if message.id and message.fuzzy]


def _done(message):
    if not message.id:
        return True
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(strings) and (len(strings) > 1) == isinstance(message.id, tuple)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_same_placeholders(language):
    wrong = []
    for message in read(file_of(language), language):
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            wanted = set(PLACEHOLDER.findall(ids[-1]))
            wrong += [
                text
                for text in strings
                if text and not _fits(set(PLACEHOLDER.findall(text)), wanted, len(strings))
            ]
    assert not wrong


def _fits(has, wanted, forms):
    """A form for one may leave the number out: "One day"."""
    return has == wanted if forms == 1 else has <= wanted


def _templates_filled():
    """(file, line, placeholders, names given) of each text that is filled where it stands."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
                text, given = node.func.value, node.keywords
            elif getattr(node.func, "id", "") in ("filled", "worded") and node.args:
                text, given = node.args[0], node.keywords
            else:
                continue
            if getattr(getattr(text, "func", None), "id", "") not in ("_", "n_"):
                continue
            texts = [one.value for one in text.args if isinstance(one, ast.Constant)]
            names = {one.arg for one in given}
            if texts and None not in names:  # None: a mapping is spread
                wanted = {name for one in texts for name in re.findall(r"\{(\w+)\}", str(one))}
                yield file.name, node.lineno, wanted, names


def test_every_text_that_is_filled_is_given_all_its_values_and_no_others():
    found = list(_templates_filled())
    assert len(found) > 200
    assert not [one for one in found if one[2] != one[3]]


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_text_with_places_can_be_filled(language):
    words.speak(language)
    wrong = []
    for message in extracted():
        for text in message.id if isinstance(message.id, tuple) else (message.id or "",):
            if "%{" not in text:  # a template of the charts
                said = words._(text)
                names = dict.fromkeys(re.findall(r"\{(\w*)\}", said), "x")
                filled = said.format(**names) if "" not in names else "{"
                wrong += [text] if "{" in filled else []
    words.speak("en")
    assert not wrong


def test_plurals_and_numbers_follow_the_language():
    said = {}
    for language in words.LANGUAGES:
        words.speak(language)
        said[language] = (
            *(counted(number, "minutes") for number in (1, 2)),
            *(counted(1, "parcels"), one_of("messages")),
            *(decimals(1234.5, 1), whole(12345), fine_percent(0.0123)),
        )
    words.speak("en")
    assert said["en"] == (
        *("1 minute", "2 minutes", "1 parcel", "message", "1,234.5", "12,345", "1.2%"),
    )
    assert said["de"] == (
        *("1 Minute", "2 Minuten", "1 parcel", "Nachricht", "1.234,5", "12.345", "1,2\N{NBSP}%"),
    )


def test_no_text_is_not_the_catalogues_head():
    words.speak("de")
    assert words._("") == ""
    words.speak("en")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,en;q=0.5", "en"),
        ("", "en"),
        (None, "en"),
        ("de", "de"),
    ],
)
def test_the_browsers_wish_chooses_a_language(wanted, language):
    assert words.best_language(wanted) == language


def test_every_name_that_a_page_reads_from_its_address_survives_a_sign_in():
    read_there = {name for file in FILES if "views" in file.parts for name in _asked(file)}
    assert read_there <= KEPT, f"add to KEPT in dashboard/door.py: {sorted(read_there - KEPT)}"


def _asked(file: Path):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            owner = ast.unparse(node.func.value)
            reads = (owner, node.func.attr) == ("address", "pick") or (
                owner == "st.query_params" and node.func.attr == "get"
            )
            first = node.args[0]
            if reads and isinstance(first, ast.Constant):
                yield first.value


# A language of brackets: protocol buffers show a bracket by its three bytes


BRACKET = r"⟦|\\342\\237\\246"
PSEUDO = "eo"  # of which there are no texts: each is the English one in brackets
SHOWN = re.compile(
    r'<(h1|h2|p|th|summary)[^>]*class=\\?"u-(?:title|section|summary|note|foot|number)[^>]*>(.*?)</\1>'
)


@pytest.fixture
def brackets(tmp_path, monkeypatch):
    catalogue = extracted()
    for message in catalogue:
        if message.id:
            plural = isinstance(message.id, tuple)
            message.string = (
                tuple(f"⟦{text}⟧" for text in message.id) if plural else f"⟦{message.id}⟧"
            )
    file = tmp_path / PSEUDO / "LC_MESSAGES" / "dashboard.po"
    file.parent.mkdir(parents=True)
    file.write_bytes(written(catalogue))
    monkeypatch.setattr(words, "CATALOGUES", tmp_path)
    monkeypatch.setitem(words.LANGUAGES, PSEUDO, "Brackets")
    monkeypatch.setitem(words.LOCALES, PSEUDO, "en_US")
    words._catalogue.cache_clear()
    yield
    words._catalogue.cache_clear()
    words.speak("en")


@pytest.mark.parametrize(
    ("who", "page"),
    [
        *((ADMIN, page) for page in ("people", "keys", "audit", "sync", "forecasts")),
        *((ANNA, page) for page in ("accounts", "access")),
    ],
    ids=lambda value: str(value),
)
def test_a_page_says_nothing_that_is_not_in_the_catalogue(
    brackets, sqlite_store, monkeypatch, who, page
):
    put_people(sqlite_store)
    with app_on(sqlite_store, monkeypatch):
        test = AppTest.from_file(ROOT / "dashboard" / "main.py", default_timeout=30)
        test.user = {"session": key_of(sqlite_store, who, datetime.now(UTC))}
        test.query_params["lang"] = PSEUDO
        test.run()
        test.session_state[GOING_TO] = page
        text = text_of(test.run())
    said = [part[1] for part in SHOWN.findall(text)]
    said += re.findall(r'^\s*(?:label|placeholder): "(.+)"$', text, re.MULTILINE)
    assert said
    assert not [one for one in said if re.search("[a-z]{3}", one) and not re.search(BRACKET, one)]
