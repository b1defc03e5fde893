"""Pages of paper that are filled from top to bottom: text, tables and pictures, written as PDF by matplotlib.

Lines and letters stay lines and letters: text can be searched and copied. Nothing here needs a display. Lengths are in
millimetres from the top left, sizes of letters in points. Fonts are matplotlib's own (DejaVu Sans), so that a page
looks the same everywhere; a letter that they lack is shown as �.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import sleepviewer
from sleepviewer.reports.html import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ft2font import FT2Font

Align = Literal["left", "right", "center"]
Family = Literal["DejaVu Sans", "DejaVu Sans Mono"]

PAPERS: Final = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Width and height of a sheet by its name."""

MARGIN: Final = 15.0
SMALL: Final = 7.5
_FOOT: Final = 8.0
_MM: Final = 25.4  # in an inch
_PT: Final = _MM / 72
_LINE: Final = 1.42  # times the size of letters
_CELL: Final = 1.3  # beside the text of a cell, on either side
_WIDEST_HEAD: Final = 34.0
_INK: Final = "#1a1a1a"
_PALE: Final = "#6b6b6b"
_RULE: Final = "#c8c8c8"
_SHADE: Final = (0x3F, 0x86, 0xC9)
_SANS: Final[Family] = "DejaVu Sans"


@dataclass(frozen=True, slots=True)
class Paper:
    """A kind of sheet; ``head`` is repeated on top of every page, ``simulated`` marks it there as no person's."""

    name: str
    head: str
    simulated: bool = False

    @property
    def width(self) -> float:
        """Between the margins."""
        return PAPERS[self.name][0] - 2 * MARGIN

    @property
    def bottom(self) -> float:
        """Where a page ends."""
        return PAPERS[self.name][1] - MARGIN - _FOOT


