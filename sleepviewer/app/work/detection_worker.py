"""Looking for events in the background."""

from __future__ import annotations

from sleepviewer.app.work.process_worker import ProcessWorker
from sleepviewer.scoring.base import CancelToken, ProgressCallback
from sleepviewer.scoring.detection import Detection, DetectionRequest
from sleepviewer.scoring.process import ScoringProcess


class DetectionWorker(ProcessWorker):
    """Carries out DetectionRequests, and finishes with Detections.

    Each has a process of its own that ends with it, so that its memory goes back.
    """

    _FAILED = "Looking for events failed unexpectedly ({error}); try again."

    def _ask(self, request: object, tell: ProgressCallback, cancel: CancelToken) -> Detection:
        assert isinstance(request, DetectionRequest)
        with ScoringProcess() as process:
            self._process = process  # which close() ends
            return process.detect(request, tell, cancel)
