"""The rows of the whole night: hypnograms, disagreements, hypnodensity, clock.

Each row paints its unchanging part once into a pixmap; turning a page only moves the cursor over it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from sleepviewer.app.geometry import GUTTER_PX, RIGHT_PX
from sleepviewer.app.theme import Theme, tabular
from sleepviewer.stages import EPOCH_S, N_STAGES, Proba, Stage, StageArray

LEVELS = (Stage.W, Stage.REM, Stage.N1, Stage.N2, Stage.N3)
"""Stages from the top of a hypnogram to its bottom."""

_LEVEL_OF = {int(stage): level for level, stage in enumerate(LEVELS)}

DENSITY_ORDER = (Stage.N3, Stage.N2, Stage.N1, Stage.REM, Stage.W)
"""Stages from the bottom of the hypnodensity to its top."""


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the night that the rows show, in epochs from its start."""

    first: float
    last: float

    def x_of(self, epoch: float, width: float) -> float:
        """Pixel of an epoch's beginning in a row ``width`` pixels wide."""
        return (epoch - self.first) / (self.last - self.first) * width

    def epoch_at(self, x: float, width: float) -> int:
        """The epoch under a pixel."""
        return int(np.floor(self.first + x / max(width, 1.0) * (self.last - self.first)))

    def zoomed(self, factor: float, around: float, n_epochs: int) -> Span:
        """A span ``factor`` times as long around an epoch, at least ten minutes, at most the night."""
        length = min(max((self.last - self.first) * factor, 20.0), float(n_epochs))
        share = (around - self.first) / (self.last - self.first)
        first = min(max(around - share * length, 0.0), n_epochs - length)
        return Span(first, first + length)

    def containing(self, epoch: int, n_epochs: int) -> Span:
        """The same length, centred on the epoch where that is outside."""
        length = self.last - self.first
        if self.first <= epoch and epoch + 1 <= self.last:
            return self
        first = min(max(epoch + 0.5 - length / 2, 0.0), max(n_epochs - length, 0.0))
        return Span(first, first + length)


class NightRow(QWidget):
    """One row over the night; subclasses draw their content, this class the gutter, the cursor and the cache."""

    def __init__(self, title: str, height: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._usual_height = height
        self.setFixedHeight(height)
        self.setAccessibleName(f"{title} over the night")
        self._theme = theme
        self._span = Span(0, 1)
        self._selected = range(1)
        self._gaps: tuple[tuple[float, float], ...] = ()
        self._cache: QPixmap | None = None

    @property
    def plot_width(self) -> float:
        """Width of the part right of the gutter."""
        return float(max(self.width() - GUTTER_PX - RIGHT_PX, 1))

    def set_scale(self, scale: float) -> None:
        """Make the row lower or higher than usual, so that the traces keep their share of the window."""
        self.setFixedHeight(round(self._usual_height * scale))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.refresh()

    def set_gaps(self, gaps: tuple[tuple[float, float], ...]) -> None:
        """Shade stretches without samples, given in epochs from the night's start."""
        self._gaps = gaps
        self.refresh()

    def set_span(self, span: Span) -> None:
        """Show another part of the night."""
        if span != self._span:
            self._span = span
            self.refresh()

    def set_selected(self, selected: range) -> None:
        """Move the cursor."""
        if selected != self._selected:
            self._selected = selected
            self.update()

    def refresh(self) -> None:
        """Forget the painted content and paint it anew."""
        self._cache = None
        self.update()

    @abstractmethod
    def draw(self, painter: QPainter, width: float, height: float) -> None:
        """Draw the content into ``width`` × ``height`` pixels, (0, 0) being the top left of the plot's part."""

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        """Draw what stands left of the plot: by default the title."""
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.text))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(12, 0, GUTTER_PX - 50, height), flags, self.title)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._cache = None
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._cache is None:
            self._cache = self._paint_content()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._cache)
        self._paint_cursor(painter)

    def _paint_content(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(self._theme.panel))
        painter = QPainter(pixmap)
        self.draw_gutter(painter, self.height())
        painter.translate(GUTTER_PX, 0)
        painter.setClipRect(QRectF(0, 0, self.plot_width, self.height()))
        for start, stop in self._gaps:
            left, right = self._span.x_of(start, self.plot_width), self._span.x_of(stop, self.plot_width)
            painter.fillRect(QRectF(left, 0, max(right - left, 1.0), self.height()), QColor(self._theme.grid_strong))
        self.draw(painter, self.plot_width, self.height())
        painter.end()
        return pixmap

    def _paint_cursor(self, painter: QPainter) -> None:
        left = GUTTER_PX + self._span.x_of(self._selected.start, self.plot_width)
        right = GUTTER_PX + self._span.x_of(self._selected.stop, self.plot_width)
        if right < GUTTER_PX or left > GUTTER_PX + self.plot_width:
            return
        color = QColor(self._theme.cursor)
        if right - left > 3:
            shade = QColor(color)
            shade.setAlpha(60)
            painter.fillRect(QRectF(left, 0, right - left, self.height()), shade)
        painter.fillRect(QRectF(round(left), 0, 1.5, self.height()), color)


class HypnogramRow(NightRow):
    """A step hypnogram: W at the top, then REM (a thick bar), N1, N2, N3; marks on chosen epochs above it."""

    _MARKS_PX = 7

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(title, 78, theme, parent)
        self._stages: StageArray = np.empty(0, dtype=np.int8)
        self._marked: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._flagged: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._faint: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._empty_text = ""

    def show_stages(
        self,
        stages: StageArray | None,
        *,
        marked: NDArray[np.intp] | None = None,
        flagged: NDArray[np.intp] | None = None,
        faint: NDArray[np.bool_] | None = None,
        empty_text: str = "",
    ) -> None:
        """Show stages (``int8 [n_epochs]``, UNKNOWN is left blank), or a sentence where there are none.

        ``marked`` and ``flagged`` epochs get a mark above; where ``faint`` (``bool [n_epochs]``) the line is thin.
        """
        none = np.empty(0, dtype=np.intp)
        self._stages = np.empty(0, dtype=np.int8) if stages is None else stages
        self._marked = none if marked is None else marked
        self._flagged = none if flagged is None else flagged
        self._faint = np.zeros(len(self._stages), dtype=bool) if faint is None else faint
        self._empty_text = empty_text if stages is None or (stages < 0).all() else ""
        self.refresh()

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        super().draw_gutter(painter, height)
        font = tabular(self.font())
        font.setPointSizeF(self.font().pointSizeF() * 0.78)
        painter.setFont(font)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for level, stage in enumerate(LEVELS):
            painter.setPen(QColor(self._theme.dim_text))
            y = self._y(level, height)
            painter.drawText(QRectF(GUTTER_PX - 50, y - 8, 42, 16), flags, stage.label)

    def _y(self, level: float, height: float) -> float:
        top, bottom = self._MARKS_PX + 6.0, height - 7.0
        return top + (bottom - top) * level / (len(LEVELS) - 1)

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        painter.setPen(QPen(QColor(self._theme.grid), 0))
        for level in range(len(LEVELS)):
            y = round(self._y(level, height)) + 0.5
            painter.drawLine(QPointF(0, y), QPointF(width, y))
        if self._empty_text:
            painter.setPen(QColor(self._theme.dim_text))
            painter.drawText(QRectF(12, 0, width - 24, height), Qt.AlignmentFlag.AlignCenter, self._empty_text)
        self._draw_steps(painter, width, height)
        self._draw_marks(painter, self._marked, self._theme.accent, width, 0.0)
        self._draw_marks(painter, self._flagged, self._theme.cursor, width, 3.5)

    def _draw_steps(self, painter: QPainter, width: float, height: float) -> None:
        starts, stops, stages = _bouts(self._stages, self._faint)
        risers = []
        for i in range(1, len(starts)):
            if stops[i - 1] == starts[i] and stages[i] >= 0 and stages[i - 1] >= 0:
                x = self._span.x_of(starts[i], width)
                risers.append(
                    QLineF(
                        x,
                        self._y(_LEVEL_OF[int(stages[i - 1])], height),
                        x,
                        self._y(_LEVEL_OF[int(stages[i])], height),
                    )
                )
        painter.setPen(QPen(QColor(self._theme.grid_strong), 0))
        painter.drawLines(risers)
        for start, stop, stage in zip(starts, stops, stages, strict=True):
            if stage < 0:
                continue
            left, right = self._span.x_of(start, width), self._span.x_of(stop, width)
            thick = 6 if stage == Stage.REM else 4
            thick = thick // 2 if self._faint[start] else thick
            # Whole pixels, or lines of one thickness would look like lines of two.
            top = round(self._y(_LEVEL_OF[int(stage)], height)) - thick // 2
            painter.fillRect(QRectF(left, top, max(right - left, 1.0), thick), self._theme.stage(int(stage)))

    def _draw_marks(self, painter: QPainter, epochs: NDArray[np.intp], color: str, width: float, top: float) -> None:
        mark = max(self._span.x_of(1, width) - self._span.x_of(0, width), 2.0)
        for epoch in epochs:
            painter.fillRect(QRectF(self._span.x_of(int(epoch), width), top, mark, 3.0), QColor(color))


