"""What to review, in the order of expected gain: the budget, what is to be expected for it, how it goes, the queue."""

from __future__ import annotations

import math

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from sleepviewer.analysis.review_plan import ReviewPlan
from sleepviewer.app.review.budget_bar import BudgetBar
from sleepviewer.app.review.queue_table import QueueModel, QueueTable
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.review.review_queue import ReviewQueue
from sleepviewer.scoring.calibration_record import CalibrationRecord, calibration_record

_NOT_SCORED = "Score the night (S) to see which epochs the model is unsure of."
_REST_MS = 60
_HOW = "Enter accepts, a stage key corrects; both go on to the next. Esc ends it."


class ReviewTab(QWidget):
    """Shows the session's queue and says what the user wants of it; it changes nothing itself."""

    epoch_picked = Signal(int)
    budget_chosen = Signal(object)
    """Carries the Budget."""
    together_toggled = Signal(bool)
    in_order_toggled = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._session: NightSession | None = None
        self._is_stale = False
        self._epoch = -1
        # Scrolling to the row paints the whole table, which takes longer than turning the page.
        self._follow = QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(_REST_MS)
        self._follow.timeout.connect(self._select)
        self.budget = BudgetBar(self)
        self._expected = _words("Expected agreement", self)
        self._progress = QProgressBar(self)
        self._progress.setAccessibleName("Reviewed of planned")
        self._pace = _words("Pace and time left", self)
        self._worth = _words("What the expectation is worth", self)
        self._start = QPushButton("Review in order", self)
        self._start.setCheckable(True)
        self._start.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._start.setAutoDefault(False)
        self._together = QCheckBox("Neighbours together", self)
        self._together.setToolTip("Keep doubtful epochs that follow each other in the night together in the queue")
        self._together.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._mode = _words("Reviewing in order", self)
        self._model = QueueModel(theme)
        self._table = QueueTable(self._model, self)
        self._lay_out()
        self._table.clicked.connect(self._pick)
        self._table.activated.connect(self._pick)
        self.budget.budget_chosen.connect(self.budget_chosen)
        self._together.toggled.connect(self.together_toggled)
        self._start.clicked.connect(self.in_order_toggled)
        self.show_in_order(False)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.budget)
        layout.addWidget(self._expected)
        layout.addWidget(self._progress)
        layout.addWidget(self._pace)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._start)
        buttons.addWidget(self._together)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        layout.addWidget(self._mode)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._worth)

    @property
    def text(self) -> str:
        """All that it says about the review as a whole."""
        labels = (self._expected, self._pace, self._mode, self._worth)
        texts = [*(label.text() for label in labels if not label.isHidden()), self._progress.text()]
        return "\n".join(text for text in texts if text)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._model.set_theme(theme)
        self._show_mode_colours()

    def set_tip(self, tip: str) -> None:
        """Say what the button does, and which key does the same."""
        self._start.setToolTip(tip)

    def show_in_order(self, on: bool) -> None:
        """Show whether she reviews in the order of the queue."""
        self._start.setChecked(on)
        self._start.setText("Stop reviewing" if on else "Review in order")
        self._mode.setText(f"<b>Reviewing in order of doubt.</b> {_HOW}" if on else "")
        self._mode.setVisible(on)
        self._show_mode_colours()

    def _show_mode_colours(self) -> None:
        self._mode.setStyleSheet(
            f"border-left: 4px solid {self._theme.accent}; padding: 4px 8px; background: {self._theme.panel};"
        )

    def show_session(self, session: NightSession) -> None:
        """Show the session's queue as it stands, at once or as soon as it can be seen."""
        self._session, self._is_stale = session, True
        if self.isVisible():
            self._freshen(session)

    def show_quality(self) -> None:
        """Show the reasons once more: the signal's quality is known now."""
        self._model.tell_changed()

    def _freshen(self, session: NightSession) -> None:
        self._is_stale = False
        queue = session.queue
        plan = queue.plan
        self.budget.show_budget(queue.budget)
        self._together.blockSignals(True)
        self._together.setChecked(queue.together)
        self._together.blockSignals(False)
        self._model.show_plan(session, plan)
        for widget in (self._progress, self._pace, self._worth):
            widget.setVisible(plan is not None)
        self._start.setEnabled(plan is not None)
        prediction = session.document.prediction
        if plan is None or prediction is None:
            self._expected.setText(_NOT_SCORED)
            return
        record = calibration_record(prediction)
        self._expected.setText(_expected_text(queue, plan, record))
        second = "" if queue.second is None else f" In the order, {queue.second.engine} counts as a second opinion."
        self._worth.setText(record.sentence + second)
        self._show_progress(queue, plan)
        self._epoch = session.epoch
        self._select()

    def _show_progress(self, queue: ReviewQueue, plan: ReviewPlan) -> None:
        planned = queue.done + plan.stop
        self._progress.setUpdatesEnabled(False)  # else it paints at once, the table too, before its row is known
        self._progress.setRange(0, max(planned, 1))
        self._progress.setValue(queue.done if planned else 1)
        pace = queue.pace
        self._progress.setFormat(
            f"{queue.done} of {planned} reviewed" if plan.stop else f"{queue.done} reviewed: the budget is done"
        )
        self._progress.setUpdatesEnabled(True)
        how = "measured" if pace.measured else "assumed"
        left = f" · {_minutes_text(plan.stop / pace.per_minute)} left" if plan.stop else ""
        self._pace.setText(f"{pace.per_minute:.1f} epochs a minute ({how}){left}")

    def show_epoch(self, epoch: int) -> None:
        """Select the epoch's row once pages rest; nothing is done while nobody sees it."""
        if self.isVisible():
            self._epoch = epoch
            self._follow.start()

    def _select(self) -> None:
        row = self._model.row_of(self._epoch)
        if row is None:
            self._table.clearSelection()
        else:
            self._table.selectRow(row)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._session is not None:
            if self._is_stale:
                self._freshen(self._session)
            self.show_epoch(self._session.epoch)

    def _pick(self, index: QModelIndex) -> None:
        self.epoch_picked.emit(self._model.epoch_at(index.row()))


def _words(name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setAccessibleName(name)
    label.setFont(tabular(label.font()))
    label.setWordWrap(True)
    return label


def _expected_text(queue: ReviewQueue, plan: ReviewPlan, record: CalibrationRecord) -> str:
    """Return the agreement expected now and at the end of the budget, and what it is by the reference."""
    if record.unvalidated:
        lines = ["Expected agreement: not validated for this recording"]
    else:
        about = "" if record.calibrated else "about "
        lines = [f"Expected now: {about}{_agreement_text(plan, 0)}"]
        if plan.stop:
            lines.append(f"{_after_text(plan.stop)}: {about}{_agreement_text(plan, plan.stop)}")
    if (kappa := queue.measured_kappa) is not None:
        lines.append(f"By the expert's hypnogram now: κ {kappa:.2f}")
    return "<br>".join(lines)


def _after_text(epochs: int) -> str:
    return "After one epoch more" if epochs == 1 else f"After {epochs} epochs more"


def _agreement_text(plan: ReviewPlan, step: int) -> str:
    kappa, accuracy = float(plan.expected_kappa[step]), float(plan.expected_accuracy[step])
    if math.isnan(accuracy):
        return "nothing to go by"
    told = "κ not defined" if math.isnan(kappa) else f"<b>κ {kappa:.2f}</b>"
    return f"{told}, {100 * accuracy:.0f} % right"


def _minutes_text(minutes: float) -> str:
    return "less than a minute" if 0 < minutes < 1 else f"about {minutes:.0f} min"
