"""Starts, follows and ends scorings of the open night; the window only hears what came of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from sleepviewer.app.scoring.bar import ScoringBar
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.status_line import StatusLine
from sleepviewer.app.work.scoring_worker import ScoringWorker
from sleepviewer.errors import SleepViewerError
from sleepviewer.logs import log
from sleepviewer.scoring.base import Prediction, Progress
from sleepviewer.scoring.process import ScoringRequest

_WARM_UP_DELAY_MS = 600


class ScoringController(QObject):
    """Between the tool bar's pickers, the worker and the document of the session that is being scored."""

    started = Signal()
    ended = Signal()
    """After every scoring, whatever came of it."""
    trouble = Signal(str)
    """A sentence."""
    scored = Signal(object)
    """The Prediction, which the document holds already."""

    def __init__(self, bar: ScoringBar, status: StatusLine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bar = bar
        self._status = status
        self._worker = ScoringWorker(self)
        self._session: NightSession | None = None
        self._being_scored: NightSession | None = None
        self._worker.progressed.connect(self._on_progress)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._on_cancelled)

    @property
    def running(self) -> bool:
        """Whether a night is being scored."""
        return self._being_scored is not None or self._worker.running

    def warm_up_soon(self) -> None:
        """Prepare the engine in the background once the window stands."""
        QTimer.singleShot(_WARM_UP_DELAY_MS, lambda: self._worker.warm_up(self._bar.spec))

    def set_session(self, session: NightSession) -> None:
        """Follow another night; a scoring of the one before is cancelled, and its last words are not heard."""
        self.cancel()
        self._session = session

    def score(self) -> None:
        """Score the open night in the background."""
        if self._session is None:
            return
        if self.running:  # also while the last words of one that has ended are on their way
            self._status.show_message("A scoring is running already; Esc cancels it")
            return
        choice = self._bar.choice
        if choice is None:
            self.trouble.emit("No EEG channel was recognised by its name: choose the channel to score above.")
            return
        night, recording = self._session.night, self._session.night.recording
        night.channel = choice.eeg
        self._status.show_message("")
        self._status.show_progress(0.0, "starting")
        self._bar.set_running(True)
        self._being_scored = self._session
        request = ScoringRequest(
            recording.path, self._bar.spec, choice, stamp=recording.stamp, units=recording.told_units
        )
        self._worker.start(request)
        self.started.emit()

    def cancel(self) -> None:
        """Stop the running scoring, if any; what the night had before stays."""
        if self._worker.running:
            self._worker.cancel()
            self._status.show_message("Cancelling…")

    def close(self) -> None:
        """End the scoring process, whatever it does."""
        self._worker.close()
        self._being_scored = None

    @property
    def _heard(self) -> NightSession | None:
        """The session that is being scored, if it is still open: the thread's last words may come after the next."""
        return self._session if self._session is self._being_scored else None

    def _on_progress(self, progress: Progress) -> None:
        if (session := self._heard) is None:
            return
        self._status.show_progress(progress.fraction, progress.message)
        if progress.proba is not None:
            session.document.add_provisional(progress.first_epoch, progress.proba)

    def _on_finished(self, prediction: Prediction) -> None:
        if (session := self._end()) is None:
            return
        try:
            session.night.recording.check_unchanged()
            session.document.set_prediction(prediction)
        except SleepViewerError as error:
            self.trouble.emit(str(error))
            return
        channels = ", ".join(prediction.channels)
        # Where the graphics processor failed, a note begins with its sentence; the line says it as well as the bar.
        gave_way = next((note for note in prediction.notes if note.endswith(" on the CPU.")), "")
        message = f"Scored on {channels} in {prediction.seconds:.1f} s ({prediction.device})"
        self._status.show_message(f"{message}. {gave_way}" if gave_way else message)
        log.info(
            "scored %d epochs with %s in %.1f s on %s",
            len(prediction),
            prediction.engine,
            prediction.seconds,
            prediction.device,
        )
        self.scored.emit(prediction)

    def _on_failed(self, sentence: str) -> None:
        log.warning("scoring failed: %s", sentence)
        if self._end() is not None:
            self.trouble.emit(sentence)

    def _on_cancelled(self) -> None:
        if self._end() is not None:
            self._status.show_message("Scoring cancelled; nothing was changed")

    def _end(self) -> NightSession | None:
        """Put everything back to rest; return the session that was scored, if it is still open."""
        session, self._being_scored = self._heard, None
        self._status.show_progress(None)
        self._bar.set_running(False)
        if session is not None:
            session.document.drop_provisional()
        self.ended.emit()
        return session
