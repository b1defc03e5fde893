"""The night in numbers, for every scorer side by side."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.analysis.statistics import NightStatistics, night_statistics
from sleepviewer.app.session import NightSession
from sleepviewer.app.theme import tabular
from sleepviewer.stages import SCORED_STAGES, Stage, StageArray


def _minutes(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} min"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} %"


def _stage_row(stage: Stage) -> tuple[str, Callable[[NightStatistics], str]]:
    return f"{stage.label}", lambda s: _minutes(s.stage_min[stage.label])


_ROWS: tuple[tuple[str, Callable[[NightStatistics], str]], ...] = (
    ("Recording (TRT)", lambda s: _minutes(s.trt_min)),
    ("Total sleep (TST)", lambda s: _minutes(s.tst_min)),
    ("Efficiency (SE)", lambda s: _percent(s.se_percent)),
    ("Sleep onset (SOL)", lambda s: _minutes(s.sol_min)),
    ("REM latency", lambda s: _minutes(s.rem_latency_min)),
    ("Wake after onset (WASO)", lambda s: _minutes(s.waso_min)),
    *(_stage_row(stage) for stage in SCORED_STAGES),
    ("Unscored", lambda s: _minutes(s.unscored_min)),
    ("Awakenings", lambda s: str(s.awakenings)),
    ("Stage shifts", lambda s: str(s.stage_shifts)),
)


class NightTab(QWidget):
    """Sleep statistics of the expert, the model and the final labels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = QTableWidget(len(_ROWS), 3, self)
        self._table.setFont(tabular(self._table.font()))
        self._table.setAccessibleName("Sleep statistics")
        self._table.setHorizontalHeaderLabels(["Expert", "Model", "Final"])
        self._table.setVerticalHeaderLabels([name for name, _ in _ROWS])
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._table.verticalHeader().setDefaultSectionSize(24)
        note = QLabel("Lights off and on are taken to be the recording's beginning and end.", self)
        note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.addWidget(self._table)
        layout.addWidget(note)

    def show_session(self, session: NightSession) -> None:
        """Show the session's night."""
        document = session.document
        self._fill(0, None if document.truth is None else document.truth.stages)
        self._fill(1, None if document.prediction is None else document.prediction.stages)
        labels = document.labels
        self._fill(2, None if (labels == Stage.UNKNOWN).all() else labels)

    def _fill(self, column: int, stages: StageArray | None) -> None:
        statistics = None if stages is None else night_statistics(stages)
        for row, (_, text) in enumerate(_ROWS):
            item = QTableWidgetItem("" if statistics is None else text(statistics))
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._table.setItem(row, column, item)
