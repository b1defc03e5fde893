"""Truths, scorings and documents for the tests of reviewing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sleepviewer.hypnogram import Hypnogram
from sleepviewer.review.document import Document
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import N_STAGES, Proba


def proba_of(stages: Sequence[int], certainties: Sequence[float] | None = None) -> Proba:
    """Probabilities whose likeliest stages these are, ``float32 [n, 5]``; a row of NaN where the stage is -1."""
    certain = [0.9] * len(stages) if certainties is None else certainties
    proba = np.empty((len(stages), N_STAGES), dtype=np.float32)
    for epoch, (stage, p) in enumerate(zip(stages, certain, strict=True)):
        proba[epoch] = np.nan if stage < 0 else (1 - p) / (N_STAGES - 1)
        if stage >= 0:
            proba[epoch, stage] = p
    return proba


def prediction_of(stages: Sequence[int], certainties: Sequence[float] | None = None) -> Prediction:
    return Prediction(proba_of(stages, certainties), "fake", "1", "ab" * 32, ("EEG",), 0.5, notes=("A fake.",))


def truth_of(stages: Sequence[int]) -> Hypnogram:
    return Hypnogram(np.array(stages, dtype=np.int8), None, "truth.edf", "expert")


def document_of(
    n_epochs: int,
    *,
    truth: Sequence[int] | None = None,
    model: Sequence[int] | None = None,
    certainties: Sequence[float] | None = None,
) -> Document:
    document = Document(n_epochs, scorer="me")
    if truth is not None:
        document.set_truth(truth_of(truth))
    if model is not None:
        document.set_prediction(prediction_of(model, certainties))
    return document
