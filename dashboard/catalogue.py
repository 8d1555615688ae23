"""The catalogue of all texts: `python -m dashboard.catalogue` (make words) writes it anew.

What is marked in dashboard/, the constant texts of errors that a page may show, the names of our
own meters and our words on Twilio's error codes go into dashboard.pot; each language's file keeps
its translations, gets what is new empty and loses what is gone.  Nothing is guessed, no line is
numbered: a change stays small.
"""

import ast
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from dashboard.words import CATALOGUES, LANGUAGES
from data import errors
from data.meters import CATALOGUE
from data.service import UNKNOWN_CODE, error_codes
from data.settings import ROOT

TEMPLATE = CATALOGUES / "dashboard.pot"
SOURCE = "en"  # the language of the texts themselves: it has no file
KEYWORDS = {"_": 1, "N_": 1, "n_": 2, "nN_": 2}  # how many texts each is given
NEVER_SHOWN = {"ConfigError", "ScopeViolation"}
AT_THE_COMMAND_LINE = ("commands", "demo", "migrations", "backtest")  # folders of data/
HEADER = "# The texts of the dashboard.  `make words` writes this file; translations are ours.\n#"


def main() -> None:
    found = extracted()
    TEMPLATE.write_bytes(written(found))
    for language in LANGUAGES:
        if language != SOURCE:
            file = file_of(language)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(written(updated(found, language)))


def file_of(language: str) -> Path:
    return CATALOGUES / language / "LC_MESSAGES" / "dashboard.po"


def extracted() -> Catalog:
    """Every text of the source as it is now, without translations."""
    catalogue = _empty(None)
    for file in sorted((ROOT / "dashboard").rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        for text in _marked(file):
            catalogue.add(text, locations=[(name, None)])  # type: ignore[list-item] # None: no line
    for name, text in (*_errors(), *_meters(), *_error_codes()):
        catalogue.add(text, locations=[(name, None)])  # type: ignore[list-item] # None: no line
    return catalogue


def updated(template: Catalog, language: str) -> Catalog:
    """The language's translations of the texts there are; new ones are empty."""
    known = read(file_of(language), language)
    catalogue = _empty(language)
    for message in template:
        if message.id:
            before = known.get(message.id)
            same = before is not None and before.id == message.id
            catalogue.add(message.id, before.string if same and before else None, message.locations)
    return catalogue


def read(file: Path, language: str | None = None) -> Catalog:
    if not file.exists():
        return _empty(language)
    with file.open("rb") as source:
        return read_po(source, locale=language)


def _empty(language: str | None) -> Catalog:
    return Catalog(language, project="dashboard", header_comment=HEADER, charset="utf-8")


def written(catalogue: Catalog) -> bytes:
    """Without the dates and addresses that would change with every run."""
    target = BytesIO()
    write_po(target, catalogue, width=100, sort_output=True, omit_header=True, include_lineno=False)
    plural = f'"Plural-Forms: {catalogue.plural_forms}\\n"\n' if catalogue.locale else ""
    language = f'"Language: {catalogue.locale}\\n"\n' if catalogue.locale else ""
    kind = '"Content-Type: text/plain; charset=utf-8\\n"\n'
    return f'{HEADER}\nmsgid ""\nmsgstr ""\n{language}{kind}{plural}\n'.encode() + target.getvalue()


def _marked(file: Path) -> Iterator[str | tuple[str, ...]]:
    """As Babel's own extraction, which does not look into f-strings before Python 3.12."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and (number := KEYWORDS.get(getattr(node.func, "id", ""))):
            values = [one.value for one in node.args if isinstance(one, ast.Constant)][:number]
            texts = [value for value in values if isinstance(value, str)]
            if len(texts) == number:
                yield texts[0] if number == 1 else tuple(texts)


def _errors() -> Iterator[tuple[str, str]]:
    """Constant texts of errors that reach a page: raise NotFound("There is …")."""
    kinds = _kinds(errors.AppError) - NEVER_SHOWN
    folders = (ROOT / "data", ROOT / "dashboard")
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        place = file.relative_to(ROOT)
        if place.parts[1] in AT_THE_COMMAND_LINE:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and (text := _text_of(node.exc, kinds)):
                yield place.as_posix(), text


def _kinds(kind: type[errors.AppError]) -> set[str]:
    """Those of data/errors.py, whatever else has been imported."""
    below = (one for one in kind.__subclasses__() if one.__module__ == errors.__name__)
    return {kind.__name__}.union(*(_kinds(one) for one in below))


def _text_of(raised: ast.expr | None, kinds: set[str]) -> str | None:
    if not isinstance(raised, ast.Call) or not raised.args:
        return None
    name, first = getattr(raised.func, "id", ""), raised.args[0]
    shown = name in kinds and isinstance(first, ast.Constant) and isinstance(first.value, str)
    return first.value if shown and isinstance(first, ast.Constant) else None  # type: ignore[return-value]


def _meters() -> Iterator[tuple[str, str]]:
    """Our own meters alone: Twilio's 648 categories keep Twilio's names, as an ISV's meters do."""
    for meter in CATALOGUE.values():
        yield "data/meters.py", meter.label
        yield "data/meters.py", meter.unit


def _error_codes() -> Iterator[tuple[str, str]]:
    for code in (*error_codes().values(), UNKNOWN_CODE):
        for text in (code.title, code.happened, code.advice):
            yield "data/service.py", text


if __name__ == "__main__":
    main()
