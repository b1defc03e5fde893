"""The confusion matrix: painted, and picked from with the mouse or the keyboard."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sleepviewer.analysis.agreement import Agreement
from sleepviewer.app.shell.row_table import is_enter
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.stages import N_STAGES, SCORED_STAGES

_LEFT_PX: Final = 46
_TOP_PX: Final = 44
_CELL_PX: Final = 30
_STEPS: Final = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_PLAIN: Final = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier


class Shown(StrEnum):
    """What the cells say."""

    COUNTS = "Counts of epochs"
    ROWS = "Percent of each row"
    COLUMNS = "Percent of each column"


class ConfusionMatrix(QWidget):
    """Counts of epochs or their shares; a cell's shade is its share. Rows are the reference's stages."""

    cell_picked = Signal(int, int)
    """The reference's stage and the other's: list their epochs."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._result: Agreement | None = None
        self._names = ("", "")
        self._shown = Shown.COUNTS
        self._cell = (0, 0)
        self.setFont(tabular(self.font()))
        self.setFixedHeight(_TOP_PX + N_STAGES * _CELL_PX + 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._tell_place()

    def sizeHint(self) -> QSize:
        return QSize(300, self.height())

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def show_agreement(self, result: Agreement | None, rows: str, columns: str) -> None:
        """Show a result, or (None) nothing; the names say who stands in the rows and who in the columns."""
        self._result, self._names = result, (rows, columns)
        self.setVisible(result is not None)
        self._tell_place()
        self.update()

    def show_as(self, shown: Shown) -> None:
        """Show counts, or shares of rows or columns."""
        self._shown = shown
        self._tell_place()
        self.update()

    @property
    def cell(self) -> tuple[int, int]:
        """The cell that the keyboard is on: row and column."""
        return self._cell

    def cell_text(self, row: int, column: int) -> str:
        """Return what a cell shows; “–” for a share of nothing."""
        if self._result is None:
            return ""
        if self._shown is Shown.COUNTS:
            return str(int(self._result.confusion[row, column]))
        share = self._share(row, column)
        return "–" if math.isnan(share) else f"{100 * share:.1f}"

    def rect_of(self, row: int, column: int) -> QRectF:
        """Return where a cell lies."""
        width = (self.width() - _LEFT_PX - 2) / N_STAGES
        return QRectF(_LEFT_PX + column * width, _TOP_PX + row * _CELL_PX, width - 2, _CELL_PX - 2)

    def _share(self, row: int, column: int) -> float:
        assert self._result is not None
        by_column = self._shown is Shown.COLUMNS
        shares = self._result.by_prediction if by_column else self._result.by_truth
        return float(shares[row, column])

    def _words(self, row: int, column: int) -> str:
        """Return a cell in words, all three figures of it."""
        if self._result is None:
            return ""
        count = int(self._result.confusion[row, column])
        shares = (float(by[row, column]) for by in (self._result.by_truth, self._result.by_prediction))
        of_row, of_column = ("–" if math.isnan(share) else f"{share:.1%}" for share in shares)
        pair = [f"{name} {SCORED_STAGES[at].label}" for name, at in zip(self._names, (row, column), strict=True)]
        return f"{', '.join(pair)}: {count} epochs, {of_row} of the row, {of_column} of the column"

    def _tell_place(self) -> None:
        self.setAccessibleName("Confusion matrix")
        self.setAccessibleDescription(
            f"{self._words(*self._cell)}. Arrow keys choose a cell, Enter lists its epochs." if self._result else ""
        )

    # -- hands

    def _cell_at(self, point: QPointF) -> tuple[int, int] | None:
        cells = ((row, column) for row in range(N_STAGES) for column in range(N_STAGES))
        return next((cell for cell in cells if self.rect_of(*cell).contains(point)), None)

    def _go(self, row: int, column: int) -> None:
        self._cell = (min(max(row, 0), N_STAGES - 1), min(max(column, 0), N_STAGES - 1))
        self._tell_place()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell is not None and self._result is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(*cell)
            self.cell_picked.emit(*cell)

    def _does(self, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or self._result is None:
            return False
        return is_enter(event) or (event.key() in _STEPS and event.modifiers() in _PLAIN)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and self._does(event):
            event.accept()  # else an arrow would turn the page, and Enter take the model's stage
            return True
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self._cell_at(QPointF(event.pos()))
            text = "" if cell is None else f"{self._words(*cell)}. Click: list them"
            QToolTip.showText(event.globalPos(), text if self._result is not None else "", self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._does(event):
            event.ignore()
        elif is_enter(event):
            self.cell_picked.emit(*self._cell)
        else:
            down, right = _STEPS[Qt.Key(event.key())]
            self._go(self._cell[0] + down, self._cell[1] + right)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._result is None:
            return
        painter = QPainter(self)
        painter.setFont(self.font())
        theme, centre = self._theme, Qt.AlignmentFlag.AlignCenter
        rows, columns = self._names
        painter.setPen(QColor(theme.dim_text))
        painter.drawText(QRectF(0, 0, self.width(), 20), centre, f"rows: {rows} · columns: {columns}")
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for i, stage in enumerate(SCORED_STAGES):
            painter.setPen(QColor(theme.text))
            head = self.rect_of(0, i)
            painter.drawText(QRectF(head.left(), 20, head.width(), 22), centre, stage.label)
            side = self.rect_of(i, 0)
            painter.drawText(QRectF(0, side.top(), _LEFT_PX - 8, side.height()), right, stage.label)
            for j in range(N_STAGES):
                cell, share = self.rect_of(i, j), self._share(i, j)
                painter.fillRect(cell, QColor(theme.grid))
                shade = QColor(theme.accent)
                shade.setAlphaF(0.0 if math.isnan(share) else share * 0.6)
                painter.fillRect(cell, shade)
                painter.setPen(QColor(theme.text))
                painter.drawText(cell, centre, self.cell_text(i, j))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.text), 2))
            painter.drawRect(self.rect_of(*self._cell).adjusted(0, 0, -1, -1))
