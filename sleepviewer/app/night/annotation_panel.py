"""The panel of the file's annotations: search, sort, go there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QLineEdit, QVBoxLayout, QWidget

from sleepviewer.app.night.annotation_model import CHANNEL, DURATION, TEXT, TIME, AnnotationModel
from sleepviewer.app.shell.row_table import RowTable
from sleepviewer.recording.annotations import Annotation
from sleepviewer.recording.base import Recording

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class AnnotationPanel(QWidget):
    """A table of annotations under a field that searches it. A click or Enter asks to go there."""

    picked = Signal(int)
    """The place of an annotation among all of them, in order of time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._search = QLineEdit(self)
        self._search.setPlaceholderText("Search the annotations")
        self._search.setAccessibleName("Search the annotations")
        self._search.setClearButtonEnabled(True)
        self._summary = QLabel(self)
        self._summary.setWordWrap(True)
        self.model = AnnotationModel()
        self.table = _Table(self)
        self.table.setModel(self.model)
        self.table.set_columns()
        self._search.textChanged.connect(self._find)
        self._search.returnPressed.connect(self._pick_found)
        self._search.installEventFilter(self)
        self.table.clicked.connect(self._pick)
        self.table.entered_with_key.connect(self._pick)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.addWidget(self._search)
        layout.addWidget(self._summary)
        layout.addWidget(self.table, 1)
        self._nothing = "Open a night to see its annotations."
        self._show_count()

    def show_annotations(self, recording: Recording | None, entries: Sequence[Annotation], nothing: str) -> None:
        """Show a file's annotations, in order of time; ``nothing`` is said where there are none."""
        self._nothing = nothing
        self.model.show(recording, entries)
        self.table.set_columns(with_channels=any(entry.channel for entry in entries))
        self._show_count()

    def start_search(self) -> None:
        """Put the keyboard into the search field."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def choose(self, number: int) -> None:
        """Choose an annotation in the table, by its place among all of them."""
        row = self.model.row_of(number)
        if row is not None:
            self.table.setCurrentIndex(self.model.index(row, TIME))

    @property
    def summary(self) -> str:
        """What is said above the table."""
        return self._summary.text()

    def _find(self, words: str) -> None:
        self.model.search(words)
        self._show_count()

    def _show_count(self) -> None:
        total, found = self.model.total, self.model.rowCount()
        if not total:
            self._summary.setText(self._nothing)
        elif not found:
            self._summary.setText(f"None of {total:,} annotations holds these words.")
        else:
            count = f"{total:,} annotations" if total > 1 else "1 annotation"
            self._summary.setText(f"{count}. Click: go there." if found == total else f"{found:,} of {count} found.")

    def _pick(self, index: QModelIndex) -> None:
        if index.isValid():
            self.picked.emit(self.model.number_at(index.row()))

    def _pick_found(self) -> None:
        """Enter in the search field goes to the first that was found."""
        if self.model.rowCount():
            index = self.table.currentIndex() if self.table.currentIndex().isValid() else self.model.index(0, TIME)
            self.table.setCurrentIndex(index)
            self._pick(index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter, Escape and the arrow down belong to the search field while it has the keyboard."""
        if watched is self._search and isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.ShortcutOverride and event.key() in (*_ENTER, Qt.Key.Key_Escape):
                event.accept()  # else they would accept the model's stage, or cancel its scoring
                return True
            if event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape and self._search.text():
                self._search.clear()  # once more, and the keyboard goes back to the night
                return True
            if event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Down and self.model.rowCount():
                self.table.setFocus(Qt.FocusReason.TabFocusReason)
                if not self.table.currentIndex().isValid():
                    self.table.setCurrentIndex(self.model.index(0, TIME))
                return True
        return super().eventFilter(watched, event)


class _Table(RowTable):
    """Annotations to pick with a click or with Enter, which is this table's while it has the keyboard."""

    entered_with_key = Signal(QModelIndex)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Annotations of the file", parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setSortingEnabled(True)
        self.sortByColumn(TIME, Qt.SortOrder.AscendingOrder)

    def set_columns(self, *, with_channels: bool = False) -> None:
        """Give the text what the other columns leave; call it once there is a model."""
        header = self.horizontalHeader()
        metrics = self.fontMetrics()
        for column, sample in ((TIME, "+00:00:00"), (DURATION, "Lasts (s)"), (CHANNEL, "EEG C4-A1")):
            self.setColumnWidth(column, metrics.horizontalAdvance(sample) + 16)
        header.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        self.setColumnHidden(CHANNEL, not with_channels)

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        if event.key() not in _ENTER or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return None
        return lambda: self.entered_with_key.emit(self.currentIndex())
