"""How far two scorers agree: accuracy, Cohen's κ, precision, recall and F1 per stage, the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import AlignmentError
from sleepviewer.stages import N_STAGES, SCORED_STAGES, Stage, StageArray

Confusion = NDArray[np.int64]
"""Counts of epochs, ``int64 [5, 5]``: rows are the truth's stages, columns the other's, in the order W N1 N2 N3 REM."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Agreement of two hypnograms over the epochs that both score.

    ``precision``, ``recall`` and ``f1`` map a stage's label to a share between 0 and 1, NaN where it is undefined:
    precision of a stage that was never predicted, recall of a stage that never was, F1 of a stage that is in neither.
    ``macro_f1`` is the mean F1 over the stages that occur in either. ``kappa`` is NaN where both know one stage only.
    """

    accuracy: float
    macro_f1: float
    kappa: float
    f1: Mapping[str, float]
    precision: Mapping[str, float]
    recall: Mapping[str, float]
    confusion: Confusion
    epochs: int

    def as_dict(self) -> dict[str, Any]:
        """Return ``accuracy, macro_f1, kappa, f1, confusion, epochs`` as JSON-ready values, None for NaN."""
        return {
            "accuracy": _json_number(self.accuracy),
            "macro_f1": _json_number(self.macro_f1),
            "kappa": _json_number(self.kappa),
            "f1": {stage: _json_number(value) for stage, value in self.f1.items()},
            "confusion": self.confusion.tolist(),
            "epochs": self.epochs,
        }


def agreement(truth: StageArray, predicted: StageArray) -> Agreement:
    """Compare two hypnograms of one night, epoch by epoch, where both are scored.

    Both are ``int8 [n_epochs]``. Raises AlignmentError where they have different lengths or no scored epoch in
    common.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape:
        raise AlignmentError(
            f"The two hypnograms have {len(truth)} and {len(predicted)} epochs; lay both on the recording first."
        )
    both = (truth != Stage.UNKNOWN) & (predicted != Stage.UNKNOWN)
    if not both.any():
        raise AlignmentError("The two hypnograms have no epoch that both of them score, so they can't be compared.")
    pairs = truth[both].astype(np.int64) * N_STAGES + predicted[both]
    confusion = np.bincount(pairs, minlength=N_STAGES**2).reshape(N_STAGES, N_STAGES).astype(np.int64)
    return agreement_of(confusion)


def agreement_of(confusion: Confusion) -> Agreement:
    """Compute the figures of a confusion matrix with at least one count, ``int64 [5, 5]``, rows = truth.

    Cohen's κ = (p_o - p_e) / (1 - p_e), with p_o the observed agreement and p_e the sum over stages of the product of
    the two scorers' shares (Cohen 1960, doi 10.1177/001316446002000104). F1 = 2 TP / (2 TP + FP + FN), the harmonic
    mean of precision and recall (van Rijsbergen 1979); the macro-F1 is the mean over stages of F1.
    """
    total = int(confusion.sum())
    hits = np.diag(confusion)
    actual, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    observed = hits.sum() / total
    # Compared in whole numbers, so that a κ of 0 / 0 is never taken for one of rounding errors.
    chance_counts = int((actual * predicted).sum())
    chance = chance_counts / total**2
    kappa = float((observed - chance) / (1 - chance)) if chance_counts != total**2 else math.nan
    f1 = _share(2 * hits, actual + predicted)
    return Agreement(
        accuracy=float(observed),
        macro_f1=float(np.nanmean(f1)),
        kappa=kappa,
        f1=_by_stage(f1),
        precision=_by_stage(_share(hits, predicted)),
        recall=_by_stage(_share(hits, actual)),
        confusion=confusion,
        epochs=total,
    )


def _share(part: Confusion, whole: Confusion) -> NDArray[np.float64]:
    """Divide, with NaN where the whole is zero."""
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def _by_stage(values: NDArray[np.float64]) -> dict[str, float]:
    return {stage.label: float(value) for stage, value in zip(SCORED_STAGES, values, strict=True)}


def _json_number(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value
