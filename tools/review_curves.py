"""Draw the curves of the documentation from what ``benchmarks/review_order.py`` found: κ against epochs reviewed.

Usage: ``python tools/review_curves.py benchmarks/results/review_order.json docs/images``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sleepviewer.training.charts import Line, line_chart

_ORDERS = (
    ("ours", "expected gain"),
    ("confidence", "lowest confidence first"),
    ("random", "random order, mean of {draws}"),
)
_STYLE = """<style>
svg { font: 12px sans-serif; background: #ffffff; color: #222222; }
text { fill: #222222; font: 12px sans-serif; }
.frame, .tick { stroke: #999999; fill: none; }
polyline { fill: none; }
.c0 polyline { stroke: #0b5cad; } .c1 polyline { stroke: #b3541e; } .c2 polyline { stroke: #555555; }
</style><rect width="100%" height="100%" fill="#ffffff"/>"""


def chart(curves: dict[str, Any], draws: int) -> str:
    """Return a chart as an SVG that stands by itself, on white."""
    x = 100 * np.array(curves["shares"])
    lines = [
        Line(label.format(draws=draws), x, np.array(curves[order]), colour)
        for colour, (order, label) in enumerate(_ORDERS)
    ]
    low = np.floor(20 * min(line.y.min() for line in lines)) / 20
    svg = line_chart(lines, "epochs reviewed, %", "κ against the expert", (0, float(x[-1])), (float(low), 1.0))
    head, rest = svg.split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg">{_STYLE}{rest}\n'


def main(figures: Path, folder: Path) -> None:
    """Draw the real night and the mean of the simulated ones."""
    found = json.loads(figures.read_text(encoding="utf-8"))
    for name in ("real", "simulated"):
        path = folder / f"review_order_{name}.svg"
        path.write_text(chart(found[name]["curves"], found["draws"]), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
