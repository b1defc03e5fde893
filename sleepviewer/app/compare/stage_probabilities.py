"""What two models think of one epoch, in two lines that are painted anew at every turn of the page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sleepviewer.app.shell.theme import tabular

_LINE_PX = 18


class Thoughts(QWidget):
    """A line for each: who, and what it says. A label would have the whole panel laid out anew at each new text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[tuple[str, str], ...] = ()
        self.setFont(tabular(self.font()))
        self.setFixedHeight(2 * _LINE_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("What both think of this epoch")

    @property
    def text(self) -> str:
        """Both lines."""
        return "\n".join(f"{who}: {says}" for who, says in self._lines)

    def show_lines(self, lines: Sequence[tuple[str, str]]) -> None:
        """Show who says what."""
        self._lines = tuple(lines)
        self.setAccessibleDescription(self.text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        half = self.width() * 0.42
        for row, (who, says) in enumerate(self._lines):
            top = row * _LINE_PX
            painter.setFont(self.font())
            name = painter.fontMetrics().elidedText(who, Qt.TextElideMode.ElideRight, round(half) - 6)
            painter.drawText(QRectF(0, top, half, _LINE_PX), Qt.AlignmentFlag.AlignVCenter, name)
            painter.setFont(bold)
            painter.drawText(QRectF(half, top, self.width() - half, _LINE_PX), Qt.AlignmentFlag.AlignVCenter, says)
