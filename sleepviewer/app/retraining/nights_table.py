"""The corrected nights that a training may learn from: which are chosen, how much of each was reviewed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from sleepviewer.app.shell.row_table import Index, RowModel, RowTable

if TYPE_CHECKING:
    from sleepviewer.training.corrected_counts import NightCount


class NightsModel(RowModel):
    """A row for each archive; a check mark in the first column chooses it."""

    HEADERS = ("Night", "Reviewed", "For a training")
    chosen_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.counts: tuple[NightCount, ...] = ()
        self._left_out: set[Path] = set()

    @property
    def chosen(self) -> tuple[NightCount, ...]:
        """The nights that are chosen and can be used."""
        return tuple(count for count in self.counts if count.usable and count.path not in self._left_out)

    def show_counts(self, counts: Sequence[NightCount]) -> None:
        """Show nights; of those that were shown before it stays as it was whether they are chosen."""
        self.beginResetModel()
        self.counts = tuple(counts)
        self._left_out &= {count.path for count in counts}
        self.endResetModel()
        self.chosen_changed.emit()

    def toggle(self, row: int) -> None:
        """Choose a night, or leave it out."""
        if 0 <= row < len(self.counts) and self.counts[row].usable:
            self._left_out ^= {self.counts[row].path}
            self.tell_changed(row, row)
            self.chosen_changed.emit()

    def n_rows(self) -> int:
        return len(self.counts)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        usable = index.isValid() and self.counts[index.row()].usable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 and usable else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        count, column = self.counts[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            reviewed = f"{count.reviewed} of {count.epochs}" if not count.trouble else "–"
            return (count.path.stem, reviewed, count.sentence)[column]
        if role == Qt.ItemDataRole.CheckStateRole and column == 0 and count.usable:
            return Qt.CheckState.Unchecked if count.path in self._left_out else Qt.CheckState.Checked
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{count.path}\n{count.sentence}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.toggle(index.row())
        return True


class NightsTable(RowTable):
    """Space chooses a night or leaves it out, Delete takes it from the list."""

    removed = Signal(object)
    """The path of an archive that is to be listed no more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Corrected nights to learn from", parent)
        self.nights = NightsModel()
        self.setModel(self.nights)
        self.setShowGrid(False)
        header = self.horizontalHeader()
        for column, mode in enumerate(("Interactive", "ResizeToContents", "Stretch")):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode[mode])
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setColumnWidth(0, 230)

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        row = self.currentIndex().row()
        if not 0 <= row < len(self.nights.counts):
            return None
        if event.key() == Qt.Key.Key_Space:
            return lambda: self.nights.toggle(row)
        if event.key() == Qt.Key.Key_Delete:
            return lambda: self.removed.emit(self.nights.counts[row].path)
        return None
