"""Line charts as SVG that stands in a page by itself: no script, no font, no colour that a dark page can't show.

Colours come from the page's style sheet (classes ``c0``, ``c1``, ``c2``); lines also differ by their dashes, so that
nothing is said by colour alone.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 420, 320
_LEFT, _RIGHT, _BOTTOM = 52, 10, 42
_LEGEND_LINE: Final = 16
_DASHES: Final = ("", "6 4", "2 3")
_MOST_POINTS: Final = 400

STYLE: Final = """
svg { max-width: 100%; height: auto; font: 12px sans-serif; }
svg text { fill: currentColor; }
svg .frame, svg .tick { stroke: currentColor; fill: none; opacity: .45; }
svg .c0 { color: var(--c0); } svg .c1 { color: var(--c1); } svg .c2 { color: var(--c2); }
svg polyline { stroke: currentColor; fill: none; }
svg .mark { fill: currentColor; }
"""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of a chart: ``x`` and ``y`` ``[n]``, broken where ``y`` is NaN.

    ``colour`` also chooses the dashes; a ``faint`` line is thin and not in the legend; ``marks`` draws its points.
    """

    label: str
    x: NDArray[Any]
    y: NDArray[Any]
    colour: int = 0
    faint: bool = False
    marks: bool = False


def line_chart(
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    *,
    whole_x: bool = False,
) -> str:
    """Return a chart of lines as one ``<svg>`` element, with a legend above and axes.

    ``whole_x`` puts ticks at whole numbers only.
    """
    named = [line for line in lines if not line.faint]
    frame = _Frame(x_range, y_range, top=8 + _LEGEND_LINE * len(named), whole_x=whole_x)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"'
        f' aria-label="{html.escape(f"{y_label} against {x_label}")}">'
    ]
    parts += frame.axes(x_label, y_label)
    parts += [_polyline(frame, line) for line in sorted(lines, key=lambda line: not line.faint)]
    parts += _legend(named)
    return "".join(parts) + "</svg>"


def range_of(values: Sequence[NDArray[Any]], *, at_least: float = 0.0) -> tuple[float, float]:
    """Return the range of all finite values, widened a little; 0 to 1 where there is none."""
    finite = np.concatenate([np.empty(0), *(v[np.isfinite(v)] for v in values)])
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = max((high - low) * 0.05, (at_least - (high - low)) / 2, 1e-9)
    return low - margin, high + margin


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values lie on the picture."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    top: int
    whole_x: bool

    def x(self, value: float) -> float:
        low, high = self.x_range
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - self.top - _BOTTOM)

    def axes(self, x_label: str, y_label: str) -> Iterator[str]:
        right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
        yield f'<rect class="frame" x="{_LEFT}" y="{self.top}" width="{right - _LEFT}" height="{bottom - self.top}"/>'
        for value in _ticks(*self.x_range, least=1 if self.whole_x else 0):
            at = f"{self.x(value):.1f}"
            yield f'<path class="tick" d="M{at} {bottom}v4"/>'
            yield f'<text x="{at}" y="{bottom + 17}" text-anchor="middle">{value:g}</text>'
        for value in _ticks(*self.y_range):
            at = f"{self.y(value):.1f}"
            yield f'<path class="tick" d="M{_LEFT} {at}h-4"/>'
            yield f'<text x="{_LEFT - 7}" y="{at}" dy="4" text-anchor="end">{value:g}</text>'
        yield (
            f'<text x="{(_LEFT + right) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">{html.escape(x_label)}</text>'
        )
        middle = (self.top + bottom) / 2
        yield (
            f'<text x="12" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 12 {middle:.0f})">'
            f"{html.escape(y_label)}</text>"
        )


def _ticks(low: float, high: float, least: float = 0) -> list[float]:
    """Return about 3 to 6 round numbers within a range, ``least`` or more apart."""
    rough = max((high - low) / 5, least)
    power = 10 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _polyline(frame: _Frame, line: Line) -> str:
    every = max(math.ceil(len(line.x) / _MOST_POINTS), 1)
    kept = sorted({*range(0, len(line.x), every), *([len(line.x) - 1] if len(line.x) else [])})
    points = [(float(line.x[i]), float(line.y[i])) for i in kept]
    runs: list[list[str]] = [[]]
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            runs[-1].append(f"{frame.x(x):.1f},{frame.y(y):.1f}")
        elif runs[-1]:
            runs.append([])
    style = 'stroke-width="1" opacity=".3"' if line.faint else 'stroke-width="2"'
    dash = f' stroke-dasharray="{_DASHES[line.colour]}"' if _DASHES[line.colour] else ""
    drawn = "".join(f'<polyline {style}{dash} points="{" ".join(run)}"/>' for run in runs if run)
    marked = "".join(
        '<circle class="mark" r="{2}" cx="{0}" cy="{1}"/>'.format(*point.split(","), 3)
        for run in runs
        for point in (run if line.marks or len(run) == 1 else ())
    )
    return f'<g class="c{line.colour}">{drawn}{marked}</g>'


def _legend(lines: Sequence[Line]) -> Iterator[str]:
    for place, line in enumerate(lines):
        y = 10 + _LEGEND_LINE * place
        dash = f' stroke-dasharray="{_DASHES[line.colour]}"' if _DASHES[line.colour] else ""
        points = f"{_LEFT + 8},{y} {_LEFT + 34},{y}"
        yield f'<g class="c{line.colour}"><polyline stroke-width="2"{dash} points="{points}"/></g>'
        yield f'<text x="{_LEFT + 40}" y="{y + 4}">{html.escape(line.label)}</text>'
