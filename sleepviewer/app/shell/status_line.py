"""The line at the bottom: where she is, what everybody says, what is changed, whether it is saved, what is running."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QStatusBar, QWidget

from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import tabular
from sleepviewer.display.clock import clock_text
from sleepviewer.review.edits import NOT_CORRECTED
from sleepviewer.review.journal import Safety
from sleepviewer.stages import EPOCH_S, Stage


class StatusLine(QStatusBar):
    """``412/1018 · 02:26:00 · expert N2 · model N3 0.61 · yours N2 · 14 edits, saved`` and the scoring's progress."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._said = ""
        self._where = QLabel(self)
        self._edits = QLabel(self)
        self._message = _ElidedLabel(self)
        for label in (self._where, self._edits, self._message):
            label.setFont(tabular(label.font()))
            label.setContentsMargins(8, 2, 8, 2)
        self._progress = QProgressBar(self)
        self._progress.setFixedWidth(230)
        self._progress.setRange(0, 100)
        self._progress.setAccessibleName("Progress of scoring")
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setToolTip("Cancel scoring (Esc)")
        self._cancel.clicked.connect(self.cancel_requested)
        self.addWidget(self._where)
        self.addWidget(self._edits)
        self.addPermanentWidget(self._message, 1)
        self.addPermanentWidget(self._progress)
        self.addPermanentWidget(self._cancel)
        self.show_progress(None)

    @property
    def text(self) -> str:
        """All that the line says."""
        texts = (self._where.text(), self._edits.text(), self._message.full_text)
        return "  ".join(text for text in texts if text)

    def show_session(self, session: NightSession | None, saved_at: str = "") -> None:
        """Show where the session is and what stands there."""
        self._where.setText("" if session is None else _where_text(session))
        self._edits.setText("" if session is None else _edits_text(session, saved_at))

    def show_message(self, message: str) -> None:
        """Show a short message at the right until the next one."""
        self._said = message
        self._message.show_text(message)

    def show_tip(self, tip: str) -> None:
        """Show what the menu entry under the pointer does; nothing brings the message back."""
        self._message.show_text(tip or self._said)

    def show_progress(self, fraction: float | None, message: str = "") -> None:
        """Show a running scoring, or (None) that none is running."""
        running = fraction is not None
        self._progress.setVisible(running)
        self._cancel.setVisible(running)
        if fraction is not None:
            self._progress.setValue(round(100 * fraction))
            self._progress.setFormat(f"{message} · %p %")


class _ElidedLabel(QLabel):
    """A label that shortens its text in the middle rather than widen the window; the tool tip has all of it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.full_text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_text(self, text: str) -> None:
        """Show a text, as much of it as there is room for."""
        self.full_text = text
        self.setToolTip(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.contentsRect().width()
        self.setText(self.fontMetrics().elidedText(self.full_text, Qt.TextElideMode.ElideMiddle, room))


def _where_text(session: NightSession) -> str:
    document, epoch = session.document, session.epoch
    parts = [f"{epoch + 1}/{document.n_epochs}", clock_text(session.night.recording, epoch * EPOCH_S)]
    selected = session.selected
    if len(selected) > 1:
        parts[0] = f"{selected.start + 1}–{selected.stop}/{document.n_epochs}"
    if document.truth is not None:
        parts.append(f"expert {Stage(int(document.truth.stages[epoch])).label}")
    if document.prediction is not None:
        stage = Stage(int(document.prediction.stages[epoch]))
        certain = "" if stage is Stage.UNKNOWN else f" {document.prediction.confidence[epoch]:.2f}"
        parts.append(f"model {stage.label}{certain}")
    corrected = int(document.corrected[epoch])
    parts.append("yours —" if corrected == NOT_CORRECTED else f"yours {Stage(corrected).label}")
    if session.in_order:
        parts.insert(0, "REVIEWING IN ORDER")
    if document.blinded:
        parts.insert(0, "BLINDED")
    if session.night.recording.simulated:
        parts.insert(0, "SIMULATED")
    if document.flagged[epoch]:
        parts.append("flagged as uncertain")
    return "  ·  ".join(parts)


def _edits_text(session: NightSession, saved_at: str) -> str:
    count = len(session.document.history)
    edits = "no edits" if not count else "1 edit" if count == 1 else f"{count} edits"
    if session.document.read_only:
        return f"READ-ONLY, {edits}"
    if session.document.unsaved:
        state = _UNSAVED[session.safety.safety] if session.is_journaled else "not saved"
        state += f": {session.safety.reason}" if session.safety.safety is Safety.UNSAFE else ""
    elif saved_at:
        state = f"saved {saved_at}"
    else:
        state = "saved" if count else ""
    return f"{edits}, {state}" if state else edits


_UNSAVED = {
    Safety.SAFE: "not saved, safe in the journal",
    Safety.ELSEWHERE: "not saved, in a temporary journal",
    Safety.UNSAFE: "NOT SAFE",
}
