"""Scoring in the background."""

from __future__ import annotations

from sleepviewer.app.work.process_worker import ProcessWorker
from sleepviewer.scoring.base import CancelToken, Prediction, ProgressCallback
from sleepviewer.scoring.process import ScoringRequest
from sleepviewer.scoring.registry import EngineSpec


class ScoringWorker(ProcessWorker):
    """Carries out ScoringRequests, and finishes with Predictions; the process lives on between them and stays warm."""

    _FAILED = "Scoring failed unexpectedly ({error}); score again, or start the program anew."

    def warm_up(self, spec: EngineSpec) -> None:
        """Let the process import and compile what the engine needs, before it is asked to score."""
        self._process.warm_up(spec)

    def _ask(self, request: object, tell: ProgressCallback, cancel: CancelToken) -> Prediction:
        assert isinstance(request, ScoringRequest)
        return self._process.score(request, tell, cancel)
