"""How epochs are scaled before a model sees them; training and scoring share these functions."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Epochs = NDArray[np.float32]
"""Epochs of one night, ``float32 [n_epochs, n_samples]``; rows with NaN are epochs without a signal."""

_NORMAL_IQR = 1.349
"""Interquartile range of a normal distribution of standard deviation 1."""


class Normalisation(StrEnum):
    """A model card's word for the scaling its model was trained with."""

    NONE = "none"
    """Microvolts as they are (the published AttnSleep)."""
    ZSCORE_EPOCH = "zscore_epoch"
    """Each epoch to mean 0 and standard deviation 1; a flat epoch to zeros."""
    ROBUST_NIGHT = "robust_night"
    """The whole night to median 0 and interquartile range 1.349 (that of a normal distribution)."""


def normalise(epochs: Epochs, how: Normalisation, clean: NDArray[np.bool_] | None = None) -> Epochs:
    """Return the epochs of one night, ``float32 [n_epochs, n_samples]`` in µV, scaled as ``how`` says.

    Rows that hold NaN stay NaN where they were. The night's statistics are those of the ``clean`` rows
    ``bool [n_epochs]``; of all without NaN where none is clean, or none are named.
    """
    match how:
        case Normalisation.NONE:
            return epochs
        case Normalisation.ZSCORE_EPOCH:
            centred = epochs - epochs.mean(axis=1, keepdims=True)
            return np.asarray(centred / _no_zero(epochs.std(axis=1, keepdims=True)), dtype=np.float32)
        case Normalisation.ROBUST_NIGHT:
            there = np.isfinite(epochs).all(axis=1)
            if clean is not None and (there & clean).any():
                there &= clean
            whole = epochs[there]
            if not whole.size:
                return epochs
            low, middle, high = np.quantile(whole, (0.25, 0.5, 0.75))
            return np.asarray((epochs - middle) / _no_zero((high - low) / _NORMAL_IQR), dtype=np.float32)


def _no_zero(spread: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the spread with 1 in place of 0, so that a flat signal becomes zeros and no error."""
    return np.where(spread == 0, 1, spread)
