"""In which order to look at epochs: by the model's doubt, by disagreement, by change of stage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sleepviewer.stages import Proba, Stage, StageArray

Epochs = NDArray[np.intp]
"""Epoch numbers, ``intp [k]``."""

UNSCORED_DOUBT = -1.0
"""The doubt of an epoch without probabilities; below every real doubt."""


def doubt(proba: Proba) -> NDArray[np.float32]:
    """Return one minus the likeliest stage's probability, ``float32 [n_epochs]``.

    It lies between 0 (sure) and 0.8 (five stages alike); rows of NaN get :data:`UNSCORED_DOUBT`.
    """
    rows = np.asarray(proba, dtype=np.float32)
    scored = np.isfinite(rows).all(axis=1)
    result = np.full(len(rows), UNSCORED_DOUBT, dtype=np.float32)
    result[scored] = np.maximum(1 - rows[scored].max(axis=1), 0)
    return result


def review_order(proba: Proba) -> Epochs:
    """Return the scored epochs, most doubtful first; equally doubtful ones in the order of the night."""
    doubts = doubt(proba)
    order = np.argsort(-doubts, kind="stable")
    return order[doubts[order] > UNSCORED_DOUBT]


def disagreements(a: StageArray, b: StageArray) -> Epochs:
    """Return the epochs that both score, and differently, in the order of the night."""
    a, b = np.asarray(a), np.asarray(b)
    return np.flatnonzero((a != b) & (a != Stage.UNKNOWN) & (b != Stage.UNKNOWN))


def transitions(stages: StageArray) -> Epochs:
    """Return the epochs that begin another stage than the epoch before; both must be scored."""
    stages = np.asarray(stages)
    return disagreements(stages[1:], stages[:-1]) + 1
