"""Drags over the traces: measuring, drawing an interval, moving a mark. Each is an object while the button is down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from sleepviewer.app.shell.pens import hairline
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.app.traces.marks import Grip, paint_mark
from sleepviewer.app.traces.page import Page
from sleepviewer.display.marks import Mark
from sleepviewer.display.ruler import SlowWaves, measure

CLICK_PX: Final = 3.0
"""A press that moves less is a click."""
_SHORTEST_S: Final = 0.05
"""No mark is dragged shorter than this."""


class Gesture(Protocol):
    """A drag that is under way."""

    def move_to(self, position: QPointF, layout: PageLayout, page: Page) -> None:
        """Follow the pointer."""

    def paint(self, painter: QPainter, layout: PageLayout, page: Page) -> None:
        """Show what it would do or says, over everything else."""


@dataclass(slots=True)
class Drawing:
    """An interval that is being drawn on a lane, or ``everywhere``, from recording time ``from_s`` to ``to_s``."""

    lane: int
    from_s: float
    to_s: float
    everywhere: bool = False

    @property
    def interval(self) -> tuple[float, float]:
        """Start and stop."""
        return min(self.from_s, self.to_s), max(self.from_s, self.to_s)

    def move_to(self, position: QPointF, layout: PageLayout, page: Page) -> None:
        self.to_s = _inside(layout, position)

    def paint(self, painter: QPainter, layout: PageLayout, page: Page) -> None:
        start, stop = self.interval
        lane = layout.plot if self.everywhere else layout.lane_rect(self.lane)
        rect = QRectF(layout.x_of(start), lane.top() + 1, (stop - start) * layout.px_per_s, lane.height() - 2)
        mark = Mark("", start, stop, f"{stop - start:.2f} s", page.theme.accent, selected=True)
        paint_mark(painter, rect, mark, page.theme)


@dataclass(slots=True)
class Moving:
    """A mark that is being moved, or one of its ends; ``mark`` is where it is now."""

    before: Mark
    mark: Mark
    grip: Grip
    held_s: float

    def move_to(self, position: QPointF, layout: PageLayout, page: Page) -> None:
        by = _inside(layout, position) - self.held_s
        start, stop = self.before.start_s, self.before.stop_s
        if self.grip is Grip.BODY:
            start, stop = start + by, stop + by
        elif self.grip is Grip.START:
            start = min(start + by, stop - _SHORTEST_S)
        else:
            stop = max(stop + by, start + _SHORTEST_S)
        self.mark = replace(self.before, start_s=start, stop_s=stop)

    def paint(self, painter: QPainter, layout: PageLayout, page: Page) -> None:
        """Nothing more: the view shows the moved mark in its place."""


@dataclass(slots=True)
class Ruling:
    """The ruler between two points of a lane; points are recording time in seconds and amplitude."""

    lane: int
    first: tuple[float, float]
    last: tuple[float, float]
    slow_waves: SlowWaves | None

    def move_to(self, position: QPointF, layout: PageLayout, page: Page) -> None:
        self.last = self.point(position, layout, page, self.lane)

    @staticmethod
    def point(position: QPointF, layout: PageLayout, page: Page, lane: int) -> tuple[float, float]:
        """Time and amplitude at a position, on a lane's scale."""
        look = page.lanes[lane]
        up = -1.0 if look.negative_up else 1.0
        offset = layout.middle(lane) - position.y()
        return _inside(layout, position), up * offset / layout.half(lane) * look.half_height

    def lines(self, layout: PageLayout, page: Page) -> list[str]:
        """What it says."""
        look = page.lanes[self.lane]
        start = layout.start_s
        first, last = (self.first[0] - start, self.first[1]), (self.last[0] - start, self.last[1])
        lines = [f"{look.label}: {measure(page.traces[self.lane], look.unit, first, last).text}"]
        if self.slow_waves is not None:
            lines.append(self.slow_waves.text)
        return lines

    def paint(self, painter: QPainter, layout: PageLayout, page: Page) -> None:
        look, theme = page.lanes[self.lane], page.theme
        up = 1.0 if look.negative_up else -1.0
        ends = []
        for time, value in (self.first, self.last):
            y = layout.middle(self.lane) + up * value / look.half_height * layout.half(self.lane)
            ends.append(QPointF(layout.x_of(time), y))
        lane = layout.lane_rect(self.lane)
        if self.slow_waves is not None:
            color = QColor(theme.cursor)
            for start, stop in self.slow_waves.intervals:
                width = (stop - start) * layout.px_per_s
                painter.fillRect(QRectF(layout.x_of(start), lane.bottom() - 4, width, 3), color)
        painter.setPen(hairline(QColor(theme.cursor), Qt.PenStyle.DashLine))
        for end in ends:
            painter.drawLine(QPointF(end.x(), lane.top()), QPointF(end.x(), lane.bottom()))
        pen = QPen(QColor(theme.cursor), 2.0)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawLine(ends[0], ends[1])
        _paint_box(painter, layout, ends[1].x(), lane, self.lines(layout, page), theme)


def _paint_box(painter: QPainter, layout: PageLayout, x: float, lane: QRectF, lines: list[str], theme: Theme) -> None:
    """Write lines into a box beside a lane, so that what is measured stays to be seen, and within the plot."""
    painter.setFont(tabular(painter.font()))
    metrics = painter.fontMetrics()
    width = max(metrics.horizontalAdvance(line) for line in lines) + 16
    height = metrics.height() * len(lines) + 10
    plot = layout.plot
    left = min(max(x + 12, plot.left() + 4), plot.right() - width - 4)
    top = lane.bottom() + 4
    if top + height > plot.bottom() - 4:
        top = max(lane.top() - height - 4, plot.top() + 4)
    box = QRectF(left, top, width, height)
    painter.setPen(hairline(QColor(theme.cursor)))
    painter.setBrush(QColor(theme.panel))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor(theme.text))
    painter.drawText(
        box.adjusted(8, 5, -8, -5), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, "\n".join(lines)
    )


def _inside(layout: PageLayout, position: QPointF) -> float:
    return min(max(layout.time_of(position.x()), layout.start_s), layout.stop_s)
