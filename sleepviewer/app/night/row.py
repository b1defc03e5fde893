"""What all rows of the night have in common: gutter, gaps, lights, cursor, and a picture that is kept.

A row paints its unchanging part once into a pixmap; turning a page only moves the cursor over it.
"""

from __future__ import annotations

from abc import abstractmethod
from math import ceil, floor

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from sleepviewer.app.shell.geometry import GUTTER_PX, RIGHT_PX
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.display.span import Span
from sleepviewer.review.lights import Lights

NAME_PX = 12
"""Where names begin, left of the plot."""

SCALE_PX = 42
"""Width of what stands directly left of the plot: stages, percents, Hz."""

_TEXT_PX = 16


class NightRow(QWidget):
    """One row over the night; subclasses draw their content, this class the gutter, the cursor and the cache.

    ``key`` is the row's name in the user's settings; ``usual_height`` is in pixels, 0 zoom; a row of one line of text
    (``resizable`` False) always has that height.
    """

    resizable = True

    def __init__(self, key: str, title: str, height: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self.title = title
        self.usual_height = height
        self.setFixedHeight(height)
        self.setMouseTracking(True)
        self.setAccessibleName(f"{title} over the night")
        self._theme = theme
        self._span = Span(0, 1)
        self._epoch, self._selected = 0, range(1)
        self._gaps: tuple[tuple[float, float], ...] = ()
        self._lights = Lights()
        self._cache: QPixmap | None = None
        self._pointer: QPoint | None = None
        self._readout_shown = False

    @property
    def plot_width(self) -> float:
        """Width of the part right of the gutter."""
        return _plot_width(self.width())

    @property
    def lights(self) -> Lights:
        """The marks that are shown."""
        return self._lights

    @property
    def has_content(self) -> bool:
        """Whether there is anything to show; a row without takes no room."""
        return True

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.refresh()

    def set_gaps(self, gaps: tuple[tuple[float, float], ...]) -> None:
        """Shade stretches without samples, given in epochs from the night's start."""
        self._gaps = gaps
        self.refresh()

    def set_lights(self, lights: Lights) -> None:
        """Mark lights off and on, and dim what is outside."""
        if lights != self._lights:
            self._lights = lights
            self.refresh()

    def set_span(self, span: Span) -> None:
        """Show another part of the night."""
        if span != self._span:
            self._span = span
            self.refresh()

    def set_selected(self, epoch: int, selected: range) -> None:
        """Move the cursor to an epoch of the range; only the strips where it was and where it is now are painted."""
        if (epoch, selected) != (self._epoch, self._selected):
            old = self._cursor_strip()
            self._epoch, self._selected = epoch, selected
            self.update(old)
            self.update(self._cursor_strip())

    def refresh(self) -> None:
        """Forget the painted content and paint it anew."""
        self._cache = None
        self.update()

    @abstractmethod
    def draw(self, painter: QPainter, width: float, height: float) -> None:
        """Draw the content into ``width`` × ``height`` pixels, (0, 0) being the top left of the plot's part."""

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        """Draw what stands left of the plot: by default the title."""
        self.draw_title(painter, QRectF(NAME_PX, 0, GUTTER_PX - NAME_PX - SCALE_PX, height))

    def draw_title(self, painter: QPainter, rect: QRectF) -> None:
        """Write the row's name, shortened where it is too long."""
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.text))
        text = QFontMetricsF(font).elidedText(self.title, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def draw_scale(self, painter: QPainter, y: float, text: str) -> None:
        """Write a step of the row's scale beside the plot, centred on ``y``."""
        painter.setFont(self.small_font())
        painter.setPen(QColor(self._theme.dim_text))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(GUTTER_PX - 8 - SCALE_PX, y - 8, SCALE_PX, 16), flags, text)

    def small_font(self) -> QFont:
        """The font of scales and notes."""
        font = tabular(self.font())
        font.setPointSizeF(self.font().pointSizeF() * 0.78)
        return font

    def readout(self, x: float, y: float, width: float, height: float) -> str:
        """What to say about the place under the pointer, in the plot's pixels; by default nothing."""
        return ""

    # -- painting

    def paint(self, painter: QPainter, width: float, height: float, *, cursor: bool = True) -> None:
        """Paint the whole row on any device into ``width`` × ``height`` of its units, from the painter's origin."""
        plot = _plot_width(width)
        painter.save()
        painter.setFont(self.font())
        self.draw_gutter(painter, height)
        painter.translate(GUTTER_PX, 0)
        painter.setClipRect(QRectF(0, 0, plot, height), Qt.ClipOperation.IntersectClip)
        for start, stop in self._gaps:
            left, right = self._span.x_of(start, plot), self._span.x_of(stop, plot)
            painter.fillRect(QRectF(left, 0, max(right - left, 1.0), height), QColor(self._theme.grid_strong))
        painter.save()
        self.draw(painter, plot, height)
        painter.restore()
        self._draw_lights(painter, plot, height)
        painter.restore()
        if cursor:
            self._draw_cursor(painter, width, height)

    def _draw_lights(self, painter: QPainter, width: float, height: float) -> None:
        dim = QColor(self._theme.panel)
        dim.setAlpha(150)
        pen = QPen(QColor(self._theme.text), 1, Qt.PenStyle.DashLine)
        for epoch, left_of in ((self._lights.off, True), (self._lights.on, False)):
            if epoch is None:
                continue
            x = self._span.x_of(epoch, width)
            outside = QRectF(0, 0, x, height) if left_of else QRectF(x, 0, width - x, height)
            if outside.width() > 0:
                painter.fillRect(outside, dim)
            painter.setPen(pen)
            painter.drawLine(QPointF(round(x) + 0.5, 0), QPointF(round(x) + 0.5, height))

    def _draw_cursor(self, painter: QPainter, width: float, height: float) -> None:
        plot = _plot_width(width)
        left = GUTTER_PX + self._span.x_of(self._selected.start, plot)
        right = GUTTER_PX + self._span.x_of(self._selected.stop, plot)
        if right < GUTTER_PX or left > GUTTER_PX + plot:
            return
        first, last = max(left, float(GUTTER_PX)), min(right, GUTTER_PX + plot)
        color = QColor(self._theme.cursor)
        if right - left > 3:
            shade = QColor(color)
            shade.setAlpha(60)
            painter.fillRect(QRectF(first, 0, last - first, height), shade)
        at = GUTTER_PX + self._span.x_of(self._epoch, plot)
        if GUTTER_PX <= at <= GUTTER_PX + plot:
            painter.fillRect(QRectF(round(at), 0, 1.5, height), color)

    def _cursor_strip(self) -> QRect:
        left = GUTTER_PX + self._span.x_of(self._selected.start, self.plot_width)
        right = GUTTER_PX + self._span.x_of(self._selected.stop, self.plot_width)
        left, right = max(left, 0.0), min(right, float(self.width()))
        return QRect(floor(left) - 2, 0, ceil(right) - floor(left) + 5, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._cache is None:
            self._cache = self._paint_content()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._cache)
        self._draw_cursor(painter, self.width(), self.height())
        self._draw_readout(painter)

    def _paint_content(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(self._theme.panel))
        painter = QPainter(pixmap)
        self.paint(painter, self.width(), self.height(), cursor=False)
        painter.end()
        return pixmap

    def _readout_now(self) -> str:
        if self._pointer is None or not GUTTER_PX <= self._pointer.x() < GUTTER_PX + self.plot_width:
            return ""
        return self.readout(self._pointer.x() - GUTTER_PX, self._pointer.y(), self.plot_width, self.height())

    def _draw_readout(self, painter: QPainter) -> None:
        """Write what is under the pointer at the end of the row that the pointer is farther from."""
        text = self._readout_now()
        self._readout_shown = bool(text)
        if not text or self._pointer is None:
            return
        font = tabular(self.font())
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        width = min(metrics.horizontalAdvance(text) + 12, self.plot_width)
        height = min(metrics.height() + 2, float(self.height()))
        on_left = self._pointer.x() > GUTTER_PX + self.plot_width / 2
        left = GUTTER_PX + 2 if on_left else GUTTER_PX + self.plot_width - width - 2
        box = QRectF(left, 0 if self.height() < 2 * _TEXT_PX else 2, width, height)
        painter.fillRect(box, QColor(self._theme.panel))
        painter.setPen(QColor(self._theme.text))
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width - 8)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    # -- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._cache = None
        super().resizeEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position().toPoint()
        if self._readout_shown or self._readout_now():
            self.update()
        event.ignore()  # the night's view moves and drags

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        if self._readout_shown:
            self.update()
        super().leaveEvent(event)


class TextRow(NightRow):
    """A row of one line, whose height is that of its text."""

    resizable = False

    def __init__(
        self, key: str, title: str, theme: Theme, parent: QWidget | None = None, *, height: int = _TEXT_PX
    ) -> None:
        super().__init__(key, title, height, theme, parent)
        self._text = title

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        font = tabular(self.font())
        font.setPointSizeF(self.font().pointSizeF() * 0.82)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.dim_text))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(NAME_PX, 0, GUTTER_PX - NAME_PX - 4, height), flags, self._text)


def _plot_width(width: float) -> float:
    return float(max(width - GUTTER_PX - RIGHT_PX, 1))
