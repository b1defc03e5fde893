"""Scoring in the background: a thread that waits for the scoring process and tells the window by signals."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from sleepviewer.errors import ScoringCancelled, SleepViewerError
from sleepviewer.scoring.base import CancelToken, Prediction, Progress
from sleepviewer.scoring.process import ScoringProcess, ScoringRequest
from sleepviewer.scoring.registry import EngineSpec


class ScoringWorker(QObject):
    """One scoring at a time. Signals reach the window's thread through Qt's queue.

    The engine runs in a child process, so that neither its imports nor its arithmetic hold up the window; the thread
    here only waits.
    """

    progressed = Signal(object)
    """A Progress."""
    finished = Signal(object)
    """The Prediction."""
    failed = Signal(str)
    """A sentence."""
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = ScoringProcess()
        self._thread: threading.Thread | None = None
        self._cancel = CancelToken()

    @property
    def running(self) -> bool:
        """Whether a night is being scored."""
        return self._thread is not None and self._thread.is_alive()

    def warm_up(self, spec: EngineSpec) -> None:
        """Let the process import and compile what the engine needs, before it is asked to score."""
        self._process.warm_up(spec)

    def start(self, request: ScoringRequest) -> None:
        """Begin to score; one of finished, failed and cancelled follows."""
        if self.running:
            raise RuntimeError("a scoring is running already")
        self._cancel = CancelToken()
        self._thread = threading.Thread(target=self._run, args=(request, self._cancel), name="scoring", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the running scoring to stop; ``cancelled`` follows within a second."""
        self._cancel.cancel()

    def close(self) -> None:
        """Stop whatever runs, end the process and wait for the thread."""
        self._cancel.cancel()
        self._process.close()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self, request: ScoringRequest, cancel: CancelToken) -> None:
        def tell(progress: Progress) -> None:
            if not cancel.cancelled:
                self.progressed.emit(progress)

        try:
            prediction: Prediction = self._process.score(request, tell, cancel)
        except ScoringCancelled:
            self.cancelled.emit()
        except SleepViewerError as error:
            self.failed.emit(str(error))
        except Exception as error:  # or the window would wait for ever
            self.failed.emit(f"Scoring failed unexpectedly ({error}); score again, or start the program anew.")
        else:
            self.finished.emit(prediction)
