"""Work of the scoring process, waited for in a thread that tells the window of it by signals."""

from __future__ import annotations

import threading
from abc import abstractmethod
from typing import ClassVar

from PySide6.QtCore import QObject, Signal

from sleepviewer.errors import ScoringCancelled, SleepViewerError
from sleepviewer.scoring.base import CancelToken, Progress, ProgressCallback
from sleepviewer.scoring.process import ScoringProcess


class ProcessWorker(QObject):
    """One request at a time. Signals reach the window's thread through Qt's queue.

    The work is done in a child process, so that neither its imports nor its arithmetic hold up the window; the thread
    here only waits. Subclasses say what is asked of the process (:meth:`_ask`) and what is wrong where it fails
    unexpectedly (``_FAILED``, with a place for the error).
    """

    progressed = Signal(object)
    """A Progress."""
    finished = Signal(object)
    """What was asked for."""
    failed = Signal(str)
    """A sentence."""
    cancelled = Signal()

    _FAILED: ClassVar[str]

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = ScoringProcess()
        self._thread: threading.Thread | None = None
        self._cancel = CancelToken()

    @property
    def running(self) -> bool:
        """Whether a request is being carried out."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, request: object) -> None:
        """Begin; one of finished, failed and cancelled follows."""
        if self.running:
            raise RuntimeError("a request is being carried out already")
        self._cancel = CancelToken()
        self._thread = threading.Thread(
            target=self._run, args=(request, self._cancel), name=type(self).__name__, daemon=True
        )
        self._thread.start()

    def cancel(self) -> None:
        """Ask what is running to stop; ``cancelled`` follows within a second."""
        self._cancel.cancel()

    def close(self) -> None:
        """Stop whatever runs, end the process and wait for the thread."""
        self._cancel.cancel()
        self._process.close()
        if self._thread is not None:
            self._thread.join(timeout=5)

    @abstractmethod
    def _ask(self, request: object, tell: ProgressCallback, cancel: CancelToken) -> object:
        """Have the process carry the request out; called in the thread."""

    def _run(self, request: object, cancel: CancelToken) -> None:
        def tell(progress: Progress) -> None:
            if not cancel.cancelled:
                self.progressed.emit(progress)

        try:
            result = self._ask(request, tell, cancel)
        except ScoringCancelled:
            self.cancelled.emit()
        except SleepViewerError as error:
            self.failed.emit(str(error))
        except Exception as error:  # or the window would wait for ever
            self.failed.emit(self._FAILED.format(error=error))
        else:
            self.finished.emit(result)
