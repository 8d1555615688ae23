"""The words of the app, in the language of whoever looks.

`_` and `n_` take the English text, which is the key of the catalogues in translations/; N_ and nN_
only mark what is translated later (`make words` finds all four).
The language belongs to the run of one page or request, never to the process: whatever runs apart
from its page (a fragment, a dialog, a download) begins with `speak`.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
LOCALES: Mapping[str, str] = {"en": "en_US", "de": "de_DE"}  # how numbers and days are written
CATALOGUES = Path(__file__).parent / "translations"

_spoken: ContextVar[str] = ContextVar("language", default="en")


def speak(language: str) -> None:
    """From here on in this thread; a language without a catalogue is English."""
    _spoken.set(language if language in LANGUAGES else "en")


def language() -> str:
    return _spoken.get()


def locale() -> str:
    return LOCALES[_spoken.get()]


def best_language(wanted: str | None) -> str:
    """For what a browser asks for: "de-AT" or "de-AT,de;q=0.9,en;q=0.8" -> "de"."""
    asked = [one.split(";")[0].strip() for one in (wanted or "").split(",")]
    return negotiate_locale(asked, list(LANGUAGES), sep="-") or "en"


def _(text: str) -> str:
    """The text in the language spoken; one that no catalogue knows, such as a name, stays."""
    return _catalogue(_spoken.get()).gettext(text) if text else text  # "" is gettext's header


def n_(one: str, many: str, number: float | Decimal) -> str:
    """The form for a number: n_("{n} day", "{n} days", 3); a fraction is never one."""
    whole = int(number) if number == int(number) else 2
    return _catalogue(_spoken.get()).ngettext(one, many, whole)


def N_(text: str) -> str:
    return text


def nN_(one: str, many: str) -> tuple[str, str]:
    return one, many


@lru_cache
def _catalogue(spoken: str) -> NullTranslations:
    """Compiled when it is first asked for: no generated file can be older than its source."""
    path = CATALOGUES / spoken / "LC_MESSAGES" / "dashboard.po"
    if not path.exists():
        return NullTranslations()  # English is its own catalogue
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=spoken))
    compiled.seek(0)
    return GNUTranslations(compiled)
