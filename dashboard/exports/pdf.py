"""A statement on paper: A4, in the ISV's brand, page x of y, the head of its table on every page.

What stands in it is decided by whoever makes the `Paper`; here it is only laid out.  Equal papers
give equal bytes: the file's date is the paper's, and nothing else is read from a clock.  The font
is Source Sans (SIL Open Font License), which comes with Streamlit, cut down to what is written in
Latin, Greek and Cyrillic and embedded, so that the text can be searched and copied.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Literal

from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped] # has no types
from fontTools.ttLib import TTFont  # type: ignore[import-untyped] # has no types
from fontTools.varLib.instancer import instantiateVariableFont  # type: ignore[import-untyped] # untyped
from fpdf import FPDF
from fpdf.enums import MethodReturnValue

from data.brand import Brand

FONT = "SourceSansVF-Upright*.woff2"
WEIGHTS = {"": 400, "B": 600}
LETTERS = (
    *((0x20, 0x250), (0x370, 0x530)),  # Latin, Greek, Cyrillic
    *((0x2000, 0x2070), (0x20A0, 0x20C0), (0x2212, 0x2213)),  # marks, currencies, minus
)
TABLES = ("GDEF", "GPOS", "GSUB", "HVAR", "MVAR", "STAT")  # of no use in a file laid out here
MARGIN, WIDTH, FOOT = 18.0, 174.0, 24.0  # millimetres on A4
COLUMNS = (94.0, 26.0, 27.0, 27.0)
SMALL, PLAIN, LARGE = 8.5, 10.0, 20.0  # points
INK, SOFT, LINE = (23, 27, 31), (89, 99, 110), (214, 219, 224)
GAP = 3.0  # between a text and its column's end


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; a heading and a total have fewer cells.  `notes` stand under the first.

    A `part` belongs to the line above it and never begins a page.
    """

    cells: tuple[str, ...]
    kind: Literal["line", "part", "heading", "total"] = "line"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """All of its texts are ready to be read; `page` has {page} and {pages} to be filled."""

    title: str
    name: str  # whose it is
    period: str
    status: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]  # above the table
    columns: tuple[str, str, str, str]
    rows: tuple[Row, ...]
    foot: tuple[str, ...]  # on every page
    page: str
    written_at: datetime  # with its zone
    language: str


def as_pdf(paper: Paper, brand: Brand) -> bytes:
    with _fonts() as fonts:
        sheet = _Sheet(paper, brand, fonts)
        sheet.add_page()
        sheet.opening()
        sheet.rows(paper.rows)
        return bytes(sheet.output())


class _Sheet(FPDF):
    """The file as it grows; FPDF calls `header` and `footer` for each page."""

    def __init__(self, paper: Paper, brand: Brand, fonts: Path) -> None:
        super().__init__(format="A4")
        self.paper, self.brand = paper, brand
        for style in WEIGHTS:
            self.add_font("text", style, fonts / f"text{style}.ttf")
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0.0  # texts begin where the rules do
        self.set_auto_page_break(False)
        self.set_creation_date(paper.written_at)
        self.set_title(f"{paper.title} · {paper.period} · {paper.name}")
        self.set_author(brand.name)
        self.set_creator(brand.product)
        self.set_lang(paper.language)
        self.set_text_shaping(False)

    @property
    def end(self) -> float:
        """Where the room of a page ends."""
        return float(self.h) - FOOT - 4

    def style(self, size: float, colour: Sequence[int] = INK, weight: str = "") -> None:
        self.set_font("text", weight, size)
        self.set_text_color(*colour)

    def say(self, text: str, width: float, height: float, align: str = "L") -> None:
        """A line of text from here on; the next one begins behind it."""
        self.cell(width, height, text, align=align)

    def header(self) -> None:
        if self.page_no() == 1:
            return
        self.style(SMALL, SOFT)
        paper = self.paper
        self.say(f"{self.brand.name} · {paper.title} · {paper.period}", WIDTH / 2, 5)
        self.say(f"{paper.name} · {paper.status}", WIDTH / 2, 5, "R")
        self.set_xy(MARGIN, MARGIN + 9)
        self.table_head()

    def footer(self) -> None:
        self.rule(self.h - FOOT, LINE)
        self.set_xy(MARGIN, self.h - FOOT + 2)
        self.style(SMALL - 0.5, SOFT)
        for text in self.paper.foot:
            self.multi_cell(WIDTH - 34, 4, text, new_x="LMARGIN", new_y="NEXT", align="L")
        self.set_xy(MARGIN + WIDTH - 34, self.h - FOOT + 2)
        self.say(self.paper.page.format(page=self.page_no(), pages="{nb}"), 34, 4, "R")

    def rule(self, at: float, colour: Sequence[int], width: float = 0.2) -> None:
        self.set_draw_color(*colour)
        self.set_line_width(width)
        self.line(MARGIN, at, MARGIN + WIDTH, at)

    def opening(self) -> None:
        """The head of the first page: brand, whose, which period, what state it is in."""
        paper, accent = self.paper, _rgb(self.brand.accent.light)
        self.image(self.brand.logo, MARGIN, MARGIN - 4, h=11, keep_aspect_ratio=True)
        self.set_xy(MARGIN + 14, MARGIN - 4)
        self.style(PLAIN + 2, weight="B")
        self.say(self.brand.name, WIDTH - 14, 11)
        self.rule(MARGIN + 11, accent, 0.8)
        self.set_xy(MARGIN, MARGIN + 16)
        self.style(LARGE, weight="B")
        self.multi_cell(WIDTH, 9, paper.title, new_x="LMARGIN", new_y="NEXT")
        self.style(PLAIN + 2, SOFT)
        self.multi_cell(WIDTH, 7, f"{paper.name} · {paper.period}", new_x="LMARGIN", new_y="NEXT")
        self.style(PLAIN + 1, accent, "B")
        self.multi_cell(WIDTH, 8, paper.status, new_x="LMARGIN", new_y="NEXT")
        self.ln(2)
        for name, value in paper.facts:
            self.style(PLAIN - 0.5, SOFT)
            self.say(name, 44, 5.6)
            self.style(PLAIN - 0.5)
            self.multi_cell(WIDTH - 44, 5.6, value, new_x="LMARGIN", new_y="NEXT", align="L")
        for text in paper.notes:
            self.style(PLAIN - 0.5, SOFT)
            self.multi_cell(WIDTH, 5.2, text, new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(5)
        self.table_head()

    def table_head(self) -> None:
        self.style(SMALL, SOFT, "B")
        for number, (name, width) in enumerate(zip(self.paper.columns, COLUMNS, strict=True)):
            self.say(name, width, 6, "R" if number else "L")
        self.ln(6)
        self.rule(self.get_y(), LINE, 0.4)
        self.ln(1.5)

    def rows(self, rows: Sequence[Row]) -> None:
        for number, row in enumerate(rows):
            if self.get_y() + self._needed(rows, number) > self.end:
                self.add_page()
            self._row(row)

    def _needed(self, rows: Sequence[Row], number: int) -> float:
        """A heading goes with its first line, the total with the last one, a line with its part."""
        height, kind = self._height(rows[number]), rows[number].kind
        following = rows[number + 1] if number + 1 < len(rows) else None
        if following and (kind == "heading" or following.kind in ("part", "total")):
            height += self._height(following)
        return height

    def _height(self, row: Row) -> float:
        notes = sum(self._lines(note, SMALL, 4.2, self._room(row)) for note in row.notes)
        space = {"heading": 5.0, "total": 4.0}.get(row.kind, 1.8)
        return self._lines(row.cells[0], self._size(row), 5, self._room(row)) + notes + space

    def _lines(self, text: str, size: float, height: float, width: float) -> float:
        self.style(size)
        found = self.multi_cell(width, height, text, dry_run=True, output=MethodReturnValue.HEIGHT)
        return float(str(found))

    @staticmethod
    def _size(row: Row) -> float:
        return {"part": SMALL, "heading": SMALL + 0.5, "total": PLAIN + 1}.get(row.kind, PLAIN)

    @staticmethod
    def _room(row: Row) -> float:
        """For the first cell: as wide as what follows it leaves."""
        return WIDTH - sum(COLUMNS[len(COLUMNS) - len(row.cells) + 1 :]) - GAP

    def _row(self, row: Row) -> None:
        if row.kind == "total":
            self.rule(self.get_y() + 1, INK, 0.4)
            self.ln(2.5)
        elif row.kind == "heading":
            self.ln(3)
        self._cells(row)
        for note in row.notes:
            self.style(SMALL, SOFT)
            self.multi_cell(self._room(row), 4.2, note, new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(0.9)
        if row.kind in ("line", "heading"):
            self.rule(self.get_y(), LINE, 0.1)
        self.ln(0.9)

    def _cells(self, row: Row) -> None:
        size, top, room = self._size(row), self.get_y(), self._room(row)
        colour = SOFT if row.kind in ("heading", "part") else INK
        self.style(size, colour, "B" if row.kind == "total" else "")
        widths = COLUMNS[len(COLUMNS) - len(row.cells) + 1 :]
        indent = 4.0 if row.kind == "part" else 0.0
        self.set_x(MARGIN + indent)
        self.multi_cell(room - indent, 5, row.cells[0], new_x="LMARGIN", new_y="NEXT", align="L")
        below = self.get_y()
        self.set_xy(MARGIN + room + GAP, top)
        for text, width in zip(row.cells[1:], widths, strict=True):
            self.say(text, width, 5, "R")
        self.set_xy(MARGIN, below)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@contextmanager
def _fonts() -> Iterator[Path]:
    """The fonts as files while one paper is laid out: FPDF reads no others."""
    with _once:
        fonts = _cut()
    with TemporaryDirectory() as folder:
        for style, content in fonts.items():
            Path(folder, f"text{style}.ttf").write_bytes(content)
        yield Path(folder)


_once = Lock()  # a second download waits for the fonts instead of cutting them again


@lru_cache(maxsize=1)
def _cut() -> dict[str, bytes]:
    """The font in two weights: 2 s of work, once a process."""
    installed = find_spec("streamlit")
    folder = Path(str(installed.origin if installed else "")).parent
    whole = TTFont(next(folder.glob(f"static/static/media/{FONT}")), recalcTimestamp=False)
    options = Options(layout_features=[], notdef_outline=True)
    options.drop_tables += TABLES
    cutter = Subsetter(options)
    cutter.populate(unicodes=[code for first, end in LETTERS for code in range(first, end)])
    cutter.subset(whole)
    whole.flavor = None
    return {style: _weighing(_saved(whole), weight) for style, weight in WEIGHTS.items()}


def _weighing(variable: bytes, weight: int) -> bytes:
    font = TTFont(BytesIO(variable), recalcTimestamp=False)
    return _saved(instantiateVariableFont(font, {"wght": weight}))


def _saved(font: TTFont) -> bytes:
    target = BytesIO()
    font.save(target)
    return target.getvalue()
