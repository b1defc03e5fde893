"""Seeing epochs as a model does, in the background; and UMAP's plane, which takes a process of its own as well."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.lookalikes import Embedding
from sleepviewer.app.work.process_worker import ProcessWorker
from sleepviewer.errors import AnalysisError
from sleepviewer.scoring.base import CancelToken, ProgressCallback
from sleepviewer.scoring.features import ArchiveNights, FeaturesRequest, NightFeatures
from sleepviewer.scoring.process import ScoringProcess

_POLL_S: Final = 0.05


class LookWorker(ProcessWorker):
    """Carries out FeaturesRequests, and finishes with NightFeatures or ArchiveNights.

    Each has a process of its own that ends with it, so that its memory goes back.
    """

    _FAILED = "Looking at the epochs failed unexpectedly ({error}); try again."

    def _ask(self, request: object, tell: ProgressCallback, cancel: CancelToken) -> NightFeatures | ArchiveNights:
        assert isinstance(request, FeaturesRequest)
        with ScoringProcess() as process:
            self._process = process  # which close() ends
            return process.look(request, tell, cancel)


def umap_plane(embedding: Embedding, cancelled: Callable[[], bool]) -> NDArray[np.float32] | None:
    """Return UMAP's plane, ``float32 [n, 2]``, computed in a child process; None once it is not wanted any more.

    Its import alone compiles for seconds with the interpreter locked. Raises AnalysisError where it fails.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send_plane, args=(theirs, embedding), name="sleepviewer-umap", daemon=True)
    process.start()
    theirs.close()
    try:
        while not ours.poll(_POLL_S):
            if cancelled():
                return None
        answer = ours.recv()
    except EOFError as error:
        raise AnalysisError("UMAP's process stopped unexpectedly; take PCA, or close other programs.") from error
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(answer, str):
        raise AnalysisError(answer)
    return np.asarray(answer, dtype=np.float32)


def _send_plane(connection: Connection, embedding: Embedding) -> None:
    """Compute the plane and send it, or the sentence that says why not."""
    try:
        connection.send(embedding.map("umap"))
    except AnalysisError as error:
        connection.send(str(error))
    except Exception as error:
        connection.send(f"UMAP failed: {error}. Take PCA instead.")
