"""Starts, follows and ends looks at epochs for the open night; who asked only hears what came of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from sleepviewer.app.explain.similar_epochs_panel import MapPanel
from sleepviewer.app.session import NightSession
from sleepviewer.app.work.embedding_worker import LookWorker
from sleepviewer.scoring.base import Progress
from sleepviewer.scoring.features import FeaturesRequest


class LookController(QObject):
    """Between the worker and the panel; what comes for a night that is open no more is not heard."""

    found = Signal(object)
    """NightFeatures or ArchiveNights."""
    trouble = Signal(str)
    """A sentence."""
    cancelled = Signal()
    changed = Signal()
    """A look began, or has ended, whatever came of it."""

    def __init__(self, panel: MapPanel, parent: QObject) -> None:
        super().__init__(parent)
        self._panel = panel
        self._session: NightSession | None = None
        self._looked_at: NightSession | None = None
        self._worker = LookWorker(self)
        self._worker.progressed.connect(self._on_progress)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._on_cancelled)

    @property
    def running(self) -> bool:
        """Whether epochs are being looked at."""
        return self._looked_at is not None or self._worker.running

    def set_session(self, session: NightSession) -> None:
        """Follow another night; a look at the one before is cancelled."""
        self.cancel()
        self._session = session

    def start(self, request: FeaturesRequest) -> None:
        """Begin; nothing else must be running."""
        self._panel.show_progress(0.0, "starting")
        self._looked_at = self._session
        self._worker.start(request)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop looking, if anything runs."""
        if self._worker.running:
            self._worker.cancel()
            self._panel.show_progress(0.0, "cancelling…")

    def close(self) -> None:
        """End the process, whatever it does."""
        self._worker.close()
        self._looked_at = None

    def _on_progress(self, progress: Progress) -> None:
        if self._looked_at is self._session:
            self._panel.show_progress(progress.fraction, progress.message)

    def _on_finished(self, found: object) -> None:
        if self._end():
            self.found.emit(found)

    def _on_failed(self, sentence: str) -> None:
        if self._end():
            self.trouble.emit(sentence)

    def _on_cancelled(self) -> None:
        if self._end():
            self.cancelled.emit()

    def _end(self) -> bool:
        """Put everything back to rest; return whether the night that was looked at is still open."""
        heard = self._looked_at is not None and self._looked_at is self._session
        self._looked_at = None
        self._panel.show_progress(None)
        self.changed.emit()
        return heard
