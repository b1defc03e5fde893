"""Where everything stands on a page of traces: names at the left, lanes, the clock under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF

from sleepviewer.app.geometry import GUTTER_PX, RIGHT_PX

HALF_LANE: Final = 0.45
"""Share of a lane's height that the named half height takes; larger waves run into the neighbours' lanes."""


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Rectangles in the painter's pixels, and the way from time and amplitude to them and back.

    ``edges`` are the lanes' borders from the top of the plot to its bottom, one more than there are lanes.
    """

    gutter: QRectF
    plot: QRectF
    axis: QRectF
    edges: tuple[float, ...]
    start_s: float
    stop_s: float

    @property
    def n_lanes(self) -> int:
        """Number of lanes."""
        return len(self.edges) - 1

    @property
    def px_per_s(self) -> float:
        """Pixels that a second takes."""
        return self.plot.width() / (self.stop_s - self.start_s)

    def x_of(self, time_s: float) -> float:
        """Where a recording time stands."""
        return self.plot.left() + (time_s - self.start_s) * self.px_per_s

    def time_of(self, x: float) -> float:
        """Which recording time stands there."""
        return self.start_s + (x - self.plot.left()) / self.px_per_s

    def middle(self, lane: int) -> float:
        """Height of a lane's zero line."""
        return (self.edges[lane] + self.edges[lane + 1]) / 2

    def half(self, lane: int) -> float:
        """Pixels that the named half height of a lane takes."""
        return HALF_LANE * (self.edges[lane + 1] - self.edges[lane])

    def lane_rect(self, lane: int) -> QRectF:
        """A lane's part of the plot."""
        return QRectF(self.plot.left(), self.edges[lane], self.plot.width(), self.edges[lane + 1] - self.edges[lane])

    def lane_at(self, y: float) -> int | None:
        """The lane at a height, or None beside all of them."""
        return next((lane for lane in range(self.n_lanes) if self.edges[lane] <= y < self.edges[lane + 1]), None)


def lay_out(
    rect: QRectF, axis_px: float, heights: Sequence[float], span: tuple[float, float], right_px: float = RIGHT_PX
) -> PageLayout:
    """Return the layout of a page in a rectangle; ``heights`` are the lanes' shares, in any unit."""
    width = max(rect.width() - GUTTER_PX - right_px, 1.0)
    height = max(rect.height() - axis_px, 1.0)
    plot = QRectF(rect.left() + GUTTER_PX, rect.top(), width, height)
    total = sum(heights) or 1.0
    edges, reached = [plot.top()], 0.0
    for share in heights:
        reached += share
        edges.append(plot.top() + height * reached / total)
    return PageLayout(
        QRectF(rect.left(), rect.top(), GUTTER_PX, height),
        plot,
        QRectF(plot.left(), plot.bottom(), width, axis_px),
        tuple(edges),
        *span,
    )
