"""What in the current epoch spoke for its stage: a strip of bars in the lane of the channel that was scored."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from sleepviewer.app.shell.pens import hairline
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.display.evidence import Evidence
from sleepviewer.stages import EPOCH_S

_MARGIN_PX: Final = 4.0


def strip_of(evidence: Evidence, layout: PageLayout) -> QRectF:
    """Return where the evidence lies: under its lane, as wide as the epoch; a sentence as wide as the page."""
    room = layout.strip_rect.adjusted(0, 1, -1, -2)
    if evidence.is_sentence:
        return room
    left, right = (layout.x_of((evidence.epoch + end) * EPOCH_S) for end in (0, 1))
    return QRectF(left, room.top(), right - left, room.height())


def paint_evidence(painter: QPainter, layout: PageLayout, evidence: Evidence, theme: Theme) -> None:
    """Paint the evidence into the room that the layout leaves for it; the painter is clipped to the plot."""
    strip = strip_of(evidence, layout)
    painter.fillRect(layout.strip_rect, QColor(theme.panel))  # large waves of the lane above run into it
    painter.setPen(hairline(QColor(theme.dim_text)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(strip)
    if evidence.is_sentence:
        painter.setPen(QColor(theme.text))
        wrapped = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(strip.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0), wrapped, evidence.text)
        return
    legend = QRectF(strip.left(), strip.top(), strip.width(), painter.fontMetrics().height() + 2.0)
    _paint_bars(painter, strip.adjusted(0, legend.height(), 0, 0), evidence, theme)
    _paint_legend(painter, legend, layout, evidence, theme)


def _paint_bars(painter: QPainter, rect: QRectF, evidence: Evidence, theme: Theme) -> None:
    middle, half = rect.center().y(), rect.height() / 2 - 1
    if evidence.bars is not None:
        width = rect.width() / len(evidence.bars)
        colors = QColor(evidence.color_for), QColor(evidence.color_against)
        for place, value in enumerate(evidence.bars.tolist()):
            top = middle - half * max(value, 0.0)
            bar = QRectF(rect.left() + place * width, top, width, half * abs(value))
            painter.fillRect(bar, colors[0] if value > 0 else colors[1])
    painter.setPen(hairline(QColor(theme.text), Qt.PenStyle.DotLine if evidence.busy else Qt.PenStyle.SolidLine))
    painter.drawLine(QLineF(rect.left(), middle, rect.right(), middle))


def _paint_legend(painter: QPainter, rect: QRectF, layout: PageLayout, evidence: Evidence, theme: Theme) -> None:
    """Write the legend from the epoch's beginning; on a page of many epochs it runs over the strip's end."""
    metrics = painter.fontMetrics()
    x = max(rect.left(), layout.plot.left()) + _MARGIN_PX
    x = max(min(x, layout.plot.right() - metrics.horizontalAdvance(evidence.text) - _MARGIN_PX), layout.plot.left())
    base = rect.top() + metrics.ascent() + 1
    for text, color in evidence.legend:
        if color is not None:
            side = metrics.ascent() * 0.7
            painter.fillRect(QRectF(x, base - side, side, side), QColor(color))
            x += side + _MARGIN_PX
        painter.setPen(QColor(theme.text))
        painter.drawText(QPointF(x, base), text)
        x += metrics.horizontalAdvance(text + "   ")
