"""The table of disagreements: sorted by any column, however long it is; cells are made when they are painted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from sleepviewer.analysis.diff import MARKS
from sleepviewer.analysis.errors import FAR, Comparison
from sleepviewer.analysis.order import Epochs
from sleepviewer.analysis.selection import SortBy, in_order
from sleepviewer.analysis.shifts import KINDS, Kind
from sleepviewer.app.shell.row_table import Index, RowModel, RowTable, is_enter
from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.clock import clock_text
from sleepviewer.recording.base import Recording
from sleepviewer.review.comparison import Pairing
from sleepviewer.stages import EPOCH_S, Stage

RANK, EPOCH, TIME, REFERENCE, JUDGED, CONFIDENCE, KIND, DISTANCE, HOUR, BOUT, SIGNAL, EDITED = range(12)

_SORTS: Final = {
    EPOCH: SortBy.EPOCH,
    TIME: SortBy.EPOCH,
    REFERENCE: SortBy.TRUTH,
    JUDGED: SortBy.PREDICTED,
    KIND: SortBy.KIND,
    CONFIDENCE: SortBy.CONFIDENCE,
    DISTANCE: SortBy.DISTANCE,
    HOUR: SortBy.EPOCH,
    BOUT: SortBy.BOUT,
    SIGNAL: SortBy.SIGNAL,
    EDITED: SortBy.EDITED,
}
_TIPS: Final = {
    RANK: "Most suspect first",
    REFERENCE: "The stage that stands for the truth",
    JUDGED: "The stage that is compared with it",
    KIND: "~ boundary shifted (by so many epochs, + later), - bout missed, + bout invented, x confusion",
    CONFIDENCE: "The model's probability of its own stage",
    DISTANCE: "Epochs to the nearest transition of the reference; 0 touches one",
    HOUR: "Hour of the night, from lights off",
    BOUT: "Length of the reference's bout, epochs",
    SIGNAL: "Signs of poor signal in the scored channel",
    EDITED: "Whether you gave the epoch a stage",
}
_WIDTHS: Final = {
    RANK: 34,
    EPOCH: 48,
    TIME: 64,
    REFERENCE: 52,
    JUDGED: 52,
    CONFIDENCE: 40,
    KIND: 104,
    DISTANCE: 42,
    HOUR: 42,
    BOUT: 42,
    SIGNAL: 92,
    EDITED: 52,
}
_ORDERS: Final = {
    EPOCH: "epoch",
    TIME: "time",
    REFERENCE: "the reference's stage",
    JUDGED: "the other's stage",
    KIND: "kind",
    CONFIDENCE: "confidence",
    DISTANCE: "distance",
    HOUR: "hour",
    BOUT: "length of the bout",
    SIGNAL: "signal",
    EDITED: "what is edited",
    RANK: "rank",
}
"""What a list is said to be sorted by."""


def kind_text(comparison: Comparison, epoch: int) -> str:
    """Return an epoch's kind with the mark that the lines have for it: ``~ shift +2``; ``= agreed`` if both agree."""
    place = int(comparison.kind[epoch])
    if place < 0:
        return "= agreed"
    kind = KINDS[place]
    by = f" {int(comparison.shift[epoch]):+d}".replace("-", "−") if kind is Kind.SHIFT else ""
    return f"{MARKS[kind]} {kind}{by}"


