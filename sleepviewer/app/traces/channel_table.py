"""The table of a montage's lanes: in their order, to be dragged, shown, hidden and selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QMimeData, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QDragMoveEvent, QDropEvent, QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from sleepviewer.app.shell.row_table import Index, RowModel, RowTable
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.channel_colors import color_name, swatch
from sleepviewer.display.filters import limited
from sleepviewer.display.montage import Montage, Trace, derived_channel, unfit
from sleepviewer.recording.base import Channel, Recording

_NAME, _BAND, _GAIN = range(3)
_MIME = "application/x-sleepviewer-lanes"


class LaneModel(RowModel):
    """Rows of a montage; what is changed here is asked for, and comes back as another montage."""

    shown_asked = Signal(list, bool)
    """Rows that are to be shown (True) or hidden."""

    HEADERS = ("Channel", "Filters (Hz)", "Gain")

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._traces: tuple[Trace, ...] = ()
        self._channels: list[Channel | None] = []
        self._faults: list[str | None] = []

    def show_montage(self, recording: Recording, montage: Montage) -> None:
        """Show a montage's lanes, those that the recording does not have too."""
        if len(montage.traces) == len(self._traces):
            self._take(recording, montage)
            self.tell_changed()
        else:
            self.beginResetModel()
            self._take(recording, montage)
            self.endResetModel()

    def _take(self, recording: Recording, montage: Montage) -> None:
        self._traces = montage.traces
        self._faults = [unfit(recording, trace.derivation) for trace in montage.traces]
        self._channels = [
            derived_channel(recording, trace.derivation) if fault is None else None
            for trace, fault in zip(self._traces, self._faults, strict=True)
        ]

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.tell_changed()

    @property
    def channels(self) -> Sequence[Channel | None]:
        """What each lane shows, its role as guessed; None where the recording does not have it."""
        return self._channels

    def n_rows(self) -> int:
        return len(self._traces)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled  # between the lanes, never on one
        flags = flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsDragEnabled
        return flags | flag.ItemIsUserCheckable if index.column() == _NAME else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        trace, channel = self._traces[index.row()], self._channels[index.row()]
        roles = Qt.ItemDataRole
        if role == roles.DisplayRole:
            band = _band_text(trace, channel).replace(" Hz", "")  # the header says it
            return (trace.label, band, gain_text(trace, channel))[index.column()]
        if role == roles.ToolTipRole or role == roles.AccessibleTextRole:
            return self._description(index.row())
        if role == roles.ForegroundRole and (channel is None or not trace.visible or index.column() != _NAME):
            return QColor(self._theme.dim_text)
        if role == roles.FontRole and channel is None:
            font = QFont()
            font.setItalic(True)
            return font
        if index.column() == _NAME:
            if role == roles.CheckStateRole:
                return Qt.CheckState.Checked if trace.visible else Qt.CheckState.Unchecked
            if role == roles.DecorationRole:
                return swatch(trace.color or self._theme.trace, self._theme.border)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.shown_asked.emit([index.row()], Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def _description(self, row: int) -> str:
        trace, channel, fault = self._traces[row], self._channels[row], self._faults[row]
        if channel is None:
            return fault or ""
        state, role = "shown" if trace.visible else "hidden", trace.role or channel.role
        return (
            f"{trace.label}, {state}: {role.value}, {channel.rate_hz:g} Hz, {_band_text(trace, channel)}, "
            f"{gain_text(trace, channel)}, height {trace.height:g}, colour {color_name(trace.color)}"
        )

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(_MIME, b" ".join(b"%d" % row for row in sorted({index.row() for index in indexes})))
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction


def gain_text(trace: Trace, channel: Channel | None) -> str:
    """Return what half a lane's height stands for, in words: ``±100 µV``, ``auto``."""
    if trace.half_height is None:
        return "auto"
    unit = f" {channel.unit}" if channel is not None and channel.unit else ""
    return f"±{trace.half_height:g}{unit}"


def _band_text(trace: Trace, channel: Channel | None) -> str:
    return (trace.band if channel is None else limited(trace.band, channel.rate_hz)).text


class LaneTable(RowTable):
    """Lanes as rows. Dragging and Ctrl+Up, Ctrl+Down move them, Space shows and hides, Delete takes them away."""

    selection_changed = Signal()
    moved = Signal(list, int)
    """Rows, and the row before which they are to stand."""
    remove_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Lanes of the montage, from the top of the page", parent)
        self.model_ = LaneModel(theme)
        self.setModel(self.model_)
        self.setAccessibleDescription("Space shows or hides a lane, Ctrl+Up and Ctrl+Down move it, Delete removes it")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setDropIndicatorShown(True)
        self.setShowGrid(False)
        self.setIconSize(QSize(12, 12))
        header = self.horizontalHeader()
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.selectionModel().selectionChanged.connect(self.selection_changed)

    @property
    def rows(self) -> list[int]:
        """The selected rows, from the top."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def select(self, rows: Sequence[int]) -> None:
        """Select these rows and no others; the first of them becomes the current one."""
        if list(rows) == self.rows:
            return
        selection = self.selectionModel()
        flags = selection.SelectionFlag
        selection.blockSignals(True)
        selection.clearSelection()
        for row in rows:
            selection.select(self.model_.index(row, 0), flags.Select | flags.Rows)
        if rows:
            selection.setCurrentIndex(self.model_.index(rows[0], 0), flags.NoUpdate)
            self.scrollTo(self.model_.index(rows[0], 0))
        selection.blockSignals(False)
        self.viewport().update()
        self.selection_changed.emit()

    def move_selected(self, direction: int) -> None:
        """Move the selected lanes one place up (-1) or down (1)."""
        rows = self.rows
        if not rows:
            return
        to = rows[0] - 1 if direction < 0 else rows[-1] + 2
        if 0 <= to <= self.model_.rowCount():
            self.moved.emit(rows, to)

    def toggle_selected(self) -> None:
        """Hide the selected lanes; show them where all are hidden."""
        rows = self.rows
        checked = Qt.CheckState.Checked.value
        states = [self.model_.index(row, _NAME).data(Qt.ItemDataRole.CheckStateRole).value == checked for row in rows]
        if rows:
            self.model_.shown_asked.emit(rows, not any(states))

    # -- hands

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)
        if event.mimeData().hasFormat(_MIME):
            event.acceptProposedAction()  # also under the last lane, where the view itself refuses

    def dropEvent(self, event: QDropEvent) -> None:
        if not event.mimeData().hasFormat(_MIME):
            event.ignore()
            return
        rows = [int(row) for row in bytes(event.mimeData().data(_MIME).data()).split()]
        # Copy: with Move, the view would take the rows away once the drag has ended.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.setState(QAbstractItemView.State.NoState)
        self.viewport().update()
        self.moved.emit(rows, self._row_at(round(event.position().y())))

    def _row_at(self, y: int) -> int:
        """The row before which something dropped at a height stands."""
        row = self.rowAt(y)
        if row < 0:
            return self.model_.rowCount()
        middle = self.rowViewportPosition(row) + self.rowHeight(row) / 2
        return row if y < middle else row + 1

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        modifiers, keys = Qt.KeyboardModifier, Qt.Key
        pressed = event.modifiers() & ~modifiers.KeypadModifier
        return {
            (modifiers.NoModifier, keys.Key_Space): self.toggle_selected,
            (modifiers.NoModifier, keys.Key_Delete): self.remove_asked.emit,
            (modifiers.ControlModifier, keys.Key_Up): lambda: self.move_selected(-1),
            (modifiers.ControlModifier, keys.Key_Down): lambda: self.move_selected(1),
        }.get((pressed, Qt.Key(event.key())))
