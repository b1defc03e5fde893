"""What the tables of the panels have in common: whole rows under a line of headers, and whose the keys are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from sleepviewer.app.shell.theme import tabular

Index = QModelIndex | QPersistentModelIndex

_ROW_PX = 24


class RowModel(QAbstractTableModel):
    """A table of :attr:`HEADERS` and as many rows as :meth:`n_rows` says; subclasses give the cells (``data``)."""

    HEADERS: ClassVar[Sequence[str]]

    @abstractmethod
    def n_rows(self) -> int:
        """How many rows there are."""

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self.n_rows()

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.HEADERS[section]
        return None

    def tell_changed(self, first: int = 0, last: int | None = None) -> None:
        """Have rows ``first`` to ``last`` (all that follow) painted anew."""
        last = self.n_rows() - 1 if last is None else last
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.HEADERS) - 1))


class RowTable(QTableView):
    """Rows of one height to select whole. Letters and digits stay the window's, but for what is typed into a cell."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFont(tabular(self.font()))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        # One height for all, or the view would measure every row of ten thousand.
        self.verticalHeader().setSectionResizeMode(self.verticalHeader().ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        self.horizontalHeader().setHighlightSections(False)

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        """Return what a key does in this table, ahead of the window's shortcuts; None where it does nothing here."""
        return None

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride:
            typing = self.state() == QAbstractItemView.State.EditingState
            if typing or self.does(event) is not None:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        does = None if self.state() == QAbstractItemView.State.EditingState else self.does(event)
        if does is not None:
            does()
        elif event.text().isprintable() and event.text():
            event.ignore()  # else it would be searched for
        else:
            super().keyPressEvent(event)


def is_enter(event: QEvent) -> bool:
    """Whether a key event is Enter, on either part of the keyboard, alone."""
    if not isinstance(event, QKeyEvent):
        return False
    plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain
