"""What is drawn on the page of traces: the ground behind them, the curves, and the veil over their context."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from sleepviewer.stages import EPOCH_S

CONTEXT_S = EPOCH_S / 2
"""Seconds shown before and after the epoch."""

Missing = list[tuple[float, float, str]]
"""Stretches of a page without samples: from, to (seconds from the epoch's start), and the words to write there."""


class _PageItem(pg.GraphicsObject):
    """Something that covers the whole page of ``lanes`` lanes: lane ``row`` spans y from -row to -(row + 1)."""

    def __init__(self) -> None:
        super().__init__()
        self._missing: Missing = []
        self._lanes = 1

    def set_page(self, missing: Missing, lanes: int) -> None:
        """Show another page; nothing is repainted where it looks the same."""
        if lanes != self._lanes:
            self.prepareGeometryChange()
        if (missing, lanes) != (self._missing, self._lanes):
            self._missing, self._lanes = missing, lanes
            self.update()

    def boundingRect(self) -> QRectF:
        return page_rect(self._lanes)


class Curve(pg.PlotCurveItem):
    """A trace that may reach over the whole page, so that nobody need measure its points at every page turn."""

    def __init__(self, lanes: int) -> None:
        self._page = page_rect(lanes)
        super().__init__(antialias=False, skipFiniteCheck=True)

    def boundingRect(self) -> QRectF:
        return self._page


class Backdrop(_PageItem):
    """Behind the traces: the epoch's ground, the 1-s and 5-s grid, lane centres, and where nothing was recorded."""

    def __init__(self) -> None:
        super().__init__()
        self._colors = (QColor(), QColor(), QColor())

    def set_colors(self, epoch: QColor, grid: QColor, strong: QColor) -> None:
        """Paint in other colours."""
        self._colors = (epoch, grid, strong)
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        epoch, grid, strong = self._colors
        bottom = float(-self._lanes)
        painter.fillRect(QRectF(0, bottom, EPOCH_S, -bottom), epoch)
        left, right = -CONTEXT_S, EPOCH_S + CONTEXT_S
        for every, color in ((1, grid), (5, strong)):
            seconds = [s for s in range(int(left), int(right) + 1, every) if every == 5 or s % 5]
            painter.setPen(_hairline(color))
            painter.drawLines([QLineF(second, bottom, second, 0) for second in seconds])
        painter.setPen(_hairline(grid))
        painter.drawLines([QLineF(left, -lane - 0.5, right, -lane - 0.5) for lane in range(self._lanes)])
        for first, last, _text in self._missing:
            painter.fillRect(QRectF(first, bottom, last - first, -bottom), strong)


class Veil(_PageItem):
    """Over the traces: dims the context, and says where and why nothing is to be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(2)
        self._veil, self._ink = QColor(), QColor()

    def set_colors(self, veil: QColor, ink: QColor) -> None:
        """Paint in other colours."""
        self._veil, self._ink = QColor(veil), QColor(ink)
        self._veil.setAlpha(150)
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        for left in (-CONTEXT_S, EPOCH_S):
            painter.fillRect(QRectF(left, -self._lanes, CONTEXT_S, self._lanes), self._veil)
        for first, last, text in self._missing:
            self._write(painter, QRectF(first, -self._lanes, last - first, self._lanes), text)

    def _write(self, painter: QPainter, rect: QRectF, text: str) -> None:
        """Write upright text into a rectangle of the (flipped) plot's coordinates."""
        place = painter.worldTransform().mapRect(rect)
        painter.save()
        painter.resetTransform()
        painter.setPen(self._ink)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
        painter.restore()


def page_rect(lanes: int) -> QRectF:
    """Return the whole page in the plot's coordinates."""
    return QRectF(-CONTEXT_S, -lanes, EPOCH_S + 2 * CONTEXT_S, lanes)


def _hairline(color: QColor) -> QPen:
    pen = QPen(color)
    pen.setWidth(0)
    return pen
