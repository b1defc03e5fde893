"""Where everything stands on a page of traces: names at the left, lanes, the clock under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF

from sleepviewer.app.shell.geometry import GUTTER_PX, RIGHT_PX

HALF_LANE: Final = 0.45
"""Share of a lane's height that the named half height takes; larger waves run into the neighbours' lanes."""


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Rectangles in the painter's pixels, and the way from time and amplitude to them and back.

    ``edges`` are the lanes' borders from the top of the plot to its bottom, one more than there are lanes. ``strip`` is
    a lane under whose trace room is left, and how many pixels of it; what is left belongs to the lane.
    """

    gutter: QRectF
    plot: QRectF
    axis: QRectF
    edges: tuple[float, ...]
    start_s: float
    stop_s: float
    strip: tuple[int, float] = (-1, 0.0)

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

    def bottom(self, lane: int) -> float:
        """Where a lane's trace ends: at the next lane, or where the room under it begins."""
        return self.edges[lane + 1] - (self.strip[1] if lane == self.strip[0] else 0.0)

    def height(self, lane: int) -> float:
        """Height of a lane without the room under it."""
        return self.bottom(lane) - self.edges[lane]

    def middle(self, lane: int) -> float:
        """Height of a lane's zero line."""
        return (self.edges[lane] + self.bottom(lane)) / 2

    def half(self, lane: int) -> float:
        """Pixels that the named half height of a lane takes."""
        return HALF_LANE * self.height(lane)

    def lane_rect(self, lane: int) -> QRectF:
        """A lane's part of the plot."""
        return QRectF(self.plot.left(), self.edges[lane], self.plot.width(), self.height(lane))

    @property
    def strip_rect(self) -> QRectF:
        """The room that is left under a lane; empty where none is."""
        lane, height = self.strip
        return QRectF(self.plot.left(), self.bottom(lane), self.plot.width(), height) if height else QRectF()

    def lane_at(self, y: float) -> int | None:
        """The lane at a height, or None beside all of them."""
        return next((lane for lane in range(self.n_lanes) if self.edges[lane] <= y < self.edges[lane + 1]), None)


def lay_out(
    rect: QRectF,
    axis_px: float,
    heights: Sequence[float],
    span: tuple[float, float],
    right_px: float = RIGHT_PX,
    strip: tuple[int, float] = (-1, 0.0),
) -> PageLayout:
    """Return the layout of a page in a rectangle; ``heights`` are the lanes' shares, in any unit."""
    width = max(rect.width() - GUTTER_PX - right_px, 1.0)
    height = max(rect.height() - axis_px, 1.0)
    plot = QRectF(rect.left() + GUTTER_PX, rect.top(), width, height)
    total = sum(heights) or 1.0
    room = height - strip[1]
    edges, reached = [plot.top()], 0.0
    for lane, share in enumerate(heights):
        reached += share
        below = strip[1] if 0 <= strip[0] <= lane else 0.0
        edges.append(plot.top() + room * reached / total + below)
    return PageLayout(
        QRectF(rect.left(), rect.top(), GUTTER_PX, height),
        plot,
        QRectF(plot.left(), plot.bottom(), width, axis_px),
        tuple(edges),
        *span,
        strip=strip,
    )
