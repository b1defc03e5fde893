"""The hypnodensity: how sure the model is of each stage, all through the night."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from sleepviewer.app.night.row import NightRow
from sleepviewer.app.shell.theme import Theme
from sleepviewer.stages import N_STAGES, Proba, Stage

DENSITY_ORDER: Final = (Stage.N3, Stage.N2, Stage.N1, Stage.REM, Stage.W)
"""Stages from the bottom of the hypnodensity to its top."""


class HypnodensityRow(NightRow):
    """The five stages' probabilities, stacked: N3 at the bottom, W at the top."""

    def __init__(self, key: str, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(key, title, 62, theme, parent)
        self._proba: Proba | None = None

    def show_proba(self, proba: Proba | None) -> None:
        """Show probabilities (``float32 [n_epochs, 5]``; rows of NaN are left blank)."""
        self._proba = proba
        self.refresh()

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        super().draw_gutter(painter, height)
        for text, y in (("100 %", 9.0), ("0 %", height - 9.0)):
            self.draw_scale(painter, y, text)

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        if self._proba is None or not len(self._proba):
            painter.setPen(QColor(self._theme.dim_text))
            rect = QRectF(12, 0, width - 24, height)
            text = "How sure the model is of each stage, once it has scored"
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
            return
        columns, rows = int(width), max(int(height) - 6, 1)
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
