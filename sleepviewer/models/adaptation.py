"""Fit a model to a recording that it has not seen: part of its batch statistics are taken from the night itself.

Batch normalisation scales what each convolution finds by its mean and spread over the training recordings. Another
laboratory's electrodes and amplifiers shift both. Re-estimating them on the unlabelled recording (Li et al. 2017,
AdaBN, arXiv 1603.04779) brings them back; half of it keeps a night with an unusual share of stages from looking usual.
"""

from __future__ import annotations

import copy
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.normalisation import Epochs
from sleepviewer.recording.quality import typical

N_EPOCHS: Final = 128
"""Epochs, spread evenly over the night, that the statistics are taken from; shorter nights count for less."""

_BATCH: Final = 64


@torch.no_grad()
def blend_statistics(model: EpochModel, epochs: Epochs, share: float) -> EpochModel:
    """Return a copy of a model on the CPU whose batch statistics are partly those of a night.

    Parameters
    ----------
    model: as it was trained; it stays as it is.
    epochs: a night's clean epochs (see :class:`sleepviewer.recording.quality.SignalQuality`), scaled as the model takes
        them, ``float32 [n, n_samples]``: an artifact among them would shift what the model finds in all others.
    share: how much the night's statistics count, 0 to 1; less in proportion where it has under 128 epochs.
    """
    adapted = copy.deepcopy(model).eval()
    share *= min(1.0, len(epochs) / N_EPOCHS)
    if not share:
        return adapted
    norms = [module for module in adapted.modules() if isinstance(module, nn.BatchNorm1d)]
    trained = [(_buffer(norm.running_mean).clone(), _buffer(norm.running_var).clone()) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    chosen = epochs[np.unique(np.linspace(0, len(epochs) - 1, min(N_EPOCHS, len(epochs))).astype(np.intp))]
    for batch in np.array_split(chosen, max(1, len(chosen) // _BATCH)):
        adapted(torch.from_numpy(np.ascontiguousarray(batch)).unsqueeze(1))
    for norm, (mean, variance) in zip(norms, trained, strict=True):
        _buffer(norm.running_mean).mul_(share).add_(mean, alpha=1 - share)
        _buffer(norm.running_var).mul_(share).add_(variance, alpha=1 - share)
    return adapted.eval()


def typical_epochs(epochs: Epochs) -> NDArray[np.bool_]:
    """Return which of a night's epochs ``float32 [n, n_samples]`` its batch statistics may be taken from.

    For epochs that are scaled already, as archives' are in a training: those whose log spread and log peak are typical
    of the night; all where none is. Of a recording, :class:`sleepviewer.recording.quality.SignalQuality` says it.
    """
    spread = np.log(np.maximum(epochs.std(axis=1), 1e-6)).astype(np.float32)
    peak = np.log(np.maximum(np.abs(epochs).max(axis=1, initial=0), 1e-6)).astype(np.float32)
    clean = typical(spread) & typical(peak)
    return clean if clean.any() else np.ones(len(epochs), dtype=bool)


def _buffer(buffer: torch.Tensor | None) -> torch.Tensor:
    assert buffer is not None
    return buffer
