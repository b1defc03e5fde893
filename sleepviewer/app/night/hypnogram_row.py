"""Step hypnograms over the night."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from sleepviewer.app.night.row import NightRow
from sleepviewer.app.shell.theme import Theme
from sleepviewer.stages import HYPNOGRAM_ORDER, Stage, StageArray

_LEVEL_OF: Final = {int(stage): level for level, stage in enumerate(HYPNOGRAM_ORDER)}
_NAME_STEP_PX: Final = 9.5


class HypnogramRow(NightRow):
    """A step hypnogram: W at the top, then REM (a thick bar), N1, N2, N3; marks on chosen epochs above it."""

    _MARKS_PX = 7

    def __init__(self, key: str, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(key, title, 78, theme, parent)
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
        # In a low row every other stage is named, or the first and last, so that names do not run into each other.
        step = self._y(1, height) - self._y(0, height)
        every = next((every for every in (1, 2) if every * step >= _NAME_STEP_PX), len(HYPNOGRAM_ORDER) - 1)
        for level, stage in list(enumerate(HYPNOGRAM_ORDER))[::every]:
            self.draw_scale(painter, self._y(level, height), stage.label)

    def _y(self, level: float, height: float) -> float:
        top, bottom = self._MARKS_PX + 6.0, height - 7.0
        return top + (bottom - top) * level / (len(HYPNOGRAM_ORDER) - 1)

    def draw(self, painter: QPainter, width: float, height: float) -> None:
        painter.setPen(QPen(QColor(self._theme.grid), 0))
        for level in range(len(HYPNOGRAM_ORDER)):
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


def _bouts(stages: StageArray, faint: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], StageArray]:
    """Runs of one stage and one faintness: first epochs, last epochs + 1, stages."""
    if not len(stages):
        none = np.empty(0, dtype=np.intp)
        return none, none, np.empty(0, dtype=np.int8)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(stages) | np.diff(faint)) + 1])
    stops = np.concatenate([starts[1:], [len(stages)]])
    return starts, stops, stages[starts]
