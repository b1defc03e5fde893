"""Labels that are likelier wrong than the model: confident learning on probabilities of held-out epochs.

After Northcutt, Jiang & Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels, Journal of
Artificial Intelligence Research 70, doi 10.1613/jair.1.12125. Written from the paper's formulas:

- the threshold of a stage j is the mean probability of j over the epochs labelled j (equation 2);
- an epoch labelled i counts in the confident joint C[i, j] where its probability of j reaches j's threshold, and j is
  the likeliest of all stages that do (equation 1);
- the joint Q of labels and true stages is C with its rows scaled to the labels' counts, all of it to a sum of 1
  (equation 3); n·Q[i, j] estimates how many labels i should be j;
- how many are taken, and which, is the pruning's to say (methods 2 to 4, see :class:`Pruning`).

What is taken is ranked by self-confidence, the probability of the label itself, lowest first. Labels must be ones that
the model was not trained on: see :mod:`sleepviewer.analysis.provenance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.provenance import Provenance, check_may_judge
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import N_STAGES, Proba, Stage, StageArray

Floats = NDArray[np.float64]

NEVER: Final = np.inf
"""The threshold of a stage that nobody labelled: no epoch reaches it."""


class Pruning(StrEnum):
    """Which epochs are taken.

    CLASS: of each label i, the n·(Σ_j≠i Q[i, j]) epochs with the lowest probability of i (method 3), as far as the
    model finds another stage likelier. JOINT: all that
    the confident joint counts off its diagonal (method 2). RATE: of each pair i ≠ j, the n·Q[i, j] epochs labelled i
    with the largest p_j - p_i (method 4).
    """

    CLASS = "class"
    JOINT = "joint"
    RATE = "noise rate"


@dataclass(frozen=True, slots=True)
class Suspect:
    """An epoch whose label is likelier wrong than the model.

    ``rank`` counts from 1; ``margin`` is p(suggested) - p(label), above 0 where the model prefers the suggested stage;
    ``epoch`` is the place among the epochs that were given.
    """

    rank: int
    epoch: int
    label: Stage
    suggested: Stage
    p_label: float
    p_suggested: float

    @property
    def margin(self) -> float:
        """How much likelier the model finds the suggested stage."""
        return self.p_suggested - self.p_label


@dataclass(slots=True)
class Thresholds:
    """The stages' thresholds, gathered night by night."""

    sums: Floats
    counts: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Thresholds:
        """Return thresholds that know no epoch yet."""
        return cls(np.zeros(N_STAGES), np.zeros(N_STAGES, dtype=np.int64))

    def add(self, labels: StageArray, proba: Proba) -> None:
        """Count epochs in; those without label or probabilities are passed over."""
        usable = _usable(labels, proba)
        labels, rows = np.asarray(labels)[usable], np.asarray(proba, dtype=np.float64)[usable]
        np.add.at(self.sums, labels, rows[np.arange(len(labels)), labels])
        self.counts += np.bincount(labels, minlength=N_STAGES)

    @property
    def values(self) -> Floats:
        """The thresholds, ``float64 [5]``; NEVER for a stage that no epoch is labelled with."""
        values = np.full(N_STAGES, NEVER)
        np.divide(self.sums, self.counts, out=values, where=self.counts > 0)
        return values


def confident_stages(proba: Proba, thresholds: Floats) -> StageArray:
    """Return of each epoch the likeliest stage that reaches its threshold, ``int8 [n]``; UNKNOWN where none does."""
    rows = np.nan_to_num(np.asarray(proba, dtype=np.float64), nan=-1.0)
    reaching = np.where(rows >= thresholds - 1e-9, rows, -1.0)
    best = reaching.argmax(axis=1)
    return np.where(reaching.max(axis=1, initial=-1.0) >= 0, best, int(Stage.UNKNOWN)).astype(np.int8)


def confident_joint(labels: StageArray, proba: Proba, thresholds: Floats) -> NDArray[np.int64]:
    """Return the confident joint C, ``int64 [5, 5]``: rows the labels, columns the stages that the model is sure of."""
    sure = np.where(_usable(labels, proba), confident_stages(proba, thresholds), int(Stage.UNKNOWN))
    counted = sure != Stage.UNKNOWN
    joint = np.zeros((N_STAGES, N_STAGES), dtype=np.int64)
    np.add.at(joint, (np.asarray(labels)[counted], sure[counted]), 1)
    return joint


def noise_joint(joint: NDArray[np.int64], label_counts: NDArray[np.int64]) -> Floats:
    """Return the joint distribution Q of labels and true stages, ``float64 [5, 5]``, of sum 1 (0 without labels)."""
    rows = joint.sum(axis=1, keepdims=True)
    # Labels of a stage of which the model is sure nowhere are taken as they are.
    shares = np.where(rows > 0, joint / np.maximum(rows, 1), np.eye(N_STAGES))
    scaled = shares * label_counts[:, None]
    total = scaled.sum()
    return np.asarray(scaled / total if total else scaled)


