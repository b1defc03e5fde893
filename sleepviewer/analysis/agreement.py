"""How far two scorers agree: accuracy, Cohen's κ, MGm, precision, recall and F1 per stage, the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import AlignmentError
from sleepviewer.stages import N_STAGES, SCORED_STAGES, Stage, StageArray

Confusion = NDArray[np.int64]
"""Counts of epochs, ``int64 [5, 5]``: rows are the truth's stages, columns the other's, in the order W N1 N2 N3 REM."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Agreement of two hypnograms over the epochs that both score.

    ``precision``, ``recall`` and ``f1`` map a stage's label to a share between 0 and 1, NaN where it is undefined:
    precision of a stage that was never predicted, recall of a stage that never was, F1 of a stage that is in neither.
    ``macro_f1`` is the mean F1 over the stages that occur in either. ``kappa`` is NaN where both know one stage only.
    ``mgm`` is the mean over the truth's stages of √(sensitivity · specificity), NaN where the truth knows one only.
    ``balanced_accuracy`` is the mean recall over the truth's stages, ``mcc`` Matthews' correlation for several classes,
    NaN where either knows one stage only.
    """

    accuracy: float
    macro_f1: float
    kappa: float
    f1: Mapping[str, float]
    precision: Mapping[str, float]
    recall: Mapping[str, float]
    confusion: Confusion
    epochs: int
    mgm: float
    balanced_accuracy: float
    mcc: float

    @property
    def by_truth(self) -> Floats:
        """The confusion matrix as shares of the truth's stages, ``float64 [5, 5]``; rows sum to 1 or are NaN."""
        return _share(self.confusion, np.broadcast_to(self.confusion.sum(axis=1, keepdims=True), (N_STAGES, N_STAGES)))

    @property
    def by_prediction(self) -> Floats:
        """The confusion matrix as shares of the other's stages, ``float64 [5, 5]``; columns sum to 1 or are NaN."""
        return _share(self.confusion, np.broadcast_to(self.confusion.sum(axis=0, keepdims=True), (N_STAGES, N_STAGES)))

    def as_full_dict(self) -> dict[str, Any]:
        """Return every figure as JSON-ready values, None for NaN; what :meth:`as_dict` has, and more."""
        return self.as_dict() | {
            "balanced_accuracy": _json_number(self.balanced_accuracy),
            "mcc": _json_number(self.mcc),
            "mgm": _json_number(self.mgm),
            "precision": {stage: _json_number(value) for stage, value in self.precision.items()},
            "recall": {stage: _json_number(value) for stage, value in self.recall.items()},
            "kappa_linear": _json_number(weighted_kappa(self.confusion)),
            "kappa_quadratic": _json_number(weighted_kappa(self.confusion, power=2)),
            "kappa_without": {
                stage.label: _json_number(kappa_without(self.confusion, stage)) for stage in SCORED_STAGES
            },
        }

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
    confusion = confusion_of(truth, predicted)
    if not confusion.any():
        raise AlignmentError("The two hypnograms have no epoch that both of them score, so they can't be compared.")
    return agreement_of(confusion)


def confusion_of(truth: StageArray, predicted: StageArray) -> Confusion:
    """Count the epochs that both score, ``int64 [5, 5]``, rows = truth; all zero where there is none.

    Raises AlignmentError where the two have different lengths.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape:
        raise AlignmentError(
            f"The two hypnograms have {len(truth)} and {len(predicted)} epochs; lay both on the recording first."
        )
    both = (truth != Stage.UNKNOWN) & (predicted != Stage.UNKNOWN)
    pairs = truth[both].astype(np.int64) * N_STAGES + predicted[both]
    return np.bincount(pairs, minlength=N_STAGES**2).reshape(N_STAGES, N_STAGES).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """The figures of one confusion matrix or of many at once.

    ``accuracy``, ``macro_f1``, ``kappa``, ``mgm``, ``balanced_accuracy`` and ``mcc`` are ``float64 [...]``; ``f1``,
    ``precision`` and ``recall`` ``float64 [..., 5]``. NaN where a figure is not defined, as in :class:`Agreement`.
    """

    accuracy: Floats
    macro_f1: Floats
    kappa: Floats
    mgm: Floats
    f1: Floats
    precision: Floats
    recall: Floats
    balanced_accuracy: Floats
    mcc: Floats


def figures_of(confusions: NDArray[np.int64]) -> Figures:
    """Compute the figures of confusion matrices, ``int64 [..., 5, 5]``, rows = truth.

    Cohen's κ = (p_o - p_e) / (1 - p_e), with p_o the observed agreement and p_e the sum over stages of the product of
    the two scorers' shares (Cohen 1960, doi 10.1177/001316446002000104). F1 = 2 TP / (2 TP + FP + FN), the harmonic
    mean of precision and recall (van Rijsbergen 1979); the macro-F1 is the mean over stages of F1. MGm is the mean
    over stages of √(sensitivity · specificity), as Eldele et al. 2021 (doi 10.1109/TNSRE.2021.3076234) report it.
    Balanced accuracy is the mean recall over the truth's stages (Brodersen et al. 2010, doi 10.1109/ICPR.2010.764).
    MCC is Matthews' correlation for several classes, R_K (Gorodkin 2004, doi 10.1016/j.compbiolchem.2004.09.006).
    """
    total = confusions.sum(axis=(-2, -1))
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    actual, predicted = confusions.sum(axis=-1), confusions.sum(axis=-2)
    observed = _share(hits.sum(axis=-1), total)
    # Compared in whole numbers, so that a κ of 0 / 0 is never taken for one of rounding errors.
    chance_counts = (actual * predicted).sum(axis=-1)
    chance = _share(chance_counts, total**2)
    kappa = np.full(observed.shape, np.nan)
    np.divide(observed - chance, 1 - chance, out=kappa, where=chance_counts != total**2)
    f1, recall = _share(2 * hits, actual + predicted), _share(hits, actual)
    others = total[..., None] - actual
    specificity = _share(others - (predicted - hits), others)
    return Figures(
        accuracy=observed,
        macro_f1=_mean(f1),
        kappa=kappa,
        mgm=_mean(np.sqrt(recall * specificity)),
        f1=f1,
        precision=_share(hits, predicted),
        recall=recall,
        balanced_accuracy=_mean(recall),
        mcc=_mcc(total, hits.sum(axis=-1), actual, predicted),
    )


def _mcc(
    total: NDArray[np.int64], hits: NDArray[np.int64], actual: NDArray[np.int64], predicted: NDArray[np.int64]
) -> Floats:
    covariance = hits * total - (actual * predicted).sum(axis=-1)
    spreads = [np.asarray(total**2 - (share**2).sum(axis=-1)) for share in (actual, predicted)]
    # The root of each by itself: their product overflows whole numbers at some 55,000 epochs.
    scale = np.sqrt(spreads[0].astype(np.float64)) * np.sqrt(spreads[1].astype(np.float64))
    mcc = np.full(np.shape(total), np.nan)
    np.divide(covariance, scale, out=mcc, where=scale > 0)
    return mcc


DEPTH_ORDER: Final = (Stage.W, Stage.REM, Stage.N1, Stage.N2, Stage.N3)
"""The stages as steps from waking to deep sleep, for κ weighted by how far apart two stages are."""


def weighted_kappa(confusion: Confusion, *, power: int = 1, order: Sequence[Stage] = DEPTH_ORDER) -> float:
    """Return κ in which a disagreement counts by the distance of the stages in ``order``, to a ``power``.

    1 weighs linearly, 2 quadratically: κ_w = 1 - Σ w·observed / Σ w·expected (Cohen 1968, doi 10.1037/h0026256).
    Sleep stages have no agreed order; that of :data:`DEPTH_ORDER` is a choice. NaN where nothing else but agreement
    could be expected.
    """
    place = np.argsort([int(stage) for stage in order])
    weight = np.abs(np.subtract.outer(place, place)).astype(np.float64) ** power
    expected = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / max(int(confusion.sum()), 1)
    chance = float((weight * expected).sum())
    return 1 - float((weight * confusion).sum()) / chance if chance > 0 else math.nan


def kappa_without(confusion: Confusion, stage: Stage) -> float:
    """Return κ over the epochs to which neither scorer gave ``stage``; NaN where that leaves one stage or none."""
    kept = np.delete(np.delete(confusion, stage, axis=0), stage, axis=1)
    return _kappa(kept)


def _kappa(confusion: NDArray[np.int64]) -> float:
    total, chance = int(confusion.sum()), int((confusion.sum(axis=1) * confusion.sum(axis=0)).sum())
    return (int(np.trace(confusion)) * total - chance) / (total**2 - chance) if chance != total**2 else math.nan


def agreement_of(confusion: Confusion) -> Agreement:
    """Compute the figures of a confusion matrix with at least one count, ``int64 [5, 5]``, rows = truth."""
    figures = figures_of(confusion)
    return Agreement(
        accuracy=float(figures.accuracy),
        macro_f1=float(figures.macro_f1),
        kappa=float(figures.kappa),
        f1=_by_stage(figures.f1),
        precision=_by_stage(figures.precision),
        recall=_by_stage(figures.recall),
        confusion=confusion,
        epochs=int(confusion.sum()),
        mgm=float(figures.mgm),
        balanced_accuracy=float(figures.balanced_accuracy),
        mcc=float(figures.mcc),
    )


def _share(part: NDArray[Any], whole: NDArray[np.int64]) -> Floats:
    """Divide, with NaN where the whole is zero."""
    share = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=share, where=np.greater(whole, 0))
    return share


def _mean(values: Floats) -> Floats:
    """Mean over the last axis of what is defined, NaN where nothing is."""
    defined = np.isfinite(values)
    return _share(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _by_stage(values: NDArray[np.float64]) -> dict[str, float]:
    return {stage.label: float(value) for stage, value in zip(SCORED_STAGES, values, strict=True)}


def _json_number(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value
