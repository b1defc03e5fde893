"""Groups of epochs with their counts: the one that is picked is listed, and D steps through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QHeaderView, QWidget

from sleepviewer.app.shell.row_table import Index, RowModel, RowTable

_Group = tuple[object, str, int, int]


class GroupTable(RowTable):
    """A click or the arrow keys pick a group; it is as high as its rows."""

    group_picked = Signal(object)
    """What was given as the group's key."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._groups = _GroupModel()
        self._quiet = False
        self.setModel(self._groups)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setShowGrid(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.clicked.connect(self._pick)
        self.selectionModel().currentRowChanged.connect(self._on_current)

    def show_groups(self, groups: Sequence[_Group]) -> None:
        """Show groups: what each is called, how many epochs it has, and of how many."""
        if self._groups.show_groups(groups):
            self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        rows = len(groups) * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth() + 2)

    def choose(self, key: object) -> None:
        """Select a group without picking it; None selects none."""
        self._quiet = True
        row = self._groups.row_of(key)
        if row is None:
            self.clearSelection()
            self.selectionModel().clearCurrentIndex()
        else:
            self.selectRow(row)
        self._quiet = False

    def _pick(self, index: QModelIndex) -> None:
        self.group_picked.emit(self._groups.groups[index.row()][0])

    def _on_current(self, now: QModelIndex) -> None:
        if not self._quiet and self.hasFocus() and now.isValid():
            self._pick(now)


class _GroupModel(RowModel):
    HEADERS = ("Group", "Epochs", "Share")

    def __init__(self) -> None:
        super().__init__()
        self.groups: tuple[_Group, ...] = ()

    def show_groups(self, groups: Sequence[_Group]) -> bool:
        """Show groups; return whether they are others than before, or the same with other counts."""
        other = [group[:2] for group in groups] != [group[:2] for group in self.groups]
        if other:
            self.beginResetModel()
        self.groups = tuple(groups)
        if other:
            self.endResetModel()
        else:
            self.tell_changed()
        return other

    def row_of(self, key: object) -> int | None:
        return next((row for row, group in enumerate(self.groups) if group[0] == key and key is not None), None)

    def n_rows(self) -> int:
        return len(self.groups)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        _, title, count, whole = self.groups[index.row()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if index.column() == 0 else Qt.AlignmentFlag.AlignRight
            return Qt.AlignmentFlag.AlignVCenter | side
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{title}: {count} of {whole} epochs"
        if role == Qt.ItemDataRole.DisplayRole:
            share = f"{100 * count / whole:.1f} %" if whole else "–"
            return (title, str(count), share)[index.column()]
        return None
