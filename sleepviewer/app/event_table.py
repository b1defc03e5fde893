"""The table of events: sorted by any column, filtered by kind and origin, with kind and text to edit in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
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
    QTableView,
    QWidget,
)

from sleepviewer.app.event_marks import event_color
from sleepviewer.app.theme import tabular
from sleepviewer.display.clock import clock_text
from sleepviewer.recording.base import Recording
from sleepviewer.review.events import Event, Origin

_Index = QModelIndex | QPersistentModelIndex

TIME, KIND, DURATION, CHANNEL, ORIGIN, TEXT = range(6)
_HEADERS: Final = ("Time", "Kind", "Length", "Channel", "Origin", "Text")
_EDITED: Final = {KIND: "kind", TEXT: "text"}


class EventModel(QAbstractTableModel):
    """One row an event that passes the filter, in the order asked for; what is written into it is only asked for.

    It sorts and filters itself: a proxy would ask for every cell of ten thousand rows over and over.
    """

    edit_requested = Signal(str, str, str)
    """An event's id, ``kind`` or ``text``, and what it is to be."""

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
        self._tell_changed(0, len(self._rows) - 1)

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
                self._tell_changed(changed[0], changed[-1])
            return False
        # Views may ask for what they know until they are told, so the old rows stand until then.
        after, places = self._rows, self._row_of
        self._rows, self._row_of = before, {event.id: row for row, event in enumerate(before)}
        self.beginResetModel()
        self._rows, self._row_of = after, places
        self.endResetModel()
        return True

    def _tell_changed(self, first: int, last: int) -> None:
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(_HEADERS) - 1))

    # -- as Qt asks

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in _EDITED else flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
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

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
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

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        box = QComboBox(parent)
        box.setEditable(True)
        box.addItems(list(self._kinds()))
        box.activated.connect(lambda _: self._finish(box))
        return box

    def _finish(self, box: QWidget) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        assert isinstance(editor, QComboBox)
        editor.setCurrentText(str(index.data(Qt.ItemDataRole.EditRole)))
        if (line := editor.lineEdit()) is not None:
            line.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentText(), Qt.ItemDataRole.EditRole)


class EventTable(QTableView):
    """Rows to pick; Enter accepts the suggestions among the selected ones."""

    accept_requested = Signal()

    def __init__(self, rows: EventModel, kinds: Callable[[], Sequence[str]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(rows)
        self.setFont(tabular(self.font()))
        self.setAccessibleName("Events")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(9, 9))
        self.setWordWrap(False)
        self.setItemDelegateForColumn(KIND, _KindDelegate(kinds, self))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(24)
        self.setSortingEnabled(True)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setStretchLastSection(True)
        header.setSortIndicator(TIME, Qt.SortOrder.AscendingOrder)
        for column, width in ((TIME, 66), (KIND, 98), (DURATION, 54), (CHANNEL, 78), (ORIGIN, 76)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, width)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and self.state() == QAbstractItemView.State.EditingState:
            event.accept()  # what is typed into a cell is no command of the window's
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event) and self.state() != QAbstractItemView.State.EditingState:
            self.accept_requested.emit()
        elif event.text().isprintable() and event.text():
            event.ignore()  # letters and digits are the window's keys, not a search
        else:
            super().keyPressEvent(event)


def is_enter(event: QEvent) -> bool:
    """Whether a key event is Enter, on either part of the keyboard, alone."""
    if not isinstance(event, QKeyEvent):
        return False
    plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain
