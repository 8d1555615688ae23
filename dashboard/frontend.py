"""What the browser loads of Streamlit: its page, made the brand's own, and its compressed bundles.

Streamlit never compresses its bundles (10 MB for a first page with a chart, 2.9 MB with brotli)
and titles every page "Streamlit".  The files are the installed package's; streamlit itself is not
imported here.
"""

import gzip
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import brotli  # type: ignore[import-untyped]  # it ships no types

from dashboard.words import _, language
from data.brand import BACKGROUND, Brand, as_text

BROTLI_QUALITY = 9
GZIP_LEVEL = 6
SMALLEST = 1000  # bytes; below, compression gains nothing
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
NO_WHITE_FLASH = (
    "<style>@media (prefers-color-scheme: dark) {"
    f"html {{background: {BACKGROUND['dark']}}}}}</style>"
)
# Else a page's address is taken for the app's first, which costs two requests and two 404s.
BASE = "<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin}</script>"
# In a frame Streamlit asks the page around it to move on, which knows nothing of that: the frame
# itself leaves when the server closes its socket with this word.  And it says that it is a frame:
# where the page around it is on our own site, the cookie of a sign-in comes along with the frame's.
LEAVE_FRAME = """<script>
if (window !== window.parent) {
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(address, ...given) {
      super(`${address}?framed`, ...given);
      this.addEventListener("close", (event) => {
        if (event.reason === "session ended") window.location.replace("/embed/ended");
      });
    }
  };
}
</script>"""
INLINE_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)


STYLES = Path(__file__).parent / "views" / "styles"


def _style_sheet() -> bytes:
    """Of all pages; base.css first, its variables are for all."""
    files = sorted(STYLES.glob("*.css"), key=lambda file: (file.name != "base.css", file.name))
    return b"".join(file.read_bytes() for file in files)


def _installed() -> Path:
    spec = find_spec("streamlit")
    if spec is None or spec.origin is None:
        raise RuntimeError("streamlit is not installed")
    return Path(spec.origin).parent / "static"


def accepted_encoding(accept: str) -> str | None:
    """The better of brotli and gzip that an Accept-Encoding header allows."""
    allowed = set()
    for part in accept.lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        if weight.strip("0.") or not weight:  # ";q=0" is a refusal
            allowed.add(name)
    return next((name for name in ("br", "gzip") if name in allowed), None)


class Frontend:
    """The installed files, each compressed once and kept in memory (6 MB for all of them)."""

    def __init__(self, brand: Brand) -> None:
        root = _installed()
        self.files = {
            f"/{path.relative_to(root).as_posix()}": path
            for path in (root / "static").rglob("*")
            if path.is_file()
        }
        self.font = next((path for path in self.files if "SourceSansVF-Upright" in path), "")
        self.style = _style_sheet()
        self.style_path = f"/brand/app-{sha256(self.style).hexdigest()[:12]}.css"
        self._page = _branded((root / "index.html").read_text(encoding="utf-8"), brand)
        self._page = self._page.replace("{style}", self.style_path)
        self._compressed: dict[tuple[str, str], bytes] = {}
        self._locks: dict[tuple[str, str], Lock] = {}

    @property
    def page(self) -> str:
        """In the language spoken; the page's script cannot change what is said here."""
        words = _("This page needs JavaScript.")
        return self._page.replace("{language}", language()).replace("{no_script}", escape(words))

    @property
    def script_hashes(self) -> Iterator[str]:
        """CSP sources of the page's inline scripts, so that an upgrade cannot break the page."""
        for script in INLINE_SCRIPT.findall(self._page):
            yield f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"

    def content_type(self, path: str) -> str | None:
        """Of files worth compressing; None for fonts and images, which are compressed already."""
        if path == self.style_path:
            return TYPES[".css"]
        file = self.files[path]
        return TYPES.get(file.suffix) if file.stat().st_size >= SMALLEST else None

    def compressed(self, path: str, encoding: str) -> bytes:
        """The file's bytes; the first call for a file takes up to a second: not for the loop."""
        key = (path, encoding)
        with self._locks.setdefault(key, Lock()):
            if key not in self._compressed:
                own = path == self.style_path
                raw = self.style if own else self.files[path].read_bytes()
                self._compressed[key] = (
                    brotli.compress(raw, quality=BROTLI_QUALITY)
                    if encoding == "br"
                    else gzip.compress(raw, GZIP_LEVEL, mtime=0)
                )
        return self._compressed[key]


def _root(brand: Brand) -> str:
    """What the style sheet takes from the brand."""
    name = "".join(f"\\{ord(letter):x} " for letter in brand.product)  # CSS, whatever the letter
    accent = f"light-dark({brand.accent.light},{brand.accent.dark})"
    words = (
        f"light-dark({as_text(brand.accent.light, 'light')},{as_text(brand.accent.dark, 'dark')})"
    )
    return f'<style>:root{{--u-accent:{accent};--u-accent-words:{words};--u-name:"{name}"}}</style>'


def _branded(page: str, brand: Brand) -> str:
    head = f"<title>{escape(brand.title)}</title>{NO_WHITE_FLASH}{_root(brand)}{BASE}{LEAVE_FRAME}"
    changes = {
        r"<html[^>]*>": '<html lang="{language}">',
        r"<title>.*?</title>": head,
        r'<link rel="shortcut icon"[^>]*>': '<link rel="icon" href="/brand/logo.svg" />',
        # The pointer to an interface that is switched off, with its comment.
        r'<!--((?!-->).)*-->\s*<link rel="service-desc"[^>]*>': "",
        r"<noscript>.*?</noscript>": "<noscript>{no_script}</noscript>",
        # After Streamlit's own rules, which go to the head: where both say something, ours counts.
        r"</body>": '<link rel="stylesheet" href="{style}" /></body>',
    }
    for pattern, text in changes.items():
        page, count = re.subn(pattern, text.replace("\\", r"\\"), page, flags=re.DOTALL)
        if count != 1:
            raise RuntimeError(
                f"streamlit's index.html has changed: {pattern} occurs {count} times"
            )
    return page
