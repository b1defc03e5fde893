"""The published weights of the stages in the loss."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.stages import N_STAGES

_MULTIPLIERS: Final = np.array([1.5, 2.0, 1.5, 1.0, 1.5]) / N_STAGES


def class_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each stage's weight, ``float64 [5]``, from how often it occurs, ``int64 [5]``.

    As AttnSleep's code: m · max(1, ln(m N / n)), rounded to two places, with n the stage's count, N all, and m =
    (1.5, 2, 1.5, 1, 1.5) / 5. A stage that does not occur gets m alone: its logarithm would be infinite.
    """
    total = counts.sum()
    present = np.maximum(counts, 1)
    factor = np.where(counts > 0, np.maximum(1, np.log(_MULTIPLIERS * max(total, 1) / present)), 1)
    return np.asarray(np.round(_MULTIPLIERS * factor, 2))
