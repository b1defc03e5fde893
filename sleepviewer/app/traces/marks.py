"""Intervals marked on the page: events, artefacts, suggestions of a detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.display.marks import Mark

_NEAR_PX: Final = 5.0
"""How near to a mark's end the pointer takes hold of it."""
_TEXT_PX: Final = 12.0
"""Narrower marks carry no text; in others it may run over the right end."""


class Grip(Enum):
    """Where a mark is held."""

    START = auto()
    STOP = auto()
    BODY = auto()


class Marks:
    """The marks of a night, found quickly by page and by pointer."""

    def __init__(self, marks: Sequence[Mark] = ()) -> None:
        self.all = tuple(marks)
        self._starts = np.array([mark.start_s for mark in self.all])
        self._stops = np.array([mark.stop_s for mark in self.all])

    def within(self, start_s: float, stop_s: float) -> list[Mark]:
        """Return the marks that touch a window."""
        if not self.all:
            return []
        return [self.all[i] for i in np.flatnonzero((self._stops >= start_s) & (self._starts <= stop_s)).tolist()]

    def at(self, position: QPointF, layout: PageLayout, labels: Sequence[str]) -> tuple[Mark, Grip] | None:
        """Return the mark under a position and where it is held: the selected one first, then the shortest."""
        near_s = _NEAR_PX / layout.px_per_s
        time = layout.time_of(position.x())
        under = [
            mark
            for mark in self.within(time - near_s, time + near_s)
            if rect_of(mark, layout, labels).adjusted(-_NEAR_PX, 0, _NEAR_PX, 0).contains(position)
        ]
        if not under:
            return None
        mark = min(under, key=lambda m: (not m.selected, m.stop_s - m.start_s))
        if not mark.movable:
            return mark, Grip.BODY
        to_start, to_stop = abs(time - mark.start_s), abs(time - mark.stop_s)
        # The middle third always moves the whole, however short it is.
        reach = min(near_s, (mark.stop_s - mark.start_s) / 3)
        outside = not mark.start_s <= time <= mark.stop_s
        if to_start <= to_stop and (to_start <= reach or outside):
            return mark, Grip.START
        if to_stop <= reach or outside:
            return mark, Grip.STOP
        return mark, Grip.BODY


def rect_of(mark: Mark, layout: PageLayout, labels: Sequence[str]) -> QRectF:
    """Return where a mark lies; empty where its lane is not on the page."""
    left, right = layout.x_of(mark.start_s), layout.x_of(mark.stop_s)
    if mark.lane is None:
        return QRectF(left, layout.plot.top(), max(right - left, 1.0), layout.plot.height())
    if mark.lane not in labels:
        return QRectF()
    lane = layout.lane_rect(list(labels).index(mark.lane))
    return QRectF(left, lane.top() + 1, max(right - left, 1.0), lane.height() - 2)


def paint_marks(
    painter: QPainter, layout: PageLayout, marks: Sequence[Mark], labels: Sequence[str], theme: Theme
) -> None:
    """Paint the marks over the traces; the painter is clipped to the plot."""
    shown = [(rect, mark) for mark in marks if not (rect := rect_of(mark, layout, labels)).isEmpty()]
    tops = [rect.topLeft() for rect, _ in shown]
    height = painter.fontMetrics().height()
    for rect, mark in shown:
        room = math.inf
        if _has_text(rect, mark) and not mark.selected:
            # A text ends where the next one on its line begins; the chosen mark's is whole.
            room = min(
                (p.x() - rect.left() for p in tops if rect.left() < p.x() and abs(p.y() - rect.top()) < height),
                default=math.inf,
            )
        paint_mark(painter, rect, mark, theme, room)


def _has_text(rect: QRectF, mark: Mark) -> bool:
    return rect.width() >= _TEXT_PX and bool(mark.text)


def paint_mark(painter: QPainter, rect: QRectF, mark: Mark, theme: Theme, room: float = math.inf) -> None:
    """Paint one mark: filled and framed, hatched and dashed where it is only suggested; ``room`` is for its text."""
    color, fill = QColor(mark.color), QColor(mark.color)
    fill.setAlpha(90 if mark.selected else 48)
    pattern = Qt.BrushStyle.BDiagPattern if mark.suggested else Qt.BrushStyle.SolidPattern
    if mark.suggested:
        fill.setAlpha(120)
    if rect.width() < 3:
        color.setAlpha(170)
        painter.fillRect(rect, color)
        return
    painter.fillRect(rect, QBrush(fill, pattern))
    pen = QPen(color, 2.0 if mark.selected else 1.0)
    pen.setCosmetic(True)
    pen.setStyle(Qt.PenStyle.DashLine if mark.suggested else Qt.PenStyle.SolidLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect)
    if mark.selected and mark.movable:
        for x in (rect.left(), rect.right()):
            painter.fillRect(QRectF(x - 2, rect.center().y() - 8, 4, 16), color)
    if _has_text(rect, mark):
        painter.setPen(QColor(theme.text))
        # A long mark that began before the page says what it is at the page's edge.
        left = max(rect.left(), painter.clipBoundingRect().left() if painter.hasClipping() else rect.left()) + 4
        metrics, text = painter.fontMetrics(), mark.text
        if math.isfinite(room):
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(int(rect.left() + room - left) - 3, 0))
        painter.drawText(QPointF(left, rect.top() + metrics.ascent() + 1), text)
