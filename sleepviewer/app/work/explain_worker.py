"""Explaining epochs in the background."""

from __future__ import annotations

from sleepviewer.app.work.process_worker import ProcessWorker
from sleepviewer.scoring.base import CancelToken, ProgressCallback
from sleepviewer.scoring.explain import Explanation, ExplanationRequest
from sleepviewer.scoring.process import ScoringProcess


class ExplainWorker(ProcessWorker):
    """Carries out ExplanationRequests, and finishes with Explanations.

    Its process holds the night between them, until :meth:`rest`.
    """

    _FAILED = "Explaining the stage failed unexpectedly ({error}); switch “Why this stage” off and on again."

    def rest(self) -> None:
        """End the process, and what it is doing; its memory goes back, and the next request starts another."""
        self._cancel.cancel()
        self._process.close()
        self._process = ScoringProcess()

    def _ask(self, request: object, tell: ProgressCallback, cancel: CancelToken) -> Explanation:
        assert isinstance(request, ExplanationRequest)
        return self._process.explain(request, tell, cancel)
