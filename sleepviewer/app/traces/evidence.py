"""What in the current epoch spoke for its stage: a strip of bars in the lane of the channel that was scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from sleepviewer.app.theme import Theme
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.app.traces.painting import hairline
from sleepviewer.stages import EPOCH_S

_SHARE: Final = 0.3
"""Share of its lane's height that the bars take."""
_LEAST_PX, _MOST_PX = 20.0, 56.0
_GROUND: Final = 0.86
"""How far the strip covers the trace behind it."""
_MARGIN_PX: Final = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is shown of an explanation, or of why there is none.

    Attributes
    ----------
    epoch: which one it is about; on any other page it is not shown.
    lane: label of the lane that it belongs to; one that the page does not have has it at the page's foot.
    legend: what is written over the bars, piece by piece: a text and its colour, None for the theme's.
    bars: heights from -1 to 1 of the epoch's equal parts, above the line for the stage; None while there are none.
    color_for, color_against: of the bars above and below the line.
    busy: whether the bars are being computed.
    details: what the strip says when it is pointed at.
    """

    epoch: int
    lane: str
    legend: tuple[tuple[str, str | None], ...]
    bars: NDArray[np.float32] | None = None
    color_for: str = ""
    color_against: str = ""
    busy: bool = False
    details: str = ""

    @property
    def text(self) -> str:
        """The legend in one line."""
        return "   ".join(text for text, _ in self.legend)

    @property
    def is_sentence(self) -> bool:
        """Whether it says why there are no bars."""
        return self.bars is None and not self.busy


def strip_of(evidence: Evidence, layout: PageLayout, labels: list[str], text_px: float) -> QRectF:
    """Return where the strip lies: a line for the legend and the bars under it, or two lines for a sentence."""
    lane = layout.lane_rect(labels.index(evidence.lane)) if evidence.lane in labels else layout.plot
    if evidence.is_sentence:
        height = 2 * text_px + 2
        return QRectF(lane.left(), lane.bottom() - height - 1, lane.width() - 1, height)
    height = text_px + 2 + min(max(_SHARE * lane.height(), _LEAST_PX), _MOST_PX)
    left, width = layout.x_of(evidence.epoch * EPOCH_S), EPOCH_S * layout.px_per_s
    return QRectF(left, lane.bottom() - height - 1, width, height)


def paint_evidence(painter: QPainter, layout: PageLayout, evidence: Evidence, labels: list[str], theme: Theme) -> None:
    """Paint the strip over the traces; the painter is clipped to the plot."""
    text_px = painter.fontMetrics().height()
    strip = strip_of(evidence, layout, labels, text_px)
    _paint_ground(painter, strip, theme)
    if evidence.is_sentence:
        painter.setPen(QColor(theme.text))
        wrapped = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(strip.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0), wrapped, evidence.text)
        return
    legend = QRectF(strip.left(), strip.top(), strip.width(), text_px + 2)
    _paint_bars(painter, strip.adjusted(0, legend.height(), 0, 0), evidence, theme)
    _paint_legend(painter, legend, layout, evidence, theme)


def _paint_ground(painter: QPainter, strip: QRectF, theme: Theme) -> None:
    ground = QColor(theme.panel)
    ground.setAlphaF(_GROUND)
    painter.fillRect(strip, ground)
    painter.setPen(hairline(QColor(theme.dim_text)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(strip)


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
