"""Rows of one line: disagreements, annotations, clock."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from sleepviewer.app.night.row import TextRow
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.display.clock import clock_text
from sleepviewer.recording.annotations import Annotation
from sleepviewer.recording.base import Recording
from sleepviewer.stages import EPOCH_S

_NEAR_PX = 6.0


class TickRow(TextRow):
    """A tick for every epoch of a list, with their number in the gutter."""

    def __init__(self, key: str, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(key, title, theme, parent)
        self._epochs: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._text = ""

    @property
    def has_content(self) -> bool:
        return bool(self._text)

    def show_epochs(self, epochs: NDArray[np.intp], text: str) -> None:
        """Show the ticks; ``text`` stands in the gutter."""
        self._epochs, self._text = epochs, text
        self.refresh()

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        mark = max(self._span.x_of(1, width) - self._span.x_of(0, width), 1.0)
        color = QColor(self._theme.text)
        for epoch in self._epochs:
            painter.fillRect(QRectF(self._span.x_of(int(epoch), width), 3, mark, height - 6), color)


class AnnotationRow(TextRow):
    """The file's annotations: a tick at each onset, a thin line over each duration.

    However many there are, no more is drawn than one tick a pixel column.
    """

    def __init__(self, key: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(key, "Annotations", theme, parent)
        self._recording: Recording | None = None
        self._annotations: tuple[Annotation, ...] = ()
        self._onsets_s: NDArray[np.float64] = np.empty(0)
        self._stops_s: NDArray[np.float64] = np.empty(0)
        self._text = ""

    @property
    def has_content(self) -> bool:
        return bool(self._annotations)

    def show_annotations(self, recording: Recording, annotations: tuple[Annotation, ...]) -> None:
        """Show annotations, in order of their onsets."""
        self._recording, self._annotations = recording, annotations
        self._onsets_s = np.array([a.onset_s for a in annotations])
        self._stops_s = np.array([a.stop_s for a in annotations])
        count = len(annotations)
        self._text = "1 annotation" if count == 1 else f"{count:,} annotations"
        self.refresh()

    def columns(self, width: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Pixel columns with an onset, rising, and for every column whether an annotation lasts over it."""
        n = max(int(width), 1)
        if not len(self._onsets_s):
            return np.empty(0, dtype=np.intp), np.zeros(n, dtype=bool)
        scale = width / self._span.length
        begin = np.floor((self._onsets_s / EPOCH_S - self._span.first) * scale).astype(np.intp)
        end = np.floor((self._stops_s / EPOCH_S - self._span.first) * scale).astype(np.intp)
        ticks = np.unique(begin[(begin >= 0) & (begin < n)])
        lasting = end > begin
        steps = np.zeros(n + 1, dtype=np.intp)
        np.add.at(steps, np.clip(begin[lasting], 0, n), 1)
        np.add.at(steps, np.clip(end[lasting], 0, n), -1)
        return ticks, np.cumsum(steps)[:n] > 0

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        ticks, covered = self.columns(width)
        color = QColor(self._theme.accent)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], covered.view(np.int8), [0]])))
        for left, right in edges.reshape(-1, 2):
            painter.fillRect(QRectF(int(left), height - 6, int(right - left), 3), color)
        for column in ticks:
            painter.fillRect(QRectF(int(column), 3, 1, height - 6), color)

    def readout(self, x: float, y: float, width: float, height: float) -> str:
        if self._recording is None or not self._annotations:
            return ""
        per_pixel = self._span.length * EPOCH_S / width
        time_s = self._span.place_at(x, width) * EPOCH_S
        after = bisect_left(self._onsets_s, time_s)
        near = [i for i in (after - 1, after) if 0 <= i < len(self._annotations)]
        nearest = min(near, key=lambda i: abs(self._onsets_s[i] - time_s))
        if abs(self._onsets_s[nearest] - time_s) > _NEAR_PX * per_pixel:
            return ""
        entry = self._annotations[nearest]
        return f"{clock_text(self._recording, entry.onset_s)}  {entry.text}"


class ClockRow(TextRow):
    """Clock times under the night's rows, and the names of the lights' marks."""

    def __init__(self, key: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(key, "Clock", theme, parent, height=20)
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
        font = tabular(self.font())
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        taken = self._draw_lights_names(painter, metrics, width, height)
        painter.setPen(QColor(self._theme.dim_text))
        for time_s, text in self._ticks:
            x = self._span.x_of(time_s / EPOCH_S, width)
            half = metrics.horizontalAdvance(text) / 2 + 2
            left = min(max(x - half, 0.0), width - 2 * half)
            if any(left < other.right() + 4 and left + 2 * half > other.left() - 4 for other in taken):
                continue
            painter.drawLine(QPointF(x, 0), QPointF(x, 3))
            painter.drawText(QRectF(left, 3, 2 * half, height - 3), Qt.AlignmentFlag.AlignCenter, text)

    def _draw_lights_names(
        self, painter: QPainter, metrics: QFontMetricsF, width: float, height: float
    ) -> list[QRectF]:
        """Name the marks of lights off and on; return the room that this takes."""
        taken = []
        painter.setPen(QColor(self._theme.text))
        for epoch, text in ((self._lights.off, "lights off"), (self._lights.on, "lights on")):
            if epoch is None or not 0 <= (x := self._span.x_of(epoch, width)) <= width:
                continue
            room = metrics.horizontalAdvance(text) + 6
            # Inside of the night, where nothing is dimmed, if there is room.
            left = x + 4 if text.endswith("off") else x - room - 4
            left = min(max(left, 0.0), width - room)
            rect = QRectF(left, 2, room, height - 2)
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
            taken.append(rect)
        return taken
