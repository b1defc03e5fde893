"""The row of the scored channel's signal quality: which epochs can't be scored, and which are disturbed in part."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter
from PySide6.QtWidgets import QWidget

from sleepviewer.app.night.row import TextRow
from sleepviewer.app.shell.theme import Theme
from sleepviewer.recording.quality import BAD_KINDS, QualityKind, SignalQuality

_PATTERNS: Final = {
    QualityKind.GAP: Qt.BrushStyle.Dense6Pattern,
    QualityKind.FLAT: Qt.BrushStyle.HorPattern,
    QualityKind.CLIPPED: Qt.BrushStyle.VerPattern,
    QualityKind.EXTREME: Qt.BrushStyle.SolidPattern,
    QualityKind.LINE_NOISE: Qt.BrushStyle.DiagCrossPattern,
}
"""How the blocks of each kind are filled, so that color alone says nothing."""

_PART_PX: Final = 3.0
"""Height of the mark of an epoch that is disturbed in part."""


class QualityRow(TextRow):
    """A block for each epoch that is not scored because of its signal, a low mark for one with single bad seconds."""

    def __init__(self, key: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(key, "Signal quality", theme, parent)
        self._quality: SignalQuality | None = None
        self._in_part: NDArray[np.bool_] = np.zeros(0, dtype=bool)

    @property
    def has_content(self) -> bool:
        return self._quality is not None and bool((~self._quality.usable).any() or self._in_part.any())

    def show_quality(self, quality: SignalQuality | None) -> None:
        """Show the quality of the scored channel; None shows nothing."""
        self._quality = quality
        if quality is not None:
            self._in_part = quality.usable & (quality.seconds != QualityKind.USABLE).any(axis=1)
            bad = int((~quality.usable).sum())
            self._text = f"Signal: {bad:,} unusable" if bad else "Signal: disturbed"
        self.refresh()

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        quality = self._quality
        if quality is None:
            return
        color = QColor(self._theme.warning_text)
        for kind in BAD_KINDS:
            brush = QBrush(color, _PATTERNS[kind])
            for first, stop in _runs(quality.kinds == kind):
                block = self._block(first, stop, width, 2, height - 4)
                painter.fillRect(block, brush)
                painter.setPen(color)
                painter.drawRect(block)
        for first, stop in _runs(self._in_part):
            painter.fillRect(self._block(first, stop, width, height - 2 - _PART_PX, _PART_PX), color)

    def _block(self, first: int, stop: int, width: float, top: float, height: float) -> QRectF:
        left, right = self._span.x_of(first, width), self._span.x_of(stop, width)
        return QRectF(left, top, max(right - left - 1, 1.0), height)

    def readout(self, x: float, y: float, width: float, height: float) -> str:
        quality = self._quality
        epoch = int(self._span.place_at(x, width))
        if quality is None or not 0 <= epoch < len(quality):
            return ""
        if not (found := quality.describe(epoch)):
            return ""
        return f"Epoch {epoch + 1}: {found}" + ("" if quality.usable[epoch] else "; not scored")


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs of true as pairs of first and one past the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], there.view(np.int8), [0]))))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]
