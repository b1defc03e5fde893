"""The table of events: sorted by any column, filtered by kind and origin, with kind and text to edit in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from sleepviewer.app.events.marks import event_color
from sleepviewer.app.shell.row_table import Index, RowModel, RowTable, is_enter
from sleepviewer.display.clock import clock_text
from sleepviewer.recording.base import Recording
from sleepviewer.review.events import Event, Origin

TIME, KIND, DURATION, CHANNEL, ORIGIN, TEXT = range(6)
_EDITED: Final = {KIND: "kind", TEXT: "text"}


class EventModel(RowModel):
    """One row an event that passes the filter, in the order asked for; what is written into it is only asked for.

    It sorts and filters itself: a proxy would ask for every cell of ten thousand rows over and over.
    """

    edit_requested = Signal(str, str, str)
    """An event's id, ``kind`` or ``text``, and what it is to be."""

    HEADERS = ("Time", "Kind", "Length", "Channel", "Origin", "Text")

    def __init__(self, theme_name: str) -> None:
        super().__init__()
        self._events: tuple[Event, ...] = ()
        self._rows: list[Event] = []
        self._row_of: dict[str, int] = {}
        self._recording: Recording | None = None
        self._theme_name = theme_name
        self._kind: str | None = None
        self._origin: Origin | None = None
        self._sorted_by = TIME
        self._descending = False

    def set_theme(self, theme_name: str) -> None:
        """Show the kinds in other colours."""
        self._theme_name = theme_name
        self.tell_changed()

    # -- which rows

    @property
    def events(self) -> tuple[Event, ...]:
        """All events, shown or not."""
        return self._events

    @property
    def rows(self) -> tuple[Event, ...]:
        """The events that are shown, from the top."""
        return tuple(self._rows)

    def event_at(self, row: int) -> Event:
        """Return the event of a row."""
        return self._rows[row]

    def passes(self, event: Event) -> bool:
        """Whether an event is shown."""
        return self._kind in (None, event.kind) and self._origin in (None, event.origin)

    def row_of(self, event_id: str) -> int | None:
        """Return an event's row, or None where it is not shown."""
        return self._row_of.get(event_id)

    def show_events(self, events: Sequence[Event], recording: Recording | None) -> bool:
        """Show these events; return whether the rows are no longer the same ones."""
        self._events = tuple(events)
        same, self._recording = recording is self._recording, recording
        return self._show(same=same)

    def show_only(self, kind: str | None, origin: Origin | None) -> bool:
        """Show events of this kind and origin (None: of any); return whether the rows are no longer the same ones."""
        self._kind, self._origin = kind, origin
        return self._show()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted_by, self._descending = column, order is Qt.SortOrder.DescendingOrder
        selected = self.persistentIndexList()
        ids = [self._rows[index.row()].id for index in selected]
        self.layoutAboutToBeChanged.emit()
        self._arrange()
        moved = [self.index(self._row_of[i], index.column()) for i, index in zip(ids, selected, strict=True)]
        self.changePersistentIndexList(selected, moved)
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        rows = [event for event in self._events if self.passes(event)]
        rows.sort(key=lambda event: _sort_key(event, self._sorted_by), reverse=self._descending)
        self._rows, self._row_of = rows, {event.id: row for row, event in enumerate(rows)}

    def _show(self, *, same: bool = True) -> bool:
        before = self._rows
        self._arrange()
        if same and [event.id for event in before] == [event.id for event in self._rows]:
            pairs = zip(before, self._rows, strict=True)
            changed = [row for row, (old, new) in enumerate(pairs) if old != new]
            if changed:
                self.tell_changed(changed[0], changed[-1])
            return False
        # Views may ask for what they know until they are told, so the old rows stand until then.
        after, places = self._rows, self._row_of
        self._rows, self._row_of = before, {event.id: row for row, event in enumerate(before)}
        self.beginResetModel()
        self._rows, self._row_of = after, places
        self.endResetModel()
        return True

    # -- as Qt asks

    def n_rows(self) -> int:
        return len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in _EDITED else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        event, column = self._rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._text(event, column)
        if role == Qt.ItemDataRole.EditRole and column in _EDITED:
            return getattr(event, _EDITED[column])
        if role == Qt.ItemDataRole.DecorationRole and column == KIND:
            return QColor(event_color(event.kind, self._theme_name))
        if role == Qt.ItemDataRole.FontRole and event.suggested:
            font = QFont()
            font.setItalic(True)
            return font
        if role == Qt.ItemDataRole.TextAlignmentRole and column == DURATION:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or index.column() not in _EDITED:
            return False
        event, field = self._rows[index.row()], _EDITED[index.column()]
        if str(value) != getattr(event, field):
            self.edit_requested.emit(event.id, field, str(value))
        return True

    def _text(self, event: Event, column: int) -> str:
        if column == TIME:
            return "" if self._recording is None else clock_text(self._recording, event.start_s)
        if column == DURATION:
            return f"{event.duration_s:.1f} s"
        kind = f"{event.kind}?" if event.suggested else event.kind
        return ("", kind, "", event.channel or "all", str(event.origin), event.text)[column]


def _sort_key(event: Event, column: int) -> tuple[Any, ...]:
    """What a column is sorted by, and then the time."""
    values = (
        event.start_s,
        event.kind.casefold(),
        event.duration_s,
        event.channel or "",
        str(event.origin),
        event.text.casefold(),
    )
    return values[column], event.start_s, event.id


class _KindDelegate(QStyledItemDelegate):
    """A box with the known kinds, into which another name can be typed."""

    def __init__(self, kinds: Callable[[], Sequence[str]], parent: QWidget) -> None:
        super().__init__(parent)
        self._kinds = kinds

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        box = QComboBox(parent)
        box.setEditable(True)
        box.addItems(list(self._kinds()))
        box.activated.connect(lambda _: self._finish(box))
        return box

    def _finish(self, box: QWidget) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        editor.setCurrentText(str(index.data(Qt.ItemDataRole.EditRole)))
        if (line := editor.lineEdit()) is not None:
            line.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentText(), Qt.ItemDataRole.EditRole)


class EventTable(RowTable):
    """Rows to pick; Enter accepts the suggestions among the selected ones."""

    accept_requested = Signal()

    def __init__(self, rows: EventModel, kinds: Callable[[], Sequence[str]], parent: QWidget) -> None:
        super().__init__("Events", parent)
        self.setModel(rows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setIconSize(QSize(9, 9))
        self.setItemDelegateForColumn(KIND, _KindDelegate(kinds, self))
        self.setSortingEnabled(True)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(40)
        header.setStretchLastSection(True)
        header.setSortIndicator(TIME, Qt.SortOrder.AscendingOrder)
        for column, width in ((TIME, 66), (KIND, 98), (DURATION, 54), (CHANNEL, 78), (ORIGIN, 76)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, width)

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        return self.accept_requested.emit if is_enter(event) else None