class DisagreementModel(RowModel):
    """One row an epoch of the list, in the order asked for."""

    ordered = Signal()
    """The rows stand in another order."""

    HEADERS = ("#", "Epoch", "Time", "Expert", "Model", "Conf.", "Kind", "Dist.", "Hour", "Bout", "Signal", "Edited")

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._comparison: Comparison | None = None
        self._recording: Recording | None = None
        self._pairing = Pairing.MODEL_EXPERT
        self._measured = False
        self._listed: Epochs = np.empty(0, dtype=np.intp)
        self._rows: Epochs = self._listed
        self._places: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._sorted_by, self._descending = EPOCH, False

    def set_theme(self, theme: Theme) -> None:
        """Show the stages in other colours."""
        self._theme = theme
        self.tell_changed()

    # -- which rows

    @property
    def epochs(self) -> Epochs:
        """The epochs of the rows, from the top."""
        return self._rows

    @property
    def sorted_by(self) -> tuple[int, bool]:
        """The column that the rows are sorted by, and whether they fall."""
        return self._sorted_by, self._descending

    @property
    def order_words(self) -> str:
        """What the rows are sorted by, in words: ``by confidence, falling``."""
        return f"by {_ORDERS[self._sorted_by]}{', falling' if self._descending else ''}"

    def epoch_at(self, row: int) -> int:
        """Return the epoch of a row."""
        return int(self._rows[row])

    def row_of(self, epoch: int) -> int | None:
        """Return an epoch's row, or None where it is not in the list."""
        row = int(self._places[epoch]) if epoch < len(self._places) else -1
        return row if row >= 0 else None

    def show(
        self,
        comparison: Comparison | None,
        listed: Epochs,
        recording: Recording | None,
        pairing: Pairing,
        *,
        measured: bool,
    ) -> bool:
        """List these epochs of a comparison, in the sorting that is set; return whether the rows are others now.

        ``measured`` says whether the signal's measures are there already.
        """
        same = recording is self._recording and pairing is self._pairing
        before = self._comparison, self._listed, self._rows, self._places
        self._comparison, self._listed = comparison, listed
        self._arrange()
        now = self._comparison, self._listed, self._rows, self._places
        self._measured = measured
        if same and np.array_equal(before[2], self._rows):
            self.tell_changed()
            return False
        # Views may ask for what they know until they are told, so the old rows stand until then.
        self._comparison, self._listed, self._rows, self._places = before
        self.beginResetModel()
        self._comparison, self._listed, self._rows, self._places = now
        self._recording, self._pairing = recording, pairing
        self.endResetModel()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, REFERENCE, JUDGED)
        return True

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted_by, self._descending = column, order is Qt.SortOrder.DescendingOrder
        selected = self.persistentIndexList()
        epochs = [self.epoch_at(index.row()) for index in selected]
        self.layoutAboutToBeChanged.emit()
        self._arrange()
        moved = [
            self.index(int(self._places[epoch]), index.column()) for epoch, index in zip(epochs, selected, strict=True)
        ]
        self.changePersistentIndexList(selected, moved)
        self.layoutChanged.emit()
        self.ordered.emit()

    def _arrange(self) -> None:
        comparison, by = self._comparison, _SORTS.get(self._sorted_by)
        if comparison is None:
            self._rows, self._places = self._listed, np.empty(0, dtype=np.intp)
            return
        if by is None:  # the rank: as it was listed
            self._rows = self._listed[::-1] if self._descending else self._listed
        else:
            self._rows = in_order(comparison, self._listed, by, descending=self._descending)
        self._places = np.full(len(comparison), -1, dtype=np.intp)
        self._places[self._rows] = np.arange(len(self._rows))

    # -- as Qt asks

    def n_rows(self) -> int:
        return len(self._rows)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.ToolTipRole:
                return _TIPS.get(section)
            if role == Qt.ItemDataRole.DisplayRole and section in (REFERENCE, JUDGED):
                name = self._pairing.reference if section == REFERENCE else self._pairing.judged
                return "Final" if name == "final labels" else name.capitalize()
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._comparison is None or not index.isValid():
            return None
        epoch, column = self.epoch_at(index.row()), index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._text(self._comparison, epoch, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column in (KIND, SIGNAL) else Qt.AlignmentFlag.AlignHCenter
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DecorationRole and column in (REFERENCE, JUDGED):
            stages = self._comparison.truth if column == REFERENCE else self._comparison.predicted
            return QColor(self._theme.stage(int(stages[epoch])))
        return None

    def _text(self, found: Comparison, epoch: int, column: int) -> str:
        match column:
            case 0:
                return str(int(np.flatnonzero(self._listed == epoch)[0]) + 1)
            case 1:
                return str(epoch + 1)
            case 2:
                return "" if self._recording is None else clock_text(self._recording, epoch * EPOCH_S)
            case 3:
                return Stage(int(found.truth[epoch])).label
            case 4:
                return Stage(int(found.predicted[epoch])).label
            case 5:
                return "–" if found.doubt[epoch] < 0 else f"{1 - found.doubt[epoch]:.2f}"
            case 6:
                return kind_text(found, epoch)
            case 7:
                return "–" if found.distance[epoch] == FAR else str(int(found.distance[epoch]))
            case 8:
                return "–" if found.hour[epoch] < 0 else str(int(found.hour[epoch]) + 1)
            case 9:
                return str(int(found.bout_epochs[epoch]))
            case 10:
                return found.signal[epoch] if self._measured else "…"
        return "yes" if found.edited[epoch] else ""


class DisagreementTable(RowTable):
    """Rows to pick with a click or with Enter, which is this table's while it has the keyboard."""

    picked = Signal(int)
    """An epoch: go there."""

    def __init__(self, rows: DisagreementModel, parent: QWidget) -> None:
        super().__init__("Disagreements", parent)
        self._model = rows
        self.setModel(rows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setIconSize(QSize(9, 9))
        self.setShowGrid(False)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSortIndicator(EPOCH, Qt.SortOrder.AscendingOrder)
        for column, width in _WIDTHS.items():
            header.resizeSection(column, width)
        self.setColumnHidden(RANK, True)
        self.setSortingEnabled(True)
        self.clicked.connect(lambda index: self._pick(index))

    def show_epoch(self, epoch: int) -> None:
        """Select an epoch's row without going there; none where it is not in the list."""
        row = self._model.row_of(epoch)
        if row is None:
            self.clearSelection()
        elif not self.selectionModel().isRowSelected(row, QModelIndex()):
            self.selectRow(row)

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        return (lambda: self._pick(self.currentIndex())) if is_enter(event) else None

    def _pick(self, index: QModelIndex) -> None:
        if index.isValid():
            self.picked.emit(self._model.epoch_at(index.row()))
