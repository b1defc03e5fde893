"""The map itself: every epoch a symbol where the model sees it, painted once; what moves over it is painted on top."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sleepviewer.app.shell.theme import Theme
from sleepviewer.stages import HYPNOGRAM_ORDER, Stage, StageArray

Plane = NDArray[np.float32]

_MARGIN_PX: Final = 14.0
_LEGEND_PX: Final = 24.0
_SYMBOL_PX: Final = 8
_REACH_PX: Final = 12.0
"""A click goes to an epoch this near."""
_DRAG_PX: Final = 6.0
"""Shorter drags are clicks."""

_SHAPES: Final = {
    Stage.W: ((0.5, 0.0), (1.0, 1.0), (0.0, 1.0)),
    Stage.REM: ((0.5, -0.05), (1.05, 0.5), (0.5, 1.05), (-0.05, 0.5)),
    Stage.N1: ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),
    Stage.N3: ((0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95)),
}
"""Corners within a square of 1; N2 is a disc, an epoch without a stage a small cross."""


class ColorBy(StrEnum):
    """What the symbols show."""

    TRUTH = "label"
    PREDICTED = "model"
    ERROR = "right or wrong"


class MapView(QWidget):
    """Points of the epochs. A click picks the nearest, a drag around some of them picks those."""

    picked = Signal(int)
    """An epoch."""
    lassoed = Signal(object)
    """Epochs within the drag, ``intp [n]``, rising."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sentence = ""
        self._plane: Plane = np.empty((0, 2), dtype=np.float32)
        self._epochs: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._truth: StageArray = np.empty(0, dtype=np.int8)
        self._predicted: StageArray = np.empty(0, dtype=np.int8)
        self._color_by = ColorBy.ERROR
        self._places: NDArray[np.float64] = np.empty((0, 2))
        self._picture: QPixmap | None = None
        self._rings: QPixmap | None = None  # around what is listed, which may be all epochs
        self._epoch = -1
        self._listed: NDArray[np.intp] = np.empty(0, dtype=np.intp)  # points, not epochs
        self._hovered = -1
        self._lasso: list[QPointF] = []
        self.describe: Callable[[int], str] = lambda epoch: f"Epoch {epoch + 1}"
        self.setMouseTracking(True)
        self.setAccessibleName("Map of look-alikes")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(180)

    def sizeHint(self) -> QSize:
        return QSize(320, 280)

    # -- what is shown

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._repaint()

    def show_points(self, plane: Plane, epochs: NDArray[np.intp], truth: StageArray, predicted: StageArray) -> None:
        """Show points ``float32 [n, 2]`` with their epochs and stages, all ``[n]``."""
        moved = plane is not self._plane
        self._sentence, self._plane, self._epochs = "", plane, epochs
        self._truth, self._predicted = truth, predicted
        if moved:
            self._listed, self._hovered = np.empty(0, dtype=np.intp), -1
            self._lay_out()
        wrong = int(self._wrong.sum())
        self.setAccessibleDescription(
            f"{len(epochs)} epochs, {wrong} of them wrong; K lists those like the current one"
        )
        self._repaint()

    def show_sentence(self, sentence: str) -> None:
        """Show a sentence instead of points."""
        self._sentence = sentence
        self._plane = np.empty((0, 2), dtype=np.float32)
        self._epochs = np.empty(0, dtype=np.intp)
        self._truth = self._predicted = np.empty(0, dtype=np.int8)
        self._listed, self._hovered = np.empty(0, dtype=np.intp), -1
        self._lay_out()
        self.setAccessibleDescription(sentence)
        self._repaint()

    def color_by(self, color_by: ColorBy) -> None:
        """Choose what the symbols show."""
        self._color_by = color_by
        self._repaint()

    def show_epoch(self, epoch: int) -> None:
        """Mark the current epoch."""
        self._epoch = epoch
        self.update()

    def show_listed(self, epochs: NDArray[np.intp]) -> None:
        """Ring the epochs that a list shows."""
        self._listed = np.flatnonzero(np.isin(self._epochs, epochs))
        self._rings = None
        self.update()

    @property
    def places(self) -> NDArray[np.float64]:
        """Where the points are, ``float64 [n, 2]`` in pixels, in the order that they were given."""
        return self._places

    @property
    def _wrong(self) -> NDArray[np.bool_]:
        return (self._truth >= 0) & (self._predicted >= 0) & (self._truth != self._predicted)

    # -- painting

    def _lay_out(self) -> None:
        """Fill the place with the points; each axis by its own measure."""
        if not len(self._plane):
            self._places = np.empty((0, 2))
            return
        low, high = self._plane.min(axis=0).astype(float), self._plane.max(axis=0).astype(float)
        spread = np.where(high > low, high - low, 1.0)
        room = np.array([self.width() - 2 * _MARGIN_PX, self.height() - 2 * _MARGIN_PX - _LEGEND_PX]).clip(1)
        share = (self._plane - low) / spread
        share[:, 1] = 1 - share[:, 1]
        self._places = share * room + _MARGIN_PX

    def _repaint(self) -> None:
        self._picture = self._rings = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()
        self._repaint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._paint()
        if self._rings is None:
            self._rings = self._paint_rings(self._picture)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._rings)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._mark_current(painter)
        if self._hovered >= 0:
            painter.setPen(QPen(QColor(self._theme.text), 1.2))
            painter.drawEllipse(QPointF(*self._places[self._hovered]), 8.0, 8.0)
        if len(self._lasso) > 1:
            shade = QColor(self._theme.accent)
            shade.setAlphaF(0.15)
            painter.setPen(QPen(QColor(self._theme.accent), 1.4, Qt.PenStyle.DashLine))
            painter.setBrush(shade)
            painter.drawPolygon(QPolygonF(self._lasso))

    def _mark_current(self, painter: QPainter) -> None:
        found = np.flatnonzero(self._epochs == self._epoch)
        if not found.size:
            return
        place = QPointF(*self._places[found[0]])
        right, bottom = self.width() - 1.0, self.height() - 1.0 - _LEGEND_PX
        # Hair lines lead to it from the edges: among hundreds of symbols a ring alone is searched for.
        painter.setPen(QPen(QColor(self._theme.cursor), 1.0))
        painter.drawLine(QPointF(0, place.y()), QPointF(place.x() - 9, place.y()))
        painter.drawLine(QPointF(place.x() + 9, place.y()), QPointF(right, place.y()))
        painter.drawLine(QPointF(place.x(), 0), QPointF(place.x(), place.y() - 9))
        painter.drawLine(QPointF(place.x(), place.y() + 9), QPointF(place.x(), bottom))
        painter.setPen(QPen(QColor(self._theme.cursor), 2.2))
        painter.drawEllipse(place, 9.0, 9.0)

    def _paint(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap((self.size() * ratio).expandedTo(QSize(1, 1)))
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(self._theme.panel))
        painter = QPainter(picture)
        painter.setPen(QColor(self._theme.grid_strong))
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1 - _LEGEND_PX))
        if self._sentence:
            painter.setPen(QColor(self._theme.dim_text))
            room = QRectF(16, 8, self.width() - 32, self.height() - _LEGEND_PX - 16)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self._sentence)
        else:
            self._paint_points(painter)
            self._paint_legend(painter)
        painter.end()
        return picture

    def _paint_rings(self, picture: QPixmap) -> QPixmap:
        """The picture with rings around what is listed."""
        if not self._listed.size:
            return picture
        ringed = QPixmap(picture)
        painter = QPainter(ringed)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.accent), 1.4))
        for x, y in self._places[self._listed].tolist():
            painter.drawEllipse(QPointF(x, y), 6.5, 6.5)
        painter.end()
        return ringed

    def _kinds(self) -> list[tuple[NDArray[np.bool_], QPixmap, str]]:
        """Which points have which symbol, from the lowest layer up, and what the legend calls it."""
        wrong = self._wrong
        if self._color_by is ColorBy.ERROR:
            judged = (self._truth >= 0) & (self._predicted >= 0)
            return [
                (~judged, self._symbol(Stage.UNKNOWN, self._theme.dim_text), "unknown"),
                (judged & ~wrong, self._symbol(Stage.N2, self._theme.dim_text, small=True), "right"),
                (wrong, self._symbol(Stage.W, self._theme.cursor), "wrong"),
            ]
        stages = self._truth if self._color_by is ColorBy.TRUTH else self._predicted
        kinds = []
        for outlined in (False, True):
            for stage in (Stage.UNKNOWN, *HYPNOGRAM_ORDER):
                color = self._theme.dim_text if stage is Stage.UNKNOWN else self._theme.stage(stage).name()
                named = "" if outlined else stage.label
                kinds.append(
                    ((stages == stage) & (wrong == outlined), self._symbol(stage, color, outlined=outlined), named)
                )
        kinds.append((np.zeros(len(wrong), bool), self._symbol(Stage.N2, self._theme.panel, outlined=True), "wrong"))
        return kinds

    def _paint_points(self, painter: QPainter) -> None:
        half = _SYMBOL_PX / 2 + 2
        for which, symbol, _ in self._kinds():
            for x, y in self._places[which].tolist():
                painter.drawPixmap(QPointF(x - half, y - half), symbol)

    def _paint_legend(self, painter: QPainter) -> None:
        x, top = 8.0, self.height() - _LEGEND_PX
        painter.setPen(QColor(self._theme.text))
        for which, symbol, name in self._kinds():
            if not name or (name in (Stage.UNKNOWN.label, "unknown") and not which.any()):
                continue
            painter.drawPixmap(QPointF(x, top + 6), symbol)
            text = name if self._color_by is not ColorBy.ERROR else f"{name} {int(which.sum())}"
            width = painter.fontMetrics().horizontalAdvance(text) + 4
            painter.drawText(QRectF(x + 15, top, width, _LEGEND_PX), Qt.AlignmentFlag.AlignVCenter, text)
            x += 15 + width + 8

    def _symbol(self, stage: Stage, color: str, *, outlined: bool = False, small: bool = False) -> QPixmap:
        """Draw a symbol once; it stands in a square that leaves room for its outline."""
        ratio, size = self.devicePixelRatioF(), _SYMBOL_PX + 4
        picture = QPixmap(round(size * ratio), round(size * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.text), 1.4) if outlined else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        inset = 4.0 if small else 2.0
        square = QRectF(inset, inset, size - 2 * inset, size - 2 * inset)
        if stage in _SHAPES:
            corners = (
                QPointF(square.x() + x * square.width(), square.y() + y * square.height()) for x, y in _SHAPES[stage]
            )
            painter.drawPolygon(QPolygonF(list(corners)))
        elif stage is Stage.UNKNOWN:
            painter.setPen(QPen(QColor(color), 1.2))
            painter.drawLine(square.topLeft(), square.bottomRight())
            painter.drawLine(square.topRight(), square.bottomLeft())
        else:
            painter.drawEllipse(square)
        painter.end()
        return picture

    # -- the mouse

    def _nearest(self, at: QPointF) -> int:
        """The point within reach, -1 where there is none."""
        if not len(self._places):
            return -1
        distances = np.hypot(self._places[:, 0] - at.x(), self._places[:, 1] - at.y())
        nearest = int(distances.argmin())
        return nearest if distances[nearest] <= _REACH_PX else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and len(self._places):
            self._lasso = [event.position()]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._lasso:
            self._lasso.append(event.position())
            self._hover(-1, event)
            self.update()
        else:
            self._hover(self._nearest(event.position()), event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or not self._lasso:
            return
        lasso, self._lasso = np.array([(p.x(), p.y()) for p in self._lasso]), []
        self.update()
        if np.ptp(lasso, axis=0).max() > _DRAG_PX:
            inside = within(self._places, lasso)
            self.lassoed.emit(np.sort(self._epochs[inside]))
        elif (nearest := self._nearest(event.position())) >= 0:
            self.picked.emit(int(self._epochs[nearest]))

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()

    def _hover(self, point: int, event: QMouseEvent) -> None:
        if point == self._hovered:
            return
        self._hovered = point
        if point >= 0:
            QToolTip.showText(event.globalPosition().toPoint(), self.describe(int(self._epochs[point])), self)
        else:
            QToolTip.hideText()
        self.update()


def within(points: NDArray[np.float64], polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which points ``float64 [n, 2]`` lie in a polygon ``float64 [m, 2]``, closed, by the even-odd rule."""
    inside = np.zeros(len(points), dtype=bool)
    x, y = points[:, 0], points[:, 1]
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        if y0 != y1:
            inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside
