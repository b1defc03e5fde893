"""Two hypnograms line by line, as a coloured diff: what differs stands out, and a mark below says what kind it is."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from sleepviewer.analysis.diff import MARKS
from sleepviewer.analysis.errors import Comparison, letters
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.display.clock import clock_text
from sleepviewer.recording.base import Recording
from sleepviewer.stages import EPOCH_S, Stage

_GUTTER_PX: Final = 66
_ROW_PX: Final = 17
_LINE_PX: Final = 3 * _ROW_PX + 8
"""A line: the reference, the other, the marks, and some air."""

_CELL_PX: Final = 9
"""A letter needs so much."""

_LINE_EPOCHS: Final = (10, 20, 30, 60, 120)
"""Lines are of 5, 10, 15, 30 minutes or an hour, as many as there is room for."""

_AGREED: Final = 0.22
"""How strongly a stage's colour is laid under a letter that both agree on."""


class DiffView(QAbstractScrollArea):
    """Lines of a comparison that scroll up and down; a click asks to go to an epoch."""

    picked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._comparison: Comparison | None = None
        self._recording: Recording | None = None
        self._only_different = False
        self._epoch = 0
        self._firsts: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._letters = ("", "")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFont(tabular(self.font()))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Both hypnograms, line by line")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.verticalScrollBar().setSingleStep(_LINE_PX)
        self.verticalScrollBar().setFocusPolicy(Qt.FocusPolicy.NoFocus)

    # -- what is shown

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.viewport().update()

    def show_comparison(self, comparison: Comparison | None, recording: Recording | None) -> None:
        """Show a comparison, or (None) nothing; the place that was scrolled to stays."""
        self._comparison, self._recording = comparison, recording
        self._letters = ("", "") if comparison is None else (letters(comparison.truth), letters(comparison.predicted))
        self._lay_out()
        self._tell_place()

    def show_only_different(self, only: bool) -> None:
        """Leave lines out that agree from end to end."""
        self._only_different = only
        self._lay_out()
        self.show_epoch(self._epoch)

    def show_epoch(self, epoch: int) -> None:
        """Mark the current epoch, and scroll to it where it is out of sight."""
        before, self._epoch = self._epoch, epoch
        line = self._line_of(epoch)
        for changed in {self._line_of(before), line}:
            if changed is not None:
                self.viewport().update(self._line_rect(changed))
        if line is not None:
            top, bar = line * _LINE_PX, self.verticalScrollBar()
            if not bar.value() <= top <= bar.value() + self.viewport().height() - _LINE_PX:
                bar.setValue(top - (self.viewport().height() - _LINE_PX) // 2)
        self._tell_place()

    @property
    def line_epochs(self) -> int:
        """How many epochs a line has."""
        room = (self.viewport().width() - _GUTTER_PX) // _CELL_PX
        return max((n for n in _LINE_EPOCHS if n <= room), default=_LINE_EPOCHS[0])

    @property
    def lines(self) -> list[int]:
        """The first epoch of each line that is shown."""
        return self._firsts.tolist()

    def cell_rect(self, epoch: int) -> QRect:
        """Return where an epoch stands, all three rows of it, in the viewport; empty where its line is not shown."""
        line = self._line_of(epoch)
        if line is None:
            return QRect()
        column = (epoch - int(self._firsts[line])) * self._cell_px
        return QRect(round(_GUTTER_PX + column), self._line_rect(line).top(), round(self._cell_px), 3 * _ROW_PX)

    def words(self, epoch: int) -> str:
        """Return an epoch in words: ``epoch 12: N2, N1, ~ shift``."""
        found = self._comparison
        if found is None:
            return ""
        stages = (Stage(int(stages[epoch])).label for stages in (found.truth, found.predicted))
        kind = int(found.kind[epoch])
        parts = [*stages, *([f"{MARKS[KINDS[kind]]} {KINDS[kind]}"] if kind >= 0 else [])]
        return f"epoch {epoch + 1}: {', '.join(parts)}"

    @property
    def _cell_px(self) -> float:
        return (self.viewport().width() - _GUTTER_PX - 4) / self.line_epochs

    def _line_of(self, epoch: int) -> int | None:
        line = int(np.searchsorted(self._firsts, epoch, side="right")) - 1
        if line < 0 or epoch - int(self._firsts[line]) >= self.line_epochs:
            return None
        return line

    def _line_rect(self, line: int) -> QRect:
        return QRect(0, line * _LINE_PX - self.verticalScrollBar().value(), self.viewport().width(), _LINE_PX)

    def _lay_out(self) -> None:
        found, n = self._comparison, self.line_epochs
        firsts = np.arange(0, 0 if found is None else len(found), n, dtype=np.intp)
        if found is not None and self._only_different:
            firsts = firsts[np.isin(firsts // n, found.epochs // n)]
        self._firsts = firsts
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(len(firsts) * _LINE_PX - self.viewport().height(), 0))
        self.viewport().update()

    def _tell_place(self) -> None:
        self.setAccessibleDescription("" if self._comparison is None else self.words(self._epoch))

    # -- hands

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        epoch = self._epoch_at(event.position().toPoint())
        if epoch is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(epoch)

    def _epoch_at(self, point: QPoint) -> int | None:
        line = (point.y() + self.verticalScrollBar().value()) // _LINE_PX
        if self._comparison is None or not 0 <= line < len(self._firsts) or point.x() < _GUTTER_PX:
            return None
        column = int((point.x() - _GUTTER_PX) / self._cell_px)
        epoch = int(self._firsts[line]) + column
        return epoch if column < self.line_epochs and epoch < len(self._comparison) else None

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and self._next(event) is not None:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        epoch = self._next(event)
        if epoch is None:
            event.ignore()  # all other keys are the window's
        else:
            self.picked.emit(epoch)

    def _next(self, event: QEvent) -> int | None:
        """Return the epoch above or below the current one that Up or Down goes to."""
        if not isinstance(event, QKeyEvent) or self._comparison is None or not len(self._firsts):
            return None
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if by is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        line = int(np.searchsorted(self._firsts, self._epoch, side="right")) - 1
        if self._line_of(self._epoch) is None and by < 0:
            line += 1  # its own line is left out
        line = min(max(line + by, 0), len(self._firsts) - 1)
        return min(int(self._firsts[line]) + self._epoch % self.line_epochs, len(self._comparison) - 1)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), QColor(self._theme.panel))
        found = self._comparison
        if found is None or self._recording is None:
            return
        first = (event.rect().top() + self.verticalScrollBar().value()) // _LINE_PX
        last = (event.rect().bottom() + self.verticalScrollBar().value()) // _LINE_PX
        for line in range(max(first, 0), min(last + 1, len(self._firsts))):
            self._paint_line(painter, found, self._recording, line)

    def _paint_line(self, painter: QPainter, found: Comparison, recording: Recording, line: int) -> None:
        theme, start, top = self._theme, int(self._firsts[line]), self._line_rect(line).top()
        painter.setFont(self.font())
        painter.setPen(QColor(theme.dim_text))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(6, top, _GUTTER_PX, _ROW_PX), left, clock_text(recording, start * EPOCH_S))
        painter.drawText(QRectF(6, top + _ROW_PX, _GUTTER_PX, _ROW_PX), left, str(start + 1))
        width, bold = self._cell_px, QFont(self.font())
        bold.setBold(True)
        for column, epoch in enumerate(range(start, min(start + self.line_epochs, len(found)))):
            kind = int(found.kind[epoch])
            painter.setFont(bold if kind >= 0 else self.font())
            for row, stages in enumerate((found.truth, found.predicted)):
                cell = QRectF(_GUTTER_PX + column * width, top + row * _ROW_PX, width, _ROW_PX)
                stage = int(stages[epoch])
                if stage >= 0:
                    fill = theme.stage(stage)
                    fill.setAlphaF(1.0 if kind >= 0 else _AGREED)
                    painter.fillRect(cell, fill)
                painter.setPen(_ink_on(fill) if kind >= 0 else QColor(theme.text))
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, self._letters[row][epoch])
            if kind >= 0:
                painter.setPen(QColor(theme.text))
                below = QRectF(_GUTTER_PX + column * width, top + 2 * _ROW_PX, width, _ROW_PX)
                painter.drawText(below, Qt.AlignmentFlag.AlignCenter, MARKS[KINDS[kind]])
        if self._line_of(self._epoch) == line:
            painter.setPen(QPen(QColor(theme.cursor), 2))
            painter.drawRect(self.cell_rect(self._epoch).adjusted(0, 1, 0, -1))


def _ink_on(ground: QColor) -> QColor:
    """Black or white, whichever stands out."""
    light = 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF()
    return QColor("#000000" if light > 0.5 else "#ffffff")
