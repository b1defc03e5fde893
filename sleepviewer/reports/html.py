"""Pages of HTML that need nothing but themselves: style, pictures and the few lines of script are in them.

They follow the system's light or dark colours. Tables sort by a click on a head; a button copies a command. Without
scripts everything is still there to read. Nothing is fetched: the page forbids it itself.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sleepviewer.reports.colours import variables
from sleepviewer.training.charts import STYLE as CHART_STYLE

DASH: Final = "–"

_STYLE: Final = (
    f"""
:root {{ color-scheme: light dark; --c0: #2f6fb5; --c1: #c2402f; --c2: #777; --cell: 63,134,201; --line: 128,128,128;
  --none: #999; {variables(dark=False)} }}
@media (prefers-color-scheme: dark) {{ :root {{ --c0: #6fb2f0; --c1: #ff8a7a; --c2: #aaa; --none: #888;
  {variables(dark=True)} }} }}
"""
    """body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 84em; padding: 0 1em; }
table { border-collapse: collapse; margin: .6em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid rgba(var(--line),.35); vertical-align: top; }
th { font-weight: 600; } td small { display: block; opacity: .75; white-space: nowrap; }
th[data-sort] { cursor: pointer; } th[aria-sort=ascending]::after { content: " ▲"; }
th[aria-sort=descending]::after { content: " ▼"; } th[data-sort]:focus-visible { outline: 2px solid var(--c0); }
.text { text-align: left; } h1, h2, h3, p, li { overflow-wrap: anywhere; }
td.text { max-width: 44em; overflow-wrap: break-word; } .scroll { overflow: auto; max-height: 34em; }
code, pre { font: 13px/1.3 monospace; }
.scroll thead th { position: sticky; top: 0; background: Canvas; }
.side { display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start; }
figure { margin: .5em 0; } figcaption, caption { text-align: left; font-weight: 600; padding: .2em 0; }
button { font: inherit; font-size: 13px; } nav a { margin-right: 1em; color: var(--c0); } .note { opacity: .8; }
.bar { background: linear-gradient(rgba(var(--cell),.45), rgba(var(--cell),.45)) no-repeat left / var(--share) 100%; }
.shift { color: var(--shift); } .missed { color: var(--missed); } .invented { color: var(--invented); }
.other { color: var(--other); } pre b { font-weight: 700; }
summary { cursor: pointer; } svg .grid { stroke: currentColor; opacity: .2; }
@media print { .scroll { max-height: none; } button { display: none; } }
""" + CHART_STYLE
)

_SCRIPT: Final = """
for (const head of document.querySelectorAll('th[data-sort]')) {
  head.tabIndex = 0;
  const sort = () => {
    const table = head.closest('table'), body = table.tBodies[0], column = head.cellIndex;
    const up = head.getAttribute('aria-sort') !== 'ascending';
    for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const key = row => { const v = row.cells[column].dataset.v ?? row.cells[column].textContent; return v; };
    const rows = [...body.rows].sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === '' || y === '') return (x === '') - (y === '');
      const n = x - y;
      return (up ? 1 : -1) * (Number.isNaN(n) ? x.localeCompare(y) : n);
    });
    body.append(...rows);
  };
  head.addEventListener('click', sort);
  head.addEventListener('keydown', e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); sort(); } });
}
document.addEventListener('click', event => {
  const button = event.target.closest('button[data-copy]');
  if (!button) return;
  const told = button.textContent;
  const done = () => { button.textContent = 'copied'; setTimeout(() => { button.textContent = told; }, 1200); };
  const byHand = () => {
    const area = document.createElement('textarea');
    area.value = button.dataset.copy; document.body.append(area); area.select();
    document.execCommand('copy'); area.remove(); done();
  };
  const clipboard = window.isSecureContext && navigator.clipboard;
  if (clipboard) clipboard.writeText(button.dataset.copy).then(done, byHand); else byHand();
});
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: what it shows (escaped, unless ``raw``), what it sorts by, its classes, its bar (0 to 1).

    ``shade`` (0 to 1) is how dark it is laid under; ``head`` makes it the name of its row.
    """

    shown: str
    sort: str | float | None = None
    css: str = ""
    raw: bool = False
    bar: float | None = None
    shade: float | None = None
    head: bool = False

    def html(self) -> str:
        """Return the ``<td>``, or ``<th>``."""
        attributes = (
            f' class="{self.css}{" bar" if self.bar is not None else ""}"' if self.css or self.bar is not None else ""
        )
        if self.bar is not None:
            attributes += f' style="--share: {100 * min(max(self.bar, 0), 1):.1f}%"'
        if self.shade is not None:
            attributes += f' style="background: rgba(var(--cell), {0.75 * self.shade:.2f})"'
        if self.sort is not None:
            missing = isinstance(self.sort, float) and math.isnan(self.sort)
            attributes += f' data-v="{"" if missing else html.escape(str(self.sort))}"'
        shown = self.shown if self.raw else html.escape(self.shown)
        return f'<th scope="row"{attributes}>{shown}</th>' if self.head else f"<td{attributes}>{shown}</td>"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as a value, which a page of HTML and one of PDF both show; the first ``left`` columns are text."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    left: int = 1

    def is_text(self, column: int) -> bool:
        """Whether a column holds text, which stands left."""
        return column < self.left or bool(self.rows and "text" in self.rows[0][column].css)

    def html(self, *, scroll: bool = False) -> str:
        """Return the ``<table>``."""
        return table(self.heads, self.rows, caption=self.caption, left=self.left, scroll=scroll)


def text(value: object) -> Cell:
    """Return a cell of text, left."""
    return Cell(str(value), css="text")


def number(value: float | None, digits: int = 3) -> Cell:
    """Return a cell of a number, ``–`` where there is none; it sorts by its full value."""
    if value is None or math.isnan(value):
        return Cell(DASH, "")
    return Cell(f"{value:.{digits}f}" if isinstance(value, float) else str(value), float(value))


def share(value: float | None) -> Cell:
    """Return a cell of a share as percent, with a bar."""
    if value is None or math.isnan(value):
        return Cell(DASH, "")
    return Cell(f"{100 * value:.1f} %", value, bar=value)


def copy_button(command: str) -> Cell:
    """Return a cell with a button that copies a command; nothing without one."""
    if not command:
        return Cell("", "")
    escaped = html.escape(command, quote=True)
    return Cell(f'<button data-copy="{escaped}" title="{escaped}">copy</button>', css="text", raw=True)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, caption: str = "", left: int = 1, scroll: bool = True
) -> str:
    """Return a table that sorts by its heads; the first ``left`` columns are text, and those of the first row."""
    rows = list(rows)
    grid = Grid(heads, rows, caption, left)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    head = "".join(
        f'<th scope="col" data-sort{" class=text" if grid.is_text(place) else ""}>{html.escape(name)}</th>'
        for place, name in enumerate(heads)
    )
    body = "\n".join(f"<tr>{''.join(cell.html() for cell in row)}</tr>" for row in rows)
    whole = f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{whole}</div>' if scroll else whole


def tag(name: str, content: object, css: str = "") -> str:
    """Wrap a text, escaped."""
    attribute = f' class="{css}"' if css else ""
    return f"<{name}{attribute}>{html.escape(str(content))}</{name}>"


def page(title: str, body: Iterable[str]) -> str:
    """Return a whole page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + f"\n<script>{_SCRIPT}</script></body></html>\n"
    )
