"""The night in numbers, for every scorer side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
from sleepviewer.display.clock import clock_text
from sleepviewer.review.lights import Lights
from sleepviewer.stages import EPOCH_S, SCORED_STAGES, Stage, StageArray


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: its name with the unit, the figure, and its definition as a tool tip."""

    name: str
    value: Callable[[NightStatistics], float | None]
    definition: str
    decimals: int = 1


def _stage_row(stage: Stage) -> _Row:
    return _Row(f"{stage.label} (min)", lambda s: s.stage_min[stage.label], f"All epochs of {stage.label}")


_ROWS = (
    _Row("TRT (min)", lambda s: s.trt_min, "Total recording time, from lights off to lights on"),
    _Row("TST (min)", lambda s: s.tst_min, "Total sleep time: N1, N2, N3 and REM"),
    _Row("Efficiency (%)", lambda s: s.se_percent, "Sleep efficiency: TST / TRT"),
    _Row("SOL (min)", lambda s: s.sol_min, "Sleep onset latency: from lights off to the first epoch of sleep"),
    _Row("REM latency (min)", lambda s: s.rem_latency_min, "From the first epoch of sleep to the first of REM"),
    _Row("WASO (min)", lambda s: s.waso_min, "Wake after sleep onset, to lights on (AASM)"),
    *(_stage_row(stage) for stage in SCORED_STAGES),
    _Row("Unscored (min)", lambda s: s.unscored_min, "Epochs without a stage"),
    _Row("Awakenings", lambda s: s.awakenings, "Times that sleep is broken by wake; the last one is not counted", 0),
    _Row("Stage shifts", lambda s: s.stage_shifts, "Changes of stage from the first to the last epoch of sleep", 0),
)


class NightTab(QWidget):
    """Sleep statistics of the expert, the model and the final labels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lights = Lights()
        self._table = QTableWidget(len(_ROWS), 3, self)
        self._table.setFont(tabular(self._table.font()))
        self._table.setAccessibleName("Sleep statistics")
        self._table.setHorizontalHeaderLabels(["Expert", "Model", "Final"])
        for index, row in enumerate(_ROWS):
            header = QTableWidgetItem(row.name)
            header.setToolTip(row.definition)
            self._table.setVerticalHeaderItem(index, header)
        self._table.setCornerButtonEnabled(False)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._table.verticalHeader().setDefaultSectionSize(24)
        self._note = QLabel(self)
        self._note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.addWidget(self._table)
        layout.addWidget(self._note)

    def show_session(self, session: NightSession) -> None:
        """Show the session's night."""
        document = session.document
        self._lights = document.lights
        self._note.setText(_lights_text(session))
        self._fill(0, None if document.truth is None else document.truth.stages)
        self._fill(1, None if document.prediction is None else document.prediction.stages)
        labels = document.labels
        self._fill(2, None if (labels == Stage.UNKNOWN).all() else labels)

    def _fill(self, column: int, stages: StageArray | None) -> None:
        statistics = None
        if stages is not None:
            statistics = night_statistics(stages, lights_off=self._lights.off, lights_on=self._lights.on)
        for index, row in enumerate(_ROWS):
            item = QTableWidgetItem("" if statistics is None else _text(row, statistics))
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(row.definition)
            self._table.setItem(index, column, item)


def _lights_text(session: NightSession) -> str:
    """Say from when to when the figures count, and how that is changed."""
    recording, lights = session.night.recording, session.document.lights
    if lights.off is None and lights.on is None:
        return (
            "Lights off and on are taken to be the recording's beginning and end; L and Shift+L mark them at the epoch."
        )
    off = "the recording's beginning" if lights.off is None else clock_text(recording, lights.off * EPOCH_S)
    on = "the recording's end" if lights.on is None else clock_text(recording, lights.on * EPOCH_S)
    return f"From lights off ({off}) to lights on ({on}); what is outside does not count."


def _text(row: _Row, statistics: NightStatistics) -> str:
    value = row.value(statistics)
    return "–" if value is None else f"{value:.{row.decimals}f}"
