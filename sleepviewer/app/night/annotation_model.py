"""The file's annotations as a table that is sorted and searched without a stutter, however long it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt

from sleepviewer.app.shell.row_table import Index, RowModel
from sleepviewer.display.clock import clock_text
from sleepviewer.recording.annotations import Annotation
from sleepviewer.recording.base import Recording

TIME, DURATION, TEXT, CHANNEL = range(4)


class AnnotationModel(RowModel):
    """Annotations in the order of one column, those that hold the searched words; cells are made when painted.

    It sorts and searches its list itself: QSortFilterProxyModel would ask back for every row and every comparison,
    which from Python takes seconds for ten thousand of them, where this takes milliseconds.
    """

    HEADERS = ("Time", "Lasts (s)", "Text", "Channel")

    def __init__(self) -> None:
        super().__init__()
        self._recording: Recording | None = None
        self._entries: tuple[Annotation, ...] = ()
        self._searched: list[str] = []
        self._rows: list[int] = []
        self._words: tuple[str, ...] = ()
        self._column, self._descending = TIME, False

    def show(self, recording: Recording | None, entries: Sequence[Annotation]) -> None:
        """Show the annotations of a recording."""
        self.beginResetModel()
        self._recording, self._entries = recording, tuple(entries)
        self._searched = [f"{entry.text}\n{entry.channel}".casefold() for entry in self._entries]
        self._arrange()
        self.endResetModel()

    def search(self, words: str) -> None:
        """Show only those whose text or channel holds all of these words, in whatever case."""
        wanted = tuple(words.casefold().split())
        if wanted != self._words:
            self.beginResetModel()
            self._words = wanted
            self._arrange()
            self.endResetModel()

    @property
    def recording(self) -> Recording | None:
        """Whose annotations are shown."""
        return self._recording

    def row_of(self, number: int) -> int | None:
        """The row of an annotation by its place among all of them; None where the search hides it."""
        return self._rows.index(number) if number in self._rows else None

    @property
    def total(self) -> int:
        """How many there are, found or not."""
        return len(self._entries)

    def number_at(self, row: int) -> int:
        """The place of a row's annotation among all of them."""
        return self._rows[row]

    def entry_at(self, row: int) -> Annotation:
        """The annotation of a row."""
        return self._entries[self._rows[row]]

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.layoutAboutToBeChanged.emit()
        self._column, self._descending = column, order is Qt.SortOrder.DescendingOrder
        self._arrange()
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        found = [i for i, text in enumerate(self._searched) if all(word in text for word in self._words)]
        entries = self._entries
        # Those that are alike stay in order of time, in which they come.
        match self._column:
            case 1:
                found.sort(key=lambda i: entries[i].duration_s, reverse=self._descending)
            case 2:
                found.sort(key=lambda i: entries[i].text.casefold(), reverse=self._descending)
            case 3:
                found.sort(key=lambda i: entries[i].channel.casefold(), reverse=self._descending)
            case _:
                found = found[::-1] if self._descending else found
        self._rows = found

    def n_rows(self) -> int:
        return len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self._recording is None:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column == DURATION else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        entry = self.entry_at(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            if column == TIME:
                return clock_text(self._recording, entry.onset_s)
            if column == DURATION:
                return f"{entry.duration_s:.4g}" if entry.duration_s else ""
            return entry.text if column == TEXT else entry.channel
        return None
