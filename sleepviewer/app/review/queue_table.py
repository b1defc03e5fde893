"""The table of the queue: what is to be reviewed, in which order, and why."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QWidget

from sleepviewer.analysis.review_plan import Reason, ReviewPlan
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.row_table import Index, RowModel, RowTable
from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.clock import clock_text
from sleepviewer.stages import EPOCH_S, Stage

_EPOCH, _TIME, _MODEL, _OTHER, _DOUBT, _GAIN, _WHY = range(7)

_WORDS: Final = {
    Reason.EXPERT: ("expert", "the expert says {expert}"),
    Reason.SECOND: ("2nd", "{second} says {second_stage}"),
    Reason.STRAY: ("stray", "alone between two of one stage"),
    Reason.TRANSITION: ("edge", "beside a change of stage"),
}
"""In the column, and in full. The first that applies stands in the column."""

_WIDEST: Final = {_EPOCH: "Epoch", _TIME: "+00:00", _MODEL: "REM", _OTHER: "REM", _DOUBT: "Doubt", _GAIN: "Gain"}
"""What each column must hold; the last one has what is left."""
_SWATCH_PX, _ROOM_PX = 13, 6

_TIPS: Final = {
    _MODEL: "The model's stage",
    _OTHER: "The likeliest other stage",
    _DOUBT: "How likely the model's stage is wrong, by all that is known: its probabilities, the neighbours, and the "
    "expert and a second model where they are there",
    _GAIN: "By how much κ is expected to rise when this epoch is reviewed, in thousandths",
    _WHY: "What makes it doubtful beside the model's own probabilities",
}


class QueueTable(RowTable):
    """Rows to go to; fits its columns to a narrow panel."""

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__("Epochs to review, in the order of expected gain", parent)
        self.setModel(model)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(9, 9))
        header = self.horizontalHeader()
        header.setMinimumSectionSize(30)
        header.setStyleSheet("QHeaderView::section { padding: 4px 2px; }")  # seven columns in a narrow panel
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(_WHY, QHeaderView.ResizeMode.Stretch)
        for column, widest in _WIDEST.items():
            swatch = _SWATCH_PX if column in (_MODEL, _OTHER) else 0
            header.resizeSection(column, self.fontMetrics().horizontalAdvance(widest) + swatch + _ROOM_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)


class QueueModel(RowModel):
    """Rows of the plan's order, read when they are painted."""

    HEADERS = ("Epoch", "Time", "Model", "Or", "Doubt", "Gain", "Why")

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._session: NightSession | None = None
        self._plan: ReviewPlan | None = None
        self._row_of: dict[int, int] = {}

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.layoutChanged.emit()

    def show_plan(self, session: NightSession, plan: ReviewPlan | None) -> None:
        """Show a plan of a session."""
        if session is self._session and plan is self._plan:
            return
        same = session is self._session and plan is not None and self._plan is not None
        if same and plan is not None and self._plan is not None and np.array_equal(plan.order, self._plan.order):
            self._plan = plan
            self.tell_changed()
            return
        self.beginResetModel()
        self._session, self._plan = session, plan
        self._row_of = {} if plan is None else {epoch: row for row, epoch in enumerate(plan.order.tolist())}
        self.endResetModel()

    def row_of(self, epoch: int) -> int | None:
        """Return an epoch's row, or None where it is not in the queue."""
        return self._row_of.get(epoch)

    def epoch_at(self, row: int) -> int:
        """Return the epoch of a row."""
        assert self._plan is not None
        return int(self._plan.order[row])

    def n_rows(self) -> int:
        return 0 if self._plan is None else len(self._plan.order)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS.get(section)
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._plan is None or not index.isValid():
            return None
        epoch, column = self.epoch_at(index.row()), index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(epoch, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._reasons(epoch) or None
        if role == Qt.ItemDataRole.DecorationRole and column in (_MODEL, _OTHER):
            return QColor(self._theme.stage(self._stage(epoch, column)))
        return None

    def _stage(self, epoch: int, column: int) -> int:
        assert self._session is not None
        assert self._plan is not None
        prediction = self._session.document.prediction
        if column == _OTHER or prediction is None:
            return int(self._plan.other[epoch])
        return int(prediction.stages[epoch])

    def _text(self, epoch: int, column: int) -> str:
        assert self._session is not None
        assert self._plan is not None
        match column:
            case 0:
                return str(epoch + 1)
            case 1:
                return clock_text(self._session.night.recording, epoch * EPOCH_S)[: -len(":30")]
            case 4:
                return f"{self._plan.doubt[epoch]:.2f}"
            case 5:
                return f"{1000 * self._plan.gain[epoch]:.2f}"
            case 6:
                if self._poor_signal(epoch):
                    return "signal"
                return next((word for reason, (word, _) in _WORDS.items() if self._has(epoch, reason)), "")
        return Stage(self._stage(epoch, column)).label

    def _poor_signal(self, epoch: int) -> str:
        quality = None if self._session is None else self._session.quality
        return "" if quality is None else quality.describe(epoch)

    def _has(self, epoch: int, reason: Reason) -> bool:
        assert self._plan is not None
        return bool(int(self._plan.reasons[epoch]) & reason)

    def _reasons(self, epoch: int) -> str:
        """All that makes an epoch doubtful, in words."""
        assert self._session is not None
        truth, second = self._session.document.truth, self._session.queue.second
        said = {
            "expert": "" if truth is None else Stage(int(truth.stages[epoch])).label,
            "second": "" if second is None else second.engine,
            "second_stage": "" if second is None else Stage(int(second.stages[epoch])).label,
        }
        words = [text.format(**said) for reason, (_, text) in _WORDS.items() if self._has(epoch, reason)]
        if poor := self._poor_signal(epoch):
            words.insert(0, f"poor signal: {poor}")
        sentence = "; ".join(words)
        return sentence[:1].upper() + sentence[1:]
