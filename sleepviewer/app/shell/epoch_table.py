"""A list of epochs in a panel: one row each, with stages in their colours; a click or the arrow keys go there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from sleepviewer.app.shell.row_table import Index, RowModel, RowTable, is_enter
from sleepviewer.app.shell.theme import Theme
from sleepviewer.stages import Stage


@dataclass(frozen=True, slots=True)
class EpochRow:
    """An epoch and what stands in its row; ``night`` names another night's file, empty for the one that is open."""

    epoch: int
    cells: tuple[str | Stage, ...]
    night: str = ""


class EpochModel(RowModel):
    """Rows as they are given, under headers of the table's own."""

    def __init__(self, headers: Sequence[str], theme: Theme) -> None:
        super().__init__()
        self._headers = tuple(headers)
        self._theme = theme
        self.rows: tuple[EpochRow, ...] = ()

    def show_headers(self, headers: Sequence[str]) -> None:
        """Have other columns; the rows go until others are shown."""
        if self._headers != tuple(headers):
            self.beginResetModel()
            self._headers, self.rows = tuple(headers), ()
            self.endResetModel()

    def set_theme(self, theme: Theme) -> None:
        """Paint the stages in other colours."""
        self._theme = theme
        self.tell_changed()

    def show_rows(self, rows: Sequence[EpochRow]) -> None:
        """Show rows; of epochs that are shown already only the cells change, and what is selected stays so."""
        same = [(row.night, row.epoch) for row in rows] == [(row.night, row.epoch) for row in self.rows]
        if same:
            self.rows = tuple(rows)
            self.tell_changed()
            return
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def n_rows(self) -> int:
        return len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._headers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headers[section]
        return None

    def tell_changed(self, first: int = 0, last: int | None = None) -> None:
        last = self.n_rows() - 1 if last is None else last
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._headers) - 1))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        cell = self.rows[index.row()].cells[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.label if isinstance(cell, Stage) else cell
        if role == Qt.ItemDataRole.DecorationRole and isinstance(cell, Stage) and cell is not Stage.UNKNOWN:
            return QColor(self._theme.stage(cell))
        return None


class EpochTable(RowTable):
    """Epochs of the open night are picked by a click or the arrow keys, those of others by a double click or Enter."""

    picked = Signal(int)
    """An epoch of the open night: go there."""
    elsewhere_picked = Signal(str, int)
    """Another night's file and the epoch there: open it."""

    def __init__(self, name: str, headers: Sequence[str], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.epochs = EpochModel(headers, theme)
        self._quiet = False
        self.setModel(self.epochs)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(9, 9))
        self.horizontalHeader().setMinimumSectionSize(36)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.clicked.connect(self._pick)
        self.doubleClicked.connect(lambda index: self._open(index.row()))
        self.selectionModel().currentRowChanged.connect(self._on_current)

    def show_rows(self, rows: Sequence[EpochRow]) -> None:
        """Show these epochs."""
        self.epochs.show_rows(rows)

    def select_epoch(self, epoch: int) -> None:
        """Select an epoch's row where the list has it, else nothing, without going anywhere."""
        row = next((i for i, row in enumerate(self.epochs.rows) if row.epoch == epoch and not row.night), None)
        if row is None:
            self.clearSelection()
        elif self.currentIndex().row() != row or not self.selectionModel().hasSelection():
            self._quiet = True
            self.selectRow(row)
            self._quiet = False

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        row = self.currentIndex().row()
        if is_enter(event) and 0 <= row < len(self.epochs.rows) and self.epochs.rows[row].night:
            return lambda: self._open(row)
        return None

    def _pick(self, index: QModelIndex) -> None:
        row = self.epochs.rows[index.row()]
        if not row.night:
            self.picked.emit(row.epoch)

    def _on_current(self, now: QModelIndex) -> None:
        if not self._quiet and self.hasFocus() and now.isValid():
            self._pick(now)

    def _open(self, row: int) -> None:
        if night := self.epochs.rows[row].night:
            self.elsewhere_picked.emit(night, self.epochs.rows[row].epoch)