class Sheets:
    """The pages of a document; what does not fit on one goes to the next. :meth:`write` ends it.

    To be made, filled and written within :func:`own_settings`.
    """

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self._figures: list[Figure] = []
        self.y = 0.0
        self.break_page()

    # -- what fills a page

    def break_page(self) -> None:
        """Begin a page."""
        from matplotlib.figure import Figure

        width, height = PAPERS[self.paper.name]
        self._figures.append(Figure(figsize=(width / _MM, height / _MM)))
        self.y = MARGIN
        self._place(MARGIN, MARGIN - 4, clip(self.paper.head, 120, SMALL), SMALL, colour=_PALE)
        if self.paper.simulated:
            self._place(MARGIN + self.paper.width, MARGIN - 4, "SIMULATED", SMALL, align="right", bold=True)
        self.y += 3

    def need(self, height: float) -> None:
        """Go on to the next page where less than this is left of this one."""
        if self.y + height > self.paper.bottom:
            self.break_page()

    def space(self, height: float) -> None:
        """Leave room."""
        self.y += height

    def heading(self, text: str, size: float, *, keep: float = 25.0) -> None:
        """Write a heading that is not parted from the ``keep`` millimetres after it."""
        lines = wrap(text, self.paper.width, size, bold=True)
        self.need(len(lines) * size * _PT * _LINE + keep)
        self.space(0.18 * size)
        for line in lines:
            self._line(line, size, bold=True)
        self.space(0.8)

    def prose(self, text: str, *, size: float = 8.5, indent: float = 0.0, bullet: bool = False) -> None:
        """Write a sentence or more, in as many lines as it takes."""
        for place, line in enumerate(wrap(text, self.paper.width - indent - 3 * bullet, size)):
            self.need(size * _PT * _LINE)
            if bullet and not place:
                self._place(MARGIN + indent, self.y, "•", size)
            self._line(line, size, indent=indent + 3 * bullet)
        self.space(0.8)

    def typed(self, lines: Sequence[str], *, size: float = 8.0) -> None:
        """Write lines of letters of one width, which are not parted."""
        self.need(len(lines) * size * _PT * _LINE)
        for line in lines:
            self._line(line, size, family="DejaVu Sans Mono")

    def legend(self, entries: Sequence[tuple[str, str]], *, size: float = SMALL) -> None:
        """Write words, each beside a block of its colour."""
        self.need(size * _PT * _LINE)
        x = MARGIN + 12
        for colour, words in entries:
            self._block(x, self.y + 0.4, 2.2, 2.2, colour)
            self._place(x + 3.2, self.y, words, size)
            x += width_of(words, size) + 9
        self.space(size * _PT * _LINE + 1)

    def picture(
        self, height: float, draw: Callable[[Axes], None], *, name: str = "", left: float = 12.0, below: float = 6.0
    ) -> None:
        """Give ``draw`` axes as wide as the page, ``left`` less for what it writes at their left edge.

        ``name`` is written above them; ``below`` is left for what it writes under them.
        """
        above = SMALL * _PT * _LINE if name else 0.0
        self.need(above + height + below)
        if name:
            self._place(MARGIN + left, self.y, clip(name, self.paper.width - left, SMALL, bold=True), SMALL, bold=True)
            self.space(above)
        page_width, page_height = PAPERS[self.paper.name]
        bottom = page_height - self.y - height
        place = (MARGIN + left) / page_width, bottom / page_height
        axes = self._figures[-1].add_axes((*place, (self.paper.width - left) / page_width, height / page_height))
        axes.tick_params(labelsize=6.5, length=1.5, width=0.4, colors=_INK, pad=2)
        for spine in axes.spines.values():
            spine.set(linewidth=0.4, color=_PALE)
        draw(axes)
        self.space(height + below)

    def side_by_side(self, columns: Sequence[Sequence[Grid]], *, size: float = SMALL, gap: float = 4.0) -> None:
        """Write columns of tables beside each other, as many as fit, the rest below."""
        row: list[tuple[float, Sequence[Grid]]] = []
        x = 0.0
        for column in columns:
            width = max(sum(_widths(grid, size, self.paper.width)) for grid in column)
            if row and x + width > self.paper.width:
                self._row(row, size)
                row, x = [], 0.0
            row.append((x, column))
            x += width + gap
        self._row(row, size)

    def table(self, grid: Grid, *, size: float = SMALL) -> None:
        """Write a table, its heads again on every page that it goes on to."""
        height, first = size * _PT * _LINE + 1.1, 0
        self.need(5 * height)
        while True:
            room = int((self.paper.bottom - self.y) / height) - 1 - bool(grid.caption)
            part = Grid(grid.heads, grid.rows[first : first + room], grid.caption, grid.left)
            self.y += self._grid(0.0, self.y, part, grid, size)
            first += room
            if first >= len(grid.rows):
                break
            self.break_page()
        self.space(2)

    # -- the end

    def write(self, file: BinaryIO, title: str) -> int:
        """Write all pages as PDF, numbered; return how many there are."""
        from matplotlib.backends.backend_pdf import PdfPages

        program = f"SleepViewer {sleepviewer.__version__}"
        # Without the time of writing: the same night gives the same file.
        facts = {"Title": printable(title), "Creator": program, "CreationDate": None}
        with PdfPages(file, metadata=facts) as pdf:
            for number, figure in enumerate(self._figures, 1):
                y = self.paper.bottom + _FOOT - 2
                self._place(MARGIN, y, program, SMALL, colour=_PALE, figure=figure)
                of = f"page {number} of {len(self._figures)}"
                right = MARGIN + self.paper.width
                self._place(right, y, of, SMALL, align="right", colour=_PALE, figure=figure)
                pdf.savefig(figure)
        return len(self._figures)

    # -- parts

    def _line(self, text: str, size: float, *, indent: float = 0.0, bold: bool = False, family: Family = _SANS) -> None:
        self._place(MARGIN + indent, self.y, text, size, bold=bold, family=family)
        self.space(size * _PT * _LINE)

    def _place(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        align: Align = "left",
        bold: bool = False,
        colour: str = _INK,
        family: Family = _SANS,
        figure: Figure | None = None,
    ) -> None:
        """Write one line whose top is at ``y``."""
        width, height = PAPERS[self.paper.name]
        (figure or self._figures[-1]).text(
            x / width,
            1 - (y + size * _PT) / height,
            printable(text),
            fontsize=size,
            horizontalalignment=align,
            verticalalignment="baseline",
            fontweight="bold" if bold else "normal",
            color=colour,
            fontfamily=family,
            parse_math=False,
        )

    def _block(self, x: float, y: float, across: float, down: float, colour: Any) -> None:
        from matplotlib.patches import Rectangle

        width, height = PAPERS[self.paper.name]
        figure = self._figures[-1]
        place = (x / width, 1 - (y + down) / height)
        figure.add_artist(
            Rectangle(
                place, across / width, down / height, transform=figure.transFigure, color=colour, linewidth=0, zorder=-1
            )
        )

    def _rule(self, x: float, y: float, across: float) -> None:
        from matplotlib.lines import Line2D

        width, height = PAPERS[self.paper.name]
        figure, level = self._figures[-1], 1 - y / height
        ends = [x / width, (x + across) / width]
        figure.add_artist(Line2D(ends, [level, level], linewidth=0.4, color=_RULE, transform=figure.transFigure))

    def _row(self, row: Sequence[tuple[float, Sequence[Grid]]], size: float) -> None:
        height = size * _PT * _LINE + 1.1

        def height_of(column: Sequence[Grid]) -> float:
            return sum((len(grid.rows) + 1 + bool(grid.caption)) * height + 3 for grid in column)

        self.need(max(height_of(column) for _, column in row))
        for x, column in row:
            y = self.y
            for grid in column:
                y += self._grid(x, y, grid, grid, size) + 3
        self.space(max(height_of(column) for _, column in row))

    def _grid(self, x: float, y: float, grid: Grid, whole: Grid, size: float) -> float:
        """Write a table at ``x`` from the margin, its columns as wide as the ``whole`` one's; return its height."""
        widths = _widths(whole, size, self.paper.width)
        height, top, left = size * _PT * _LINE + 1.1, y, MARGIN + x
        if grid.caption:
            self._place(left + _CELL, y, clip(grid.caption, sum(widths), size, bold=True), size, bold=True)
            y += height
        if any(grid.heads):
            for column, head in enumerate(grid.heads):
                self._in_cell(
                    left + sum(widths[:column]), y, widths[column], head, size, grid.is_text(column), bold=True
                )
            y += height
        for row in grid.rows:
            self._rule(left, y - 0.3, sum(widths))
            for column, cell in enumerate(row):
                at = left + sum(widths[:column])
                if cell.shade is not None:
                    share = 0.7 * cell.shade
                    colour = tuple((255 + share * (part - 255)) / 255 for part in _SHADE)
                    self._block(at, y - 0.3, widths[column], height, colour)
                self._in_cell(at, y, widths[column], cell.shown, size, whole.is_text(column), bold=cell.head)
            y += height
        self._rule(left, y - 0.3, sum(widths))
        return y - top

    def _in_cell(
        self, x: float, y: float, width: float, text: str, size: float, left: bool, *, bold: bool = False
    ) -> None:
        shown = clip(text, width - 2 * _CELL + 0.1, size, bold=bold)
        if left:
            self._place(x + _CELL, y + 0.4, shown, size, bold=bold)
        else:
            self._place(x + width - _CELL, y + 0.4, shown, size, align="right", bold=bold)


