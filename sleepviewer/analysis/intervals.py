"""How sure a figure is: 95 % intervals by bootstrap over subjects, and paired differences of two models.

The epochs of a night resemble each other, and so do the nights of a subject: the subject is what is drawn. A draw
takes as many subjects as there are, with replacement, and sums their confusion matrices; the interval is the 2.5th to
the 97.5th percentile of a figure over the draws (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters
13 and 10 for pairs). It tells how the figure depends on *who was recorded*; what another random seed of the training
would change is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import figures_of
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import N_STAGES, SCORED_STAGES, StageArray

DRAWS: Final = 2000
LEVEL: Final = 0.95

STAGE_F1: Final = tuple(f"f1_{stage.label}" for stage in SCORED_STAGES)
"""``f1_W`` … ``f1_REM``: the names of the stages' F1."""

METRICS: Final = (*STAGE_F1, "accuracy", "macro_f1", "kappa", "mgm")
"""Names of the figures that have intervals, in the order of a table's columns."""


ALL_METRICS: Final = (*METRICS, "balanced_accuracy", "mcc")
"""The same and those that only an analysis tells."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure over all subjects and its 95 % interval; NaN where it is not defined.

    The bounds are NaN with fewer than two subjects, between whom nothing can vary.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class ScoredNight:
    """One night's epochs with a truth and one model's stages.

    ``epochs`` are the epochs' places in the recording, ``truth`` and ``predicted`` stages between 0 and 4; all ``[n]``.
    """

    name: str
    subject: str
    epochs: NDArray[np.int32]
    truth: StageArray
    predicted: StageArray


def subject_confusions(nights: Sequence[ScoredNight]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the subjects in sorted order and their confusion matrices, ``int64 [subjects, 5, 5]``, rows = truth."""
    subjects = tuple(sorted({night.subject for night in nights}))
    place = {subject: index for index, subject in enumerate(subjects)}
    confusions = np.zeros((len(subjects), N_STAGES, N_STAGES), dtype=np.int64)
    for night in nights:
        np.add.at(confusions[place[night.subject]], (night.truth, night.predicted), 1)
    return subjects, confusions


def bootstrap(
    confusions: NDArray[np.int64], *, draws: int = DRAWS, seed: int = 0, metrics: Sequence[str] = METRICS
) -> dict[str, Interval]:
    """Return the figures of pooled epochs with their intervals, by the names of METRICS (or others of ALL_METRICS).

    ``confusions`` are the subjects' matrices (or the nights', to draw nights), ``int64 [subjects, 5, 5]``. Draws in
    which a figure is not defined (a stage that none of the drawn subjects has) are left out of that figure's interval.
    """
    values = _metrics(confusions.sum(axis=0))
    drawn = _metrics(_resampled(confusions, draws, seed))
    return {name: _interval(values[name], drawn[name], len(confusions)) for name in metrics}


def paired_differences(
    first: Sequence[ScoredNight], second: Sequence[ScoredNight], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Return second minus first, with the interval of the difference, by the names of METRICS.

    Each draw takes the same subjects for both, so what makes a subject hard for either cancels out. Raises
    AlignmentError where the two do not hold the same nights, epochs, subjects and truth.
    """
    check_same_epochs(first, second)
    a, b = subject_confusions(first)[1], subject_confusions(second)[1]
    values_a, values_b = _metrics(a.sum(axis=0)), _metrics(b.sum(axis=0))
    drawn_a, drawn_b = _metrics(_resampled(a, draws, seed)), _metrics(_resampled(b, draws, seed))
    return {name: _interval(values_b[name] - values_a[name], drawn_b[name] - drawn_a[name], len(a)) for name in METRICS}


def check_same_epochs(first: Sequence[ScoredNight], second: Sequence[ScoredNight]) -> None:
    """Raise AlignmentError, naming the first difference, unless both hold the same nights, epochs and truth."""
    ours, theirs = ({night.name: night for night in nights} for nights in (first, second))
    alone = sorted(ours.keys() ^ theirs.keys())
    if alone:
        raise AlignmentError(f"The two can't be compared: only one of them holds {_some(alone)}.")
    for name, night in sorted(ours.items()):
        other = theirs[name]
        if night.subject != other.subject:
            raise AlignmentError(
                f"The two can't be compared: {name} is of subject {night.subject} in one and {other.subject} in the"
                " other."
            )
        if not np.array_equal(night.epochs, other.epochs):
            raise AlignmentError(
                f"The two can't be compared: of {name} they hold different epochs ({len(night.epochs)} and"
                f" {len(other.epochs)})."
            )
        if not np.array_equal(night.truth, other.truth):
            raise AlignmentError(f"The two can't be compared: of {name} they know different truths.")


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more nights" if len(names) > most else "")


def _resampled(confusions: NDArray[np.int64], draws: int, seed: int) -> NDArray[np.int64]:
    """Sum the matrices of subjects drawn with replacement, ``int64 [draws, 5, 5]``; the draws depend on seed alone."""
    n = len(confusions)
    if not n:
        return np.zeros((draws, N_STAGES, N_STAGES), dtype=np.int64)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    return (times @ confusions.reshape(n, -1)).reshape(draws, N_STAGES, N_STAGES)


def _metrics(confusions: NDArray[np.int64]) -> Mapping[str, NDArray[np.float64]]:
    figures = figures_of(confusions)
    by_stage = {name: figures.f1[..., column] for column, name in enumerate(STAGE_F1)}
    return by_stage | {
        "accuracy": figures.accuracy,
        "macro_f1": figures.macro_f1,
        "kappa": figures.kappa,
        "mgm": figures.mgm,
        "balanced_accuracy": figures.balanced_accuracy,
        "mcc": figures.mcc,
    }


def _interval(value: NDArray[np.float64], drawn: NDArray[np.float64], subjects: int) -> Interval:
    defined = drawn[np.isfinite(drawn)]
    if subjects < 2 or not len(defined) or not np.isfinite(value):
        return Interval(float(value), math.nan, math.nan)
    low, high = np.quantile(defined, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(float(value), float(low), float(high))
