"""The curves of a training: its loss, and below it both κ, over the steps; told apart by line and mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from sleepviewer.app.retraining.training_progress import Point, TuningTrack
from sleepviewer.app.shell.theme import Theme, tabular

_MARGIN_LEFT: Final = 62
_MARGIN_RIGHT: Final = 14
_LINE_PX: Final = 17
_GAP: Final = 8
_MARK_PX: Final = 3.5
_SAMPLE_PX: Final = 30
_TICKS: Final = 4


@dataclass(frozen=True, slots=True)
class _Curve:
    """Points by rising step, what they are, and how they are drawn; ``mark`` is ``circle``, ``square`` or nothing."""

    name: str
    points: Sequence[Point]
    color: QColor
    style: Qt.PenStyle = Qt.PenStyle.SolidLine
    mark: str = ""


class TuningCurves(QWidget):
    """Paints a :class:`TuningTrack`; it is painted anew when something was told, a few times a second at most."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._track = TuningTrack()
        self.setFont(tabular(self.font()))
        self.setAccessibleName("Curves of the training")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(190)

    def sizeHint(self) -> QSize:
        return QSize(620, 300)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def show_track(self, track: TuningTrack) -> None:
        """Show what was told so far."""
        self._track = track
        self.setAccessibleDescription(track.figures)
        self.update()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        axis = _LINE_PX + _LINE_PX + 2  # numbers of the steps, and what they are
        heads = 2 * (_LINE_PX + 4)
        room = self.height() - axis - heads - 2 * _GAP
        loss_px, kappa_px = room * 0.4, room * 0.6
        width = self.width() - _MARGIN_LEFT - _MARGIN_RIGHT
        loss = QRectF(_MARGIN_LEFT, _LINE_PX + 4, width, loss_px)
        kappa = QRectF(_MARGIN_LEFT, loss.bottom() + _GAP + _LINE_PX + 4, width, kappa_px)
        track, theme = self._track, self._theme
        steps = max(track.steps, 1)
        dashed = Qt.PenStyle.DashLine
        losses = [_Curve("Loss of the training (nats)", track.losses, QColor(theme.text))]
        kappas = [
            _Curve("κ on held-out corrected epochs", track.corrected, QColor(theme.accent), mark="circle"),
            _Curve("κ on another subject", track.others, QColor(theme.cursor), dashed, "square"),
        ]
        self._plot(painter, loss, losses, steps, from_zero=True)
        self._plot(painter, kappa, kappas, steps)
        self._steps_axis(painter, kappa, steps)

    def _plot(
        self, painter: QPainter, place: QRectF, curves: Sequence[_Curve], steps: int, *, from_zero: bool = False
    ) -> None:
        """One plot: lines and numbers, the legend above it, and its curves."""
        low, high, step = _scale([value for curve in curves for _, value in curve.points], from_zero=from_zero)

        def y(value: float) -> float:
            return place.bottom() - (value - low) / (high - low) * place.height()

        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        for tick in range(round((high - low) / step) + 1):
            value = low + tick * step
            painter.setPen(QPen(QColor(self._theme.grid_strong), 1))
            painter.drawLine(QPointF(place.left(), y(value)), QPointF(place.right(), y(value)))
            painter.setPen(QColor(self._theme.dim_text))
            box = QRectF(0, y(value) - _LINE_PX / 2, _MARGIN_LEFT - 8, _LINE_PX)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{value:.{decimals}f}")
        x = place.left()
        for curve in curves:
            x = self._legend(painter, QPointF(x, place.top() - _LINE_PX / 2 - 4), curve) + 22
        for curve in curves:
            points = [QPointF(place.left() + at / steps * place.width(), y(value)) for at, value in curve.points]
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(curve.color, 2, curve.style))
            painter.drawPolyline(QPolygonF(points))
            for point in points:
                self._mark(painter, point, curve)

    def _legend(self, painter: QPainter, at: QPointF, curve: _Curve) -> float:
        """Paint a sample of a line with its name and its last value; return where it ends."""
        painter.setPen(QPen(curve.color, 2, curve.style))
        painter.drawLine(at, at + QPointF(_SAMPLE_PX, 0))
        self._mark(painter, at + QPointF(_SAMPLE_PX / 2, 0), curve)
        text = f"{curve.name}: {curve.points[-1][1]:.3f}" if curve.points else curve.name
        painter.setPen(QColor(self._theme.text))
        width = painter.fontMetrics().horizontalAdvance(text)
        left = at.x() + _SAMPLE_PX + 6
        box = QRectF(left, at.y() - _LINE_PX / 2, width + 2, _LINE_PX)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
        return left + width

    @staticmethod
    def _mark(painter: QPainter, at: QPointF, curve: _Curve) -> None:
        painter.setPen(QPen(curve.color, 1))
        painter.setBrush(curve.color)
        if curve.mark == "circle":
            painter.drawEllipse(at, _MARK_PX, _MARK_PX)
        elif curve.mark == "square":
            painter.drawRect(QRectF(at.x() - _MARK_PX, at.y() - _MARK_PX, 2 * _MARK_PX, 2 * _MARK_PX))

    def _steps_axis(self, painter: QPainter, place: QRectF, steps: int) -> None:
        painter.setPen(QColor(self._theme.dim_text))
        spacing = _nice(steps / 6, whole=True)
        for at in range(0, steps + 1, int(spacing)):
            x = place.left() + at / steps * place.width()
            painter.drawLine(QPointF(x, place.bottom()), QPointF(x, place.bottom() + 4))
            painter.drawText(QRectF(x - 30, place.bottom() + 4, 60, _LINE_PX), Qt.AlignmentFlag.AlignCenter, f"{at}")
        box = QRectF(place.left(), place.bottom() + _LINE_PX + 2, place.width(), _LINE_PX)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "step")


def _scale(values: Sequence[float], *, from_zero: bool = False) -> tuple[float, float, float]:
    """Return lowest and highest value of an axis that holds these, and the distance of its lines."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = 0.0 if from_zero else low
    step = _nice(max(high - low, 0.04) / _TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return first * step, max(last, first + 1) * step, step


def _nice(value: float, *, whole: bool = False) -> float:
    """Return the next greater of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    nice = next(times * power for times in (1, 2, 5, 10) if times * power >= value * (1 - 1e-9))
    return max(1.0, nice) if whole else nice