def find_suspects(
    labels: StageArray,
    proba: Proba,
    *,
    provenance: Provenance | None = None,
    most: int | None = None,
    pruning: Pruning = Pruning.CLASS,
) -> tuple[Suspect, ...]:
    """Return the suspect labels, most suspect first.

    ``labels`` ``int8 [n]`` and ``proba`` ``float32 [n, 5]`` are of held-out epochs, of one night or many; epochs
    without either are passed over. ``provenance`` is what is known of that; ``most`` ends the list.

    Raises SeenLabelsError where the model was trained on these labels, AlignmentError where lengths differ.
    """
    if provenance is not None:
        check_may_judge(provenance)
    labels = np.asarray(labels, dtype=np.int8)
    if np.shape(proba) != (len(labels), N_STAGES):
        raise AlignmentError(f"There are {len(labels)} labels, but probabilities of {len(proba)} epochs.")
    thresholds = Thresholds.empty()
    thresholds.add(labels, proba)
    joint = confident_joint(labels, proba, thresholds.values)
    if pruning is Pruning.JOINT:
        sure = confident_stages(proba, thresholds.values)
        chosen = np.flatnonzero(_usable(labels, proba) & (sure != Stage.UNKNOWN) & (sure != labels))
    elif pruning is Pruning.CLASS:
        chosen = _by_class(labels, proba, suspect_counts(joint, thresholds.counts))
    else:
        chosen = _by_noise_rate(labels, proba, noise_joint(joint, thresholds.counts), int(thresholds.counts.sum()))
    return ranked(labels, proba, chosen)[:most]


def suspect_counts(joint: NDArray[np.int64], label_counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many labels of each stage are estimated to be wrong, ``int64 [5]``."""
    shares = noise_joint(joint, label_counts)
    return np.asarray(np.round((shares.sum(axis=1) - np.diagonal(shares)) * label_counts.sum()), dtype=np.int64)


def doubted(labels: StageArray, proba: Proba) -> NDArray[np.bool_]:
    """Return which epochs the model finds likelier of another stage than their label, ``bool [n]``."""
    likeliest = np.nan_to_num(np.asarray(proba), nan=-1.0).argmax(axis=1) if len(labels) else labels
    return np.asarray(_usable(labels, proba) & (likeliest != labels))


def _by_class(labels: StageArray, proba: Proba, counts: NDArray[np.int64]) -> NDArray[np.intp]:
    rows = np.asarray(proba, dtype=np.float64)
    usable = doubted(labels, proba)
    chosen = []
    for label, count in enumerate(counts.tolist()):
        own = np.flatnonzero(usable & (labels == label))
        chosen.append(own[np.argsort(rows[own, label], kind="stable")[:count]])
    return np.sort(np.concatenate(chosen))


def ranked(labels: StageArray, proba: Proba, epochs: Sequence[int] | NDArray[Any]) -> tuple[Suspect, ...]:
    """Return epochs as suspects by the probability of their label, lowest first; equal ones in order."""
    epochs = np.asarray(epochs, dtype=np.intp)
    given = np.asarray(labels)[epochs].astype(np.intp)
    rows = np.asarray(proba, dtype=np.float64)[epochs]
    own = rows[np.arange(len(epochs)), given]
    others = rows.copy()
    others[np.arange(len(epochs)), given] = -1.0
    best = others.argmax(axis=1)
    likeliest = others[np.arange(len(epochs)), best]
    order = np.argsort(own, kind="stable")
    return tuple(
        Suspect(rank, int(epochs[i]), Stage(int(given[i])), Stage(int(best[i])), float(own[i]), float(likeliest[i]))
        for rank, i in enumerate(order.tolist(), 1)
    )


def _by_noise_rate(labels: StageArray, proba: Proba, joint: Floats, n: int) -> NDArray[np.intp]:
    usable = _usable(labels, proba)
    rows = np.asarray(proba, dtype=np.float64)
    chosen: set[int] = set()
    for label in range(N_STAGES):
        own = np.flatnonzero(usable & (labels == label))
        for other in range(N_STAGES):
            count = round(n * joint[label, other])
            if other == label or not count:
                continue
            margin = rows[own, other] - rows[own, label]
            chosen.update(own[np.argsort(-margin, kind="stable")[:count]].tolist())
    return np.array(sorted(chosen), dtype=np.intp)


def _usable(labels: StageArray, proba: Proba) -> NDArray[np.bool_]:
    return np.asarray((np.asarray(labels) != Stage.UNKNOWN) & np.isfinite(proba).all(axis=1))
