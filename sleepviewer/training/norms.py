"""Batch normalisation while a model is tuned: fixed, and for each night what scoring that night would take.

Scoring blends the training's statistics with the night's own (:mod:`sleepviewer.models.adaptation`). A tuning does the
same, so that the weights learn under the scaling that they are used with; the training's own statistics never change.
"""

from __future__ import annotations

from torch import Tensor, nn

from sleepviewer.models.adaptation import blend_statistics, typical_epochs
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.normalisation import Epochs

Statistics = list[tuple[Tensor, Tensor]]
"""Mean and variance of every batch normalisation, in the order of the model's modules."""


class NightNorms:
    """Switches the statistics of a model's batch normalisations between nights; ``share`` is the model card's."""

    def __init__(self, model: EpochModel, share: float) -> None:
        self._model = model
        self._share = share
        self._norms = _norms(model)
        self._trained = _statistics(self._norms)

    def of_night(self, x: Epochs) -> Statistics:
        """Return what a night ``float32 [n, samples]`` is scored with, by the weights as they are now."""
        if not self._share or not len(x):
            return self._trained
        self.restore()
        return _statistics(_norms(blend_statistics(self._model, x[typical_epochs(x)], self._share)))

    def use(self, statistics: Statistics) -> None:
        """Take these statistics from now on."""
        for norm, (mean, variance) in zip(self._norms, statistics, strict=True):
            norm.running_mean, norm.running_var = mean, variance

    def restore(self) -> None:
        """Take the training's own statistics again."""
        self.use(self._trained)

    def keep_trained(self) -> None:
        """Take what the model holds now for the training's own: it was loaded from elsewhere."""
        self._trained = _statistics(self._norms)


def _norms(model: nn.Module) -> list[nn.BatchNorm1d]:
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]


def _statistics(norms: list[nn.BatchNorm1d]) -> Statistics:
    found = []
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        found.append((norm.running_mean.clone(), norm.running_var.clone()))
    return found