def _widths(grid: Grid, size: float, most: float) -> list[float]:
    """Return how wide each column must be, all of them at most ``most``: the widest gives way."""
    widths = []
    for column, head in enumerate(grid.heads):
        cells = max((width_of(row[column].shown, size) for row in grid.rows), default=0.0)
        widths.append(max(cells, min(width_of(head, size, bold=True), _WIDEST_HEAD)) + 2 * _CELL)
    while sum(widths) > most:
        widest = max(range(len(widths)), key=lambda column: widths[column])
        others = [width for column, width in enumerate(widths) if column != widest]
        least = max(most - sum(others), max(others, default=0.0) - 1.0, 4 * _CELL)
        if least >= widths[widest]:  # all are as narrow as each other
            return [most / len(widths)] * len(widths)
        widths[widest] = least
    return widths


# -- letters


def printable(text: str) -> str:
    """Return a text in one line in which every letter can be printed."""
    known = _letters()
    return "".join(c if c in known else " " if c.isspace() else "�" for c in text)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is."""
    return sum(_advance(c, bold) for c in printable(text)) * size * _PT


def clip(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text, shortened in the middle to fit: both ends of a file's name tell something."""
    if width_of(text, size, bold=bold) <= width:
        return text
    kept = len(text)
    while kept > 1:
        kept -= 1
        shown = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
        if width_of(shown, size, bold=bold) <= width:
            return shown
    return "…"


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Return a text in lines that fit; a word that is too long for a line is cut."""
    lines, line = [], ""
    for word in _words(printable(text), width, size, bold):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size, bold=bold) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _words(text: str, width: float, size: float, bold: bool) -> Iterator[str]:
    for word in text.split():
        part = ""
        for letter in word:
            if part and width_of(part + letter, size, bold=bold) > width:
                yield part
                part = ""
            part += letter
        yield part


@cache
def _font(bold: bool) -> FT2Font:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family=_SANS, weight="bold" if bold else "normal")))


@cache
def _letters() -> frozenset[str]:
    return frozenset(chr(code) for code in _font(False).get_charmap() if code >= 0x20 and code != 0x7F)


@cache
def _advance(letter: str, bold: bool) -> float:
    """Return a letter's width as a share of the letters' size."""
    from matplotlib.ft2font import LoadFlags

    font = _font(bold)
    font.set_size(100, 72)
    return float(font.load_char(ord(letter), flags=LoadFlags.NO_HINTING).linearHoriAdvance) / 65536 / 100


@contextmanager
def own_settings() -> Iterator[None]:
    """Make and write pages within this: letters stay letters, whatever a user's own settings of matplotlib are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"pdf.fonttype": 42, "pdf.compression": 6})
        yield
