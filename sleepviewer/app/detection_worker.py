"""Looking for events in the background: a thread that waits for a process and tells the window by signals."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from sleepviewer.errors import ScoringCancelled, SleepViewerError
from sleepviewer.scoring.base import CancelToken, Progress
from sleepviewer.scoring.detection import DetectionRequest
from sleepviewer.scoring.process import ScoringProcess


class DetectionWorker(QObject):
    """One search at a time, each in a process of its own that ends with it, so that its memory goes back.

    Signals reach the window's thread through Qt's queue.
    """

    progressed = Signal(object)
    """A Progress."""
    finished = Signal(object)
    """The Detection."""
    failed = Signal(str)
    """A sentence."""
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: ScoringProcess | None = None
        self._thread: threading.Thread | None = None
        self._cancel = CancelToken()

    @property
    def running(self) -> bool:
        """Whether a night is being searched."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, request: DetectionRequest) -> None:
        """Begin to search; one of finished, failed and cancelled follows."""
        if self.running:
            raise RuntimeError("a search is running already")
        self._cancel, self._process = CancelToken(), ScoringProcess()
        self._thread = threading.Thread(
            target=self._run, args=(request, self._cancel, self._process), name="detection", daemon=True
        )
        self._thread.start()

    def cancel(self) -> None:
        """Ask the running search to stop; ``cancelled`` follows within a second."""
        self._cancel.cancel()

    def close(self) -> None:
        """Stop whatever runs, end the process and wait for the thread."""
        self._cancel.cancel()
        if self._process is not None:
            self._process.close()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self, request: DetectionRequest, cancel: CancelToken, process: ScoringProcess) -> None:
        def tell(progress: Progress) -> None:
            if not cancel.cancelled:
                self.progressed.emit(progress)

        try:
            with process:
                detection = process.detect(request, tell, cancel)
        except ScoringCancelled:
            self.cancelled.emit()
        except SleepViewerError as error:
            self.failed.emit(str(error))
        except Exception as error:  # or the window would wait for ever
            self.failed.emit(f"Looking for events failed unexpectedly ({error}); try again.")
        else:
            self.finished.emit(detection)
