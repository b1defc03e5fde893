"""The ranked list of epochs to review: most doubtful first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QLabel, QVBoxLayout, QWidget

from sleepviewer.analysis.order import doubt
from sleepviewer.app.row_table import Index, RowModel, RowTable
from sleepviewer.app.session import NightSession
from sleepviewer.app.theme import Theme
from sleepviewer.display.clock import clock_text
from sleepviewer.review.edits import NOT_CORRECTED
from sleepviewer.stages import EPOCH_S, Stage

_TIME, _TRUTH, _MODEL, _YOURS, _DOUBT = 1, 2, 3, 4, 5


class ReviewTab(QWidget):
    """The list, and above it how much of it is left. A click asks to go to an epoch."""

    epoch_picked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary = QLabel(self)
        self._summary.setWordWrap(True)
        self._model = _ReviewModel(theme)
        self._table = RowTable("Epochs in the order of the model's doubt", self)
        self._table.setModel(self._model)
        self._table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._table.setIconSize(QSize(9, 9))
        self._table.horizontalHeader().setMinimumSectionSize(36)
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._table.horizontalHeader().setSectionResizeMode(_TIME, QHeaderView.ResizeMode.ResizeToContents)
        self._table.clicked.connect(self._pick)
        self._table.activated.connect(self._pick)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.addWidget(self._summary)
        layout.addWidget(self._table)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._model.set_theme(theme)

    def show_session(self, session: NightSession) -> None:
        """Show the session's epochs, most doubtful first."""
        self._model.show_session(session)
        total, left = self._model.rowCount(), self._model.left
        if session.document.prediction is None:
            self._summary.setText("Score the night (S) to see which epochs the model is unsure of.")
        else:
            self._summary.setText(
                f"{left} of {total} epochs not reviewed yet, most doubtful first. U goes to the next."
            )
        self.show_epoch(session.epoch)

    def show_epoch(self, epoch: int) -> None:
        """Select the epoch's row."""
        row = self._model.row_of(epoch)
        if row is None:
            self._table.clearSelection()
        else:
            self._table.selectRow(row)

    def _pick(self, index: QModelIndex) -> None:
        self.epoch_picked.emit(self._model.epoch_at(index.row()))


class _ReviewModel(RowModel):
    """Rows of epochs in the order of doubt, read from the document when they are painted."""

    HEADERS = ("Epoch", "Time", "Expert", "Model", "Yours", "Doubt")

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._session: NightSession | None = None
        self._order: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._doubts: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._row_of: dict[int, int] = {}

    @property
    def left(self) -> int:
        """How many of the epochs have no corrected label."""
        if self._session is None:
            return 0
        return int(np.count_nonzero(~self._session.document.edited[self._order]))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.layoutChanged.emit()

    def show_session(self, session: NightSession) -> None:
        order = session.doubt_walk.order
        if session is self._session and np.array_equal(order, self._order):
            self.tell_changed()
            return
        self.beginResetModel()
        self._session, self._order = session, order
        self._row_of = {int(epoch): row for row, epoch in enumerate(order)}
        prediction = session.document.prediction
        self._doubts = np.empty(0, dtype=np.float32) if prediction is None else doubt(prediction.proba)
        self.endResetModel()

    def row_of(self, epoch: int) -> int | None:
        return self._row_of.get(epoch)

    def epoch_at(self, row: int) -> int:
        return int(self._order[row])

    def n_rows(self) -> int:
        return len(self._order)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._session is None or not index.isValid():
            return None
        epoch, column = self.epoch_at(index.row()), index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(epoch, column)
        if role == Qt.ItemDataRole.DecorationRole and column in (_TRUTH, _MODEL, _YOURS):
            stage = self._stage(epoch, column)
            return None if stage is None or stage < 0 else QColor(self._theme.stage(stage))
        return None

    def _stage(self, epoch: int, column: int) -> int | None:
        assert self._session is not None
        document = self._session.document
        if column == _TRUTH:
            return None if document.truth is None else int(document.truth.stages[epoch])
        if column == _MODEL:
            return None if document.prediction is None else int(document.prediction.stages[epoch])
        corrected = int(document.corrected[epoch])
        return None if corrected == NOT_CORRECTED else corrected

    def _text(self, epoch: int, column: int) -> str:
        assert self._session is not None
        if column in (_TRUTH, _MODEL, _YOURS):
            stage = self._stage(epoch, column)
            return "—" if stage is None else Stage(stage).label
        if column == _DOUBT:
            return f"{self._doubts[epoch]:.2f}"
        return str(epoch + 1) if column == 0 else clock_text(self._session.night.recording, epoch * EPOCH_S)
