"""The panel “History”: all that was done to the night, in rows; a row is stepped to, shown, or searched for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QLineEdit, QVBoxLayout, QWidget

from sleepviewer.app.shell.panel_widgets import button, picker, say, sentence_label
from sleepviewer.app.shell.row_table import Index, RowModel, RowTable, is_enter
from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.clock import local_time
from sleepviewer.review.history_rows import HistoryRow, RowKind

ALL: Final = "Everything"
_BEGINNING: Final = HistoryRow(RowKind.STAGE, "", "", "Before the first edit", 0, standing=True)
_WHAT_PX: Final = 186
_STATE, _TIME, _WHAT, _WHO, _MODEL = range(5)


class HistoryModel(RowModel):
    """The rows that pass the filter, oldest first, under the state before all of them."""

    HEADERS = ("", "Time", "What", "Who", "In view")

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.position = 0
        self.rows: tuple[HistoryRow, ...] = (_BEGINNING,)

    def set_theme(self, theme: Theme) -> None:
        """Paint what was undone in another grey."""
        self._theme = theme
        self.tell_changed()

    def show_rows(self, rows: Sequence[HistoryRow], position: int) -> None:
        """Show rows; ``position`` is how many commands are in force."""
        self.beginResetModel()
        self.rows, self.position = (_BEGINNING, *rows), position
        self.endResetModel()

    def n_rows(self) -> int:
        return len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and not row.standing:
            return QBrush(QColor(self._theme.dim_text))
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return row.details if row is not _BEGINNING else "The night as it was before anything was done to it"
        return None

    def _text(self, row: HistoryRow, column: int) -> str:
        if column == _STATE:
            return "▸" if row.position == self.position else "" if row.standing else "↶"
        if column == _TIME:
            return local_time(row.time)[11:] if row.time else ""
        if column == _WHAT:
            return row.text
        if column == _WHO:
            return row.scorer
        return "blinded" if row.blinded else row.model.partition(" (")[0]


class HistoryTable(RowTable):
    """A click or Enter steps to a row, Shift+Enter goes to its epochs; the arrow keys only look."""

    stepped = Signal(int)
    """A row's position in the history: step there."""
    shown = Signal(object)
    """The epochs of a row, a tuple: go there."""

    def __init__(self, model: HistoryModel, parent: QWidget | None = None) -> None:
        super().__init__("History", parent)
        self._model = model
        self.setModel(model)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(18)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_WHAT, QHeaderView.ResizeMode.Interactive)
        self.setColumnWidth(_WHAT, _WHAT_PX)
        self.clicked.connect(self._step)

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        if not self.currentIndex().isValid():
            return None
        if is_enter(event):
            return lambda: self._step(self.currentIndex())
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers() == _SHIFT:
            return self.show_current
        return None

    def show_current(self) -> None:
        """Go to the epochs of the selected row."""
        row = self.currentIndex().row()
        if 0 <= row < len(self._model.rows) and self._model.rows[row].epochs:
            self.shown.emit(self._model.rows[row].epochs)

    def _step(self, index: QModelIndex) -> None:
        position = self._model.rows[index.row()].position
        if position is not None:
            self.stepped.emit(position)


class HistoryPanel(QWidget):
    """Shows the history's rows by kind and by what is searched for; it changes nothing itself."""

    stepped = Signal(int)
    shown = Signal(object)
    export_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[HistoryRow, ...] = ()
        self._kind = picker("Kind of edits", self)
        self._kind.addItems([ALL, *(kind.capitalize() for kind in RowKind)])
        self._search = QLineEdit(self)
        self._search.setPlaceholderText("Search: N2, epoch 12, a name…")
        self._search.setAccessibleName("Search the history")
        self._search.setClearButtonEnabled(True)
        self._said = sentence_label(self)
        self.model = HistoryModel(theme)
        self.table = HistoryTable(self.model, self)
        self._go = button("Go there", "Show the epochs of the selected row, without a step (Shift+Enter)", self)
        self._export = button("Export…", "Write the whole history as a table (CSV)", self)
        filters, buttons = QHBoxLayout(), QHBoxLayout()
        filters.addWidget(self._kind)
        filters.addWidget(self._search, 1)
        buttons.addWidget(self._go)
        buttons.addWidget(self._export)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(filters)
        layout.addWidget(self._said)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)
        self._kind.activated.connect(lambda _: self._list())
        self._search.textChanged.connect(lambda _: self._list())
        self.table.stepped.connect(self.stepped)
        self.table.shown.connect(self.shown)
        self._go.clicked.connect(self.table.show_current)
        self._export.clicked.connect(self.export_requested)
        self.show_history((), 0)

    @property
    def text(self) -> str:
        """What is said above the rows."""
        return self._said.text()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.model.set_theme(theme)

    def choose(self, kind: RowKind | None, search: str = "") -> None:
        """Show the rows of a kind (None: of all) that hold a text."""
        self._kind.setCurrentIndex(0 if kind is None else 1 + list(RowKind).index(kind))
        self._search.setText(search)
        self._list()

    def show_history(self, rows: Sequence[HistoryRow], position: int) -> None:
        """Show a history of which ``position`` commands are in force."""
        self._rows = tuple(rows)
        self.model.position = position
        self._export.setEnabled(bool(rows))
        self._list()

    def _list(self) -> None:
        place, words = self._kind.currentIndex(), self._search.text().casefold().split()
        kind = None if place == 0 else list(RowKind)[place - 1]
        listed = [row for row in self._rows if (kind is None or row.kind is kind) and _has(row, words)]
        position = self.model.position
        self.model.show_rows(listed, position)
        undone = sum(row.position is not None and not row.standing for row in self._rows)
        parts = [f"{position} in force", *([f"{undone} undone"] if undone else [])]
        if len(listed) < len(self._rows):
            parts.append(f"{len(listed)} of {len(self._rows)} shown")
        say(
            self._said,
            f"{', '.join(parts)}. A click or Enter steps to a row." if self._rows else "Nothing was done yet.",
        )
        here = next((i for i, row in enumerate(self.model.rows) if row.position == position), None)
        if here is not None:
            self.table.selectRow(here)
            self.table.scrollTo(self.model.index(here, 0))


_SHIFT = Qt.KeyboardModifier.ShiftModifier


def _has(row: HistoryRow, words: Sequence[str]) -> bool:
    """Whether a row holds all the words: in what it says, or as the number of one of its epochs."""
    said = f"{row.details} {row.kind}".casefold()
    numbers = {str(epoch + 1) for epoch in row.epochs}
    return all(word in said or word in numbers for word in words)
