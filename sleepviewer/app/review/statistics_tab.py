"""The night in numbers, for every scorer side by side."""

from __future__ import annotations

from typing import Final

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

from sleepviewer.analysis.statistics import STATISTIC_TITLES
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import tabular
from sleepviewer.display.clock import clock_text
from sleepviewer.review.comparison import document_scorers, scorer_names, statistics_of
from sleepviewer.stages import EPOCH_S, SCORED_STAGES, Stage, StageArray

_DEFINITIONS: Final = {
    "trt_min": "Total recording time, from lights off to lights on",
    "tst_min": "Total sleep time: N1, N2, N3 and REM",
    "spt_min": "Sleep period time, from the first epoch of sleep to the last, all in it included",
    "se_percent": "Sleep efficiency: TST / TRT",
    "sol_min": "Sleep onset latency: from lights off to the first epoch of sleep",
    "rem_latency_min": "From the first epoch of sleep to the first of REM",
    "waso_min": "Wake after sleep onset, to lights on (AASM)",
    "wake_in_spt_min": "Wake before the last epoch of sleep alone; what YASA calls WASO",
    **{f"{stage.label}_min": f"All epochs of {stage.label}" for stage in SCORED_STAGES},
    **{f"{stage.label}_percent": f"{stage.label} as a share of TST" for stage in SCORED_STAGES if stage > Stage.W},
    "unscored_min": "Epochs without a stage",
    "awakenings": "Times that sleep is broken by wake; the last one is not counted",
    "stage_shifts": "Changes of stage from the first to the last epoch of sleep",
    "cycles": "At least 15 minutes of NREM sleep, closed by REM sleep; a last stretch without REM counts",
    "arousals": "Marked arousals between the lights; suggestions that nobody accepted do not count",
    "arousal_index": "Marked arousals between the lights by TST",
}
_COUNTS: Final = ("awakenings", "stage_shifts", "cycles", "arousals")
_WITHOUT_STAGES: Final = ("trt_min", "unscored_min")
"""What is known of a night in which no epoch has a stage."""

_SHORT: Final = {"arousal_index": "arousals / h"}
"""Titles that would leave no room for the figures."""

_OWN_NAMES: Final = {"expert": "Expert", "model": "Model", "corrected": "Yours"}
"""The document's scorers, as the rows of the night call them."""

_COLUMN_PX: Final = 56


class NightTab(QWidget):
    """Sleep statistics of the expert, the model, the corrected labels and further scorers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = QTableWidget(len(STATISTIC_TITLES), 0, self)
        self._table.setFont(tabular(self._table.font()))
        self._table.setAccessibleName("Sleep statistics")
        for index, (name, title) in enumerate(STATISTIC_TITLES.items()):
            header = QTableWidgetItem(_SHORT.get(name, title))
            header.setToolTip(_DEFINITIONS[name])
            self._table.setVerticalHeaderItem(index, header)
        self._table.setCornerButtonEnabled(False)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._table.horizontalHeader().setMinimumSectionSize(_COLUMN_PX)
        self._table.verticalHeader().setDefaultSectionSize(21)
        self._note = QLabel(self)
        self._note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.addWidget(self._table)
        layout.addWidget(self._note)

    @property
    def figures(self) -> dict[str, dict[str, str]]:
        """The figures as they are shown: by scorer, and by the names of STATISTIC_TITLES."""
        return {
            _told(self._table.horizontalHeaderItem(column)): {
                name: _told(self._table.item(row, column)) for row, name in enumerate(STATISTIC_TITLES)
            }
            for column in range(self._table.columnCount())
        }

    def show_session(self, session: NightSession) -> None:
        """Show the session's night."""
        document = session.document
        self._note.setText(_lights_text(session))
        named = zip(scorer_names(session.scorers), session.scorers, strict=True)
        further = {name: scorer.stages for name, scorer in named}
        own = document_scorers(document)
        # Two tables, not one: a further scorer may call itself “expert”.
        columns = [
            (name, stages, statistics)
            for scorers in (own, further)
            for (name, stages), statistics in zip(
                scorers.items(), statistics_of(document, scorers).values(), strict=True
            )
        ]
        self._table.setColumnCount(len(columns))
        for column, (name, stages, statistics) in enumerate(columns):
            header = QTableWidgetItem(_OWN_NAMES[name] if column < len(own) else name)
            header.setToolTip(name)
            self._table.setHorizontalHeaderItem(column, header)
            self._fill(column, stages, statistics)

    def _fill(self, column: int, stages: StageArray, statistics: dict[str, float | int | None]) -> None:
        unscored = bool((stages == Stage.UNKNOWN).all())
        for row, (name, value) in enumerate(statistics.items()):
            known = not unscored or name in _WITHOUT_STAGES
            item = QTableWidgetItem(_text(name, value if known else None))
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(_DEFINITIONS[name])
            self._table.setItem(row, column, item)


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


def _told(item: QTableWidgetItem | None) -> str:
    return "" if item is None else item.text()


def _text(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if name in _COUNTS else f"{value:.1f}"