class TickRow(NightRow):
    """A tick for every epoch of a list, with their number in the gutter."""

    def set_scale(self, scale: float) -> None:
        """Text keeps its height."""

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(title, 16, theme, parent)
        self._epochs: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._text = title

    def show_epochs(self, epochs: NDArray[np.intp], text: str) -> None:
        """Show the ticks; ``text`` stands in the gutter."""
        self._epochs, self._text = epochs, text
        self.refresh()

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        font = tabular(self.font())
        font.setPointSizeF(self.font().pointSizeF() * 0.82)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.dim_text))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(12, 0, GUTTER_PX - 16, height), flags, self._text)

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        mark = max(self._span.x_of(1, width) - self._span.x_of(0, width), 1.0)
        color = QColor(self._theme.text)
        for epoch in self._epochs:
            painter.fillRect(QRectF(self._span.x_of(int(epoch), width), 3, mark, height - 6), color)


class HypnodensityRow(NightRow):
    """The five stages' probabilities, stacked: N3 at the bottom, W at the top."""

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(title, 62, theme, parent)
        self._proba: Proba | None = None

    def show_proba(self, proba: Proba | None) -> None:
        """Show probabilities (``float32 [n_epochs, 5]``; rows of NaN are left blank)."""
        self._proba = proba
        self.refresh()

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        super().draw_gutter(painter, height)
        font = tabular(self.font())
        font.setPointSizeF(self.font().pointSizeF() * 0.78)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.dim_text))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for text, y in (("100 %", 9.0), ("0 %", height - 9.0)):
            painter.drawText(QRectF(GUTTER_PX - 50, y - 8, 42, 16), flags, text)

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        if self._proba is None or not len(self._proba):
            return
        columns, rows = int(width), int(height) - 6
        middles = (np.arange(columns) + 0.5) / width
        epochs = (self._span.first + middles * (self._span.last - self._span.first)).astype(int)
        inside = (epochs >= 0) & (epochs < len(self._proba))
        proba = self._proba[np.clip(epochs, 0, len(self._proba) - 1)]
        image = _density_image(proba, inside & np.isfinite(proba).all(axis=1), rows, self._theme)
        painter.drawImage(QRectF(0, 3, columns, rows), image)


def _density_image(proba: Proba, shown: NDArray[np.bool_], rows: int, theme: Theme) -> QImage:
    """Paint stacked probabilities, one pixel column a row of ``proba [columns, 5]``."""
    tops = np.cumsum(np.nan_to_num(proba[:, [int(s) for s in DENSITY_ORDER]]), axis=1)
    level = (rows - np.arange(rows) - 0.5) / rows
    band = (level[:, None, None] > tops[None, :, :]).sum(axis=2)
    colors = [theme.stage(stage).rgba() for stage in DENSITY_ORDER]
    table = np.array([*colors, QColor(theme.panel).rgba()], dtype=np.uint32)
    pixels = np.where(shown[None, :], table[np.minimum(band, N_STAGES - 1)], table[-1]).astype(np.uint32)
    pixels = np.ascontiguousarray(pixels)
    return QImage(pixels.data, pixels.shape[1], rows, pixels.shape[1] * 4, QImage.Format.Format_RGB32).copy()


class ClockRow(NightRow):
    """Clock times under the night's rows."""

    def set_scale(self, scale: float) -> None:
        """Text keeps its height."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Clock", 20, theme, parent)
        self._ticks: list[tuple[float, str]] = []

    @property
    def has_ticks(self) -> bool:
        """Whether there is anything to show yet."""
        return bool(self._ticks)

    def show_ticks(self, ticks: list[tuple[float, str]]) -> None:
        """Show ticks at recording times (seconds)."""
        self._ticks = ticks
        self.refresh()

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        """Nothing stands left of the clock."""

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        painter.setFont(tabular(self.font()))
        painter.setPen(QColor(self._theme.dim_text))
        for time_s, text in self._ticks:
            x = self._span.x_of(time_s / EPOCH_S, width)
            painter.drawLine(QPointF(x, 0), QPointF(x, 3))
            half = painter.fontMetrics().horizontalAdvance(text) / 2 + 2
            left = min(max(x - half, 0.0), width - 2 * half)
            painter.drawText(QRectF(left, 3, 2 * half, height - 3), Qt.AlignmentFlag.AlignCenter, text)


def _bouts(stages: StageArray, faint: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], StageArray]:
    """Runs of one stage and one faintness: first epochs, last epochs + 1, stages."""
    if not len(stages):
        none = np.empty(0, dtype=np.intp)
        return none, none, np.empty(0, dtype=np.int8)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(stages) | np.diff(faint)) + 1])
    stops = np.concatenate([starts[1:], [len(stages)]])
    return starts, stops, stages[starts]
