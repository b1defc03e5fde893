"""The multitaper spectrogram over the night."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, qRgb
from PySide6.QtWidgets import QWidget

from sleepviewer.app.night.row import NAME_PX, SCALE_PX, NightRow
from sleepviewer.app.shell.geometry import GUTTER_PX
from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.clock import clock_text
from sleepviewer.display.palettes import VIRIDIS
from sleepviewer.display.spectrogram import HIGHEST_HZ, LOWEST_HZ, Spectrogram
from sleepviewer.recording.base import Recording
from sleepviewer.stages import EPOCH_S

_COLORS: Final = np.array([qRgb(*(int(v) for v in color)) for color in VIRIDIS], dtype=np.uint32)
_MARGIN_PX: Final = 3.0
_MARKED_HZ: Final = (1, 10, 20, 30)
_LEGEND_FROM_PX: Final = 54.0


class SpectrogramRow(NightRow):
    """Power of the scored channel, 0.5–30 Hz, from dark violet (little) to yellow (much); blank where there is none."""

    def __init__(self, key: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(key, "Spectrogram", 66, theme, parent)
        self._recording: Recording | None = None
        self._spectrogram: Spectrogram | None = None
        self._limits_db = (0.0, 1.0)
        self._sentence = ""
        self.pending = False
        """Whether a spectrogram is being computed, so that a picture had better wait."""

    @property
    def spectrogram(self) -> Spectrogram | None:
        """What is shown."""
        return self._spectrogram

    def show_spectrogram(self, recording: Recording, spectrogram: Spectrogram) -> None:
        """Show a spectrogram of the recording."""
        self._recording, self._spectrogram, self._sentence, self.pending = recording, spectrogram, "", False
        self._limits_db = spectrogram.limits_db
        if not np.isfinite(spectrogram.power_db).any():
            self._sentence = f"{spectrogram.label} has no power between {LOWEST_HZ:g} and {HIGHEST_HZ:g} Hz to show"
        low, high = self._limits_db
        self.setToolTip(
            f"Power of {spectrogram.label} in dB of 1 {spectrogram.unit or 'unit'}²/Hz, multitaper, 1 Hz resolution; "
            f"colours span {low:.0f} to {high:.0f} dB (2nd to 98th percentile). Of the recording itself, unfiltered."
        )
        self.refresh()

    @property
    def says_something(self) -> bool:
        """Whether there is a spectrogram, or a word on why there is none."""
        return self._spectrogram is not None or bool(self._sentence)

    def show_sentence(self, sentence: str, *, pending: bool = False) -> None:
        """Show why there is no spectrogram, or (``pending``) none yet."""
        self._spectrogram, self._sentence, self.pending = None, sentence, pending
        self.setToolTip("")
        self.refresh()

    def draw_gutter(self, painter: QPainter, height: float) -> None:
        for frequency in _MARKED_HZ:
            if frequency in (10, 30) or height >= _LEGEND_FROM_PX:
                y = min(max(self._y(frequency, height), 7.0), height - 7.0)
                self.draw_scale(painter, y, f"{frequency} Hz" if frequency == HIGHEST_HZ else f"{frequency}")
        room = GUTTER_PX - NAME_PX - SCALE_PX
        if self._spectrogram is None or height < _LEGEND_FROM_PX:
            super().draw_gutter(painter, height)
            return
        middle = height / 2
        self.draw_title(painter, QRectF(NAME_PX, middle - 25, room, 17))
        painter.setFont(self.small_font())
        painter.setPen(QColor(self._theme.dim_text))
        metrics = QFontMetricsF(painter.font())
        label = metrics.elidedText(self._spectrogram.label, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QRectF(NAME_PX, middle - 9, room, 14), Qt.AlignmentFlag.AlignVCenter, label)
        low, high = self._limits_db
        bar = QImage(_COLORS[None, ::4].copy().data, 64, 1, 256, QImage.Format.Format_RGB32).copy()
        painter.drawImage(QRectF(NAME_PX, middle + 6, room - 14, 5), bar)
        text = f"{low:.0f}…{high:.0f} dB".replace("-", "−")
        painter.drawText(QRectF(NAME_PX, middle + 11, room, 14), Qt.AlignmentFlag.AlignVCenter, text)

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        if self._sentence:
            painter.setPen(QColor(self._theme.dim_text))
            painter.drawText(QRectF(12, 0, width - 24, height), Qt.AlignmentFlag.AlignCenter, self._sentence)
        if self._spectrogram is None or self._sentence:
            return
        ratio = painter.device().devicePixelRatioF() if painter.device() is not None else 1.0
        columns = max(int(width * ratio), 1)
        power = self._spectrogram.columns(self._span.first * EPOCH_S, self._span.last * EPOCH_S, columns)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        image = _image(power, self._limits_db)
        painter.drawImage(QRectF(0, _MARGIN_PX, width, height - 2 * _MARGIN_PX), image)
        painter.setPen(QPen(QColor(255, 255, 255, 60), 0))
        for frequency in _MARKED_HZ[1:-1]:
            y = round(self._y(frequency, height)) + 0.5
            painter.drawLine(QPointF(0, y), QPointF(width, y))

    def readout(self, x: float, y: float, width: float, height: float) -> str:
        if self._recording is None or self._spectrogram is None or self._sentence:
            return ""
        share = 1 - (y - _MARGIN_PX) / max(height - 2 * _MARGIN_PX, 1.0)
        frequency = min(max(LOWEST_HZ + share * (HIGHEST_HZ - LOWEST_HZ), LOWEST_HZ), HIGHEST_HZ)
        time_s = self._span.place_at(x, width) * EPOCH_S
        power = self._spectrogram.at(time_s, frequency)
        said = "nothing measured" if power is None else f"{power:.1f} dB".replace("-", "−")
        return f"{clock_text(self._recording, time_s)}   {frequency:.1f} Hz   {said}"

    def _y(self, frequency: float, height: float) -> float:
        share = (frequency - LOWEST_HZ) / (HIGHEST_HZ - LOWEST_HZ)
        return height - _MARGIN_PX - share * (height - 2 * _MARGIN_PX)


def _image(power_db: NDArray[np.float32], limits_db: tuple[float, float]) -> QImage:
    """Paint ``power_db [n_columns, n_frequencies]``, the highest frequency at the top; NaN is transparent."""
    low, high = limits_db
    known = np.isfinite(power_db)
    level = np.clip((np.where(known, power_db, low) - low) / (high - low) * (len(_COLORS) - 1), 0, len(_COLORS) - 1)
    pixels = np.where(known, _COLORS[level.astype(np.uint8)], np.uint32(0)).T[::-1]
    pixels = np.ascontiguousarray(pixels, dtype=np.uint32)
    rows, columns = pixels.shape
    return QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()
